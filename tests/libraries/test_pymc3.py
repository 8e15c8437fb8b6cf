"""PyMC3 3.11.6 on Theano-PyMC, both rebuilt, in Colab's versions: sampled, fitted, on XLA."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import envs
import numpy as np
import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROGRAM = HERE / "pymc3_line.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the program on a device, all with one compile directory; return what it printed."""
    try:
        python = envs.pymc3()
    except LookupError as error:
        pytest.skip(str(error))
    compiled = tmp_path_factory.mktemp("compiled")

    def run(what: str, device: str) -> dict[str, Any]:
        flags = (
            f"device={device},floatX=float64,base_compiledir={compiled},cmodule.remove_gxx_opt=1"
        )
        done = subprocess.run(
            [python, PROGRAM, what],
            env={
                **os.environ,
                "THEANO_FLAGS": flags,
                "THEANORC": os.devnull,
                "PYTHONPATH": str(envs.ROOT),
                "JAX_PLATFORMS": "cpu",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_nuts_and_advi_find_the_analytic_posterior(run):
    told = run("samples", "cpu")
    mean, spread = np.array(told["mean"]), np.array(told["spread"])
    # 400 draws, and the last of 15000 steps of ADVI: both know the mean to a fifth of the spread.
    assert np.all(abs(told["nuts"] - mean) < 0.3 * spread), told
    assert np.all(abs(told["advi"] - mean) < 0.5 * spread), told
    assert told["log_likelihood"] == [1, 400, 40]
    assert len(told["drawn"]) == 6
    assert min(told["drawn"].values()) > 1000, told["drawn"]


def test_log_probabilities_and_gradients_run_on_xla(run):
    on_host, on_xla = run("logp", "cpu"), run("logp", "xla")
    assert on_host.keys() == on_xla.keys() == {"line", "mixture"}
    for name, there in on_xla.items():
        here = on_host[name]
        np.testing.assert_allclose(there["value"], here["value"], rtol=1e-12)
        np.testing.assert_allclose(there["gradient"], here["gradient"], rtol=1e-9, atol=1e-12)
        assert "XlaCluster" in there["ops"]
        left = {one for one in there["ops"] if "Xla" not in one}
        assert not left, f"{name} left {left} to the host"
        assert not any("Xla" in one for one in here["ops"])
