"""The steps that change the environment, each written in the journal before it is done."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import site
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from theano_colab.errors import TheanoColabError, from_os_error
from theano_colab.install import distributions as dists
from theano_colab.install.heal import heal, sweep, unowned_package
from theano_colab.install.journal import Entry, Journal
from theano_colab.libraries import catalogue
from theano_colab.libraries.build import build_library
from theano_colab.libraries.build import fingerprint as fingerprint_of
from theano_colab.pip import explain, run_pip
from theano_colab.port import build_port, fingerprint
from theano_colab.port.archive import sha256
from theano_colab.port.flavour import THEANO, Flavour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano_colab.libraries.catalogue import Release
    from theano_colab.plan.model import Step
    from theano_colab.progress import Status

# Compiling all of Theano takes 5 s; Python compiles what is imported, as always.
_INSTALL = ("install", "--no-compile")
_COLLECTED = "Installing collected packages: "


class Work:
    """One call of ``apply``, while it holds the lock (whose file descriptor is ``lock``).

    ``wheel``, ``versions`` and ``changed`` are what ``Applied`` says, ``flavour`` is the Theano to
    be installed. Making one heals what the journal says was interrupted.
    """

    def __init__(self, cache: Path, lock: int, flavour: Flavour = THEANO) -> None:
        self.wheel: Path | None = None
        self.versions: list[tuple[str, str]] = []
        self.changed = False
        self._cache = cache
        self._lock = lock
        self._flavour = flavour
        self._journal = Journal(cache / "journal", dists.sites()[0])
        self._temporary: str | None = None
        if (entry := self._journal.read()) is not None and entry.state == "installing":
            self._heal(entry)
        sweep(cache)

    def carry_out(self, step: Step, say: Callable[[str], None]) -> tuple[Status, str]:
        """Do one step, or find it done; return its status and what there is to say."""
        if step.action == "build-port":
            return self._build(say)
        if step.action == "install-library":
            return self._install_library(catalogue.find(step.library), say)
        names = [Requirement(requirement).name for requirement in step.requirements]
        is_port = any(dists.same(name, self._flavour.distribution) for name in names)
        done = self._install_port(say) if is_port else self._install(step.requirements, say)
        found = [(name, self._version(name)) for name in names]
        self.versions += found
        return "done" if done else "kept", ", ".join(f"{name} {v}" for name, v in found)

    def finish(self) -> None:
        """Say in the journal that all is in place."""
        port = dists.find_port(self._flavour.distribution)
        if self.changed or (port is not None and not self._is_clean(port)):
            record = None if port is None else sha256(port.info / "RECORD")
            self._journal.write(Entry("installed", self._flavour.version, record=record))
        self._drop_temporary()

    def _build(self, say: Callable[[str], None]) -> tuple[Status, str]:
        if self._why_not_current() is None:
            return "kept", f"{self._spoken} is installed already"
        self.wheel = build_port(self._cache, say, self._flavour)
        return "done", self.wheel.name

    def _install_port(self, say: Callable[[str], None]) -> bool:
        reason = self._why_not_current()
        if reason is None:
            return False
        say(reason)
        wheel = self.wheel = self.wheel or build_port(self._cache, say, self._flavour)
        name, version = self._flavour.distribution, self._flavour.version
        self._remove(self._others(), say)
        self._install_wheel(f"{name}=={version}", wheel, (), say)
        return True

    def _others(self) -> list[dists.Installed]:
        """Return the other Theanos, ours or not, whose place this one takes."""
        names = [name for name in dists.PORTS if name != self._flavour.distribution]
        return [found for name in names for found in dists.find(name)]

    def _remove(self, others: Sequence[dists.Installed], say: Callable[[str], None]) -> None:
        if not others:
            return
        _expect_removable(others)
        self._begin(())
        self._pip(["uninstall", "--yes", *{found.name for found in others}], say)

    def _install_library(self, release: Release, say: Callable[[str], None]) -> tuple[Status, str]:
        name, version = release.distribution, release.built_version
        self.versions.append((name, version))
        reason = _why_not_there(release)
        if reason is None:
            return "kept", f"{name} {version} is installed already"
        say(reason)
        wheel = build_library(release, self._cache, say)
        self._install_wheel(release.requirement, wheel, (name,), say)
        return "done", f"{name} {version}"

    def _install_wheel(
        self, requirement: str, wheel: Path, names: tuple[str, ...], say: Callable[[str], None]
    ) -> None:
        """Install a wheel that we built; ``names`` are those that the journal shall have of it."""
        name = Requirement(requirement).name
        replaced = dists.find(name)
        _expect_removable(replaced)
        self._begin(names)
        # A requirement with its hash, not the wheel's path: `pip freeze` then says theano==..., as
        # for any other package, and no other file of that name will do.
        wanted = self._write("wanted.txt", [f"{requirement} --hash=sha256:{sha256(wheel)}"])
        options = ["--no-deps", "--no-index", f"--find-links={wheel.parent}"]
        if any(dists.LABEL in found.version for found in replaced):
            options.append("--force-reinstall")
        self._pip(
            [
                "install",
                "--no-compile",
                *options,
                f"--only-binary={name}",
                f"--requirement={wanted}",
            ],
            say,
        )
        self._expect(name)

    def _install(self, requirements: Sequence[str], say: Callable[[str], None]) -> bool:
        missing = [wanted for wanted in requirements if not dists.is_satisfied(wanted)]
        if not missing:
            return False
        names = tuple(Requirement(wanted).name for wanted in missing)
        self._begin(tuple(name for name in names if not dists.find(name)))
        # Whatever pip would like to change besides, it may not.
        pinned = self._write("constraints.txt", dists.constraints())
        self._pip([*_INSTALL, f"--constraint={pinned}", *missing], say)
        for name in names:
            self._expect(name)
        return True

    def _pip(self, arguments: list[str], say: Callable[[str], None]) -> None:
        def on_line(line: str) -> None:
            if line.startswith(_COLLECTED):
                self._note(tuple(line.removeprefix(_COLLECTED).split(", ")))
            say(line)

        environment = {**os.environ, "TMPDIR": self._temporary or tempfile.gettempdir()}
        self.changed = True
        try:
            run_pip(arguments, on_line=on_line, env=environment, pass_fds=[self._lock])
        except BaseException:
            self._undo()
            raise

    def _begin(self, names: tuple[str, ...]) -> None:
        """Write what will be done before it is done, and clear away what would hinder pip."""
        entry = self._journal.read()
        if entry is None or entry.state == "installed":
            for folder in dists.sites():
                if (package := unowned_package(folder)) is not None:
                    raise TheanoColabError(
                        "There is a folder named theano that no installed package owns.",
                        str(package),
                        f"Move it away if it is yours (mv {package} ~/theano-mine), then run setup "
                        "again.",
                    )
            entry = Entry("installed", self._flavour.version)
        begun = self._temporary is not None  # by an earlier step of this run
        if self._temporary is None:
            self._temporary = tempfile.mkdtemp(prefix="theano_colab-")
        names = tuple(
            dict.fromkeys((*(entry.names if entry.state == "installing" else ()), *names))
        )
        version = self._flavour.version
        self._journal.write(Entry("installing", version, names, self._temporary))
        if not begun:
            self._clear(entry)

    def _note(self, names: tuple[str, ...]) -> None:
        """Add to the journal what pip is about to install, if it was not there before."""
        new = tuple(name for name in names if not dists.find(name))
        entry = self._journal.read()
        if entry is not None and not set(new) <= set(entry.names):
            names = tuple(dict.fromkeys((*entry.names, *new)))
            version = self._flavour.version
            self._journal.write(Entry("installing", version, names, self._temporary))

    def _heal(self, entry: Entry) -> None:
        """Clear away what an interrupted run left; the journal then says what stands."""
        self._clear(entry)
        port = dists.find_port()
        if port is None:
            self._journal.erase()
        else:
            record = sha256(port.info / "RECORD")
            self._journal.write(Entry("installed", port.version, record=record))
        self._drop_temporary()

    def _undo(self) -> None:
        """After pip failed (it restores what it replaced): remove the half of what is new."""
        # A disk that is full or read-only may refuse; the journal still says "installing" then.
        with contextlib.suppress(OSError, TheanoColabError):
            if (entry := self._journal.read()) is not None:
                self._heal(entry)

    def _clear(self, entry: Entry) -> None:
        try:
            for folder in dists.sites():
                heal(folder, entry)
        except OSError as error:
            raise _explain_write(error) from error

    def _why_not_current(self) -> str | None:
        """Return why the port has to be installed, or None."""
        port = dists.find_port(self._flavour.distribution)
        if port is None or port.version != self._flavour.version:
            return f"{self._spoken} is not installed"
        for other in self._others():
            return f"{other.name} {other.version} is there as well"
        damage = dists.damage(port, hashes=not self._is_clean(port))
        if damage is not None:
            return f"installing again: {damage}"
        try:
            same = (port.info / "FINGERPRINT").read_text("utf-8") == fingerprint(self._flavour)
        except OSError:
            same = False
        return None if same else "installing again: its rules have changed since"

    @property
    def _spoken(self) -> str:
        return f"{self._flavour.distribution} {self._flavour.version}"

    def _version(self, name: str) -> str:
        if dists.same(name, self._flavour.distribution):
            return self._flavour.version
        return importlib.metadata.version(name)

    def _is_clean(self, port: dists.Installed) -> bool:
        entry = self._journal.read()
        if entry is None or entry.state != "installed":
            return False
        try:
            return entry.record == sha256(port.info / "RECORD")
        except OSError:
            return False

    def _expect(self, name: str) -> None:
        """Make ``name`` importable in this process; raise if pip put it somewhere else."""
        found = dists.find(name)
        if not found:
            raise TheanoColabError(
                f"pip installed {name}, but not where this Python imports from.",
                f"it is in none of {', '.join(map(str, dists.sites()))}",
                "Remove target, prefix or root from pip's configuration (`pip config list`).",
            )
        dists.make_importable(found[0].site)

    def _write(self, name: str, lines: Sequence[str]) -> Path:
        path = Path(self._temporary or tempfile.gettempdir()) / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    def _drop_temporary(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None


def _why_not_there(release: Release) -> str | None:
    """Return why the rebuild of a library has to be installed, or None."""
    if release.elsewhere:
        return None  # the plan has seen it; it is the user's own
    name, version = release.distribution, release.built_version
    found = next((one for one in dists.find(name) if one.version == version), None)
    if found is None:
        return f"{name} {version} is not installed"
    damage = dists.damage(found, hashes=True)
    if damage is not None:
        return f"installing again: {damage}"
    try:
        same = (found.info / "FINGERPRINT").read_text("utf-8") == fingerprint_of(release)
    except OSError:
        same = False
    return None if same else "installing again: its rules have changed since"


def _expect_removable(replaced: Sequence[dists.Installed]) -> None:
    """Raise if pip could not remove what it shall replace.

    Where the folder may not be written but its subfolders may, pip (24.1) empties these before it
    fails, and does not put them back.
    """
    if sys.prefix == sys.base_prefix and site.ENABLE_USER_SITE:
        return  # pip installs into the user's folder then, and removes nothing
    for found in replaced:
        try:
            with tempfile.TemporaryFile(dir=found.site):
                pass
        except OSError as error:
            raise _explain_write(error) from error


def _explain_write(error: OSError) -> TheanoColabError:
    problem = explain([str(error)], 1)
    return from_os_error(error) if problem.id == "unknown" else problem
