"""The doctor: facts, their conflicts, live checks; a verdict per line, worst first."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from theano_colab.doctor import checks, mend
from theano_colab.doctor.checks import VERDICTS, Check, Verdict
from theano_colab.errors import TheanoColabError
from theano_colab.plan.flags import Flags, Setting
from theano_colab.runtime import detect
from theano_colab.runtime.conflicts import conflicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from theano_colab.runtime.model import Runtime

BUDGET = 18.0
"""Seconds for everything; what is not decided by then is cut off."""

LEAST = 5.0
"""Seconds that the live checks get in any case: a driver may take eight to wake its GPUs."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found, worst first, and what was mended. ``seconds`` is wall time."""

    runtime: Runtime
    checks: tuple[Check, ...]
    mended: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all."""
        return min((check.verdict for check in self.checks), key=VERDICTS.index, default="ok")

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain JSON values, without the facts."""
        lines = [dataclasses.asdict(check) for check in self.checks]
        return {"verdict": self.verdict, "checks": lines, "mended": list(self.mended)}


def diagnose(*, fix: bool = False) -> Diagnosis:
    """Examine this runtime in under twenty seconds; nothing is written, unless ``fix`` says so.

    With ``fix``, what ``mend`` may mend is mended first.
    """
    began = time.monotonic()
    runtime = detect()
    done = mend.mend(checks.base_compiledir(runtime)) if fix else ()
    found, settings = _settings(runtime, os.environ.get("THEANO_FLAGS", ""))
    device = next((s.value for s in reversed(settings) if s.name == "device"), "")
    found += _conflicts(runtime, settings)
    found += _interrupted()
    left = max(LEAST, BUDGET - (time.monotonic() - began))
    found += checks.run(runtime, device, left)
    return Diagnosis(runtime, _sorted(found), done, time.monotonic() - began)


def examine(runtime: Runtime) -> Diagnosis:
    """Examine a recorded runtime: its conflicts; there is nothing to try."""
    flags = (runtime.environment.value or {}).get("THEANO_FLAGS", "")
    found, settings = _settings(runtime, flags)
    found += _conflicts(runtime, settings)
    return Diagnosis(runtime, _sorted(found), (), 0.0)


def _settings(runtime: Runtime, text: str) -> tuple[list[Check], tuple[Setting, ...]]:
    """Return the flags in the order in which Theano reads them, or what is wrong with them."""
    wrong: list[Check] = []
    settings: tuple[Setting, ...] = ()
    files = runtime.theanorc.value or {}
    reads: tuple[Callable[[], Flags], ...] = (
        lambda: Flags.from_theanorc(files, runtime.environment.value),
        lambda: Flags.parse(text),
    )
    for read in reads:
        try:
            settings += read().settings
        except TheanoColabError as error:
            wrong.append(Check("Flags", "error", error.cause, (error.evidence,), error.remedy))
    return wrong, settings


def _conflicts(runtime: Runtime, settings: tuple[Setting, ...]) -> list[Check]:
    return [
        Check(
            conflict.title,
            conflict.level,
            conflict.cause,
            conflict.evidence,
            conflict.remedy if not conflict.mended else f"{conflict.remedy} (setup mends it)",
            id=conflict.id,
        )
        for conflict in conflicts(runtime, settings)
    ]


def _interrupted() -> list[Check]:
    entry = mend.interrupted()
    if entry is None:
        return []
    evidence = (f"its journal: installing Theano {entry.version}",)
    remedy = (
        "Run %theano setup, which goes on from there; or %theano doctor --fix, which clears up."
    )
    return [Check("Installation", "warn", "a setup was interrupted", evidence, remedy)]


def _sorted(found: list[Check]) -> tuple[Check, ...]:
    return tuple(sorted(found, key=lambda check: VERDICTS.index(check.verdict)))
