"""Elementary and special functions on XLA, against NumPy's with more digits, and SciPy's."""

import math

import numpy as np
import pytest
import scipy.special
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare, host_nodes
from theano.compile.mode import Mode
from theano.tensor import nnet, xlogx

PY = Mode("py", "fast_run").excluding("xla")
WIDER = {"float32": "float64", "float64": "longdouble"}


def run(functions, *arguments):
    """Return what functions of tensors give on XLA."""
    inputs = [tt.vector(dtype=one.dtype) for one in arguments]
    f = theano.function(inputs, [one(*inputs) for one in functions], mode=XLA)
    assert not host_nodes(f), host_nodes(f)
    found = f(*arguments)
    assert not any(one.program.counts.on_host for one in clusters(f))
    return found


def units(got, exact):
    """Return the errors in units of the last place; what is not finite must be alike."""
    with np.errstate(all="ignore"):
        expected = exact.astype(got.dtype)
        finite = np.isfinite(expected) & np.isfinite(got)
        np.testing.assert_array_equal(got[~finite], expected[~finite])
        # On a CPU, XLA gives 0 for what is below the least normal number.
        small = np.abs(expected) < np.finfo(got.dtype).tiny
        error = np.abs(got.astype(exact.dtype) - exact) / np.spacing(np.abs(expected))
    return np.where(finite & ~small, error, 0)


def samples(dtype):
    """Return floats of all sizes, many about 0 and 1, and the odd ones."""
    rng = np.random.RandomState(0)
    most = 110 if dtype == "float32" else 750
    bits = {"float32": np.uint32, "float64": np.uint64}[dtype]
    anything = rng.randint(0, np.iinfo(bits).max, 4000, dtype=bits).view(dtype)
    tiny = np.abs(anything) < np.finfo(dtype).tiny * 4
    values = [anything[~tiny], rng.randn(4000) * 3, rng.uniform(-1, 1, 4000)]
    values += [
        rng.uniform(-most, most, 8000),
        1 + rng.randn(2000) * 10 ** rng.uniform(-8, -1, 2000),
    ]
    values += [rng.randn(2000) * 10 ** rng.uniform(-8, -1, 2000), [0.0, -0.0, 1, -1, 2]]
    values += [[np.inf, -np.inf, np.nan]]
    return np.concatenate([np.asarray(one, dtype) for one in values])


ELEMENTARY = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan"]
ELEMENTARY += [
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementary_functions(dtype):
    x = samples(dtype)
    found = run([getattr(tt, name) for name in ELEMENTARY], x)
    with np.errstate(all="ignore"):
        for name, got in zip(ELEMENTARY, found, strict=True):
            assert units(got, getattr(np, name)(x.astype(WIDER[dtype]))).max() < 7, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoids_and_degrees(dtype):
    x = samples(dtype)
    x = x[~(np.abs(x) > 1e6)]
    functions = [
        nnet.sigmoid,
        nnet.softplus,
        tt.deg2rad,
        tt.rad2deg,
        nnet.nnet.softsign,
        xlogx.xlogx,
    ]
    found = run(functions, x)
    with np.errstate(all="ignore"):
        wide = x.astype(WIDER[dtype])
        expected = [1 / (1 + np.exp(-wide)), np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide)))]
        pi = 4 * np.arctan(np.ones((), wide.dtype))
        expected += [wide * (pi / 180), wide * (180 / pi), wide / (1 + np.abs(wide))]
        expected += [np.where(wide == 0, 0, wide * np.log(wide))]
        for got, exact in zip(found, expected, strict=True):
            assert units(got, exact).max() < 5


def test_fast_sigmoids_and_gradients():
    x, y = tt.dvector(), tt.dvector()
    costs = [nnet.ultra_fast_sigmoid(x), nnet.hard_sigmoid(x), xlogx.xlogy0(x, y)]
    costs += [nnet.relu(x, 0.1), nnet.elu(x), nnet.selu(x)]
    graded = [
        nnet.sigmoid(x),
        nnet.softplus(x),
        nnet.softsign(x),
        tt.erf(x),
        tt.tanh(x),
        tt.gammaln(x * x + 1),
        tt.exp2(x),
    ]
    costs += [theano.grad((one * y).sum(), x) for one in [*graded, tt.sinh(x)]]
    x_values = np.array([0, 0.1, -0.5, 1.5, -4, 8, -11])
    compare([x, y], costs, (x_values, np.arange(7) + 0.5), modes=(PY, XLA))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "float16"])
