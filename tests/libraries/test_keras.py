"""Keras 2.2.5, rebuilt, on the rebuilt Theano 1.0.5 in Colab's versions."""

from __future__ import annotations

import os
import subprocess
import zipfile

import envs
import pytest

from theano_colab.libraries import catalogue
from theano_colab.libraries.build import build_library

pytestmark = pytest.mark.slow

PROGRAM = """
import io
import numpy as np
from keras import __version__
from keras.layers import Dense
from keras.models import Sequential
from keras.utils.io_utils import load_from_binary_h5py, save_to_binary_h5py
from keras.engine.saving import load_model

model = Sequential([Dense(2, input_dim=3)])
model.compile("sgd", "mse")
kept = io.BytesIO()
save_to_binary_h5py(model.save, kept)
kept.seek(0)
again = load_from_binary_h5py(load_model, kept)
x = np.ones((1, 3), "float32")
print(__version__, np.array_equal(again.predict(x), model.predict(x)))
"""


def test_2_2_5_keeps_a_model_in_memory(tmp_path):
    with zipfile.ZipFile(build_library(catalogue.find("keras==2.2.5"), envs.BUILT)) as wheel:
        wheel.extractall(tmp_path / "keras")
    told = subprocess.run(
        [envs.xla(), "-W", "ignore", "-c", PROGRAM],
        env={
            **os.environ,
            "KERAS_BACKEND": "theano",
            "PYTHONPATH": str(tmp_path / "keras"),
            "THEANO_FLAGS": f"cxx=,base_compiledir={tmp_path}",
            "THEANORC": os.devnull,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == "2.2.5 True\n", told.stderr
