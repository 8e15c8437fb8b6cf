"""``%theano bench``: the options to a request, the run to a panel that lives, the end to files."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import time
from typing import TYPE_CHECKING, Any, Final, cast

from theano_colab import commands, session
from theano_colab.bench import files, progress
from theano_colab.bench.point import CELL
from theano_colab.bench.run import BenchRequest, run
from theano_colab.errors import TheanoColabError
from theano_colab.plan import vocabulary
from theano_colab.plan.flags import Flags
from theano_colab.show import png
from theano_colab.show.bench_page import page
from theano_colab.show.bench_panel import describe_bench
from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Headline, Panel, Plot

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from theano_colab.bench.progress import Bench
    from theano_colab.runtime.model import Runtime
    from theano_colab.show.chart import Unit

    Draw = Callable[[Panel, bool], None]

QUICK_S: Final = 25.0
"""When --quick stops measuring, in seconds; then processes are ended and a PNG is drawn."""

QUICK_WORKLOADS: Final = ("dot", "elemwise")


class Interrupted(KeyboardInterrupt):
    """The user stopped a run; what was measured is shown, so no traceback is."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints instead of a traceback (its hook for such errors)."""
        return ["Interrupted."]


def bench(options: argparse.Namespace, draw: Draw) -> list[dict[str, Any]]:
    """Measure, or load, and show it; save what was asked for; return the rows as plain JSON.

    Raises
    ------
    TheanoColabError
        If that cannot be measured, read or saved.
    Interrupted
        If the user stopped it; the partial result is shown and saved before.
    """
    state, panel = measure(options, draw)
    for path in options.save or ():
        save(state, panel, path)
    if state.verdict == "interrupted" and not options.load:
        raise Interrupted
    return [row.to_json() for row in state.rows]


def measure(options: argparse.Namespace, draw: Draw) -> tuple[Bench, Panel]:
    """Measure, or load, and show it; return the run, to its end or its interruption, and the panel.

    Raises
    ------
    TheanoColabError
        If that cannot be measured or read, or not saved afterwards.
    """
    for path in options.save or ():
        if files.kind(path) == "png" and not png.available():
            raise _no_matplotlib(path)
    unit = cast("Unit", _UNITS[options.y])
    if options.load:
        loaded, *beside = files.load(options.load)
        panel = describe_bench(loaded, unit=unit, pictures=True, beside=beside)
        draw(panel, True)
        return loaded, panel
    start = time.monotonic()
    draw(Panel("Theano bench", (Headline("busy", "Looking at this runtime", ""),)), False)
    runtime = session.facts()
    asked = request(options, runtime)
    if asked.total_s is not None:
        left = asked.total_s - (time.monotonic() - start)
        asked = dataclasses.replace(asked, total_s=max(left, 1.0))
    cpu = runtime.cpu.value or "CPU"
    state = first = progress.beginning(asked, runtime_line(runtime), cpu, _notes(runtime))
    stopped = False
    try:
        with contextlib.closing(run(asked)) as events:
            for state in progress.follow(first, events, asked.seconds, asked.total_s):
                draw(describe_bench(state, unit=unit), False)
    except KeyboardInterrupt:
        stopped = True
    state = progress.ended(state, interrupted=stopped)
    panel = describe_bench(state, unit=unit, pictures=True)
    draw(panel, True)
    return state, panel


def request(options: argparse.Namespace, runtime: Runtime) -> BenchRequest:
    """Return what the options ask for.

    Raises
    ------
    TheanoColabError
        If they ask for what cannot be measured.
    """
    code: str = options.code
    if code and options.workload:
        raise _refusal(f"{options.workload[0]}: the cell is what is measured")
    default = QUICK_WORKLOADS if options.quick else commands.WORKLOADS
    workloads = (CELL,) if code else tuple(options.workload or default)
    sizes = _sizes(options.sizes)
    devices = (*_devices(options.devices, runtime), *_peers(options.peers))
    try:
        asked = BenchRequest(
            workloads,
            sizes,
            options.floatX,
            options.time,
            devices,
            batch=options.batch,
            total_s=QUICK_S if options.quick else None,
            code=code,
            watch=bool(runtime.gpus.value),
        )
    except ValueError as error:
        raise _refusal(str(error)) from None
    points = max(len(asked.sizes_of(name)) for name in workloads) * len(devices)
    return dataclasses.replace(asked, seconds=options.time / points)


