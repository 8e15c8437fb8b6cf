"""The version matrix of this release, read from compat.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
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
    of: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """A Theano that we rebuild: its name for people, the rebuild's version, the original's."""

    name: str
    version: str
    upstream: str


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
    """What this release builds, needs, was tested with, and can compute on.

    ``distribution`` is the Theano that the rest is about, one of ``ports``.
    """

    distribution: str
    ports: tuple[tuple[str, Port], ...]
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

    @property
    def name(self) -> str:
        """The Theano's name for people."""
        return dict(self.ports)[self.distribution].name

    @property
    def port(self) -> str:
        """The version of the rebuild."""
        return dict(self.ports)[self.distribution].version

    @property
    def upstream(self) -> str:
        """The version of the original."""
        return dict(self.ports)[self.distribution].upstream

    def of(self, distribution: str) -> Compat:
        """Return the matrix of another Theano: what it imports, what stands against it."""
        return replace(
            self,
            distribution=distribution,
            dependencies=tuple(d for d in self.dependencies if d.of in {"", distribution}),
            conflicts=tuple(pair for pair in self.conflicts if pair[0] != distribution),
        )


@cache
def compat() -> Compat:
    """Return the matrix that this release ships."""
    data = tomllib.loads(resources.files(__package__).joinpath("compat.toml").read_text("utf-8"))
    return Compat(
        distribution="theano",
        ports=tuple((name, Port(**entry)) for name, entry in data["ports"].items()),
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
