"""Libraries that setup is asked for: which releases, on which Theano, by which steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from theano_colab.libraries import catalogue
from theano_colab.libraries.catalogue import Release, UnknownLibraryError
from theano_colab.plan.model import Refusal, Step

if TYPE_CHECKING:
    from theano_colab.runtime.model import Runtime

SPOKEN = {"theano": "Theano 1.0.5", "theano-pymc": "Theano-PyMC 1.1.2"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The releases that a request means, in its order; ``theano`` is the Theano they all want."""

    releases: tuple[Release, ...] = ()
    theano: catalogue.Flavour = "theano"

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """The variables that they want to be set."""
        return tuple(dict.fromkeys(pair for one in self.releases for pair in one.environment))


def choose(runtime: Runtime, names: tuple[str, ...]) -> Chosen | Refusal:
    """Return the releases that ``names`` ("keras", "keras==2.2.5") mean, or why they cannot be.

    They cannot where one is unknown, where two want different Theanos or are imported by one name,
    and where this runtime has something that stands against one of them.
    """
    try:
        releases = tuple(dict.fromkeys(_found(runtime, name) for name in names))
    except UnknownLibraryError as error:
        return Refusal(error.cause, error.evidence, error.remedy)
    for one, other in combinations(releases, 2):
        if one.module == other.module:
            return Refusal(
                f"{one.spoken} and {other.spoken} cannot be installed together.",
                f"both are imported as {one.module}",
                f"Ask for one of them: --with {one.spec}, or --with {other.spec}.",
            )
        if one.theano != other.theano:
            return _different_theanos(releases, one, other)
    for release in releases:
        for refuses in (_elsewhere, _imported, _too_old):
            if (refused := refuses(runtime, release)) is not None:
                return refused
    if releases:
        return Chosen(releases, releases[0].theano)
    # Of two rebuilds the one that is there stays, where nothing asks for the other.
    present = (runtime.packages.value or {}).get("theano-pymc", "")
    return Chosen((), "theano-pymc" if "+colab." in present else "theano")


def steps(runtime: Runtime, chosen: Chosen) -> tuple[Step, ...]:
    """Return the steps that install what the releases need, and then themselves."""
    packages = runtime.packages.value or {}
    missing = {
        need.requirement: f"{release.spoken}: {need.why}"
        for release in chosen.releases
        for need in release.needs
        if canonicalize_name(Requirement(need.requirement).name) not in packages
    }
    found: list[Step] = []
    if missing:
        names = _joined([Requirement(one).name for one in missing])
        why = f"{'; '.join(missing.values())}."
        found.append(Step("install", f"Install {names}", why, tuple(missing)))
    for release in chosen.releases:
        present = packages.get(canonicalize_name(release.distribution))
        does = "Keep" if release.elsewhere else "Rebuild and install"
        found.append(
            Step(
                "install-library",
                f"{does} {release.spoken}",
                _why(release, present),
                (release.requirement,),
                kept=present == release.built_version,
                library=release.spec,
            )
        )
    return tuple(found)


def check(chosen: Chosen) -> tuple[Step, ...]:
    """Return the step that shows that they work, if there are any."""
    if not chosen.releases:
        return ()
    names = _joined([release.spoken for release in chosen.releases])
    why = "Only a model that it builds and trains shows that a library works."
    return (Step("check-libraries", f"Check {names}", why),)


def notes(runtime: Runtime, chosen: Chosen) -> tuple[str, ...]:
    """Return what the user should know of the releases before they are installed."""
    packages, variables = runtime.packages.value or {}, runtime.environment.value or {}
    said: list[str] = []
    for release in chosen.releases:
        present = packages.get(canonicalize_name(release.distribution))
        if present not in {None, release.version, release.built_version}:
            said.append(
                f"{release.spoken} takes the place of {release.distribution} {present}. "
                + _after(release, present)
            )
        said += [note.format(numpy=packages.get("numpy", "")) for note in release.notes]
    for name, value in chosen.environment:
        if variables.get(name) not in {None, value}:
            said.append(f"{name} was {variables[name]}; setup sets {name}={value}.")
    return tuple(said)


