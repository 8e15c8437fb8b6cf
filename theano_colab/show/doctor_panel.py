"""The doctor's panel: what is wrong and what to do first, then what is in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from theano_colab.show.line import runtime_line
from theano_colab.show.panel import Block, Cell, Headline, Notes, Panel, Problem, Table, Tone, cell
from theano_colab.show.units import count

if TYPE_CHECKING:
    from theano_colab.doctor.checks import Check
    from theano_colab.doctor.diagnose import Diagnosis

_TONES: Final[dict[str, Tone]] = {"error": "error", "warn": "warn", "note": "muted", "ok": "ok"}


def describe_doctor(diagnosis: Diagnosis) -> Panel:
    """Return what the doctor's panel says."""
    blocks: list[Block] = [_headline(diagnosis)]
    if diagnosis.mended:
        blocks.append(Notes(diagnosis.mended))
    for check in diagnosis.checks:
        if check.verdict in {"error", "warn"}:
            blocks.append(Headline(_TONES[check.verdict], check.name))
            blocks.append(Problem(check.text, "; ".join(check.evidence), check.remedy))
    notes = [check for check in diagnosis.checks if check.verdict == "note"]
    fine = [check for check in diagnosis.checks if check.verdict == "ok"]
    for caption, some in (("Good to know", notes), ("In order", fine)):
        if some:
            rows = tuple((_name(check), _said(check)) for check in some)
            blocks.append(Table(caption, ("What", "Found"), rows))
    corner = f"{diagnosis.seconds:.1f} s" if diagnosis.seconds else ""
    return Panel("Theano's doctor", tuple(blocks), runtime_line(diagnosis.runtime), corner)


def _headline(diagnosis: Diagnosis) -> Headline:
    errors = sum(check.verdict == "error" for check in diagnosis.checks)
    warnings = sum(check.verdict == "warn" for check in diagnosis.checks)
    if errors:
        return Headline("error", f"{count(errors, 'error')}, {count(warnings, 'warning')}")
    if warnings:
        return Headline("warn", f"No error, {count(warnings, 'warning')}")
    return Headline("ok", "Nothing is wrong")


def _name(check: Check) -> Cell:
    return cell(check.name)


def _said(check: Check) -> Cell:
    lines = [check.text, *check.evidence] if check.verdict == "note" else [check.text]
    return Cell(tuple(lines), "muted" if check.verdict == "note" else "plain")
