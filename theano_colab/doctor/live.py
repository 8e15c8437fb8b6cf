"""One live check, run as a program in a process of its own: prints one JSON line.

    python -m theano_colab.doctor.live NAME FOLDER [ARGUMENT ...]

FOLDER is a throw-away one. The line is {"text", "numbers"} or {"failure", "evidence"}.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = dict[str, Any]

_MODULE = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "made", 0, -1, 0};
PyMODINIT_FUNC PyInit_made(void) { return PyModule_Create(&definition); }
"""
_SIZE = 384
_ROOM = 300 * 10**6
_TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


def compiler(folder: str, path: str) -> Answer:
    """Compile an extension module, link it, import it."""
    source, target = Path(folder) / "made.cpp", Path(folder) / "made.so"
    source.write_text(_MODULE)
    include = f"-I{sysconfig.get_path('include')}"
    command = [path, "-shared", "-fPIC", include, str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line]
        return _wrong("it does not compile an extension module", (said or [done.stderr])[0][-300:])
    sys.path.insert(0, folder)
    __import__("made")
    return {"text": "compiles and links a module that Python imports"}


def blas(_: str, path: str, prefix: str) -> Answer:
    """Multiply matrices by the library's own sgemm, and compare with NumPy."""
    library = ctypes.CDLL(path)
    sgemm = getattr(library, f"{prefix}sgemm_")
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, _SIZE, _SIZE)).astype("float32")
    out = np.zeros((_SIZE, _SIZE), "float32")
    size, one, zero = ctypes.c_int(_SIZE), ctypes.c_float(1), ctypes.c_float(0)
    n, by = ctypes.byref(size), ctypes.byref

    def call() -> None:
        # Fortran's order: with rows for columns, out = a b is what sgemm(b, a) writes.
        arguments = (by(one), b.ctypes, n, a.ctypes, n, by(zero), out.ctypes, n)
        flat = [x.data_as(ctypes.c_void_p) if hasattr(x, "data_as") else x for x in arguments]
        sgemm(b"N", b"N", n, n, n, *flat)

    call()
    error = _error(out, a.astype("float64") @ b.astype("float64"))
    if not error <= _TOLERANCE["float32"]:
        return _wrong("its matrix product is wrong", f"it differs from NumPy's by {error:.1e}")
    # By the processors' own time: other programs at work here do not make a library slow.
    rate = 2 * _SIZE**3 / _seconds(call, time.process_time) / 1e9
    return {"text": f"a right product, {rate:.0f} GFLOP/s a core", "numbers": {"gflops": rate}}


def theano(folder: str) -> Answer:
    """Compile a function with the flags in force, run it, compare it with NumPy."""
    del folder  # THEANO_FLAGS names it
    began = time.perf_counter()
    import theano as package

    from theano_colab.verify.place import place_of

    imported = time.perf_counter() - began
    tensor, kind = package.tensor, package.config.floatX
    place = place_of(package)
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 60, 60)).astype(kind)
    x, y = tensor.matrix("x"), tensor.matrix("y")
    function = package.function([x, y], tensor.tanh(tensor.dot(x, y)) * 2 + 1)
    result = function(a, b)
    error = _error(result, np.tanh(a.astype("float64") @ b.astype("float64")) * 2 + 1)
    if not error <= place.tolerance:
        return _wrong("a compiled function is wrong", f"it differs from NumPy by {error:.1e}")
    asked, used = _asked_device(), package.config.device
    if asked and asked != used:
        return _wrong(f"Theano computes on {used}, not on {asked}", f"config.device is {used}")
    place.check(function)
    where = f"{used}: {place.name}" if place.name else used
    seconds = time.perf_counter() - began
    text = f"{package.__version__} compiles and is right on {where}, in {seconds:.1f} s"
    return {"text": text, "numbers": {"import_seconds": imported, "seconds": seconds}}


def device(_: str) -> Answer:
    """Compute on JAX's default device, compare with the CPU, and time transfers."""
    import jax

    chosen = jax.devices()[0]
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, _SIZE, _SIZE)).astype("float32")
    with jax.default_matmul_precision("highest"):
        result = np.array(jax.jit(jax.numpy.dot)(jax.device_put(a, chosen), b))
    error = _error(result, a.astype("float64") @ b.astype("float64"))
    if not error <= _TOLERANCE["float32"]:
        return _wrong(f"{chosen.device_kind} computes wrongly", f"it differs by {error:.1e}")
    data = np.ones(1 << 24, "float32")  # 64 MiB: long enough to time, small enough for any GPU
    there = _seconds(lambda: jax.device_put(data, chosen).block_until_ready())
    held = jax.device_put(data, chosen)
    back = _seconds(lambda: np.array(held + 0))
    rates = {"to_device": data.nbytes / there / 1e9, "from_device": data.nbytes / back / 1e9}
    text = (
        f"{chosen.platform} ({chosen.device_kind}) agrees with NumPy; copies at "
        f"{rates['to_device']:.1f} GB/s there, {rates['from_device']:.1f} GB/s back"
    )
    return {"text": text, "numbers": rates}


def folder(_: str, base: str) -> Answer:
    """Look at the folder of Theano's compile directories: may we write, is there room, locks."""
    from theano_colab.runtime.host import existing
    from theano_colab.verify.lock import stale_locks

    place = Path(base)
    nearest = existing(place)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return _wrong(f"{base} cannot be written", f"access({nearest}): no")
    free = shutil.disk_usage(nearest).free
    if free < _ROOM:
        return _wrong(f"the disk of {base} is nearly full", f"{free // 10**6} MB are free")
    if stale := stale_locks(place):
        locks = ", ".join(f"{path} of process {pid}" for path, pid in stale)
        answer = _wrong("a process that is gone has left its lock: Theano waits minutes", locks)
        return {**answer, "verdict": "warn", "remedy": "Run %theano doctor --fix."}
    if not place.is_dir():
        return {"text": f"{base} is not there yet; it can be made"}
    modules = sum(1 for _ in place.glob("compiledir_*/*/*.so"))
    return {"text": f"{base}: {modules} compiled modules, no stale lock, {free / 1e9:.0f} GB free"}


CHECKS: Final[dict[str, Callable[..., Answer]]] = {
    "compiler": compiler,
    "blas": blas,
    "theano": theano,
    "device": device,
    "folder": folder,
}


def _asked_device() -> str:
    from theano_colab.plan.flags import Flags

    return Flags.parse(os.environ.get("THEANO_FLAGS", "")).get("device") or ""


def _error(result: Any, expected: np.ndarray[Any, Any]) -> float:  # noqa: ANN401  # Theano's is untyped
    return float(np.max(np.abs(np.asarray(result) - expected)) / np.max(np.abs(expected)))


def _seconds(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the shortest of three calls, by a clock."""
    times = []
    for _ in range(3):
        began = clock()
        call()
        times.append(clock() - began)
    return max(1e-9, min(times))


def _wrong(failure: str, evidence: str) -> Answer:
    return {"failure": failure, "evidence": evidence.strip()}


def main(name: str, *arguments: str) -> int:
    """Run the check of that name and print its answer."""
    try:
        answer = CHECKS[name](*arguments)
    except Exception as error:  # noqa: BLE001  # whatever is raised is the answer
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        answer = _wrong("it failed", f"{type(error).__name__}: {first}"[:300])
    print(json.dumps(answer), flush=True)  # noqa: T201  # the parent process reads it
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
