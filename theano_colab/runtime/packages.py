"""Python packages that bear on Theano: on disk, and imported in this very process."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import sys
from pathlib import Path

from theano_colab.runtime import child
from theano_colab.runtime.model import Fact

OF_INTEREST = {
    "theano", "theano-pymc", "pytensor", "pygpu", "lasagne", "keras", "pymc3", "numpy", "scipy",
    "six", "jax", "jaxlib", "torch", "tensorflow", "jax-cuda12-plugin", "jax-cuda12-pjrt",
    "jax-cuda13-plugin", "jax-cuda13-pjrt", "libtpu", "mkl", "ipython", "ipykernel", "ipywidgets",
    "anywidget", "traitlets", "setuptools", "pip", "google-colab", "theano-colab", "nvidia-ml-py",
    "pynvml", "cuda-pathfinder", "filelock", "platformdirs", "packaging", "psutil",
    "h5py", "pyyaml", "keras-applications", "keras-preprocessing", "arviz", "cachetools",
    "deprecat", "dill", "fastprogress", "matplotlib", "pandas", "patsy", "semver",
    "typing-extensions",
}  # fmt: skip
"""Normalised names (PEP 503). Every ``nvidia-*`` package counts as well."""

MODULES = (
    "theano", "pytensor", "pygpu", "lasagne", "keras", "pymc3", "numpy", "scipy", "six", "jax",
    "jaxlib", "torch", "tensorflow", "IPython", "ipykernel", "ipywidgets", "anywidget", "traitlets",
    "setuptools", "pip",
)  # fmt: skip

PYGPU_LIMIT = 8.0
"""Seconds for the import of pygpu, which also imports NumPy and Mako."""

_OF_CONDA = OF_INTEREST | {
    "python", "conda", "conda-build", "libgpuarray", "libblas", "libopenblas", "openblas",
    "cudatoolkit", "cudnn", "nccl", "libstdcxx-ng", "gxx_linux-64",
}  # fmt: skip
_CONDA_RECORD = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-[^-]+\.json")

# The folder's name is NAME-VERSION with dashes in NAME escaped; Debian's has -pyX.Y after it.
_METADATA = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*(?:-[A-Za-z][\w.]*)*)-[^-]+.*\.(dist|egg)-info")


def packages() -> Fact[dict[str, str]]:
    """Return the packages of interest on ``sys.path`` and their versions, the first of each name.

    Reads the names of metadata folders and then only the metadata of those that count: parsing
    that of all of Colab's 700 packages takes over half a second.
    """
    found: dict[str, str] = {}
    for entry in sys.path:
        for name in _names_in(entry or "."):
            if name in found or not (name in OF_INTEREST or name.startswith("nvidia-")):
                continue
            version = _version_in(entry or ".", name)
            if version is not None:
                found[name] = version
    return Fact.found(dict(sorted(found.items())), "metadata folders on sys.path")


def loaded() -> Fact[dict[str, str]]:
    """Return what this process has imported, and the version it says; imports nothing itself.

    A module that says none (half imported, or a bare folder of that name) is "unknown".
    """
    found = {}
    for name in MODULES:
        module = sys.modules.get(name)
        if module is not None:
            # Not getattr: a module's __getattr__ may import or warn.
            found[name] = str(getattr(module, "__dict__", {}).get("__version__") or "unknown")
    if "theano" in found and "theano._version" in sys.modules:
        # The port's __version__ is that of the Theano it stands for; this one tells them apart.
        with contextlib.suppress(Exception):
            found["theano"] = str(sys.modules["theano._version"].get_versions()["version"])
    return Fact.found(found, "sys.modules")


def conda(prefix: str | None = None) -> Fact[dict[str, str]]:
    """Return what of interest conda has installed here, from the names of its records.

    In ``prefix``, else in $CONDA_PREFIX, else in this Python's own.
    """
    folder = Path(prefix or os.environ.get("CONDA_PREFIX") or sys.prefix) / "conda-meta"
    try:
        records = sorted(path.name for path in folder.iterdir())
    except OSError:
        return Fact.absent("this is no conda environment", str(folder))
    matches = filter(None, map(_CONDA_RECORD.fullmatch, records))
    found = {match["name"]: match["version"] for match in matches}
    wanted = {k: v for k, v in found.items() if k in _OF_CONDA or k.startswith("cuda-")}
    return Fact.found(wanted, str(folder))


def ask_pygpu() -> child.Question | None:
    """Start importing pygpu in a process of its own; None where it is not installed.

    It is a compiled module that a new NumPy or Python breaks, and it opens libgpuarray.
    """
    if not any(_version_in(entry or ".", "pygpu") for entry in sys.path):
        return None
    return child.python("-c", "import pygpu; print(pygpu.__version__)", site=True)


def pygpu(question: child.Question | None) -> Fact[str]:
    """Return the version of a pygpu that can be imported; absent too where it is broken."""
    source = "import pygpu in a process of its own"
    if question is None:
        return Fact.absent("pygpu is not installed", "metadata folders on sys.path")
    answer = question.answer(PYGPU_LIMIT)
    version = answer.output.strip()
    if answer.failure is not None or not version:
        return Fact.absent(answer.failure or "it says no version", source)
    return Fact.found(version, source)


def theano_places() -> Fact[tuple[str, ...]]:
    """Return what ``import theano`` may find, in the order of ``sys.path``: the first one wins.

    A folder without ``__init__.py`` does not count: it never wins over a package after it.
    """
    found: dict[str, None] = {}
    for entry in sys.path:
        folder = Path(entry or ".")
        for path in (folder / "theano" / "__init__.py", folder / "theano.py"):
            if path.is_file():
                found[os.path.realpath(path)] = None
    source = "sys.path"
    if not found:
        return Fact.absent("there is no theano on sys.path", source)
    return Fact.found(tuple(found), source)


def pip() -> Fact[str]:
    """Return the version of this Python's pip, without importing it."""
    source = "metadata folders on sys.path"
    versions = (_version_in(entry or ".", "pip") for entry in sys.path)
    version = next((version for version in versions if version is not None), None)
    if version is None:
        return Fact.absent("pip is not installed for this Python", source)
    return Fact.found(version, source)