def _after(release: Release, replaced: str) -> str:
    """Say what no longer works without what was replaced, and how to have it again."""
    rebuilt, label, _ = replaced.partition("+colab.")
    if label:
        return f"Back to it: %theano setup --with {release.library}=={rebuilt}"
    others = catalogue.libraries()[release.library].releases
    if kept := next((one.elsewhere for one in others if one.version == replaced), ""):
        return f"Back to it: {kept}"
    back = f"Back to it: pip install {release.distribution.lower()}=={replaced}"
    return f"{release.replaces} {back}".strip()


def _why(release: Release, present: str | None) -> str:
    if present == release.built_version:
        return "It is installed already."
    if present not in {None, release.version}:
        return f"It takes the place of {release.distribution} {present}."
    return (
        f"{release.spoken} as published was not made for this Python and NumPy; "
        "what it finds installed is not changed."
    )


def _different_theanos(releases: tuple[Release, ...], one: Release, other: Release) -> Refusal:
    """Refuse two that want different Theanos, and offer releases that want the same."""
    alone = f"Ask for one of them, in a runtime each: --with {one.spec}, or --with {other.spec}."
    for theano, spoken in SPOKEN.items():
        fitting = [
            next((r for r in _releases(release) if r.theano == theano), None)
            for release in releases
        ]
        if all(fitting):
            specs = ",".join(release.spec for release in fitting if release is not None)
            alone = f"{spoken} serves both as: --with {specs}"
    return Refusal(
        f"{one.spoken} and {other.spoken} want different Theanos, and a kernel can have one.",
        f"{one.spoken}: {SPOKEN[one.theano]}; {other.spoken}: {SPOKEN[other.theano]}",
        alone,
    )


def _releases(release: Release) -> tuple[Release, ...]:
    """Return a release, and after it the others of its library."""
    others = catalogue.libraries()[release.library].releases
    return (release, *(other for other in others if other != release))


def _found(runtime: Runtime, name: str) -> Release:
    """Return what a name means: without a version one that is there and on no package index."""
    release = catalogue.find(name)
    present = (runtime.packages.value or {}).get(canonicalize_name(release.distribution))
    there = (r for r in _releases(release) if r.elsewhere and r.version == present)
    return release if "==" in name else next(there, release)


def _elsewhere(runtime: Runtime, release: Release) -> Refusal | None:
    """Refuse where it is on no package index and not there."""
    present = (runtime.packages.value or {}).get(canonicalize_name(release.distribution))
    if not release.elsewhere or present == release.version:
        return None
    return Refusal(
        f"{release.spoken} is on no package index, from which setup installs.",
        f"installed is {release.distribution} {present}" if present else "it is not installed",
        f"{release.elsewhere}, then run the same setup again: it keeps and checks that one.",
    )


def _imported(runtime: Runtime, release: Release) -> Refusal | None:
    """Refuse where the kernel has imported another version of it already."""
    version = (runtime.loaded.value or {}).get(release.module)
    if version in {None, "unknown", release.version, release.built_version}:
        return None
    return Refusal(
        f"This kernel has imported {release.distribution} {version} already.",
        f"{release.module}.__version__ is {version}; {release.version} is to be installed",
        f"Restart the runtime, then run setup before anything imports {release.module}.",
    )


def _too_old(runtime: Runtime, release: Release) -> Refusal | None:
    """Refuse where something that it needs is there and too old: setup does not change it."""
    for need in release.needs:
        wanted = Requirement(need.requirement)
        version = (runtime.packages.value or {}).get(canonicalize_name(wanted.name))
        if version is not None and not wanted.specifier.contains(version, prereleases=True):
            return Refusal(
                f"{wanted.name} {version} does not fit {release.spoken}.",
                f"it needs {wanted} ({need.why}), and setup changes nothing that is there",
                f'pip install "{wanted}", restart the runtime, then run setup again.',
            )
    return None


def _joined(names: list[str]) -> str:
    """Return "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
