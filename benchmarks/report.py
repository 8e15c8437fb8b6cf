"""What every benchmark script here has in common: the machine it ran on, and its JSON file."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge a number: processor, how many, and how busy."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text() if cpuinfo.exists() else "")
    return {
        "processor": model.group(1).strip() if model else platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }


def summary(seconds: Sequence[float]) -> dict[str, Any]:
    """Return the median and the extremes of some runs, and every value."""
    return {
        "median_s": statistics.median(seconds),
        "min_s": min(seconds),
        "max_s": max(seconds),
        "values_s": list(seconds),
    }


def in_words(name: str, record: dict[str, Any]) -> str:
    """Return one line for a `summary`."""
    runs = len(record["values_s"])
    return (
        f"{name:<34} {record['median_s']:8.2f} s"
        f"   ({record['min_s']:.2f} to {record['max_s']:.2f} s, {runs} run{'s' * (runs > 1)})"
    )


def save(path: Path | None, benchmark: str, values: dict[str, Any], before: dict[str, Any]) -> None:
    """Write the values as JSON, with the machine as it was ``before`` they were taken."""
    if path is not None:
        record = {"benchmark": benchmark, "machine": before, **values}
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"written to {path}")
