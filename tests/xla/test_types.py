"""Variables on the device: conversion, comparison, constants, pickles, what user code asks."""

import copy
import pickle

import jax
import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, same

from theano_colab.xla.types import XlaConstant, XlaType, shared_constructor


@pytest.fixture
def column():
    return XlaType("float32", (False, True))


def test_a_type_and_its_equals(column):
    assert XlaType("float32", (False, True)) == column
    assert hash(column.clone()) == hash(column)
    assert column.clone(dtype="float64") != column
    assert column != column.host
    assert repr(column) == "XlaType<None>(float32, col)"
    assert pickle.loads(pickle.dumps(column)) == column
    with pytest.raises(TypeError, match="float128"):
        XlaType("float128", ())


def test_values_are_converted_by_theanos_rules(column):
    kind = XlaType("float32", (False,))
    same(kind.filter([1, 2], allow_downcast=True), np.array([1, 2], "f"))
    same(kind.filter(np.array([1, 2], "int8")), np.array([1, 2], "f"))
    for wrong in (np.array([0.1]), np.zeros((2, 2), "f")):
        with pytest.raises(TypeError):
            kind.filter(wrong)
    with pytest.raises(TypeError, match="on the device"):
        kind.filter(np.zeros(2, "f"), strict=True)
    with pytest.raises(TypeError):
        column.filter(np.zeros((2, 2), "f"))


def test_a_value_of_the_device_is_taken_as_it_is():
    kind = XlaType("float32", (False,))
    value = kind.filter(np.zeros(2, "f"))
    assert kind.filter(value, strict=True) is value
    elsewhere = jax.device_put(np.ones(2, "f"), jax.devices()[1])
    assert kind.filter(elsewhere).devices() == {jax.devices()[0]}
    wide = XlaType("float64", (False,))
    same(wide.filter(value), np.zeros(2))


def test_numpy_memory_is_copied():
    for size in (3, 100_000):
        given = np.zeros(size, "f")
        value = XlaType("float32", (False,)).filter(given)
        given[:] = 1
        assert not np.asarray(value).any()


def test_comparison():
    kind = XlaType("float32", (False,))
    a, b = kind.filter(np.array([1, 2], "f")), kind.filter(np.array([1.0001, 2], "f"))
    assert kind.values_eq(a, a)
    assert not kind.values_eq(a, b)
    assert kind.values_eq_approx(a, b, rtol=1e-3)
    assert not kind.values_eq_approx(a, b, rtol=1e-6)


def test_constants():
    kind = XlaType("float32", (False,))
    one, other = (XlaConstant(kind, kind.filter(np.ones(2, "f"))) for _ in range(2))
    assert one.signature() == other.signature()
    assert str(one) == "XlaConstant{[1. 1.]}"
    f = theano.function([], one + other, mode=XLA)
    same(f(), np.full(2, 2, "f"))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "bool", "complex128"])
def test_pickles_and_copies(dtype):
    value = np.array([0, 1, 1]).astype(dtype)
    a = shared_constructor(value, name="a")
    for other in (pickle.loads(pickle.dumps(a)), copy.deepcopy(a)):
        assert other.name == "a"
        same(other.get_value(), value)
        other.set_value(value[:1])
        same(a.get_value(), value)


def test_it_is_a_tensor_to_those_who_ask():
    a = shared_constructor(np.ones((2, 3), "f"))
    assert (a.ndim, a.dtype, a.broadcastable) == (2, "float32", (False, False))
    same(theano.function([], [a.T, a[0], -a, a.shape, a.sum(axis=1)], mode=XLA)()[3], [2, 3])
    assert isinstance(tt.as_tensor_variable(a).type, tt.TensorType)
    assert isinstance(a, tt.sharedvar.TensorSharedVariable)


def test_counters_stay_on_the_host():
    with pytest.raises(TypeError, match="stay on the host"):
        shared_constructor(np.array(3))
    assert shared_constructor(np.array(3.0)).type.dtype == "float64"
    assert shared_constructor(np.array([3])).type.dtype == "int64"
    with pytest.raises(TypeError):
        shared_constructor(np.array(["text"]))
    with pytest.raises(TypeError):
        shared_constructor([1.0, 2.0])
