"""The headers compiled once per compile directory: used by every module, and done without."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="precompiled headers are GCC's"),
]

# A module of its own for each line: elemwise, BLAS, convolution (C code with support code of its
# own), sparse, a scan's loop and the op inside it.
OPS = """
import numpy as np, scipy.sparse, theano, theano.sparse, theano.tensor as T
x, s = T.fmatrix(), theano.sparse.csr_fmatrix()
image, filters = T.ftensor4(), T.ftensor4()
scan = theano.scan(lambda row, total: total + T.exp(row), x, T.zeros(3, "float32"))[0]
outputs = [T.exp(x), T.dot(x, x), x.cumsum(), theano.sparse.dot(s, x), scan]
one = np.eye(3, dtype="f")
values = theano.function([x, s], outputs)(one, scipy.sparse.csr_matrix(one))
assert np.allclose(values[0], np.exp(np.eye(3))), values[0]
assert [np.asarray(value).sum() for value in values[1:4]] == [3, 15, 3], values
assert np.allclose(values[4][-1], 2 + np.e), values[4]
convolve = theano.function([image, filters], T.nnet.conv2d(image, filters))
assert convolve(np.ones((1, 1, 3, 3), "f"), np.ones((1, 1, 2, 2), "f")).sum() == 16
"""
TWO = """
import theano, theano.tensor as T
x = T.vector()
assert theano.function([x], T.exp(x))([0]) == 1
assert theano.function([x], T.cos(x))([0]) == 1
"""


@pytest.fixture
def folder(tmp_path):
    """The compile directory's parent of one test."""
    return tmp_path / "compiled"


def run(run_port, folder, program, flags=""):
    return run_port("-c", program, flags=f"base_compiledir={folder},{flags}")


def made(folder, suffix):
    return sorted(folder.glob(f"*/headers/*{suffix}"))


def modules(folder):
    return sorted(folder.glob("*/tmp*/*.so"))


def test_every_module_but_the_first_uses_them(run_port, folder):
    # -H makes GCC say which headers it reads, with "!" ahead of a compiled one that it uses.
    flags = "gcc.cxxflags=-H,cmodule.compilation_warning=True"
    said = run(run_port, folder, OPS, flags).splitlines()
    (compiled,) = made(folder, ".gch")
    used = [line for line in said if line.startswith("!")]
    assert len(modules(folder)) > 8
    assert len(used) >= len(modules(folder)) - 1
    assert set(used) == {f"! {compiled}"}
    assert not [line for line in said if line.startswith("x")]
    assert compiled.stat().st_size < 30e6
    # What reads them as text reads what the port puts ahead of every source first.
    assert "theano_colab_names.h" in compiled.with_suffix("").read_text("utf-8").splitlines()[0]


def test_one_module_alone_makes_none(run_port, folder):
    run(run_port, folder, TWO.rpartition("assert")[0])
    assert len(modules(folder)) == 1
    assert made(folder, ".gch") == []


@pytest.mark.parametrize("flags", ["gcc.cxxflags=-DNDEBUG", "cmodule.remove_gxx_opt=True"])
def test_other_arguments_have_headers_of_their_own(run_port, folder, flags):
    # -H: see above. assert.h asks for NDEBUG: GCC refuses headers that were made without it.
    flags = f"cmodule.compilation_warning=True,{flags}"
    flags += "" if "cxxflags" in flags else ",gcc.cxxflags="
    said = run(run_port, folder, TWO, f"{flags} -H").splitlines()
    (compiled,) = made(folder, ".gch")
    assert f"! {compiled}" in said


@pytest.mark.parametrize("flags", ["-include/dev/null", "-include /dev/null"])
def test_what_the_user_includes_ahead_stays_first(run_port, folder, flags):
    run(run_port, folder, TWO, f"gcc.cxxflags={flags}")
    assert made(folder, "") == []


def test_there_are_never_three_and_old_ones_go(run_port, folder):
    for level in (1, 2):
        run(run_port, folder, TWO, f"gcc.cxxflags=-O{level}")
    both = made(folder, ".gch")
    assert len(both) == 2
    third = TWO.replace("exp", "sqrt").replace("[0]) == 1", "[1]) != 2")
    run(run_port, folder, third, "gcc.cxxflags=-fwrapv")
    assert made(folder, ".gch") == both
    os.utime(both[0], (0, 0))
    run(run_port, folder, third.replace("sqrt", "sin"), "gcc.cxxflags=-fwrapv")
    left = made(folder, ".gch")
    assert len(left) == 2
    assert both[0] not in left
    assert both[1] in left


@pytest.fixture
def compiler(tmp_path):
    """Make a compiler that is g++ but for one refusal, and notes each; return its path."""

    def make(refusal: str, name: str = "g++") -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir()
        path.write_text(
            "#!/bin/sh\n"
            f'case "$*" in {refusal}) echo "$*" >> "$0.log"; exit 1;; esac\n'
            'exec g++ "$@"\n',
            "utf-8",
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.mark.parametrize("refusal", ["*c++-header*", "*-include*/headers/*.h*mod.cpp*"])
def test_a_compiler_that_refuses_is_asked_once(run_port, folder, compiler, refusal):
    path = compiler(refusal)
    run(run_port, folder, TWO, f"cxx={path}")
    run(run_port, folder, TWO.replace("cos", "cosh"), f"cxx={path}")
    assert len(modules(folder)) == 3
    assert len(path.with_suffix(".log").read_text("utf-8").splitlines()) == 1
    assert made(folder, ".gch") == []
    assert len(made(folder, ".refused")) == 1


def test_clang_is_not_asked(run_port, folder, compiler):
    run(run_port, folder, TWO, f"cxx={compiler('-never-', 'clang++')}")
    assert made(folder, "") == []


def test_where_they_cannot_be_written_all_is_as_without(run_port, folder):
    compiledir = run(run_port, folder, "import theano; print(theano.config.compiledir)").strip()
    shutil.rmtree(Path(compiledir) / "headers")
    (Path(compiledir) / "headers").write_text("in the way", "utf-8")
    run(run_port, folder, TWO)
    assert len(modules(folder)) == 2


def test_an_error_in_c_code_is_told_once_and_costs_nothing(run_port, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where Theano leaves the code that failed
    wrong = """
from theano.gof.cmodule import GCC_compiler
try:
    arguments = ["-O3", "-fno-math-errno", *GCC_compiler.compile_args()]
    GCC_compiler.compile_str("m", "#include <Python.h>\\nwrong;", ".", preargs=arguments)
except Exception as error:
    print(str(error).count("Compilation failed"), "headers" in str(error))
"""
    run(run_port, folder, TWO)
    said = run(run_port, folder, wrong).splitlines()
    assert said[-1] == "1 False"
    assert len(made(folder, ".gch")) == 1
    assert made(folder, ".refused") == []


@pytest.mark.parametrize("command", ["clear", "purge", "cleanup"])
def test_theano_cache_knows_them(run_port, folder, command):
    run(run_port, folder, TWO)
    program = "import sys; from theano._port.theano_cache import main; sys.argv[1:] = [%r]; main()"
    run(run_port, folder, program % command)
    assert bool(made(folder, ".gch")) == (command == "cleanup")
