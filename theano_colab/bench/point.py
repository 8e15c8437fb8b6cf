"""What one order asks for, made ready: Theano's programs, NumPy's, and what is to be compared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theano_colab.bench import peers, programs
from theano_colab.bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from theano_colab.bench.events import Order
    from theano_colab.bench.programs import Program

CELL = "cell"
"""The workload that is code of the user's own."""

CELL_TOLERANCE = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-10}
"""Of a user's own function, of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Point:
    """One workload at one size, compiled.

    Parameters
    ----------
    mine
        Theano's program, with its data on the device; of a cell, as the cell calls it. It has been
        called once: a device's code is compiled then.
    compile_s
        Wall time of making it, its first call included, in seconds.
    sent
        The same with data that is sent and a result that is brought back; None on the CPU and for a
        cell.
    reference
        NumPy's program, if there is one; ``comparable`` says whether its results are the same.
    """

    mine: Program
    compile_s: float
    sent: Program | None
    reference: Program | None
    comparable: bool
    tolerance: float
    flops: float | None
    bytes: float | None


def needed_bytes(order: Order, floatX: str) -> float:  # noqa: N803  # Theano's name
    """Return the bytes that one call of a workload moves; 0 where that is not known."""
    workload = WORKLOADS.get(order.workload)
    if workload is None:
        return 0.0
    item = np.dtype(floatX).itemsize
    return workload.bytes(order.size, item, workload.batch_of(order.batch))


def prepare_peer(peer: str, order: Order, floatX: str) -> Point:  # noqa: N803  # Theano's name
    """Make the data and compile the peer's program of one order.

    Raises
    ------
    LookupError
        If the peer does not have this workload.
    """
    workload = WORKLOADS.get(order.workload)
    if workload is None:
        raise LookupError(f"{peer} cannot run a Theano function")
    batch = workload.batch_of(order.batch)
    problem = workload.prepare(order.size, floatX, batch)
    start = time.perf_counter()
    mine = peers.program(peer, order.workload, problem)
    mine.call()
    return Point(
        mine=mine,
        compile_s=time.perf_counter() - start,
        sent=None,
        reference=programs.in_numpy(problem),
        comparable=problem.same,
        tolerance=workload.tolerance[floatX],
        flops=workload.flops(order.size, batch),
        bytes=needed_bytes(order, floatX),
    )


def prepare(order: Order, floatX: str, *, on_cpu: bool) -> Point:  # noqa: N803  # Theano's name
    """Make the data and compile the functions of one order.

    Raises
    ------
    Exception
        Whatever the user's own code raises.
    """
    start = time.perf_counter()
    if order.workload == CELL:
        mine = _from_cell(order)
        mine.call()
        compile_s = time.perf_counter() - start
        return Point(mine, compile_s, None, None, True, CELL_TOLERANCE[floatX], None, None)
    workload = WORKLOADS[order.workload]
    batch = workload.batch_of(order.batch)
    problem = workload.prepare(order.size, floatX, batch)
    start = time.perf_counter()
    mine = programs.on_device(problem)
    mine.call()
    return Point(
        mine=mine,
        compile_s=time.perf_counter() - start,
        sent=None if on_cpu else programs.sent(problem),
        reference=programs.in_numpy(problem),
        comparable=problem.same,
        tolerance=workload.tolerance[floatX],
        flops=workload.flops(order.size, batch),
        bytes=needed_bytes(order, floatX),
    )


def _from_cell(order: Order) -> Program:
    """Run the user's code, which makes ``f`` and, if it takes any, its arguments ``args``."""
    np.random.seed(order.size)  # so that both devices get the same numbers
    names: dict[str, object] = {"__name__": "__main__", "n": order.size}
    exec(compile(order.code, "<the cell>", "exec"), names)  # noqa: S102  # the user's own code
    function = names.get("f")
    if not hasattr(function, "maker"):
        raise TypeError("the cell makes no f = theano.function(...)")
    arguments = names.get("args", ())
    return programs.called(
        function, arguments if isinstance(arguments, list | tuple) else [arguments]
    )
