"""Random numbers as Theano 1.0.5 drew them: sizes come first, and the numbers are the same."""
# ruff: noqa: ARG002  # ndim is an argument of the old methods; the size says it

import theano.tensor as tt
from theano.tensor.random import basic
from theano.tensor.random.utils import RandomStream


class RandomStreams(RandomStream):
    """What theano.tensor.shared_randomstreams.RandomStreams was.

    Methods without a place here are those of ``RandomStream``.
    """

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
        return self._draw(basic.uniform, size, dtype, low, high)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        return self._draw(basic.normal, size, dtype, avg, std)

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
        return self._draw(basic.binomial, size, dtype, n, p if prob is None else prob)

    def poisson(self, size=None, lam=1.0, ndim=None, dtype="int64"):
        return self._draw(basic.poisson, size, dtype, lam)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Draw from low to high, both included."""
        return self._draw(basic.randint, size, dtype, low, high + 1)

    def choice(self, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
        """Draw of the vector ``a``, or of the integers below it."""
        a = tt.as_tensor_variable(a)
        a = tt.arange(a) if a.ndim == 0 else a
        size = () if size is None else size
        return self._draw(basic.choice, size, dtype, a, replace=replace, p=p)

    def multinomial(self, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"):
        return self._draw(basic.multinomial, size, dtype, n, pvals)

    def permutation(self, size=None, n=1, ndim=None, dtype="int64"):
        """Draw one order of the integers below n."""
        if size not in (None, ()):
            raise NotImplementedError("Theano-PyMC draws one permutation; leave size out")
        return self._draw(basic.permutation, None, dtype, tt.arange(n))

    def _draw(self, op, size, dtype, *parameters, **options):
        if size is not None:
            options["size"] = size
        drawn = self.gen(op, *parameters, **options)
        if dtype is None or drawn.dtype == dtype:
            return drawn
        cast = tt.cast(drawn, dtype)
        cast.rng, cast.update = drawn.rng, drawn.update
        return cast
