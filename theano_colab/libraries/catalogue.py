"""What ``--with`` knows: libraries, their releases, what each needs and which Theano it wants."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from theano_colab.errors import TheanoColabError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
BUILD = 1

Flavour = Literal["theano", "theano-pymc"]


class UnknownLibraryError(TheanoColabError):
    """A name or a version that the catalogue does not have, or cannot serve."""


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement (PEP 508) of a library, installed where it is missing, and why."""

    requirement: str
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a library.

    Parameters
    ----------
    library
        Its name after ``--with``: "keras".
    module
        What is imported: "keras".
    distribution
        Its name on the package index, as it is spelled there: "Keras".
    version
        As published: "2.2.4".
    file, sha256
        The file on the index, an sdist or a wheel, and its hash there; empty with ``elsewhere``.
    theano
        The distribution of the Theano that it wants.
    packages
        The folders and modules of the file that belong into the wheel.
    rules
        The files of ``rules/`` that change its text.
    needs
        What it imports beside NumPy and Theano.
    environment
        Variables to be set before it is imported, as (name, value).
    check
        The program of ``checks/`` that shows that it works.
    notes
        What the user should know before it is installed.
    replaces
        What stops working where it takes the place of another version of itself, as a sentence.
    adds
        Modules of ours for it: the path in the wheel, and the file in ``support/``.
    elsewhere
        The command that installs a release that is on no package index. It is the user's to run;
        one that is there is kept as it is, and checked.
    """

    library: str
    module: str
    distribution: str
    version: str
    file: str
    sha256: str
    theano: Flavour
    packages: tuple[str, ...]
    rules: tuple[str, ...]
    needs: tuple[Need, ...]
    environment: tuple[tuple[str, str], ...]
    check: str
    notes: tuple[str, ...]
    replaces: str
    adds: tuple[tuple[str, str], ...] = ()
    elsewhere: str = ""

    @property
    def built_version(self) -> str:
        """The version of the rebuild, which ``==`` the published one matches."""
        return self.version if self.elsewhere else f"{self.version}+colab.{BUILD}"

    @property
    def requirement(self) -> str:
        """The rebuild as pip names it."""
        return f"{self.distribution}=={self.built_version}"

    @property
    def spoken(self) -> str:
        """Name and version for people: "Keras 2.2.4"."""
        return f"{self.distribution} {self.version}"

    @property
    def spec(self) -> str:
        """What ``--with`` takes for exactly this release."""
        return f"{self.library}=={self.version}"

    @property
    def program(self) -> Path:
        """The path of its check."""
        return FOLDER / "checks" / self.check


@dataclass(frozen=True, slots=True)
class Library:
    """What ``--with NAME`` means: its releases, the default first.

    ``elsewhere`` is how to install one that is on no package index, ``means`` what another name
    for a release stands for ("keras==1.2.2"); both are empty for all others.
    """

    name: str
    releases: tuple[Release, ...]
    elsewhere: str = ""
    means: str = ""


@cache
def libraries() -> Mapping[str, Library]:
    """Return every library of the catalogue by its name."""
    data = tomllib.loads((FOLDER / "catalogue.toml").read_text("utf-8"))
    return {entry["name"]: _library(entry) for entry in data["library"]}


def find(spec: str) -> Release:
    """Return the release that ``NAME`` or ``NAME==VERSION`` means.

    Raises
    ------
    UnknownLibraryError
        If there is none; the nearest name, or the versions there are, are offered.
    """
    name, equals, version = (part.strip() for part in spec.partition("=="))
    known = libraries()
    library = known.get(name.lower())
    if library is None:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        raise UnknownLibraryError(
            f"--with does not know {name or 'a library without a name'}.",
            f"it knows {', '.join(known)}",
            f"Did you mean --with {near[0]}?"
            if near
            else f"pip install --no-deps {name or 'NAME'} keeps Theano and NumPy as they are.",
        )
    if library.means:
        return find(library.means)
    if not library.releases:
        raise UnknownLibraryError(
            f"{name} is not on the package index, from which --with installs.",
            f"its authors published it on {library.elsewhere.split('//')[-1].split('/')[0]} only",
            f"Run setup without it, then: {library.elsewhere}",
        )
    if not equals:
        return library.releases[0]
    found = next((one for one in library.releases if one.version == version), None)
    if found is None:
        there = [one.version for one in library.releases]
        raise UnknownLibraryError(
            f"--with does not serve {name} {version or 'without a version'}.",
            f"it serves {name} {', '.join(there)}",
            f"Write --with {name}=={there[0]}, or install yours with pip install --no-deps.",
        )
    return found


def _library(entry: Mapping[str, Any]) -> Library:
    releases = []
    for release in entry.get("release", ()):
        both = {**entry, **release}
        releases.append(
            Release(
                library=both["name"],
                module=both["import"],
                distribution=both["distribution"],
                version=both["version"],
                file=both.get("file", ""),
                sha256=both.get("sha256", ""),
                theano=both["theano"],
                packages=tuple(both["packages"]),
                rules=tuple(both.get("rules", ())),
                needs=tuple(Need(**need) for need in both.get("needs", ())),
                environment=tuple(both.get("environment", {}).items()),
                check=both["check"],
                notes=tuple(both.get("notes", ())),
                replaces=both.get("replaces", ""),
                adds=tuple(both.get("adds", {}).items()),
                elsewhere=both.get("elsewhere", ""),
            )
        )
    return Library(
        entry["name"], tuple(releases), entry.get("elsewhere", ""), entry.get("means", "")
    )
