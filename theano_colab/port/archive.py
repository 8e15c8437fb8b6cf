"""Pinned files of the package index: fetched with the user's own pip configuration, never run.

``pip download`` of an sdist runs its ``setup.py`` to learn its dependencies, and those of 2020 and
before die on Python 3.12. pip is therefore handed a stand-in for setuptools (``stand_in/``) that
answers this question itself. pip still resolves, downloads and verifies as the user configured it:
index, extra index, find-links, proxy, certificates, cache.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from theano_colab.errors import TheanoColabError
from theano_colab.pip import PipError, run_pip

if TYPE_CHECKING:
    from collections.abc import Callable

STAND_IN = Path(__file__).parent / "stand_in"


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of the package index, an sdist (``.tar.gz``) or a wheel: the very one.

    ``name`` and ``version`` are the distribution's, ``file`` is the file's name, ``sha256`` what
    PyPI lists for it.
    """

    name: str
    version: str
    file: str
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; else it is an sdist."""
        return self.file.endswith(".whl")


def fetch(archive: Archive, folder: Path, on_line: Callable[[str], None] | None = None) -> Path:
    """Download an archive into ``folder`` with pip, and return its path.

    ``on_line`` is called with each line that pip prints.

    Raises
    ------
    TheanoColabError
        If pip fails, or what it downloaded is not the file that PyPI published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A hash can be required only from a file, not on the command line.
    wanted = folder / "wanted.txt"
    requirement = f"{archive.name}=={archive.version}"
    wanted.write_text(f"{requirement} --hash=sha256:{archive.sha256}\n", "utf-8")
    kind = ["--only-binary=:all:"]
    if not archive.is_wheel:
        kind = ["--no-binary=:all:", "--use-pep517", "--no-build-isolation"]
    arguments = ["download", "--no-deps", *kind, f"--dest={folder}", f"--requirement={wanted}"]
    paths = [str(STAND_IN.resolve()), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    try:
        run_pip(arguments, on_line=on_line, env=environment)
    except PipError as error:
        if error.id == "hash-mismatch":
            got = next((line.split()[-1] for line in error.lines if "Got" in line), "another")
            raise _wrong(archive, archive.file, got) from error
        raise
    # Indexes differ in how they spell the name.
    spelled = canonicalize_name(archive.file)
    file = next(path for path in folder.iterdir() if canonicalize_name(path.name) == spelled)
    if (found := sha256(file)) != archive.sha256:
        raise _wrong(archive, archive.file, found)
    return file


def kept(archive: Archive, folder: Path, on_line: Callable[[str], None] | None = None) -> Path:
    """Return the path of an archive in the folder ``folder``, fetched if it is not there whole.

    Raises
    ------
    TheanoColabError
        As ``fetch``.
    """
    path = folder / archive.file
    try:
        if sha256(path) == archive.sha256:
            return path
    except OSError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that moving it there is one atomic step.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        return fetch(archive, Path(scratch), on_line).replace(path)


def read(archive: Archive, path: Path) -> dict[str, bytes]:
    """Return the content of every file of the archive at ``path``, by its path inside.

    That of an sdist begins below the folder that holds all the rest.

    Raises
    ------
    TheanoColabError
        If the file cannot be read or is not the one that was pinned.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TheanoColabError(
            f"{archive.file} cannot be read.",
            f"{error}",
            f"Give a file that can be read, or none: {archive.file} is then downloaded.",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != archive.sha256:
        raise _wrong(archive, str(path), found)
    if archive.is_wheel:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if name[-1] != "/"}
    with tarfile.open(fileobj=io.BytesIO(content)) as sdist:
        return {
            member.name.partition("/")[2]: file.read()
            for member in sdist
            if (file := sdist.extractfile(member)) is not None
        }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _wrong(archive: Archive, name: str, found: str) -> TheanoColabError:
    return TheanoColabError(
        f"{name} is not the {archive.name} {archive.version} that PyPI published.",
        f"SHA-256 {found}, expected {archive.sha256}",
        "Run setup again; if it happens twice, your package index or a proxy changes the file: "
        "use PyPI itself.",
    )
