"""What NVML tells, given by a stand-in for its bindings in the process that really asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from theano_colab.bench.run import WATCHER

BINDINGS = """
from types import SimpleNamespace as N
class NVMLError(Exception): pass
def refuse(*_): raise NVMLError("Not Supported")
def nvmlInit(): pass
def nvmlShutdown(): open(SHUT, "w").close()
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetUtilizationRates(handle): return N(gpu=90 + handle)
def nvmlDeviceGetMemoryInfo(handle): return N(used=1 << 30, total=16 << 30)
def nvmlDeviceGetPowerUsage(handle): return 65000
def nvmlDeviceGetEnforcedPowerLimit(handle): return 70000
def nvmlDeviceGetTemperature(handle, sensor): return 55
"""


@pytest.fixture
def look(tmp_path):
    """Return a function that starts the watcher with bindings, and returns two looks."""

    def start(changes="", **variables):
        shut = tmp_path / "shut"
        (tmp_path / "pynvml.py").write_text(f"SHUT = {str(shut)!r}\n{BINDINGS}{changes}")
        path = os.pathsep.join([str(tmp_path), *sys.path])
        process = subprocess.Popen(
            WATCHER,
            env={**os.environ, "PYTHONPATH": path, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        looks = [json.loads(process.stdout.readline())["info"] for _ in range(2)]
        process.stdin.close()
        assert process.wait(timeout=30) == 0
        process.stdout.close()
        assert shut.exists()
        return looks

    return start


def test_a_card_that_tells_everything(look):
    first, second = look()
    assert first == second
    assert first == {
        "utilisation": 90,
        "memory": 1 << 30,
        "memory_total": 16 << 30,
        "power": 65,
        "power_limit": 70,
        "temperature": 55,
    }


def test_what_a_card_does_not_tell_is_left_out(look):
    first, _ = look("nvmlDeviceGetUtilizationRates = refuse\ndel nvmlDeviceGetPowerUsage\n")
    assert first.keys() == {"memory", "memory_total", "power_limit", "temperature"}


def test_the_gpu_is_the_first_that_cuda_may_see(look):
    assert look(CUDA_VISIBLE_DEVICES="1,0")[0]["utilisation"] == 91


def test_without_a_driver_it_says_why_and_ends(tmp_path):
    (tmp_path / "pynvml.py").write_text("raise ImportError('no NVML here')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        WATCHER,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", "no NVML here")
