"""What healing removes, and what it leaves alone, on folders made by hand."""

from __future__ import annotations

import os
import time

import pytest

from theano_colab.install.distributions import Installed, damage
from theano_colab.install.heal import heal, sweep, unowned_package
from theano_colab.install.journal import Entry
from theano_colab.port import port_version

INFO = f"theano-{port_version()}.dist-info"
INTERRUPTED = Entry("installing", port_version(), names=("lacking",))
FINISHED = Entry("installed", port_version(), record="0")


def put(site, *names):
    for name in names:
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def record(site, info, *names):
    """Write a RECORD as pip does, over files that are made with it."""
    names = (*names, f"{info}/METADATA", f"{info}/INSTALLER")
    put(site, *names)
    rows = [f"{name},,{len(name)}" for name in names]
    (site / info / "RECORD").write_text("\n".join([*rows, f"{info}/RECORD,,"]) + "\n")


def names(site):
    return sorted(path.name for path in site.iterdir())


@pytest.mark.parametrize("entry", [INTERRUPTED, FINISHED, None])
def test_a_whole_port_stays(tmp_path, entry):
    record(tmp_path, INFO, "theano/__init__.py", "theano/_port/__init__.py")
    assert heal(tmp_path, entry) == ()
    assert names(tmp_path) == ["theano", INFO]


@pytest.mark.parametrize("entry", [INTERRUPTED, FINISHED, None])
def test_a_half_unpacked_port_goes(tmp_path, entry):
    put(tmp_path, "theano/__init__.py", "theano/_port/__init__.py", "other/x.py")
    assert heal(tmp_path, entry) == ("theano",)
    assert names(tmp_path) == ["other"]


def test_the_first_files_of_a_port_go_if_the_journal_says_whose_they_are(tmp_path):
    put(tmp_path, "theano/__init__.py")
    assert heal(tmp_path, FINISHED) == ()
    assert heal(tmp_path, None) == ()
    assert heal(tmp_path, INTERRUPTED) == ("theano",)


@pytest.mark.parametrize("entry", [INTERRUPTED, FINISHED, None])
def test_a_port_without_record_goes(tmp_path, entry):
    put(tmp_path, "theano/__init__.py", "theano/_port/x.py", f"{INFO}/METADATA")
    assert heal(tmp_path, entry) == ("theano", INFO)


def test_the_wheels_own_record_is_not_pips(tmp_path):
    put(tmp_path, "theano/_port/x.py")
    record(tmp_path, INFO, "theano/__init__.py")
    kept = [
        row for row in (tmp_path / INFO / "RECORD").read_text().splitlines() if "INST" not in row
    ]
    (tmp_path / INFO / "RECORD").write_text("\n".join(kept))
    assert heal(tmp_path, None) == ("theano", INFO)


@pytest.mark.parametrize("entry", [INTERRUPTED, FINISHED, None])
@pytest.mark.parametrize("info", ["Theano-1.0.5.dist-info", "Theano_PyMC-1.1.2.dist-info"])
def test_another_theano_stays(tmp_path, entry, info):
    record(tmp_path, info, "theano/__init__.py")
    assert heal(tmp_path, entry) == ()
    assert names(tmp_path) == sorted(["theano", info])


@pytest.mark.parametrize("owner", ["Theano-1.0.5-py3.8.egg-info/x", "Theano-1.0.5.dist-info/x"])
def test_a_theano_of_setuptools_or_conda_stays(tmp_path, owner):
    put(tmp_path, "theano/__init__.py", owner)
    assert heal(tmp_path, INTERRUPTED) == ()


def test_the_ports_record_goes_and_the_other_theano_stays(tmp_path):
    record(tmp_path, "Theano-1.0.5.dist-info", "theano/__init__.py")
    put(tmp_path, f"{INFO}/METADATA")
    assert heal(tmp_path, INTERRUPTED) == (INFO,)


PUT_ASIDE = ["~heano", "~-eano", "~~eano", "~~.ano", "~heano-1.0.5.dist-info", f"~{INFO[1:]}"]


@pytest.mark.parametrize("name", PUT_ASIDE)
def test_what_pip_put_aside_goes_after_an_interruption_only(tmp_path, name):
    put(tmp_path, f"{name}/x", "~umpy/x", "~heano2/x", "~eano/x", "heano/x")
    assert heal(tmp_path, FINISHED) == ()
    assert heal(tmp_path, INTERRUPTED) == (name,)


