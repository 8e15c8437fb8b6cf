"""The compile directory that several processes share."""

READ_MEANWHILE = """
import os, pickle
from theano.gof.cmodule import KeyData

class Key:
    def __reduce__(self):
        with open("key.pkl", "rb") as file:
            found.append(pickle.load(file).keys)
        return Key, ()

class Unpicklable:
    def __reduce__(self):
        raise pickle.PicklingError("on purpose")

found = []
KeyData({"first"}, "hash", "key.pkl", "module.so").save_pkl()
KeyData({Key()}, "hash", "key.pkl", "module.so").save_pkl()
print(found)

import logging
logging.disable()
for name in ("key.pkl", "new.pkl"):
    try:
        KeyData({Unpicklable()}, "hash", name, "module.so").save_pkl()
    except pickle.PicklingError as error:
        print(error)
print(sorted(name for name in os.listdir() if ".pkl" in name))
"""


def test_keys_are_never_half_written(run_port):
    """Theano deletes the module of a file that it cannot read, also when it is in use."""
    lines = run_port("-c", READ_MEANWHILE).splitlines()
    assert lines == ["[{'first'}]", "on purpose", "on purpose", "[]"]


FULL_DISK = """
from theano.gof.cmodule import KeyData

data = KeyData(set(), "hash", "no_such_folder/key.pkl", "module.so")
for _ in range(2):
    try:
        data.add_key("key")
    except OSError as error:
        print(error.strerror, data.keys)
"""


def test_a_key_that_could_not_be_saved_is_tried_again(run_port):
    lines = run_port("-c", FULL_DISK).splitlines()
    assert lines == ["No such file or directory set()"] * 2


COMPILED_ONCE = """
import numpy as np
import theano
import theano.tensor as T
from theano.gof import cmodule

compiled = []
compile_str = cmodule.GCC_compiler.compile_str
cmodule.GCC_compiler.compile_str = staticmethod(
    lambda *given, **named: compiled.append(1) or compile_str(*given, **named)
)
x = T.matrix()
theano.function([x], T.nnet.softmax(x))(np.eye(2, dtype=x.dtype))
print(len(compiled))
"""


def test_what_has_a_version_is_compiled_by_one_process_for_all(run_port, tmp_path):
    """An Op without properties, as the softmax is, was one without a version."""
    flags = f"base_compiledir={tmp_path}"  # where no other test has compiled it
    assert int(run_port("-c", COMPILED_ONCE, flags=flags)) >= 1
    assert int(run_port("-c", COMPILED_ONCE, flags=flags)) == 0
