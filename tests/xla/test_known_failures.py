"""Known failures, produced by Theano itself: its messages of today are still recognised."""

import numpy as np
import pytest
import theano
from theano import tensor

from theano_colab.doctor import known

PYTHON = theano.Mode(linker="py", optimizer=None)
x, y, z = tensor.fmatrix("x"), tensor.fvector("y"), tensor.fmatrix("z")
WIDE = np.ones((2, 2))
NARROW = np.ones((2, 2), "float32")


def function(*arguments, **options):
    return theano.function(*arguments, mode=PYTHON, **options)


def update_of_another_type():
    w = theano.shared(NARROW, "w")
    function([], updates=[(w, w + tensor.dmatrix())])


def change_a_flag_too_late():
    theano.config.force_device = not theano.config.force_device


def label_of_no_class():
    rows, labels = tensor.fmatrix(), tensor.ivector()
    cost = tensor.nnet.categorical_crossentropy(tensor.nnet.softmax(rows), labels)
    theano.function([rows, labels], cost, mode=theano.Mode(linker="py"))(
        NARROW, np.array([0, 2], "int32")
    )


PROGRAMS = {
    "cost-not-scalar": lambda: theano.grad(x.sum(axis=0), x),
    "boolean-of-variable": lambda: bool(x > 0),
    "product-not-aligned": lambda: function([x, z], tensor.dot(x, z))(
        NARROW, np.ones((3, 1), "float32")
    ),
    "label-out-of-bounds": label_of_no_class,
    "downcast": lambda: function([x], x * 2)(WIDE),
    "wrong-dimensions": lambda: function([x], x * 2)(NARROW[0]),
    "missing-input": lambda: function([], x * 2),
    "unused-input": lambda: function([x, y], x * 2),
    "disconnected": lambda: tensor.grad((x * 2).sum(), z),
    "update-type": update_of_another_type,
    "flag-too-late": change_a_flag_too_late,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_theano_says_today_is_recognised(name):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of every kind
        PROGRAMS[name]()
    explanation = known.explain(caught.value)
    assert explanation is not None, repr(caught.value)
    assert explanation.id == name


def test_a_message_of_the_users_own_graph_that_is_not_known_is_left_alone():
    with pytest.raises(TypeError) as caught:
        tensor.dot(x, "text")
    assert known.explain(caught.value) is None
