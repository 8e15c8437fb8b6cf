"""Recorded runtimes to plan for: Colab's six, with and without GPUs, and small changes to them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from theano_colab.runtime.model import Driver, Fact, Gpu, Runtime

FOLDER = Path(__file__).parents[1] / "data" / "runtimes"
RELEASES = tuple(sorted(path.name.removesuffix(".cpu.json") for path in FOLDER.glob("*.cpu.json")))
GIB = 2**30

GPUS = {
    "T4": Gpu(0, "Tesla T4", 15 * GIB, (7, 5)),
    "L4": Gpu(0, "NVIDIA L4", 23 * GIB, (8, 9)),
    "A100": Gpu(0, "NVIDIA A100-SXM4-40GB", 40 * GIB, (8, 0)),
    "H100": Gpu(0, "NVIDIA H100 80GB HBM3", 80 * GIB, (9, 0)),
}
NO_NVML = Fact.absent("NVML Shared Library Not Found", "NVML")


def colab(release: str = RELEASES[-1], gpu: str | None = None, **facts: Any) -> Runtime:
    """A Colab runtime; further facts by name, as a Fact or as the value of one."""
    flavour = "gpu" if gpu else "cpu"
    record = json.loads((FOLDER / f"{release}.{flavour}.json").read_text("utf-8"))
    runtime = Runtime.from_json(record)
    gpus = Fact.found((GPUS[gpu],), "NVML") if gpu else NO_NVML
    driver = Fact.found(Driver("550.54.15", (12, 4)), "NVML") if gpu else NO_NVML
    runtime = dataclasses.replace(runtime, gpus=gpus, driver=driver)
    changes = {n: f if isinstance(f, Fact) else Fact.found(f, "test") for n, f in facts.items()}
    return dataclasses.replace(runtime, **changes)


def with_packages(runtime: Runtime, **versions: str | None) -> Runtime:
    """The runtime with these packages (underscores for dashes) added, or, for None, taken out."""
    packages = dict(runtime.packages.expect())
    for name, version in versions.items():
        packages.pop(name.replace("_", "-"), None)
        if version is not None:
            packages[name.replace("_", "-")] = version
    return dataclasses.replace(runtime, packages=Fact.found(packages, "test"))


def with_flags(runtime: Runtime, flags: str = "", theanorc: str | None = None) -> Runtime:
    """The runtime with THEANO_FLAGS and a .theanorc set by its user."""
    return dataclasses.replace(
        runtime,
        environment=Fact.found({"THEANO_FLAGS": flags}, "test"),
        theanorc=Fact.found({"/root/.theanorc": theanorc} if theanorc else {}, "test"),
    )
