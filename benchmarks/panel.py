"""What `%theano bench` promises of its panel, measured in a real kernel, as a front end hears it.

    python benchmarks/panel.py --json panel.json

Five figures, each beside its limit: seconds from Enter to the first measured point in the output;
updates of the output per second; what the panel costs the measured process (the same run with and
without it, in turns: the ratio of the times that it found) and how much of a core it takes to draw;
the timer's medians against a hand-written loop's on the same function, in turns, by the wall's time
and by the processor's (which is right on a busy machine too); seconds that `--quick` takes. Run it
where setup has been run, with ipykernel and jupyter_client, and with the THEANO_FLAGS that setup
printed. A busy machine makes single values large, so runs are repeated: the figure is the best run
where the limit is one of time, and the median of the rounds where it is a ratio. The JSON file has
every value.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report

sys.path.insert(0, str(report.ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
POINT = re.compile(r'<(?:circle|path) class="tcolab-c\d tcolab-(?:dot|hollow)"')
LIMIT_S = 300
TURN_S, BLOCK_S = 0.25, 0.01
BENCH = "%theano bench {} --time {}"
# What both runs of a pair execute; the draw is the notebook's own, or none.
MEASURED = """
import json, psutil
from theano_colab import benchmark, commands
from theano_colab.canvas import Canvas
from theano_colab.show.bench_panel import bench_bundle
_canvas = Canvas()
_cpu = lambda: sum(psutil.Process().cpu_times()[:2])
def _show(panel, final):
    if {drawn}:
        _canvas.draw(lambda: bench_bundle(panel), final=final)
_options = commands.parser("%theano").parse_args("bench {what} --time {seconds}".split())
_before = _cpu()
_state, _ = benchmark.measure(_options, _show)
_found = json.dumps([[r.workload, r.size, r.backend, r.median_s] for r in _state.rows])
_core = (_cpu() - _before) / _state.seconds
"""


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="of each kind (default 3)")
    parser.add_argument("--rounds", type=int, default=15, help="of each ratio (default 15)")
    parser.add_argument("--json", type=Path, help="write every value to this file")
    options = parser.parse_args()
    before = report.machine()
    with kernel() as client:
        run(client, "%load_ext theano_colab")
        # Once for nothing: what is compiled once on a machine is compiled then.
        run(client, "%theano bench dot elemwise --sizes 128 --time 0.5")
        live = [heard(client, BENCH.format("dot --sizes 128..512", 6)) for _ in range(options.runs)]
        quick = [heard(client, "%theano bench --quick") for _ in range(options.runs)]
        pairs = [pair(client, number) for number in range(options.rounds)]
    hand = by_hand(options.rounds)
    values = {
        "first_point_s": min(one["first_point_s"] for one in live + quick),
        "updates_per_s": max(one["updates_per_s"] for one in live),
        "cost": statistics.median(one["ratio"] for one in pairs) - 1,
        "cores": statistics.median(one["cores_drawn"] - one["cores_not"] for one in pairs),
        "cost_quartiles": [
            quartile - 1 for quartile in statistics.quantiles([one["ratio"] for one in pairs])
        ],
        "hand": {name: statistics.median(ratios) - 1 for name, ratios in hand.items()},
        "quick_s": min(one["seconds"] for one in quick),
    }
    low, _, high = (100 * value for value in values["cost_quartiles"])
    wall, cpu = (
        100 * max(abs(value) for name, value in values["hand"].items() if name.endswith(clock))
        for clock in CLOCKS
    )
    print(line("first point after Enter", values["first_point_s"], "s", "<= 5"))
    print(line("updates", values["updates_per_s"], "/s", ">= 4"))
    print(line("panel's cost to what is measured", 100 * values["cost"], "%", "within noise"))
    print(f"{'':<34} {low:8.2f} to {high:.2f} % are the quartiles of {len(pairs)} pairs")
    print(line("drawing it", 100 * values["cores"], "% of a core", "<= 10"))
    print(line("timer against a hand loop, wall", wall, "%", "<= 3"))
    print(line("  by the processor's time", cpu, "%", "<= 3"))
    print(line("--quick", values["quick_s"], "s", "<= 30"))
    runs = {"live": live, "quick": quick, "pairs": pairs, "hand": hand}
    report.save(options.json, "the benchmark's panel", {"figures": values, "runs": runs}, before)


def line(name: str, value: float, unit: str, limit: str) -> str:
    """Return one line of the summary."""
    return f"{name:<34} {value:8.2f} {unit:<12} (asked for: {limit})"


@contextlib.contextmanager
def kernel() -> Iterator[Any]:
    """Start this Python's ipykernel; give its blocking client."""
    from jupyter_client.manager import start_new_kernel

    path = os.pathsep.join(filter(None, [str(report.ROOT), os.environ.get("PYTHONPATH")]))
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": path})
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def messages(client: Any, code: str) -> Iterator[tuple[float, str, dict[str, Any]]]:  # noqa: ANN401  # jupyter_client's
    """Execute code; give each output's time since Enter, its kind and its content."""
    start = time.perf_counter()
    own = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=LIMIT_S)
        if message["parent_header"].get("msg_id") != own:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "error":
            sys.exit("\n".join(content["traceback"]))
        if kind == "status" and content["execution_state"] == "idle":
            yield time.perf_counter() - start, "idle", {}
            return
        yield time.perf_counter() - start, kind, content


