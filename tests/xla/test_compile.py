"""When a cluster is compiled, when it is left to the host, and what a user is told."""

import logging

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare, same
from theano import Constant, Op

from theano_colab.xla import compile as programs
from theano_colab.xla import device, folding, signatures
from theano_colab.xla.types import shared_constructor


def counts(function):
    (cluster,) = clusters(function)
    return cluster.program.counts


def test_once_for_each_shape():
    x = tt.fmatrix()
    f = theano.function([x], tt.tanh(x) * 2, mode=XLA)
    for rows in (2, 3, 2, 2, 3, 0, 0):
        same(f(np.ones((rows, 2), "f")), np.full((rows, 2), 2 * np.tanh(1), "f"))
    assert (counts(f).compiled, counts(f).on_host) == (3, 0)


def test_a_storm_of_shapes_ends_on_the_host(monkeypatch):
    monkeypatch.setattr(signatures, "AT_ONCE", 3)
    monkeypatch.setattr(signatures, "LIMIT", 3)
    x = tt.fvector()
    f = theano.function([x], x * 2, mode=XLA)
    for size in (1, 2, 3, 4, 5, 4, 1, 2):
        same(f(np.ones(size, "f")), np.full(size, 2, "f"))
    assert (counts(f).compiled, counts(f).on_host) == (3, 3)
    assert counts(f).reasons == ["3 signatures were compiled"]


def test_after_many_shapes_one_is_compiled_when_the_host_has_taken_as_long(monkeypatch):
    monkeypatch.setattr(signatures, "AT_ONCE", 2)
    x = tt.fvector()
    f = theano.function([x], x * 2, mode=XLA)
    (cluster,) = clusters(f)

    def calls(*sizes):
        for size in sizes:
            same(f(np.ones(size, "f")), np.full(size, 2, "f"))
        return counts(f).compiled, counts(f).on_host

    assert calls(1, 2) == (2, 0)
    assert cluster.program._signatures.compile_seconds > 0
    cluster.program._signatures.compile_seconds = 2e9
    assert calls(3, 3, 1, 3, 4) == (2, 4)
    cluster.program._signatures.compile_seconds = -2e9  # whatever the host took, it took longer
    assert calls(3, 4, 3, 4, 5) == (4, 5)
    assert "new after 2 other signatures" in counts(f).reasons[0]
    with theano.change_flags(deterministic="more"):
        assert calls(6) == (5, 5)


def test_what_the_host_has_spent_is_remembered_of_the_last_ones(monkeypatch):
    monkeypatch.setattr(signatures, "AT_ONCE", 1)
    monkeypatch.setattr(signatures, "REMEMBERED", 2)
    ledger = signatures.Signatures()
    ledger.compiled("a")
    ledger.compile_seconds = 1.0
    for one in "bcbd":  # c came longest ago
        ledger.spend(one, 0.5)
    ledger.spend("c", 0.5)
    assert ledger.why_on_host("c")
    ledger.spend("c", 0.5)
    assert ledger.why_on_host("c") is None


def test_what_a_lowering_cannot_do_is_said_and_done_on_the_host(monkeypatch, caplog):
    def broken(trace, node, *args):
        raise NotImplementedError("not today")

    lowering = programs.Trace._apply.__globals__["registry"]._lowerings
    kept = lowering[tt.Dot]
    monkeypatch.setitem(lowering, tt.Dot, type(kept)(broken, kept.static, kept.accepts))
    x = tt.fmatrix()
    f = theano.function([x], tt.dot(x, x), mode=XLA.excluding("BlasOpt"))
    with caplog.at_level(logging.WARNING, logger="theano_colab.xla"):
        for _ in range(2):
            same(f(np.ones((2, 2), "f")), np.full((2, 2), 2, "f"))
    assert [one.getMessage() for one in caplog.records] == [
        "On the host instead of xla: NotImplementedError: not today"
    ]
    assert counts(f).on_host == 2


