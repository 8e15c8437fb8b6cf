"""The devices that JAX offers (CPU, GPU, TPU), asked in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import sys

from theano_colab.runtime import child
from theano_colab.runtime.model import Fact, JaxDevice

LIMIT = 60.0
"""Seconds for JAX to start its backends: a TPU's takes over ten on a cold machine."""

# GPUs count also where another platform is JAX's default (JAX_PLATFORMS=cpu,cuda).
_SCRIPT = """
import json, jax
devices, remark = jax.devices(), ""
try:
    devices += [d for d in jax.devices("cuda") if d not in devices]
except RuntimeError as error:
    remark = str(error)
print(json.dumps([[[d.platform, d.device_kind] for d in devices], remark]))
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
    """Return JAX's devices as a fresh process of this runtime sees them, the default one first.

    Where a GPU's backend is there and does not start, the source ends in what JAX says of it.
    """
    source = "jax.devices() in a process of its own"
    if question is None:
        return Fact.absent("jax is not installed", "importlib.util.find_spec")
    answer = question.answer(limit)
    if answer.failure is not None:
        return Fact.absent(answer.failure, source)
    try:
        pairs, remark = json.loads(answer.output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return Fact.absent(f"an unexpected answer: {answer.output[-80:]!r}", source)
    # "Unknown backend", the other remark, says only that no plugin is installed.
    if "initialize" in remark:
        source += f"; {remark.splitlines()[0]}"
    return Fact.found(tuple(JaxDevice(platform, kind) for platform, kind in pairs), source)


def started() -> Fact[tuple[JaxDevice, ...]] | None:
    """Return the devices of a JAX that has started its backends in this very process, else None.

    From then on it sees no others, whatever is installed or set. Nothing is imported or started.
    """
    bridge = sys.modules.get("jax._src.xla_bridge")
    # JAX has no public way to ask this without starting what is asked for.
    backends = dict(getattr(bridge, "_backends", None) or {})
    if not backends:
        return None
    devices = [device for backend in backends.values() for device in backend.devices()]
    devices.sort(key=lambda device: bool(device.platform == "cpu"))
    found = tuple(JaxDevice(one.platform, one.device_kind) for one in devices)
    return Fact.found(found, "jax's backends in this process, which are started already")
