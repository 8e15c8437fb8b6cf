"""Fixtures of the runtime's tests: an environment without CUDA's settings, small fake files."""

import os
import sys
from pathlib import Path

import pytest

VARIABLES = ("CUDA_PATH", "CUDA_HOME", "CUDA_ROOT", "LD_LIBRARY_PATH", "LIBRARY_PATH")


@pytest.fixture(autouse=True)
def _no_cuda_settings(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def elf():
    """Return a function that writes a file which looks like a shared library of this machine."""
    with Path(os.path.realpath(sys.executable)).open("rb") as file:
        header = file.read(64)

    def write(path, *links):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(header)
        for link in links:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        return path

    return write


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a function that lays out an installed wheel in a folder on ``sys.path``."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(name, version, *files):
        escaped = name.replace("-", "_")
        info = site / f"{escaped}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
        for file in files:
            path = site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return site

    return install
