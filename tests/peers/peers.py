"""Other programs' reports on this machine, and ours: asked in one environment, compared by field.

PYTHONPATH=scripts .venv/bin/python tests/peers/peers.py     the table for the README
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import envs

from theano_colab.runtime.packages import OF_INTEREST, normalised
from theano_colab.runtime.rules import data
from theano_colab.show.info_panel import GROUPS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIMIT = 240
"""Seconds for one program; on a quiet machine each needs less than five."""

# torch's report is one file that runs without torch. It is the same in the wheels for all systems,
# and the one for macOS is a twelfth of Linux's.
TORCH = ("--platform", "macosx_11_0_arm64", "--python-version", "3.13", "torch==2.8.0")
COLLECT_ENV = "torch/utils/collect_env.py"

SETTINGS = {"LC_ALL": "C.UTF-8", "JAX_ENABLE_X64": "0", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Set for every program, so that there is something to find."""

MEMORY = 0.2
"""How much the free memory may change between two questions, of all."""


def environment() -> Path:
    """Return the environment of the programs, made now if it is not there."""
    python = next(version for version in envs.SERVED if envs.find_python(version))
    folder = envs.make(envs.PinSet("peers", python, HERE / "pins.txt"))
    script = folder / "collect_env.py"
    with envs._lock(envs.ENVS / f"{folder.name}.torch.lock"):
        if not script.exists():
            wheels = folder / "downloaded"
            only = ("--no-deps", "--only-binary=:all:", *TORCH)
            pip = (folder / "bin/python", "-m", "pip", "download", *envs.QUIET)
            envs._run(*pip, "--dest", wheels, *only)
            (wheel,) = wheels.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                text = archive.read(COLLECT_ENV)
            shutil.rmtree(wheels)
            script.write_bytes(text)
    return folder


def run(folder: Path, *arguments: str) -> str:
    """Return what the environment's Python prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        [str(folder / "bin/python"), "-W", "ignore", *arguments],
        env={**inherited, **SETTINGS, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, check=True, timeout=LIMIT, cwd=folder,
    )  # fmt: skip
    return done.stdout


def reports(folder: Path) -> dict[str, dict[str, str]]:
    """Return every program's fields and what they say."""
    show_config = "import cupy; cupy.show_config(_full=True)"
    info = "import jax; jax.print_environment_info()"
    return {
        "torch.utils.collect_env": of_torch(run(folder, str(folder / "collect_env.py"))),
        "cupy.show_config": fields(run(folder, "-c", show_config)),
        "numba -s": of_numba(run(folder, "-m", "numba", "-s")),
        "jax.print_environment_info": of_jax(run(folder, "-c", info)),
        "cuda-pathfinder": fields(run(folder, str(HERE / "ask_pathfinder.py"))),
    }


# A busy machine's compiler may need longer for its version than a user would wait for it.
INFO = """
from theano_colab.__main__ import main
from theano_colab.runtime import cuda, gpu, host, processor
host.COMPILER_LIMIT = processor.LIMIT = cuda.LIMIT = gpu.LIMIT = 60.0
main(["info", "--json"])
"""


def ours(folder: Path) -> dict[str, dict]:
    """Return the facts that `info` gives, by name."""
    return json.loads(run(folder, "-c", INFO))


def fields(text: str) -> dict[str, str]:
    """Read lines "field : value"; what is indented and has no field belongs to the one before."""
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line.startswith("   ") and ":" not in line and last:
            found[last] += " " + line.strip()
        elif match := re.match(r"\s*(.+?)\s*: *(.*)$", line):
            last = match[1]
            found[last] = match[2].strip()
    return found


def of_torch(text: str) -> dict[str, str]:
    """Read the lines of collect_env; those of lscpu get "CPU " before them."""
    head, _, rest = text.partition("\nCPU:\n")
    cpu, _, libraries = rest.partition("\nVersions of relevant libraries:\n")
    packages = (re.match(r"(\[\w+\] .+?)==(\S+)", line) for line in libraries.splitlines())
    return {
        **fields(head.partition("\n")[2]),
        **{f"CPU {name}": value for name, value in fields(cpu).items()},
        **{match[1]: match[2] for match in packages if match},
    }


def of_numba(text: str) -> dict[str, str]:
    """Read the lines of numba -s; those of pip get "Installed " before them."""
    head, _, rest = text.partition("__Installed Packages__")
    packages, _, log = rest.partition("\n\n")
    lines = (line.split() for line in packages.splitlines()[3:])
    return {**fields(head), **fields(log.partition("----")[0])} | {
        f"Installed {name}": version for name, version, *_ in lines
    }


def of_jax(text: str) -> dict[str, str]:
    """Read the lines of JAX's report; nvidia-smi's text is one field, the machine's name one."""
    head, _, smi = text.partition("$ nvidia-smi")
    found = dict(re.findall(r"(?m)^([\w ]+?)(?:: *|=)(.*)$", head))
    if node := re.search(r"node='(.*?)'", found["platform"]):
        found["platform's node"] = node[1]
    return found | ({"nvidia-smi": smi} if smi else {})


@functools.cache
def table() -> dict:
    """Return peers.toml."""
    return tomllib.loads((HERE / "peers.toml").read_text("utf-8"))


