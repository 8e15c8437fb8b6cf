"""The wheels that libraries are rebuilt as."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from theano_colab.libraries import catalogue
from theano_colab.libraries.build import build_library, fingerprint
from theano_colab.port import rewrite

pytestmark = pytest.mark.slow

RELEASES = {
    release.spec: release
    for library in catalogue.libraries().values()
    for release in library.releases
    if not release.elsewhere
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=RELEASES, scope="module")
def release(request):
    return RELEASES[request.param]


@pytest.fixture(scope="module")
def contents(release, cache):
    with zipfile.ZipFile(build_library(release, cache)) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def test_holds_the_library_and_its_record_alone(release, contents):
    roots = {name.split("/")[0] for name in contents}
    info = f"{release.distribution.lower()}-{release.built_version}.dist-info"
    assert roots == {*release.packages, info}
    assert f"{release.module}/__init__.py" in contents


def test_python_of_today_has_no_warning_for_what_is_imported(release, contents):
    for name, content in contents.items():
        if name.endswith(".py") and "tensorflow" not in name:
            compile(content, name, "exec")


def test_names_nothing_that_numpy_2_removed(release, cache, tmp_path):
    with zipfile.ZipFile(build_library(release, cache)) as wheel:
        wheel.extractall(tmp_path)
    # Nobody computes with these backends here.
    others = "tensorflow_backend.py,cntk_backend.py,numpy_backend.py"
    options = ("--isolated", "--no-cache", "--select=NPY001,NPY003,NPY201", f"--exclude={others}")
    ruff = [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_requires_what_the_catalogue_says_and_no_numpy_of_old(release, contents):
    (metadata,) = [text for name, text in contents.items() if name.endswith("/METADATA")]
    told = Parser().parsestr(metadata.decode())
    needs = [need.requirement for need in release.needs]
    assert told.get_all("Requires-Dist") == ["numpy>=2.0", release.theano, *needs]
    assert (told["Name"], told["Version"]) == (release.distribution, release.built_version)


def test_is_kept_and_built_anew_where_it_is_damaged(release, cache):
    wheel = build_library(release, cache)
    content, written = wheel.read_bytes(), wheel.stat().st_mtime_ns
    assert build_library(release, cache).stat().st_mtime_ns == written
    wheel.write_bytes(content[:-9])
    assert build_library(release, cache).read_bytes() == content


def test_the_check_is_a_program(release):
    compile(release.program.read_text("utf-8"), str(release.program), "exec")


def test_the_fingerprint_is_that_of_the_release(release):
    others = {fingerprint(other) for other in RELEASES.values() if other != release}
    assert fingerprint(release) not in others


def test_every_file_of_rules_is_used():
    used = {name for release in RELEASES.values() for name in release.rules}
    assert used == {path.name for path in (catalogue.FOLDER / "rules").glob("*.toml")}


def test_every_rule_says_why():
    for path in (catalogue.FOLDER / "rules").glob("*.toml"):
        for rule in rewrite.read_rules([path]):
            assert rule.why.endswith("."), rule.id
