"""The worker: what it says about the libraries, and a whole run of it with a real Theano."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from theano_colab.bench import worker
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.run import BenchRequest, run


@pytest.mark.parametrize(
    ("ldflags", "named"),
    [
        ("", "none"),
        ("-L/usr/lib -lopenblas -lm", "openblas"),
        ("-L/env/scipy.libs -lscipy_openblas-b75cc656 -DX=scipy_", "scipy_openblas-b75cc656"),
        ("-l:libscipy_openblas-68440149.so -Wl,-rpath,/x/blas/", "scipy_openblas-68440149"),
        ("/usr/lib/x86_64-linux-gnu/libopenblas.so.0", "openblas"),
        ("/opt/libmkl_rt.so.2", "mkl_rt"),
        ("-lmkl_core -lmkl_intel_thread -lpthread", "mkl_core, mkl_intel_thread"),
        ('"-L/a b" -lblas', "blas"),
    ],
)
def test_the_blas_that_theano_links_is_named(ldflags, named):
    assert worker.theano_blas(ldflags) == named


def test_the_blas_of_numpy_is_named():
    assert worker.numpy_blas()


def test_threads_are_told_only_where_all_libraries_have_the_same(monkeypatch):
    for name in worker.THREADS_VARIABLES:
        monkeypatch.setenv(name, "3")
    assert worker._threads() == 3
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    assert worker._threads() is None


def test_without_theano_the_worker_says_so(tmp_path):
    """A module that raises stands where Theano would be found."""
    (tmp_path / "theano.py").write_text("raise ImportError('no Theano here')")
    root = Path(worker.__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])}
    command = ["-P", "-m", "theano_colab.bench.worker", "--workload", "dot", "--sizes", "8"]
    done = subprocess.run(
        [sys.executable, *command], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().endswith("ImportError: no Theano here")


def test_nothing_but_events_reaches_stdout():
    program = """
import os, sys
from theano_colab.bench.worker import _own_stdout
with _own_stdout() as out:
    print("printed", flush=True)
    os.write(1, b"from C\\n")
    out.write("an event\\n")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(worker.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "an event\n"
    assert done.stderr.split() == ["printed", "from", "C"]


@pytest.mark.parametrize("sizes", ["", "8,", "0", "8,-1", "big"])
def test_sizes_that_are_none_are_refused(sizes, capsys):
    with pytest.raises(SystemExit):
        worker.main(["--workload", "dot", "--sizes", sizes])
    assert "--sizes" in capsys.readouterr().err


@pytest.fixture
def theano():
    return pytest.importorskip("theano")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_real_run_gives_theano_and_numpy_side_by_side(theano, precision):
    request = BenchRequest(("dot",), (40, 64), floatX=precision, seconds=0.3)
    events = list(run(request))
    assert [e.kind for e in events if e.kind != "measuring"] == [
        "started",
        *["compiling", "result"] * 2,
        "done",
    ], [row for e in events for row in e.rows if isinstance(row, Failure)]
    about = events[0].info
    assert about["device"] == "cpu"
    assert about["theano"] == theano.__version__
    for event in events:
        if event.kind not in {"measuring", "result"}:
            continue
        mine, numpys = event.rows
        assert isinstance(mine, Result)
        assert (mine.backend, numpys.backend) == ("theano C linker", "numpy")
        assert mine.agrees
        assert mine.compile_s > 0
        assert numpys.agrees is None
        assert (mine.floatX, mine.threads) == (precision, about["threads"])


@pytest.mark.slow
def test_a_size_that_memory_cannot_hold_is_a_row_and_the_next_is_measured(theano):
    events = list(run(BenchRequest(("dot",), (10_000_000, 16), seconds=0.2)))
    (failure,) = [row for e in events if e.kind == "failed" for row in e.rows]
    assert failure.size == 10_000_000
    assert failure.reason == "not enough memory"
    assert "bytes" in failure.evidence
    assert [e.size for e in events if e.kind == "result"] == [16]


@pytest.mark.slow
def test_a_real_worker_killed_in_the_middle(theano):
    seen = []
    with contextlib.closing(run(BenchRequest(("dot",), (64, 65), seconds=30.0))) as events:
        for event in events:
            seen.append(event)
            if event.kind == "measuring":
                pid = [e.info["pid"] for e in seen if e.kind == "started"][-1]
                os.kill(pid, signal.SIGKILL)
                break
        seen.append(next(e for e in events if e.kind == "failed"))
    (failure,) = seen[-1].rows
    assert (failure.size, failure.workload) == (64, "dot")
    assert "SIGKILL" in failure.reason