def test_functions_of_other_dtypes(dtype):
    x = tt.vector(dtype=dtype)
    names = [
        "exp",
        "log",
        "sqrt",
        "sin",
        "tanh",
        "exp2",
        "log1p",
        "ceil",
        "deg2rad",
        "erf",
        "gammaln",
    ]
    outputs = [getattr(tt, name)(x) for name in names]
    compare([x], outputs, (np.arange(1, 9).astype(dtype),), modes=(PY, XLA))


def special_cases():
    """Return name, function of Theano, function of SciPy, arguments; for values of float64."""
    rng = np.random.RandomState(0)
    about_0 = np.concatenate([rng.uniform(-6, 6, 500), 10 ** rng.uniform(-9, 0, 200), [0, np.inf]])
    inside = np.concatenate(
        [rng.uniform(-1, 1, 500), 1 - 10 ** rng.uniform(-9, 0, 200), [-1, 1, 0]]
    )
    positive = np.concatenate(
        [10 ** rng.uniform(-6, 1, 300), rng.uniform(0, 170, 500), [1, 2, 3, 170]]
    )
    negative = -rng.randint(0, 20, 300) - rng.uniform(0.05, 0.95, 300)
    wide = np.concatenate([rng.uniform(-60, 60, 500), [0, 8, -8]])
    order = 10 ** rng.uniform(-1, 2, 500)
    at = order * np.exp(rng.randn(500))
    special = scipy.special
    return [
        (tt.erf, special.erf, about_0),
        (tt.erfc, special.erfc, about_0),
        (tt.erfcx, special.erfcx, np.concatenate([about_0, rng.uniform(6, 2000, 100)])),
        (tt.erfinv, special.erfinv, inside),
        (tt.erfcinv, special.erfcinv, 1 + inside),
        (tt.gamma, special.gamma, positive),
        (tt.gamma, special.gamma, negative),
        (tt.gammaln, special.gammaln, positive),
        (tt.gammaln, special.gammaln, negative),
        (tt.psi, special.psi, positive),
        (tt.psi, special.psi, negative),
        (tt.tri_gamma, lambda x: special.polygamma(1, x), positive),
        (tt.tri_gamma, lambda x: special.polygamma(1, x), negative),
        (tt.j0, special.j0, wide),
        (tt.j1, special.j1, wide),
        (tt.i0, special.i0, wide),
        (tt.i1, special.i1, wide),
        (tt.gammainc, special.gammainc, order, at),
        (tt.gammaincc, special.gammaincc, order, at),
        (tt.gammau, lambda k, x: special.gammaincc(k, x) * special.gamma(k), order, at),
        (tt.chi2sf, lambda x, k: special.gammaincc(k / 2, x / 2), at, order),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_functions(dtype):
    cases = special_cases()
    most = max(len(one[2]) for one in cases)
    # One function of one length: the arguments of all, side by side.
    arguments = [np.resize(x, most).astype(dtype) for one in cases for x in one[2:]]
    inputs = [tt.vector(dtype=dtype) for _ in arguments]
    left = iter(inputs)
    f = theano.function(inputs, [one[0](*[next(left) for _ in one[2:]]) for one in cases], mode=XLA)
    assert not host_nodes(f), host_nodes(f)
    values = iter(arguments)
    for (_, reference, *own), got in zip(cases, f(*arguments), strict=True):
        mine = [next(values).astype("float64") for _ in own]
        with np.errstate(all="ignore"):
            expected = reference(*mine)
            exact = expected.astype(dtype)
        rtol = 2e-7 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(got, exact, rtol=rtol, atol=rtol, err_msg=str(reference))


def test_poles_and_the_ends():
    x = np.array([0, -1.0, -2, np.inf, np.nan])
    gamma, gammaln, psi = run([tt.gamma, tt.gammaln, tt.psi], x)
    nan, inf = np.nan, np.inf
    np.testing.assert_array_equal(gamma, [inf, nan, nan, inf, nan])
    np.testing.assert_array_equal(gammaln, [inf, inf, inf, inf, nan])
    np.testing.assert_array_equal(psi, [-inf, nan, nan, inf, nan])
    assert [math.lgamma(one) for one in (0.5, 3, 171.5)] == pytest.approx(
        run([tt.gammaln], np.array([0.5, 3, 171.5]))[0].tolist(), rel=1e-14
    )


def test_bessel_functions_of_any_order_stay_on_the_host():
    v, x = tt.dvector(), tt.dvector()
    values = (np.array([0.5, 2, 3.3]), np.array([1.0, 4, 9]))
    outputs = [tt.jv(v, x), tt.iv(v, x), theano.grad(tt.j1(x).sum(), x)]
    compare([v, x], outputs, values, host=(tt.Elemwise,), modes=(PY, XLA))
