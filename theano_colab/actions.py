"""What each command does: call the session, hand panels to whoever draws, return the data.

A front end passes ``draw(panel, final)``: a panel that is not final will be drawn again.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from theano_colab import session
from theano_colab.errors import TheanoColabError
from theano_colab.plan.model import Request
from theano_colab.runtime import record
from theano_colab.show.info_panel import describe_info
from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Headline, Panel
from theano_colab.show.plan_panel import describe_plan
from theano_colab.show.small_panels import describe_flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from theano_colab.runtime.model import Runtime

    Draw = Callable[[Panel, bool], None]


def request(options: argparse.Namespace) -> Request:
    """Return what the options of setup and plan ask for."""
    return Request(options.device, options.floatX, options.precision, options.libraries)


def info(options: argparse.Namespace, draw: Draw) -> dict[str, Any]:
    """Show the runtime's facts; JAX, which takes seconds to answer, last."""
    if options.replay:
        runtime = record.load(options.replay)
        draw(describe_info(runtime), True)
        return runtime.to_json()
    runtime = session.facts()
    draw(describe_info(runtime), False)
    runtime = session.with_jax(runtime)
    panel = describe_info(runtime)
    if options.record:
        _write_record(runtime, options.record)
        done = Headline("ok", f"Recorded in {options.record}", "It names paths of this machine.")
        panel = dataclasses.replace(panel, blocks=(*panel.blocks, done))
    draw(panel, True)
    return runtime.to_json()


def _write_record(runtime: Runtime, path: str) -> None:
    try:
        record.save(runtime, path)
    except OSError as error:
        evidence = f"{path}: {error.strerror or error}"
        remedy = "Name a file in a folder that you may write to."
        raise TheanoColabError("The record cannot be written.", evidence, remedy) from None


def plan(options: argparse.Namespace, draw: Draw) -> dict[str, Any]:
    """Show what setup would do."""
    runtime, planned = session.plan(request(options))
    draw(describe_plan(planned, runtime_line(runtime)), True)
    return planned.to_json()


def doctor(options: argparse.Namespace, draw: Draw) -> dict[str, Any]:
    """Show what is wrong here, worst first."""
    from theano_colab.doctor import diagnose
    from theano_colab.show.doctor_panel import describe_doctor

    if options.replay:
        diagnosis = diagnose.examine(record.load(options.replay))
    else:
        looking = Headline("busy", "Examining this runtime", "facts, compiler, BLAS, Theano")
        draw(Panel("Theano's doctor", (looking,)), False)
        diagnosis = diagnose.diagnose(fix=options.fix)
    draw(describe_doctor(diagnosis), True)
    return diagnosis.to_json()


def report(options: argparse.Namespace, _: Draw) -> dict[str, Any]:
    """Print what a bug report needs, and nothing private; as text, which is there to be copied."""
    from theano_colab.doctor import diagnose
    from theano_colab.doctor import report as doctors_report

    found = doctors_report.report(diagnose.diagnose())
    if not options.json:
        print(doctors_report.write(found))  # noqa: T201  # text to be copied, not a panel
    return found


def flags(_: argparse.Namespace, draw: Draw) -> dict[str, Any]:
    """Show the effective flags."""
    effective = session.effective_flags(session.facts())
    draw(describe_flags(effective.settings, effective.notes, effective.live), True)
    return dataclasses.asdict(effective)


def bench(options: argparse.Namespace, draw: Draw) -> list[dict[str, Any]]:
    """Measure, showing every point as it is found."""
    from theano_colab import benchmark

    return benchmark.bench(options, draw)


def dashboard(_: argparse.Namespace, __: Draw) -> None:
    """Say that the dashboard needs a notebook, which has it from the magic."""
    raise TheanoColabError(
        "The dashboard needs a notebook.",
        "this is a terminal",
        "Measure with: python -m theano_colab bench",
    )
