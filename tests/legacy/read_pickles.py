"""Loads what Python 2 pickled (see data/write_pickles.py), runs it, and prints what went wrong."""

import io
import json
import logging
import pickle
import sys
import traceback
import zipfile

import numpy as np
import theano
from theano.misc import pkl_utils

ARCHIVE = zipfile.ZipFile(sys.argv[1])
LOGGED = io.StringIO()


class Model:
    """What the pickle of the model looks for in the program's own module."""


def load(name):
    return pickle.loads(ARCHIVE.read(name), encoding="latin1")


EXPECTED = load("expected")


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def texts():
    assert load("texts")["name"].encode("latin1").decode("utf-8") == "müller"
    same(load("texts")["W"], EXPECTED["W"])


def shared_variables():
    w, b = load("shared")
    assert (w.name, b.name) == ("W", "b")
    same(w.get_value(), EXPECTED["W"])


def shared_variables_by_theano_s_own_unpickler():
    w, _ = pkl_utils.CompatUnpickler(io.BytesIO(ARCHIVE.read("shared")), encoding="latin1").load()
    same(w.get_value(), EXPECTED["W"])


def a_zip_of_pkl_utils():
    w, _, x, cost = pkl_utils.load(io.BytesIO(ARCHIVE.read("zipped")))
    same(w.get_value(), EXPECTED["W"])
    assert (x.name, cost.ndim) == ("x", 0)


def a_whole_model():
    model = load("model")
    predict = theano.function([model.input], model.y_pred)
    same(predict(EXPECTED["data"][0]), EXPECTED["predicted"])


def a_compiled_function_goes_on():
    train = load("function")
    same([float(train(*EXPECTED["data"])) for _ in range(2)], EXPECTED["costs"])


def random_streams_go_on():
    for found, expected in zip(load("streams")(), EXPECTED["drawn"], strict=True):
        same(found, expected)


def a_loop():
    same(load("loop")(EXPECTED["data"][0]), EXPECTED["loop"])


def expressions(wrong):
    values, found = load("expressions")
    for name, (pickled, expected) in sorted(found.items()):
        try:
            inputs, out = pickle.loads(pickled.encode("latin1"), encoding="latin1")
            f = theano.function(inputs, out, on_unused_input="ignore", mode=mode(name))
            same(f(*values), expected)
        except Exception:  # noqa: BLE001  # whatever it is
            wrong[f"expression {name}"] = traceback.format_exc()
    return len(found)


def mode(name):
    """Optimize, but run Python where there is some: convolutions have only C."""
    return theano.Mode("vm" if "conv" in name else "py", "fast_run")


def main():
    logger = logging.getLogger("theano")
    logger.handlers[:] = [logging.StreamHandler(LOGGED)]
    wrong, ran = {}, 0
    for program in (
        *(texts, shared_variables, shared_variables_by_theano_s_own_unpickler, a_zip_of_pkl_utils),
        *(a_whole_model, a_compiled_function_goes_on, random_streams_go_on, a_loop),
    ):
        ran += 1
        try:
            program()
        except Exception:  # noqa: BLE001  # whatever it is
            wrong[program.__name__] = traceback.format_exc()
    ran += expressions(wrong)
    if LOGGED.getvalue():
        wrong["logged"] = LOGGED.getvalue()
    print(json.dumps({"ran": ran, "wrong": wrong}))


main()
