from __future__ import annotations

import subprocess
import sys
import tarfile

import pytest

from theano_colab.errors import TheanoColabError
from theano_colab.port.archive import fetch, read
from theano_colab.port.sdist import THEANO


def test_pip_downloads_the_pinned_file_without_running_it(tmp_path):
    lines = []
    sdist = fetch(THEANO, tmp_path, lines.append)
    assert sdist == tmp_path / THEANO.file
    assert any("Theano==1.0.5" in line for line in lines)
    assert "theano/__init__.py" in read(THEANO, sdist)


def test_paths_start_in_the_sdists_folder(sdist):
    files = read(THEANO, sdist)
    assert files["theano/__init__.py"].startswith(b'"""')
    assert {"LICENSE.txt", "bin/theano_cache.py"} <= files.keys()


def test_a_changed_file_is_refused_with_both_hashes(sdist, tmp_path):
    changed = tmp_path / THEANO.file
    changed.write_bytes(sdist.read_bytes()[:-1])
    with pytest.raises(TheanoColabError) as caught:
        read(THEANO, changed)
    assert THEANO.sha256 in caught.value.evidence
    assert len(caught.value.evidence.split()[1].rstrip(",")) == 64


def test_an_index_that_serves_a_changed_file_is_found_out(sdist, tmp_path, monkeypatch):
    links = tmp_path / "links"
    links.mkdir()
    with tarfile.open(links / THEANO.file, "w:gz"):
        pass
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(TheanoColabError) as caught:
        fetch(THEANO, tmp_path / "there")
    assert THEANO.sha256 in caught.value.evidence
    assert "not the Theano 1.0.5" in caught.value.cause


def test_a_users_own_find_links_is_used(sdist, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(sdist.parent))
    assert fetch(THEANO, tmp_path).exists()


def test_a_missing_file_is_said_in_three_lines(tmp_path):
    with pytest.raises(TheanoColabError) as caught:
        read(THEANO, tmp_path / "none.tar.gz")
    assert "none.tar.gz" in caught.value.evidence


def test_the_command_builds_a_wheel_or_says_why_not(sdist, tmp_path):
    command = [sys.executable, "-m", "theano_colab.port", str(tmp_path), "--sdist"]
    done = subprocess.run([*command, str(sdist)], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("-py3-none-any.whl")
    failed = subprocess.run([*command, "none"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 3