def test_a_wrong_call_is_theanos_error_and_the_next_one_runs(caplog):
    x, y = tt.fmatrix(), tt.fmatrix()
    f = theano.function([x, y], tt.dot(x, y), mode=XLA)
    wanted = r"(?s)not aligned.*Apply node.*Dot22.*Apply node"
    with pytest.raises(ValueError, match=wanted) as raised:
        f(np.ones((2, 3), "f"), np.ones((2, 3), "f"))
    assert not caplog.records
    # Python shows the whole chain: Theano's own errors, and no word of why XLA could not.
    chain = [raised.value]
    while chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    assert {type(one) for one in chain} == {ValueError}
    same(f(np.ones((2, 3), "f"), np.ones((3, 1), "f")), np.full((2, 1), 3, "f"))
    assert counts(f).on_host == 1


def test_out_of_memory():
    a = shared_constructor(np.ones(2, "f"))
    n = tt.lscalar()
    f = theano.function([n], tt.alloc(a[0], n, n) * 2, updates=[(a, a + 1)], mode=XLA)
    with pytest.raises(MemoryError, match=r"\d"):
        f(10**7)
    same(a.get_value(), np.ones(2, "f"))
    same(f(1), np.full((1, 1), 2, "f"))


def test_jax_is_left_as_it_was():
    import jax

    x = tt.dvector()
    theano.function([x], x * 2, mode=XLA)(np.ones(2))
    assert jax.numpy.ones(2).dtype == "float32"
    with device.x64():
        assert jax.numpy.ones(2, "float64").dtype == "float64"
    assert not jax.config.jax_enable_x64


def test_what_only_counts_stays_on_the_host():
    n = tt.lscalar()
    count = theano.shared(0)
    f = theano.function([n], n * 2 + 1, updates=[(count, count + 1)], mode=XLA)
    assert not clusters(f)
    assert f(3) == 7


def test_large_constants_lie_on_the_device():
    large = np.random.default_rng(1).normal(size=(100, 100)).astype("f")
    x = tt.fmatrix()
    f = theano.function([x], tt.dot(x, large) + tt.constant(1, dtype="float32"), mode=XLA)
    same(f(np.eye(100, dtype="f")), large + 1)
    (cluster,) = clusters(f)
    assert all(one.size < 100 for one in _constants(cluster))


def _constants(cluster):
    for node in cluster.nodes:
        for one in node.inputs:
            if isinstance(one, theano.Constant):
                yield np.asarray(one.data)


@pytest.mark.parametrize("on_cpu", [True, False])
def test_an_argument_may_be_written_at_once(on_cpu, monkeypatch):
    x = tt.fmatrix()
    total = shared_constructor(np.zeros((1, 1), "f"))
    cost = tt.dot(tt.dot(tt.sin(x), tt.cos(x)), x).sum(keepdims=True)
    f = theano.function([x], [], updates=[(total, total + cost)], mode=XLA)
    f(np.zeros((1, 1), "f"))
    (cluster,) = clusters(f)
    # As it would be with another device: the copy alone has to do.
    monkeypatch.setattr(cluster.program, "_on_cpu", on_cpu)
    value = np.ones((1000, 1000), "f")
    f(value)
    expected = total.get_value()
    total.set_value(np.zeros((1, 1), "f"))
    f(value)
    value[:] = 5
    same(total.get_value(), expected)


def test_constants_are_folded_without_a_compiler(monkeypatch):
    folding.enable()
    compiled, make = [], Op.make_c_thunk

    def record(op, node, *rest):
        compiled.append(node)
        return make(op, node, *rest)

    monkeypatch.setattr(Op, "make_c_thunk", record)
    x, two = tt.fmatrix(), tt.constant(np.float32([1, 2]))
    constants = [
        tt.alloc(two[1], 3, 2),
        two.dimshuffle("x", 0) * 3,
        tt.exp(two),
        tt.join(0, two[:1], two[1:]).reshape((1, 2)),
        tt.stack([two[1], two[0]]),
        tt.cast(two.shape[0] * two.size, "float32"),
    ]
    compare([x], [x + one for one in constants], (np.ones((3, 2), "f"),))
    assert not [node for node in compiled if all(isinstance(one, Constant) for one in node.inputs)]
