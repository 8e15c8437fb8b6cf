"""Devices, as old code takes them into use and asks for them while a program runs."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import theano
from theano.compile import optdb
from theano.compile.sharedvalue import shared

from . import device_name

logger = logging.getLogger("theano.device")


def context() -> Any | None:
    """Return the context that computations are moved to by default, None on the CPU."""
    known = sys.modules.get("theano_colab.xla.device")
    if known is None:
        return None
    try:
        return known.get(None)
    except known.ContextNotDefinedError:
        return None


def pygpu() -> Any | None:
    """Return theano.gpuarray where it works by itself, because pygpu can be imported."""
    if find_spec("pygpu") is None:
        return None
    import theano.gpuarray

    return theano.gpuarray if theano.gpuarray.pygpu else None


def change(param: Any, value: str) -> None:
    """Do what ``theano.config.device = value`` asks for; ``param`` is the flag.

    A device that cannot be used is an error in the log and the flag goes on telling what is so;
    with ``force_device`` it is a RuntimeError. Raises ValueError if ``value`` names no device.
    """
    value = param.filter(value)
    if value == param.val:
        return
    if value == "cpu":
        unuse()
    else:
        use(value, force=theano.config.force_device)


def use(
    device: str,
    force: bool = False,
    default_to_move_computation_to_gpu: bool = True,
    move_shared_to_gpu: bool = True,
    preallocate: float | None = None,
) -> None:
    """Take a device into use from now on: theano.gpuarray.use of Theano 1.0.

    Raises RuntimeError if it cannot be used and ``force`` is set; else the log says why.
    """
    spec = device_name(device) or "cuda"
    default = default_to_move_computation_to_gpu and move_shared_to_gpu
    real = pygpu()
    try:
        if spec == "cpu":
            return
        if real is not None and not spec.startswith("xla"):
            real.use(spec, preallocate=preallocate)
        else:
            _use_xla(spec, default, preallocate)
    except (RuntimeError, ValueError, ImportError) as error:
        why = f"device={spec} cannot be used: {error}"
        if force:
            raise RuntimeError(why) from error
        logger.error("%s; %s computes.", why, theano.config.device)
        return
    if default and theano.config.device == "cpu":
        _device_flag().val = spec


def cuda_use(
    device: str,
    force: bool = False,
    default_to_move_computation_to_gpu: bool = True,
    move_shared_float32_to_gpu: bool = True,
    enable_cuda: bool = True,
    test_driver: bool = True,
) -> None:
    """Take a device into use from now on: theano.sandbox.cuda.use("gpu") of Theano 0.9.

    Raises as ``use``, and ValueError if ``device`` is none of "cpu", "gpu", "gpu0" ...
    """
    if not device.startswith(("cpu", "gpu", "cuda")):
        raise ValueError("Invalid device identifier", device)
    use(
        device,
        force=force,
        default_to_move_computation_to_gpu=default_to_move_computation_to_gpu and enable_cuda,
        move_shared_to_gpu=move_shared_float32_to_gpu,
    )


def unuse() -> None:
    """Let the CPU compute what is compiled from now on; what lies on a device stays there."""
    real = pygpu()
    if real is not None and real.pygpu_activated:
        optdb.remove_tags("gpuarray_opt", "fast_run", "fast_compile")
        if real.gpuarray_shared_constructor in shared.constructors:
            shared.constructors.remove(real.gpuarray_shared_constructor)
    elif context() is not None:
        from theano_colab import xla

        xla.leave()
    _device_flag().val = "cpu"


def init_dev(dev: str, name: str | None = None, preallocate: float | None = None) -> None:
    """Make a device known under a context's name, and move nothing there by itself."""
    from theano_colab.xla import use as use_xla

    _reserve(preallocate, device_name(dev))
    use_xla(device_name(dev), name=name, default=False)


def get_context(name: str | None) -> Any:
    """Return the context of this name; raises theano.gpuarray's ContextNotDefined."""
    known = sys.modules.get("theano_colab.xla.device")
    for one in known.registered() if known is not None else ():
        if one.name == name:
            return one
    from theano.gpuarray.type import ContextNotDefined

    raise ContextNotDefined(f"context name {name} not defined")


def list_contexts() -> list[str | None]:
    """Return the names of all contexts."""
    known = sys.modules.get("theano_colab.xla.device")
    return [one.name for one in known.registered()] if known is not None else []


def active_device_number() -> int:
    """Return the number of the GPU in use; raises RuntimeError without one."""
    return int(_active().device.id)


def active_device_name() -> str:
    """Return the name of the GPU in use ("Tesla T4"); raises RuntimeError without one."""
    return str(_active().device.device_kind)


def mem_info() -> tuple[int, int]:
    """Return how many bytes of the GPU's memory are free, and how many there are for Theano.

    Raises RuntimeError without a GPU in use.
    """
    stats = _active().device.memory_stats()
    if stats is None:  # JAX's CPU has none
        raise RuntimeError("no GPU is in use")
    return stats["bytes_limit"] - stats["bytes_in_use"], stats["bytes_limit"]


def synchronize() -> None:
    """Wait until the device in use has computed what it was given; do nothing without one."""
    found = context()
    if found is not None:
        import jax

        # A device computes in the order in which it was asked to.
        (jax.device_put(0, found.device) + 1).block_until_ready()


def __getattr__(name: str) -> Any:
    """Give what old code reads as a variable, as it is at this moment."""
    if name == "in_use":
        return _gpu_in_use()
    if name == "cuda_available":
        return _gpu_in_use() or _has_gpu()
    if name == "why_not":
        return "" if _gpu_in_use() or _has_gpu() else "JAX sees no GPU"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _gpu_in_use() -> bool:
    if theano.config.device == "cpu":
        return False
    found = context()
    return bool(found.is_gpu) if found is not None else pygpu() is not None


def _has_gpu() -> bool:
    """Ask JAX, which starts it, where a driver is; the memory that it may take is limited first."""
    real = pygpu()
    if real is not None:
        return bool(real.pygpu_activated or real.pygpu.gpuarray.count_devices("cuda", 0))
    # NVIDIA's driver has the one on Linux, and the other on Windows' Linux.
    if not [*Path("/dev").glob("nvidia[0-9]*"), *Path("/dev").glob("dxg")]:
        return False
    try:
        import jax

        _reserve(None, "cuda")
        return bool(jax.devices("cuda"))
    except (ImportError, RuntimeError, AssertionError):
        return False


def _active() -> Any:
    found = context()
    if found is None:
        raise RuntimeError("no GPU is in use")
    return found


def _use_xla(spec: str, default: bool, preallocate: float | None) -> None:
    from theano_colab.xla import use as use_xla

    _reserve(preallocate, spec)
    use_xla(spec, default=default)


def _reserve(preallocate: float | None, spec: str) -> None:
    from theano_colab.xla.device import reserve_memory

    reserve_memory(theano.config.gpuarray.preallocate if preallocate is None else preallocate, spec)


def _device_flag() -> Any:
    return type(theano.config).device
