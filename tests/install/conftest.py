"""Environments to install into: cheap ones, that see the packages of the tests' environment."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import envs
import pytest

from theano_colab.port import build_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SETUP = Path(__file__).with_name("setup_once.py")
CLOSED = "http://127.0.0.1:1/simple"  # nobody listens on port 1


@dataclass
class Place:
    """A virtual environment and a cache folder, as one kernel has them."""

    environment: Path
    cache: Path
    variables: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()  # a command that runs the Python, such as setpriv
    default_cache: bool = False
    seconds: float = 0.0  # what its first setup took

    @property
    def python(self) -> str:
        return str(self.environment / "bin" / "python")

    @property
    def site(self) -> Path:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.environment / "lib" / name / "site-packages"

    def start(self, *dependencies: str, theano: str = "theano") -> subprocess.Popen[str]:
        """Begin a setup of one of the two Theanos in a process of its own."""
        cache = "-" if self.default_cache else str(self.cache)
        return subprocess.Popen(
            [*self.prefix, self.python, str(SETUP), cache, theano, *dependencies],
            env=self.environ(),
            cwd=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def setup(self, *dependencies: str, theano: str = "theano") -> Told:
        """Run a setup to its end."""
        return self.end(self.start(*dependencies, theano=theano))

    def end(self, process: subprocess.Popen[str]) -> Told:
        """Wait for a setup to end."""
        return Told.read(process, process.communicate(timeout=300)[0])

    def pip(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            [self.python, "-m", "pip", *arguments],
            env=self.environ(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    def freeze(self) -> list[str]:
        return self.pip("freeze", "--all")

    def environ(self) -> dict[str, str]:
        """Return an environment without this machine's pip configuration and without an index."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": CLOSED,
            "PIP_RETRIES": "1",  # with 0 pip does not say that it could not connect
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **self.variables,
        }

    def leftovers(self) -> list[str]:
        """Return what a finished setup must not leave behind."""
        return [str(path) for path in (*self.site.glob("~*"), *self.cache.rglob("*.tmp"))]


@dataclass
class Told:
    """What a setup said: its steps as (index, status, text), and how it ended."""

    steps: list[tuple[int, str, str]]
    end: dict
    returncode: int

    @classmethod
    def read(cls, process: subprocess.Popen[str], output: str) -> Told:
        try:
            lines = [json.loads(line) for line in output.splitlines()]
            steps = [tuple(line["step"]) for line in lines if "step" in line]
            return cls(steps, lines[-1], process.returncode)
        except (ValueError, IndexError):
            raise AssertionError(f"setup said: {output}") from None

    @property
    def outcome(self) -> dict[int, str]:
        """The last status of each step."""
        return {index: status for index, status, _ in self.steps}


@pytest.fixture(scope="session")
def built_cache(tmp_path_factory) -> Path:
    """A cache that holds the sdist, from the configured package index, and the wheel."""
    folder = tmp_path_factory.mktemp("cache")
    build_port(folder)
    return folder


@pytest.fixture(scope="session")
def new_place(built_cache) -> Callable[[Path], Place]:
    """Return what makes a place in a folder."""
    return functools.partial(make_place, built_cache=built_cache)


@pytest.fixture
def place(tmp_path, built_cache) -> Iterator[Place]:
    yield make_place(tmp_path, built_cache)
    shutil.rmtree(tmp_path, ignore_errors=True)  # pytest would keep 30 MB of each test


@pytest.fixture(scope="session")
def installed(tmp_path_factory, built_cache) -> Place:
    """A place after its first setup; not to be changed."""
    place = make_place(tmp_path_factory.mktemp("installed"), built_cache)
    began = time.monotonic()
    assert place.setup().end["damage"] is None
    place.seconds = time.monotonic() - began
    return place


@pytest.fixture
def ready(tmp_path, installed) -> Iterator[Place]:
    """A copy of ``installed``, after a setup of its own that found all in place."""
    for name in ("environment", "cache"):
        shutil.copytree(getattr(installed, name), tmp_path / name, symlinks=True)
    shutil.rmtree(tmp_path / "cache" / "journal")
    place = Place(tmp_path / "environment", tmp_path / "cache")
    assert place.setup().outcome == {0: "kept", 1: "kept"}
    yield place
    shutil.rmtree(tmp_path, ignore_errors=True)


def make_place(folder: Path, built_cache: Path | None = None) -> Place:
    """Make a virtual environment that has pip and the dependencies without installing them."""
    environment, cache = folder / "environment", folder / "cache"
    envs.upon_this(environment)
    place = Place(environment, cache)
    if built_cache is None:
        cache.mkdir()
    else:
        shutil.copytree(built_cache, cache)
    return place


@pytest.fixture
def wheels(tmp_path):
    """A folder, and a function that puts a small wheel into it."""
    folder = tmp_path / "wheels"
    folder.mkdir()

    def make(name: str, requires: str = "") -> Path:
        info = f"{name}-1.0.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        files = {
            f"{name}.py": "",
            f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        return folder

    return make
