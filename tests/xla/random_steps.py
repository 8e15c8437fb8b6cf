"""The steps of random graphs: each takes terms of a Draw and gives a variable, or raises."""

import numpy as np
import theano
import theano.tensor as tt
from random_graphs import FLOATS, is_integer, step
from theano.ifelse import ifelse
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor import nlinalg, slinalg
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d


@step
def unary(d):
    v = d.any()
    functions = (
        lambda: -v, lambda: abs(v), lambda: v + 1, lambda: v * 2, lambda: tt.sqr(v),
        lambda: tt.clip(v, -1, 2), lambda: tt.nnet.relu(v), lambda: tt.minimum(v, 1),
        lambda: tt.isnan(v), lambda: ~v, lambda: v & 1, lambda: v ^ 3, v.conj,
        lambda: v.real, lambda: v.imag, lambda: tt.zeros_like(v), lambda: tt.ones_like(v),
        lambda: tt.cast(v, d.of("float64", "float32", "complex64")), lambda: tt.identity_like(v),
    )  # fmt: skip
    return d.of(*functions)()


@step(rounds=True)
def smooth(d):
    v = d.any()
    functions = (
        tt.tanh, tt.sin, tt.nnet.sigmoid, tt.nnet.softplus, tt.erf, tt.arctan, tt.nnet.hard_sigmoid,
        lambda v: tt.exp(tt.clip(v, -3, 3)), lambda v: tt.log1p(abs(v)), lambda v: v / 3,
        lambda v: tt.sqrt(abs(v)), lambda v: 1 / (1 + tt.sqr(v)), lambda v: v.norm(2),
        tt.sqrt, tt.log, lambda v: v**0.5, lambda v: 2 ** tt.clip(v, 0, 3),
    )  # fmt: skip
    return d.of(*functions)(v)


@step
def cut_off(d):
    v = d.sharp()
    functions = (
        tt.floor, tt.ceil, tt.round, tt.trunc, tt.sgn, lambda v: v > 0, lambda v: tt.eq(v, 1),
        lambda v: tt.cast(tt.clip(v, -9, 9), d.of("int8", "int32", "int64", "int16", "bool")),
        lambda v: tt.cast(abs(v) % 7, "uint8"), lambda v: v // 2, lambda v: v % 3, lambda v: 7 % v,
        lambda v: tt.round(v, mode="half_away_from_zero"),
    )  # fmt: skip
    return d.of(*functions)(v)


@step
def binary(d):
    v, w = d.any(), d.any()
    functions = (
        tt.add, tt.sub, tt.mul, tt.maximum, tt.minimum, tt.outer, tt.dot, tt.and_, tt.xor,
        lambda v, w: tt.join(0, v, w), lambda v, w: tt.concatenate([v, w], axis=-1),
        lambda v, w: tt.stack([v, w], axis=d.of(0, -1)), lambda v, w: tt.tensordot(v, w, axes=1),
        tt.batched_dot, lambda v, w: tt.alloc(v, 2, *w.shape),
        lambda v, w: v.reshape(w.shape, ndim=w.ndim), lambda v, w: tt.choose(v % 2, [w, w + 1]),
        tt.fill, lambda v, w: tt.set_subtensor(v[:], w),
    )  # fmt: skip
    return d.of(*functions)(v, w)


@step
def compared(d):
    v, w = d.sharp(), d.sharp()
    functions = (
        lambda: tt.switch(v > w, v, w), lambda: v < w, lambda: tt.neq(v, w), lambda: v // w,
        lambda: v % w, lambda: tt.switch(tt.eq(v, w), v, 0), lambda: tt.ge(v, w),
        lambda: tt.extra_ops.searchsorted(tt.sort(v), w),
    )  # fmt: skip
    return d.of(*functions)()


@step
def taken(d):
    v = d.any(1)
    return v[d.index(v)]


@step
def put(d):
    v = d.any(1)
    part = v[d.index(v)]
    fitting = [t.variable for t in d.terms if t.exact and t.variable.dtype == v.dtype]
    value = d.of(tt.ones_like(part) * 2, tt.cast(3, v.dtype), *fitting)
    return d.of(tt.set_subtensor, tt.inc_subtensor)(part, value)


