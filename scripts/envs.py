"""Environments like the kernels we serve, made with venv and pip and kept in .envs/.

A pin set (tests/kernel/pins/NAME.txt) is a requirements file whose first line names its Python. Its
environment is made once and never written to again; a test or a demo takes a copy, which it may
spoil and throw away. Copying half a gigabyte takes two seconds, installing it thirty.

Uses the standard library alone, because `make` asks it which Python to use before there is any
environment:

    python3 scripts/envs.py python          the Python that the tools should run on
    python3 scripts/envs.py list            every pin set, and the Python found for it
    python3 scripts/envs.py make NAME...    make these environments and print where they are
    python3 scripts/envs.py wheel           build our wheel and print where it is
    .venv/bin/python scripts/envs.py xla [NAME]   make the environment of the XLA backend's tests
                                            (a pin set of tests/xla/pins with the port of this
                                            checkout) and print its Python
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tests" / "kernel" / "pins"
XLA_PINS = ROOT / "tests" / "xla" / "pins"
NOTEBOOK_PINS = ROOT / "tests" / "demo" / "pins"
PYMC3_PINS = ROOT / "tests" / "libraries" / "pins"
ENVS = ROOT / ".envs"
# Wheels that the port and the libraries were rebuilt as: made once for a checkout.
BUILT = ROOT / "build" / "port"
WHEELS = ROOT / "build" / "wheels"
SERVED = ("3.13", "3.12", "3.11")
"""The Pythons this release serves, Colab's current one first."""
QUIET = ("--quiet", "--quiet", "--disable-pip-version-check")
"""pip's options for: errors only."""


@dataclass(frozen=True)
class PinSet:
    """A requirements file and the Python it is for ("3.13")."""

    name: str
    python: str
    file: Path

    def key(self) -> str:
        """Return a name for the environment that changes with the pins and with the Python."""
        identity = f"{self.file.read_text()}\n{find_python(self.python)}"
        return f"{self.name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def pin_sets() -> list[PinSet]:
    """Return every pin set, by name."""
    return [_read_pins(file) for file in sorted(PINS.glob("*.txt"))]


def colab_like() -> PinSet:
    """Return the newest of Colab's pin sets for which this machine has a Python.

    Raises
    ------
    LookupError
        If it has none of them.
    """
    for pins in reversed(pin_sets()):
        if pins.name.startswith("colab-") and find_python(pins.python):
            return pins
    raise LookupError(f"no Python {', '.join(SERVED)} with venv was found on this machine")


@functools.cache
def find_python(version: str) -> str | None:
    """Return a working interpreter of this minor version, from PATH or from pyenv, or None.

    A pyenv shim is on PATH even where its version is switched off, so each candidate is asked; the
    answer is the real path, which keeps working when HOME is changed.
    """
    candidates = [sys.executable, f"python{version}", "python3"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True))
    for candidate in candidates:
        if shutil.which(candidate):
            ask = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
            answer = subprocess.run(
                [candidate, "-c", ask], capture_output=True, text=True, check=False
            )
            found, _, executable = answer.stdout.strip().partition(" ")
            if answer.returncode == 0 and found == version:
                return str(Path(executable).resolve())
    return None


def make(pins: PinSet) -> Path:
    """Return the environment of a pin set, made now if it is not there yet. Never write to it.

    Raises
    ------
    LookupError
        If this machine has no Python for it.
    subprocess.CalledProcessError
        If venv or pip fails; their output is on stderr.
    """
    python = find_python(pins.python)
    if python is None:
        raise LookupError(f"{pins.name} needs Python {pins.python}, which was not found")
    folder = ENVS / pins.key()
    finished = folder / "finished"
    with _lock(ENVS / f"{folder.name}.lock"):
        if not finished.exists():
            print(f"making the environment {folder.name} ...", file=sys.stderr, flush=True)
            _run(python, "-m", "venv", "--clear", folder)
            _run(folder / "bin/python", "-m", "pip", "install", *QUIET, "-r", pins.file)
            finished.touch()
    return folder


def xla(name: str | None = None) -> Path:
    """Return the Python that the XLA backend's tests run on: JAX and the port of this checkout.

    Old libraries, rebuilt by this checkout, are there, too.

    Raises
    ------
    LookupError
        As ``xla_pins``.
    """
    return with_port(xla_pins(name), "xla", ("lasagne", "keras")) / "bin" / "python"


