"""Where the user sits: Colab, Jupyter, an IPython terminal or a plain one."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from theano_colab.runtime.model import Fact

RELEASE_TAG = "COLAB_RELEASE_TAG"


def front_end() -> Fact[str]:
    """Return "colab", "jupyter", "ipython" or "terminal": what shows this process's output.

    A terminal on a Colab machine (``!python -m theano_colab``) is a "terminal".
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return Fact.found("terminal", "sys.modules: no IPython shell in this process")
    kind = type(shell)
    source = f"get_ipython(): {kind.__module__}.{kind.__qualname__}"
    if getattr(shell, "kernel", None) is None:
        return Fact.found("ipython", source)
    colab = _google_colab()
    if colab is not None and (RELEASE_TAG in os.environ or "google.colab" in sys.modules):
        return Fact.found("colab", f"{source}, {colab}")
    return Fact.found("jupyter", source)


def colab_release() -> Fact[str]:
    """Return the tag of the Colab release this machine runs."""
    tag = os.environ.get(RELEASE_TAG)
    if tag:
        return Fact.found(tag, f"${RELEASE_TAG}")
    if _google_colab() is not None:
        return Fact.absent(
            f"google.colab is installed but ${RELEASE_TAG} is not set", "environment"
        )
    return Fact.absent("not on Colab", f"${RELEASE_TAG}, google.colab")


def _google_colab() -> str | None:
    """Return where google.colab lies, without importing it (it hooks into the kernel)."""
    module = sys.modules.get("google.colab")
    if module is not None:
        return str(getattr(module, "__file__", None) or "google.colab")
    try:
        google = importlib.util.find_spec("google")
    except ValueError:  # a namespace package of the old kind has no spec
        return None
    folders = list(google.submodule_search_locations or ()) if google is not None else []
    found = (Path(folder) / "colab" / "__init__.py" for folder in folders)
    return next((str(path) for path in found if path.is_file()), None)
