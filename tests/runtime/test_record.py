"""Recorded runtimes: written, read back on another machine, and refused when damaged."""

import json
from pathlib import Path

import pytest

from theano_colab.__main__ import main
from theano_colab.errors import TheanoColabError
from theano_colab.runtime import detect
from theano_colab.runtime.record import SCHEMA, dumps, load, loads, save

RECORDED = sorted((Path(__file__).parents[1] / "data" / "runtimes").glob("*.json"))


def test_this_runtime_comes_back_as_it_was(tmp_path):
    runtime = detect()
    path = str(tmp_path / "runtime.json")
    save(runtime, path)
    assert load(path) == runtime


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_runtimes_are_as_this_release_would_write_them(path):
    assert json.loads(dumps(load(str(path)))) == json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("", "Expecting value"),
        ("[]", "it does not say"),
        ('{"python": {"value": "3.13", "source": "s"}}', "it does not say"),
        (dumps(load(str(RECORDED[0]))).replace(f'"schema": {SCHEMA}', '"schema": 99'), "schema 99"),
        ('{"kind": "theano_colab.runtime", "schema": 1}', "facts are missing"),
        ('{"kind": "theano_colab.runtime", "schema": 1, "facts": {"bits": 64}}', "'bits' is not"),
        (
            '{"kind": "theano_colab.runtime", "schema": 1, "facts": '
            '{"bits": {"value": "many", "source": "s"}}}',
            "'many' is no int",
        ),
        (
            '{"kind": "theano_colab.runtime", "schema": 1, "facts": '
            '{"gpus": {"value": [{"name": "T4"}], "source": "s"}}}',
            "'gpus'",
        ),
        ("[" * 100_000, ""),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(text, quote):
    with pytest.raises(TheanoColabError) as refused:
        loads(text)
    assert quote in refused.value.evidence


def test_record_and_replay_in_a_terminal(tmp_path, capsys):
    path = tmp_path / "here.json"
    assert main(["info", "--record", str(path)]) == 0
    # A long path is broken where the line ends.
    assert str(path) in "".join(capsys.readouterr().out.split())
    machine = next(path for path in RECORDED if path.stem == "datacentre")
    assert main(["info", "--replay", str(machine)]) == 0
    shown = capsys.readouterr().out
    assert "Rocky Linux" in shown
    assert "NVIDIA A100-SXM4-80GB" in shown


def test_a_record_that_is_not_there(capsys):
    assert main(["info", "--replay", "/no/such.json"]) == 1
    assert "No such file" in capsys.readouterr().err