def test_what_pip_put_aside_of_a_library_goes_where_the_journal_names_it(tmp_path):
    put(tmp_path, "~eras/x", "~eras-3.10.0.dist-info/x", "~acking/x")
    entry = Entry("installing", port_version(), names=("Keras",))
    assert set(heal(tmp_path, entry)) == {"~eras", "~eras-3.10.0.dist-info"}


def test_a_dependency_that_pip_did_not_finish_goes(tmp_path):
    put(tmp_path, "lacking/x.py", "lacking-1.0.dist-info/METADATA", "mine-1.0.dist-info/METADATA")
    record(tmp_path, "whole-1.0.dist-info", "whole/x.py")
    assert heal(tmp_path, INTERRUPTED) == ("lacking-1.0.dist-info",)
    assert names(tmp_path) == ["lacking", "mine-1.0.dist-info", "whole", "whole-1.0.dist-info"]


def test_the_temporary_folder_of_the_run_goes(tmp_path):
    put(tmp_path, "temporary/x", "site/x")
    entry = Entry("installing", port_version(), temporary=str(tmp_path / "temporary"))
    heal(tmp_path / "site", entry)
    assert names(tmp_path) == ["site"]


def test_a_folder_that_nobody_owns(tmp_path):
    assert unowned_package(tmp_path) is None
    put(tmp_path, "theano/x.py")
    assert unowned_package(tmp_path) == tmp_path / "theano"
    put(tmp_path, "Theano-1.0.5.dist-info/METADATA")
    assert unowned_package(tmp_path) is None


def test_a_link_to_somebodys_clone_is_not_owned(tmp_path):
    put(tmp_path, "clone/theano/x.py", "site/x")
    (tmp_path / "site" / "theano").symlink_to(tmp_path / "clone" / "theano")
    assert unowned_package(tmp_path / "site") == tmp_path / "site" / "theano"


def test_old_scratch_is_swept_and_new_scratch_stays(tmp_path):
    put(tmp_path, "sdist/tmpold/x", "sdist/tmpnew/x", "sdist/Theano-1.0.5.tar.gz")
    put(tmp_path, "port/0/old.tmp", "port/0/new.tmp", "port/0/x.whl")
    long_ago = time.time() - 7200
    for name in ("sdist/tmpold", "port/0/old.tmp"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    sweep(tmp_path)
    assert names(tmp_path / "sdist") == ["Theano-1.0.5.tar.gz", "tmpnew"]
    assert names(tmp_path / "port" / "0") == ["new.tmp", "x.whl"]


def test_damage_is_named(tmp_path):
    record(tmp_path, INFO, "theano/a.py", "theano/b.py")
    port = Installed("theano", port_version(), tmp_path / INFO)
    assert damage(port, hashes=True) is None
    (tmp_path / "theano" / "a.py").write_text("longer than it was")
    assert "theano/a.py does not have the size" in damage(port, hashes=False)
    (tmp_path / "theano" / "a.py").unlink()
    assert damage(port, hashes=False) == "theano/a.py is missing"
    (tmp_path / INFO / "RECORD").unlink()
    assert damage(port, hashes=False) == f"{INFO} has no RECORD"


def test_a_changed_file_of_the_same_size_is_seen_by_its_hash(tmp_path):
    put(tmp_path, "theano/a.py", f"{INFO}/INSTALLER")
    # SHA-256 of b"theano/a.py", as `openssl dgst -sha256 -binary | basenc --base64url` gives it.
    digest = "sha256=j2mCCbaDvMcMIQIvxm9EWBRU3z4jnDZ2CDmeGO4qIMU"
    (tmp_path / INFO / "RECORD").write_text(f"theano/a.py,{digest},11\n{INFO}/INSTALLER,,\n")
    port = Installed("theano", port_version(), tmp_path / INFO)
    assert damage(port, hashes=True) is None
    (tmp_path / "theano" / "a.py").write_text("theano/A.py")
    assert damage(port, hashes=False) is None
    assert damage(port, hashes=True) == "theano/a.py is not as it was installed"
