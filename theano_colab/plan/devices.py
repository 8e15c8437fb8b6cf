"""Which device Theano will compute on: the user's wish, against what the runtime can serve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from theano_colab.plan.compat import Compat, at_least, numbers
from theano_colab.plan.model import Refusal

if TYPE_CHECKING:
    from theano_colab.plan.flags import Flags
    from theano_colab.runtime.model import Gpu, Runtime

Backend = Literal["cpu", "gpuarray", "xla"]

KNOWN_DEVICES = "auto, cpu, cuda, cuda0, cuda1 ..., xla"


@dataclass(frozen=True, slots=True)
class Choice:
    """A device that can be served: the backend, Theano's name for it, what the user should know."""

    backend: Backend
    device: str
    notes: tuple[str, ...] = ()


def choose(runtime: Runtime, wanted: str, flags: Flags, compat: Compat) -> Choice | Refusal:
    """Settle the device: the explicit wish, else the user's flags, else the best there is.

    ``wanted`` is the request's device. What was asked for by the request, or by flags with
    ``force_device``, is served or refused; a device from flags alone falls back to the CPU.
    """
    if wanted != "auto":
        return serve(runtime, wanted, compat)
    device = flags.get("device")
    if device:
        return _from_flags(runtime, device, flags, compat)
    return _best(runtime, compat)


def serve(runtime: Runtime, device: str, compat: Compat) -> Choice | Refusal:
    """Say how a device can be served, or why it cannot."""
    if device == "cpu":
        return Choice("cpu", "cpu")
    if device == "xla":
        return _xla_problem(runtime, device, compat) or Choice("xla", device)
    if re.fullmatch(r"opencl\d+:\d+", device):
        return _gpuarray_problem(runtime, device, (), compat) or Choice("gpuarray", device)
    if re.fullmatch(r"cuda\d*", device):
        return _serve_cuda(runtime, device, compat)
    hint = "; gpu is called cuda today" if device.startswith("gpu") else ""
    return Refusal(
        f"There is no device '{device}'.",
        f"known devices: {KNOWN_DEVICES}{hint}",
        "Give one of these to --device.",
    )


def _serve_cuda(runtime: Runtime, device: str, compat: Compat) -> Choice | Refusal:
    gpus = _gpus_for(runtime, device)
    if isinstance(gpus, Refusal):
        return gpus
    by_pygpu = _gpuarray_problem(runtime, device, gpus, compat)
    if by_pygpu is None:
        return Choice("gpuarray", device)
    if _has_pygpu(runtime) and "xla" not in compat.shipped:
        return by_pygpu
    by_xla = _plugin_problem(runtime, device, gpus, compat) or _xla_problem(runtime, device, compat)
    return by_xla or Choice("xla", device)


def _best(runtime: Runtime, compat: Compat) -> Choice:
    if not runtime.gpus.value:
        return Choice("cpu", "cpu")
    served = serve(runtime, "cuda", compat)
    if isinstance(served, Choice):
        return served
    names = " and ".join(dict.fromkeys(gpu.name for gpu in runtime.gpus.value))
    reason = (
        "this release of theano-colab computes on the CPU; its GPU backend comes with a later one."
        if "xla" not in compat.shipped and not _has_pygpu(runtime)
        else _because(served)
    )
    return Choice("cpu", "cpu", (f"{names} is here and not used: {reason}",))


def _from_flags(runtime: Runtime, device: str, flags: Flags, compat: Compat) -> Choice | Refusal:
    if device == "cpu":
        # A second setup finds the first one's device=cpu; what it said about the GPU still holds.
        return Choice("cpu", "cpu", _best(runtime, compat).notes)
    served = serve(runtime, device, compat)
    setting = flags.setting("device")
    where = setting.origin if setting else "the flags"
    if isinstance(served, Choice):
        return served
    if flags.get("force_device") in {"True", "true", "1"}:
        remedy = f"{served.remedy} Or take force_device out of the flags."
        return Refusal(f"{where} forces device={device}. {served.cause}", served.evidence, remedy)
    note = f"device=cpu instead of {device} from {where}: {_because(served)}"
    return Choice("cpu", "cpu", (note,))


