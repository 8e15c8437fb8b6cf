"""PyMC3 3.11.6 on Theano-PyMC, both rebuilt, in Colab's versions: sampled, fitted, on XLA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("pymc3_line.py")


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
