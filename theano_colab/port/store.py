"""Wheels that were built, kept in a cache between kernels and checked at every use."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from theano_colab.port.archive import kept, sha256
from theano_colab.port.flavour import THEANO, Flavour
from theano_colab.port.wheel import build_wheel, fingerprint, wheel_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def build_port(
    cache: Path, on_line: Callable[[str], None] | None = None, flavour: Flavour = THEANO
) -> Path:
    """Return the wheel of a flavour in the folder ``cache``, downloaded and built if need be.

    ``on_line`` is called with each line of progress.

    Raises
    ------
    TheanoColabError
        If the sdist cannot be downloaded or is not the pinned one.
    OSError
        If ``cache`` cannot be written.
    """

    def build(wheel: Path) -> None:
        sdist = kept(flavour.archive, cache / "sdist", on_line)
        if on_line is not None:
            on_line(f"Building {wheel.name}")
        build_wheel(sdist, wheel.parent, flavour)

    # A folder for each flavour, because what is beside a wheel of new rules is removed.
    folder = cache / ("port" if flavour is THEANO else f"port-{flavour.distribution}")
    return kept_wheel(folder / fingerprint(flavour)[:16] / wheel_name(flavour), build)


def kept_wheel(wheel: Path, build: Callable[[Path], object]) -> Path:
    """Return the path ``wheel``; ``build`` writes it where it is not there whole.

    Its folder is named by a fingerprint of all that decides its content: a wheel from other rules
    lies in another one, which is removed. One that a kill or a full disk left incomplete is built
    anew.
    """
    folder, seal = wheel.parent, wheel.with_name("sha256.txt")
    try:
        if sha256(wheel) == seal.read_text("ascii"):
            return wheel
    except (OSError, UnicodeDecodeError):
        pass  # not there, not complete, or not readable: build it
    build(wheel)
    seal.write_text(sha256(wheel), "ascii")
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return wheel
