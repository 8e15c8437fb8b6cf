"""What the options of bench ask for, and what a loaded run becomes."""

# ruff: noqa: RUF001  # the sign of times is meant

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from panel_samples import BENCH, BENCHES

from theano_colab import benchmark, commands
from theano_colab.bench import files
from theano_colab.errors import TheanoColabError
from theano_colab.show import png, text


def asked(line, gpus=None, code=""):
    options = commands.parser("%theano").parse_args(["bench", *line.split()])
    options.code = code
    return benchmark.request(options, SimpleNamespace(gpus=SimpleNamespace(value=gpus)))


@pytest.fixture(autouse=True)
def flags(monkeypatch):
    monkeypatch.delenv("THEANO_FLAGS", raising=False)
    monkeypatch.setattr(benchmark.importlib.util, "find_spec", {"jax": 1}.get)


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ("64..1024", (64, 128, 256, 512, 1024)),
        ("100..1000", (100, 200, 400, 800, 1000)),
        ("7..7", (7,)),
        ("3,1..4", (3, 1, 2, 4)),
        ("5", (5,)),
    ],
)
def test_sizes(given, sizes):
    assert asked(f"dot --sizes {given}").sizes == sizes


@pytest.mark.parametrize("given", ["", "x", "0", "4..2", "1..", "0..8", "1,,2"])
def test_sizes_that_are_none(given):
    with pytest.raises(TheanoColabError, match="sizes cannot be read"):
        asked(f"dot --sizes={given}")


def test_the_time_is_shared_by_sizes_and_devices():
    assert asked("dot --sizes 1,2,3,4,5 --time 20 --devices cpu,xla").seconds == 2.0
    assert asked("dot --sizes 1 --time 3 --devices cpu").seconds == 3.0


def test_devices_by_default(monkeypatch):
    assert asked("dot").devices == ("cpu", "xla")
    assert asked("dot", gpus=("T4",)).devices == ("cpu", "cuda")
    monkeypatch.setenv("THEANO_FLAGS", "device=cuda1,floatX=float32")
    assert asked("dot", gpus=("T4",)).devices == ("cpu", "cuda1")
    monkeypatch.setenv("THEANO_FLAGS", "")
    monkeypatch.setattr(benchmark.importlib.util, "find_spec", lambda name: None)
    assert asked("dot", gpus=("T4",)).devices == ("cpu",)


def test_the_gpu_is_watched_where_there_is_one():
    assert asked("dot").watch is False
    assert asked("dot", gpus=("T4",)).watch is True


def test_quick_measures_little_and_knows_its_end():
    request = asked("--quick")
    assert request.total_s < 30
    assert set(request.workloads) < set(commands.WORKLOADS)
    assert asked("mlp --quick").sizes_of("mlp") == (64, 1024)
    assert asked("mlp --quick --sizes 5").sizes_of("mlp") == (5,)


def test_a_cell_is_the_workload():
    request = asked("--sizes 1..4", code="f = 1")
    assert (request.workloads, request.code) == (("cell",), "f = 1")
    with pytest.raises(TheanoColabError, match="the cell is what is measured"):
        asked("dot", code="f = 1")


def test_peers():
    assert asked("dot --peers jax").devices == ("cpu", "xla", "jax")
    with pytest.raises(TheanoColabError, match="torch is not installed"):
        asked("dot --peers jax,torch")
    with pytest.raises(TheanoColabError, match="There is no peer 'caffe'"):
        asked("dot --peers caffe")


@pytest.mark.parametrize(
    "line", ["nothing", "dot --batch 4", "mlp --batch 0", "dot --time 0", "dot --devices cpu,gpux"]
)
def test_what_cannot_be_measured_is_said(line):
    with pytest.raises(TheanoColabError):
        asked(line)


def shown(line):
    panels = []
    options = commands.parser("%theano").parse_args(["bench", *line.split()])
    rows = benchmark.bench(options, lambda panel, final: panels.append((panel, final)))
    return rows, panels


@pytest.fixture
def saved(tmp_path):
    for name in ("T4", "A100"):
        files.write(str(tmp_path / f"{name}.json"), files.as_json(BENCH))
    return tmp_path


def test_a_loaded_run_is_drawn_and_saved_in_every_kind(saved):
    kept = " ".join(f"{saved}/again.{kind}" for kind in files.KINDS)
    rows, [(panel, final)] = shown(f"--load {saved}/T4.json --save {kept}")
    assert final
    assert len(rows) == len(BENCH.rows)
    assert "The GPU wins from n = 256" in text.write(panel)
    assert json.loads((saved / "again.json").read_text()) == json.loads(files.as_json(BENCH))
    assert (saved / "again.png").read_bytes().startswith(b"\x89PNG")
    assert (saved / "again.html").read_text().startswith("<!doctype html>")
    assert len((saved / "again.csv").read_text().splitlines()) == 1 + len(BENCH.rows)


def test_several_runs_stand_in_one_chart_and_their_gpus_are_compared(saved):
    _, [(panel, _)] = shown(f"--load {saved}/T4.json {saved}/A100.json")
    said = text.write(panel)
    assert "1.00×  as fast as the GPU, T4 at n = 4,096" in said
    assert "[A100]" in said


def test_an_interrupted_run_that_is_loaded_is_no_interruption(tmp_path):
    files.write(str(tmp_path / "x.json"), files.as_json(BENCHES["interrupted"]))
    _, [(panel, _)] = shown(f"--load {tmp_path}/x.json")
    assert "Interrupted" in text.write(panel)


def test_without_matplotlib_a_png_is_refused_before_anything_is_measured(saved, monkeypatch):
    monkeypatch.setattr(png, "available", lambda: False)
    with pytest.raises(TheanoColabError, match="matplotlib"):
        shown(f"--load {saved}/T4.json --save {saved}/x.png")
    assert not (saved / "x.png").exists()
