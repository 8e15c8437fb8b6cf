"""How far a setup is: the one value that the session hands to whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["pending", "running", "done", "kept", "failed"]


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of the plan and how far it is.

    ``title`` says what, ``why`` gives the plan's reason, ``detail`` is the newest line of progress
    (pip's output, the module being compiled), ``seconds`` is wall time once the step has ended.
    ``kept`` means that there was nothing to do.
    """

    title: str
    why: str
    status: Status = "pending"
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SetupState:
    """Everything the setup panel shows.

    ``runtime`` is one line ("Colab 2026.08 · Python 3.13.15 · NumPy 2.1.3 · Tesla T4").
    ``notes`` are things the user should know (a translated flag, a GPU that is not used, and why).
    ``results`` are the verified facts as (name, value) pairs; they are filled in only after the
    checks passed. ``verdict`` is "ready" only when every check passed; "refused" means that nothing
    was changed; "failed" carries ``problem`` = (cause, evidence, remedy); "dry-run" stops after
    the plan; "restart" asks for a restart of the kernel, with the reason in ``problem``.
    """

    runtime: str
    steps: tuple[StepState, ...]
    notes: tuple[str, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    flags: str = ""
    verdict: Literal["running", "ready", "refused", "failed", "restart", "dry-run"] = "running"
    problem: tuple[str, str, str] | None = None
    seconds: float = 0.0
