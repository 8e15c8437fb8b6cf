"""Which tests a run consists of, in units: a test file, one test, or a chunk of a large file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Needs a GPU and libgpuarray, which the port does not serve; see gpuarray_stand_in.py.
GPUARRAY = "theano/gpuarray/"


@dataclass(frozen=True)
class Unit:
    """What one process of pytest runs: a file or a node id, and which chunk of what it holds."""

    target: str
    chunk: int = 1
    chunks: int = 1

    @property
    def name(self) -> str:
        """The unit's name in results and logs."""
        return f"{self.target}[{self.chunk}/{self.chunks}]"


def find_units(root: Path, wanted: list[str], *, gpuarray: bool = False) -> list[Unit]:
    """Return the units for ``wanted``, in that order, or for every test file under ``root``.

    ``wanted`` are files, folders, patterns ("tensor/nnet/tests/test_conv*.py") and node ids, with
    or without "theano/" before them. Those of theano/gpuarray are left out, unless asked for.

    Raises
    ------
    LookupError
        If one of them matches no test file.
    """
    sizes = tomllib.loads((HERE / "chunks.toml").read_text())
    units = {}
    for target in [t for one in (wanted or ["theano"]) for t in _targets(root, one, gpuarray)]:
        chunks = sizes.get(target, 1)
        for chunk in range(1, chunks + 1):
            units[Unit(target, chunk, chunks)] = None
    return list(units)


def read_list(file: Path) -> list[str]:
    """Return the lines of a list of files and node ids, without comments and empty ones."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]


def _targets(root: Path, wanted: str, gpuarray: bool) -> list[str]:
    pattern, colons, node = wanted.partition("::")
    if pattern != "theano" and not pattern.startswith("theano/"):
        pattern = f"theano/{pattern}"
    found = set()
    for path in root.glob(pattern.rstrip("/")):
        found |= set(path.rglob("test_*.py")) if path.is_dir() else {path}
    names = sorted(path.relative_to(root).as_posix() for path in found)
    names = [name for name in names if gpuarray or not name.startswith(GPUARRAY)]
    if not names:
        raise LookupError(f"{wanted} matches no test file under {root}")
    return [name + colons + node for name in names]
