"""Functions of SciPy that moved or cost much to import, under one roof.

The convolutions are those of Theano's Python implementations, which took them from private
modules. scipy.signal and scipy.stats are imported when they are first called: scipy.stats alone
was a third of the time that ``import theano`` took, for one scalar op.
"""


def chi2_sf(x, k):
    """Return scipy.stats.chi2.sf(x, k): the survival function of the chi-squared distribution."""
    import scipy.stats

    return scipy.stats.chi2.sf(x, k)


def _valfrommode(mode):
    return mode


def _bvalfromboundary(boundary):
    return boundary


def _convolve2d(one, other, flip, mode, boundary, fill):
    """Convolve two matrices (``flip``) or correlate them (not ``flip``)."""
    from scipy import signal

    function = signal.convolve2d if flip else signal.correlate2d
    return function(one, other, mode, boundary, fill)


def convolve(one, other, mode="full", method="auto"):
    """scipy.signal.convolve."""
    from scipy import signal

    return signal.convolve(one, other, mode, method)
