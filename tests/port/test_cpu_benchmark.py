"""benchmarks/cpu.py: the process of a stack answers, and a table's row says what was measured."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def cpu():
    sys.path.append(str(BENCHMARKS))
    import cpu

    return cpu


def test_a_row_gives_the_median_of_the_rounds_and_their_spread(cpu):
    one_slow_round = {"a_s": [0.001, 0.001, 0.004], "b_s": [0.001, 0.002, 0.012]}
    times = {**one_slow_round, "ratios": [1.0, 2.0, 3.0]}
    row = cpu.row("mlp", {"wall": times, "own": times})
    assert row == "| mlp | 2.000 (1.500 to 2.500) | 2.000 (1.500 to 2.500) | 1.000 | 2.000 |"


@pytest.mark.slow
def test_two_processes_take_turns_and_compute_the_same(cpu, port, tmp_path):
    stack = cpu.stacks.there("port", Path(sys.executable), port, tmp_path)
    sides = {"native": cpu.Side(stack, ""), "port": cpu.Side(stack, "")}
    # One compile directory: the second process finds what the first compiled.
    (tmp_path / "native").mkdir()
    (tmp_path / "port").symlink_to("native")
    with cpu.workers(sides, tmp_path) as both:
        first, second = (one.ask(make="logistic") for one in both.values())
        pairs = [(one, "logistic") for one in both.values()]
        values = cpu.rounds(*pairs, count=3, seconds=0.01)
    assert first["value"] == second["value"] == pytest.approx(2.5, abs=1)
    assert first["compiler"] > second["compiler"]
    for clock in ("wall", "own"):
        assert len(values[clock]["ratios"]) == 3
        assert min(values[clock]["ratios"]) > 0
    assert values["calls_per_round"] >= 2


@pytest.mark.slow
def test_a_process_that_ends_says_why(cpu, port, tmp_path):
    stack = cpu.stacks.there("port", Path(sys.executable), port, tmp_path)
    side = cpu.Side(stack, "no.such.flag=1,floatX=wrong")
    with pytest.raises(SystemExit, match="floatX"), contextlib.closing(cpu.Worker(side, tmp_path)):
        pass