def with_port(pins: PinSet, prefix: str = "port", libraries: tuple[str, ...] = ()) -> Path:
    """Return the environment of a pin set with the port of this checkout, the newest build of it.

    It is the Theano that the ``libraries`` want. They are rebuilt and installed as well; what they
    need must be in the pin set.

    Raises
    ------
    LookupError
        As ``make``.
    subprocess.CalledProcessError
        As ``make``.
    """
    sys.path.insert(0, str(ROOT))
    from theano_colab.libraries import build, catalogue
    from theano_colab.port import build_port, fingerprint, flavour

    releases = [catalogue.find(name) for name in libraries]
    theano = flavour.by_distribution(releases[0].theano if releases else "theano")
    wanted = {"port": (fingerprint(theano), functools.partial(build_port, flavour=theano))}
    for release in releases:
        make_wheel = functools.partial(build.build_library, release)
        wanted[release.library] = (build.fingerprint(release), make_wheel)
    base = make(pins)
    folder = base.with_name(f"{prefix}-{base.name}")
    with _lock(ENVS / f"{folder.name}.lock"):
        if not folder.exists():
            copy(base, folder)
        for name, (print_of_it, make_wheel) in wanted.items():
            installed = folder / f"{name}.txt"
            if not installed.exists() or installed.read_text() != print_of_it:
                installed.unlink(missing_ok=True)
                options = (*QUIET, "--no-deps", "--force-reinstall")
                _run(folder / "bin/python", "-m", "pip", "install", *options, make_wheel(BUILT))
                installed.write_text(print_of_it)
    return folder


def xla_pins(name: str | None = None) -> PinSet:
    """Return a pin set with JAX: without a name the newest of Colab's that has its Python here.

    Raises
    ------
    LookupError
        If there is no such pin set, or no Python for it.
    """
    return _newest(XLA_PINS, name)


def notebook_pins() -> PinSet:
    """Return the newest of Colab's pin sets for the notebooks that has its Python here.

    Raises
    ------
    LookupError
        If there is no Python for any of them.
    """
    return _newest(NOTEBOOK_PINS)


def pymc3() -> Path:
    """Return the Python that PyMC3's test runs on: PyMC3 and Theano-PyMC of this checkout.

    Raises
    ------
    LookupError
        If there is no Python for it.
    """
    return with_port(_newest(PYMC3_PINS), "pymc3", ("pymc3",)) / "bin" / "python"


def _newest(folder: Path, name: str | None = None) -> PinSet:
    known = [_read_pins(file) for file in sorted(folder.glob("*.txt"), reverse=True)]
    fitting = [
        pins
        for pins in known
        if (pins.name == name if name else pins.name.startswith("colab-"))
        and find_python(pins.python)
    ]
    if not fitting:
        raise LookupError(f"no pin set in {folder} has a Python on this machine")
    return fitting[0]


def copy(environment: Path, to: Path) -> Path:
    """Copy an environment and return the copy.

    A venv finds itself by where its interpreter stands, so a copy works as it is; only the scripts
    in bin/ name their interpreter by its full path and are corrected. Shared libraries, most of an
    environment, are hard links where they can be: pip replaces them, nothing writes to them.
    """
    shutil.copytree(environment, to, symlinks=True, copy_function=_copy_or_link)
    old = os.fsencode(environment / "bin")
    for script in (to / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if old in text:
                script.write_bytes(text.replace(old, os.fsencode(to / "bin")))
    return to


def upon_this(folder: Path) -> Path:
    """Make an environment without pip that sees what this Python has; return its site-packages.

    A venv of a venv would see the packages of the Python below both.
    """
    venv.create(folder, clear=True, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return site


def _copy_or_link(source: str, to: str) -> None:
    if ".so" in Path(source).suffixes:
        with contextlib.suppress(OSError):  # another file system, or one without hard links
            os.link(source, to, follow_symlinks=False)
            return
    shutil.copy2(source, to, follow_symlinks=False)


def wheel() -> Path:
    """Build our wheel from the checkout, unless this very state was built before; return its path.

    Raises
    ------
    subprocess.CalledProcessError
        If the build fails; its output is on stderr.
    """
    sources = [ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")]
    sources += sorted(
        file
        for file in (ROOT / "theano_colab").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.relative_to(ROOT)}\0".encode())
        digest.update(source.read_bytes())
    folder = WHEELS / digest.hexdigest()[:12]
    with _lock(WHEELS / "lock"):
        if not list(folder.glob("*.whl")):
            python = ROOT / ".venv" / "bin" / "python"
            _run(
                python if python.exists() else sys.executable,
                *("-m", "pip", "wheel", *QUIET, "--no-deps", "--wheel-dir", folder, ROOT),
            )
    (built,) = folder.glob("*.whl")
    return built


def _read_pins(file: Path) -> PinSet:
    first = re.match(r"# python: (\d+\.\d+)\n", file.read_text())
    if first is None:
        raise ValueError(f"{file} must begin with a line like '# python: 3.13'")
    return PinSet(file.stem, first[1], file)


def _run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


@contextlib.contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Let one process at a time make a thing: pytest's workers share these folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Answer one of the commands in this module's first lines; return the exit status."""
    match arguments:
        case ["python"]:
            found = next(filter(None, map(find_python, SERVED)), None)
            if found is None:
                print(f"found no Python {', '.join(SERVED)} with venv", file=sys.stderr)
                return 1
            print(found)
        case ["list"]:
            for pins in pin_sets():
                print(f"{pins.name:<16}{pins.python:<6}{find_python(pins.python) or 'not found'}")
        case ["make", *names]:
            known = {pins.name: pins for pins in pin_sets()}
            for name in names:
                print(make(known[name]))
        case ["xla", *names]:
            print(xla(*names[:1]))
        case ["wheel"]:
            print(wheel())
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
