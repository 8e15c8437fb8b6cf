"""The setup panel: how far ``%theano setup`` is, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from theano_colab.show.panel import (
    Block,
    Bundle,
    Code,
    Headline,
    Notes,
    Panel,
    Problem,
    Steps,
    Table,
    bundle,
    cell,
)
from theano_colab.show.units import elapsed

if TYPE_CHECKING:
    from theano_colab.progress import SetupState

READY: Final = "is ready"


def setup_panel(state: SetupState) -> Bundle:
    """Return the panel of a setup, under way or ended.

    It is green, and says that Theano is ready, only where ``state.verdict`` is "ready".
    """
    return bundle(describe_setup(state))


def describe_setup(state: SetupState) -> Panel:
    """Return what the setup panel says.

    The newest line of progress stands in the headline, whose height is fixed, and not in its step:
    so nothing moves while lines come in.
    """
    blocks: list[Block] = [_headline(state)]
    if state.problem:
        blocks.append(Problem(*state.problem))
    if state.steps:
        quiet = (s if s.status == "failed" else replace(s, detail="") for s in state.steps)
        blocks.append(Steps(tuple(quiet)))
    if state.results:
        rows = tuple((cell(name), cell(value)) for name, value in state.results)
        blocks.append(Table("Checked", ("Check", "Result"), rows))
    if state.flags:
        blocks.append(Code("THEANO_FLAGS", state.flags))
    blocks += [Code(name, value) for name, value in state.environment]
    if state.notes:
        blocks.append(Notes(state.notes))
    corner = elapsed(state.seconds) if state.seconds > 0 else ""
    return Panel("Theano setup", tuple(blocks), line=state.runtime, corner=corner)


def _headline(state: SetupState) -> Headline:
    match state.verdict:
        case "ready":
            return Headline("ok", f"{state.theano} {READY}", "Import it as always: import theano")
        case "refused":
            return Headline("error", "Setup refused: nothing was changed")
        case "failed":
            failed = [step.title for step in state.steps if step.status == "failed"]
            return Headline("error", "Setup failed", f"Step: {failed[0]}" if failed else "")
        case "restart":
            return Headline("warn", "Restart the kernel to finish")
        case "dry-run":
            return Headline("plain", "Dry run: nothing was changed", "Setup would do this:")
        case _:
            return _running(state)


def _running(state: SetupState) -> Headline:
    for number, step in enumerate(state.steps, 1):
        if step.status == "running":
            text = f"Step {number} of {len(state.steps)}: {step.title}"
            return Headline("busy", text, step.detail)
    return Headline("busy", "Setting up Theano")
