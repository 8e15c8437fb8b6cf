"""Rows survive JSON, and nothing else passes for a row."""

from __future__ import annotations

import dataclasses
import json

import pytest

from theano_colab.bench.results import Failure, Result, ratio, row_from_json

RESULT = Result(
    workload="dot",
    size=1000,
    device="cpu",
    backend="theano C linker",
    floatX="float32",
    median_s=0.02,
    iqr_s=0.001,
    repeats=30,
    calls_per_repeat=1,
    stable=True,
    compile_s=1.5,
    flops=2e9,
    bytes=12e6,
    agrees=True,
    max_rel_error=2e-7,
    blas="openblas",
    threads=2,
)
FAILURE = Failure("dot", 4000, "cpu", "theano", "float32", "killed by SIGKILL", "last line")


@pytest.mark.parametrize("row", [RESULT, FAILURE, dataclasses.replace(FAILURE, size=None)])
def test_a_row_survives_json(row):
    assert row_from_json(json.loads(json.dumps(row.to_json()))) == row


def test_rates():
    assert RESULT.gflops == pytest.approx(100.0)
    assert RESULT.gbytes == pytest.approx(0.6)
    assert dataclasses.replace(RESULT, flops=None, bytes=None).gflops is None


def test_ratio_is_of_medians_and_only_of_the_same_problem():
    slower = dataclasses.replace(RESULT, median_s=0.03)
    assert ratio(slower, RESULT) == pytest.approx(1.5)
    with pytest.raises(ValueError, match="not the same problem"):
        ratio(RESULT, dataclasses.replace(RESULT, size=500))


@pytest.mark.parametrize(
    "change",
    [
        {"row": "event"},
        {"surprise": 1},
        {"median_s": float("nan")},
        {"iqr_s": float("inf")},
    ],
)
def test_what_is_not_a_row_is_refused(change):
    with pytest.raises(ValueError, match=r"not a|not finite"):
        row_from_json({**RESULT.to_json(), **change})


def test_a_row_that_lacks_a_field_is_refused():
    record = RESULT.to_json()
    del record["median_s"]
    with pytest.raises(ValueError, match="not a result"):
        row_from_json(record)
