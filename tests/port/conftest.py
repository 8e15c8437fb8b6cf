"""The sdist, the port built from it and unpacked, and a process that runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from theano_colab.port import build_wheel
from theano_colab.port.archive import fetch
from theano_colab.port.sdist import THEANO

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    return fetch(THEANO, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(sdist, tmp_path_factory) -> Path:
    return build_wheel(sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def port(wheel, tmp_path_factory) -> Path:
    """The folder to put on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("port")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def run_port(port, tmp_path_factory):
    """Run Python with the port importable, one compile directory for all; return its output."""
    compiled = tmp_path_factory.mktemp("compiled")

    def run(*arguments: str, flags: str = "") -> str:
        environment = {
            **os.environ,
            "PYTHONPATH": str(port),
            "THEANORC": os.devnull,
            "THEANO_FLAGS": f"base_compiledir={compiled},{flags}",
        }
        child = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            env=environment,
            cwd=compiled,
            text=True,
            capture_output=True,
            check=False,
        )
        assert child.returncode == 0, child.stdout + child.stderr
        assert child.stderr == ""
        return child.stdout

    return run
