# A notebook of 2018: a network is trained, the best of it saved, and loaded again.
# ruff: noqa: F401, N812
import keras
import numpy as np
from keras import backend as K
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.layers import BatchNormalization, Dense, Dropout
from keras.models import Sequential, load_model, model_from_json, model_from_yaml
from keras.utils import to_categorical

np.random.seed(7)
centres = np.random.normal(scale=3, size=(3, 20))
labels = np.random.randint(0, 3, 600)
x = centres[labels] + np.random.normal(size=(600, 20))
y = to_categorical(labels, 3)

model = Sequential()
model.add(Dense(32, activation="relu", input_shape=(20,)))
model.add(BatchNormalization())
model.add(Dropout(0.2))
model.add(Dense(3, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
history = model.fit(
    x[:500],
    y[:500],
    batch_size=50,
    epochs=8,
    verbose=0,
    validation_data=(x[500:], y[500:]),
    callbacks=[ModelCheckpoint("best.h5", save_best_only=True), EarlyStopping(patience=8)],
)
score, right = model.evaluate(x[500:], y[500:], verbose=0)

model.save("whole.h5")
whole = load_model("whole.h5")
best = load_model("best.h5")
model.save_weights("weights.h5")
from_json = model_from_json(model.to_json())
from_json.load_weights("weights.h5")
from_yaml = model_from_yaml(model.to_yaml())
from_yaml.load_weights("weights.h5")
expected = model.predict(x[500:])
same = [bool(np.array_equal(m.predict(x[500:]), expected)) for m in (whole, from_json, from_yaml)]
whole.fit(x[:500], y[:500], epochs=1, verbose=0)  # its optimizer was saved as well
