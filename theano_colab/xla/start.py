"""Takes into use the devices that Theano's flags name, as ``import theano`` ends."""

from __future__ import annotations

import sys
from typing import Any

from theano_colab.xla import device
from theano_colab.xla.switch import use


def start(config: Any) -> None:
    """Do what ``device``, ``init_gpu_device``, ``contexts`` and ``force_device`` ask for.

    A device that cannot be used is an error in the log and the CPU computes.

    Raises
    ------
    RuntimeError
        Instead, if ``force_device`` is set.
    ValueError
        If the flags contradict each other.
    """
    default = config.device if config.device != "cpu" else ""
    if config.init_gpu_device and default:
        raise ValueError("you must set device=cpu to use init_gpu_device.")
    device.reserve_memory(config.gpuarray.preallocate, default or config.init_gpu_device)
    try:
        if default:
            _tell(config, use(default))
        elif config.init_gpu_device:
            _tell(config, use(config.init_gpu_device, default=False))
        for name, spec in _named(config.contexts):
            _tell(config, use(spec, name=name))
    except (device.DeviceNotFoundError, ValueError) as error:
        if config.force_device:
            raise RuntimeError(f"device={config.device}: {error}") from error
        from theano._port.backend import stay_on_cpu

        stay_on_cpu(config, str(error))


def _named(contexts: str) -> list[tuple[str, str]]:
    """Return the pairs of ``contexts``: "dev0->cuda0;dev1->cuda1"."""
    pairs = []
    for one in filter(None, contexts.split(";")):
        name, arrow, spec = one.partition("->")
        if not arrow:
            raise ValueError(f"contexts: {one!r} is not of the form name->device")
        pairs.append((name.strip(), spec.strip()))
    return pairs


def _tell(config: Any, context: device.Context) -> None:
    if config.print_active_device:
        kind = context.device.device_kind
        print(  # noqa: T201  # where Theano has always said so
            f"Mapped name {context.name} to device {context.spec}: {kind} (XLA)", file=sys.stderr
        )
