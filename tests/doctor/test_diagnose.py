"""The doctor: what it says, that it writes nothing, that nothing makes it hang."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from html import escape
from pathlib import Path

import pytest

from theano_colab.__main__ import main
from theano_colab.doctor import checks, live, mend
from theano_colab.doctor.checks import VERDICTS, Check
from theano_colab.doctor.diagnose import Diagnosis, diagnose, examine
from theano_colab.install import distributions
from theano_colab.install.journal import Entry, Journal
from theano_colab.runtime import gpu
from theano_colab.runtime.model import Blas, Compiler, Fact, Runtime
from theano_colab.runtime.record import load
from theano_colab.show import html, text
from theano_colab.show.doctor_panel import describe_doctor

MACHINES = Path(__file__).parents[1] / "data" / "runtimes"
NOTHING = Runtime.from_json({})


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a HOME with a cache and a temporary folder of its own."""
    for name in ("home", "home/cache", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("THEANO_COLAB_CACHE", str(tmp_path / "home/cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("THEANO_FLAGS", raising=False)
    return tmp_path


def tree(*folders):
    """Return every file and folder with its size and time."""
    found = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def runtime(**facts):
    import dataclasses

    return dataclasses.replace(
        NOTHING, **{name: Fact.found(value, "test") for name, value in facts.items()}
    )


def named(found):
    return {check.name: check for check in found}


def script(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


# What it says


@pytest.mark.parametrize("machine", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_runtime_has_a_panel_worst_first(machine):
    diagnosis = examine(load(str(machine)))
    order = [VERDICTS.index(check.verdict) for check in diagnosis.checks]
    assert order == sorted(order)
    panel = describe_doctor(diagnosis)
    assert "Theano's doctor" in text.write(panel)
    for check in diagnosis.checks:
        for word in (check.name.split()[0], check.text.split()[0]):
            assert escape(word) in html.write(panel)
            assert word in text.write(panel)


def test_the_laptop_in_a_terminal_fails_only_where_there_are_errors(capsys):
    assert main(["doctor", "--replay", str(MACHINES / "laptop.json")]) == 0
    shown = capsys.readouterr().out
    assert "no C++ compiler" in " ".join(shown.split())
    assert "No error, 3 warnings" in shown
    assert main(["doctor", "--json", "--replay", str(MACHINES / "binder.json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"verdict": "ok", "checks": [], "mended": []}


def test_an_error_is_the_exit_status(capsys, tmp_path):
    record = json.loads((MACHINES / "binder.json").read_text("utf-8"))
    packages = record["facts"]["packages"]["value"]
    record["facts"]["packages"]["value"] = packages | {"theano": "1.0.5", "theano-pymc": "1.1.2"}
    (tmp_path / "r.json").write_text(json.dumps(record))
    assert main(["doctor", "--replay", str(tmp_path / "r.json")]) == 1
    assert "1 error" in capsys.readouterr().out


def test_flags_that_cannot_be_read_are_a_line_and_no_exception():
    broken = runtime(environment={"THEANO_FLAGS": "floatX='"}, theanorc={"/rc": "no section"})
    assert [check.name for check in examine(broken).checks] == ["Flags", "Flags"]


# Live checks


def test_the_compiler_and_the_blas_of_this_machine(place):
    from theano_colab.runtime import detect

    here = detect()
    found = named(checks.run(here, "cpu", 60.0))
    assert found["C++ compiler"].verdict == ("ok" if here.compiler.value else "note")
    assert found["Compile directory"].verdict == "ok"
    if here.blas.value:
        assert found["BLAS"].numbers["gflops"] > 0


def test_a_compiler_that_cannot_compile(place):
    compiler = Compiler(
        script(place / "g++", 'echo "fatal error: Python.h: none" >&2; exit 1'), "9"
    )
    found = named(checks.run(runtime(compiler=compiler, python_headers="/x"), "cpu", 60.0))
    assert found["C++ compiler"].verdict == "error"
    assert "Python.h" in found["C++ compiler"].evidence[0]


def test_a_compiler_that_never_ends_is_cut_off_with_all_it_started(place):
    held = place / "held"  # a pipe that ends when all that hold it have ended
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    compiler = Compiler(script(place / "g++", f"exec 9>{held}; sleep 600 & wait"), "9")
    began = time.monotonic()
    found = named(checks.run(runtime(compiler=compiler, python_headers="/x"), "cpu", 4.0))
    assert time.monotonic() - began < 30
    assert found["C++ compiler"].verdict == "warn"
    assert "cut off" in found["C++ compiler"].text
    select.select([reader], [], [], 30)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert tree(place / "tmp") == {}


def test_a_library_that_is_no_blas(place):
    wrong = Blas("OpenBLAS", "1", "/no/such/libopenblas.so", "-lopenblas")
    found = named(checks.run(runtime(blas=(wrong,)), "cpu", 60.0))
    assert found["BLAS"].verdict == "error"
    assert "/no/such/libopenblas.so" in found["BLAS"].evidence[0]


def test_a_blas_that_computes_wrongly_is_found(monkeypatch):
    class Wrong:
        def scipy_sgemm_(self, *arguments):
            pass

    monkeypatch.setattr(live.ctypes, "CDLL", lambda path: Wrong())
    assert live.blas("", "lib", "scipy_")["failure"] == "its matrix product is wrong"


def test_right_but_slow_is_a_warning():
    slow = checks._slow("blas", Check("BLAS", "ok", "a right product", numbers={"gflops": 0.5}))
    assert (slow.verdict, slow.evidence) == ("warn", ("0.5 GFLOP/s a core",))
    rates = {"to_device": 0.1, "from_device": 9.0}
    assert checks._slow("device", Check("XLA", "ok", "agrees", numbers=rates)).verdict == "warn"
    rates = {"to_device": 5.0, "from_device": 9.0}
    assert checks._slow("device", Check("XLA", "ok", "agrees", numbers=rates)).verdict == "ok"


def test_a_base_compiledir_that_cannot_be_written(place, monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", "base_compiledir=/proc/1/compiled")
    found = named(checks.run(NOTHING, "cpu", 60.0))["Compile directory"]
    assert found.verdict == "error"
    assert "/proc/1" in found.evidence[0]


# It never writes, it never hangs


def test_nothing_is_written_anywhere(place):
    (place / "home/.theano").mkdir()
    before = tree(place / "home")
    diagnosis = diagnose()
    assert tree(place / "home") == before
    assert tree(place / "tmp") == {}
    assert {"Theano", "Compile directory"} <= {check.name for check in diagnosis.checks}


def test_a_driver_call_that_blocks_does_not_block_the_doctor(place, monkeypatch):
    (place / "pynvml.py").write_text(
        "import threading\nclass NVMLError(Exception): pass\n"
        "def nvmlInit(): threading.Event().wait()\n"
    )
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr(gpu, "_LOADED", place)  # "a driver is loaded": its longest limit
    diagnosis = diagnose()
    assert "no answer within 8 s" in diagnosis.runtime.driver.missing
    assert diagnosis.seconds < 20 + 8  # a busy machine ends processes late


# --fix


def stale_lock(base):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pid = process.pid
    folder = base / "compiledir_x" / "lock_dir"
    folder.mkdir(parents=True)
    (folder / "lock").write_text(f"{pid}_1_{socket.gethostname()}")
    return folder


def test_a_stale_lock_is_named_and_removed_only_on_demand(place):
    lock = stale_lock(place / "home/.theano")
    found = named(checks.run(NOTHING, "cpu", 60.0))["Compile directory"]
    assert found.verdict == "warn"
    assert "--fix" in found.remedy
    assert lock.exists()
    (done,) = mend.mend(place / "home/.theano")
    assert str(lock) in done
    assert not lock.exists()
    assert mend.mend(place / "home/.theano") == ()


def test_an_interrupted_install_is_cleared_up_on_demand(place, monkeypatch):
    site = place / "site"
    site.mkdir()
    monkeypatch.setattr(distributions, "sites", lambda: (site,))
    journal = Journal(place / "home/cache/journal", site)
    journal.write(Entry("installing", "1.0.5+colab.1"))
    half = site / "theano"
    half.mkdir()
    assert mend.interrupted() is not None
    assert half.exists()
    (done,) = mend.mend(place / "home/.theano")
    assert "interrupted" in done
    assert mend.interrupted() is None
    assert not half.exists()


def test_a_setup_at_work_is_left_alone(place, monkeypatch):
    from theano_colab.install.lock import exclusive

    monkeypatch.setattr(distributions, "sites", lambda: (place / "site",))
    journal = Journal(place / "home/cache/journal", place / "site")
    journal.write(Entry("installing", "1.0.5+colab.1"))
    with exclusive(place / "home/cache/setup.lock", lambda _: None):
        (done,) = mend.mend(place / "home/.theano")
    assert done.startswith("not mended: A setup is at work.")
    assert journal.read().state == "installing"


def test_what_was_mended_is_in_the_panel():
    panel = describe_doctor(Diagnosis(NOTHING, (), ("removed the lock of 7",), 1.0))
    assert "removed the lock of 7" in text.write(panel)
