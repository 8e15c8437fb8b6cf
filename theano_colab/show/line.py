"""A runtime in one line, for the head of every panel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from theano_colab.runtime.model import Runtime

_FRONT_ENDS: Final = {"colab": "Colab", "jupyter": "Jupyter", "ipython": "IPython"}
# $COLAB_RELEASE_TAG reads "release-colab-external_20260213_060047_RC00": the date of the image,
# which is not the name ("2026.01") of a runtime that a notebook can be pinned to.
_TAG_DATE: Final = re.compile(r"_(20\d\d)(\d\d)(\d\d)(?!\d)")


def runtime_line(runtime: Runtime) -> str:
    """Return what stands at the head of every panel about the runtime.

    "Colab 2026-08-05 · Python 3.13.15 · NumPy 2.1.3 · Tesla T4 (driver 550.54, CUDA 12.4)"

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
    tag = runtime.colab_release.value
    if tag:
        date = _TAG_DATE.search(tag)
        return f"Colab {'-'.join(date.groups()) if date else tag.removeprefix('release-colab-')}"
    front_end = runtime.front_end.value or ""
    return _FRONT_ENDS.get(front_end, front_end)


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
