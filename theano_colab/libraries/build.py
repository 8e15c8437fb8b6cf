"""Builds a library's wheel: its published file by our rules, with what it really requires."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from theano_colab.libraries.catalogue import FOLDER, Release
from theano_colab.port import archive, rewrite
from theano_colab.port.pack import pack
from theano_colab.port.store import kept_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDERS = (Path(__file__), Path(archive.__file__).with_name("pack.py"), Path(rewrite.__file__))

METADATA = """\
Metadata-Version: 2.1
Name: {release.distribution}
Version: {release.built_version}
Summary: {release.spoken}, rebuilt by theano-colab for today's Python and NumPy.
Requires-Python: >=3.11
Requires-Dist: numpy>=2.0
Requires-Dist: {release.theano}
{needs}
"""
_LICENSE = re.compile(r"(?:[^/]+\.dist-info/)?(?:licenses/)?(LICEN[CS]E[^/]*|COPYING[^/]*)")


def build_library(
    release: Release, cache: Path, on_line: Callable[[str], None] | None = None
) -> Path:
    """Return the wheel of a release in the folder ``cache``, built if it is not there.

    ``on_line`` is called with each line of progress.

    Raises
    ------
    TheanoColabError
        If the published file cannot be downloaded or is not the pinned one.
    RuleError
        If a rule does not match.
    OSError
        If ``cache`` cannot be written.
    """
    folder = cache / "libraries" / _stem(release) / fingerprint(release)[:16]

    def build(wheel: Path) -> None:
        file = archive.kept(_archive(release), cache / "sdist", on_line)
        if on_line is not None:
            on_line(f"Building {wheel.name}")
        _build(release, archive.read(_archive(release), file), wheel)

    return kept_wheel(folder / wheel_name(release), build)


def fingerprint(release: Release) -> str:
    """Return a hash over all that decides the wheel's content; the wheel carries it."""
    digest = hashlib.sha256(f"{release}".encode())
    for path in (*BUILDERS, *_rules(release), *_added(release).values()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def wheel_name(release: Release) -> str:
    """Return the file name of the wheel."""
    return f"{_stem(release)}-py3-none-any.whl"


def _build(release: Release, original: dict[str, bytes], wheel: Path) -> None:
    folders = tuple(f"{package}/" for package in release.packages)
    files = {n: c for n, c in original.items() if n in release.packages or n.startswith(folders)}
    files = rewrite.apply_rules(files, rewrite.read_rules(_rules(release)))
    files |= {name: path.read_bytes() for name, path in _added(release).items()}
    info = f"{_stem(release)}.dist-info"
    needs = "\n".join(f"Requires-Dist: {need.requirement}" for need in release.needs)
    metadata = METADATA.format(release=release, needs=needs).strip() + "\n"
    files |= {
        f"{info}/METADATA": metadata.encode(),
        f"{info}/FINGERPRINT": fingerprint(release).encode(),
        **{f"{info}/{m[1]}": c for n, c in original.items() if (m := _LICENSE.fullmatch(n))},
    }
    pack(files, info, wheel)


def _archive(release: Release) -> archive.Archive:
    return archive.Archive(release.distribution, release.version, release.file, release.sha256)


def _rules(release: Release) -> tuple[Path, ...]:
    return tuple(FOLDER / "rules" / name for name in release.rules)


def _added(release: Release) -> dict[str, Path]:
    return {name: FOLDER / "support" / file for name, file in release.adds}


def _stem(release: Release) -> str:
    name = canonicalize_name(release.distribution).replace("-", "_")
    return f"{name}-{release.built_version}"
