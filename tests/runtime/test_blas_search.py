"""The search for a BLAS, in trees laid out as Ubuntu, conda, Fedora, Intel and wheels do."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from theano_colab.runtime import blas

MULTIARCH = f"{os.uname().machine}-linux-gnu"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return an empty root; SciPy and this Python's own prefix are out of sight."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "python"))
    monkeypatch.setattr(sys.implementation, "_multiarch", MULTIARCH, raising=False)
    return tmp_path


@pytest.fixture
def ubuntu(tree, elf):
    """Lay out Ubuntu 22.04's libopenblas-dev and libmkl-dev, as on Colab."""
    lib = tree / "usr/lib" / MULTIARCH
    alternatives = tree / "etc/alternatives"
    elf(lib / "openblas-pthread/libopenblasp-r0.3.20.so")
    (lib / "openblas-pthread/libopenblas.so.0").symlink_to("libopenblasp-r0.3.20.so")
    (lib / "openblas-pthread/libopenblas.so").symlink_to("libopenblas.so.0")
    alternatives.mkdir(parents=True)
    for name in ("libopenblas.so", "libopenblas.so.0"):
        (alternatives / name).symlink_to(lib / "openblas-pthread" / name)
        (lib / name).symlink_to(alternatives / name)
    elf(lib / "libmkl_rt.so")
    elf(lib / "blas/libblas.so.3.10.0", lib / "libblas.so.3", lib / "libblas.so")
    status = tree / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(
        "Package: libmkl-rtfoo\nVersion: 1.0\n\n"
        "Package: libmkl-rt\nStatus: install ok installed\nArchitecture: amd64\n"
        "Version: 2020.4.304-2ubuntu3\n\nPackage: zlib1g\nVersion: 1:1.2.11\n"
    )
    return lib


def test_colab(tree, ubuntu):
    found = blas.find(root=str(tree))
    assert [library[:2] for library in found] == [("OpenBLAS", "0.3.20"), ("MKL", "2020.4.304")]
    assert [library.ldflags for library in found] == ["-lopenblas", "-lmkl_rt"]
    assert found[0].path == str(ubuntu / "libopenblas.so")


def test_without_versions_no_package_file_is_read(tree, ubuntu):
    assert [library.version for library in blas.find(versions=False, root=str(tree))] == [None] * 2


def test_run_time_library_without_its_development_link(tree, ubuntu):
    (ubuntu / "libopenblas.so").unlink()
    assert blas.find(root=str(tree))[0].ldflags == "-l:libopenblas.so.0"


def test_64_bit_integers_are_left_out(tree, elf):
    lib = tree / "usr/lib" / MULTIARCH
    elf(lib / "libopenblas64p-r0.3.20.so", lib / "libopenblas64.so", lib / "libopenblas.so.0")
    elf(lib / "libopenblas64_.so")
    assert blas.find(root=str(tree)) == []


def test_broken_links_scripts_and_other_machines_libraries_are_left_out(tree):
    lib = tree / "usr/lib64"
    lib.mkdir(parents=True)
    (lib / "libopenblas.so").symlink_to("gone")
    (lib / "libmkl_rt.so").write_text("INPUT(libmkl_rt.so.2)")
    header = b"\x7fELF" + bytes([1, 1]) + bytes(12) + b"\x03\x00"  # 32 bits, i386
    (lib / "libblis.so").write_bytes(header)
    assert blas.find(root=str(tree)) == []


def test_fedoras_threaded_build_before_its_plain_one(tree, elf):
    lib = tree / "usr/lib64"
    elf(lib / "libopenblas-r0.3.21.so", lib / "libopenblas.so.0")
    elf(lib / "libopenblasp-r0.3.21.so", lib / "libopenblasp.so.0")
    (found,) = blas.find(root=str(tree))
    assert found.ldflags == "-l:libopenblasp.so.0"
    assert found.version == "0.3.21"


def test_conda_comes_first_with_what_its_numpy_uses(tree, ubuntu, elf):
    prefix = tree / "python"
    elf(prefix / "lib/libmkl_rt.so.2", prefix / "lib/libmkl_rt.so")
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta/mkl-service-2.4.0-py311h_1.json").touch()
    (prefix / "conda-meta/mkl-2023.1.0-h213fc3f_46344.json").touch()
    found = blas.find(root=str(tree))
    assert [(library.name, library.version) for library in found] == [
        ("MKL", "2023.1.0"),
        ("OpenBLAS", "0.3.20"),
        ("MKL", "2020.4.304"),
    ]
    assert found[0].ldflags == f"-L{prefix}/lib -lmkl_rt"


