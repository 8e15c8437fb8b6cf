"""Training steps through Theano's XLA backend against the same steps hand-written in JAX.

    python benchmarks/xla.py --device xla --rounds 15 --json xla.json

Both are in one process and take turns, block by block, so that what else the machine does disturbs
both. For each program: seconds until the first result (Theano: graph building, optimization and
compilation; JAX: tracing and compilation), the medians per call, the median over the rounds of the
ratio of the blocks' medians, the ratio of the CPU time of all calls (which is right on a busy
machine too, but says nothing of a GPU), and whether the costs of the first ten steps agree. Needs
the port of Theano and JAX; ``--device cuda`` a GPU.
"""

# ruff: noqa: ANN401  # neither Theano nor JAX publishes the types of what is symbolic or traced

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
# The first result is measured: neither side reads what it compiled in an earlier run.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
STEPS = 10  # whose costs are compared
TOLERANCE = 1e-3  # of a cost, relative


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="xla", help="xla, cuda, cuda1 ... (default: xla)")
    parser.add_argument("--programs", nargs="+", help="default: all")
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument("--block", type=float, default=0.2, help="seconds per block (default 0.2)")
    parser.add_argument("--json", type=Path, help="write every value to this file")
    options = parser.parse_args()
    before = report.machine()
    os.environ["THEANO_FLAGS"] = "device=cpu,floatX=float32," + os.environ.get("THEANO_FLAGS", "")
    import theano

    from theano_colab.xla import use

    context = use(options.device)
    import jax
    import xla_programs

    rows = []
    with jax.default_device(context.device), jax.default_matmul_precision("highest"):
        for name in options.programs or xla_programs.PROGRAMS:
            rows.append(measure(xla_programs, name, options.rounds, options.block))
            print(line(rows[-1]), flush=True)
    about = {
        "device": str(context.device.device_kind),
        "python": platform.python_version(),
        "theano": theano.__version__,
        "jax": jax.__version__,
        "jaxlib": __import__("jaxlib").__version__,
    }
    report.save(options.json, "XLA backend against JAX", {"about": about, "rows": rows}, before)


def measure(programs: Any, name: str, rounds: int, block: float) -> dict[str, Any]:
    """Return what was measured of one program."""
    import numpy as np

    program = programs.PROGRAMS[name](np.random.default_rng(1))
    steps, first, costs = {}, {}, {}
    for side, make in (("jax", programs.jax_step), ("theano", programs.theano_step)):
        start = time.perf_counter()
        steps[side] = make(program)
        costs[side] = [float(steps[side](*program.batch))]
        first[side] = time.perf_counter() - start
        costs[side] += [float(steps[side](*program.batch)) for _ in range(STEPS - 1)]
    times, work = take_turns(steps, program.batch, rounds, block)
    medians = {side: statistics.median(chain(*blocks)) for side, blocks in times.items()}
    ratios = [
        statistics.median(mine) / statistics.median(theirs)
        for mine, theirs in zip(times["theano"], times["jax"], strict=True)
    ]
    return {
        "program": name,
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "ratio_of_cpu_time": work["theano"] / work["jax"],
        "median_s": medians,
        "cpu_s": work,
        "first_s": first,
        "agree": bool(np.allclose(costs["theano"], costs["jax"], rtol=TOLERANCE)),
        "costs": costs,
        "on_host": host_ops(steps["theano"]),
    }


def take_turns(
    steps: dict[str, Callable[..., Any]], batch: list[Any], rounds: int, block: float
) -> tuple[dict[str, list[list[float]]], dict[str, float]]:
    """Return the seconds of every call, by side and round, and the CPU time of a call, by side.

    Who begins changes with the round.
    """
    start = time.perf_counter()
    for step in steps.values():
        step(*batch)
    calls = max(3, int(2 * block / (time.perf_counter() - start)))
    times: dict[str, list[list[float]]] = {side: [] for side in steps}
    work = dict.fromkeys(steps, 0.0)
    for turn in range(rounds):
        for side in sorted(steps, reverse=turn % 2 == 1):
            step, seconds = steps[side], []
            before = time.process_time()
            for _ in range(calls):
                start = time.perf_counter()
                step(*batch)
                seconds.append(time.perf_counter() - start)
            work[side] += (time.process_time() - before) / (calls * rounds)
            times[side].append(seconds)
    return times, work


def host_ops(function: Any) -> list[str]:
    """Return the ops of a function that neither run on the device nor move data."""
    from theano_colab.xla.cluster import XlaCluster
    from theano_colab.xla.transfer import HostFromXla, XlaFromHost

    nodes = function.maker.fgraph.toposort()
    moved = (XlaCluster, HostFromXla, XlaFromHost)
    return sorted(str(node.op) for node in nodes if not isinstance(node.op, moved))


def line(row: dict[str, Any]) -> str:
    """Return one program's numbers as a line."""
    mine, theirs = (row["median_s"][side] * 1e6 for side in ("theano", "jax"))
    first, their_first = (row["first_s"][side] for side in ("theano", "jax"))
    return (
        f"{row['program']:<9} {row['ratio']:5.2f} x (CPU time {row['ratio_of_cpu_time']:.2f} x)"
        f"   Theano {mine:9.0f} us, JAX {theirs:9.0f} us"
        f"   first result {first:5.1f} s and {their_first:5.1f} s"
        f"   {'equal costs' if row['agree'] else 'COSTS DIFFER'}"
        + (f"   on the host: {', '.join(row['on_host'])}" if row["on_host"] else "")
    )


if __name__ == "__main__":
    main()
