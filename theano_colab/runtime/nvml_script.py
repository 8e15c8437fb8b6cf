"""Asks NVML and prints one JSON line; run as a script in a process of its own, by gpu.py.

Calls: https://docs.nvidia.com/deploy/nvml-api. Older bindings answer with bytes, newer ones with
str. ``nvmlShutdown`` is always called.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ON = ("off", "on")
_COMPUTE_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")


def main() -> None:
    """Print {"release", "cuda", "gpus", "remarks"} or {"missing": reason}."""
    print(json.dumps(_ask()))  # noqa: T201  # its answer


def _ask() -> dict[str, Any]:
    try:
        import pynvml
    except Exception as error:  # noqa: BLE001  # whatever a broken installation raises
        return {"missing": f"nvidia-ml-py cannot be imported: {error}"}
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return {"missing": _text(error)}
    try:
        return _record(pynvml)
    except pynvml.NVMLError as error:
        return {"missing": _text(error)}
    finally:
        pynvml.nvmlShutdown()


def _record(nvml: Any) -> dict[str, Any]:  # noqa: ANN401  # a module without published types
    gpus: list[dict[str, Any]] = []
    remarks: list[str] = []
    release = _text(nvml.nvmlSystemGetDriverVersion())
    ask_cuda = getattr(nvml, "nvmlSystemGetCudaDriverVersion_v2", None)
    cuda = (ask_cuda or nvml.nvmlSystemGetCudaDriverVersion)()
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            capability = list(nvml.nvmlDeviceGetCudaComputeCapability(handle))
            instances = _mig_instances(nvml, handle)
            if instances == []:
                remarks.append(f"GPU {index} is in MIG mode and has no instance that we may use")
            gpus += [
                {
                    "index": index,
                    "name": _text(nvml.nvmlDeviceGetName(part)),
                    **_memory(nvml, part),
                    "compute_capability": capability,
                    "state": _state(nvml, handle, part),
                }
                for part in ([handle] if instances is None else instances)
            ]
        except nvml.NVMLError as error:
            remarks.append(f"GPU {index}: {_text(error)}")
    return {
        "release": release,
        "cuda": [cuda // 1000, cuda % 1000 // 10],
        "gpus": gpus,
        "remarks": remarks,
    }


def _memory(nvml: Any, part: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
    memory = nvml.nvmlDeviceGetMemoryInfo(part)
    return {"memory_bytes": int(memory.total), "free": getattr(memory, "free", None)}


def _state(nvml: Any, handle: Any, part: Any) -> dict[str, str]:  # noqa: ANN401  # as above
    """Return what else a GPU tells, in words; ``part`` is its MIG instance, or itself."""
    asked: dict[str, Callable[[], Any]] = {
        "UUID": lambda: nvml.nvmlDeviceGetUUID(part),
        "PCI bus": lambda: nvml.nvmlDeviceGetPciInfo(handle).busId,
        "persistence mode": lambda: _ON[nvml.nvmlDeviceGetPersistenceMode(handle)],
        "compute mode": lambda: _COMPUTE_MODES[nvml.nvmlDeviceGetComputeMode(handle)],
        "MIG mode": lambda: _ON[nvml.nvmlDeviceGetMigMode(handle)[0]],
        "display": lambda: _ON[nvml.nvmlDeviceGetDisplayActive(handle)],
        "ECC": lambda: _ON[nvml.nvmlDeviceGetEccMode(handle)[0]],
        "ECC errors": lambda: str(nvml.nvmlDeviceGetTotalEccErrors(handle, 1, 0)),
        "performance state": lambda: f"P{nvml.nvmlDeviceGetPerformanceState(handle)}",
        "temperature": lambda: f"{nvml.nvmlDeviceGetTemperature(handle, 0)} C",
        "fan": lambda: f"{nvml.nvmlDeviceGetFanSpeed(handle)}%",
        "power": lambda: f"{nvml.nvmlDeviceGetPowerUsage(handle) / 1000:.0f} W",
        "power limit": lambda: f"{nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000:.0f} W",
        "busy": lambda: f"{nvml.nvmlDeviceGetUtilizationRates(handle).gpu}%",
        "processes": lambda: str(len(nvml.nvmlDeviceGetComputeRunningProcesses(part))),
    }
    found = {}
    for name, ask in asked.items():
        # Not every GPU has a fan, and not every release of the bindings every call.
        with contextlib.suppress(nvml.NVMLError, AttributeError, LookupError, TypeError):
            found[name] = _text(ask())
    return found


def _mig_instances(nvml: Any, handle: Any) -> list[Any] | None:  # noqa: ANN401  # as above
    """Return the handles of a GPU's MIG instances; None for a GPU that is not in MIG mode."""
    try:
        current, _pending = nvml.nvmlDeviceGetMigMode(handle)
    except (nvml.NVMLError, AttributeError):  # "Not Supported", as on a T4; or old bindings
        return None
    if not current:
        return None
    found = []
    for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number))
        except nvml.NVMLError:  # a slot without an instance
            continue
    return found


def _text(answer: object) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


if __name__ == "__main__":
    main()
