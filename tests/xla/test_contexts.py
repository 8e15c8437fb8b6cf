"""Several devices under names of their own, and programs that use more than one."""

import jax
import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, host_nodes, same

from theano_colab.xla import device, use
from theano_colab.xla.types import shared_constructor

VALUE = np.arange(6, dtype="f").reshape(2, 3)


@pytest.fixture(scope="module", autouse=True)
def second():
    return use("xla1", name="dev1", default=False)


def test_names_stand_for_devices(second):
    assert second.device == jax.devices()[1]
    assert device.get("dev1") is second
    with pytest.raises(device.ContextNotDefinedError, match="dev9"):
        device.get("dev9")
    with pytest.raises(ValueError, match="dev1 is xla1 already"):
        use("xla0", name="dev1", default=False)
    with pytest.raises(device.DeviceNotFoundError, match="xla7: JAX sees 2"):
        use("xla7", name="dev7", default=False)
    with pytest.raises(ValueError, match="'tpu' names no device"):
        use("tpu", name="dev7", default=False)


def test_a_shared_variable_lies_where_it_was_wanted(second):
    a = shared_constructor(VALUE, target="dev1")
    assert a.get_value(return_internal_type=True).devices() == {second.device}
    f = theano.function([], a * 2, updates=[(a, a + 1)], mode=XLA)
    same(f(), VALUE * 2)
    assert a.get_value(return_internal_type=True).devices() == {second.device}
    same(a.get_value(), VALUE + 1)
    assert [op.context_name for op in clusters(f)] == ["dev1"]


def test_two_devices_in_one_function():
    a, b = shared_constructor(VALUE), shared_constructor(VALUE.T.copy(), target="dev1")
    # The tutorial's example: each product runs where its matrices lie.
    f = theano.function([], [tt.dot(a, a.T), tt.dot(b, b.T)], mode=XLA)
    first, second = f()
    same(first, VALUE @ VALUE.T)
    same(second, VALUE.T @ VALUE)
    assert sorted(str(op.context_name) for op in clusters(f)) == ["None", "dev1"]
    assert not host_nodes(f)


def test_transfers_and_their_gradients():
    x = tt.fmatrix()
    there = (x * 2).transfer("dev1")
    back = (there * 3).transfer("cpu")
    again = back.transfer(None).transfer("dev1").transfer("cpu")
    cost = (again**2).sum()
    f = theano.function([x], [again, theano.grad(cost, x)], mode=XLA)
    value, gradient = f(VALUE)
    same(value, VALUE * 6)
    same(gradient, 72 * VALUE)


def test_an_update_from_the_other_device(second):
    a, b = shared_constructor(VALUE), shared_constructor(VALUE + 1, target="dev1")
    f = theano.function([], [], updates=[(a, b.transfer(None)), (b, a.transfer("dev1"))], mode=XLA)
    f()
    same(a.get_value(), VALUE + 1)
    same(b.get_value(), VALUE)
    assert b.get_value(return_internal_type=True).devices() == {second.device}


def test_a_target_that_is_not_there():
    with pytest.raises(ValueError, match="dev9"):
        shared_constructor(VALUE, target="dev9")
    with pytest.raises(ValueError, match="Can't transfer to target dev9"):
        tt.fmatrix().transfer("dev9")
