"""A run as its events make it: what is done, what is left, how it ends, and in a file."""

from __future__ import annotations

import json

import pytest
from samples import bench, event, row

from theano_colab.bench.progress import Bench, beginning, ended, follow
from theano_colab.bench.results import Failure
from theano_colab.bench.run import BenchRequest

REQUEST = BenchRequest(("dot",), (64, 256), seconds=2.0, devices=("cpu", "cuda"))
EVENTS = [
    event("started", device="cpu", platform="cpu"),
    event("started", device="cuda", platform="gpu"),
    event("compiling", 64, "cpu"),
    event("measuring", 64, "cpu", [row(64, "cpu", 3.0)]),
    event("tick"),
    event("result", 64, "cpu", [row(64, "cpu", 2.0), row(64, "numpy", 2.0)]),
    event("gpu", utilisation=90),
    event("left out", 64, "cuda"),
    event("compiling", 256, "cpu"),
    event("failed", 256, "cpu", [Failure("dot", 256, "cpu", "theano", "float32", "killed")]),
]


def states(events, total_s=None):
    """Return every state; the clock goes on by a second for each event."""
    seconds = iter(range(1000))
    first = beginning(REQUEST, "machine", "a CPU")
    return list(follow(first, events, 2.0, total_s, clock=lambda: float(next(seconds))))


def test_points_are_counted_whatever_became_of_them():
    found = states(EVENTS)
    assert [state.ended for state in found] == [0, 0, 0, 0, 0, 1, 1, 2, 2, 3]
    assert {state.points for state in found} == {4}


def test_time_left_is_first_as_planned_and_then_as_it_took():
    found = states(EVENTS)
    assert found[0].left_s == 4 * 2.0
    assert found[5].left_s == 3 * 6.0


def test_no_more_time_is_left_than_a_short_run_has():
    found = states(EVENTS, total_s=5.0)
    assert [state.left_s for state in found] == [4.0, 3.0, 2.0, 1.0, *[0.0] * 6]


def test_what_is_done_now_and_the_values_so_far():
    found = states(EVENTS)
    assert (found[2].now, found[2].compiling) == (("dot", 64, "cpu"), True)
    assert (found[3].compiling, found[3].current[0].median_s) == (False, 3.0)
    assert found[4].current == found[3].current
    assert (found[5].current, len(found[5].rows)) == ((), 2)
    assert found[6].gpu == ({"utilisation": 90},)
    assert found[7].left_out == (("dot", 64, "cuda"),)


def test_an_interrupted_run_keeps_the_point_it_was_at_and_marks_it():
    interrupted = Failure("dot", 64, "cpu", "theano", "float32", "interrupted")
    *_, last = states([*EVENTS[:4], event("failed", 64, "cpu", [interrupted])])
    kept = ended(last, interrupted=True)
    (one,) = kept.rows
    assert (one.median_s, one.stable) == (3.0, False)
    assert "interrupted" in one.detail
    assert (kept.verdict, kept.now, kept.left_s) == ("interrupted", None, None)


def test_a_run_survives_json_but_for_what_only_mattered_while_it_ran():
    *_, last = states(EVENTS)
    kept = ended(last, interrupted=False)
    again = Bench.from_json(json.loads(json.dumps(kept.to_json())), "T4")
    assert again.to_json() == kept.to_json()
    assert (again.label, again.gpu, again.rows) == ("T4", (), kept.rows)


@pytest.mark.parametrize("record", [{}, [], {"format": "theano_colab bench 1"}, {"format": "2"}])
def test_what_is_no_run_is_refused(record):
    with pytest.raises(ValueError, match=r"it has no|it lacks"):
        Bench.from_json(record)


def test_a_row_that_is_damaged_is_refused():
    record = bench(row(64, "cpu", 1.0)).to_json()
    record["rows"][0]["median_s"] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        Bench.from_json(record)
