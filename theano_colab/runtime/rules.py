"""What the rules for conflicts work with: facts as they ask for them, quotes, versions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from theano_colab.runtime.model import CudaLibrary, Fact, Gpu, Runtime

Found: TypeAlias = Iterator[tuple[dict[str, str], tuple[str, ...]]]
"""Words for the texts of conflicts.toml, and the facts as evidence; once for each conflict."""


class Setting(Protocol):
    """One flag of Theano: its dotted name, its value, and where it was set."""

    @property
    def name(self) -> str:
        """Return the dotted name: "cuda.root"."""

    @property
    def value(self) -> str:
        """Return the value as text."""

    @property
    def origin(self) -> str:
        """Return where it was set: "THEANO_FLAGS", "/root/.theanorc"."""


class Facts:
    """A runtime's facts as the rules ask for them: values, never None where a container will do."""

    def __init__(self, runtime: Runtime, settings: tuple[Setting, ...]) -> None:
        self.runtime = runtime
        self.settings = settings
        self.flags = {setting.name: setting for setting in settings}
        self.packages = runtime.packages.value or {}
        self.environment = runtime.environment.value or {}
        self.loaded = runtime.loaded.value or {}
        self.gpus = runtime.gpus.value or ()
        self.libraries = runtime.cuda_libraries.value or ()
        self.toolkits = runtime.toolkits.value or ()

    def device(self) -> tuple[str, str]:
        """Return the device that the flags name, and where; twice "" where they name none."""
        setting = self.flags.get("device")
        return (
            (setting.value, f"device={setting.value} [{setting.origin}]") if setting else ("", "")
        )

    def package(self, name: str) -> str:
        """Quote a package's version."""
        return f"{name} {self.packages[name]} [{self.runtime.packages.source}]"

    def driver(self) -> str:
        """Quote the driver."""
        driver = self.runtime.driver.expect()
        serves = ".".join(map(str, driver.cuda))
        return f"driver {driver.release} serves CUDA up to {serves} [{self.runtime.driver.source}]"

    def gpu(self, gpu: Gpu) -> str:
        """Quote a GPU's compute capability."""
        has = ".".join(map(str, gpu.compute_capability))
        return f"{gpu.name} has compute capability {has} [{self.runtime.gpus.source}]"

    def toolkit(self) -> str:
        """Quote the toolkit that is found first."""
        first = self.toolkits[0]
        return f"CUDA {first.version} in {first.root} [{first.found_via}]"

    def variable(self, name: str) -> str:
        """Quote an environment variable."""
        return f"{name}={self.environment.get(name, '')} [{self.runtime.environment.source}]"


RULES: dict[str, Callable[[Facts], Found]] = {}


def rule(identifier: str) -> Callable[[Callable[[Facts], Found]], Callable[[Facts], Found]]:
    """Register a function as the rule of that id."""

    def register(function: Callable[[Facts], Found]) -> Callable[[Facts], Found]:
        RULES[identifier] = function
        return function

    return register


def wants_gpu(device: str) -> bool:
    """Say whether a device is an NVIDIA GPU, by its name of today or its old one."""
    return re.fullmatch(r"(cuda|gpu)[0-9]*", device) is not None


def first(facts: Facts, name: str) -> CudaLibrary | None:
    """Return the library of that name that a process would open, if its version is known."""
    found = next((library for library in facts.libraries if library.name == name), None)
    return found if found and numbers(found.version) else None


def quoted(library: CudaLibrary) -> str:
    """Quote a library: name, version, where it belongs, where it is."""
    version = library.version or "of unknown version"
    return f"{library.name} {version}, {library.origin}: {library.path}"


def differ(one: CudaLibrary, other: CudaLibrary) -> bool:
    """Say whether two versions are known and differ in their first two numbers."""
    a, b = numbers(one.version)[:2], numbers(other.version)[:2]
    return bool(a and b) and a != b


def missing(fact: Fact[Any]) -> str:
    """Quote why a fact is missing."""
    return f"{fact.missing} [{fact.source}]"


def counted(fact: Fact[int]) -> str:
    """Quote what was found on the PCI bus."""
    return f"{fact.value} NVIDIA display controller(s) [{fact.source}]"


def counted_gpus(facts: Facts) -> str:
    """Quote the GPUs that the driver lists."""
    names = ", ".join(f"{gpu.index}: {gpu.name}" for gpu in facts.gpus)
    return f"{names} [{facts.runtime.gpus.source}]"


def numbers(version: str | None) -> tuple[int, ...]:
    """Return the leading numbers of a version: (12, 8, 93)."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", (version or "").strip())
    # Nobody counts in five digits and more, but a garbled file may hold thousands.
    return tuple(int(part[:9]) for part in match[0].split(".")) if match else ()


def older(version: str, needed: str) -> bool:
    """Say whether a version is known and older than another, missing parts being zero."""
    have, need = numbers(version), numbers(needed)
    width = max(len(have), len(need))
    return bool(have) and have + (0,) * (width - len(have)) < need + (0,) * (width - len(need))


def same(one: str, other: str) -> bool:
    """Say whether two versions have the same leading numbers."""
    return numbers(one) == numbers(other)


@cache
def data() -> dict[str, Any]:
    """Return conflicts.toml, its rules by id."""
    text = resources.files(__package__).joinpath("conflicts.toml").read_text("utf-8")
    table = tomllib.loads(text)
    table["rule"] = {entry["id"]: entry for entry in table["rule"]}
    return table
