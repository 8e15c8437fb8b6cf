"""Where the programs run: an environment with Colab's versions, before it the checkout's port.

THEANO_COLAB_TEST_PINS says which pin sets of tests/xla/pins run: "all" those that have their Python
here, or names separated by commas; by default the newest of Colab's that has one.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import textwrap
import zipfile
from dataclasses import dataclass
from pathlib import Path

import envs
import pytest

from theano_colab.port import build_port, fingerprint

DEVICES = ("cpu", "xla")


def _chosen() -> list[envs.PinSet]:
    names = os.environ.get("THEANO_COLAB_TEST_PINS", "")
    if not names:
        return [envs.xla_pins()]
    known = [envs.xla_pins(file.stem) for file in sorted(envs.XLA_PINS.glob("colab-*.txt"))]
    return [pins for pins in known if names == "all" or pins.name in names.split(",")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        params = [
            pytest.param(pins, id=pins.name, marks=pytest.mark.xdist_group(f"q-{pins.name}"))
            for pins in _chosen()
        ]
        metafunc.parametrize("place", params, scope="session", indirect=True)


@dataclass(frozen=True)
class Place:
    """A Python with Theano, and where it keeps what it compiles."""

    python: Path
    port: Path
    compiled: Path

    def run(self, program: str, flags: str = "", **variables: str) -> tuple[str, str]:
        """Run a program in a fresh process; return what it printed, and its warnings and errors.

        ``flags`` come into THEANO_FLAGS beside what the place itself needs.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("THEANO", "PYTHON"))}
        own = f"base_compiledir={self.compiled},compile.wait=1"
        done = subprocess.run(
            [self.python, "-W", "default", "-c", textwrap.dedent(program)],
            env={
                **inherited,
                "PYTHONPATH": os.pathsep.join([str(self.port), str(envs.ROOT)]),
                "THEANORC": os.devnull,
                "THEANO_FLAGS": f"{own},{flags}",
                "OWN_FLAGS": own,
                "JAX_PLATFORMS": "cpu",
                **variables,
            },
            cwd=self.compiled,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip(), done.stderr


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Place:
    pins: envs.PinSet = request.param
    root = Path(tempfile.gettempdir()) / "theano-colab-questions"
    port = root / fingerprint()[:16]
    if not port.exists():
        scratch = port.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(build_port(envs.BUILT)) as archive:
            archive.extractall(scratch)
        scratch.rename(port)
    compiled = root / f"compiled-{pins.name}"
    compiled.mkdir(exist_ok=True)
    return Place(envs.make(pins) / "bin" / "python", port, compiled)


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """The device of THEANO_FLAGS: XLA's CPU stands in for a GPU."""
    return request.param
