"""Scan on XLA: values and gradients of every kind of recurrence, and what stays on the host."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, clusters, compare, host_nodes, run, same
from theano.compile.monitormode import MonitorMode
from theano.gof import PureOp, Query
from theano.scan_module.scan_op import Scan
from theano.tensor.shared_randomstreams import RandomStreams

from theano_colab.xla.partition import LOOPS
from theano_colab.xla.types import shared_constructor

PLAIN = list(theano.shared.constructors)
LOOPING = (C, XLA.including(LOOPS))


def random(*shape, dtype="float32", seed=3):
    source = np.random.RandomState(seed + sum(shape))
    if dtype.startswith("int"):
        return source.randint(-3, 4, shape).astype(dtype)
    return source.uniform(-1, 1, shape).astype(dtype)


def tensor3(dtype):
    return tt.TensorType(dtype, (False,) * 3)()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_rnn_and_its_gradient(dtype):
    x, h0, w = tensor3(dtype), tt.matrix(dtype=dtype), tt.matrix(dtype=dtype)
    h, _ = theano.scan(lambda x_t, h: tt.tanh(x_t + tt.dot(h, w)), sequences=x, outputs_info=h0)
    calls = [
        (random(n, 3, 4, dtype=dtype), random(3, 4, dtype=dtype), random(4, 4, dtype=dtype))
        for n in (1, 2, 7)
    ]
    compare([x, h0, w], [h, *tt.grad((h**2).sum(), [x, h0, w])], *calls)
    compare([x, h0, w], [h[-1], *tt.grad((h[-1] ** 2).sum(), [x, h0, w])], *calls)


def test_a_mode_that_watches_the_steps_sees_them():
    seen = []
    watching = MonitorMode(post_func=lambda i, node, fn: seen.append(fn.outputs[0][0].max()))
    v = tt.fvector()
    h, _ = theano.scan(lambda h: h * v, outputs_info=v, n_steps=2, mode=watching)
    f = theano.function([v], h, mode=XLA)
    same(f(np.full(2, 3, "f")), np.array([[9, 9], [27, 27]], "f"))
    assert seen == [9, 27]


def test_no_step_at_all_is_an_error_as_in_c():
    x, h0 = tt.fmatrix(), tt.fvector()
    h, _ = theano.scan(lambda x_t, h: x_t + h, sequences=x, outputs_info=h0)
    wrong = (random(0, 3), random(3))
    compare([x, h0], [h], (random(2, 3), random(3)), wrong, replays=1)


def test_more_steps_than_rows_is_an_error_as_in_c():
    x, n = tt.fmatrix(), tt.iscalar()
    h, _ = theano.scan(
        lambda x_t, h: x_t + h, sequences=x, outputs_info=tt.zeros((3,), "float32"), n_steps=n
    )
    compare([x, n], [h[-1]], *[(random(5, 3), k) for k in (5, 2, 6)], replays=1)


def test_steps_that_only_a_value_tells_compile_once():
    x, n = tt.fvector(), tt.lscalar()
    h, _ = theano.scan(lambda h: h * x + 1, outputs_info=tt.ones_like(x), n_steps=n)
    tail, _ = theano.scan(
        lambda a, b: a + b * x,
        outputs_info=[{"initial": tt.stack([x, x + 1]), "taps": [-2, -1]}],
        n_steps=n,
    )
    calls = [(random(3), k) for k in (1, 2, 9, 4)] + [(random(3), 0), (random(3), -1)]
    f = compare([x, n], [h[-1], tail[-1]], *calls, replays=2)
    # One for every number of steps, one for none at all.
    assert [one.program.counts.compiled for one in clusters(f)] == [2]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_every_kind_of_state(dtype):
    """Sequences with taps, mit-sot, sit-sot, nit-sot, a shared variable, non-sequences."""
    x, a0, b0, w = (
        tt.matrix(dtype=dtype),
        tt.matrix(dtype=dtype),
        tt.vector(dtype=dtype),
        tt.vector(dtype=dtype),
    )

    def step(*args):
        x_tm1, x_tp1, a_tm3, a_tm1, b_tm1, w = args
        a = x_tm1 * 2 - a_tm3 + a_tm1 * w
        b = b_tm1 * x_tp1 - a_tm1
        return a, b, (a * b).sum(), x_tp1 - b_tm1

    outputs, _ = theano.scan(
        step,
        sequences={"input": x, "taps": [-1, 1]},
        outputs_info=[{"initial": a0, "taps": [-3, -1]}, b0, None, None],
        non_sequences=w,
    )
    calls = [
        (
            random(n, 4, dtype=dtype),
            random(3, 4, dtype=dtype),
            random(4, dtype=dtype),
            random(4, dtype=dtype),
        )
        for n in (3, 4, 9)
    ]
    wanted = [*outputs, *[one[-1] for one in outputs]]
    if dtype.startswith("float"):
        wanted += tt.grad(sum((one**2).sum() for one in outputs), [x, a0, b0, w])
    compare([x, a0, b0, w], wanted, *calls)


def test_only_the_last_values_are_kept():
    """Buffers shorter than the number of steps, of states with and without a memory."""
    x, h0 = tt.fmatrix(), tt.fmatrix()
    (a, b, y), _ = theano.scan(
        lambda x_t, a2, a1, b: (a2 + a1 * x_t, b * x_t, a1 - b),
        sequences=x,
        outputs_info=[{"initial": h0, "taps": [-2, -1]}, h0[0], None],
    )
    calls = [(random(n, 3), random(2, 3)) for n in (1, 2, 3, 7)]
    compare([x, h0], [a[-1], b[-1], y[-1]], *calls)
    compare([x, h0], [a[-3:], b[-4:], y[-2:]], *calls[2:])
    compare([x, h0], [a[-2], b[-2], y[-3]], *calls[2:])
    compare([x, h0], [a[1], b[:2], y[-1]], *calls[2:])


def test_products_with_the_hessian():
    x, h0, w, v = tt.fmatrix(), tt.fvector(), tt.fmatrix(), tt.fmatrix()
    h, _ = theano.scan(lambda x_t, h: tt.tanh(x_t + tt.dot(h, w)), sequences=x, outputs_info=h0)
    g = tt.grad((h**3).sum(), w)
    calls = [tuple(random(*shape) for shape in ((n, 3), (3,), (3, 3), (3, 3))) for n in (1, 2, 6)]
    compare([x, h0, w, v], [tt.grad((g * v).sum(), w), tt.Rop(h, w, v)], *calls, rtol=1e-5)


def test_a_hessian():
    x = tt.dvector()
    compare([x], theano.gradient.hessian((x**3).sum() * x[0], x), (random(4, dtype="float64"),))


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_truncated_gradients(steps):
    x, h0, w = tt.fmatrix(), tt.fvector(), tt.fvector()
    h, _ = theano.scan(
        lambda x_t, h: tt.tanh(x_t + h * w), sequences=x, outputs_info=h0, truncate_gradient=steps
    )
    compare(
        [x, h0, w],
        tt.grad((h**2).sum(), [x, w]),
        *[(random(n, 3), random(3), random(3)) for n in (5, 8)],
    )


def test_backwards():
    x, h0 = tt.fmatrix(), tt.fvector()
    h, _ = theano.scan(lambda x_t, h: x_t - h, sequences=x, outputs_info=h0, go_backwards=True)
    compare([x, h0], [h, tt.grad(h[-1].sum(), x)], (random(5, 3), random(3)))


def test_vectors_whose_rows_are_numbers():
    x, h0 = tt.fvector(), tt.fscalar()
    h, _ = theano.scan(lambda x_t, h: x_t * h + 1, sequences=x, outputs_info=h0)
    compare(
        [x, h0],
        [h, h[-1], *tt.grad(h[-1], [x, h0])],
        *[(random(n), np.float32(0.5)) for n in (1, 6)],
    )


def test_map_reduce_and_folds():
    x = tt.fvector()
    outputs = [
        theano.map(lambda a: a**2, x)[0],
        theano.reduce(lambda a, b: a + 2 * b, x, tt.zeros((), "float32"))[0],
        theano.foldl(lambda a, b: a - b, x, tt.zeros((), "float32"))[0],
        theano.foldr(lambda a, b: a - b, x, tt.zeros((), "float32"))[0],
    ]
    compare([x], outputs, (random(1),), (random(6),))


def test_scans_inside_scans():
    x, w = tt.fmatrix(), tt.fvector()

    def row(x_t, w):
        inner, _ = theano.scan(
            lambda a, s: s * w[0] + a, sequences=x_t, outputs_info=tt.zeros((), "float32")
        )
        return inner[-1] * w

    y, _ = theano.scan(row, sequences=x, non_sequences=w)
    compare(
        [x, w],
        [y, *tt.grad((y**2).sum(), [x, w])],
        (random(3, 4), random(2)),
        (random(1, 2), random(2)),
    )


def test_until_keeps_the_last_value():
    x, limit = tt.fvector(), tt.fscalar()

    def step(h, a):
        return (h * 2, a + h.sum()), theano.scan_module.until(h.sum() > limit)

    (h, a), _ = theano.scan(step, outputs_info=[x, tt.zeros((), "float32")], n_steps=50)
    calls = [(np.abs(random(3)), np.float32(limit)) for limit in (0, 5, 1000, np.inf)]
    compare([x, limit], [h[-1], a[-1]], *calls, rtol=1e-5, modes=LOOPING)
    compare([x, limit], a[-1] * 2, *calls, rtol=1e-5, modes=LOOPING)


def test_until_with_a_longer_memory_or_none():
    x, limit = tt.fvector(), tt.fscalar()
    (h, y), _ = theano.scan(
        lambda x_t, a, b: ((a + b, x_t - a), theano.scan_module.until(x_t + b > limit)),
        sequences=x,
        outputs_info=[{"initial": x[:2], "taps": [-2, -1]}, None],
    )
    calls = [(np.arange(9, dtype="f"), np.float32(limit)) for limit in (0, 5, 12, np.inf)]
    compare([x, limit], [h[-1], y[-1]], *calls, modes=LOOPING)
    compare([x, limit], y[-1], *calls, modes=LOOPING)


def test_until_with_all_values_is_the_hosts():
    limit = tt.fscalar()
    h, _ = theano.scan(
        lambda h: (h * 2, theano.scan_module.until(h > limit)),
        outputs_info=tt.ones((), "float32"),
        n_steps=50,
    )
    f = compare(
        [limit], [h, h.sum()], (np.float32(100),), (np.float32(0),), host=(PureOp,), modes=LOOPING
    )
    assert any(isinstance(op, Scan) for op in host_nodes(f))


def test_shared_variables_in_scans_inside_scans(monkeypatch):
    """Read in the inner one alone: on its way there a value is not moved back and forth."""
    x = tt.fmatrix()
    functions = []
    for mode, constructors in ((C, []), (XLA, [shared_constructor])):
        monkeypatch.setattr(theano.shared, "constructors", [*PLAIN, *constructors])
        w = theano.shared(random(2, 3))

        def row(x_t, w=w):
            return theano.scan(lambda k: (w[k] * x_t).sum(), sequences=tt.arange(2))[0]

        y, _ = theano.scan(row, sequences=x)
        functions.append(theano.function([x], [y, tt.grad((y**2).sum(), w)], mode=mode))
    for expected, got in zip(*(run(one, (random(4, 3),)) for one in functions), strict=True):
        same(got, expected)
    assert not host_nodes(functions[1])


def test_a_scan_on_the_host_has_no_clusters_inside():
    x = tt.fvector()
    draw = RandomStreams(5)
    h, updates = theano.scan(
        lambda h: h * draw.uniform((3,), dtype="float32") + 1, outputs_info=x, n_steps=5, mode=XLA
    )
    functions = [theano.function([x], h, updates=updates, mode=mode) for mode in LOOPING]
    scans = [
        [node.op for node in one.maker.fgraph.toposort() if isinstance(node.op, Scan)]
        for one in functions
    ]
    assert [len(clusters(ops[0].fn)) for ops in scans] == [1, 0]


def test_shared_variables_that_steps_update():
    count = [theano.shared(np.float32(1)) for _ in range(2)]
    x = tt.fvector()
    functions = []
    for shared, mode in zip(count, (C, XLA), strict=True):
        h, updates = theano.scan(
            lambda x_t, shared=shared: (x_t * shared, {shared: shared * 2 + x_t}), sequences=x
        )
        functions.append(theano.function([x], h, updates=updates, mode=mode))
    for n in (2, 5, 2, 1):
        expected, got = (run(one, (random(n),)) for one in functions)
        same(got, expected)
        same(count[1].get_value(), count[0].get_value())
    assert not host_nodes(functions[1])


def test_bad_indices_inside_a_step():
    x, where = tt.fmatrix(), tt.lvector()
    y, _ = theano.scan(lambda k: x[k] * 2, sequences=where)
    z, _ = theano.scan(
        lambda k, s: s + x[k, 0], sequences=where, outputs_info=tt.zeros((), "float32")
    )
    good, bad = (random(3, 2), np.array([0, 2, -3])), (random(3, 2), np.array([0, 3, 1]))
    compare([x, where], [y, z], good, bad, good, replays=1)


def test_rows_of_one_column_stay_so():
    x, h0 = tt.fmatrix(), tt.frow()
    h, _ = theano.scan(lambda x_t, h: h + x_t.sum(), sequences=x, outputs_info=h0)
    compare([x, h0], [h, *tt.grad(h.sum(), [x, h0])], (random(4, 2), random(1, 3)))


def test_inner_graphs_are_as_stable_as_in_c():
    x = tt.fvector()
    y, _ = theano.scan(
        lambda h: tt.log(1 + tt.exp(h)) + tt.log(tt.nnet.sigmoid(-h)), outputs_info=x, n_steps=2
    )
    compare([x], y, (np.array([-200, -20, 0, 20, 200], "f"),))


def test_a_mode_of_an_old_pickle():
    x = tt.fvector()
    mode = theano.compile.Mode("cvm", Query(["fast_run"], position_cutoff=None))
    y, _ = theano.scan(lambda x_t, y: x_t + y**2, x, tt.zeros((), "float32"), mode=mode)
    compare([x], y, (random(4),))


def test_a_gradient_that_the_shapes_alone_decide():
    x = tt.dvector()
    sums, _ = theano.scan(lambda x_t, total: total + x_t, x, tt.zeros(()))
    compare([x], tt.grad(sums[-1], x), (np.arange(5.0),), (np.arange(3.0),))
