"""What the doctor may mend without asking: a stale lock, an install that was interrupted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import platformdirs

from theano_colab import paths
from theano_colab.errors import TheanoColabError, from_os_error
from theano_colab.install import distributions
from theano_colab.install.journal import Journal
from theano_colab.install.lock import exclusive
from theano_colab.install.work import Work
from theano_colab.verify.lock import remove_stale_locks

if TYPE_CHECKING:
    from theano_colab.install.journal import Entry


def interrupted() -> Entry | None:
    """Return what the journal says was being installed when it was interrupted; only reads."""
    entry = _journal(_cache()).read()
    return entry if entry is not None and entry.state == "installing" else None


def mend(base_compiledir: Path) -> tuple[str, ...]:
    """Remove locks of dead processes, and what an interrupted install left; say what was done.

    Nothing else is touched. A setup that is at work is left alone, and that is said.
    """
    done = list(remove_stale_locks(base_compiledir))
    if interrupted() is None:
        return tuple(done)
    cache = _cache()
    try:
        with exclusive(cache / "setup.lock", _busy) as lock:
            Work(cache, lock)  # making one heals
        done.append("removed what an interrupted setup left; %theano setup installs it anew")
    except OSError as error:
        done.append(f"not mended: {from_os_error(error).cause} ({error})")
    except TheanoColabError as error:
        done.append(f"not mended: {error.cause} ({error.evidence})")
    return tuple(done)


def _busy(text: str) -> NoReturn:
    raise TheanoColabError("A setup is at work.", text, "Wait until it has ended.")


def _journal(cache: Path) -> Journal:
    return Journal(cache / "journal", distributions.sites()[0])


def _cache() -> Path:
    """Return where setup keeps its journal, without making it (``paths.cache_dir`` does)."""
    chosen = os.environ.get(paths.ENVIRONMENT_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("theano_colab")
