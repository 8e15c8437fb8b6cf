"""Removes what an interrupted setup left behind, and nothing that anybody else put there."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from typing import TYPE_CHECKING

from theano_colab.install.distributions import PORT, PORTS, damage, in_site, is_port, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from theano_colab.install.distributions import Installed
    from theano_colab.install.journal import Entry

MARKER = "_port"  # theano/_port holds the port's own modules; no other Theano has it


def heal(site: Path, entry: Entry | None) -> tuple[str, ...]:
    """Bring ``site`` into a state that pip can work on; return the names of what was removed.

    ``entry`` is what the journal says. Removed are, where they are not whole: the port's
    ``.dist-info`` and ``theano`` folders; the folders that pip had put aside while it replaced
    Theano or a library; the ``.dist-info`` of a library or a dependency that pip did not finish
    (pip would take it for installed); the temporary folder of that run. A Theano that is not the
    port stays: pip uninstalls it in its own way.

    Raises
    ------
    OSError
        If something cannot be removed; calling again goes on from there.
    """
    interrupted = entry is not None and entry.state == "installing"
    doomed = list(_broken_port(site, interrupted=interrupted))
    if entry is not None and interrupted:
        doomed += [
            found.info
            for found in in_site(site)
            if any(same(found.name, name) for name in entry.names)
            and damage(found, hashes=True) is not None
        ]
        # pip puts away what it replaces, and throws it away or back at its end.
        aside = _put_aside((*PORTS, *entry.names))
        doomed += [path for path in site.glob("~*") if aside.fullmatch(path.name)]
    removed = []
    for path in dict.fromkeys(doomed):
        _remove(path)
        removed.append(path.name)
    if entry is not None and entry.temporary:
        shutil.rmtree(entry.temporary, ignore_errors=True)
    return tuple(removed)


def sweep(cache: Path) -> None:
    """Remove the scratch of builds that were killed: sdists half downloaded, wheels half written.

    What is younger than an hour stays: somebody may be at work there without our lock.
    """
    oldest = time.time() - 3600
    scratch = ("sdist/tmp*", "port*/*/*.tmp", "libraries/*/*/*.tmp")
    for path in (path for pattern in scratch for path in cache.glob(pattern)):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                _remove(path)


def unowned_package(site: Path) -> Path | None:
    """Return the folder ``theano`` in ``site`` if no distribution, and not the port, owns it.

    Somebody copied or linked it there; pip would write into it.
    """
    package = site / PORT
    owned = (package / MARKER).is_dir() or _others(site) or any(map(is_port, in_site(site)))
    return None if owned or not (package.is_dir() or package.is_symlink()) else package


def _broken_port(site: Path, *, interrupted: bool) -> Iterator[Path]:
    """Yield what to remove of the port, unless it is whole: the package first, its record last."""
    ports = [found for found in in_site(site) if is_port(found)]
    broken = [found for found in ports if damage(found, hashes=True) is not None]
    if len(broken) == len(ports) and not _others(site):
        package = site / PORT
        # Without the marker it is ours only if the journal says that we were at work.
        if (package / MARKER).is_dir() or (package.is_dir() and (interrupted or broken)):
            yield package
    yield from (found.info for found in broken)


def _others(site: Path) -> bool:
    """Return whether a Theano that is not the port (the original, Theano-PyMC) is in ``site``."""
    return any(
        found.name.lower().startswith(PORT) and not is_port(found) and _claims_package(found)
        for found in in_site(site)
    ) or any(site.glob("[Tt]heano*.egg*"))


def _claims_package(found: Installed) -> bool:
    """Return whether another Theano (the original, Theano-PyMC) has its files in ``theano/``."""
    try:
        return f"{PORT}/" in (found.info / "RECORD").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return True  # conda leaves no RECORD


def _put_aside(names: Iterable[str]) -> re.Pattern[str]:
    """Return what pip calls the neighbour that it moves a folder to: ``theano`` to ``~heano``.

    It replaces one leading letter after the other until the name is free.
    """
    info = re.escape(".dist-info")
    choices = [
        rf"~[-~.=%0-9]{{{count}}}{re.escape(name[count + 1 :])}(-[0-9][^-]*{info})?"
        for name in (one.replace("-", "_") for one in names)
        for count in range(len(name) - 1)
    ]
    return re.compile("|".join(choices), re.IGNORECASE)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
