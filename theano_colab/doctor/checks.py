"""The live checks: started in processes of their own, cut off at their limits, judged here."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from theano_colab.runtime import accelerators, child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theano_colab.runtime.model import Runtime

Verdict = Literal["error", "warn", "note", "ok"]
VERDICTS: tuple[Verdict, ...] = ("error", "warn", "note", "ok")
"""Worst first."""

LIMIT = 15.0
"""Seconds from the start of the checks until the last is cut off."""

SLOW_GFLOPS = 2.0
"""A BLAS below this rate a core (float32, 384 x 384) is no faster than plain loops in C."""

SLOW_TRANSFER = 0.5
"""GB/s below which copies to and from a GPU cost more than they bring (PCIe 3.0 x16 has 12)."""

_PIECES = ("__init__.py", "cutils_ext", "lazylinker_ext", "headers", "remembered.json")
"""What every import needs of a compile directory."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was looked at, the verdict, and why.

    ``remedy`` is "" where nothing is to be done; ``seconds`` is wall time of a live check.
    ``numbers`` are what was measured (GFLOP/s, GB/s, seconds); ``id`` names a conflict's rule.
    """

    name: str
    verdict: Verdict
    text: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    seconds: float | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    id: str = ""


_TITLES = {
    "compiler": "C++ compiler",
    "blas": "BLAS",
    "theano": "Theano",
    "device": "Device of XLA",
    "folder": "Compile directory",
}
_REMEDIES = {
    "compiler": "Install a whole g++ and Python's headers (apt install g++ python3-dev).",
    "blas": "Set blas.ldflags to another library, or to nothing (NumPy's own): blas.ldflags=",
    "theano": "Run %theano setup; if it stays so, restart the runtime first.",
    "device": "Restart the runtime; if it stays so, use --device cpu.",
    "folder": "Free some space, or set base_compiledir to a folder that you may write to.",
}


def run(runtime: Runtime, device: str, limit: float = LIMIT) -> tuple[Check, ...]:
    """Run the checks that this runtime allows, all at once; none goes on after ``limit`` seconds.

    ``device`` is what Theano's flags ask for. Nothing is written but in a temporary folder, which
    is removed; Theano compiles into it, beside a copy of what it has compiled for every import.
    """
    skipped = [check for check in _skipped(runtime, device) if check is not None]
    with _temporary() as folder:
        began = time.monotonic()
        questions = dict(_questions(runtime, device, folder))
        # The quick ones first, so that each has its own time.
        checks = [
            _judge(name, question, max(0.1, limit - (time.monotonic() - began)), began)
            for name, question in reversed(questions.items())
        ]
    return (*checks, *skipped)


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="theano-doctor-"))
    try:
        yield folder
    finally:
        # Twice: a compiler that was cut off may have been writing.
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _questions(runtime: Runtime, device: str, folder: Path) -> Iterator[tuple[str, child.Question]]:
    """Start the checks; the one that takes longest first."""
    if _has_theano(runtime):
        compiled = folder / "compiled"
        _seed(compiled, runtime)
        flags = ",".join(filter(None, (os.environ.get("THEANO_FLAGS"), f"compiledir={compiled}")))
        yield "theano", _ask("theano", folder, THEANO_FLAGS=flags)
    if _uses_xla(runtime, device):
        yield "device", _ask("device", folder, TF_CPP_MIN_LOG_LEVEL="3")
    if runtime.compiler.value and runtime.python_headers.value:
        yield "compiler", _ask("compiler", folder, runtime.compiler.value.path)
    if runtime.blas.value:
        library = runtime.blas.value[0]
        yield "blas", _ask("blas", folder, library.path, library.prefix)
    yield "folder", _ask("folder", folder, str(base_compiledir(runtime)))


def _ask(name: str, folder: Path, *arguments: str, **variables: str) -> child.Question:
    environment: dict[str, str | None] = {
        # The old GPU backend's mark stops a child that inherits it (see children.py).
        "THEANO_GPU_IS_ALREADY_ACTIVE": None,
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "CUDA_CACHE_DISABLE": "1",  # else the driver writes into ~/.nv
        "TMPDIR": str(folder),
        **variables,
    }
    module = ("-m", "theano_colab.doctor.live", name, str(folder), *arguments)
    return child.python(*module, environment=environment, site=True)


def _uses_xla(runtime: Runtime, device: str) -> bool:
    return _no_xla(runtime, device) is None


def _no_xla(runtime: Runtime, device: str) -> str | None:
    """Say why XLA's device is not tried; None where it is."""
    # One process may hold a TPU: where it is this one, no other can try it.
    started = accelerators.started()
    if started is not None and any(one.platform == "tpu" for one in started.value or ()):
        return "this process holds the TPU, and no other can"
    if not (device.startswith(("cuda", "gpu", "xla")) or runtime.gpus.value):
        return "there is no GPU, and no flag asks for one: Theano computes on the CPU in C code"
    return None if "jax" in (runtime.packages.value or {}) else "JAX is not installed"


