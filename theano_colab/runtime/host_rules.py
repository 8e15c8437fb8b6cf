"""Rules about Python, its packages, settings and the system."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from theano_colab.runtime.rules import (
    missing,
    older,
    rule,
    wants_gpu,
)

if TYPE_CHECKING:
    from theano_colab.runtime.rules import Facts, Found


@rule("colab-without-gpu")
def _colab_cpu(facts: Facts) -> Found:
    device, quoted = facts.device()
    runtime = facts.runtime
    if runtime.colab_release.value and wants_gpu(device) and not runtime.pci_gpus.value:
        if runtime.gpus.value or runtime.gpus.missing == "not recorded":
            return
        yield {"device": device}, (quoted, missing(runtime.gpus))


@rule("numpy-changed")
def _numpy(facts: Facts) -> Found:
    yield from _changed(facts, "numpy", "numpy")


@rule("module-changed")
def _module(facts: Facts) -> Found:
    for module in ("theano", "scipy", "jax", "jaxlib"):
        yield from _changed(facts, module, module)


def _changed(facts: Facts, module: str, package: str) -> Found:
    loaded, disk = facts.loaded.get(module), facts.packages.get(package)
    if disk is not None and loaded not in {None, "unknown", disk}:
        imported = f"imported: {module} {loaded} [{facts.runtime.loaded.source}]"
        yield {"module": module}, (imported, f"on disk: {facts.package(package)}")


@rule("theano-shadowed")
def _shadowed(facts: Facts) -> Found:
    places = facts.runtime.theano_places
    homes = [facts.runtime.site_packages.value, facts.runtime.user_site.value]
    folders = [PurePosixPath(home) for home in homes if home]
    if not places.value or not folders:
        return
    first = PurePosixPath(places.value[0])
    # Colab and Debian install into a dist-packages that sysconfig may not name.
    installed = any(first.is_relative_to(folder) for folder in folders)
    if installed or first.parent.parent.name in {"site-packages", "dist-packages"}:
        return
    if "theano" in facts.packages or first.name == "theano.py":
        yield {"place": str(first)}, tuple(f"{place} [{places.source}]" for place in places.value)


@rule("two-theanos")
def _two_theanos(facts: Facts) -> Found:
    if {"theano", "theano-pymc"} <= facts.packages.keys():
        evidence = (facts.package("theano-pymc"), facts.package("theano"))
        yield {"other": "theano-pymc"}, evidence


@rule("pygpu-broken")
def _pygpu(facts: Facts) -> Found:
    pygpu = facts.runtime.pygpu
    if "pygpu" in facts.packages and pygpu.missing not in {None, "not recorded"}:
        evidence = (facts.package("pygpu"), missing(pygpu))
        yield {"version": facts.packages["pygpu"]}, evidence


@rule("processor-without-avx")
def _avx(facts: Facts) -> Found:
    features = facts.runtime.cpu_features
    x86 = facts.runtime.machine.value == "x86_64"
    if x86 and "jaxlib" in facts.packages and features.value and "avx" not in features.value:
        evidence = (f"no avx among {len(features.value)} features [{features.source}]",)
        yield {}, (*evidence, facts.package("jaxlib"))


@rule("keras-without-theano")
def _keras(facts: Facts) -> Found:
    keras = facts.packages.get("keras")
    wants = facts.environment.get("KERAS_BACKEND") == "theano"
    if keras and wants and not older(keras, "2.4"):
        evidence = (facts.package("keras"), facts.variable("KERAS_BACKEND"))
        yield {"keras": keras}, evidence


@rule("path-not-there")
def _paths(facts: Facts) -> Found:
    named = facts.runtime.named_paths
    there = named.value or {}
    flags = ("cuda.root", "dnn.base_path", "dnn.include_path", "dnn.library_path", "dnn.bin_path")
    settings = [(f.name, f.value, f.origin) for f in facts.settings if f.name in flags]
    source = facts.runtime.environment.source
    variables = [v for v in ("CUDA_PATH", "CUDA_HOME", "CUDA_ROOT") if v in facts.environment]
    settings += [(name, facts.environment[name], source) for name in variables]
    for name, value, origin in settings:
        if there.get(value) is False:
            evidence = (f"{name}={value} [{origin}]", f"there is no {value} [{named.source}]")
            yield {"setting": name}, evidence


@rule("no-compiler")
def _compiler(facts: Facts) -> Found:
    compiler = facts.runtime.compiler
    if compiler.value is None and compiler.missing != "not recorded":
        yield {}, (missing(compiler),)


@rule("no-python-headers")
def _headers(facts: Facts) -> Found:
    headers = facts.runtime.python_headers
    if headers.value is None and headers.missing != "not recorded":
        python = ".".join((facts.runtime.python.value or "3").split(".")[:2])
        yield {"python": python}, (missing(headers),)


@rule("home-not-writable")
def _home(facts: Facts) -> Found:
    home = facts.runtime.home_writable
    if home.value is False and not {"base_compiledir", "compiledir"} & facts.flags.keys():
        folder = facts.runtime.temporary_folder.value or "the temporary folder"
        yield {"folder": folder}, (f"not writable [{home.source}]",)


@rule("old-device-name")
def _old_device(facts: Facts) -> Found:
    device, quoted = facts.device()
    if re.fullmatch(r"gpu[0-9]*", device):
        yield {"device": device, "today": device.replace("gpu", "cuda")}, (quoted,)


@rule("theanorc-overruled")
def _overruled(facts: Facts) -> Found:
    for name, winner in facts.flags.items():
        for loser in facts.settings:
            if loser.name == name and loser.value != winner.value and loser.origin != winner.origin:
                quoted = [f"{name}={one.value} [{one.origin}]" for one in (winner, loser)]
                yield {"name": name, "winner": winner.origin, "loser": loser.origin}, tuple(quoted)
                break
