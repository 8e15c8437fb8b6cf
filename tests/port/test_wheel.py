from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from email.parser import BytesParser

import pytest

from theano_colab.port import build_port, build_wheel, fingerprint, port_version

INFO = f"theano-{port_version()}.dist-info"


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_built_twice_it_is_equal_to_the_byte(sdist, wheel, tmp_path):
    assert build_wheel(sdist, tmp_path).read_bytes() == wheel.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


def test_record_names_every_file_with_its_hash(contents):
    rows = list(csv.reader(io.StringIO(contents[f"{INFO}/RECORD"].decode())))
    assert [row[0] for row in rows if row[0] != f"{INFO}/RECORD"] == sorted(
        name for name in contents if name != f"{INFO}/RECORD"
    )
    for name, digest, size in rows[:-1]:
        expected = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=")
        assert digest == f"sha256={expected.decode()}"
        assert int(size) == len(contents[name])


def test_metadata_says_what_it_is(contents):
    metadata = BytesParser().parsebytes(contents[f"{INFO}/METADATA"])
    assert metadata["Name"] == "Theano"
    assert metadata["Version"] == port_version() == "1.0.5+colab.1"
    assert "numpy>=2.0" in metadata.get_all("Requires-Dist")
    assert b"Theano Development Team" in contents[f"{INFO}/LICENSE.txt"]
    assert contents[f"{INFO}/FINGERPRINT"].decode() == fingerprint()


def test_theanos_own_tests_are_as_published(contents, sdist):
    # These are no tests: user code imports them.
    helpers = {"theano/tests/unittest_tools.py", "theano/tests/breakpoint.py"}
    with tarfile.open(sdist) as archive:
        published = {
            member.name.partition("/")[2]: archive.extractfile(member).read()
            for member in archive.getmembers()
            if member.isfile() and "/tests/" in member.name and member.name.endswith(".py")
        }
    ours = {name: text for name, text in contents.items() if name in published}
    assert len(ours) > 150
    assert {name for name in ours if ours[name] != published[name]} == helpers


def test_data_files_are_there(contents):
    assert {
        "theano/gof/c_code/theano_mod_helper.h",
        "theano/tensor/nnet/c_code/corr_gemm.c",
        "theano/gpuarray/c_code/topk_dense.cu",
        "theano/d3viz/html/template.html",
        "theano/_port/numpy2.py",
        "theano/_port/blas.py",
    } <= contents.keys()


def test_every_file_can_be_read_by_all(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert archive.testzip() is None


def test_pip_installs_it_with_the_script(wheel, tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-index",
            "--no-compile",
            "--prefix",
            tmp_path,
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "bin" / "theano-cache").exists()


def test_it_is_built_once(tmp_path):
    lines = []
    wheel = build_port(tmp_path, lines.append)
    assert lines
    lines.clear()
    assert build_port(tmp_path, lines.append) == wheel
    assert lines == []


def test_a_truncated_wheel_and_sdist_are_noticed(tmp_path):
    wheel = build_port(tmp_path)
    whole = wheel.read_bytes()
    for name in ("*.whl", "*.tar.gz"):
        damaged = next(tmp_path.rglob(name))
        damaged.write_bytes(damaged.read_bytes()[:1000])
    assert build_port(tmp_path).read_bytes() == whole


def test_wheels_of_other_rules_are_removed(tmp_path):
    old = tmp_path / "port" / "0123456789abcdef"
    old.mkdir(parents=True)
    build_port(tmp_path)
    assert not old.exists()
