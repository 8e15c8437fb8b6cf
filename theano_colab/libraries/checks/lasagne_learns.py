"""Lasagne: a network of two layers learns XOR, and its output is what NumPy computes."""

# A program, written as its users write: run by its path, and judged by its end.
# ruff: noqa: INP001, N812, S101, T201
# mypy: ignore-errors

import warnings

import numpy as np
import theano
import theano.tensor as T

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about names that Lasagne 0.1 still uses
    import lasagne
    from lasagne import layers, nonlinearities, objectives, updates

RATE = 0.05
STEPS = 300
LEARNT = 0.05

lasagne.random.set_rng(np.random.RandomState(1))
x, y = T.matrix("x"), T.matrix("y")
network = layers.InputLayer((None, 2), x)
network = layers.DenseLayer(network, 8, nonlinearity=nonlinearities.tanh)
network = layers.DenseLayer(network, 1, nonlinearity=nonlinearities.sigmoid)
output = layers.get_output(network)
loss = objectives.binary_crossentropy(output, y).mean()
steps = updates.adam(loss, layers.get_all_params(network), RATE)
train = theano.function([x, y], loss, updates=steps)
predict = theano.function([x], output)

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], theano.config.floatX)
targets = np.array([[0], [1], [1], [0]], theano.config.floatX)
losses = [float(train(inputs, targets)) for _ in range(STEPS)]
assert losses[-1] < LEARNT, f"the loss went from {losses[0]:.3f} to {losses[-1]:.3f}"
w1, b1, w2, b2 = layers.get_all_param_values(network)
expected = 1 / (1 + np.exp(-(np.tanh(inputs @ w1 + b1) @ w2 + b2)))
assert np.allclose(predict(inputs), expected, atol=1e-4), "the output is not what NumPy computes"
print(f"found: a network learnt XOR, loss {losses[0]:.2f} to {losses[-1]:.3f}")
