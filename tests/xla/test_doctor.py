"""The doctor's checks that need Theano and JAX, on XLA's CPU."""

import pytest

from theano_colab.doctor import checks
from theano_colab.runtime import detect

LIMIT = 240.0  # seconds, for a busy machine; the doctor's own limit is a few


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THEANO_FLAGS", f"device=xla,floatX=float32,base_compiledir={folder}")
        patch.setenv("JAX_PLATFORMS", "cpu")
        patch.setattr("tempfile.tempdir", str(folder))
        found = {check.name: check for check in checks.run(detect(), "xla", LIMIT)}
        assert list(folder.iterdir()) == [], "the doctor clears up"
    return found


def test_theano_computes_where_the_flags_say(found):
    check = found["Theano"]
    assert check.verdict == "ok", check
    assert "xla" in check.text


def test_the_device_agrees_with_numpy_and_its_copies_are_timed(found):
    check = found["Device of XLA"]
    assert check.verdict in {"ok", "warn"}, check
    assert "agrees with NumPy" in check.text
    assert check.numbers.keys() == {"to_device", "from_device"}
