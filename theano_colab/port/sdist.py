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
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "1.0.5"
NAME = f"Theano-{VERSION}"
FILE_NAME = f"{NAME}.tar.gz"
# As PyPI lists it: https://pypi.org/project/Theano/1.0.5/#files
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
    environment = {**os.environ, "PYTHONPATH": str(STAND_IN.resolve())}
    subprocess.run([sys.executable, "-m", "pip", *arguments], env=environment, check=True)
    return folder / FILE_NAME


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
        raise TheanoColabError(
            f"{sdist.name} is not the Theano {VERSION} that PyPI published.",
            f"SHA-256 {found}, expected {SHA256}",
            f"Delete {sdist} and run setup again. If it comes back, the package index serves a "
            "changed file.",
        )
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {
            member.name.removeprefix(f"{NAME}/"): file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }
