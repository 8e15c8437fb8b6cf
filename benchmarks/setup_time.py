"""How long setup takes in a bare kernel environment like Colab's: cold, and again.

    python3 benchmarks/setup_time.py --cold 2 --warm 5 --json setup_time.json

Makes a venv with the pins of one Colab runtime (scripts/envs.py) and installs theano-colab from
this checkout, both not timed. Then times ``python -m theano_colab setup`` there, with a HOME of its
own, so that no compiled code, no built wheel and no settings of yours are used. The first cold run
downloads Theano's sdist; the later ones, each in a new venv and a new HOME, take it from pip's
cache, so the difference is the download. Warm runs repeat the command where the last cold run was.

"wall" is the whole command, Python's own start included; "setup" is what setup itself reports,
which is what ``%theano setup`` takes in a kernel that runs already; "CPU" is the user and system
time of the command and all it started, which other programs on the machine hardly change.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import report

sys.path.append(str(report.ROOT / "scripts"))
import envs

NOT_INHERITED = ("THEANO", "PYTHON", "VIRTUAL_ENV", "COLAB_", "MKL_", "OMP_", "OPENBLAS_", "XDG_")


def new_place(folder: Path, pins: envs.PinSet, pip_cache: Path) -> tuple[Path, dict[str, str]]:
    """Copy the environment, install theano-colab; return its Python and a clean environment."""
    home = folder / "home"
    home.mkdir(parents=True)
    variables = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    config = os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))
    # pip keeps its configuration (an index of one's own), but not its cache.
    variables |= {"HOME": str(home), "XDG_CONFIG_HOME": config, "PIP_CACHE_DIR": str(pip_cache)}
    python = envs.copy(envs.make(pins), folder / "env") / "bin" / "python"
    install = [python, "-m", "pip", "install", *envs.QUIET, envs.wheel()]
    subprocess.run(install, env=variables, check=True, cwd=home)
    return python, variables


def cpu_seconds() -> float:
    """Return the CPU time of all processes started here that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def setup(python: Path, variables: dict[str, str], device: str) -> dict[str, Any]:
    """Run setup once; return its times and what it reported."""
    command = [python, "-m", "theano_colab", "setup", "--device", device, "--json"]
    start, cpu = time.perf_counter(), cpu_seconds()
    done = subprocess.run(
        command, env=variables, cwd=variables["HOME"], capture_output=True, text=True, check=False
    )
    wall, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    if done.returncode != 0:
        sys.exit(f"setup failed with status {done.returncode}\n{done.stdout}\n{done.stderr}")
    state = json.loads(done.stdout)
    steps = {step["title"]: step["seconds"] for step in state["steps"]}
    return {"wall_s": wall, "cpu_s": cpu, "setup_s": state["seconds"], "steps_s": steps}


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {pins.name: pins for pins in envs.pin_sets()}
    parser.add_argument(
        "--pins", choices=sorted(known), help="default: the newest Colab whose Python is here"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cold", type=int, default=2, help="cold runs (default 2)")
    parser.add_argument("--warm", type=int, default=5, help="warm runs (default 5)")
    parser.add_argument("--json", type=Path, help="write every value to this file")
    options = parser.parse_args()
    pins = known[options.pins] if options.pins else envs.colab_like()
    before = report.machine()
    cold = []
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(max(options.cold, 1)):
            place = new_place(Path(scratch) / str(i), pins, Path(scratch) / "pip")
            cold.append(setup(*place, options.device))
            what = "cold, with the download" if i == 0 else "cold, sdist from pip's cache"
            run = cold[-1]
            times = f"setup {run['setup_s']:.2f} s, CPU {run['cpu_s']:.2f} s"
            print(f"{what:<34} {run['wall_s']:8.2f} s   ({times})")
            for title, seconds in run["steps_s"].items():
                print(f"    {title:<50} {'' if seconds is None else f'{seconds:8.2f} s'}")
        warm = [setup(*place, options.device) for _ in range(options.warm)]
    for clock in ("wall_s", "setup_s", "cpu_s") if warm else ():
        values = report.summary([run[clock] for run in warm])
        print(report.in_words(f"again, {clock.removesuffix('_s')}", values))
    report.save(options.json, "setup", {"pins": pins.name, "cold": cold, "warm": warm}, before)


if __name__ == "__main__":
    main()
