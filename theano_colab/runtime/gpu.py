"""The NVIDIA driver and its GPUs, as NVML tells them."""

from __future__ import annotations

import json
from pathlib import Path

from theano_colab.runtime import child
from theano_colab.runtime.model import Driver, Fact, Gpu

LIMIT = 1.5
"""Seconds for NVML's answer; a GPU that is awake gives it in some 30 ms."""

WAKING_LIMIT = 8.0
"""Seconds where a driver is loaded: without nvidia-persistenced it first wakes its GPUs."""

_SCRIPT = Path(__file__).with_name("nvml_script.py")
_LOADED = Path("/proc/driver/nvidia/version")


def ask() -> child.Question:
    """Start asking NVML (read-only)."""
    return child.python(str(_SCRIPT))


Read = tuple[
    Fact[Driver],
    Fact[tuple[Gpu, ...]],
    Fact[tuple[int, ...]],
    Fact[tuple[dict[str, str], ...]],
]


def read(question: child.Question) -> Read:
    """Wait for NVML's answer; return the driver, the GPUs, each one's free bytes and its state.

    CUDA_VISIBLE_DEVICES has no say here: NVML names all GPUs. A GPU in MIG mode appears as its
    instances, each with the index of the GPU it is a part of.
    """
    source = "NVML (nvidia-ml-py)"
    answer = question.answer(WAKING_LIMIT if _LOADED.exists() else LIMIT)
    reason = answer.failure
    record = {}
    if reason is None:
        record = json.loads(answer.output.splitlines()[-1])
        reason = record.get("missing")
    if reason is not None:
        return (
            Fact.absent(reason, source),
            Fact.absent(reason, source),
            Fact.absent(reason, source),
            Fact.absent(reason, source),
        )
    major, minor = record["cuda"]
    driver = Fact.found(Driver(record["release"], (major, minor)), source)
    gpus = tuple(
        Gpu(
            index=gpu["index"],
            name=gpu["name"],
            memory_bytes=gpu["memory_bytes"],
            compute_capability=(gpu["compute_capability"][0], gpu["compute_capability"][1]),
        )
        for gpu in record["gpus"]
    )
    remarks = "; ".join(record["remarks"])
    if not gpus:
        none = remarks or "the driver has no GPU"
        return (
            driver,
            Fact.absent(none, source),
            Fact.absent(none, source),
            Fact.absent(none, source),
        )
    found = Fact.found(gpus, f"{source}; {remarks}" if remarks else source)
    state = Fact.found(tuple(_words(gpu.get("state", {})) for gpu in record["gpus"]), source)
    free = [gpu.get("free") for gpu in record["gpus"]]
    if None in free:
        return driver, found, Fact.absent("these bindings do not say", source), state
    return driver, found, Fact.found(tuple(free), source), state


def _words(state: dict[str, str]) -> dict[str, str]:
    return {str(name): str(value) for name, value in state.items()}
