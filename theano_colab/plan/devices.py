"""Which device Theano will compute on: the user's wish, against what the runtime can serve."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from theano_colab.plan import jax
from theano_colab.plan.compat import Compat, numbers
from theano_colab.plan.model import Refusal, Step

if TYPE_CHECKING:
    from theano_colab.plan.flags import Flags
    from theano_colab.runtime.model import Gpu, Runtime

Backend = Literal["cpu", "gpuarray", "xla"]

KNOWN_DEVICES = "auto, cpu, cuda, cuda0, cuda1 ..., xla"


@dataclass(frozen=True, slots=True)
class Choice:
    """A device that can be served: the backend, Theano's name for it, and what that takes.

    ``notes`` is what the user should know; ``steps`` keep or install what the backend needs;
    ``gpus`` are those that the device may mean.
    """

    backend: Backend
    device: str
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    gpus: tuple[Gpu, ...] = ()


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
    if re.fullmatch(r"xla\d*", device):
        step = jax.provide(runtime, device, (), compat)
        return step if isinstance(step, Refusal) else Choice("xla", device, steps=(step,))
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
        version = (runtime.packages.value or {})["pygpu"]
        note = f"pygpu {version} is here: Theano's own GPU backend computes, not XLA."
        return Choice("gpuarray", device, (note,), gpus=gpus)
    step = jax.provide(runtime, device, gpus, compat)
    if isinstance(step, Refusal):
        return by_pygpu if _has_pygpu(runtime) else step
    if not _has_pygpu(runtime):
        return Choice("xla", device, steps=(step,), gpus=gpus)
    # Theano gives device=cuda to pygpu wherever it is there.
    device = device.replace("cuda", "xla")
    note = f"device={device}, which is the same GPU on XLA: {_because(by_pygpu)}"
    return Choice("xla", device, (note,), (step,), gpus)


def _best(runtime: Runtime, compat: Compat) -> Choice:
    if not runtime.gpus.value:
        return Choice("cpu", "cpu")
    served = serve(runtime, "cuda", compat)
    return served if isinstance(served, Choice) else _unused(runtime, _because(served))


def _unused(runtime: Runtime, why: str) -> Choice:
    """Return the CPU, and why the GPU that is here is not used."""
    names = " and ".join(dict.fromkeys(gpu.name for gpu in runtime.gpus.value or ()))
    return Choice("cpu", "cpu", (f"{names} is here and not used: {why}",) if names else ())


def _from_flags(runtime: Runtime, device: str, flags: Flags, compat: Compat) -> Choice | Refusal:
    setting = flags.setting("device")
    where = setting.origin if setting else "the flags"
    if device == "cpu":
        best = _best(runtime, compat)
        return best if best.device == "cpu" else _unused(runtime, f"{where} says device=cpu.")
    served = serve(runtime, device, compat)
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
    gpus = _visible(runtime, gpus)
    if not gpus:
        hidden = (runtime.environment.value or {})["CUDA_VISIBLE_DEVICES"]
        return Refusal(
            f"device={device} needs a GPU, and CUDA_VISIBLE_DEVICES hides every one.",
            f"CUDA_VISIBLE_DEVICES='{hidden}'; NVML lists {(runtime.gpus.value or ())[0].name}",
            "Take it out: import os; del os.environ['CUDA_VISIBLE_DEVICES']; run setup again.",
        )
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


def _visible(runtime: Runtime, gpus: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA shows this process, under the numbers it gives them.

    CUDA_VISIBLE_DEVICES lists numbers, and the first that is none of them ends the list. It may
    list UUIDs instead, which NVML's facts do not hold: then all are returned, and JAX decides.
    """
    text = (runtime.environment.value or {}).get("CUDA_VISIBLE_DEVICES")
    if text is None or re.match(r"\s*(GPU|MIG)-", text):
        return gpus
    by_number = {gpu.index: gpu for gpu in gpus}
    shown: list[Gpu] = []
    for part in text.split(","):
        gpu = by_number.get(int(part)) if part.strip().isdigit() else None
        if gpu is None:
            break
        shown.append(replace(gpu, index=len(shown)))
    return tuple(shown)


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
    broken = runtime.pygpu.missing
    if broken and broken != "not recorded":
        version = (runtime.packages.value or {})["pygpu"]
        return Refusal(
            f"pygpu {version} is installed, but cannot be imported.",
            broken,
            "Repair it (conda install -c mila-udem pygpu), or remove it (pip uninstall pygpu).",
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


def _because(refusal: Refusal) -> str:
    return f"{refusal.cause.rstrip('.')} ({refusal.evidence})."


def _has_pygpu(runtime: Runtime) -> bool:
    return "pygpu" in (runtime.packages.value or {})


def _dotted(gpu: Gpu) -> str:
    return ".".join(map(str, gpu.compute_capability))