def _gpus_for(runtime: Runtime, device: str) -> tuple[Gpu, ...] | Refusal:
    """Return the GPUs that ``cuda`` or ``cudaN`` may mean."""
    gpus = runtime.gpus.value
    change = (
        "Choose a GPU under Runtime > Change runtime type, or use --device cpu."
        if runtime.colab_release.value
        else "Use --device cpu, or a machine with an NVIDIA GPU and its driver."
    )
    if not gpus:
        evidence = runtime.gpus.missing or f"{runtime.gpus.source} lists no GPU"
        return Refusal(f"device={device} needs an NVIDIA GPU; none was found.", evidence, change)
    if runtime.driver.value is None:
        evidence = runtime.driver.missing or f"asked: {runtime.driver.source}"
        return Refusal(f"device={device} needs NVIDIA's driver; none was found.", evidence, change)
    index = device.removeprefix("cuda")
    if not index:
        return gpus
    named = tuple(gpu for gpu in gpus if gpu.index == int(index))
    if not named:
        return Refusal(
            f"There is no GPU number {index} for device={device}.",
            "GPUs here: " + ", ".join(f"cuda{gpu.index} = {gpu.name}" for gpu in gpus),
            f"Use --device cuda{gpus[0].index}.",
        )
    return named


def _gpuarray_problem(
    runtime: Runtime, device: str, gpus: tuple[Gpu, ...], compat: Compat
) -> Refusal | None:
    """Say why Theano's own GPU backend cannot serve the device."""
    if not _has_pygpu(runtime):
        return Refusal(
            f"device={device} needs pygpu.",
            "pygpu is not installed, and pip cannot install it",
            "Use --device cpu.",
        )
    if runtime.compiler.value is None:
        return Refusal(
            f"device={device} needs a C++ compiler: Theano's GPU backend is compiled.",
            runtime.compiler.missing or "no g++",
            "Install one (apt install g++), or use --device cpu.",
        )
    limit = numbers(compat.gpuarray_capability_below)
    new = next((gpu for gpu in gpus if gpu.compute_capability >= limit), None)
    if new is None:
        return None
    return Refusal(
        f"pygpu cannot compute on {new.name}.",
        f"compute capability {_dotted(new)}; pygpu serves those below "
        f"{compat.gpuarray_capability_below}",
        "Use --device cpu.",
    )


def _plugin_problem(
    runtime: Runtime, device: str, gpus: tuple[Gpu, ...], compat: Compat
) -> Refusal | None:
    """Say why no CUDA plugin of JAX (of those installed, if any is) runs on driver and GPU."""
    installed = runtime.packages.value or {}
    plugins = [p for p in compat.plugins if p.distribution in installed] or list(compat.plugins)
    release = runtime.driver.expect().release
    driven = [p for p in plugins if at_least(release, p.driver)]
    if not driven:
        least = min(plugins, key=lambda p: numbers(p.driver))
        return Refusal(
            f"NVIDIA's driver is too old for device={device}.",
            f"the driver is {release}; CUDA {least.cuda} needs {least.driver} or newer",
            f"Update NVIDIA's driver to {least.driver} or newer, or use --device cpu.",
        )
    if any(gpu.compute_capability >= numbers(p.compute_capability) for gpu in gpus for p in driven):
        return None
    least = min(driven, key=lambda p: numbers(p.compute_capability))
    return Refusal(
        f"{gpus[0].name} is too old for device={device}.",
        f"its compute capability is {_dotted(gpus[0])}; JAX for CUDA {least.cuda} needs "
        f"{least.compute_capability} or newer",
        "Use --device cpu, or a newer GPU.",
    )


def _xla_problem(runtime: Runtime, device: str, compat: Compat) -> Refusal | None:
    """Say why the XLA backend cannot serve the device."""
    gpus = runtime.gpus.value or ()
    here = ", ".join(f"{gpu.name} (compute capability {_dotted(gpu)})" for gpu in gpus) or "no GPU"
    if "xla" not in compat.shipped:
        return Refusal(
            f"This release of theano-colab cannot serve device={device}.",
            f"found {here}; the XLA backend comes with a later release, and pygpu is not installed",
            "Use --device cpu, or leave --device out.",
        )
    installed = runtime.packages.value or {}
    plugins = [p.distribution for p in compat.plugins]
    lacking = "jax" if "jax" not in installed else "a CUDA plugin of JAX" if device != "xla" else ""
    if lacking == "jax" or (lacking and not any(p in installed for p in plugins)):
        return Refusal(
            f"device={device} computes through JAX; {lacking} is not installed.",
            "pip lists no " + ("jax" if lacking == "jax" else " or ".join(plugins)),
            'pip install "theano-colab[gpu]", then run setup again.',
        )
    return None


def _because(refusal: Refusal) -> str:
    return f"{refusal.cause.rstrip('.')} ({refusal.evidence})."


def _has_pygpu(runtime: Runtime) -> bool:
    return "pygpu" in (runtime.packages.value or {})


def _dotted(gpu: Gpu) -> str:
    return ".".join(map(str, gpu.compute_capability))
