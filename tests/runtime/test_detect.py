"""detect() on this very machine."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from theano_colab import runtime
from theano_colab.runtime import accelerators, blas, processor
from theano_colab.runtime.model import Fact, Runtime

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detected():
    return runtime.detect()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Runtime)])
def test_each_fact_has_a_value_or_a_reason_and_a_source(detected, name):
    fact = getattr(detected, name)
    assert isinstance(fact, Fact)
    assert (fact.value is None) != (fact.missing is None)
    assert fact.source
    assert "the probe failed" not in (fact.missing or "")


def test_json_and_back(detected):
    text = json.dumps(detected.to_json())
    assert Runtime.from_json(json.loads(text)) == detected


def test_jax_is_not_asked_unless_told_to(detected):
    assert detected.jax_devices == Fact.absent("not asked", "detect(jax=False)")


def test_every_probe_failing_is_every_fact_missing(monkeypatch):
    """Break what all probes stand on, and detect() still returns."""

    def broken(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    modules = ("host", "processor", "packages", "cuda", "cuda_files", "gpu", "environment")
    for module in (getattr(runtime, name) for name in modules):
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) == module.__name__:
                monkeypatch.setattr(module, name, broken)
    for module in (runtime.frontend, blas, accelerators):
        for name in ("front_end", "colab_release", "find", "ask", "read"):
            monkeypatch.setattr(module, name, broken, raising=False)
    record = runtime.detect(jax=True)
    for field in dataclasses.fields(Runtime):
        fact = getattr(record, field.name)
        assert "PermissionError: [Errno 13] Permission denied" in fact.missing
        assert fact.source.endswith("broken")


def test_one_probe_failing_leaves_the_others(monkeypatch):
    monkeypatch.setattr(processor, "cpu", lambda: 1 // 0)
    record = runtime.detect()
    assert (
        record.cpu.missing
        == "the probe failed: ZeroDivisionError: integer division or modulo by zero"
    )
    assert record.bits.value == 64


WRITES = """
import os, sys
written = []
def hook(event, args):
    if event == "open" and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if args[0] != os.devnull:
            written.append(args)
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink",
                   "os.chmod", "os.utime", "os.truncate", "shutil.copyfile", "tempfile.mkstemp"):
        written.append((event, *args))
sys.addaudithook(hook)
from theano_colab.runtime import detect
detect(jax=True)
print(written)
"""


def test_detecting_writes_nothing(tmp_path):
    """Neither this process (its audit events) nor its children (their folders).

    On a copy of the package without bytecode: what is there already would not be written again.
    """
    home, site = tmp_path / "home", tmp_path / "site"
    home.mkdir()
    shutil.copytree(
        ROOT / "theano_colab", site / "theano_colab", ignore=shutil.ignore_patterns("__pycache__")
    )
    before = sorted(site.rglob("*"))
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(site),
        "HOME": str(home),
        "TMPDIR": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", WRITES],
        env=environment, cwd=home, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
    assert list(home.iterdir()) == []
    assert sorted(site.rglob("*")) == before


def test_runtime_imports_nothing_of_the_other_parts():
    code = (
        "import sys, theano_colab.runtime\n"
        "print([m for m in sys.modules if m.startswith('theano_colab.')"
        " and not m.startswith('theano_colab.runtime')])\n"
        "print([m for m in ('numpy', 'scipy', 'IPython', 'jax', 'pynvml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