def test_the_mkl_wheel_and_intels_own_installer(tree, elf):
    local = tree / "usr/local/lib"
    elf(local / "libmkl_rt.so.2")
    (local / "python3.13/dist-packages/mkl-2025.3.1.dist-info").mkdir(parents=True)
    intel = tree / "opt/intel/oneapi/mkl/2024.2/lib"
    elf(intel / "libmkl_rt.so")
    (intel.parent.parent / "latest").symlink_to("2024.2")
    found = blas.find(root=str(tree))
    assert [(library.name, library.version) for library in found] == [
        ("MKL", "2025.3.1"),
        ("MKL", "2024.2"),
    ]
    assert found[0].ldflags == f"-L{local} -l:libmkl_rt.so.2"


def test_the_users_folders_first_and_pkgconfig(tree, ubuntu, elf, monkeypatch):
    mine = tree / "mine"
    elf(mine / "libopenblas.so")
    (mine / "pkgconfig").mkdir()
    (mine / "pkgconfig/openblas.pc").write_text("Name: openblas\nVersion: 0.3.28\n")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{mine}:relative")
    found = blas.find(root=str(tree))
    assert [library.version for library in found] == ["0.3.28", "0.3.20", "2020.4.304"]
    assert found[0].ldflags == f"-L{mine} -lopenblas"


@pytest.mark.parametrize("name", ["with blank", "with,comma", "with'quote"])
def test_a_path_that_theano_could_not_read_is_skipped(tree, elf, monkeypatch, name):
    elf(tree / name / "libopenblas.so")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tree / name))
    assert blas.find(root=str(tree)) == []


def test_not_on_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert blas.find() == []


def test_a_module_without_a_spec_in_scipys_place(tree, monkeypatch):
    def no_spec(_name):
        raise ValueError("scipy.__spec__ is None")

    monkeypatch.setattr(importlib.util, "find_spec", no_spec)
    assert blas.find(root=str(tree)) == []


def test_it_runs_alone_and_imports_nothing_heavy():
    """As a copy inside the installed Theano."""
    code = (
        "import runpy, sys\n"
        "space = runpy.run_path(sys.argv[1], run_name='theano._port.blas')\n"
        "space['find'](versions=False)\n"
        "print([m for m in ('numpy', 'scipy', 'theano_colab', 'subprocess', 'ctypes')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, blas.__file__], capture_output=True, text=True, check=True,
        cwd="/",
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


SOURCE = """
#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#ifndef THEANO_COLAB_BLAS_PREFIX
#define THEANO_COLAB_BLAS_PREFIX
#endif
#define sdot_ NAME(THEANO_COLAB_BLAS_PREFIX, sdot_)
extern "C" float sdot_(const int*, const float*, const int*, const float*, const int*);
extern "C" float answer() {
    const float x[5] = {0, 1, 2, 3, 4};
    const int n = 5, one = 1;
    return sdot_(&n, x, &one, x, &one);
}
"""


def as_theano_passes_them(ldflags):
    """Split as Theano's tensor/blas.py does: -l last, and a run path for each -L."""
    tokens = ldflags.split()
    paths = [f"-Wl,-rpath,{token[2:]}" for token in tokens if token.startswith("-L")]
    libraries = [token for token in tokens if token.startswith("-l")]
    return [token for token in tokens if token not in libraries] + paths, libraries


@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler")
def test_every_library_of_this_machine_links_and_computes(tmp_path):
    pytest.importorskip("scipy")
    found = blas.find()
    assert any(library.prefix == "scipy_" and library.version for library in found)
    source = tmp_path / "answer.cpp"
    source.write_text(SOURCE)
    for number, library in enumerate(found):
        assert Path(library.path).is_file()
        assert "," not in library.ldflags
        flags, libraries = as_theano_passes_them(library.ldflags)
        built = tmp_path / f"answer{number}.so"
        command = ["g++", "-shared", "-fPIC", *flags, str(source), "-o", str(built), *libraries]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(built))
        loaded.answer.restype = ctypes.c_float
        assert loaded.answer() == 30.0, library
