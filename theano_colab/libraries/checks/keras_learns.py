"""Keras: a network learns XOR, computes what NumPy does, and is the same saved and loaded.

Sequences are padded and taken apart, too: that part comes from another package.
"""

# A program, written as its users write: run by its path, and judged by its end.
# ruff: noqa: INP001, S101, T201
# mypy: ignore-errors

import tempfile
import warnings
from pathlib import Path

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about the text of Keras itself
    from keras import backend
    from keras.layers import Dense
    from keras.models import Sequential, load_model
    from keras.optimizers import Adam
    from keras.preprocessing.sequence import pad_sequences, skipgrams

RATE = 0.05
STEPS = 300
LEARNT = 0.05

assert backend.backend() == "theano", f"the backend is {backend.backend()}"
np.random.seed(1)
model = Sequential()
model.add(Dense(8, activation="tanh", input_dim=2))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer=Adam(lr=RATE), loss="binary_crossentropy")

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], backend.floatx())
targets = np.array([[0], [1], [1], [0]], backend.floatx())
losses = [float(model.train_on_batch(inputs, targets)) for _ in range(STEPS)]
assert losses[-1] < LEARNT, f"the loss went from {losses[0]:.3f} to {losses[-1]:.3f}"
w1, b1, w2, b2 = model.get_weights()
expected = 1 / (1 + np.exp(-(np.tanh(inputs @ w1 + b1) @ w2 + b2)))
assert np.allclose(model.predict(inputs), expected, atol=1e-4), "the output is not NumPy's"
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder, "model.h5"))
    model.save(path)
    again = load_model(path).predict(inputs)
assert np.array_equal(again, model.predict(inputs)), "the loaded model computes something else"
assert pad_sequences([[1, 2], [3]]).tolist() == [[1, 2], [0, 3]], "sequences are padded wrongly"
pairs, _ = skipgrams([1, 2], vocabulary_size=3, negative_samples=0)
assert sorted(pairs) == [[1, 2], [2, 1]], "skipgrams are wrong"
print(f"found: a network learnt XOR, loss {losses[0]:.2f} to {losses[-1]:.3f}; saved and loaded")
