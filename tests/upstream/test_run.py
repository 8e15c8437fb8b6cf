"""The runner itself, on made-up tests of a made-up Theano, run by this very Python."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import child
import compare
import gpuarray_stand_in
import pytest
import results
import run
import stacks
import units
from results import Result

TESTS = """\
import unittest
import pytest
from nose.plugins.attrib import attr

def test_passes(): pass
@attr("slow")
def test_fails(): assert [1] == [2], "one is\\nnot two"
def test_skips(): raise unittest.SkipTest("no GPU")
@pytest.mark.xfail(reason="known")
def test_xfails(): assert False
def test_yields():
    for number in range(3):
        yield check, number
def check(number): assert number < 3
class test_case(unittest.TestCase):
    def setUp(self): self.n = 1
    def test_n(self): self.assertEquals(self.n, 1)
class test_plain:
    def setUp(self): self.n = 1
    def test_n(self): assert self.n == 1
@pytest.mark.parametrize("x", ["a", "b c"])
def test_each(x): pass
"""
FILE = "theano/x/tests/test_a.py"
OUTCOMES = {
    "test_passes": "passed",
    "test_fails": "failed",
    "test_skips": "skipped",
    "test_xfails": "xfailed",
    "test_yields": "passed",
    "test_case::test_n": "passed",
    "test_plain::test_n": "passed",
    "test_each[a]": "passed",
    "test_each[b c]": "passed",
}


class Place:
    """A made-up Theano, and what the runner keeps of it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.cache, self.expected = (
            folder / name for name in ("root", "cache", "expected")
        )
        self.expected.mkdir()

    def write(self, text: str, file: str = FILE) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def command(self, *arguments: str) -> list[str]:
        options = {
            "--python": sys.executable,
            "--root": self.root,
            "--cache": self.cache,
            "--expected": self.expected,
        }
        parts = [str(part) for option in options.items() for part in option]
        return [sys.executable, run.__file__, *parts, *arguments]

    def run(self, *arguments: str) -> tuple[int, str]:
        ended = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=100
        )
        return ended.returncode, ended.stdout + ended.stderr

    def log(self) -> results.Log:
        return results.Log(self.cache / "there" / "results.jsonl")

    def outcomes(self, file: str = FILE) -> dict[str, str]:
        found = self.log().results
        return {i.removeprefix(f"{file}::"): r.outcome for i, r in found.items() if r.file == file}

    def runs(self) -> list[str]:
        """Every test that was run, as often as it was."""
        text = (self.cache / "there" / "results.jsonl").read_text()
        entries = [json.loads(line) for line in text.splitlines() if line]
        return [entry["test"].rpartition("::")[2] for entry in entries if "test" in entry]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_outcomes_reasons_and_the_exit_status(place):
    place.write(TESTS)
    status, output = place.run()
    assert place.outcomes() == OUTCOMES
    assert place.log().results[f"{FILE}::test_fails"].why == "AssertionError: one is"
    assert place.log().results[f"{FILE}::test_skips"].why == "Skipped: no GPU"
    assert status == 1
    assert f"failed\t{FILE}::test_fails\tAssertionError: one is" in output
    assert output.splitlines()[-2] == "not as expected: 1"


