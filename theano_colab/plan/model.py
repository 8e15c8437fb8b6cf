"""A request, and the plan that answers it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["build-port", "install", "set-flags", "warm", "verify"]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    ``device`` is "auto", "cpu", "cuda", "cudaN" or "xla"; ``floatX`` is None where the user leaves
    it to the plan (and to what THEANO_FLAGS and .theanorc say).
    """

    device: str = "auto"
    floatX: Literal["float16", "float32", "float64"] | None = None  # noqa: N815  # Theano's name


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or to find done already, and why.

    ``requirements`` are PEP 508 requirements for "install" (none for the other actions). ``kept``
    says that the facts show it done already; the step stays in the plan so that it can be seen.
    """

    action: Action
    title: str
    why: str
    requirements: tuple[str, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan cannot work; found before anything is written."""

    cause: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What setup will do.

    ``flags`` is the text for THEANO_FLAGS: the user's own settings, translated where they are
    obsolete, and what the plan adds. ``backend`` is "cpu", "gpuarray" or "xla"; ``device`` is what
    ``theano.config.device`` will say. ``notes`` are sentences that the user should read. A plan
    with refusals has no steps.
    """

    backend: Literal["cpu", "gpuarray", "xla"]
    device: str
    flags: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return dataclasses.asdict(self)
