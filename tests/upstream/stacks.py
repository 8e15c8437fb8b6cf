"""The stacks that Theano's tests run on: an interpreter, and a folder that holds ``theano/``."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from headers import precompile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envs import PinSet

HERE = Path(__file__).parent
NATIVE = "native"
NATIVE_PYTHON = "3.8"
# What Theano's own CI ran with. The first shows warnings of old bugs, the others make an
# optimization that fails an error, where Theano would log it and go on.
FLAGS = "warn.ignore_bug_before=all,on_opt_error=raise,on_shape_error=raise"
_ASK = """
import json, platform, importlib
import numpy, pytest
found = {"python": platform.python_version(), "pytest": pytest.__version__}
for name in ("numpy", "scipy", "theano"):
    try:
        found[name] = importlib.import_module(name).__version__
    except (ImportError, AttributeError):
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Stack:
    """Where the tests run. ``build`` changes with Theano's code: other results may come of it."""

    name: str
    python: Path
    root: Path
    build: str
    folder: Path
    quick: bool = False  # C code without optimization
    xla: bool = False  # the XLA backend in the default mode

    @property
    def results(self) -> Path:
        """The file that every outcome is appended to."""
        return self.folder / "results.jsonl"

    def environment(self) -> dict[str, str]:
        """Return the variables of a process that runs Theano's tests here."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        compiled = (
            self.folder
            / "compiled"
            / f"{self.build.partition('+')[0]}{'-quick' if self.quick else ''}"
        )
        return {
            **kept,
            "HOME": str(home),
            "PYTHONPATH": os.pathsep.join(
                (str(HERE), *((str(HERE.parents[1]),) if self.xla else ()), str(self.root))
            ),
            "JAX_PLATFORMS": "cpu",
            "PYTHONHASHSEED": "0",  # the same order of tests, and of nodes, in every process
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            # Two workers share the machine; and sums come in the same order every time.
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            "THEANO_FLAGS": f"base_compiledir={compiled},compile.wait=1,"
            f"cmodule.remove_gxx_opt={self.quick},gcc.cxxflags=-pipe,{FLAGS}",
        }

    def with_headers(self) -> dict[str, str]:
        """Return the same variables, with the compiler reading precompiled headers.

        The port precompiles its own, unless it is given some.
        """
        plain = self.environment()
        if self.name != NATIVE:
            return plain
        level = "-O0" if self.quick else "-O3"
        header = precompile(self.python, plain, level, self.folder / "headers")
        flags = plain["THEANO_FLAGS"].replace("-pipe", f"-pipe -include{header}")
        return {**plain, "THEANO_FLAGS": flags}

    def versions(self) -> dict[str, str]:
        """Return the versions that a result is to be read with."""
        answer = subprocess.run(
            [self.python, "-c", _ASK],
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(answer.stdout.splitlines()[-1])


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one run at a time make and use what a stack's folder holds.

    Raises
    ------
    BlockingIOError
        If another run does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def there(name: str, python: Path, root: Path, cache: Path) -> Stack:
    """Return a stack that somebody else made: ``python`` has pytest, ``root`` holds ``theano/``."""
    return Stack(name, python.absolute(), root.resolve(), "there", cache / name)


def native(cache: Path) -> Stack:
    """Return the native stack, made now if it is not there yet.

    Raises
    ------
    LookupError
        If this machine has no Python 3.8.
    """
    import envs

    from theano_colab.port.archive import kept
    from theano_colab.port.sdist import THEANO

    python = envs.find_python(NATIVE_PYTHON)
    if python is None:
        raise LookupError(f"the native stack needs Python {NATIVE_PYTHON}, which was not found")
    folder = cache / NATIVE
    pins = [HERE / "native.txt", HERE / "tools.txt"]
    environment = _environment(folder, python, pins, lambda to: _run(python, "-m", "venv", to))
    root = folder / THEANO.file.removesuffix(".tar.gz")
    if not (root / "theano").exists():
        with tarfile.open(kept(THEANO, cache / "sdist")) as archive:
            archive.extractall(folder, filter="data")
    return Stack(NATIVE, environment / "bin/python", root, "sdist", folder)


def port(pins_name: str, cache: Path) -> Stack:
    """Return the port, as it is in this checkout, in an environment of this pin set.

    Raises
    ------
    LookupError
        If there is no such pin set, or this machine has no Python for it.
    """
    import envs

    pins = {pins.name: pins for pins in envs.pin_sets()}.get(pins_name)
    if pins is None:
        raise LookupError(f"no pin set {pins_name} in {envs.PINS}")
    return _with_port(pins_name, pins, cache)


def xla(pins_name: str, cache: Path) -> Stack:
    """Return the port beside JAX, in an environment of this pin set of the XLA backend's tests.

    Raises
    ------
    LookupError
        If there is no such pin set, or this machine has no Python for it.
    """
    import envs

    found = _with_port(f"xla-{pins_name}", envs.xla_pins(pins_name), cache)
    code = sorted((HERE.parents[1] / "theano_colab/xla").rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in code)).hexdigest()
    return replace(found, build=f"{found.build}+{digest[:8]}", xla=True)


def _with_port(name: str, pins: PinSet, cache: Path) -> Stack:
    """Return the port of this checkout in an environment of a pin set."""
    import envs

    from theano_colab.port import build_port, fingerprint

    folder, build = cache / name, fingerprint()[:16]
    environment = _environment(
        folder, pins.key(), [HERE / "tools.txt"], lambda to: envs.copy(envs.make(pins), to)
    )
    installed = environment / "port.txt"
    if not installed.exists() or installed.read_text() != build:
        installed.unlink(missing_ok=True)
        shutil.rmtree(folder / "compiled", ignore_errors=True)
        wheel = build_port(cache)
        _pip(environment, "install", "--no-deps", "--force-reinstall", str(wheel))
        _pip(environment, "install", "six", "scipy")
        installed.write_text(build)
    (site,) = environment.glob("lib/python3*/site-packages")
    return Stack(name, environment / "bin/python", site, build, folder)


def _environment(
    folder: Path, base: str, requirements: list[Path], make: Callable[[Path], object]
) -> Path:
    """Return folder/environment, made by ``make`` and filled, unless it is there from the same."""
    identity = "\n".join([base, *(file.read_text() for file in requirements)])
    environment = folder / "environment"
    finished = environment / "finished.txt"
    if not finished.exists() or finished.read_text() != identity:
        shutil.rmtree(environment, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        make(environment)
        files = [part for file in requirements for part in ("-r", str(file))]
        _pip(environment, "install", *files)
        finished.write_text(identity)
    return environment


def _pip(environment: Path, *arguments: str) -> None:
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check")
    _run(environment / "bin/python", "-m", "pip", *arguments, *quiet)


def _run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)
