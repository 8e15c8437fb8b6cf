"""Run a library's own check in a fresh process: it builds a model, trains it, and compares."""

from __future__ import annotations

import os
import sys
from collections import deque
from typing import TYPE_CHECKING

from theano_colab import children
from theano_colab.errors import TheanoColabError
from theano_colab.verify import process

if TYPE_CHECKING:
    from collections.abc import Callable

    from theano_colab.libraries.catalogue import Release

FOUND = "found: "
"""What the line of a check's output begins with that says what it found."""


def check(release: Release, flags: str, on_line: Callable[[str], None]) -> str:
    """Run the check of a release with THEANO_FLAGS set to ``flags``; return what it found.

    ``on_line`` gets each line that it prints.

    Raises
    ------
    TheanoColabError
        If it fails, is killed, or does not end in time.
    """
    said: deque[str] = deque(maxlen=40)
    found: list[str] = []

    def take(line: str) -> None:
        line = line.strip()
        if line.startswith(FOUND):
            found.append(line.removeprefix(FOUND))
        elif line:
            said.append(line)
            on_line(line)

    environment = children.environment({**os.environ, **dict(release.environment)})
    code = process.run(
        [sys.executable, str(release.program)], {**environment, "THEANO_FLAGS": flags}, take
    )
    if code == 0 and found:
        return found[-1]
    last = said[-1] if said else "no output"
    ended = f"exit code {code}" if code is not None else "stopped, because it did not end"
    raise TheanoColabError(
        f"{release.spoken} is installed, but does not work here.",
        f"{last[:300]} ({ended})",
        f"The whole traceback: {sys.executable} {release.program}",
    )
