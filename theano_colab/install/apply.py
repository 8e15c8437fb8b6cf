"""Carries out a plan's installing steps: build the port, install it and what it lacks."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError, from_os_error
from theano_colab.install import distributions as dists
from theano_colab.install.lock import exclusive
from theano_colab.install.work import Work
from theano_colab.paths import cache_dir
from theano_colab.port import port_version
from theano_colab.port.flavour import by_distribution

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from theano_colab.plan.model import Plan
    from theano_colab.progress import Status

    OnStep = Callable[[int, Status, str], None]


INSTALLING = ("build-port", "install", "install-library")
"""The actions that are carried out here."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done.

    ``wheel`` is the port's wheel, or None where the installed port was whole and stayed.
    ``versions`` are (name, version) of what the plan's install steps asked for. ``seconds`` is wall
    time, waiting for another setup included. ``changed`` says whether anything was installed.
    """

    wheel: Path | None
    versions: tuple[tuple[str, str], ...]
    seconds: float
    changed: bool


def apply(plan: Plan, *, on_step: OnStep, cache: Path | None = None) -> Applied:
    """Carry out the steps that build and install; the others are the session's.

    What is in place already is found out here, not believed: such a step is reported as "kept".
    Nothing that is installed is changed, but for Theano and the plan's libraries. Interrupted at
    any moment, also by SIGKILL, the next call heals what was left. One setup at a time runs; a
    second one waits.

    Parameters
    ----------
    on_step
        Called with the step's index in ``plan.steps``, its status and the newest line of progress.
    cache
        The folder for the wheel, the journal and the lock; ``paths.cache_dir()`` where it is None.

    Raises
    ------
    TheanoColabError
        If a step failed. What was there before is there still, or the next call puts it right.
    """
    began = time.monotonic()
    steps = [(i, s) for i, s in enumerate(plan.steps) if s.action in INSTALLING]
    if not steps:
        return Applied(None, (), 0.0, changed=False)
    index = steps[0][0]
    try:
        folder = cache_dir() if cache is None else cache
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / "setup.lock", functools.partial(on_step, index, "running")) as lock:
            work = Work(folder, lock, by_distribution(plan.theano))
            for index, step in steps:  # the handlers below say which step failed
                say = functools.partial(on_step, index, "running")
                say("")
                status, text = work.carry_out(step, say)
                on_step(index, status, text)
            work.finish()
    except OSError as error:
        problem = from_os_error(error)
        on_step(index, "failed", problem.cause)
        raise problem from error
    except TheanoColabError as error:
        on_step(index, "failed", error.cause)
        raise
    return Applied(work.wheel, tuple(work.versions), time.monotonic() - began, changed=work.changed)


def installed_port() -> str | None:
    """Return the version of the port that is installed in this environment, or None."""
    found = dists.find_port()
    return None if found is None else found.version


def check_installed(site: Path) -> str | None:
    """Return why the port in the folder ``site`` is not whole, or None; every file is hashed."""
    for found in dists.in_site(site):
        if dists.is_port(found):
            return dists.damage(found, hashes=True)
    return f"no {dists.PORT} {port_version()} in {site}"
