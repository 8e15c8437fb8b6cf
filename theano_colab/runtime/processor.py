"""The processor and the memory: model, features, how much of them this process may use."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

from theano_colab.runtime import child
from theano_colab.runtime.model import Fact

LIMIT = 1.5
"""Seconds for lscpu, which reads files and needs 10 ms."""

_CPUINFO = Path("/proc/cpuinfo")


def cpu() -> Fact[str]:
    """Return the processor's model."""
    if not _CPUINFO.exists():
        name = platform.processor()
        unknown: Fact[str] = Fact.absent("the system does not name it", "platform.processor")
        return Fact.found(name, "platform.processor") if name else unknown
    model = _first("model name")
    if model is None:
        return Fact.absent("it names no model (usual on ARM)", str(_CPUINFO))
    return Fact.found(model, str(_CPUINFO))


def cpu_features() -> Fact[tuple[str, ...]]:
    """Return the instruction sets as the kernel names them: ("avx2", "fma"); JAX needs avx."""
    listed = _first("flags") or _first("Features")  # x86's and ARM's word
    if listed is None:
        return Fact.absent("the system does not list them", str(_CPUINFO))
    return Fact.found(tuple(sorted(listed.split())), str(_CPUINFO))


def _first(key: str) -> str | None:
    """Return the first value of that name in /proc/cpuinfo."""
    try:
        found = re.search(rf"(?m)^{key}\s*:\s*(.+)$", _CPUINFO.read_text())
    except OSError:
        return None
    return found[1].strip() if found else None


def ask() -> tuple[str, child.Question] | None:
    """Start asking lscpu; None where there is none."""
    path = shutil.which("lscpu")
    return None if path is None else (path, child.Question([path], {"LC_ALL": "C"}))


def processor(asked: tuple[str, child.Question] | None) -> Fact[dict[str, str]]:
    """Return what lscpu tells but for the features: sockets, cores, caches, vulnerabilities ..."""
    if asked is None:
        return Fact.absent("no lscpu on PATH", "$PATH")
    path, question = asked
    answer = question.answer(LIMIT)
    pairs = (line.partition(":") for line in answer.output.splitlines())
    found = {key.strip(): value.strip() for key, colon, value in pairs if colon}
    found.pop("Flags", None)
    if answer.failure is not None or not found:
        return Fact.absent(answer.failure or "it says nothing", path)
    return Fact.found(found, path)


def cpu_count() -> Fact[int]:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return Fact.found(len(os.sched_getaffinity(0)), "sched_getaffinity")
    return Fact.found(os.cpu_count() or 1, "os.cpu_count")


def cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> Fact[float]:
    """Return how many CPUs' time a container's limit allows, by control groups 2 or 1.

    ``root`` is for tests.
    """
    first = root / "cpu.max"
    second = (root / "cpu/cpu.cfs_quota_us", root / "cpu/cpu.cfs_period_us")
    try:
        quota, period = first.read_text().split()
        source = str(first)
    except (OSError, ValueError):
        try:
            quota, period = (file.read_text().strip() for file in second)
            source = ", ".join(map(str, second))
        except OSError:
            return Fact.absent("no such control group", f"{first}, {second[0]}")
    if not (quota.isdecimal() and period.isdecimal() and int(period)):  # "max", or -1
        return Fact.absent("no limit", source)
    return Fact.found(int(quota) / int(period), source)


def memory_bytes() -> Fact[int]:
    """Return the memory in bytes that can still be had: the machine's, or a container's if less."""
    import psutil

    available = psutil.virtual_memory().available
    left = _container_memory()
    if left is not None and left[0] < available:
        return Fact.found(*left)
    return Fact.found(available, "psutil.virtual_memory().available")


def memory_total_bytes() -> Fact[int]:
    """Return the machine's memory in bytes."""
    import psutil

    return Fact.found(psutil.virtual_memory().total, "psutil.virtual_memory().total")


def _container_memory() -> tuple[int, str] | None:
    """Return what the container's limit leaves, by version 2 or 1 of Linux's control groups.

    https://docs.kernel.org/admin-guide/cgroup-v2.html. A container sees its own group at the root.
    Cached file pages that the kernel can drop (inactive_file) count as used there, and not here.
    """
    root = Path("/sys/fs/cgroup")
    for limit, used, stat in (
        (root / "memory.max", root / "memory.current", root / "memory.stat"),
        (
            root / "memory/memory.limit_in_bytes",
            root / "memory/memory.usage_in_bytes",
            root / "memory/memory.stat",
        ),
    ):
        try:
            left = int(limit.read_text()) - int(used.read_text())
            droppable = re.search(r"(?m)^(?:total_)?inactive_file (\d+)", stat.read_text())
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        return max(0, left + int(droppable[1] if droppable else 0)), f"{limit} less {used.name}"
    return None
