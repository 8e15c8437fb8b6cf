"""Writes python2.zip, by Python 2.7 with Theano 0.8.2 and NumPy 1.16.6 (flags: cxx=,floatX=float64).

The pickles are as scripts of that time wrote them; beside each stands what it must give.
"""

# Python 2's own style and names, and expressions that are text.
# ruff: noqa: E501, F401, I001, ICN001, N803, N806, N812, UP004

import cPickle
import io
import sys
import zipfile

import numpy
import theano
import theano.ifelse
import theano.tensor as T
import theano.tensor.nlinalg
import theano.tensor.nnet.bn
import theano.tensor.nnet.neighbours
import theano.tensor.slinalg
from theano.misc import pkl_utils
from theano.tensor.shared_randomstreams import RandomStreams
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.signal import downsample

EXPRESSIONS = {
    "abs": "abs(x)",
    "adv": "x[T.arange(4), i]",
    "adv1": "x[i]",
    "all": "T.all(x < 9)",
    "alloc": "T.alloc(v, 2, 3)",
    "any": "T.any(x > 9)",
    "arange": "T.arange(i.sum())",
    "argmax": "T.argmax(x, axis=1)",
    "argmax-all": "T.argmax(x)",
    "argsort": "T.argsort(x, axis=1)",
    "as_op": "T.argmin(x, axis=0)",
    "batched": "T.batched_dot(t4[:, 0], t4[:, 1])",
    "binary": "T.nnet.binary_crossentropy(T.nnet.sigmoid(x), abs(x) < 1)",
    "bincount": "T.extra_ops.bincount(i)",
    "bn": "T.nnet.bn.batch_normalization(x, v, v, v, abs(v) + 1)",
    "cast": "T.cast(x, 'int32')",
    "chol": "T.slinalg.cholesky(T.dot(x.T, x))",
    "clip": "T.clip(x, -1, 1)",
    "clone": "theano.clone(x * 2)",
    "conv-grad": "T.grad((T.nnet.conv2d(t4, t4[:, :, :3, :3]) ** 2).sum(), t4)",
    "conv2d": "T.nnet.conv2d(t4, t4[:, :, :3, :3])",
    "cross": "T.nnet.categorical_crossentropy(T.nnet.softmax(x), i[:4] * 0)",
    "cumprod": "T.extra_ops.cumprod(x)",
    "cumsum": "T.cumsum(x, axis=1)",
    "det": "T.nlinalg.det(T.dot(x.T, x))",
    "diag": "T.diag(T.dot(x, x.T))",
    "diagv": "T.diag(v)",
    "diff": "T.extra_ops.diff(x)",
    "dimshuffle": "x.dimshuffle(1, 'x', 0)",
    "dot": "T.dot(x, v)",
    "dotT": "T.dot(x, x.T)",
    "eigh": "T.nlinalg.eigh(T.dot(x.T, x))[0]",
    "elu": "T.nnet.elu(x) if hasattr(T.nnet, 'elu') else x",
    "eq": "T.eq(x, x)",
    "erf": "T.erf(x)",
    "eye": "T.eye(3) + v",
    "fill": "T.fill_diagonal(T.dot(x, x.T), 0)",
    "flatten": "x.flatten()",
    "flatten2": "t4.flatten(2)",
    "foldl": "theano.foldl(lambda r, s: r + s, x, T.zeros_like(v))[0]",
    "gammaln": "T.gammaln(abs(x))",
    "gradclip": "T.grad((theano.gradient.grad_clip(x, -0.1, 0.1) ** 2).sum(), x)",
    "hard": "T.nnet.hard_sigmoid(x)",
    "ifelse": "theano.ifelse.ifelse(T.gt(v.sum(), 0), v, -v)",
    "inc": "T.inc_subtensor(x[1:], 1.0)",
    "intdiv": "x // 2",
    "inv": "T.nlinalg.matrix_inverse(T.dot(x.T, x))",
    "inverse_permutation": "T.inverse_permutation(T.arange(3))",
    "isnan": "T.isnan(x)",
    "join": "T.concatenate([x, x], axis=1)",
    "kron": "T.slinalg.kron(x, x)",
    "logsoftmax": "T.nnet.logsoftmax(x)",
    "logsumexp": "T.log(T.sum(T.exp(x), axis=1))",
    "lt": "T.lt(x, 0)",
    "map": "theano.map(lambda r: r.sum(), x)[0]",
    "max": "T.max(x, axis=0)",
    "max2": "T.maximum(x, 0)",
    "maxall": "x.max()",
    "mean": "x.mean()",
    "meanaxis": "x.mean(axis=0, keepdims=True)",
    "mgrid": "T.mgrid[0:2, 0:2][0]",
    "min": "x.min()",
    "mod": "x % 2",
    "neibs": "T.nnet.neighbours.images2neibs(t4, (2, 2))",
    "nonzero": "T.nonzero(x > 0)[0]",
    "norm": "x.norm(2)",
    "oldconv": "T.nnet.conv.conv2d(t4, t4[:, :, :3, :3])",
    "onehot": "T.extra_ops.to_one_hot(i, 3)",
    "patternbroadcast": "T.addbroadcast(x[:1], 0) + x",
    "pool": "downsample.max_pool_2d(t4, (2, 2), ignore_border=True)",
    "pool-avg": "downsample.max_pool_2d(t4, (2, 2), ignore_border=True, mode='average_inc_pad')",
    "pool-grad": "T.grad((downsample.max_pool_2d(t4, (2, 2), ignore_border=True) ** 2).sum(), t4)",
    "pool-st": "downsample.max_pool_2d(t4, (3, 3), ignore_border=False, st=(2, 2))",
    "pow": "x ** 2.5",
    "prod": "x.prod(axis=1)",
    "range-slice": "x[i[0]:i[1]]",
    "relu": "T.nnet.relu(x)",
    "repeat": "T.repeat(x, 2, axis=0)",
    "reshape": "x.reshape((3, 4))",
    "roll": "T.roll(x, 1, axis=0)",
    "round": "T.round(x)",
    "set": "T.set_subtensor(x[i], 0.0)",
    "sgn": "T.sgn(x)",
    "shape": "x.shape",
    "shp_pad": "T.shape_padright(x)",
    "sigmoid": "T.nnet.sigmoid(x)",
    "softmax": "T.nnet.softmax(x)",
    "softplus": "T.nnet.softplus(x)",
    "solve": "T.slinalg.solve(T.dot(x.T, x), v)",
    "sort": "T.sort(x, axis=1)",
    "spec": "T.specify_shape(x, (4, 3))",
    "split": "T.split(x, [1, 3], 2, axis=0)[1]",
    "squeeze": "x[:1].squeeze()",
    "stack": "T.stack([x, x])",
    "std": "T.std(x, axis=0)",
    "subtensor": "x[1:, ::-1]",
    "sum": "x.sum(axis=0)",
    "svd": "T.nlinalg.svd(x)[1]",
    "switch": "T.switch(x > 0, x, 0)",
    "tensordot": "T.tensordot(x, x, axes=1) if False else T.tensordot(x, x, axes=[[0], [0]])",
    "tile": "T.tile(x, (2, 1))",
    "trace": "T.nlinalg.trace(T.dot(x, x.T))",
    "tri": "T.tril(x)",
    "ultra": "T.nnet.ultra_fast_sigmoid(x)",
    "unb": "T.unbroadcast(x[:1].dimshuffle('x', 0, 1), 0)",
    "var": "x.var()",
    "zeros": "T.zeros_like(x)",
}


