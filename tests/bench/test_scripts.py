"""The benchmark scripts run as their first lines say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def script(name, *options, where):
    pytest.importorskip("theano")
    file = where / "out.json"
    subprocess.run(
        [sys.executable, ROOT / "benchmarks" / name, *options, "--json", file],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    record = json.loads(file.read_text())
    assert record["machine"]["processors"] >= 1
    return record


def test_dot(tmp_path, capfd):
    record = script("dot.py", "--size", "48", "--time", "0.3", where=tmp_path)
    mine, numpys = record["rows"]
    assert record["ratio"] == pytest.approx(mine["median_s"] / numpys["median_s"])
    assert mine["agrees"] is True
    assert f"{record['ratio']:.3f} times NumPy's" in capfd.readouterr().out


def test_import_time(tmp_path, capfd):
    record = script("import_time.py", "--runs", "1", where=tmp_path)
    times = record["cpu_time"]
    assert times["import theano"]["median_s"] > times["python alone"]["median_s"] > 0
    assert "import theano" in capfd.readouterr().out