def save(state: Bench, panel: Panel, path: str) -> None:
    """Write a run into a file of the kind that its name says.

    Raises
    ------
    TheanoColabError
        If it cannot be written.
    """
    content: str | bytes
    match files.kind(path):
        case "json":
            content = files.as_json(state)
        case "csv":
            content = files.as_csv(state)
        case "html":
            content = page(panel)
        case _:
            if not png.available():
                raise _no_matplotlib(path)
            content = png.write([b.chart for b in panel.blocks if isinstance(b, Plot)])
    files.write(path, content)


_UNITS: Final = {"time": "time", "gflops": "GFLOP/s", "gbytes": "GB/s"}


def _notes(runtime: Runtime) -> tuple[str, ...]:
    if runtime.gpus.value:
        return ()
    return (f"There is no NVIDIA GPU here: {runtime.gpus.missing}.",)


def _refusal(evidence: str) -> TheanoColabError:
    remedy = "%theano bench --help lists the workloads and the options."
    return TheanoColabError("That cannot be measured.", evidence, remedy)


def _no_matplotlib(path: str) -> TheanoColabError:
    return TheanoColabError(
        "A PNG is drawn by matplotlib, which is not installed.",
        f"--save {path}",
        "Install it with %pip install matplotlib, or save .html instead.",
    )


def _sizes(text: str | None) -> tuple[int, ...]:
    """Read "256,512,1000", and "64..4096", which doubles from 64 on."""
    if text is None:
        return ()
    try:
        found = [size for part in text.split(",") for size in _range(part)]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise TheanoColabError(
            "The sizes cannot be read.",
            f"--sizes {text}",
            "Write --sizes 256,512,1000 or --sizes 64..4096, which doubles from 64 to 4096.",
        )
    return tuple(dict.fromkeys(found))


def _range(text: str) -> list[int]:
    low, dots, high = text.partition("..")
    if not dots:
        return [int(low)]
    size, last = int(low), int(high)
    if not 1 <= size <= last:
        raise ValueError(text)
    found = []
    while size < last:
        found.append(size)
        size *= 2
    return [*found, last]


def _devices(text: str | None, runtime: Runtime) -> tuple[str, ...]:
    """Return the devices to measure: those named, else the CPU and the best beside it.

    That is the one that setup chose, or the GPU that is there, or XLA on the CPU where JAX is.

    Raises
    ------
    TheanoColabError
        If one is no device.
    """
    if text is None:
        chosen = Flags.parse(os.environ.get(session.FLAGS, "")).get("device") or "cpu"
        if chosen == "cpu" and importlib.util.find_spec("jax"):
            chosen = "cuda" if runtime.gpus.value else "xla"
        return tuple(dict.fromkeys(("cpu", chosen)))
    devices = tuple(part.strip() for part in text.split(","))
    for device in devices:
        if not device or vocabulary.problem("device", device):
            raise TheanoColabError(
                f"There is no device '{device}'.", f"--devices {text}", "Write --devices cpu,cuda."
            )
    return tuple(dict.fromkeys(devices))


def _peers(text: str | None) -> tuple[str, ...]:
    """Return the other libraries that are measured beside Theano."""
    if text is None:
        return ()
    peers = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for peer in peers:
        if peer not in commands.PEERS:
            known = ", ".join(commands.PEERS)
            raise TheanoColabError(
                f"There is no peer '{peer}'.", f"--peers {text}", f"Write --peers {known}."
            )
        if importlib.util.find_spec(peer) is None:
            raise TheanoColabError(
                f"{peer} is not installed.", f"--peers {text}", f"Install it: %pip install {peer}"
            )
    return peers
