"""How far a setup is: the value that the session hands to whoever shows it, and its changes."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Verdict = Literal["running", "ready", "refused", "failed", "restart", "dry-run"]
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
    ``environment`` are variables beside THEANO_FLAGS that setup sets, as (name, value).
    ``results`` are the verified facts as (name, value) pairs; they are filled in only after the
    checks passed. ``verdict`` is "ready" only when every check passed; "refused" means that nothing
    was changed; "failed" carries ``problem`` = (cause, evidence, remedy); "dry-run" stops after
    the plan; "restart" asks for a restart of the kernel, with the reason in ``problem``.
    ``theano`` is which one is set up, for people.
    """

    runtime: str
    steps: tuple[StepState, ...]
    notes: tuple[str, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    flags: str = ""
    verdict: Verdict = "running"
    problem: tuple[str, str, str] | None = None
    seconds: float = 0.0
    environment: tuple[tuple[str, str], ...] = ()
    theano: str = "Theano 1.0.5"

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return dataclasses.asdict(self)


class Progress:
    """The state of a setup as it changes; every change is observed.

    ``actions`` names the steps of ``first``, in their order.
    """

    def __init__(
        self, first: SetupState, actions: Sequence[str], observe: Callable[[SetupState], None]
    ) -> None:
        self._observe = observe
        self._start = time.perf_counter()
        self._began: dict[int, float] = {}
        self._actions = tuple(actions)
        self.current = "planning"
        self.state = first

    def _change(self, **changes: object) -> SetupState:
        seconds = time.perf_counter() - self._start
        self.state = dataclasses.replace(self.state, seconds=seconds, **changes)  # type: ignore[arg-type]  # the names are SetupState's
        self._observe(self.state)
        return self.state

    def report(self, index: int, status: Status, detail: str = "") -> None:
        """Set one step's status and newest line; time it from its first "running"."""
        now = time.perf_counter()
        began = self._began.setdefault(index, now)
        step = self.state.steps[index]
        self.current = step.title
        ended = None if status in ("running", "pending") else now - began
        step = dataclasses.replace(step, status=status, detail=detail, seconds=ended)
        steps = (*self.state.steps[:index], step, *self.state.steps[index + 1 :])
        self._change(steps=steps)

    def detail(self, action: str, line: str) -> None:
        """Show the newest line of a running step."""
        self.report(self._actions.index(action), "running", line)

    def keep(self, action: str, why: str) -> None:
        """Say that a step found its work done."""
        self.report(self._actions.index(action), "kept", why)

    @contextlib.contextmanager
    def step(self, action: str) -> Iterator[None]:
        """Run one step: running, then done (unless it said kept), or failed."""
        index = self._actions.index(action)
        self.report(index, "running")
        try:
            yield
        except BaseException:
            self.report(index, "failed", self.state.steps[index].detail)
            raise
        if self.state.steps[index].status == "running":
            self.report(index, "done", self.state.steps[index].detail)

    def note(self, line: str) -> None:
        """Add a sentence that the user should read."""
        self._change(notes=(*self.state.notes, line))

    def results(self, results: tuple[tuple[str, str], ...]) -> None:
        """Show what was found true."""
        self._change(results=results)

    def fail(self, cause: str, evidence: str, remedy: str) -> SetupState:
        """Mark what was running as failed and end."""
        for index, step in enumerate(self.state.steps):
            if step.status == "running":
                self.report(index, "failed", step.detail)
        return self.end("failed", (cause, evidence, remedy))

    def end(self, verdict: Verdict, problem: tuple[str, str, str] | None = None) -> SetupState:
        """Give the verdict."""
        results = self.state.results if verdict in ("ready", "restart") else ()
        return self._change(verdict=verdict, problem=problem, results=results)