def test_what_is_finished_is_not_run_again_unless_asked(place):
    place.write("def test_p(): pass\ndef test_f(): assert 0\n")
    place.run()
    place.run()
    assert place.runs() == ["test_p", "test_f"]
    place.run("--failed")
    assert place.runs() == ["test_p", "test_f", "test_f"]
    place.run("--again")
    assert place.runs()[3:] == ["test_p", "test_f"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_goes_on_where_it_was(place, tmp_path, number):
    gate, opened = tmp_path / "gate", tmp_path / "opened"
    gate.touch()
    place.write(f"""\
import os, pathlib, select
def test_first(): pass
def test_waits():
    pathlib.Path({str(opened)!r}).touch()
    if os.path.exists({str(gate)!r}):
        select.select([], [], [], 60)
def test_last(): pass
""")
    with subprocess.Popen(
        place.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        try:
            watch(opened)
        finally:
            running.send_signal(number)
        running.wait(20)
    assert place.outcomes() == {"test_first": "passed"}
    gate.unlink()
    assert place.run()[0] == 0
    assert place.outcomes() == dict.fromkeys(("test_first", "test_waits", "test_last"), "passed")
    assert place.runs() == ["test_first", "test_waits", "test_last"]


def test_a_second_run_is_refused_before_it_changes_anything(place, monkeypatch, capsys):
    place.write("def test_p(): pass\n")
    monkeypatch.setattr(run, "_stack", lambda options: pytest.fail("the stack is being made"))
    with stacks.locked(place.cache / "there"), pytest.raises(SystemExit):
        run.main(place.command()[2:])
    assert "another run uses" in capsys.readouterr().err


def watch(file: Path) -> None:
    """Return when the file is there; asks the disk: a grandchild makes it."""
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_hanging_test_is_killed_named_and_the_rest_goes_on(place):
    place.write("""\
import select
def test_first(): pass
def test_hangs(): select.select([], [], [], 600)
def test_last(): pass
""")
    status, _ = place.run("--limit", "3")
    assert status == 1
    assert place.outcomes() == {
        "test_first": "passed",
        "test_hangs": "timeout",
        "test_last": "passed",
    }
    assert place.log().results[f"{FILE}::test_hangs"].why == "no outcome within 3 s"
    log = next((place.cache / "there" / "logs").iterdir()).read_text(errors="replace")
    assert "in test_hangs" in log


def test_a_crashing_test_is_named_and_the_rest_goes_on(place):
    place.write("""\
import os
def test_first(): pass
def test_dies(): os._exit(9)
def test_last(): pass
""")
    assert place.run()[0] == 1
    assert place.outcomes() == {
        "test_first": "passed",
        "test_dies": "crashed",
        "test_last": "passed",
    }
    assert place.log().results[f"{FILE}::test_dies"].why == "pytest ended with status 9"


def test_a_test_that_dies_and_is_all_that_was_asked_for_has_its_outcome(place):
    place.write("import os\ndef test_dies(): os._exit(9)\n")
    place.run(f"{FILE}::test_dies")
    assert place.outcomes() == {"test_dies": "crashed"}


def test_a_file_that_cannot_be_imported_is_an_error_until_it_can(place):
    place.write("import nothing_like_it\n")
    place.write("raise __import__('nose').SkipTest('no mpi')\n", "theano/x/tests/test_b.py")
    assert place.run()[0] == 1
    assert place.log().results[FILE].outcome == "error"
    assert "nothing_like_it" in place.log().results[FILE].why
    assert place.log().results["theano/x/tests/test_b.py"].outcome == "skipped"
    place.write("def test_p(): pass\n")
    assert place.run("--failed")[0] == 0
    assert list(place.log().results) == ["theano/x/tests/test_b.py", f"{FILE}::test_p"]


def test_expected_failures(place):
    place.write("def test_p(): pass\ndef test_f(): assert 0\n")
    listed = place.expected / "there.toml"
    listed.write_text(f'[fails]\n"{FILE}::test_f" = "a reason"\n')
    assert place.run()[0] == 0
    listed.write_text(f'[fails]\n"{FILE}::test_f" = "a"\n"{FILE}::test_p" = "b"\n')
    status, output = place.run()
    assert status == 1
    assert f"passed\t{FILE}::test_p\texpected to fail: b" in output
    listed.rename(place.expected / "other.toml")
    listed.write_text(f'as = "other"\n[fails]\n"{FILE}::test_x" = "c"\n')
    assert [*results.read_expected(listed).values()] == ["a", "b", "c"]


def test_chunks_are_every_test_once(place):
    place.write(TESTS)
    place.write("", "theano/x/__init__.py")
    found = []
    stack = stacks.there("there", Path(sys.executable), place.root, place.cache)
    place.cache.mkdir()
    for chunk in (1, 2, 3, 4):
        scratch = place.cache / str(chunk)
        scratch.mkdir()
        unit = units.Unit(FILE, chunk, 4)
        job = child.Job(stack, stack.environment(), unit, frozenset(), 60, scratch / "log", scratch)
        found += [
            event["test"].removeprefix(f"{FILE}::")
            for event in child.run_unit(job)
            if "test" in event
        ]
    assert found == list(OUTCOMES)


def test_which_units(place):
    for file in (FILE, "theano/x/tests/test_b.py", "theano/gpuarray/tests/test_c.py"):
        place.write("", file)
    place.write("", "theano/x/tests/helper.py")
    place.write("", "theano/tensor/tests/test_sort.py")
    found = units.find_units(place.root, [])
    assert [unit.name for unit in found] == [
        *(f"theano/tensor/tests/test_sort.py[{k}/4]" for k in (1, 2, 3, 4)),
        "theano/x/tests/test_a.py[1/1]",
        "theano/x/tests/test_b.py[1/1]",
    ]
    assert units.find_units(place.root, ["x/tests/test_?.py"]) == found[4:]
    assert units.find_units(place.root, ["x", FILE]) == found[4:]
    node = units.find_units(place.root, [f"{FILE}::test_each[b c]"])
    assert [unit.target for unit in node] == [f"{FILE}::test_each[b c]"]
    with pytest.raises(LookupError, match="nothing"):
        units.find_units(place.root, ["nothing"])
    assert units.find_units(place.root, [], gpuarray=True) == [
        units.Unit("theano/gpuarray/tests/test_c.py"),
        *found,
    ]


def test_what_xla_had_to_do_with_it():
    counts = dict.fromkeys(results.XLA_COUNTS, 0)
    outcomes = table(a="passed", b="passed", c="failed", d="passed").values()
    xla = [{**counts, "nodes": 3, "host": 2, "looked": 5}, {**counts, "host": 7}, counts, None]
    text = results.on_xla(replace(one, xla=of) for one, of in zip(outcomes, xla, strict=True))
    assert text.startswith("1 of 2 tests that passed ran on XLA: 3 nodes, beside 2 on the host; 0 ")
    assert ", 1 looked at a graph" in text


def test_assertions_about_graphs_are_left_out():
    text = """
class test_it:
    def test(self):
        f = function([x], self.op(x))
        count = 0
        for node in f.maker.fgraph.toposort():
            if isinstance(node.op, GpuGemm):
                count += 1
        assert count == 1
        self.assertTrue(any(one.op.inplace for one in nodes))
        self.assertTrue(f(2).dtype == 'float32')
        assert f(3) == 6
"""
    left = ast.unparse(gpuarray_stand_in.Pruned().visit(ast.parse(text)))
    assert [line.strip() for line in left.splitlines() if "assert" in line or "pass" in line] == [
        "pass",
        "pass",
        "self.assertTrue(f(2).dtype == 'float32')",
        "assert f(3) == 6",
    ]


def test_names_of_numpy_1_are_there_for_tests_alone(place):
    outside = "import numpy as np\ndef ask(): return np.MAXDIMS\nrows = ([n] for n in range(2))\n"
    place.write(outside, "theano/x/outside.py")
    place.write("""\
import importlib.util, pathlib
import numpy as np
import pytest

def test_inside():
    assert np.MAXDIMS == 64
    assert (np.float, np.complex) == (float, complex)
    assert np.cast["int8"](3.7).dtype == "int8"
    assert np.product([2, 3]) == 6
    assert np.find_common_type([np.int8], [np.float16]) == "float16"
    assert np.find_common_type([np.float64], [np.float16]) == "float64"
    assert np.vstack(row for row in ([1, 2], [3, 4])).shape == (2, 2)
    with pytest.raises(AttributeError):
        np.no_such_name

def test_outside():
    path = pathlib.Path(__file__).parents[1] / "outside.py"
    spec = importlib.util.spec_from_file_location("outside", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(AttributeError):
        module.ask()
    with pytest.raises(TypeError):
        np.vstack(module.rows)
""")
    place.run()
    assert place.outcomes() == {"test_inside": "passed", "test_outside": "passed"}


def test_a_node_id_runs_that_test_alone(place):
    place.write(TESTS)
    assert place.run(f"{FILE}::test_each[b c]")[0] == 0
    assert place.outcomes() == {"test_each[b c]": "passed"}


def test_comparison(tmp_path):
    native = table(a="passed", b="passed", c="passed", d="failed", e="skipped", f="passed")
    port = table(a="passed", b="failed", c="skipped", d="passed", e="passed", g="passed")
    for name, found in (("native.tsv", native), ("port.tsv", port)):
        results.write_table(tmp_path / name, found.values(), "made up")
    read = results.read_table(tmp_path / "native.tsv")
    assert read == native
    read_port = results.read_table(tmp_path / "port.tsv")
    text = compare.compare({"native": read, "port": read_port, "again": read})
    assert "| passed / failed / skipped | native | port | again |" in text
    assert "| theano.x | 4 / 1 / 1 | 4 / 1 / 1 | 4 / 1 / 1 |" in text
    assert "| all | 4 / 1 / 1 | 4 / 1 / 1 | 4 / 1 / 1 |" in text
    assert "Of 4 tests that pass on native, 1 pass on port: 25.00%." in text
    assert "Of 4 tests that pass on native, 4 pass on again: 100.00%." in text
    lost = [line for line in text.splitlines() if line.startswith("- ")]
    assert lost == [
        f"- {FILE}::b: failed: because",
        f"- {FILE}::c: skipped: because",
        f"- {FILE}::f: not run",
    ]


def table(**outcomes: str) -> dict[str, Result]:
    return {f"{FILE}::{t}": Result(f"{FILE}::{t}", o, 1.0, "because") for t, o in outcomes.items()}


def test_the_part_touches_every_package_of_the_port():
    listed = units.read_list(Path(units.__file__).with_name("part.txt"))
    packages = {line.partition("/tests/")[0] for line in listed}
    assert packages >= {
        f"theano{name}"
        for name in (
            "",
            *("/compile", "/gof", "/scalar", "/scan_module", "/sparse", "/typed_list", "/misc"),
            *("/sandbox", "/sandbox/linalg", "/tensor", "/tensor/nnet", "/tensor/signal"),
        )
    }
