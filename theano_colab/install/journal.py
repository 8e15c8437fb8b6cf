"""What setup was doing to an environment, so that the next run knows when it was interrupted."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest state of one environment.

    ``installing`` is written before the first change and stands until ``installed`` replaces it
    after the last one. ``names`` are the distributions that pip was asked for or said it would
    install, and that were not there before. ``temporary`` is the folder given to pip for its
    temporary files. ``record`` is the SHA-256 of the port's RECORD file once it is installed, so
    that an installation which somebody else has changed is not taken for ours.
    """

    state: Literal["installing", "installed"]
    version: str
    names: tuple[str, ...] = ()
    temporary: str | None = None
    record: str | None = None


class Journal:
    """The journal of the environment whose packages go to ``site``; one small JSON file."""

    def __init__(self, folder: Path, site: Path) -> None:
        key = hashlib.sha256(f"{sys.prefix}\0{site}".encode()).hexdigest()[:16]
        self.path = folder / f"environment-{key}.json"

    def read(self) -> Entry | None:
        """Return the newest entry; None if there is none, or none that can be read."""
        try:
            content = json.loads(self.path.read_bytes())
            if content.pop("format") != FORMAT:
                return None
            return Entry(**{**content, "names": tuple(content["names"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, entry: Entry) -> None:
        """Replace the entry: afterwards the old or the new one is there, whatever happens.

        Raises
        ------
        OSError
            If it cannot be written; the old entry stands.
        """
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(entry)})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def erase(self) -> None:
        """Remove the entry."""
        self.path.unlink(missing_ok=True)
