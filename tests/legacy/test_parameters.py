"""Parameters of networks that Python 2 and NumPy 1.16 wrote (data/write_parameters.py)."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from theano_colab.doctor import python2

EXPECTED = [
    np.arange(6, dtype="float32").reshape(2, 3) - 200,
    np.arange(3.0),
    np.array([[-1.5], [2.5], [128]], "float32"),
]


@pytest.fixture(scope="module")
def read():
    with zipfile.ZipFile(Path(__file__).parent / "data" / "parameters.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def same(found):
    assert len(found) == len(EXPECTED)
    for one, expected in zip(found, EXPECTED, strict=True):
        assert one.dtype == expected.dtype
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("protocol", range(3))
def test_a_pickled_list(read, protocol):
    content = read[f"protocol{protocol}"]
    same(pickle.loads(content, encoding="latin1"))
    with pytest.raises(UnicodeDecodeError) as failed:
        pickle.loads(content)
    told = python2.explain(failed.value)
    assert told.remedy == 'Write: pickle.loads(content, encoding="latin1")'


def test_arrays_saved_by_numpy(read):
    with np.load(io.BytesIO(read["each.npz"])) as found:
        same([found[f"arr_{number}"] for number in range(3)])


@pytest.mark.parametrize("options", [{}, {"allow_pickle": True}])
def test_a_list_saved_by_numpy(read, options):
    said = {"allow_pickle": True, "encoding": "latin1"}
    same(np.load(io.BytesIO(read["list.npy"]), **said))
    with np.load(io.BytesIO(read["list.npz"]), **said) as found:
        same(found["arr_0"])
    with pytest.raises(ValueError, match=r"allow_pickle=False|Unpickling") as failed:
        np.load(io.BytesIO(read["list.npy"]), **options)
    told = python2.explain(failed.value)
    assert "allow_pickle=True, encoding='latin1'" in told.remedy
