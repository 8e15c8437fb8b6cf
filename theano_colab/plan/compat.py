"""The version matrix of this release, read from compat.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (550, 54, 15), for "3.14.0rc1" (3, 14, 0).

    Trailing zeros are kept; compare prefixes of equal length, or with ``at_least``.
    """
    match = re.match(r"\d+(?:\.\d+)*", version.strip())
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def at_least(version: str, minimum: str) -> bool:
    """Say whether a version is not older than the minimum, missing parts being zero."""
    have, need = numbers(version), numbers(minimum)
    width = max(len(have), len(need))
    return have + (0,) * (width - len(have)) >= need + (0,) * (width - len(need))


@dataclass(frozen=True, slots=True)
class Dependency:
    """A distribution that Theano imports, its oldest usable version, and why that one."""

    name: str
    minimum: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """A CUDA plugin of JAX, and the least JAX, driver and compute capability it runs with."""

    distribution: str
    cuda: str
    since: str
    driver: str
    compute_capability: str
    disk_mb: int


@dataclass(frozen=True, slots=True)
class Compat:
    """What this release builds, needs, was tested with, and can compute on."""

    port: str
    upstream: str
    python_minimum: str
    python_tested: str
    numpy_minimum: str
    dependencies: tuple[Dependency, ...]
    conflicts: tuple[tuple[str, str], ...]
    disk_minimum_mb: int
    gpuarray_capability_below: str
    gpuarray_cudnn_below: int
    jax_minimum: str
    tf32_capability: str
    plugins: tuple[Plugin, ...]


@cache
def compat() -> Compat:
    """Return the matrix that this release ships."""
    data = tomllib.loads(resources.files(__package__).joinpath("compat.toml").read_text("utf-8"))
    return Compat(
        port=data["port"]["version"],
        upstream=data["port"]["upstream"],
        python_minimum=data["python"]["minimum"],
        python_tested=data["python"]["tested"],
        numpy_minimum=data["numpy"]["minimum"],
        dependencies=tuple(Dependency(**entry) for entry in data["dependency"]),
        conflicts=tuple(data["conflicts"].items()),
        disk_minimum_mb=data["disk"]["minimum_mb"],
        gpuarray_capability_below=data["gpuarray"]["compute_capability_below"],
        gpuarray_cudnn_below=data["gpuarray"]["cudnn_below"],
        jax_minimum=data["jax"]["minimum"],
        tf32_capability=data["jax"]["tf32_compute_capability"],
        plugins=tuple(Plugin(**entry) for entry in data["plugin"]),
    )
