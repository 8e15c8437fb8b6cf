"""The checks themselves, for the process that runs them: this kernel, or a fresh one.

``python -m theano_colab.verify.battery`` runs them in a fresh process and prints one JSON object a
line: {"step": ...} as it goes on, then {"report": ...} or {"failure": ...}.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from theano_colab.verify.place import CheckFailed, Place, place_of

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found true.

    ``device`` is Theano's name for it, ``device_name`` its maker's ("Tesla T4", "" for the CPU in C
    code), ``backend`` what computes there. ``precision`` is that of float32 products on XLA, ""
    elsewhere. ``blas`` is the path of the BLAS library that Theano's compiled code calls, or None
    when NumPy's own routines or a device serve instead; ``max_error`` is the largest relative error
    of all checks; ``import_seconds`` and ``check_seconds`` are wall time.
    """

    theano: str
    numpy: str
    device: str
    device_name: str
    backend: str
    precision: str
    float_x: str
    cxx: str
    compiledir: str
    blas: str | None
    max_error: float
    import_seconds: float
    check_seconds: float


def run(step: Report = lambda _: None) -> Verified:
    """Import Theano in this process, run the checks and return what was found.

    Raises
    ------
    CheckFailed
        If a result differs from NumPy's or is not computed where it should be.
    Exception
        Whatever Theano raises: its own failures keep their type and message.
    """
    step("importing Theano")
    start = time.perf_counter()
    import theano

    imported = time.perf_counter()
    place = place_of(theano)
    programs = (_product, _training, _loop)
    error = max(program(theano, place, step) for program in programs)
    return Verified(
        theano=theano.__version__,
        numpy=np.__version__,
        device=theano.config.device,
        device_name=place.name,
        backend=place.backend,
        precision=place.precision,
        float_x=theano.config.floatX,
        cxx=theano.config.cxx,
        compiledir=theano.config.compiledir,
        blas=_linked_blas(theano) if theano.config.device == "cpu" else None,
        max_error=error,
        import_seconds=imported - start,
        check_seconds=time.perf_counter() - imported,
    )


def _product(theano: Any, place: Place, step: Report) -> float:  # noqa: ANN401  # untyped
    """Check a matrix product with an elementwise function fused behind it."""
    step("compiling a matrix product")
    tensor = theano.tensor
    rng = np.random.default_rng(1)
    a = rng.normal(size=(60, 300)).astype(theano.config.floatX)
    b = rng.normal(size=(300, 70)).astype(theano.config.floatX)
    x, y = tensor.matrix("x"), tensor.matrix("y")
    function = theano.function([x, y], tensor.tanh(tensor.dot(x, y)) * 2 + 1)
    result = function(a, b)
    place.check(function)
    expected = np.tanh(a.astype("float64") @ b.astype("float64")) * 2 + 1
    return _compare("tanh(dot(x, y)) * 2 + 1", result, expected, place.tolerance)


def _training(theano: Any, place: Place, step: Report) -> float:  # noqa: ANN401  # untyped
    """Check a gradient and a shared variable's updates: three steps of a linear regression."""
    step("compiling a training step")
    tensor = theano.tensor
    rng = np.random.default_rng(2)
    data = rng.normal(size=(40, 5)).astype(theano.config.floatX)
    target = rng.normal(size=40).astype(theano.config.floatX)
    weights = theano.shared(np.zeros(5, theano.config.floatX), "w")
    x, y = tensor.matrix("x"), tensor.vector("y")
    cost = ((tensor.dot(x, weights) - y) ** 2).mean()
    gradient = tensor.grad(cost, weights)
    rate = np.asarray(0.1, theano.config.floatX)
    train = theano.function([x, y], cost, updates=[(weights, weights - rate * gradient)])
    by_hand = np.zeros(5)
    wide, wide_target = data.astype("float64"), target.astype("float64")
    for _ in range(3):
        train(data, target)
        by_hand -= 0.1 * 2 * wide.T @ (wide @ by_hand - wide_target) / len(wide)
    if place.runs_all:
        place.check(train, weights)
    what = "three gradient steps on a shared variable"
    return _compare(what, weights.get_value(), by_hand, place.tolerance)


def _loop(theano: Any, place: Place, step: Report) -> float:  # noqa: ANN401  # untyped
    """Check a scan: powers of a vector."""
    step("compiling a loop")
    tensor = theano.tensor
    base = np.linspace(0.5, 1.5, 7).astype(theano.config.floatX)
    x = tensor.vector("x")
    powers, _ = theano.scan(
        lambda power, x: power * x,
        outputs_info=tensor.ones_like(x),
        non_sequences=x,
        n_steps=4,
    )
    function = theano.function([x], powers)
    result = function(base)
    if place.runs_all:
        place.check(function)
    expected = np.stack([base.astype("float64") ** k for k in (1, 2, 3, 4)])
    return _compare("a scan of four steps", result, expected, place.tolerance)


def _compare(
    what: str,
    result: Any,  # noqa: ANN401  # Theano has no types
    expected: np.ndarray[Any, Any],
    tolerance: float,
) -> float:
    """Return the relative error; raise CheckFailed when it is beyond the tolerance or is NaN."""
    if result.shape != expected.shape:
        raise CheckFailed(f"{what}: shape {result.shape} where NumPy has {expected.shape}")
    error = float(np.max(np.abs(result - expected)) / np.max(np.abs(expected)))
    if not error <= tolerance:
        raise CheckFailed(f"{what}: differs from NumPy by {error:.1e}, {tolerance:.0e} allowed")
    return error


def _linked_blas(theano: Any) -> str | None:  # noqa: ANN401  # Theano has no types
    """Return the loaded library that ``blas.ldflags`` names, from the process's own memory map.

    Raises CheckFailed if the flags name libraries and none of them was loaded by the product.
    """
    flags = theano.config.blas.ldflags.split()
    names = [flag[2:].lstrip(":") for flag in flags if flag.startswith("-l")]
    if not names or not theano.config.cxx:
        return None
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return " ".join(names)
    loaded = {line.split(None, 5)[5] for line in maps.read_text().splitlines() if "/" in line}
    stems = [name if ".so" in name else f"lib{name}.so" for name in names]
    for path in sorted(loaded):
        if any(Path(path).name.startswith(stem.split(".so")[0]) for stem in stems):
            return path
    raise CheckFailed(f"{' '.join(flags)}: no such library was loaded by a compiled product")


def _main() -> int:
    def say(**line: object) -> None:
        print(json.dumps(line), flush=True)  # noqa: T201  # the parent process reads these lines

    try:
        report = run(lambda text: say(step=text))
    except Exception as error:  # whatever Theano raises is the answer
        first_line = (str(error).strip().splitlines() or [""])[0]
        say(failure={"type": type(error).__name__, "message": first_line})
        raise
    say(report=asdict(report))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
