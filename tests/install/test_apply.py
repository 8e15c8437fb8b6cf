"""Installing for real: into a virtual environment, by pip, from a wheel that was built here."""

from __future__ import annotations

import compileall
import json

import pytest

from theano_colab.install import apply
from theano_colab.plan.model import Plan, Step
from theano_colab.port import port_version
from theano_colab.port.wheel import wheel_name

pytestmark = pytest.mark.xdist_group("install")


def test_installs_the_port_and_nothing_else(place):
    before = place.freeze()
    told = place.setup()
    assert told.outcome == {0: "done", 1: "done"}
    assert told.end["changed"] is True
    assert told.end["damage"] is None
    assert told.end["versions"] == {"theano": port_version()}
    assert told.end["file"].startswith(str(place.site))
    assert sorted(set(place.freeze()) - set(before)) == [f"Theano=={port_version()}"]
    assert set(before) <= set(place.freeze())
    assert place.leftovers() == []


def test_second_run_keeps_everything(ready):
    place = ready
    journal = next((place.cache / "journal").iterdir())
    written = journal.stat().st_mtime_ns
    told = place.setup()
    assert told.outcome == {0: "kept", 1: "kept"}
    assert told.end["changed"] is False
    assert journal.stat().st_mtime_ns == written


def test_pip_uninstalls_it_without_a_trace(ready):
    place = ready
    assert compileall.compile_dir(place.site / "theano" / "gof", quiet=2)
    place.pip("uninstall", "--yes", "theano")
    assert [path.name for path in place.site.iterdir()] == ["outer.pth"]
    assert list(place.environment.rglob("*theano*")) == []
    assert place.setup().end["changed"] is True


def test_the_original_theano_is_replaced_by_pip(place):
    original = place.site / "Theano-1.0.5.dist-info"
    install_by_hand(place, original, {"theano/__init__.py": "", "theano/gone.py": ""})
    assert place.setup().end["damage"] is None
    assert not original.exists()
    assert not (place.site / "theano" / "gone.py").exists()


def install_by_hand(place, info, files):
    info.mkdir()
    files = {
        **files,
        f"{info.name}/METADATA": "Metadata-Version: 2.1\nName: Theano\nVersion: 1.0.5\n",
        f"{info.name}/INSTALLER": "pip\n",
    }
    for name, text in files.items():
        (place.site / name).parent.mkdir(exist_ok=True)
        (place.site / name).write_text(text)
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in (*files, f"{info.name}/RECORD")))


@pytest.mark.parametrize("fault", ["missing", "truncated", "changed"])
def test_a_damaged_file_is_found_and_put_right(ready, fault):
    place = ready
    file = place.site / "theano" / "printing.py"
    content = file.read_bytes()
    if fault == "missing":
        file.unlink()
    elif fault == "truncated":
        file.write_bytes(content[:100])
    else:
        # The same size: seen only where the journal does not vouch for it.
        next((place.cache / "journal").iterdir()).unlink()
        file.write_bytes(content.replace(b"import", b"inport", 1))
    told = place.setup()
    assert told.outcome[1] == "done"
    assert any("theano/printing.py" in text for _, _, text in told.steps)
    assert file.read_bytes() == content
    assert place.leftovers() == []


def test_a_port_from_other_rules_is_replaced(ready):
    place = ready
    mark = place.site / f"theano-{port_version()}.dist-info" / "FINGERPRINT"
    genuine = mark.read_text()
    mark.write_text(genuine[::-1])
    fake_hash_in_record(place, mark)
    told = place.setup()
    assert told.outcome[1] == "done"
    assert any("rules" in text for _, _, text in told.steps)
    assert mark.read_text() == genuine


def fake_hash_in_record(place, file):
    """Let the RECORD vouch for ``file`` as it is now, by dropping its hash."""
    record = file.with_name("RECORD")
    name = str(file.relative_to(place.site))
    lines = [
        f"{name},,64" if line.startswith(f"{name},") else line
        for line in record.read_text().splitlines()
    ]
    record.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99}', "\0"])
def test_a_half_written_journal_is_no_obstacle(ready, text):
    place = ready
    journal = next((place.cache / "journal").iterdir())
    journal.write_text(text)
    told = place.setup()
    assert told.outcome == {0: "kept", 1: "kept"}
    assert json.loads(journal.read_text())["state"] == "installed"


def test_a_folder_that_nobody_owns_is_refused_and_kept(place):
    mine = place.site / "theano" / "mine.py"
    mine.parent.mkdir()
    mine.write_text("# my own work")
    told = place.setup()
    assert told.outcome == {0: "done", 1: "failed"}
    assert "that no installed package owns" in told.end["error"]["cause"]
    assert mine.read_text() == "# my own work"
    mine.parent.rename(place.site / "theano-mine")
    assert place.setup().end["damage"] is None


def test_steps_of_the_session_are_left_alone(tmp_path):
    told = []
    plan = Plan("cpu", "cpu", "", (Step("set-flags", "", ""), Step("verify", "", "")))
    done = apply(plan, on_step=lambda *step: told.append(step), cache=tmp_path / "cache")
    assert (told, done.changed, done.wheel) == ([], False, None)
    assert not (tmp_path / "cache").exists()


def test_the_wheel_is_built_once(place):
    wheel = next(place.cache.rglob(wheel_name()))
    written = wheel.stat().st_mtime_ns
    place.setup()
    assert wheel.stat().st_mtime_ns == written