@step
def formed(d):
    v = d.any()
    functions = (
        lambda: v.T, v.flatten, lambda: v.reshape(v.shape[::-1]), lambda: v.flatten(2),
        lambda: v.reshape((-1, 1)), lambda: tt.shape_padleft(v), lambda: tt.shape_padright(v),
        lambda: v.dimshuffle(*reversed(range(v.ndim)), "x"), lambda: tt.extra_ops.squeeze(v),
        lambda: tt.tile(v, [2] * v.ndim, ndim=v.ndim), lambda: tt.addbroadcast(v[:1], 0),
        lambda: tt.roll(v, d.of(1, -1, 4), axis=0), lambda: tt.diag(v), lambda: tt.tril(v),
        lambda: tt.extra_ops.repeat(v, 2, axis=d.axis(v)), lambda: tt.arange(v.shape[0]),
        lambda: tt.extra_ops.fill_diagonal(v, 3), lambda: tt.unbroadcast(v, 0), lambda: v[::-1],
        lambda: tt.split(v, [1, v.shape[0] - 1], 2, axis=0)[d.of(0, 1)], lambda: v.shape,
        lambda: tt.eye(v.shape[0], 3, d.of(0, 1, -1)), lambda: v.size,
        lambda: tt.extra_ops.to_one_hot(tt.cast(v, "int64") % 3, 3), lambda: tt.stack([*v.shape]),
        lambda: v.ravel()[: v.size // 2],
    )  # fmt: skip
    return d.of(*functions)()


@step
def reduced(d):
    v = d.any(1)
    axis, kept = d.of(d.axis(v), (0, v.ndim - 1) if v.ndim > 1 else 0), d.of(False, True)
    of = d.of(tt.sum, tt.max, tt.min, tt.prod, tt.any, tt.all)
    return of(v, axis=axis, keepdims=kept)


@step(rounds=True)
def averaged(d):
    v = d.any(1)
    axis = d.axis(v)
    # Of smaller integers Theano's Python code gives another dtype than it promises.
    wide = v if v.dtype in (*FLOATS, "complex64") else v.astype("int64")
    functions = (
        lambda: tt.mean(v, axis), lambda: tt.var(v, axis), lambda: tt.cumsum(wide, axis),
        lambda: tt.cumprod(wide, axis), lambda: tt.sum(v, axis, dtype="float64"),
        lambda: tt.nnet.softmax(v), lambda: tt.nnet.logsoftmax(v), lambda: tt.std(v, axis),
        lambda: tt.extra_ops.diff(v), lambda: tt.mean(v, axis, keepdims=True),
    )  # fmt: skip
    return d.of(*functions)()


@step
def ordered(d):
    v = d.sharp(1)
    axis = d.axis(v)
    functions = (
        lambda: tt.argmax(v, axis), lambda: tt.argmin(v, axis), lambda: tt.sort(v, axis),
        lambda: tt.argsort(v, axis, kind="stable"), lambda: tt.max_and_argmax(v, axis)[d.of(0, 1)],
        lambda: v.nonzero()[0], lambda: tt.extra_ops.bincount(tt.cast(abs(v) % 5, "int64")),
        lambda: tt.extra_ops.Unique()(v), lambda: tt.ptp(v, axis),
    )  # fmt: skip
    return d.of(*functions)()


@step
def chosen(d):
    condition, v = d.sharp(), d.any()
    w = d.any() if d.of(0, 1) else v + v
    if condition.dtype.startswith("complex"):
        condition = condition.real
    return ifelse(
        tt.gt(condition.sum(), 1), v, tt.patternbroadcast(w.astype(v.dtype), v.broadcastable)
    )


@step
def gradient(d):
    cost = d.real()
    d.exact = False
    leaves = [
        t.variable for t in d.terms if t.variable.owner is None and t.variable.dtype in FLOATS
    ]
    wanted = d.of(*leaves, *[s for s in d.shared if s.dtype in FLOATS])
    weights = tt.arange(1, cost.size + 1).reshape(cost.shape).astype(cost.dtype)
    return tt.grad((cost * weights).sum(), wanted, disconnected_inputs="ignore")


@step(rounds=True)
def looped(d):
    rows = d.real(1)
    row = tt.zeros_like(rows[0])
    other = d.real(0, 1)
    functions = (
        lambda x, h: tt.tanh(x + h), lambda x, h: x - h * 0.5, tt.maximum,
        lambda x, h: h + x.sum(), lambda x, h: tt.inc_subtensor(h[:1], 1) * x,
        lambda x, h: x * other.sum() * 0.1 + h,
    )  # fmt: skip
    chosen = d.of(*functions)

    def body(x, h):
        return tt.patternbroadcast(chosen(x, h).astype(row.dtype), row.broadcastable)

    steps = [t.variable for t in d.terms if is_integer(t.variable, 0)]
    count = d.of(3, 1, 2, *[tt.cast(abs(one) % 4 + 1, "int64") for one in steps])
    backwards, last = (
        d.of(False, True),
        d.of(slice(None), -1, slice(-2, None), slice(None, None, -1)),
    )
    first = tt.stack([row, row + 1])
    forms = (
        lambda: _scan(body, rows, row, go_backwards=backwards),
        lambda: _scan(lambda x: body(x, x), rows, None),
        lambda: _scan(
            lambda x, g, h: body(x, g) + h, rows, {"initial": first, "taps": [-2, -1]}
        ),
        lambda: _scan(
            lambda b, x: body(x, b), {"input": rows, "taps": [-1, 0]}, None, go_backwards=backwards
        ),
        lambda: _scan(lambda h: body(row + 1, h), None, row + 1, n_steps=count),
        lambda: _scan(
            lambda h: (body(row + 1, h) + 1, theano.scan_module.until(h.sum() > 2.3)),
            None, row, n_steps=8,
        ),
        lambda: sum(
            one.sum(axis=0)
            for one in _scan(
                lambda x, h, g: [body(x, h), g + h, x * 2], rows, [row, row, None],
                truncate_gradient=d.of(-1, 2),
            )
        ),
        lambda: _scan(
            lambda x, n: body(x, n[0] * row), rows, None, non_sequences=[other.dimshuffle("x")]
        ),
    )  # fmt: skip
    return d.of(*forms)()[last]


def _scan(body, sequences, outputs_info, **options):
    return theano.scan(body, sequences=sequences, outputs_info=outputs_info, **options)[0]


@step(rounds=True)
def looped_over_shared(d):
    own = d.of(*[s for s in d.shared if s.dtype in FLOATS and s not in d.updates])

    def body():
        new = tt.patternbroadcast((own * 0.5 + 1).astype(own.dtype), own.broadcastable)
        return own.sum(), {own: new}

    values, updates = theano.scan(body, n_steps=d.of(1, 3))
    d.updates.update(updates)
    return values


@step
def constant(d):
    source = np.random.RandomState(d.numbers[0])
    shape = d.of((), (3,), (3, 3), (1, 3), (0,), (70,), (70, 70))
    dtype = d.of("float32", "float64", "int64", "int8", "bool", "uint8")
    return tt.constant(source.randint(0, 4, shape).astype(dtype))


@step(rounds=True)
def matrices(d):
    v = d.real(2, 2)
    square = tt.dot(v, v.T) * 0.1 + 3 * tt.eye(v.shape[0], dtype=v.dtype)
    functions = (
        lambda: nlinalg.matrix_inverse(square), lambda: nlinalg.det(square),
        lambda: nlinalg.trace(v), lambda: slinalg.cholesky(square),
        lambda: slinalg.solve(square, v), lambda: slinalg.kron(v, v),
        lambda: nlinalg.svd(square, compute_uv=False),
        lambda: nlinalg.eigh(square)[0], lambda: slinalg.expm(square * 0.1),
    )  # fmt: skip
    return d.of(*functions)()


@step(rounds=True)
def layers(d):
    v, w = d.real(2, 2), d.real(2, 2)
    image = v.dimshuffle("x", "x", 0, 1)
    labels = tt.cast(abs(w[:, 0]) % 2, "int64")
    functions = (
        lambda: pool_2d(image, (2, 2), ignore_border=d.of(True, False), mode=d.of("max", "sum"))[0],
        lambda: tt.nnet.categorical_crossentropy(tt.nnet.softmax(v), labels),
        lambda: tt.nnet.binary_crossentropy(tt.nnet.sigmoid(v), w > 0),
        lambda: tt.nnet.elu(v), lambda: tt.nnet.confusion_matrix(labels, labels)[0],
        lambda: tt.nnet.neighbours.images2neibs(image, (2, 2), mode="ignore_borders"),
    )  # fmt: skip
    return d.of(*functions)()


@step
def drawn(d):
    size = d.of((3,), (2, 3), (), d.any().shape)
    ndim = None if isinstance(size, tuple) else d.terms[-1].variable.ndim
    source = d.of(MRG_RandomStreams, RandomStreams)(d.numbers[0] + 1)
    d.exact = False
    return d.of(
        lambda: source.uniform(size, ndim=ndim), lambda: source.normal(size, ndim=ndim),
        lambda: source.binomial(size, p=0.5, ndim=ndim),
    )()  # fmt: skip


@step(rounds=True)
def derived_twice(d):
    x = d.real(1, 1)
    y = d.of(tt.tanh, tt.sqr, lambda x: x[::-1] * x, lambda x: tt.cumsum(x) * x.sum())(x)
    functions = (
        lambda: theano.gradient.jacobian(y, x), lambda: theano.gradient.hessian(y.sum(), x),
        lambda: tt.Rop(y, x, x + 1), lambda: tt.Lop(y, x, x - 1),
    )  # fmt: skip
    return d.of(*functions)()


@step(rounds=True)
def nested(d):
    m = d.real(2, 2)

    def outer(row, total):
        inner = _scan(lambda a, b: a * 0.5 + b, row, tt.zeros((), m.dtype))
        kept = ifelse(tt.gt(row.sum(), 0.1234), inner, inner * 2)
        return (total + kept[-1]).astype(m.dtype)

    return _scan(outer, m, tt.zeros((), m.dtype), go_backwards=d.of(False, True))
