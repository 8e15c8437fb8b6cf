"""Lasagne 0.1 on XLA: networks train as they do on Theano's C code."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from libraries import both_agree, load

# What Theano says of Lasagne 0.1, which uses the names of Theano 0.8.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The `image_shape` keyword:UserWarning"),
    pytest.mark.filterwarnings("ignore:DEPRECATION:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* is an old name; today it is:DeprecationWarning"),
]

BATCHES = (8, 8, 5, 8)
"""Sizes: an epoch whose last batch is ragged, and the next one's first."""


@pytest.fixture(scope="module")
def lasagne():
    return load("lasagne")


def _images(size, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(size, 2, 10, 10)).astype("float32")
    return x, random.integers(0, 3, size).astype("int32")


def _train(lasagne, build, update, penalty=0.0):
    """Return a program that trains a network of images; see ``both_agree``."""

    def program():
        lasagne.random.set_rng(np.random.RandomState(1))  # what Lasagne 0.1 takes
        x, y = tt.tensor4("x"), tt.ivector("y")
        network = build(lasagne.layers, lasagne.layers.InputLayer((None, 2, 10, 10), x))
        loss = lasagne.objectives.categorical_crossentropy(lasagne.layers.get_output(network), y)
        l2 = lasagne.regularization.regularize_network_params(network, lasagne.regularization.l2)
        loss = loss.mean() + penalty * l2
        parameters = lasagne.layers.get_all_params(network, trainable=True)
        step = theano.function([x, y], loss, updates=update(loss, parameters))
        output = lasagne.layers.get_output(network, deterministic=True)
        right = tt.eq(output.argmax(1), y).mean(dtype="float32")
        test = theano.function([x, y], [output, right])
        losses = [step(*_images(size, seed)) for seed, size in enumerate(BATCHES)]
        return parameters, [step, test], [*losses, *test(*_images(7, seed=9))]

    return program


def test_a_perceptron(lasagne):
    rectify, softmax = lasagne.nonlinearities.rectify, lasagne.nonlinearities.softmax

    def build(layers, network):
        network = layers.DenseLayer(layers.DropoutLayer(network, 0.2), 16, nonlinearity=rectify)
        return layers.DenseLayer(layers.DropoutLayer(network), 3, nonlinearity=softmax)

    def update(loss, parameters):
        return lasagne.updates.nesterov_momentum(loss, parameters, 0.05, 0.9)

    both_agree(_train(lasagne, build, update, penalty=1e-3))


def test_a_convolutional_network(lasagne):
    def build(layers, network):
        network = layers.Conv2DLayer(network, 4, 3, pad="same")
        network = layers.MaxPool2DLayer(network, 2)
        network = layers.LocalResponseNormalization2DLayer(network)
        network = layers.Conv2DLayer(network, 3, (3, 2), stride=(1, 2), untie_biases=True)
        network = layers.GaussianNoiseLayer(network, 0.1)
        return layers.DenseLayer(network, 3, nonlinearity=lasagne.nonlinearities.softmax)

    def update(loss, parameters):
        return lasagne.updates.adam(loss, parameters, 0.01)

    both_agree(_train(lasagne, build, update))
