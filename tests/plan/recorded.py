"""Recorded runtimes to plan for: Colab's six, with and without GPUs, and small changes to them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from theano_colab.runtime.model import Fact, Runtime
from theano_colab.runtime.record import load

FOLDER = Path(__file__).parents[1] / "data" / "runtimes"
RELEASES = tuple(sorted(path.name.removesuffix(".cpu.json") for path in FOLDER.glob("*.cpu.json")))
GIB = 2**30

GPUS = {
    name: load(str(FOLDER / f"{RELEASES[-1]}.{name.lower()}.json")).gpus.expect()[0]
    for name in ("T4", "L4", "A100", "H100")
}
NO_NVML = Fact.absent("NVML Shared Library Not Found", "NVML")


def colab(release: str = RELEASES[-1], gpu: str | None = None, **facts: Any) -> Runtime:
    """A Colab runtime; further facts by name, as a Fact or as the value of one."""
    runtime = load(str(FOLDER / f"{release}.{(gpu or 'cpu').lower()}.json"))
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
