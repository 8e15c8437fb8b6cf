"""The environment of a new process that is to meet Theano as this one would."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# theano.gpuarray exports this; a process that inherits it refuses to start.
_SCRUBBED = "THEANO_GPU_IS_ALREADY_ACTIVE"


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return ``base`` with this process's ``sys.path`` and without the old GPU backend's mark.

    A notebook may have added to ``sys.path`` (a folder on a mounted drive); the new process sees
    the same.
    """
    env = {name: text for name, text in base.items() if name != _SCRUBBED}
    env["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return env
