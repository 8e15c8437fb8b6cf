"""Contexts: Theano's names for devices, and the JAX device that each stands for.

The *default context* has the name None; ``contexts=dev0->cuda0;dev1->cuda1`` names others (Theano's
documentation, "Using multiple GPUs").
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax

from theano_colab.runtime import accelerators

try:
    from jax import enable_x64
except ImportError:  # before JAX 0.8: what jax.experimental.enable_x64 wraps, at half the cost
    from jax._src.config import enable_x64

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

# JAX's names of platforms that are GPUs.
GPU_PLATFORMS = frozenset({"gpu", "cuda", "rocm"})
_SPEC = re.compile(r"(cuda|xla)(\d*)")


class ContextNotDefinedError(ValueError):
    """No context of that name was registered."""


class DeviceNotFoundError(RuntimeError):
    """JAX has no such device."""


@dataclass(frozen=True, slots=True)
class Context:
    """A device under the name that Theano's graphs use for it."""

    name: str | None
    spec: str  # as in THEANO_FLAGS: "cuda0"
    device: Any  # jax.Device

    @property
    def is_gpu(self) -> bool:
        """Whether the device is a GPU; names of ops say so."""
        return self.device.platform in GPU_PLATFORMS


_contexts: dict[str | None, Context] = {}


def register(name: str | None, spec: str) -> Context:
    """Make ``spec`` ("cuda", "cuda1", "xla", "xla0") the device of the context ``name``.

    "cuda" is the first GPU that JAX sees, "xla" the first device of JAX's default platform.

    Raises
    ------
    DeviceNotFoundError
        If JAX has no such device, with what JAX said.
    ValueError
        If ``spec`` names no device of this backend, or the name stands for another device.
    """
    matched = _SPEC.fullmatch(spec)
    if matched is None:
        raise ValueError(f"{spec!r} names no device: cuda, cuda0, cuda1 ..., xla, xla0 ...")
    kind, number = matched[1], int(matched[2] or 0)
    was_started = not _contexts and accelerators.started() is not None
    try:
        devices = jax.devices("cuda" if kind == "cuda" else None)
    except (RuntimeError, AssertionError) as error:
        # An assertion, without words, where JAX_PLATFORMS names nothing that is installed.
        asked = os.environ.get("JAX_PLATFORMS", "")
        why = str(error) or f"JAX could not start its platforms (JAX_PLATFORMS={asked})"
        if was_started:
            why = f"JAX was started before Theano, without this device: {why}"
        raise DeviceNotFoundError(why) from error
    if number >= len(devices):
        raise DeviceNotFoundError(f"{spec}: JAX sees {len(devices)} of them")
    context = Context(name, spec, devices[number])
    known = _contexts.get(name)
    if known is not None and known.device != context.device:
        raise ValueError(f"context {name} is {known.spec} already, and cannot be {spec}")
    _contexts[name] = context
    return context


def get(name: str | None) -> Context:
    """Return the context of this name.

    Raises
    ------
    ContextNotDefinedError
        If there is none.
    """
    try:
        return _contexts[name]
    except KeyError:
        raise ContextNotDefinedError(f"context {name} is not defined") from None


def registered() -> tuple[Context, ...]:
    """Return every context."""
    return tuple(_contexts.values())


def reserve_memory(preallocate: float, spec: str = "cuda") -> None:
    """Set how much GPU memory XLA takes at once, unless the user has: before JAX's first use.

    ``preallocate`` is Theano's ``gpuarray.preallocate``: a fraction of the card's memory up to 1,
    beyond it MB of the card that ``spec`` names; 0 or less takes memory as it is needed. JAX's own
    default, three quarters of the card, would leave nothing to other libraries in the same notebook
    (JAX's documentation, "GPU memory allocation").
    """
    fraction = preallocate
    if preallocate > 1:
        total = _card_memory(spec)
        fraction = preallocate * 2**20 / total if total else 0
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "true" if fraction > 0 else "false")
    if fraction > 0:
        # Theano, too, leaves a twentieth of the card alone.
        os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{min(fraction, 0.95):.4f}")


def _card_memory(spec: str) -> int | None:
    """Return the bytes of memory of the card that ``spec`` names, asked of NVML; None without one.

    CUDA_VISIBLE_DEVICES renumbers the cards; one that it names by UUID is taken for the first.
    """
    from theano_colab.runtime import gpu

    cards = gpu.read(gpu.ask())[1]
    number = re.sub(r"\D", "", spec) or "0"
    shown = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if shown != [""] and int(number) < len(shown):
        number = shown[int(number)].strip()
    index = int(number) if number.isdigit() else 0
    sizes = {card.index: card.memory_bytes for card in cards.value or ()}
    return sizes.get(index)


def x64() -> AbstractContextManager[None]:
    """Let JAX keep 64 bits in a ``with`` block only: the user's own code keeps JAX's default."""
    return enable_x64(True)  # type: ignore[no-any-return]  # JAX's is untyped
