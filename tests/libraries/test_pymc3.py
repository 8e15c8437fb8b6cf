"""PyMC3 on its Theano, both rebuilt, in Colab's versions: sampled, fitted, on XLA."""

from __future__ import annotations

import zipfile
from pathlib import Path

import envs
import numpy as np
import pytest

from theano_colab.libraries import catalogue
from theano_colab.libraries.build import build_library
from theano_colab.port import build_port

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("pymc3_line.py")
MISSING = Path(__file__).with_name("pymc3_missing.py")
OBSERVED = "[4.0, 5.0, 4.0, nan, 1.0, 0.0, 3.0, 4.0, nan, 1.0]"


@pytest.fixture(scope="module")
def pymc3_393(tmp_path_factory):
    """Return a folder with PyMC3 3.9.3 and Theano 1.0.5, for the path."""
    folder, library = tmp_path_factory.mktemp("3.9.3"), catalogue.find("pymc3==3.9.3")
    for wheel in (build_library(library, envs.BUILT), build_port(envs.BUILT)):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(folder)
    return folder


def test_nuts_and_advi_find_the_analytic_posterior(run_pymc3):
    told = run_pymc3(PROGRAM, "samples")
    mean, spread = np.array(told["mean"]), np.array(told["spread"])
    # 400 draws, and the last of 15000 steps of ADVI: both know the mean to a fifth of the spread.
    assert np.all(abs(told["nuts"] - mean) < 0.3 * spread), told
    assert np.all(abs(told["advi"] - mean) < 0.5 * spread), told
    assert told["log_likelihood"] == [1, 400, 40]
    assert len(told["drawn"]) == 6
    assert min(told["drawn"].values()) > 1000, told["drawn"]


def test_log_probabilities_and_gradients_run_on_xla(run_pymc3):
    on_host, on_xla = (run_pymc3(PROGRAM, "logp", device=name) for name in ("cpu", "xla"))
    assert on_host.keys() == on_xla.keys() == {"line", "mixture"}
    for name, there in on_xla.items():
        here = on_host[name]
        np.testing.assert_allclose(there["value"], here["value"], rtol=1e-12)
        np.testing.assert_allclose(there["gradient"], here["gradient"], rtol=1e-9, atol=1e-12)
        assert "XlaCluster" in there["ops"]
        left = {one for one in there["ops"] if "Xla" not in one}
        assert not left, f"{name} left {left} to the host"
        assert not any("Xla" in one for one in here["ops"])


def test_counts_that_are_missing_are_drawn(run_pymc3):
    told = run_pymc3(MISSING)
    assert told == {"version": "3.11.6", "filled_in": [40, 2], "observed": OBSERVED}


def test_3_9_3_does_too_and_keeps_what_it_drew_as_text(run_pymc3, pymc3_393):
    told = run_pymc3(MISSING, "text", path=[pymc3_393])
    written, read = told.pop("as_text")
    np.testing.assert_allclose(read, written)
    assert told == {"version": "3.9.3", "filled_in": [40, 2], "observed": OBSERVED}
