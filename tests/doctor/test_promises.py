"""info, plan, flags, doctor, report as commands: quick, offline, without a trace, never stuck."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("info", "plan", "flags", "doctor", "report")

# Python runs this first in every process that reads its site-packages.
WATCH = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["NETWORK_LOG"], "a") as log:
            log.write(f"{event} {arguments[1:]}\\n")
sys.addaudithook(watch)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that runs a command where everything that it may write to is watched."""
    for name in ("home", "work", "tmp", "bin"):
        (tmp_path / name).mkdir()
    shutil.copytree(
        ROOT / "theano_colab",
        tmp_path / "site/theano_colab",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "site/sitecustomize.py").write_text(WATCH)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(tmp_path / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",  # pip has written it where it installed us
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "NETWORK_LOG": str(tmp_path / "network"),
    }

    def run(command, **variables):
        return subprocess.run(
            [sys.executable, "-m", "theano_colab", command, "--json"],
            env=environment | variables, cwd=tmp_path / "work", capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip

    run.folder = tmp_path
    return run


def tree(folder):
    """Return every file and folder with its size and times."""
    states = {path: path.lstat() for path in sorted(folder.rglob("*"))}
    return {p: (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in states.items()}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_writes_nothing_and_asks_no_network(machine, command):
    before = tree(machine.folder)
    done = machine(command)
    assert done.returncode in {0, 1}, done.stderr  # the doctor: there is no Theano here
    assert json.loads(done.stdout)
    # A folder for what is tried is made and removed, which the folder above it remembers.
    scratch = machine.folder / "tmp"
    after = tree(machine.folder)
    before.pop(scratch)
    after.pop(scratch)
    assert after == before


def test_the_watch_would_see_the_network(machine):
    code = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('127.0.0.1', 9))"
    log = machine.folder / "network"
    variables = {"PYTHONPATH": str(machine.folder / "site"), "NETWORK_LOG": str(log)}
    subprocess.run([sys.executable, "-c", code], env=variables, check=True)
    assert "socket.connect" in log.read_text()


BLOCKING = ("nvidia-smi", "nvcc", "g++", "gcc", "clang", "cmake", "ldconfig", "lscpu")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["info", "doctor"])
def test_nothing_that_blocks_holds_a_command_up(machine, command):
    """Block every program and library that is asked, and the toolkit's own nvcc as well."""
    toolkit = machine.folder / "cuda"
    (toolkit / "nvvm").mkdir(parents=True)
    (toolkit / "bin").mkdir()
    for path in (*(machine.folder / "bin" / name for name in BLOCKING), toolkit / "bin/nvcc"):
        path.write_text("#!/bin/sh\nexec sleep 1000\n")
        path.chmod(0o755)
    site = machine.folder / "site"
    block = "import threading; threading.Event().wait()\n"
    (site / "pynvml.py").write_text(
        f"class NVMLError(Exception): pass\ndef nvmlInit():\n    {block}"
    )
    (site / "cuda/pathfinder").mkdir(parents=True)
    (site / "cuda/pathfinder/__init__.py").write_text(block)
    began = time.monotonic()
    done = machine(command, CUDA_HOME=str(toolkit))
    seconds = time.monotonic() - began
    said = json.loads(done.stdout)
    if command == "info":
        assert "no answer within" in said["driver"]["missing"]
        assert "no answer within" in said["compiler"]["missing"]
        assert "no answer within" in said["processor"]["missing"]
        assert "no answer within" in said["cuda_libraries"]["source"]
        assert {tool["version"] for tool in said["tools"]["value"]} == {None}
    else:
        assert said["verdict"] == "error"
    # On a busy machine Python alone takes seconds to start; what blocks would take a thousand.
    assert seconds < 60


def test_info_takes_little_and_brings_no_numpy(tmp_path):
    """Its CPU time, with that of all it starts: the clock on the wall shows who else is at work."""
    command = [sys.executable, "-m", "theano_colab", "info", "--json"]
    used = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    said = json.loads(done.stdout)
    if said["jax_devices"].get("missing") == "jax is not installed":
        assert min(used) < 1.0
    assert said["loaded"]["value"] == {}
    assert os.path.isabs(said["python_executable"]["value"])  # noqa: PTH117  # a string of JSON's
