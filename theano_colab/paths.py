"""Where theano_colab keeps what it may throw away: wheels it built, its journal, its locks."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

ENVIRONMENT_VARIABLE = "THEANO_COLAB_CACHE"


def cache_dir() -> Path:
    """Return the cache folder, created and writable.

    ``$THEANO_COLAB_CACHE`` if set, else the user's cache folder (XDG Base Directory
    Specification), else, where that cannot be written (HOME on a read-only disk), a folder of this
    user's in the temporary directory.

    Raises
    ------
    OSError
        If none of them can be written.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        return _writable(Path(chosen))
    try:
        return _writable(platformdirs.user_cache_path("theano_colab"))
    except OSError:
        return _writable(Path(tempfile.gettempdir()) / f"theano_colab-{os.getuid()}")


def _writable(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder
