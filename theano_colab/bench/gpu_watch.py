"""Looks at a GPU while others use it: one event a look on stdout, until stdin ends.

Asks NVML (https://docs.nvidia.com/deploy/nvml-api) in a process of its own: a driver that hangs
holds up nobody. A card that does not tell something leaves it out: a T4 knows no fan, a MIG
instance no utilisation.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

from theano_colab.bench.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_S = 0.5
"""Seconds between two looks. NVML's own utilisation is of the last 1/6 to 1 s."""


def main() -> int:
    """Look until nobody listens; return the exit status."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception as error:  # noqa: BLE001  # whatever a broken driver or its bindings raise
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(_index())
        while True:
            sys.stdout.write(_line(look(pynvml, handle)) + "\n")
            sys.stdout.flush()
            readable, _, _ = select.select([sys.stdin], [], [], INTERVAL_S)
            if readable and not sys.stdin.read(1):
                return 0
    except (KeyboardInterrupt, BrokenPipeError, pynvml.NVMLError):
        return 0
    finally:
        pynvml.nvmlShutdown()


def look(nvml: Any, handle: Any) -> dict[str, float]:  # noqa: ANN401  # a module without types
    """Return what the card tells: utilisation in %, memory in bytes, watts, degrees Celsius."""
    found: dict[str, float] = {}

    def ask(answer: Callable[[], dict[str, float]]) -> None:
        try:
            found.update(answer())
        except (nvml.NVMLError, AttributeError):  # not told by this card, or by old bindings
            return

    ask(lambda: {"utilisation": float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)})
    ask(lambda: _memory(nvml.nvmlDeviceGetMemoryInfo(handle)))
    ask(lambda: {"power": nvml.nvmlDeviceGetPowerUsage(handle) / 1e3})
    ask(lambda: {"power_limit": nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3})
    ask(lambda: {"temperature": float(nvml.nvmlDeviceGetTemperature(handle, 0))})
    return found


def _memory(memory: Any) -> dict[str, float]:  # noqa: ANN401  # as above
    return {"memory": float(memory.used), "memory_total": float(memory.total)}


def _line(found: dict[str, float]) -> str:
    return json.dumps(Event("gpu", info=dict(found)).to_json())


def _index() -> int:
    """Return NVML's index of the GPU that CUDA calls 0, where a number tells it."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return int(first) if first.isdigit() else 0


if __name__ == "__main__":
    sys.exit(main())
