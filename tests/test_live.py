import sys
import types

import pytest

from theano_colab import live


class Config:
    """Theano's config as it behaves: some options can be set, others raise a bare Exception."""

    device = "cpu"
    floatX = "float64"  # noqa: N815  # Theano's name
    force_device = False

    def __setattr__(self, name, value):
        if name == "device":
            raise Exception("Can't change the value of this config parameter after initialization!")
        object.__setattr__(self, name, value)


@pytest.fixture(autouse=True)
def without_the_real_one(monkeypatch):
    """Put away a Theano that other tests of this process imported; it comes back afterwards."""
    for name in [name for name in sys.modules if name.split(".")[0] == "theano"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def theano():
    module = types.ModuleType("theano")
    module.config = Config()
    module.config.blas = types.SimpleNamespace(ldflags="-lopenblas")
    return module


def test_only_what_differs_is_named_and_spellings_of_one_value_are_equal(theano):
    wanted = {"device": "cpu", "floatX": "float32", "force_device": "0", "blas.ldflags": "-lblas"}
    assert [d.name for d in live.differences(theano, wanted)] == ["floatX", "blas.ldflags"]


def test_a_flag_that_theano_does_not_know_is_left_out(theano):
    assert live.values(theano, ("floatX", "no.such")) == {"floatX": "float64"}


def test_what_can_be_set_is_set(theano):
    for difference in live.differences(theano, {"floatX": "float32", "blas.ldflags": "-lblas"}):
        assert live.set_live(theano, difference).error is None
    assert (theano.config.floatX, theano.config.blas.ldflags) == ("float32", "-lblas")


def test_what_theano_refuses_is_told_in_its_words(theano):
    (difference,) = live.differences(theano, {"device": "cuda"})
    assert "after initialization" in live.set_live(theano, difference).error


def test_what_a_failed_import_left_is_forgotten(monkeypatch):
    monkeypatch.delitem(sys.modules, "theano", raising=False)
    monkeypatch.setitem(sys.modules, "theano.configparser", types.ModuleType("x"))
    assert live.forget_broken_import() == ("theano.configparser",)
    assert "theano.configparser" not in sys.modules


def test_a_working_import_is_left_alone(theano, monkeypatch):
    monkeypatch.setitem(sys.modules, "theano", theano)
    assert live.forget_broken_import() == ()
    assert live.imported() is theano
