"""A runtime in one line, for the head of every panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theano_colab.runtime.model import Runtime


def runtime_line(runtime: Runtime) -> str:
    """Return "Colab 2026.08 · Python 3.13.15 · NumPy 2.1.3 · Tesla T4 (driver 550.54, CUDA 12.4)".

    Several equal GPUs are counted ("2 x Tesla T4"); none is said: "no GPU". What is not known is
    left out.
    """
    parts = [_place(runtime)]
    if runtime.python.value:
        parts.append(f"Python {runtime.python.value}")
    numpy = (runtime.loaded.value or {}).get("numpy") or (runtime.packages.value or {}).get("numpy")
    if numpy:
        parts.append(f"NumPy {numpy}")
    parts.append(_gpus(runtime))
    return " · ".join(part for part in parts if part)


def _place(runtime: Runtime) -> str:
    release = runtime.colab_release.value
    if not release:
        return runtime.front_end.value or ""
    # $COLAB_RELEASE_TAG reads "release-colab_20260805-060128_RC00" on some runtimes.
    return f"Colab {release}"


def _gpus(runtime: Runtime) -> str:
    gpus = runtime.gpus.value
    if not gpus:
        return "no GPU"
    names: dict[str, int] = {}
    for gpu in gpus:
        names[gpu.name] = names.get(gpu.name, 0) + 1
    text = ", ".join(name if n == 1 else f"{n} x {name}" for name, n in names.items())
    driver = runtime.driver.value
    if driver is None:
        return text
    release = ".".join(driver.release.split(".")[:2])
    return f"{text} (driver {release}, CUDA {driver.cuda[0]}.{driver.cuda[1]})"