class Model(object):
    """A classifier as the deep learning tutorials have it, pickled whole."""

    def __init__(self, W, b, x):
        self.W, self.b, self.input = W, b, x
        self.params = [W, b]
        self.p_y_given_x = T.nnet.softmax(T.dot(x, W) + b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)


def expressions():
    rng = numpy.random.RandomState(1)
    inputs = x, v, i, t4 = T.matrix("x"), T.vector("v"), T.ivector("i"), T.tensor4("t4")
    values = [
        rng.randn(4, 3),
        rng.randn(3),
        numpy.array([0, 2, 1, 0], "int32"),
        rng.randn(2, 3, 6, 6),
    ]
    scope = dict(globals(), x=x, v=v, i=i, t4=t4)
    found = {}
    for name, text in sorted(EXPRESSIONS.items()):
        out = eval(text, scope)
        f = theano.function(inputs, out, on_unused_input="ignore", mode="FAST_COMPILE")
        found[name] = cPickle.dumps((inputs, out), 2), f(*values)
    return values, found


def main(path):
    rng = numpy.random.RandomState(0)
    W = theano.shared(rng.randn(3, 2), "W")
    b = theano.shared(numpy.arange(2.0), "b")
    x, y = T.matrix("x"), T.ivector("y")
    model = Model(W, b, x)
    cost = -T.mean(T.log(model.p_y_given_x)[T.arange(y.shape[0]), y])
    train = theano.function([x, y], cost, updates=[(W, W - 0.1 * T.grad(cost, W))])
    data = rng.randn(4, 3), numpy.array([0, 1, 1, 0], "int32")
    shared, function = cPickle.dumps([W, b], 0), cPickle.dumps(train, 2)
    zipped = io.BytesIO()
    pkl_utils.dump((W, b, x, cost), zipped)
    drawn = theano.function(
        [], [MRG_RandomStreams(7).uniform((2, 3)), RandomStreams(7).uniform((2, 3))]
    )
    streams = cPickle.dumps(drawn, 2)
    loop, _ = theano.scan(
        lambda row, h: T.tanh(row + h), sequences=[x], outputs_info=[T.zeros_like(x[0])]
    )
    loops = theano.function([x], loop)
    files = {
        "texts": cPickle.dumps({"name": "m\xc3\xbcller", "W": W.get_value()}, 2),
        "expected": cPickle.dumps(
            {
                "W": W.get_value(),
                "data": data,
                "predicted": theano.function([x], model.y_pred)(data[0]),
                "costs": [float(train(*data)) for _ in range(2)],
                "drawn": drawn(),
                "loop": loops(data[0]),
            },
            2,
        ),
        "shared": shared,
        "model": cPickle.dumps(model, 2),
        "function": function,
        "streams": streams,
        "loop": cPickle.dumps(loops, 2),
        "zipped": zipped.getvalue(),
        "expressions": cPickle.dumps(expressions(), 2),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)


if __name__ == "__main__":
    main(sys.argv[1])
