"""Theano as published on its own stack against the port: call times and a cold compile, in turns.

    .venv/bin/python benchmarks/cpu.py            from the repository's root; 10 to 15 minutes

Makes both stacks if they are not there (Python 3.8 with NumPy 1.19.5, and a Colab pin set with the
port as it is in this checkout), starts a process of each, and has them run blocks of calls in
turns, A B B A: a machine that slows down slows down both. One thread each, and both linked to one
BLAS, the OpenBLAS in scipy's wheel of the port's stack unless --ldflags names another.

A ratio is the port's time over the native stack's: the median over the rounds, each of which gives
one ratio, and their interquartile range. "CPU" is user and system time of the same blocks, which
other programs on the machine disturb less than the clock. check_blas is compared with NumPy's own
product in the same process. Writes every value to benchmarks/results/cpu-DATE.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.append(str(report.ROOT))
sys.path.append(str(report.ROOT / "scripts"))
sys.path.append(str(report.ROOT / "tests" / "upstream"))
import stacks

HERE = Path(__file__).parent
CACHE = report.ROOT / ".cache"

PROGRAMS = ("logistic", "mlp", "lenet", "rnn", "lstm")
COLD = "lenet"
CLOCKS = {"wall": "wall", "own": "CPU"}
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Side:
    """A stack, and the Theano flags that link its C code to the BLAS of both."""

    stack: stacks.Stack
    flags: str

    def environment(self, compiled: Path) -> dict[str, str]:
        """Return the variables of a process that compiles into ``compiled``."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        flags = f"base_compiledir={compiled},floatX=float32,{self.flags}"
        return {
            **kept,
            **THREADS,
            "HOME": str(compiled),
            "PYTHONPATH": str(self.stack.root),
            "PYTHONHASHSEED": "0",
            "THEANORC": os.devnull,
            "THEANO_FLAGS": flags,
        }


