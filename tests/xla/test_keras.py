"""Keras 2.2.4 on XLA: models train as they do on Theano's C code."""

import os

import numpy as np
import pytest
from libraries import both_agree, load

BATCHES = (8, 8, 5, 8)
"""Sizes: an epoch whose last batch is ragged, and the next one's first."""


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    os.environ["KERAS_BACKEND"] = "theano"
    os.environ["KERAS_HOME"] = str(tmp_path_factory.mktemp("keras"))
    return load("keras")


def _train(layers, optimizer, example):
    """Return a program that trains a model to tell three classes apart; see ``both_agree``.

    ``example`` gives a batch's values, of a generator of random numbers and a size.
    """

    def batch(seed, size):
        random = np.random.default_rng(seed)
        return example(random, size), np.eye(3, dtype="float32")[random.integers(0, 3, size)]

    def program():
        from keras.models import Sequential

        model = Sequential(layers())
        model.compile(optimizer(), "categorical_crossentropy", metrics=["accuracy"])
        losses = [model.train_on_batch(*batch(seed, size)) for seed, size in enumerate(BATCHES)]
        x, y = batch(9, 7)
        told = [*losses, model.test_on_batch(x, y), model.predict_on_batch(x)]
        functions = [model.train_function, model.test_function, model.predict_function]
        return model.weights, [one.function for one in functions], told

    return program


def test_a_perceptron(keras):
    def layers():
        from keras.layers import BatchNormalization, Dense, Dropout

        return [
            Dense(16, activation="relu", kernel_regularizer="l2", input_shape=(10,)),
            BatchNormalization(),
            Dropout(0.3),
            Dense(3, activation="softmax"),
        ]

    def optimizer():
        return keras.optimizers.SGD(0.05, momentum=0.9, decay=1e-3, nesterov=True)

    both_agree(_train(layers, optimizer, lambda random, size: random.normal(size=(size, 10))))


@pytest.mark.parametrize("order", ["channels_first", "channels_last"])
def test_a_convolutional_network(keras, order):
    shape = (2, 9, 8) if order == "channels_first" else (9, 8, 2)

    def layers():
        from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

        return [
            Conv2D(4, 3, padding="same", activation="relu", data_format=order, input_shape=shape),
            MaxPooling2D(data_format=order),
            Conv2D(3, (2, 3), strides=(2, 1), data_format=order),
            Flatten(),
            Dense(3, activation="softmax"),
        ]

    def optimizer():
        return keras.optimizers.Adam(0.01)

    both_agree(_train(layers, optimizer, lambda random, size: random.normal(size=(size, *shape))))


def test_a_recurrent_network(keras):
    def layers():
        from keras.layers import LSTM, Dense, Embedding

        return [
            Embedding(9, 4, mask_zero=True, input_length=6),
            LSTM(5),
            Dense(3, activation="softmax"),
        ]

    def optimizer():
        return keras.optimizers.RMSprop(0.01, clipnorm=1.0)

    both_agree(_train(layers, optimizer, lambda random, size: random.integers(0, 9, (size, 6))))
