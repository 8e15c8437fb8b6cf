"""How much CPU time ``import theano`` takes in a fresh process.

    python benchmarks/import_time.py --runs 15 --json import_time.json

CPU time is user and system time of the process and of all the processes it waited for (wait4(2)),
so that other programs on the machine hardly count. One run that is not counted comes first: it
compiles what the first import after a setup compiles, and reads the files from disk. An empty
program and ``import numpy`` stand beside it, because every notebook has paid for those already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import report

PROGRAMS = {
    "python alone": "pass",
    "import numpy": "import numpy",
    "import theano": "import theano",
}


def cpu_seconds(python: str, program: str) -> float:
    """Run a program; return its CPU time in seconds, that of its children included."""
    with subprocess.Popen([python, "-c", program]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{python} -c {program!r} failed with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="default: this one")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write every value to this file")
    options = parser.parse_args()
    before = report.machine()
    for program in PROGRAMS.values():
        cpu_seconds(options.python, program)
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    # In turns, so that a machine that slows down slows down all of them.
    for _ in range(options.runs):
        for name, program in PROGRAMS.items():
            seconds[name].append(cpu_seconds(options.python, program))
    values = {name: report.summary(runs) for name, runs in seconds.items()}
    for name, record in values.items():
        print(report.in_words(name, record))
    report.save(options.json, "CPU time of an import", {"cpu_time": values}, before)


if __name__ == "__main__":
    main()
