"""IfElse, OpFromGraph and random streams on XLA; what stays beside a cluster on the host."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, clusters, compare, host_nodes, run, same
from theano.compile.builders import OpFromGraph
from theano.ifelse import IfElse, ifelse
from theano.scan_module import until
from theano.tensor.raw_random import RandomFunction
from theano.tensor.shared_randomstreams import RandomStreams

from theano_colab.xla.partition import LOOPS
from theano_colab.xla.types import shared_constructor

X = np.arange(6, dtype="float32").reshape(2, 3)


class Counted(theano.Op):
    """The identity, on the host alone, which counts its calls."""

    __props__ = ()
    calls = 0

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        type(self).calls += 1
        outputs[0][0] = inputs[0].copy()


def test_a_branch_that_data_chooses():
    x, y = tt.fmatrix(), tt.fmatrix()
    out = ifelse(tt.gt(x.sum(), y.sum()), x * 2 + y, x - y)
    calls = [(X, X + 1), (X + 1, X)]
    compare([x, y], [out, *tt.grad((out**2).sum(), [x, y])], *calls)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_a_branch_that_an_argument_chooses(dtype):
    c, x = tt.scalar(dtype=dtype), tt.fmatrix()
    compare([c, x], ifelse(c, x * 2, x + 1), *[(np.dtype(dtype).type(k), X) for k in (0, 1, -1)])


def test_branches_of_several_dtypes_and_patterns():
    c, x, row = tt.iscalar(), tt.fmatrix(), tt.frow()
    outputs = ifelse(c, [x, row * 2, tt.cast(x, "int32")], [x + 1, row, tt.cast(x * 2, "int32")])
    compare([c, x, row], outputs, (np.int32(0), X, X[:1]), (np.int32(1), X, X[:1]))


def test_a_branch_that_a_shape_chooses_may_have_another():
    x = tt.fmatrix()
    compare([x], ifelse(x.shape[0] > 1, x * 2, x[:, 1:]), (X,), (X[:1],))


def test_branches_of_other_shapes_run_on_the_host(caplog):
    c, x = tt.iscalar(), tt.fmatrix()
    out = ifelse(tt.gt(x.sum(), c), x * 2, x[:1] - 1)
    compare([c, x], out, (np.int32(0), X), (np.int32(99), X), replays=2)


def test_choices_inside_choices():
    a, b, x = tt.iscalar(), tt.iscalar(), tt.fmatrix()
    out = ifelse(a, ifelse(b, x * 2, x * 3), ifelse(b, x * 5, x * 7))
    compare([a, b, x], out, *[(np.int32(i), np.int32(j), X) for i in (0, 1) for j in (0, 1)])


def test_a_bad_index_in_the_branch_that_is_taken_alone():
    c, k, x = tt.iscalar(), tt.lscalar(), tt.fmatrix()
    out = ifelse(tt.gt(c + x.sum(), 0), (x * 2)[k], x[0])
    compare(
        [c, k, x], out, (np.int32(1), 1, X), (np.int32(-99), 9, X), (np.int32(1), 9, X), replays=2
    )


def test_a_branch_of_the_host_stays_lazy():
    c, x = tt.iscalar(), tt.fmatrix()
    out = ifelse(c, Counted()(x * 2) + 1, x - 1) * 3
    f = theano.function([c, x], out, mode=XLA)
    assert any(isinstance(op, IfElse) for op in host_nodes(f))
    Counted.calls = 0
    same(f(0, X), (X - 1) * 3)
    assert Counted.calls == 0
    same(f(1, X), (X * 2 + 1) * 3)
    assert Counted.calls == 1


def test_a_branch_reads_a_shared_variable_on_the_device():
    c, x, s = tt.iscalar(), tt.fmatrix(), shared_constructor(X + 5)
    compare([c, x], ifelse(c, x * 2, x + s), (np.int32(0), X), (np.int32(1), X))


def test_a_branch_that_is_ready_before_the_other():
    """The product needs nothing of the host, the sum does: the choice waits for both."""
    c, x = tt.iscalar(), tt.fmatrix()
    y = Counted()(x * 3)
    outputs = [y, ifelse(c, y + 1, ifelse(tt.gt(c, -2), x * 2, x * 4))]
    calls = [(np.int32(k), X) for k in (1, 0, -9)]
    f = compare([c, x], outputs, *calls, host=(Counted,))
    assert len(clusters(f)) == 2


def test_a_branch_inside_a_cluster_stays_lazy():
    """The other branch would not end: it is a loop until something that is never so."""
    limit, x = tt.fscalar(), tt.fvector()
    h, _ = theano.scan(
        lambda h: (tt.tanh(h), until(h.sum() > limit)), outputs_info=x, n_steps=2**31 - 1
    )
    f = theano.function([limit, x], ifelse(limit < 9, h[-1], x * 2), mode=XLA.including(LOOPS))
    assert not host_nodes(f)
    same(f(np.inf, X[0]), X[0] * 2)
    same(f(-1, X[0]), np.tanh(X[0]))


def test_a_graph_as_an_op_and_its_gradient():
    x, y = tt.fmatrix(), tt.fmatrix()
    op = OpFromGraph([x, y], [tt.tanh(x) * y, (x + y).sum(axis=0)])
    a, b = op(x, y * 2)
    compare([x, y], [a, b, *tt.grad(a.sum() + (b**2).sum(), [x, y])], (X, X + 1))


def test_a_graph_as_an_op_whose_number_decides_a_shape():
    x, n = tt.fmatrix(), tt.lscalar()
    op = OpFromGraph([x, n], [tt.zeros((n, 2)) + x.sum(), x[0]])
    compare([x, n], op(x, n), (X, 2), (X, 3))


def test_random_streams_draw_as_in_c_beside_clusters():
    x = tt.fmatrix()
    functions = []
    for mode in (C, XLA):
        draw = RandomStreams(7)
        drawn = draw.normal((2, 3)), draw.uniform((2, 3))
        functions.append(theano.function([x], [*drawn, drawn[0] * x + drawn[1]], mode=mode))
    for _ in range(3):
        expected, got = (run(one, (X,)) for one in functions)
        for one, other in zip(got[:2], expected[:2], strict=True):
            np.testing.assert_array_equal(one, other)
        same(got[2], expected[2])
    assert all(isinstance(op, RandomFunction) for op in host_nodes(functions[1]))
    assert clusters(functions[1])


def test_a_print_stays_on_the_host(capsys):
    x = tt.fmatrix()
    f = theano.function([x], theano.printing.Print("here")(x * 2) + 1, mode=XLA)
    same(f(X), X * 2 + 1)
    assert "here" in capsys.readouterr().out
    assert len(host_nodes(f)) == 1
