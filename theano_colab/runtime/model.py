"""What is known about a runtime: facts, each with its value or the reason it is missing."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A value and where it was read, or the reason there is none.

    Exactly one of ``value`` and ``missing`` is not None. ``source`` names what was asked: "NVML",
    "/usr/local/cuda/version.json", "sys.version_info", "$COLAB_RELEASE_TAG".
    """

    value: T | None
    source: str
    missing: str | None = None

    @classmethod
    def found(cls, value: T, source: str) -> Fact[T]:
        """Return a fact that has a value."""
        return cls(value=value, source=source)

    @classmethod
    def absent(cls, reason: str, source: str) -> Fact[T]:
        """Return a fact that has none, and why."""
        return cls(value=None, source=source, missing=reason)

    def expect(self) -> T:
        """Return the value; raise LookupError with the reason when there is none."""
        if self.value is None:
            raise LookupError(f"{self.missing} (asked: {self.source})")
        return self.value


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as NVML names it. Memory in bytes."""

    index: int
    name: str
    memory_bytes: int
    compute_capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's kernel driver: its release ("550.54.15") and the highest CUDA it serves (12, 4)."""

    release: str
    cuda: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Toolkit:
    """A CUDA toolkit on disk. ``found_via`` says which search step found it."""

    root: str
    version: str
    found_via: str


@dataclass(frozen=True, slots=True)
class CudaLibrary:
    """A CUDA library (cudart, nvrtc, cublas, cudnn ...) and where it belongs.

    ``origin`` is "wheel", "toolkit" or "system".
    """

    name: str
    version: str | None
    path: str
    origin: str


