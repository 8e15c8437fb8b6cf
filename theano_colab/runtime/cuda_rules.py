"""Rules about GPUs, the driver, CUDA and JAX's plugins."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from theano_colab.runtime.rules import (
    counted,
    counted_gpus,
    data,
    differ,
    first,
    missing,
    numbers,
    older,
    quoted,
    rule,
    same,
    wants_gpu,
)

if TYPE_CHECKING:
    from theano_colab.runtime.model import Gpu
    from theano_colab.runtime.rules import Facts, Found


@rule("driver-older-than-plugin")
def _driver_plugin(facts: Facts) -> Found:
    driver = facts.runtime.driver.value
    for name, needs in data()["plugin"].items():
        if driver and name in facts.packages and older(driver.release, needs["driver"]):
            words = {"plugin": name, "needed": needs["driver"]}
            yield words, (facts.driver(), facts.package(name))


@rule("gpu-too-old-for-plugin")
def _gpu_plugin(facts: Facts) -> Found:
    for name, needs in data()["plugin"].items():
        old = [g for g in facts.gpus if g.compute_capability < numbers(needs["capability"])]
        if name in facts.packages and old:
            words = {"plugin": name, "gpu": old[0].name, "needed": needs["capability"]}
            yield words, (facts.gpu(old[0]), facts.package(name))


@rule("plugin-not-of-jaxlib")
def _plugin_jaxlib(facts: Facts) -> Found:
    jaxlib = facts.packages.get("jaxlib")
    names = [name for name in data()["plugin"] if name in facts.packages]
    if jaxlib is None or any(same(facts.packages[name], jaxlib) for name in names):
        return
    for name in names:
        evidence = (facts.package("jaxlib"), facts.package(name))
        yield {"plugin": name, "jaxlib": jaxlib}, evidence


@rule("no-driver")
def _no_driver(facts: Facts) -> Found:
    if _lacks_driver(facts) and facts.runtime.container.value is None:
        yield {}, (counted(facts.runtime.pci_gpus), missing(facts.runtime.driver))


@rule("no-driver-in-container")
def _no_driver_in_container(facts: Facts) -> Found:
    container = facts.runtime.container
    if _lacks_driver(facts) and container.value is not None:
        bus, driver = counted(facts.runtime.pci_gpus), missing(facts.runtime.driver)
        yield {}, (bus, driver, f"{container.value} [{container.source}]")


def _lacks_driver(facts: Facts) -> bool:
    runtime = facts.runtime
    recorded = runtime.driver.missing != "not recorded"
    return bool(runtime.pci_gpus.value) and runtime.driver.value is None and recorded


@rule("stub-libcuda")
def _stub(facts: Facts) -> Found:
    library = facts.runtime.driver_library
    if library.value and "stubs" in PurePosixPath(library.value).parts:
        folder = str(PurePosixPath(library.value).parent)
        yield {"folder": folder}, (f"{library.value} [{library.source}]",)


@rule("mig-without-instance")
def _mig_empty(facts: Facts) -> Found:
    gpus = facts.runtime.gpus
    said = gpus.missing or gpus.source
    if "MIG mode and has no instance" in said:
        yield {}, (missing(gpus) if gpus.missing else f"[{said}]",)


@rule("mig-instances")
def _mig(facts: Facts) -> Found:
    parts = [gpu for gpu in facts.gpus if " MIG " in gpu.name]
    if len(parts) > 1:
        names = ", ".join(gpu.name for gpu in parts)
        yield {}, (f"{names} [{facts.runtime.gpus.source}]",)


@rule("device-hidden")
def _hidden(facts: Facts) -> Found:
    visible = _visible(facts)
    number, quoted = _numbered(facts)
    if visible and number is not None and number >= len(visible):
        words = {"device": f"cuda{number}", "last": str(len(visible) - 1)}
        yield words, (quoted, facts.variable("CUDA_VISIBLE_DEVICES"), counted_gpus(facts))


@rule("all-hidden")
def _all_hidden(facts: Facts) -> Found:
    device, quoted = facts.device()
    if _visible(facts) == [] and wants_gpu(device):
        yield {"device": device}, (quoted, facts.variable("CUDA_VISIBLE_DEVICES"))


@rule("device-not-there")
def _not_there(facts: Facts) -> Found:
    number, quoted = _numbered(facts)
    if _visible(facts) is None and facts.gpus and number is not None:
        last = max(gpu.index for gpu in facts.gpus)
        if number > last:
            yield {"device": f"cuda{number}", "last": str(last)}, (quoted, counted_gpus(facts))


def _visible(facts: Facts) -> list[int] | None:
    """Return the GPUs that CUDA_VISIBLE_DEVICES shows; None where it is not set or lists UUIDs.

    The first entry that is no GPU's number ends the list (CUDA C++ Programming Guide).
    """
    text = facts.environment.get("CUDA_VISIBLE_DEVICES")
    if text is None or not facts.gpus or re.match(r"\s*(GPU|MIG)-", text):
        return None
    there = {gpu.index for gpu in facts.gpus}
    shown: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        if not (part.isascii() and part.isdigit()) or int(part) not in there:
            break
        shown.append(int(part))
    return shown


def _numbered(facts: Facts) -> tuple[int | None, str]:
    device, quoted = facts.device()
    match = re.fullmatch(r"cuda([0-9]{1,4})", device)
    return (int(match[1]) if match else None), quoted


@rule("driver-older-than-toolkit")
def _driver_toolkit(facts: Facts) -> Found:
    driver = facts.runtime.driver.value
    if driver and facts.toolkits and numbers(facts.toolkits[0].version)[:2] > driver.cuda:
        serves = ".".join(map(str, driver.cuda))
        yield {"driver": serves, **_matters(facts)}, (facts.driver(), facts.toolkit())


@rule("driver-older-than-nvrtc")
def _driver_nvrtc(facts: Facts) -> Found:
    driver = facts.runtime.driver.value
    compiler = first(facts, "nvrtc")
    if driver is None or compiler is None or numbers(compiler.version)[:2] <= driver.cuda:
        return
    serves = ".".join(map(str, driver.cuda))
    yield {"driver": serves, **_matters(facts)}, (facts.driver(), quoted(compiler))


def _matters(facts: Facts) -> dict[str, str]:
    """Warn where pygpu is there, which compiles by NVRTC; XLA brings its own compiler."""
    return {"level": "warn"} if "pygpu" in facts.packages else {}


@rule("gpu-too-old-for-toolkit")
def _gpu_old(facts: Facts) -> Found:
    if not facts.toolkits:
        return
    version = facts.toolkits[0].version
    ended = [
        low for cuda, low in data()["capability"]["oldest"].items() if not older(version, cuda)
    ]
    for gpu in _kinds(facts):
        if ended and gpu.compute_capability < max(map(numbers, ended)):
            has = ".".join(map(str, gpu.compute_capability))
            words = {"toolkit": version, "gpu": gpu.name, "capability": has}
            yield words, (facts.toolkit(), facts.gpu(gpu))


def _kinds(facts: Facts) -> list[Gpu]:
    """Return one GPU of each name."""
    return list({gpu.name: gpu for gpu in facts.gpus}.values())


@rule("gpu-too-new-for-toolkit")
def _gpu_new(facts: Facts) -> Found:
    if not facts.toolkits:
        return
    version = facts.toolkits[0].version
    for gpu in _kinds(facts):
        has = ".".join(map(str, gpu.compute_capability))
        needed = data()["capability"]["since"].get(has)
        if needed and older(version, needed):
            words = {"toolkit": version, "gpu": gpu.name, "needed": needed}
            yield words, (facts.toolkit(), facts.gpu(gpu))


@rule("library-hidden")
def _library_hidden(facts: Facts) -> Found:
    entries = facts.environment.get("LD_LIBRARY_PATH", "").split(":")
    folders = {str(PurePosixPath(entry)) for entry in entries if entry}
    for name in dict.fromkeys(library.name for library in facts.libraries):
        named = [library for library in facts.libraries if library.name == name]
        wheel = next((library for library in named if library.origin == "wheel"), None)
        for other in named:
            folder = str(PurePosixPath(other.path).parent)
            if wheel and other.origin != "wheel" and folder in folders and differ(wheel, other):
                evidence = (
                    facts.variable("LD_LIBRARY_PATH"),
                    quoted(other),
                    quoted(wheel),
                )
                yield {"name": name, "folder": folder}, evidence


@rule("gpu-memory-held")
def _memory(facts: Facts) -> Found:
    free = facts.runtime.gpu_memory_free
    for gpu, left in zip(facts.gpus, free.value or (), strict=False):
        if left * 4 >= gpu.memory_bytes:
            continue
        users = [name for name in ("jax", "torch", "tensorflow") if name in facts.loaded]
        by = f"perhaps by {' and '.join(users)} in this process" if users else "by other processes"
        said = f"{left >> 20} of {gpu.memory_bytes >> 20} MiB of {gpu.name} are free"
        imported = [f"imported: {name} [{facts.runtime.loaded.source}]" for name in users]
        yield {"by": by}, (f"{said} [{free.source}]", *imported)


@rule("gpu-not-shared")
def _not_shared(facts: Facts) -> Found:
    states = facts.runtime.gpu_state
    for gpu, state in zip(facts.gpus, states.value or (), strict=False):
        mode = state.get("compute mode", "default")
        if mode != "default":
            quoted = f"{gpu.name}: compute mode {mode} [{states.source}]"
            yield {"gpu": gpu.name, "mode": mode}, (quoted,)


@rule("jax-kept-from-gpu")
def _platforms(facts: Facts) -> Found:
    platforms = facts.environment.get("JAX_PLATFORMS", "")
    plugin = any(name in facts.packages for name in data()["plugin"])
    if facts.gpus and plugin and platforms and not re.search("cuda|gpu", platforms):
        yield {}, (facts.variable("JAX_PLATFORMS"), facts.gpu(facts.gpus[0]))


@rule("several-toolkits")
def _several(facts: Facts) -> Found:
    if len(facts.toolkits) > 1:
        first = f"CUDA {facts.toolkits[0].version} in {facts.toolkits[0].root}"
        lines = (f"CUDA {t.version} in {t.root} [{t.found_via}]" for t in facts.toolkits)
        yield {"first": first}, tuple(lines)


@rule("cuda-mixed")
def _mixed(facts: Facts) -> Found:
    releases: dict[tuple[int, ...], str] = {}
    if facts.toolkits:
        releases[numbers(facts.toolkits[0].version)[:2]] = facts.toolkit()
    for library in facts.libraries:
        # cuBLAS and cuDNN count for themselves; these two are numbered as CUDA is.
        release = numbers(library.version)[:2]
        if library.name in {"cudart", "nvrtc"} and len(release) == 2:  # noqa: PLR2004  # "12.8"
            releases.setdefault(release, quoted(library))
    torch = re.search(r"\+cu(\d+)(\d)$", facts.packages.get("torch", ""))
    if torch:
        releases.setdefault((int(torch[1]), int(torch[2])), facts.package("torch"))
    if len(releases) > 1:
        yield {}, tuple(releases.values())


@rule("cudnn-mixed")
def _cudnn_mixed(facts: Facts) -> Found:
    named = [library for library in facts.libraries if library.name == "cudnn" and library.version]
    wheel = next((library for library in named if library.origin == "wheel"), None)
    other = next((library for library in named if library.origin != "wheel"), None)
    if wheel and other and differ(wheel, other):
        yield {}, (quoted(wheel), quoted(other))


@rule("cudnn-header")
def _cudnn_header(facts: Facts) -> Found:
    header, library = facts.runtime.cudnn_header, first(facts, "cudnn")
    if header.value is None or library is None:
        return
    if numbers(header.value)[:2] != numbers(library.version)[:2]:
        yield {}, (f"header {header.value} [{header.source}]", quoted(library))
