"""Runs in files: what is written is read again, and nothing else is."""

from __future__ import annotations

import csv
import io

import pytest
from samples import bench, row

from theano_colab.bench import files
from theano_colab.bench.results import Failure
from theano_colab.errors import TheanoColabError

FAILED = Failure("dot", 256, "cuda", "theano", "float32", "killed", "last words")
RUN = bench(row(64, "cpu", 0.5, compile_s=2.0), row(64, "cuda", 0.25), FAILED, verdict="done")


def test_json_comes_back_and_several_runs_are_told_apart_by_their_files(tmp_path):
    paths = [str(tmp_path / name) for name in ("T4.json", "A100.json")]
    for path in paths:
        files.write(path, files.as_json(RUN))
    (alone,) = files.load(paths[:1])
    assert alone == RUN
    assert [run.label for run in files.load(paths)] == ["T4", "A100"]


def test_csv_has_a_line_for_every_row():
    lines = list(csv.DictReader(io.StringIO(files.as_csv(RUN))))
    assert [line["device"] for line in lines] == ["cpu", "cuda", "cuda"]
    assert float(lines[0]["median_s"]) == 0.5
    assert (lines[2]["median_s"], lines[2]["reason"]) == ("", "killed")


def test_a_kind_that_is_none_is_refused_in_three_lines():
    assert files.kind("a/b.JSON") == "json"
    with pytest.raises(TheanoColabError) as caught:
        files.kind("results.txt")
    assert "results.txt" in caught.value.evidence


@pytest.mark.parametrize("content", [None, "", "{}", "[1", '{"format": "something"}'])
def test_what_cannot_be_read_is_said_with_its_name(tmp_path, content):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TheanoColabError) as caught:
        files.load([str(path)])
    assert str(path) in caught.value.evidence


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    with pytest.raises(TheanoColabError):
        files.write(str(tmp_path / "none" / "x.json"), "")
    old = tmp_path / "x.json"
    files.write(str(old), "one")
    files.write(str(old), b"two")
    assert old.read_text() == "two"
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]
