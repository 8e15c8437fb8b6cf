"""A request, and the plan that answers it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal[
    "build-port", "install", "install-library", "set-flags", "warm", "verify", "check-libraries"
]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    ``device`` is "auto", "cpu", "cuda", "cudaN" or "xla"; ``floatX`` is None where the user leaves
    it to the plan (and to what THEANO_FLAGS and .theanorc say). ``precision`` is that of float32
    products on XLA: "tf32" lets a GPU's tensor cores round their factors; None leaves it likewise.
    ``libraries`` are to be installed with Theano, as "keras" or "keras==2.2.5".
    """

    device: str = "auto"
    floatX: Literal["float16", "float32", "float64"] | None = None  # noqa: N815  # Theano's name
    precision: Literal["float32", "tf32"] | None = None
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or to find done already, and why.

    ``requirements`` are PEP 508 requirements for "install" and "install-library" (none for the
    other actions). ``kept`` says that the facts show it done already; the step stays in the plan so
    that it can be seen. ``library`` is the release for "install-library", as ``--with`` takes it.
    """

    action: Action
    title: str
    why: str
    requirements: tuple[str, ...] = ()
    kept: bool = False
    library: str = ""


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
    ``theano.config.device`` will say; ``precision`` is that of float32 products on "xla", and ""
    elsewhere. ``notes`` are sentences that the user should read. A plan with refusals has no steps.
    ``environment`` are variables beside THEANO_FLAGS that libraries want, as (name, value).
    ``theano`` is the distribution of the Theano that it is about.
    """

    backend: Literal["cpu", "gpuarray", "xla"]
    device: str
    flags: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    precision: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    theano: str = "theano"

    @property
    def uses_jax(self) -> bool:
        """Whether a step keeps or installs JAX, for a device that computes through it."""
        return any(r.startswith("jax") for step in self.steps for r in step.requirements)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return dataclasses.asdict(self)
