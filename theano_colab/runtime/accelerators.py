"""The devices that JAX offers (CPU, GPU, TPU), asked in a process of its own."""

from __future__ import annotations

import importlib.util
import json

from theano_colab.runtime import child
from theano_colab.runtime.model import Fact, JaxDevice

LIMIT = 60.0
"""Seconds for JAX to start its backends: a TPU's takes over ten on a cold machine."""

_SCRIPT = """
import json, jax
print(json.dumps([[d.platform, d.device_kind] for d in jax.devices()]))
"""

# Without these, JAX would take three quarters of the GPU's memory from the kernel beside it, and
# speak on stderr. JAX_PLATFORMS and CUDA_VISIBLE_DEVICES are inherited, as the kernel has them.
_ENVIRONMENT: dict[str, str | None] = {
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def ask() -> child.Question | None:
    """Start asking JAX; None where it is not installed."""
    try:
        spec = importlib.util.find_spec("jax")
    except ValueError:  # something put a module without a spec under that name
        spec = None
    if spec is None:
        return None
    return child.python("-c", _SCRIPT, environment=_ENVIRONMENT, site=True)


def read(question: child.Question | None, limit: float = LIMIT) -> Fact[tuple[JaxDevice, ...]]:
    """Return the devices of JAX's default backend, as a fresh process of this runtime sees them."""
    source = "jax.devices() in a process of its own"
    if question is None:
        return Fact.absent("jax is not installed", "importlib.util.find_spec")
    answer = question.answer(limit)
    if answer.failure is not None:
        return Fact.absent(answer.failure, source)
    try:
        pairs = json.loads(answer.output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return Fact.absent(f"an unexpected answer: {answer.output[-80:]!r}", source)
    return Fact.found(tuple(JaxDevice(platform, kind) for platform, kind in pairs), source)
