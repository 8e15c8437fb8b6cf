"""The worker: what it says about the libraries, and how it says that there is no Theano."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from theano_colab.bench import worker


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
    command = ["-P", "-m", "theano_colab.bench.worker"]
    done = subprocess.run(
        [sys.executable, *command],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
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