class Worker:
    """A process of cpu_worker.py."""

    def __init__(self, side: Side, compiled: Path) -> None:
        compiled.mkdir(parents=True, exist_ok=True)
        self._log = (compiled / "log.txt").open("w")
        self._process = subprocess.Popen(
            [side.stack.python, HERE / "cpu_worker.py"],
            env=side.environment(compiled),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.started = self._answer()

    def ask(self, **question: object) -> dict[str, Any]:
        """Return the answer to a question; see cpu_worker.py."""
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self.close()
            sys.exit(f"the process ended: {Path(self._log.name).read_text()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()


@contextlib.contextmanager
def workers(sides: dict[str, Side], folder: Path) -> Iterator[dict[str, Worker]]:
    """Start one process per side, each with a compile directory in ``folder``."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(contextlib.closing(Worker(side, folder / name)))
            for name, side in sides.items()
        }


def make_sides(pins: str, ldflags: str | None) -> dict[str, Side]:
    """Make both stacks; return them by name, linked to one BLAS."""
    native = stacks.native(CACHE / "upstream")
    port = stacks.port(pins, CACHE / "benchmarks")
    if ldflags is None:
        ask = "import theano; print(theano.config.blas.ldflags)"
        found = subprocess.run(
            [port.python, "-c", ask],
            env=Side(port, "").environment(CACHE / "benchmarks" / "asked"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        ldflags = found.stdout.splitlines()[-1]
    flags = f"blas.ldflags={ldflags}"
    # The header that gives the symbols the prefix of that library is the port's.
    header = port.root / "theano/_port/theano_colab_blas.h"
    renamed = f",gcc.cxxflags=-include{header}" if "THEANO_COLAB_BLAS_PREFIX" in ldflags else ""
    return {"native": Side(native, flags + renamed), "port": Side(port, flags)}


def rounds(
    a: tuple[Worker, str], b: tuple[Worker, str], count: int, seconds: float
) -> dict[str, Any]:
    """Call a and b in blocks of about ``seconds``, A B B A; return both times of each round."""

    def block(side: tuple[Worker, str], times: int) -> dict[str, Any]:
        return side[0].ask(call=side[1], times=times)

    times, took = 1, block(a, 1)["own"]
    while took < seconds / 4:
        times *= 4
        took = block(a, times)["own"]
    times = max(1, round(times * seconds / took))
    taken = []
    for _ in range(count):
        first, second, third, fourth = (block(side, times) for side in (a, b, b, a))
        taken.append(
            {
                clock: [first[clock] + fourth[clock], second[clock] + third[clock]]
                for clock in CLOCKS
            }
        )
    calls = 2 * times
    return {
        "calls_per_round": calls,
        **{
            clock: {
                "a_s": [one[clock][0] / calls for one in taken],
                "b_s": [one[clock][1] / calls for one in taken],
                "ratios": [one[clock][1] / one[clock][0] for one in taken],
            }
            for clock in CLOCKS
        },
    }


def row(name: str, values: dict[str, Any]) -> str:
    """Return a row of the table: ratio and spread by either clock, and the medians in ms."""
    cells = [name]
    for clock in CLOCKS:
        ratios = values[clock]["ratios"]
        lower, middle, upper = statistics.quantiles(ratios, n=4, method="inclusive")
        cells.append(f"{middle:.3f} ({lower:.3f} to {upper:.3f})")
    cells += [f"{statistics.median(values['own'][side]) * 1e3:.3f}" for side in ("a_s", "b_s")]
    return f"| {' | '.join(cells)} |"


def call_times(sides: dict[str, Side], options: argparse.Namespace) -> dict[str, Any]:
    """Time every program on both sides, print the table, return all values."""
    results: dict[str, Any] = {}
    compiled = CACHE / "benchmarks" / "compiled" / sides["port"].stack.build
    with workers(sides, compiled) as both:
        native, port = both["native"], both["port"]
        results["versions"] = {name: one.started["versions"] for name, one in both.items()}
        print("| program | wall, ratio | CPU, ratio | native, CPU ms | port, CPU ms |")
        print("|---|---|---|---|---|")
        for name in options.programs:
            made = [one.ask(make=name)["value"] for one in (native, port)]
            if abs(made[0] - made[1]) > 1e-3 * abs(made[0]):
                sys.exit(f"{name}: the native stack computes {made[0]}, the port {made[1]}")
            values = rounds((native, name), (port, name), options.rounds, options.seconds)
            results[name] = values
            print(row(name, values), flush=True)
        if options.blas:
            for name in ("numpy_gemm", "check_blas"):
                port.ask(make=name)
            pair = (port, "numpy_gemm"), (port, "check_blas")
            results["check_blas"] = rounds(*pair, options.rounds, options.seconds)
            print(row("check_blas (port) over NumPy's gemm", results["check_blas"]), flush=True)
    return results


def cold_compile(sides: dict[str, Side], count: int) -> list[dict[str, Any]]:
    """Import Theano and compile a program where nothing is compiled, in turns; return the times."""
    order = ["native", "port", "port", "native"] * count
    taken = []
    for name in order:
        with tempfile.TemporaryDirectory() as folder:
            worker = Worker(sides[name], Path(folder))
            with contextlib.closing(worker):
                taken.append(
                    {"side": name, "import": worker.started, "make": worker.ask(make=COLD)}
                )
        print(f"cold: {len(taken)} of {len(order)} done", file=sys.stderr, flush=True)
    print(f"\n| cold: import and {COLD} | wall s | waiting s | Python, CPU s | g++, CPU s |")
    print("|---|---|---|---|---|")
    for name in sides:
        for part in ("import", "make"):
            medians = {
                key: statistics.median(one[part][key] for one in taken if one["side"] == name)
                for key in ("wall", "own", "compiler")
            }
            waiting = medians["wall"] - medians["own"] - medians["compiler"]
            numbers = (medians["wall"], waiting, medians["own"], medians["compiler"])
            print(f"| {name}, {part} | {' | '.join(f'{number:.2f}' for number in numbers)} |")
    return taken


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="*", default=PROGRAMS, help=f"of {', '.join(PROGRAMS)}")
    parser.add_argument("--pins", default="colab-2026.08", help="the port's stack")
    parser.add_argument(
        "--rounds", type=int, default=25, help="rounds of A B B A (default 25; 0: no calls)"
    )
    parser.add_argument("--seconds", type=float, default=0.2, help="a block's length (default 0.2)")
    parser.add_argument("--cold", type=int, default=2, help="rounds of cold compiles (default 2)")
    parser.add_argument("--no-blas", dest="blas", action="store_false", help="leave check_blas out")
    parser.add_argument("--ldflags", help="blas.ldflags for both stacks")
    parser.add_argument("--json", type=Path, help="default: benchmarks/results/cpu-DATE.json")
    options = parser.parse_args()
    before = report.machine()
    sides = make_sides(options.pins, options.ldflags)
    results = call_times(sides, options) if options.rounds else {}
    if options.cold:
        results["cold"] = cold_compile(sides, options.cold)
    path = options.json or HERE / "results" / f"cpu-{before['date'][:10]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    report.save(path, "native stack against the port", {"results": results}, before)


if __name__ == "__main__":
    main()
