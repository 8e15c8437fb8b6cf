"""Programs on a GPU where there is one, and on XLA's CPU always (see programs.py)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ANYWHERE = (
    "tutorial",
    "shared_values_lie_on_the_device",
    "float32_is_float32",
    "lenet",
    "random_streams",
    "recurrence",
    "ten_thousand_steps",
)
ON_A_GPU = ("out_of_memory", "preallocated", "faster_than_the_host")
# Those of tests/xla, whose compile directory it shares.
FLAGS = (
    f"floatX=float32,base_compiledir={Path(tempfile.gettempdir()) / 'theano-colab-xla'},"
    "on_opt_error=raise,blas.ldflags=,cmodule.remove_gxx_opt=True,compile.wait=1"
)

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("theano", "jax"))),
    reason="Theano or JAX is missing: `make xla` has an environment",
)
gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not os.path.exists("/dev/nvidia0"), reason="no GPU here"),  # noqa: PTH110  # a device file
]


def run(name: str, flags: str, **variables: str) -> str:
    """Run a program in a process of its own and return what it printed."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(HERE.parents[1]), os.getenv("PYTHONPATH")])
        ),
        "THEANO_FLAGS": f"{flags},{FLAGS}",
        **variables,
    }
    program = [sys.executable, HERE / "programs.py", name]
    done = subprocess.run(
        program, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("device", ["xla", pytest.param("cuda", marks=gpu)])
@pytest.mark.parametrize("name", ANYWHERE)
def test_it_computes(name: str, device: str) -> None:
    variables = {"JAX_PLATFORMS": "cpu"} if device == "xla" else {}
    told = run(name, f"device={device}", **variables)
    if name == "tutorial":
        assert "Used the gpu" in told


@pytest.mark.parametrize("name", [pytest.param(name, marks=gpu) for name in ON_A_GPU])
def test_on_a_gpu_alone(name: str) -> None:
    share = ",gpuarray.preallocate=0.1" if name == "preallocated" else ""
    run(name, f"device=cuda{share}", JAX_PLATFORMS="")


@pytest.mark.parametrize("name", [pytest.param("float32_is_float32", marks=gpu)])
def test_tf32_is_less(name: str) -> None:
    with pytest.raises(AssertionError, match=r"assert .*max"):
        run(name, "device=cuda,xla.precision=tf32", JAX_PLATFORMS="")