@dataclass(frozen=True, slots=True)
class CudaFile:
    """A part of CUDA that no program loads as a library, and where it was found.

    ``kind`` is "program" (ptxas), "headers" (their folder), "static" (libcudadevrt.a) or "bitcode"
    (libdevice.10.bc).
    """

    kind: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A program for building: what it calls its version, ``None`` where it did not say."""

    name: str
    path: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Compiler:
    """The C++ compiler Theano would call."""

    path: str
    version: str


@dataclass(frozen=True, slots=True)
class Blas:
    """A BLAS library that C code can link: LP64 integers, Fortran calling convention.

    ``ldflags`` is the text for Theano's ``blas.ldflags``; ``prefix`` is what stands before every
    symbol ("" or "scipy_").
    """

    name: str
    version: str | None
    path: str
    ldflags: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class JaxDevice:
    """A device that JAX offers: platform "cpu", "gpu" or "tpu", and the name of its kind."""

    platform: str
    kind: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """The whole record of one runtime. Every field is a fact; nothing here is a conclusion.

    ``packages`` maps a distribution's normalised name to its version on disk; ``loaded`` maps a
    module's name to the version this very process has imported ("numpy", "theano", "jax", ...).
    ``user_site`` is the folder that pip falls back to by itself where site-packages cannot be
    written; it is absent where pip would not. ``temporary_folder`` is one of this user's own, below
    the temporary directory; it need not exist.
    ``container`` names what contains this system ("docker"); absent on a machine of its own.
    ``python_build`` is what ``sys.version`` says; ``locale`` that of texts ("C.UTF-8").
    ``conda`` maps the packages of a conda environment that bear on Theano to their versions.
    ``tools`` are gcc, clang, cmake and nvcc, as far as they are on PATH.
    ``pygpu`` is the version of a pygpu that can be imported.
    ``processor`` is what lscpu tells, by its own words; ``cpu_features`` what the kernel lists.
    ``cpu_quota`` is how many CPUs' time a container's limit allows; ``memory_bytes`` is free,
    ``memory_total_bytes`` is what the machine has.
    ``pci_gpus`` counts NVIDIA's display controllers on the PCI bus, with or without a driver.
    ``gpu_memory_free`` holds bytes, in the order of ``gpus``, and so does ``gpu_state`` what NVML
    tells of each (PCI bus, UUID, persistence mode, temperature ...). ``driver_library`` is the
    libcuda that a process would open. ``cudnn_header`` is the version in cudnn_version.h.
    ``theano_places`` are the modules and packages called theano on ``sys.path``, in its order: the
    first is imported.
    ``environment`` holds the allow-listed environment variables that bear on Theano or CUDA.
    ``named_paths`` are the absolute paths that those variables and files name, and whether each
    exists.
    ``theanorc`` lists the .theanorc files that Theano would read, by path, with their text.
    """

    front_end: Fact[str]
    colab_release: Fact[str]
    operating_system: Fact[str]
    kernel: Fact[str]
    libc: Fact[str]
    locale: Fact[str]
    machine: Fact[str]
    bits: Fact[int]
    python: Fact[str]
    python_build: Fact[str]
    python_executable: Fact[str]
    pip: Fact[str]
    packages: Fact[dict[str, str]]
    loaded: Fact[dict[str, str]]
    conda: Fact[dict[str, str]]
    pygpu: Fact[str]
    theano_places: Fact[tuple[str, ...]]
    compiler: Fact[Compiler]
    tools: Fact[tuple[Tool, ...]]
    python_headers: Fact[str]
    blas: Fact[tuple[Blas, ...]]
    cpu: Fact[str]
    processor: Fact[dict[str, str]]
    cpu_features: Fact[tuple[str, ...]]
    cpu_count: Fact[int]
    cpu_quota: Fact[float]
    memory_bytes: Fact[int]
    memory_total_bytes: Fact[int]
    disk_free_bytes: Fact[int]
    site_packages: Fact[str]
    site_packages_writable: Fact[bool]
    user_site: Fact[str]
    home_writable: Fact[bool]
    temporary_folder: Fact[str]
    container: Fact[str]
    pci_gpus: Fact[int]
    driver: Fact[Driver]
    driver_library: Fact[str]
    gpus: Fact[tuple[Gpu, ...]]
    gpu_memory_free: Fact[tuple[int, ...]]
    gpu_state: Fact[tuple[dict[str, str], ...]]
    toolkits: Fact[tuple[Toolkit, ...]]
    cuda_libraries: Fact[tuple[CudaLibrary, ...]]
    cuda_files: Fact[tuple[CudaFile, ...]]
    cudnn_header: Fact[str]
    jax_devices: Fact[tuple[JaxDevice, ...]]
    environment: Fact[dict[str, str]]
    theanorc: Fact[dict[str, str]]
    named_paths: Fact[dict[str, bool]]

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values; ``from_json`` reads it back."""
        return {
            field.name: {
                key: value
                for key, value in dataclasses.asdict(getattr(self, field.name)).items()
                if value is not None
            }
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Runtime:
        """Read a record that ``to_json`` wrote; a fact that it lacks is missing: "not recorded".

        Raises
        ------
        TypeError, ValueError, KeyError, AttributeError, IndexError
            If it is not such a record; a note names the fact.
        """
        facts = {}
        hints = _hints(typing.cast("Any", cls))
        for field in dataclasses.fields(cls):
            raw = record.get(field.name, {"source": "record", "missing": "not recorded"})
            (inner,) = typing.get_args(hints[field.name])
            try:
                value = None if "missing" in raw else _build(inner, raw["value"])
                facts[field.name] = Fact(value, raw["source"], raw.get("missing"))
            except Exception as error:
                error.add_note(field.name)
                raise
        return cls(**facts)


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401  # a dataclass
    """Return the types of a dataclass's fields, which Python evaluates anew at every call."""
    return typing.get_type_hints(kind)


def _build(kind: Any, raw: Any) -> Any:  # noqa: ANN401  # JSON in, the annotated type out
    """Make a value of the annotated type from what JSON gives back for it."""
    if dataclasses.is_dataclass(kind):
        known = typing.cast("Any", kind)
        hints = _hints(known)
        return known(**{k: _build(hints[k], v) for k, v in raw.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        inner = [arguments[0]] * len(raw) if Ellipsis in arguments else arguments
        return tuple(_build(k, v) for k, v in zip(inner, raw, strict=True))
    if origin is dict:
        return {k: _build(arguments[1], v) for k, v in raw.items()}
    if isinstance(kind, type) and not isinstance(raw, kind):
        raise TypeError(f"{raw!r} is no {kind.__name__}")
    return raw