def _skipped(runtime: Runtime, device: str) -> Iterator[Check | None]:
    if not _has_theano(runtime):
        yield Check("Theano", "error", "not installed", _source(runtime), "Run %theano setup.")
    if runtime.compiler.value is None or runtime.python_headers.value is None:
        yield Check("C++ compiler", "note", "not tried: it or Python's headers are missing")
    if not runtime.blas.value:
        evidence = (f"{runtime.blas.missing} [{runtime.blas.source}]",)
        yield Check("BLAS", "note", "none to link: products go through NumPy", evidence)
    if why := _no_xla(runtime, device):
        yield Check("Device of XLA", "note", f"not tried: {why}")


def _has_theano(runtime: Runtime) -> bool:
    return not {"theano", "theano-pymc"}.isdisjoint(runtime.packages.value or {})


def _source(runtime: Runtime) -> tuple[str, ...]:
    return (f"no package theano [{runtime.packages.source}]",)


def _judge(name: str, question: child.Question, limit: float, began: float) -> Check:
    answer = question.answer(limit + (time.monotonic() - began))
    seconds = time.monotonic() - began
    title, remedy = _TITLES[name], _REMEDIES[name]
    if answer.failure is not None and "no answer within" in answer.failure:
        text = "undecided: it was still at work when it was cut off"
        evidence = (f"no answer within {seconds:.0f} s",)
        again = "Run %theano doctor again when the machine is less busy."
        if name == "theano":
            again = (
                "Run %theano setup, which compiles what every import needs, and then this again."
            )
        return Check(title, "warn", text, evidence, again, seconds)
    said: dict[str, Any] = {}
    with contextlib.suppress(ValueError, IndexError):
        said = json.loads(answer.output.strip().splitlines()[-1])
    if answer.failure is not None or not isinstance(said, dict) or not said:
        evidence = (answer.failure or f"an unexpected answer: {answer.output[-80:]!r}",)
        return Check(title, "error", "the process that tried it ended", evidence, remedy, seconds)
    if "failure" in said:
        verdict: Verdict = "warn" if said.get("verdict") == "warn" else "error"
        remedy = said.get("remedy", remedy)
        return Check(title, verdict, said["failure"], (said["evidence"],), remedy, seconds)
    numbers = said.get("numbers", {})
    return _slow(name, Check(title, "ok", said["text"], seconds=seconds, numbers=numbers))


def _slow(name: str, check: Check) -> Check:
    """Turn a right but very slow result into a warning."""
    numbers = check.numbers
    if name == "blas" and numbers["gflops"] < SLOW_GFLOPS:
        what, remedy = (
            f"{numbers['gflops']:.1f} GFLOP/s a core",
            "Link another BLAS (blas.ldflags).",
        )
    elif name == "device" and min(numbers.values()) < SLOW_TRANSFER:
        what = f"{min(numbers.values()):.2f} GB/s"
        remedy = "Other programs may be using the GPU; run %theano doctor again."
    else:
        return check
    return Check(
        check.name,
        "warn",
        f"right, but slow: {check.text}",
        (what,),
        remedy,
        check.seconds,
        numbers,
    )


def _seed(compiled: Path, runtime: Runtime) -> None:
    """Copy what every import compiles from the newest compile directory of this Python, if any."""
    compiled.mkdir()
    for place in compile_directories(runtime)[:1]:
        for name in _PIECES:
            source = place / name
            with contextlib.suppress(OSError, shutil.Error):
                if source.is_dir():
                    shutil.copytree(source, compiled / name)
                elif source.exists():
                    shutil.copy2(source, compiled / name)


def compile_directories(runtime: Runtime, base: Path | None = None) -> list[Path]:
    """Return Theano's compile directories for this Python, the one used last first."""
    base = base_compiledir(runtime) if base is None else base
    wanted = f"-{runtime.python.value}-{runtime.bits.value}"
    with contextlib.suppress(OSError):
        found = [path for path in base.glob("compiledir_*") if wanted in path.name]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return []


def base_compiledir(runtime: Runtime) -> Path:
    """Return the folder of Theano's compile directories, from its flags; need not exist."""
    from theano_colab.errors import TheanoColabError
    from theano_colab.plan.flags import Flags

    chosen = None
    with contextlib.suppress(TheanoColabError):
        flags = Flags.from_theanorc(runtime.theanorc.value or {}, runtime.environment.value)
        flags = flags.merge(Flags.parse(os.environ.get("THEANO_FLAGS", "")))
        chosen = flags.get("base_compiledir")
    return Path(os.path.expanduser(chosen or "~/.theano"))  # noqa: PTH111  # no error without a HOME