def normalised(name: str) -> str:
    """Return a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names_in(entry: str) -> list[str]:
    try:
        matches = map(_METADATA.fullmatch, os.listdir(entry))  # noqa: PTH208  # may be a zip file's name
    except OSError:
        return []
    return [normalised(match["name"]) for match in matches if match is not None]


def _version_in(entry: str, name: str) -> str | None:
    """Return the version that the metadata has; None where a broken installation left none."""
    for found in importlib.metadata.distributions(name=name, path=[entry]):
        # The last one is for an egg-info that is a file itself, as Debian's are.
        names = ("METADATA", "PKG-INFO", "")
        text = next((text for text in map(found.read_text, names) if text), "")
        match = re.search(r"(?m)^Version:\s*(\S+)", text)
        if match is not None:
            return match[1]
    return None


def wheel_files(prefix: str) -> list[tuple[Path, str | None]]:
    """Return location and version of each file of the packages whose name starts so.

    From the RECORD that each wheel brings (PEP 376); the first of each name on ``sys.path``.
    """
    files: list[tuple[Path, str | None]] = []
    seen: set[str] = set()
    for entry in sys.path:
        for name in _names_in(entry or "."):
            if not name.startswith(prefix) or name in seen:
                continue
            seen.add(name)
            for found in importlib.metadata.distributions(name=name, path=[entry or "."]):
                record = found.read_text("RECORD") or ""
                paths = (line.rsplit(",", 2)[0].strip('"') for line in record.splitlines())
                version = _version_in(entry or ".", name)
                files += [(Path(str(found.locate_file(path))), version) for path in paths]
    return files
