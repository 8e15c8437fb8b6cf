"""A program of pyperf's whose workers time the same function by our timer, right after pyperf.

python pyperf_beside.py FILE [pyperf's options]: a line for each worker, both medians in seconds.
"""

import sys
import time
from pathlib import Path

# Both count the processor's time: the wall's is mostly other programs' on a busy machine.
time.perf_counter = time.process_time

import pyperf  # noqa: E402  # after its clock

from theano_colab.bench.timer import measure  # noqa: E402  # as above

file = Path(sys.argv.pop(1))


def job():
    return sum(i * i for i in range(2000))


runner = pyperf.Runner(program_args=(__file__, str(file)))
result = runner.bench_func("job", job)
if runner.args.worker and not runner.args.calibrate_loops and not runner.args.recalibrate_loops:
    ours = measure(job, budget_s=0.2, clock=time.process_time).median_s
    with file.open("a") as out:
        out.write(f"{result.median()} {ours}\n")
