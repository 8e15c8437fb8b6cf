# A notebook of 2016: a convolutional network tells where in a picture the light is.
# ruff: noqa: B007, B905, N812, UP031
import lasagne
import numpy as np
import theano
import theano.tensor as T

rng = np.random.RandomState(42)


def pictures(n):
    y = rng.randint(0, 4, n).astype("int32")
    x = rng.uniform(0, 0.3, (n, 1, 12, 12)).astype(theano.config.floatX)
    for picture, corner in zip(x, y):
        row, column = 6 * (corner // 2), 6 * (corner % 2)
        picture[0, row + 1 : row + 5, column + 1 : column + 5] += 0.5
    return x, y


def batches(x, y, size):
    order = rng.permutation(len(x))
    for start in range(0, len(x) - size + 1, size):
        yield x[order[start : start + size]], y[order[start : start + size]]


input_var, target_var = T.tensor4("inputs"), T.ivector("targets")
net = lasagne.layers.InputLayer(shape=(None, 1, 12, 12), input_var=input_var)
net = lasagne.layers.Conv2DLayer(
    net, num_filters=4, filter_size=(3, 3), W=lasagne.init.GlorotUniform()
)
net = lasagne.layers.MaxPool2DLayer(net, pool_size=(2, 2))
net = lasagne.layers.DenseLayer(lasagne.layers.dropout(net, p=0.2), num_units=16)
net = lasagne.layers.DenseLayer(net, num_units=4, nonlinearity=lasagne.nonlinearities.softmax)

prediction = lasagne.layers.get_output(net)
loss = lasagne.objectives.categorical_crossentropy(prediction, target_var).mean()
params = lasagne.layers.get_all_params(net, trainable=True)
updates = lasagne.updates.nesterov_momentum(loss, params, learning_rate=0.1, momentum=0.9)
test_prediction = lasagne.layers.get_output(net, deterministic=True)
accuracy = T.mean(T.eq(T.argmax(test_prediction, axis=1), target_var), dtype=theano.config.floatX)
train_fn = theano.function([input_var, target_var], loss, updates=updates)
val_fn = theano.function([input_var, target_var], accuracy)

x_train, y_train = pictures(400)
x_test, y_test = pictures(100)
for epoch in range(10):
    losses = [float(train_fn(*batch)) for batch in batches(x_train, y_train, 40)]
np.savez("model.npz", *lasagne.layers.get_all_param_values(net))
with np.load("model.npz") as f:
    values = [f["arr_%d" % i] for i in range(len(f.files))]
lasagne.layers.set_all_param_values(net, values)
right = float(val_fn(x_test, y_test))
