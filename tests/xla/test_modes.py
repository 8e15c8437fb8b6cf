"""The backend in Theano's modes and linkers, in profiles and in print, and over many calls."""

import gc
import io

import numpy as np
import psutil
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, clusters, same
from theano.compile.debugmode import DebugMode
from theano.compile.mode import Mode, get_mode
from theano.compile.nanguardmode import NanGuardMode
from theano.gof.utils import MethodNotDefined

from theano_colab.xla.types import shared_constructor

VALUE = np.linspace(-1, 1, 12, dtype="f").reshape(3, 4)


def _step(mode, **options):
    w = shared_constructor(VALUE.copy(), name="w")
    x = tt.fmatrix("x")
    cost = tt.tanh(tt.dot(x, w)).sum()
    f = theano.function(
        [x], cost, updates=[(w, w - np.float32(0.1) * theano.grad(cost, w))], mode=mode, **options
    )
    return w, f


@pytest.mark.parametrize("linker", ["cvm", "vm", "py", "c|py"])
@pytest.mark.parametrize("optimizer", ["fast_run", "fast_compile"])
def test_linkers(linker, optimizer):
    mode = Mode(linker, optimizer).including("xla")
    (w, f), (expected, g) = _step(mode), _step(C)
    for _ in range(2):
        same(f(VALUE[:, :3].copy()), g(VALUE[:, :3].copy()))
    same(w.get_value(), expected.get_value())
    assert clusters(f)
    assert not clusters(g)


def test_the_c_linker_alone_says_why_not():
    with pytest.raises(MethodNotDefined, match="linker=c cannot run it; use linker=cvm"):
        _step(Mode("c", "fast_run").including("xla"))


def _masked():
    x = tt.fvector("x")
    return x, tt.exp(tt.tanh(x)[(tt.tanh(x) > 0).nonzero()])  # Nonzero is the host's


def test_a_node_between_clusters_is_complained_of_where_it_is_asked_for(caplog):
    x, result = _masked()
    theano.function([x], result, mode=XLA)
    assert not caplog.records
    with theano.change_flags(assert_no_cpu_op="warn"):
        theano.function([x], result, mode=XLA)
    assert ["Nonzero" in one.message for one in caplog.records] == [True]
    with (
        theano.change_flags(assert_no_cpu_op="raise"),
        pytest.raises(AssertionError, match=r"Nonzero.* runs on the host"),
    ):
        theano.function([x], result, mode=XLA)


def test_what_is_the_host_s_by_right_is_not_complained_of():
    n, x = tt.iscalar("n"), tt.fmatrix("x")
    with theano.change_flags(assert_no_cpu_op="raise"):
        f = theano.function([n, x], tt.exp(x[n : x.shape[0] // 2 + n]), mode=XLA)
        g = theano.function([x], tt.Nonzero()(tt.exp(x).sum(0)), mode=XLA)
    assert clusters(f)
    assert clusters(g)


@pytest.mark.slow
def test_debug_mode():
    mode = DebugMode(optimizer="fast_run", check_isfinite=True, stability_patience=2)
    w, f = _step(mode.including("xla"))
    f(VALUE[:, :3].copy())
    expected, g = _step(C)
    g(VALUE[:, :3].copy())
    same(w.get_value(), expected.get_value())


# NanGuardMode looks for the least of what is NaN.
@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")
def test_nan_guard():
    mode = NanGuardMode(nan_is_error=True, inf_is_error=True, big_is_error=True)
    x = tt.fvector()
    f = theano.function([x], tt.log(x) * 2, mode=mode.including("xla"))
    f(np.ones(2, "f"))
    with pytest.raises(AssertionError, match="NaN"):
        f(-np.ones(2, "f"))


def test_test_values_reach_the_optimized_graph():
    v = tt.fvector("v")
    v.tag.test_value = np.ones(3, "f")
    with theano.change_flags(compute_test_value="raise", compute_test_value_opt="raise"):
        f = theano.function([v], tt.tanh(v) + 1, mode=XLA)
    (result,) = f.maker.fgraph.outputs
    same(result.tag.test_value, f(np.ones(3, "f")))


def test_users_opt_out():
    _, f = _step(XLA.excluding("xla"))
    assert not clusters(f)
    assert not clusters(_step(get_mode("FAST_RUN"))[1])


def test_what_is_printed():
    _, f = _step(XLA, profile=True)
    f(VALUE[:, :3].copy())
    text = theano.printing.debugprint(f, file="str")
    assert "XlaCluster{" in text
    assert "Dot" in text
    f.profile.summary(file=io.StringIO())
    assert any("Cluster" in type(node.op).__name__ for node in f.profile.apply_time)


@pytest.mark.slow
def test_memory_does_not_grow():
    w, f = _step(XLA)
    x = VALUE[:, :3].copy()
    process = psutil.Process()

    def after(calls):
        for _ in range(calls):
            f(x)
        gc.collect()
        w.get_value()
        return process.memory_info().rss

    first = after(2000)
    assert after(10_000) - first < 4 * 2**20