def run(client: Any, code: str) -> None:  # noqa: ANN401  # as above
    """Execute code to its end."""
    for _ in messages(client, code):
        pass


def heard(client: Any, code: str) -> dict[str, float]:  # noqa: ANN401  # as above
    """Execute a benchmark; return when the first point came, and how often the output changed."""
    changes: list[float] = []
    shown, first, seconds = "", 0.0, 0.0
    for seconds, kind, content in messages(client, code):
        html = content.get("data", {}).get("text/html", "")
        if kind in {"display_data", "update_display_data"} and html != shown:
            changes.append(seconds)
            shown = html
            if not first and POINT.search(html):
                first = seconds
    gaps = [after - before for before, after in itertools.pairwise(changes)]
    return {
        "first_point_s": first,
        "updates_per_s": len(gaps) / (changes[-1] - changes[0]),
        "longest_gap_s": max(gaps),
        "seconds": seconds,
    }


def pair(client: Any, number: int) -> dict[str, float]:  # noqa: ANN401  # as above
    """Measure with and without the panel, in an order that alternates; return how they compare."""
    found: dict[bool, tuple[float, float]] = {}
    for drawn in (True, False) if number % 2 else (False, True):
        # A call of some microseconds: what else runs shows there first.
        code = MEASURED.format(drawn=drawn, what="elemwise --sizes 10000 --devices cpu", seconds=1)
        run(client, code)
        reply = client.execute(
            "", user_expressions={"rows": "_found", "core": "_core"}, reply=True, timeout=LIMIT_S
        )
        texts = {
            name: value["data"]["text/plain"]
            for name, value in reply["content"]["user_expressions"].items()
        }
        (row,) = [row for row in json.loads(texts["rows"].strip("'")) if row[2] != "numpy"]
        found[drawn] = row[3], float(texts["core"])
    return {
        "drawn_s": found[True][0],
        "not_s": found[False][0],
        "ratio": found[True][0] / found[False][0],
        "cores_drawn": found[True][1],
        "cores_not": found[False][1],
    }


def by_hand(rounds: int) -> dict[str, list[float]]:
    """Return the timer's medians over a hand-written loop's, of some of the bench's functions."""
    # A BLAS with threads on processors that others use too waits for them, now long, now not.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    from theano_colab.bench import timer
    from theano_colab.bench.events import Order
    from theano_colab.bench.point import prepare

    found: dict[str, list[float]] = {}
    for name, size in (("elemwise", 1000), ("dot", 128), ("logreg", 100), ("mlp", 128)):
        call = prepare(Order(name, size, 1.0), "float32", on_cpu=True).mine.call
        for (said, clock), number in itertools.product(CLOCKS.items(), range(rounds)):
            sides = [
                lambda call=call, clock=clock: loop(call, clock),
                lambda call=call, clock=clock: (
                    timer.measure(call, budget_s=TURN_S, clock=clock).median_s
                ),
            ]
            order = (0, 1) if number % 2 else (1, 0)
            medians = {side: sides[side]() for side in order}
            found.setdefault(f"{name} {size} {said}", []).append(medians[1] / medians[0])
    return found


def loop(call: Callable[[], object], clock: Callable[[], float]) -> float:
    """Return the median time of a call, by hand: warmed up, in equal blocks, no collector."""
    call()
    start = clock()
    for _ in range(10):
        call()
    calls = max(1, round(10 * BLOCK_S / (clock() - start)))
    blocks = []
    gc.disable()
    ends = clock() + TURN_S
    while clock() < ends:
        start = clock()
        for _ in range(calls):
            call()
        blocks.append((clock() - start) / calls)
    gc.enable()
    return statistics.median(blocks)


if __name__ == "__main__":
    main()