def entry(program: str, field: str) -> dict | None:
    """Return what peers.toml says of a field; None where it says nothing."""
    entries = table()[program].items()
    return next((one for name, one in entries if re.fullmatch(name, field)), None)


def found_nothing(theirs: str) -> bool:
    """Say whether a field says no more than that."""
    return not theirs.strip() or bool(re.fullmatch(table()["nothing"], theirs.strip()))


def differs(one: dict, field: str, theirs: str, facts: dict[str, dict]) -> str | None:
    """Return how ours differs from theirs, or None: they agree, or they found nothing."""
    if "take" in one:
        match = re.fullmatch(one["take"], theirs) or re.search(one["take"], theirs)
        theirs = " ".join(filter(None, match.groups())) if match else "None"
    if found_nothing(theirs):
        return None
    named = [_fact(name, facts) for name in one["facts"]]
    how = one.get("as", "words")
    if how == "packages":
        same = _same_package(field, theirs, named)
    else:
        same = _COMPARE[how](theirs, named)
    return None if same else f"{field}, theirs: {theirs}\nours: {json.dumps(named)}"


def _fact(name: str, facts: dict[str, dict]) -> dict:
    name, _, key = name.partition(".")
    fact = facts[name]
    return fact if not key else {"value": fact["value"][key], "source": fact["source"]}


def _words(theirs: str, named: list[dict]) -> bool:
    said = json.dumps(named, ensure_ascii=False)
    # What their sentences say around the facts.
    fillers = {"with", "bit", "runtime", "glibc2", "version"}
    words = re.findall(r"[\w+]+(?:\.\d+)*", theirs.replace("glibc2", "glibc 2"))
    return all(word in said for word in words if word not in fillers)


def _path(theirs: str, named: list[dict]) -> bool:
    texts = set(re.findall(r'"(/[^"]*)"', json.dumps(named)))
    paths = re.findall(r"/\S+", theirs)
    return {os.path.realpath(p) for p in paths} <= {os.path.realpath(p) for p in texts}


def _number(theirs: str, named: list[dict]) -> bool:
    return float(theirs) == float(named[0]["value"])


def _megabytes(theirs: str, named: list[dict]) -> bool:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return abs(int(theirs) * 2**20 - named[0]["value"]) < MEMORY * total


def _digits(theirs: str, named: list[dict]) -> bool:
    bare = re.sub(r"\D|0", "", theirs)
    return any(
        re.sub(r"\D|0", "", version).startswith(bare)
        for version in re.findall(r'"version": "([\d.]+)"', json.dumps(named))
    ) or bare in re.sub(r"\D|0", "", json.dumps(named))


def _cuda(theirs: str, named: list[dict]) -> bool:
    major, minor = int(theirs) // 1000, int(theirs) % 1000 // 10
    said = json.dumps(named)
    return f'"{major}.{minor}' in said or f"[{major}, {minor}]" in said


def _features(theirs: str, named: list[dict]) -> bool:
    have = {name.replace("_", "") for name in named[0]["value"]}
    rule = table()["features"]
    names = (name.lower().replace(".", "") for name in re.findall(r"[\w.]+", theirs))
    wanted = [n for n in names if re.match(rule["compared"], n) and n not in rule["groups"]]
    return all(table()["aliases"].get(n, n).replace("_", "") in have for n in wanted)


def _same_package(field: str, theirs: str, named: list[dict]) -> bool:
    """Compare the version of the package that the field is named after: "[pip3] numpy"."""
    name = normalised(field.removesuffix(" Version").split()[-1])
    ours = [fact["value"][name] for fact in named if name in fact.get("value", {})]
    bears = name in OF_INTEREST or name.startswith("nvidia-")
    return theirs in ours if bears else True


def _truth(theirs: str, named: list[dict]) -> bool:
    return theirs not in {"True", "Yes"} or bool(named[0].get("value"))


_COMPARE = {
    "words": _words,
    "path": _path,
    "number": _number,
    "count": lambda theirs, named: len(theirs.split()) == named[0]["value"],
    "MB": _megabytes,
    "digits": _digits,
    "cuda": _cuda,
    "features": _features,
    "truth": _truth,
}


def markdown() -> str:
    """Return the README's table: each fact that one of the programs finds, and who does.

    After it, what none of them finds, and the conflicts, which none of them states.
    """
    labels = {name: label for _, rows in GROUPS for name, label, _ in rows}
    programs = [
        name for name in table() if name not in {"nothing", "reasons", "aliases", "features"}
    ]
    lines = [f"| found by | {' | '.join(programs)} | info |", "|---" * (len(programs) + 2) + "|"]
    alone = []
    for name, label in labels.items():
        marks = [_mark(program, name) for program in programs]
        if any(marks):
            lines.append(f"| {label} | {' | '.join(marks)} | yes |")
        else:
            alone.append(label)
    conflicts = [text["title"] for text in data()["rule"].values()]
    return "\n".join(
        [
            *lines,
            "",
            f"By info alone: {', '.join(alone)}.",
            "",
            f"Conflicts: {', '.join(conflicts)}.",
        ]
    )


def _mark(program: str, fact: str) -> str:
    entries = [one for one in table()[program].values() if "facts" in one]
    return "yes" if any(fact in [n.split(".")[0] for n in one["facts"]] for one in entries) else ""


if __name__ == "__main__":
    print(markdown())
