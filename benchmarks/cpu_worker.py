"""One stack's process of cpu.py: makes programs and runs blocks of calls when it is told to.

Python 3.8 runs it as well as today's. A line of JSON in, a line of JSON out:

    {"make": NAME}              compiles the program and calls it three times
    {"call": NAME, "times": N}  calls it N times in a row

The first line out is written when Theano is imported. Every answer has "wall", "own" and
"compiler": seconds by the clock, of CPU time of this process, and of the processes it started.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from functools import partial
from typing import Any, Callable  # noqa: UP035  # Python 3.8


def spent() -> list[float]:
    """Return the clock, this process's CPU seconds, and those of the children that have ended."""
    own, others = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = [usage.ru_utime + usage.ru_stime for usage in (own, others)]
    return [time.perf_counter(), *cpu]


def measured(what: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Return the times that ``what()`` takes, and what it returned."""
    before = spent()
    value = what()
    times = [after - start for start, after in zip(before, spent())]  # noqa: B905  # Python 3.8
    return dict(zip(("wall", "own", "compiler"), times)), value  # noqa: B905  # Python 3.8


def repeat(function: Callable[[], Any], times: int) -> Any:  # noqa: ANN401  # what Theano returns
    """Call ``function``, which takes no arguments, that often; return the last result."""
    for _ in range(times):
        value = function()
    return value


def versions() -> dict[str, str]:
    """Return what a reader must know of this stack."""
    import numpy as np
    import theano

    return {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "theano": theano.__version__,
        # Without the folder, which is this machine's.
        "blas": " ".join(x for x in theano.config.blas.ldflags.split() if not x.startswith("-L")),
        "compiler": theano.gof.cmodule.gcc_version_str,
    }


def main() -> None:
    """Answer until there are no more questions."""
    # What Theano prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(times: dict[str, float], **more: object) -> None:
        answers.write(json.dumps(dict(times, **more)) + "\n")
        answers.flush()

    times, programs = measured(lambda: __import__("cpu_programs"))
    answer(times, versions=versions())
    made = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "make" in question:
            name = question["make"]
            times, made[name] = measured(getattr(programs, name))
            value = repeat(made[name], 3)
            answer(times, value=float(value) if getattr(value, "ndim", 1) == 0 else None)
        else:
            times, _ = measured(partial(repeat, made[question["call"]], question["times"]))
            answer(times)


if __name__ == "__main__":
    main()
