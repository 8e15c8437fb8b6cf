"""The plan panel: what ``%theano setup`` would do to this runtime, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theano_colab.progress import StepState
from theano_colab.show.panel import (
    Block,
    Bundle,
    Code,
    Headline,
    Notes,
    Panel,
    Problem,
    Steps,
    bundle,
)
from theano_colab.show.units import count

if TYPE_CHECKING:
    from theano_colab.plan.model import Plan


def plan_panel(plan: Plan, runtime_line: str) -> Bundle:
    """Return the panel of a plan; ``runtime_line`` is what ``show.runtime_line`` returns."""
    return bundle(describe_plan(plan, runtime_line))


def describe_plan(plan: Plan, runtime_line: str) -> Panel:
    """Return what the plan panel says."""
    blocks: list[Block] = [_headline(plan)]
    blocks += [Problem(r.cause, r.evidence, r.remedy) for r in plan.refusals]
    if plan.steps:
        blocks.append(
            Steps(
                tuple(
                    StepState(
                        step.title,
                        step.why,
                        "kept" if step.kept else "pending",
                        "" if step.kept else " ".join(step.requirements),
                    )
                    for step in plan.steps
                )
            )
        )
    if plan.flags and not plan.refusals:
        blocks.append(Code("THEANO_FLAGS", plan.flags))
    blocks += [Code(name, value) for name, value in plan.environment]
    if plan.notes:
        blocks.append(Notes(plan.notes))
    return Panel("Theano plan", tuple(blocks), line=runtime_line)


def _headline(plan: Plan) -> Headline:
    if plan.refusals:
        return Headline("error", "Setup would refuse, and change nothing")
    precision = f", precision: {plan.precision}" if plan.precision else ""
    target = f"Theano would compute on {plan.device} (backend: {plan.backend}{precision})"
    todo = sum(not step.kept for step in plan.steps)
    if not todo:
        return Headline("ok", "Everything is in place", target)
    return Headline("plain", f"Setup would take {count(todo, 'step')}", target)
