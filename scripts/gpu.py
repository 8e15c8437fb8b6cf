"""Everything that wants a GPU, on a machine that has one, even if it can download nothing.

    .venv/bin/python scripts/gpu.py pack             Theano's port and such, to build/gpu/
    python3 scripts/gpu.py run --out FOLDER [PART]   there, with that machine's own JAX

``run`` needs build/gpu/ and a Python that has JAX with its CUDA plugin, SciPy, six, psutil,
packaging, cuda-pathfinder, pytest, pytest-xdist and hypothesis; it makes an environment of its own
beside it. The output of each part goes to FOLDER/PART.txt, results beside it as JSON. Parts: facts,
programs (tests/gpu), xla (tests/xla on it), steps (beside JAX by hand), bench (beside the CPU).
``--device xla`` rehearses it on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import envs

WHEELS = envs.ROOT / "build" / "gpu"
PYTHON = WHEELS / "environment" / "bin" / "python"
MORE = ("platformdirs", "filelock", "nvidia-ml-py")  # pure Python


def pack() -> None:
    """Put the port's wheel, and what else such a machine may lack, into build/gpu/."""
    sys.path.insert(0, str(envs.ROOT))
    from theano_colab.port import build_port

    shutil.rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    shutil.copy(build_port(envs.BUILT), WHEELS)
    options = ("--quiet", "--no-deps", "--only-binary=:all:", "--dest", WHEELS)
    command = [sys.executable, "-m", "pip", "download", *options, *MORE]
    subprocess.run(list(map(str, command)), check=True)
    print(*sorted(WHEELS.iterdir()), sep="\n")


def parts(device: str, out: Path) -> dict[str, list[list[object]]]:
    """Return the arguments of the Python commands of each part."""
    ours = ["-m", "theano_colab"]
    pytest = ["-m", "pytest", "-p", "no:cacheprovider", "-q"]
    return {
        "facts": [[*ours, "info"], [*ours, "doctor"]],
        "programs": [[*pytest, "tests/gpu", "tests/runtime/test_nvml.py"]],
        "xla": [[*pytest, "-n", min(os.cpu_count() or 1, 8), "tests/xla"]],
        "steps": [["benchmarks/xla.py", "--device", device, "--json", out / "steps.json"]],
        "bench": [[*ours, "bench", "--quick", "--save", out / "bench.json"]],
    }


def run(device: str, out: Path, names: list[str], limit: float) -> int:
    """Run the parts, each for at most ``limit`` seconds; return how many did not end well."""
    out.mkdir(parents=True, exist_ok=True)
    _make_environment()
    variables = {
        "PYTHONPATH": str(envs.ROOT),
        "PYTHONUNBUFFERED": "1",
        "THEANO_COLAB_TEST_DEVICE": device,
        "THEANO_FLAGS": f"device={device},floatX=float32",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # several processes share the GPU
    }
    known = parts(device, out)
    return sum(_python(name, known[name], out, limit, variables) for name in names or known)


def _make_environment() -> None:
    """Make an environment with the wheels, and with all that this Python has."""
    envs.upon_this(PYTHON.parents[1])
    options = ("--quiet", "--no-index", "--no-deps", "--disable-pip-version-check")
    pip = [sys.executable, "-m", "pip", "--python", PYTHON, "install", *options]
    subprocess.run(list(map(str, [*pip, *WHEELS.glob("*.whl")])), check=True)


def _python(
    name: str, commands: list[list[object]], out: Path, limit: float, variables: dict[str, str]
) -> bool:
    """Run commands one after the other, and return whether one of them failed."""
    start, failed = time.monotonic(), False
    with (out / f"{name}.txt").open("w") as log:
        for command in commands:
            try:
                done = subprocess.run(
                    [str(PYTHON), *map(str, command)],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | variables,
                    cwd=envs.ROOT,
                    timeout=limit,
                    check=False,
                )
                failed |= done.returncode != 0
            except subprocess.TimeoutExpired:
                log.write(f"\ncut off after {limit:.0f} s\n")
                failed = True
    last = (out / f"{name}.txt").read_text(errors="replace").strip().splitlines()[-1:]
    verdict = "FAILED" if failed else "ended"
    print(f"{name:<9} {verdict} {time.monotonic() - start:5.0f} s  {' '.join(last)}", flush=True)
    return failed


def main() -> int:
    """Do one of the two commands; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["pack", "run"])
    parser.add_argument("parts", nargs="*", metavar="PART", help="default: all")
    parser.add_argument("--out", type=Path, default=WHEELS / "out")
    parser.add_argument("--device", default="cuda", help="default: cuda")
    parser.add_argument("--limit", type=float, default=500, help="seconds a command (default 500)")
    options = parser.parse_args()
    if options.command == "pack":
        pack()
        return 0
    return int(run(options.device, options.out.resolve(), options.parts, options.limit) > 0)


if __name__ == "__main__":
    sys.exit(main())
