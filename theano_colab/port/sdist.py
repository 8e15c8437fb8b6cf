"""The sdist of Theano 1.0.5: fetched with the user's own pip configuration, and never run.

``pip download`` of an sdist runs its ``setup.py`` to learn its dependencies, and Theano's dies on
Python 3.12. pip is therefore handed a stand-in for setuptools (``stand_in/``) that answers this
question itself. pip still resolves, downloads and verifies as the user configured it: index, extra
index, find-links, proxy, certificates, cache.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError
from theano_colab.pip import PipError, run_pip

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "1.0.5"
NAME = f"Theano-{VERSION}"
FILE_NAME = f"{NAME}.tar.gz"
# As PyPI lists it among the files of Theano 1.0.5.
SHA256 = "6e9439dd53ba995fcae27bf20626074bfc2fff446899dc5c53cb28c1f9202e89"
STAND_IN = Path(__file__).parent / "stand_in"


def fetch_sdist(folder: Path, on_line: Callable[[str], None] | None = None) -> Path:
    """Download Theano's sdist into ``folder`` with pip, and return its path.

    ``on_line`` is called with each line that pip prints.

    Raises
    ------
    TheanoColabError
        If pip fails, or what it downloaded is not the Theano that PyPI published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A hash can be required only from a file, not on the command line.
    wanted = folder / "theano.txt"
    wanted.write_text(f"Theano=={VERSION} --hash=sha256:{SHA256}\n", "utf-8")
    arguments = [
        "download",
        "--no-deps",
        "--no-binary=:all:",
        "--use-pep517",
        "--no-build-isolation",
        f"--dest={folder}",
        f"--requirement={wanted}",
    ]
    paths = [str(STAND_IN.resolve()), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    try:
        run_pip(arguments, on_line=on_line, env=environment)
    except PipError as error:
        if error.id == "hash-mismatch":
            got = next((line.split()[-1] for line in error.lines if "Got" in line), "another")
            raise _wrong(FILE_NAME, got) from error
        raise
    # Indexes differ in how they spell the name.
    sdist = next(path for path in folder.iterdir() if path.name.lower() == FILE_NAME.lower())
    found = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if found != SHA256:
        raise _wrong(FILE_NAME, found)
    return sdist


def read_sdist(sdist: Path) -> dict[str, bytes]:
    """Return the content of every file of the sdist, by its path inside the sdist's folder.

    Raises
    ------
    TheanoColabError
        If the file cannot be read or is not the Theano that the rules were written for.
    """
    try:
        content = sdist.read_bytes()
    except OSError as error:
        raise TheanoColabError(
            "The sdist of Theano cannot be read.",
            f"{error}",
            f"Give a file that can be read, or none: {FILE_NAME} is then downloaded.",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise _wrong(str(sdist), found)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {
            member.name.removeprefix(f"{NAME}/"): file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }


def _wrong(name: str, found: str) -> TheanoColabError:
    return TheanoColabError(
        f"{name} is not the Theano {VERSION} that PyPI published.",
        f"SHA-256 {found}, expected {SHA256}",
        "Run setup again; if it happens twice, your package index or a proxy changes the file: "
        "use PyPI itself.",
    )
