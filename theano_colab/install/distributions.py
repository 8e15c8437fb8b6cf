"""The distributions of this environment: which are there, and whether one is whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib
import importlib.metadata
import site
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from theano_colab.port.flavour import FLAVOURS

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = "theano"  # also the package that every Theano is imported as
PORTS = tuple(flavour.distribution for flavour in FLAVOURS)
LABEL = "+colab."  # in the version of what we rebuilt, and of nothing else


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution on disk: its name as it spells it, its version, its ``.dist-info`` folder."""

    name: str
    version: str
    info: Path

    @property
    def site(self) -> Path:
        """The folder it was installed into."""
        return self.info.parent


def sites() -> tuple[Path, ...]:
    """Return the folders that pip may install into and this Python imports from, pip's first."""
    folders = [sysconfig.get_path("purelib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return tuple(dict.fromkeys(Path(folder).resolve() for folder in folders))


def find(name: str) -> tuple[Installed, ...]:
    """Return the ``.dist-info`` folders of ``name`` in all ``sites()``, also damaged ones."""
    return tuple(found for folder in sites() for found in in_site(folder) if same(found.name, name))


def find_port(name: str | None = None) -> Installed | None:
    """Return the port that an import would find, or None; the one of this distribution name."""
    names = PORTS if name is None else (name,)
    return next((one for name in names for one in find(name) if is_port(one)), None)


def in_site(folder: Path) -> Iterator[Installed]:
    """Yield every distribution in ``folder``, by the names of its ``.dist-info`` folders."""
    for info in sorted(folder.glob("[!~]*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        yield Installed(name, version, info)


def is_port(found: Installed) -> bool:
    """Return whether ``found`` is a version of the port, not another Theano."""
    return canonicalize_name(found.name) in PORTS and LABEL in found.version


def same(one: str, other: str) -> bool:
    """Return whether two spellings name the same distribution."""
    return canonicalize_name(one) == canonicalize_name(other)


def damage(found: Installed, *, hashes: bool) -> str | None:
    """Return why ``found`` is not whole, or None.

    Every file of its RECORD must be there with the recorded size, and with the recorded hash too
    where ``hashes`` asks for that. pip writes its RECORD last of all; the one that the wheel brings
    does not list INSTALLER.
    """
    try:
        text = (found.info / "RECORD").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return f"{found.info.name} has no RECORD"
    rows = [row for row in csv.reader(text.splitlines()) if len(row) == 3]  # noqa: PLR2004  # path, hash, size
    if f"{found.info.name}/INSTALLER" not in {path for path, _, _ in rows}:
        return f"{found.info.name} was not finished"
    for path, digest, size in rows:
        if not size:
            continue  # compiled files and RECORD itself
        file = found.site / path
        try:
            if file.stat().st_size != int(size):
                return f"{path} does not have the size it was installed with"
            if hashes and digest and not _matches(file, digest):
                return f"{path} is not as it was installed"
        except (OSError, ValueError):
            return f"{path} is missing"
    return None


def _matches(file: Path, recorded: str) -> bool:
    algorithm, _, expected = recorded.partition("=")
    found = base64.urlsafe_b64encode(hashlib.new(algorithm, file.read_bytes()).digest())
    return found.decode("ascii").rstrip("=") == expected


def is_satisfied(requirement: str) -> bool:
    """Return whether ``requirement`` (PEP 508) holds already, without its own dependencies."""
    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return version is not None and wanted.specifier.contains(version, prereleases=True)


def constraints() -> tuple[str, ...]:
    """Return ``name==version`` of everything that is there, so that pip changes none of it."""
    pinned: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name, version = distribution.metadata["Name"], distribution.version
        try:
            Version(version)
        except (InvalidVersion, TypeError):
            continue  # pip could not compare it either
        if name:
            pinned.setdefault(canonicalize_name(name), f"{name}=={version}")
    return tuple(pinned[name] for name in sorted(pinned))


def make_importable(folder: Path) -> None:
    """Let this process import from ``folder``: a user's site folder may be younger than it."""
    if str(folder) not in map(str, (Path(entry).resolve() for entry in sys.path if entry)):
        site.addsitedir(str(folder))
    importlib.invalidate_caches()
