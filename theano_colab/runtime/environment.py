"""Settings that bear on Theano and CUDA: environment variables from a fixed list, and .theanorc."""

from __future__ import annotations

import os
import re
from pathlib import Path

from theano_colab.runtime.model import Fact

# Only these are recorded: a record may be shown or shared, and others may hold secrets
# (PIP_INDEX_URL holds passwords).
_NAMES = {
    "THEANO_FLAGS", "THEANORC", "LD_LIBRARY_PATH", "LD_PRELOAD", "LIBRARY_PATH", "CUDNN_LIBRARY",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "COLAB_RELEASE_TAG", "COLAB_GPU", "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV", "VIRTUAL_ENV", "KERAS_BACKEND",
}  # fmt: skip
_PATH = re.compile(r"(?<![\w.~/-])/[^\s,;:'\"]+")
_PREFIXES = ("CUDA_", "JAX_", "XLA_", "TPU_")


def environment() -> Fact[dict[str, str]]:
    """Return the variables of the list that are set."""
    chosen = {
        key: value
        for key, value in sorted(os.environ.items())
        if key in _NAMES or key.startswith(_PREFIXES)
    }
    return Fact.found(chosen, "os.environ")


def named_paths() -> Fact[dict[str, bool]]:
    """Return the absolute paths that the variables and the .theanorc name: whether each exists."""
    texts = [*(environment().value or {}).values(), *(theanorc().value or {}).values()]
    paths = sorted({path for text in texts for path in _PATH.findall(text)})
    return Fact.found({path: os.path.exists(path) for path in paths}, "os.stat")  # noqa: PTH110  # never raises


def theanorc() -> Fact[dict[str, str]]:
    """Return the files that Theano would read, in its order, and their text.

    Those of $THEANORC (separated like PATH), else ~/.theanorc. One that cannot be read is left out
    and named in the source, as Theano passes it by.
    """
    names = os.environ.get("THEANORC", "~/.theanorc").split(os.pathsep)
    texts: dict[str, str] = {}
    remarks = ["$THEANORC" if "THEANORC" in os.environ else "~/.theanorc"]
    for name in names:
        path = Path(os.path.expanduser(name))  # noqa: PTH111  # as Theano does: no error without a HOME
        try:
            texts[str(path)] = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        except OSError as error:
            remarks.append(f"{path}: {error.strerror}")
    return Fact.found(texts, "; ".join(remarks))
