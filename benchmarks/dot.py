"""``T.dot`` through Theano against ``np.dot``, in one process and in turns.

    python benchmarks/dot.py --size 1000 --floatX float32 --time 20 --json dot.json

Run it in an environment that ``theano_colab setup`` has made, with the THEANO_FLAGS it printed.
Prints both medians, their spread, and the ratio of the medians: 1.00 means that Theano costs
nothing beyond the BLAS. Both sides have the same number of threads; the wait between the turns
that keeps their thread pools apart is explained in theano_colab/bench/timer.py.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import report

from theano_colab.bench.results import Failure, Result, ratio
from theano_colab.bench.run import BenchRequest, run


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--floatX", default="float32", choices=["float32", "float64"])
    parser.add_argument("--time", type=float, default=20.0, help="seconds (default 20)")
    parser.add_argument("--threads", type=int, help="for either BLAS (default: one per processor)")
    parser.add_argument("--json", type=Path, help="write both rows to this file")
    options = parser.parse_args()
    before = report.machine()
    request = BenchRequest(
        ("dot",), (options.size,), options.floatX, options.time, threads=options.threads
    )
    rows, about = [], {}
    with contextlib.closing(run(request)) as events:
        for event in events:
            about = event.info if event.kind == "started" else about
            rows += event.rows if event.kind in {"result", "failed"} else ()
    for row in rows:
        if isinstance(row, Failure):
            sys.exit(f"{row.reason}: {row.evidence}")
    results = [row for row in rows if isinstance(row, Result)]
    mine, numpys = results
    for row in results:
        print(
            f"{row.backend:<16} {row.median_s * 1e3:9.3f} ms"
            f"   IQR {row.iqr_s / row.median_s:4.0%} of it, {row.repeats} blocks,"
            f" {row.gflops:.1f} GFLOP/s, {row.threads} threads, {row.blas}"
        )
        if row.detail:
            print(f"  {row.detail}")
    against = ratio(mine, numpys)
    print(f"Theano's median is {against:.3f} times NumPy's; results agree: {mine.agrees}")
    values = {"ratio": against, "about": about, "rows": [row.to_json() for row in results]}
    report.save(options.json, "T.dot against np.dot", values, before)


if __name__ == "__main__":
    main()
