"""What a run says of two devices: curves, speed-ups with their range, where one begins to win."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from theano_colab.bench.results import Failure, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano_colab.bench.progress import Bench

NUMPY = "numpy"

LAUNCH_FACTOR = 2.0
"""A call that takes less than this many times the device's shortest is mostly its launch."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One device's measurements of one workload.

    ``name`` is short: "CPU", "GPU", "XLA on the CPU", "NumPy"; ``about`` says which: "Tesla T4".
    ``rows`` are in rising order of size; ``provisional`` of them are still being measured (the
    sizes).
    """

    name: str
    about: str
    device: str
    backend: str
    rows: tuple[Result, ...]
    failures: tuple[Failure, ...] = ()
    provisional: frozenset[int] = frozenset()

    def at(self, size: int) -> Result | None:
        """Return the row of this size, if there is one."""
        return next((row for row in self.rows if row.size == size), None)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two devices at one size: how many times as fast the other is as the base.

    ``low`` and ``high`` come from the quartiles that are farthest apart. ``transfer`` is the ratio
    where data is sent with each call, to a device that is not the CPU. ``why`` says why the other
    is slower, if it is.
    """

    size: int
    base: Result
    other: Result
    speedup: float
    low: float
    high: float
    transfer: float | None
    why: str


def curves(bench: Bench, workload: str) -> tuple[list[Curve], Curve | None]:
    """Return the devices' curves, in the run's order, and NumPy's."""
    rows = [row for row in (*bench.rows, *bench.current) if row.workload == workload]
    now = frozenset(row.size for row in bench.current if row.size is not None)
    found = []
    for device in bench.devices:
        about = bench.about.get(device, {})
        mine = [row for row in rows if _belongs(row, device, about.get("device", device))]
        results = _by_size([row for row in mine if isinstance(row, Result)])
        failures = tuple(row for row in mine if isinstance(row, Failure))
        backend = str(about.get("backend", "")) or next((r.backend for r in results), "")
        current = now if any(row in bench.current for row in mine) else frozenset()
        name = short_name(device, about)
        found.append(Curve(name, model(bench, device), device, backend, results, failures, current))
    numpys = _by_size([row for row in rows if isinstance(row, Result) and row.backend == NUMPY])
    numpy = Curve("NumPy", bench.cpu, NUMPY, NUMPY, numpys) if numpys else None
    return found, numpy


def short_name(device: str, about: dict[str, str | int | float] | None = None) -> str:
    """Return what a device is called in a chart: "CPU", "GPU", "XLA on the CPU"."""
    if device in {"torch", "jax"}:
        return {"torch": "PyTorch", "jax": "JAX"}[device]
    if device == "cpu":
        return "CPU"
    platform = (about or {}).get("platform", "gpu" if device.startswith("cuda") else "")
    number = device.removeprefix("cuda")
    if platform == "gpu":
        return f"GPU {number}" if number.isdigit() else "GPU"
    return "XLA on the CPU" if platform in {"cpu", ""} else str(platform).upper()


def model(bench: Bench, device: str) -> str:
    """Return which device it is: "Tesla T4", "Intel(R) Xeon(R) CPU @ 2.20GHz"."""
    name = bench.about.get(device, {}).get("name")
    return str(name) if name else bench.cpu


def pairs(base: Curve, other: Curve) -> list[Pair]:
    """Return both devices at every size that both have."""
    found = []
    for theirs in other.rows:
        ours = base.at(theirs.size)
        if ours is None:
            continue
        (low, high), (their_low, their_high) = ours.quartiles, theirs.quartiles
        # Of two GPUs both send; a CPU has its data where it is.
        whole = ours.transfer_s or ours.median_s
        sent = None if theirs.transfer_s is None else whole / theirs.transfer_s
        speedup = ours.median_s / theirs.median_s
        found.append(
            Pair(
                theirs.size,
                ours,
                theirs,
                speedup,
                low / their_high,
                high / their_low if their_low else speedup,
                sent,
                _why_slower(ours, theirs, other),
            )
        )
    return found


def crossing(found: Sequence[Pair], name: str) -> tuple[int | None, str]:
    """Return the size from which the other device wins, and the sentence that says so.

    None where it does not win, or wins from the first size on.
    """
    if not found:
        return None, ""
    wins = [pair.speedup > 1 for pair in found]
    who = f"The {name}" if name.startswith(("GPU", "CPU")) else name
    where = "at every size measured" if len(found) > 1 else f"at n = {found[0].size:,}"
    if all(wins):
        return None, f"{who} wins {where}"
    if not any(wins):
        return None, f"{who} is slower {where}"
    last = max(i + 1 for i, (a, b) in enumerate(pairwise(wins)) if a != b)
    size = found[last].size
    if wins[-1]:
        return size, f"{who} wins from n = {size:,}"
    return size, f"{who} wins only below n = {size:,}"


def _why_slower(ours: Result, theirs: Result, curve: Curve) -> str:
    """Say what a device that is slower spends its time on, as far as the numbers tell."""
    sent = theirs.transfer_s
    if theirs.median_s <= ours.median_s:
        if sent is not None and sent > (ours.transfer_s or ours.median_s):
            return "slower with transfer: moving takes longer than computing"
        return ""
    shortest = min(row.median_s for row in curve.rows)
    if len(curve.rows) > 1 and theirs.median_s < LAUNCH_FACTOR * shortest:
        return "slower: a launch takes longer than so small a problem"
    return "slower: the computing itself takes longer"


def _belongs(row: Result | Failure, device: str, said: str | float) -> bool:
    """Return whether a row is of this device: as it was asked for, or as Theano names it."""
    return row.backend != NUMPY and row.device in {device, said}


def _by_size(rows: Sequence[Result]) -> tuple[Result, ...]:
    """Return the rows in rising order; of two at one size the later."""
    return tuple(sorted({row.size: row for row in rows}.values(), key=lambda row: row.size))
