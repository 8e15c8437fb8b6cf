"""Where this process's Theano computes: its name, and the proof that a function ran there."""

from __future__ import annotations

import collections
import sys
from typing import TYPE_CHECKING, Any

from theano_colab.verify.place import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Iterable


def backend(theano: Any) -> str:  # noqa: ANN401  # Theano has no types
    """Return what computes: "theano C linker", "theano XLA", "theano GPU backend" ..."""
    if theano.config.device == "cpu":
        return "theano C linker" if theano.config.cxx else "theano without a compiler"
    return "theano GPU backend" if _on_pygpu() else "theano XLA"


def about(theano: Any) -> dict[str, str | int | float]:  # noqa: ANN401  # Theano has no types
    """Return what a reader wants to know of the device: its name (but for a CPU), its precision."""
    if theano.config.device == "cpu":
        return {"platform": "cpu"}
    if _on_pygpu():
        from theano.gpuarray.type import get_context

        return {"name": get_context(None).devname, "platform": "gpu"}
    import jax

    from theano_colab.xla import device

    context = device.get(None)
    platform = "gpu" if context.is_gpu else context.device.platform
    named = {} if platform == "cpu" else {"name": str(context.device.device_kind)}
    return {
        **named,
        "platform": platform,
        "jax": jax.__version__,
        "precision": str(theano.config.xla.precision),
    }


def ops(function: Any, *, on_cpu: bool) -> str:  # noqa: ANN401  # Theano has no types
    """Return what a called function consists of: "GpuCluster", "XlaCluster x 2, on the host: Sort".

    Raises
    ------
    CheckFailed
        If nothing of it ran on the device, or some of it ran on one when asked for the CPU.
    """
    nodes = [node.op for node in function.maker.fgraph.toposort()]
    there = [op for op in nodes if _is_cluster(op)]
    if on_cpu:
        if there:
            raise CheckFailed(f"the CPU was asked for, and the graph holds {_counted(there)}")
        return _counted(nodes) if len(nodes) <= 3 else f"{len(nodes)} ops"  # noqa: PLR2004  # short
    if not there:
        raise CheckFailed(f"nothing of the graph runs on the device: {_counted(nodes)}")
    counts = [op.program.counts for op in there if hasattr(op, "program")]
    if counts and all(one.on_host for one in counts):
        reasons = "; ".join(dict.fromkeys(why for one in counts for why in one.reasons))
        raise CheckFailed(f"the device refused it and the host computed it: {reasons}")
    here = [op for op in nodes if not _is_cluster(op) and not _moves(op)]
    return _counted(there) + (f", on the host: {_counted(here)}" if here else "")


def _on_pygpu() -> bool:
    return bool(getattr(sys.modules.get("theano.gpuarray"), "pygpu_activated", False))


def _is_cluster(op: object) -> bool:
    name = type(op).__name__
    return ("Xla" in name and name.endswith("Cluster")) or ("Gpu" in name and not _moves(op))


def _moves(op: object) -> bool:
    """Return whether an op only moves arrays between host and device."""
    name = type(op).__name__
    return "FromHost" in name or name.startswith(("HostFrom", "GpuTo", "XlaTo"))


def _counted(ops: Iterable[object]) -> str:
    counts = collections.Counter(_name(op) for op in ops)
    return ", ".join(name if n == 1 else f"{name} x {n}" for name, n in counts.items()) or "nothing"


def _name(op: object) -> str:
    return str(op) if type(op).__name__ == "Elemwise" and len(str(op)) < 40 else type(op).__name__  # noqa: PLR2004  # fits a cell
