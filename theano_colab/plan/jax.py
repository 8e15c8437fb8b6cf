"""What JAX needs to serve a device: what is there and fits, what to install, what cannot work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from theano_colab.plan.compat import Compat, Plugin, at_least, numbers
from theano_colab.plan.model import Refusal, Step

if TYPE_CHECKING:
    from theano_colab.runtime.model import Gpu, Runtime

_NOT_ASKED = frozenset({"not asked", "not recorded"})
_WHEELS_FOR = frozenset({"x86_64", "aarch64", "arm64"})  # Linux's names and macOS's


def provide(runtime: Runtime, device: str, gpus: tuple[Gpu, ...], compat: Compat) -> Step | Refusal:
    """Return the step that keeps or installs JAX for the device, or why JAX cannot serve it.

    ``gpus`` are those that the device may mean, none for JAX's default device. What JAX really sees
    (``runtime.jax_devices``) counts where it was asked. A JAX that is there is never changed.
    """
    if refusal := _no_avx(runtime, device):
        return refusal
    version = _version(runtime, "jax")
    if version is not None and not at_least(version, compat.jax_minimum):
        return Refusal(
            f"JAX {version} is too old for device={device}.",
            f"it needs JAX {compat.jax_minimum} or newer, and setup never changes JAX",
            f'pip install "jax>={compat.jax_minimum}", restart the runtime, run setup again.',
        )
    plugin = _plugin(runtime, device, gpus, compat) if gpus else None
    if isinstance(plugin, Refusal):
        return plugin
    here = version is not None and (plugin is None or _version(runtime, plugin.distribution))
    if here:
        return _blind(runtime, device, gpus) or _keep(runtime, plugin)
    return (
        _started(runtime, device)
        or _no_wheels(runtime, device)
        or _no_room(runtime, plugin)
        or _install(runtime, plugin, compat)
    )


def is_asked(runtime: Runtime) -> bool:
    """Say whether JAX was asked for its devices, whatever came back."""
    return runtime.jax_devices.missing not in _NOT_ASKED


def is_started(runtime: Runtime) -> bool:
    """Say whether JAX has started in this process: it will see no other devices than now."""
    return "in this process" in runtime.jax_devices.source


def _plugin(
    runtime: Runtime, device: str, gpus: tuple[Gpu, ...], compat: Compat
) -> Plugin | Refusal:
    """Choose the CUDA plugin: of those that are there, else of those that this JAX can have."""
    jax = _version(runtime, "jax")
    version = _version(runtime, "jaxlib") or jax
    present = [p for p in compat.plugins if _version(runtime, p.distribution)]
    plugins = present or [p for p in compat.plugins if jax is None or at_least(jax, p.since)]
    fitting = _driven(runtime, device, gpus, plugins)
    if isinstance(fitting, Refusal):
        return fitting
    if not present:
        # CUDA libraries that another package brought are shared; else the newest CUDA.
        shared = [p for p in fitting if _version(runtime, f"nvidia-cudnn-cu{p.cuda}")]
        return max(shared or fitting, key=lambda p: numbers(p.cuda))
    same = [p for p in fitting if _same(_version(runtime, p.distribution), version)]
    if same:
        return same[0]
    name = fitting[0].distribution
    return Refusal(
        f"JAX leaves its CUDA plugin out: {name} {_version(runtime, name)} does not fit.",
        f"jaxlib is {version}; both must have the same version",
        f'pip install "{name}[with-cuda]=={version}", restart the runtime, run setup again.',
    )


def _driven(
    runtime: Runtime, device: str, gpus: tuple[Gpu, ...], plugins: list[Plugin]
) -> list[Plugin] | Refusal:
    """Return the plugins that run with this driver on one of the GPUs at least."""
    release = runtime.driver.expect().release
    driven = [p for p in plugins if at_least(release, p.driver)]
    if not driven:
        least = min(plugins, key=lambda p: numbers(p.driver))
        return Refusal(
            f"NVIDIA's driver is too old for device={device}.",
            f"the driver is {release}; CUDA {least.cuda} needs {least.driver} or newer",
            f"Update NVIDIA's driver to {least.driver} or newer, or use --device cpu.",
        )
    fitting = [
        p
        for p in driven
        if any(gpu.compute_capability >= numbers(p.compute_capability) for gpu in gpus)
    ]
    if fitting:
        return fitting
    least = min(driven, key=lambda p: numbers(p.compute_capability))
    has = ".".join(map(str, gpus[0].compute_capability))
    return Refusal(
        f"{gpus[0].name} is too old for device={device}.",
        f"its compute capability is {has}; JAX for CUDA {least.cuda} needs "
        f"{least.compute_capability} or newer",
        "Use --device cpu, or a newer GPU.",
    )


def _blind(runtime: Runtime, device: str, gpus: tuple[Gpu, ...]) -> Refusal | None:
    """Say so where JAX is there and does not see what it shall compute on."""
    if not is_asked(runtime):
        return None
    seen = runtime.jax_devices.value
    platforms = (runtime.environment.value or {}).get("JAX_PLATFORMS", "")
    if seen is None:
        asked = f" (JAX_PLATFORMS={platforms})" if platforms else ""
        return Refusal(
            f"JAX {_version(runtime, 'jax')} does not work here, and device={device} needs it.",
            f"{runtime.jax_devices.missing}{asked}",
            'See it with python -c "import jax; jax.devices()", or use --device cpu.',
        )
    number = int(re.sub(r"\D", "", device) or 0)
    if number < sum(not gpus or one.platform == "gpu" for one in seen):
        return None
    if gpus and platforms and not re.search("cuda|gpu", platforms):
        return Refusal(
            f"device={device} computes through JAX, which is kept from the GPU.",
            f"JAX_PLATFORMS={platforms}",
            "Take JAX_PLATFORMS out of the environment, restart the runtime, run setup again.",
        )
    kinds = ", ".join(f"{one.platform} ({one.kind})" for one in seen)
    there = f"; NVML lists {gpus[0].name}" if gpus else ""
    _, _, remark = runtime.jax_devices.source.partition("; ")
    there += f"; {remark}" if remark else ""
    return _started(runtime, device) or Refusal(
        f"device={device} computes through JAX, which does not see that device.",
        f"JAX's devices: {kinds}{there}",
        "See why with JAX_PLATFORMS=cuda python -c 'import jax; jax.devices()', "
        "or use --device cpu.",
    )


def _started(runtime: Runtime, device: str) -> Refusal | None:
    """Say so where this process has started JAX already: it will see no other devices."""
    seen = runtime.jax_devices.value
    if seen is None or not is_started(runtime):
        return None
    kinds = ", ".join(dict.fromkeys(one.platform for one in seen))
    return Refusal(
        f"JAX was started in this process before Theano, without what device={device} needs.",
        f"its devices, which cannot change any more: {kinds}",
        "Restart the runtime and run %theano setup before JAX is used.",
    )


def _no_avx(runtime: Runtime, device: str) -> Refusal | None:
    features = runtime.cpu_features.value
    if runtime.machine.value != "x86_64" or not features or "avx" in features:
        return None
    return Refusal(
        f"device={device} computes through JAX, which needs a processor with AVX.",
        f"{runtime.cpu_features.source} lists {len(features)} features, and not avx",
        "Use --device cpu: Theano's C code is compiled for this processor.",
    )


def _no_wheels(runtime: Runtime, device: str) -> Refusal | None:
    machine = runtime.machine.value
    if machine is None or machine in _WHEELS_FOR:
        return None
    return Refusal(
        f"device={device} computes through JAX, which is not here and cannot be installed.",
        f"there are no wheels of JAX for {machine}",
        "Use --device cpu.",
    )


def _no_room(runtime: Runtime, plugin: Plugin | None) -> Refusal | None:
    free = runtime.disk_free_bytes.value
    if plugin is None or free is None or free >= plugin.disk_mb * 10**6:
        return None
    return Refusal(
        f"The disk has no room for {plugin.distribution} and NVIDIA's libraries.",
        f"{free // 10**6} MB are free; they need about {plugin.disk_mb} MB",
        "Delete what you no longer need, or use --device cpu.",
    )


def _keep(runtime: Runtime, plugin: Plugin | None) -> Step:
    names = ("jax",) if plugin is None else ("jax", plugin.distribution)
    packages = [(name, _version(runtime, name)) for name in names]
    driver = runtime.driver.value
    fits = f" and fits driver {driver.release}" if plugin is not None and driver else ""
    return Step(
        "install",
        "Keep " + " and ".join(f"{_spoken(name)} {version}" for name, version in packages),
        f"Theano's graphs run through JAX's compiler, XLA; it is here{fits}.",
        tuple(f"{name}=={version}" for name, version in packages),
        kept=True,
    )


def _install(runtime: Runtime, plugin: Plugin | None, compat: Compat) -> Step:
    """Install JAX, or the plugin that its version wants; nothing that is there may change."""
    jax, numpy = _version(runtime, "jax"), _version(runtime, "numpy")
    pins = [f"numpy=={numpy}"] if numpy else []
    if jax is None:
        extra = f"[cuda{plugin.cuda}]" if plugin else ""
        wanted, title = f"jax{extra}>={compat.jax_minimum}", f"Install JAX{_for(plugin)}"
        why = "Theano's graphs run through JAX's compiler, XLA, and it is not here."
    else:
        assert plugin is not None  # noqa: S101  # else JAX was kept
        version = _version(runtime, "jaxlib") or jax
        wanted = f"{plugin.distribution}[with-cuda]=={version}"
        title = f"Install JAX's plugin{_for(plugin)}"
        why = f"JAX {jax} is here, and its plugin for the GPU is not."
        pins = [f"jax=={jax}", *pins]
    if plugin is not None:
        driver = runtime.driver.expect().release
        why = f"{why} Driver {driver} and the GPU can run CUDA {plugin.cuda}."
    return Step("install", title, why, (wanted, *pins))


def _for(plugin: Plugin | None) -> str:
    return f" for CUDA {plugin.cuda}" if plugin else ""


def _spoken(name: str) -> str:
    return {"jax": "JAX"}.get(name, name)


def _same(one: str | None, other: str | None) -> bool:
    return numbers(one or "") == numbers(other or "")


def _version(runtime: Runtime, name: str) -> str | None:
    return (runtime.packages.value or {}).get(name)
