"""What is this machine? Reads, never writes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from theano_colab.runtime import (
    accelerators,
    blas,
    cuda,
    cuda_files,
    environment,
    frontend,
    gpu,
    host,
    packages,
    processor,
)
from theano_colab.runtime.model import Blas, Fact, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fact", "Runtime", "detect"]

T = TypeVar("T")


def detect(*, jax: bool = False) -> Runtime:
    """Find out what this runtime is, in well under two seconds, without writing anything.

    Never raises: what cannot be found out is a fact that is missing, with the reason. What may
    block or crash (the driver, CUDA's libraries, the compiler, JAX) is asked in processes of its
    own, all at once, each with a time limit.

    Parameters
    ----------
    jax
        Also ask JAX for its devices. That takes seconds, up to ``accelerators.LIMIT``.
    """
    nvml = _start(gpu.ask)
    pathfinder = _start(cuda.ask)
    compiler = _start(host.ask_compiler)
    tools = _start(host.ask_tools)
    lscpu = _start(processor.ask)
    pygpu = _start(packages.ask_pygpu)
    devices = _start(accelerators.ask) if jax else None
    toolkits = _fact(cuda.toolkits)
    facts: dict[str, Fact[Any]] = {
        "front_end": _fact(frontend.front_end),
        "colab_release": _fact(frontend.colab_release),
        "operating_system": _fact(host.operating_system),
        "kernel": _fact(host.kernel),
        "libc": _fact(host.libc),
        "locale": _fact(host.text_locale),
        "machine": _fact(host.machine),
        "bits": _fact(host.bits),
        "python": _fact(host.python),
        "python_build": _fact(host.python_build),
        "python_executable": _fact(host.python_executable),
        "pip": _fact(packages.pip),
        "packages": _fact(packages.packages),
        "loaded": _fact(packages.loaded),
        "conda": _fact(packages.conda),
        "theano_places": _fact(packages.theano_places),
        "container": _fact(host.container),
        "pci_gpus": _fact(host.pci_gpus),
        "driver_library": _fact(cuda.driver_library),
        "cudnn_header": _fact(lambda: cuda.cudnn_header(toolkits.value or ())),
        "python_headers": _fact(host.python_headers),
        "blas": _fact(_blas),
        "cpu": _fact(processor.cpu),
        "cpu_features": _fact(processor.cpu_features),
        "cpu_count": _fact(processor.cpu_count),
        "cpu_quota": _fact(processor.cpu_quota),
        "memory_bytes": _fact(processor.memory_bytes),
        "memory_total_bytes": _fact(processor.memory_total_bytes),
        "disk_free_bytes": _fact(host.disk_free_bytes),
        "site_packages": _fact(host.site_packages),
        "site_packages_writable": _fact(host.site_packages_writable),
        "user_site": _fact(host.user_site),
        "home_writable": _fact(host.home_writable),
        "temporary_folder": _fact(host.temporary_folder),
        "toolkits": toolkits,
        "environment": _fact(environment.environment),
        "theanorc": _fact(environment.theanorc),
        "named_paths": _fact(environment.named_paths),
        "cuda_files": _fact(lambda: cuda_files.files(toolkits.value or ())),
        "compiler": _fact(lambda: host.compiler(compiler())),
        "tools": _fact(lambda: host.tools(tools())),
        "processor": _fact(lambda: processor.processor(lscpu())),
        "pygpu": _fact(lambda: packages.pygpu(pygpu())),
        "cuda_libraries": _fact(lambda: cuda.libraries(pathfinder(), toolkits.value or ())),
    }
    of_nvml = ("driver", "gpus", "gpu_memory_free", "gpu_state")
    facts |= zip(of_nvml, _several(lambda: gpu.read(nvml()), len(of_nvml)), strict=True)
    if devices is None:
        facts["jax_devices"] = Fact.absent("not asked", "detect(jax=False)")
    else:
        facts["jax_devices"] = _fact(lambda: accelerators.read(devices()))
    return Runtime(**{field.name: facts[field.name] for field in dataclasses.fields(Runtime)})


def _blas() -> Fact[tuple[Blas, ...]]:
    source = "files in conda's, the system's and SciPy's library folders"
    found = tuple(Blas(*library) for library in blas.find())
    if not found:
        return Fact.absent("no BLAS library that could be linked", source)
    return Fact.found(found, source)


def _start(ask: Callable[[], T]) -> Callable[[], T]:
    """Start asking now; what fails in it fails where the answer is read."""
    try:
        started = ask()
    except Exception as error:  # noqa: BLE001  # becomes a missing fact
        failure = error

        def fail() -> T:
            raise failure

        return fail
    return lambda: started


def _fact(probe: Callable[[], Fact[T]]) -> Fact[T]:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001  # the contract: a probe that fails is a missing fact
        return _failed(error)


def _several(probe: Callable[[], tuple[Fact[Any], ...]], count: int) -> tuple[Fact[Any], ...]:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001  # as in _fact
        return (_failed(error),) * count


def _failed(error: Exception) -> Fact[Any]:
    """Say which line of which probe failed, so that it can be mended."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_qualname}" if frame is not None else "probe"
    return Fact.absent(f"the probe failed: {type(error).__name__}: {error}", place)
