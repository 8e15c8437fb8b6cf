"""Run a library's own tests on a stack, and compare what came of them.

    python tests/libraries/yardstick.py run PYTHON ROOT FILE.tsv [pytest's arguments]
    python tests/libraries/yardstick.py compare lasagne-0.1

PYTHON has the library, its Theano, pytest and mock; ROOT is the library's source, of which only the
tests are imported where PYTHON has the library installed. A run that was interrupted goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS, EXPECTED = HERE / "results", HERE / "expected"
GOOD = ("passed", "xpassed")


def run(python: str, root: str, file: str, *arguments: str) -> int:
    """Run the tests; return pytest's exit status."""
    flags = "compile.wait=1,cmodule.remove_gxx_opt=True," + os.environ.get("THEANO_FLAGS", "")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        "RECORD": str(Path(file).resolve()),
        "THEANO_FLAGS": flags,
    }
    options = ("-q", "-p", "outcomes", "-p", "no:cacheprovider", "-c", os.devnull)
    command = [python, "-m", "pytest", *options, f"--rootdir={root}", *arguments]
    return subprocess.run(command, env=environment, cwd=root, check=False).returncode


def read(name: str) -> dict[str, str]:
    """Return the outcome of each test of a file of results."""
    rows = (line.split("\t") for line in (RESULTS / f"{name}.tsv").read_text("utf-8").splitlines())
    return {row[0]: row[1] for row in rows if not row[0].startswith("#")}


def expected(library: str) -> dict[str, str]:
    """Return the tests that pass natively and are expected to fail on the port, with reasons."""
    text = (EXPECTED / f"{library}.toml").read_text("utf-8")
    return dict(tomllib.loads(text)["fails"])


def lost(library: str) -> tuple[list[str], int]:
    """Return the tests that pass natively and not on the port, and how many pass natively."""
    native, port = read(f"{library}-native"), read(f"{library}-port")
    good = [test for test, outcome in native.items() if outcome in GOOD]
    return [test for test in good if port.get(test) not in GOOD], len(good)


def compare(library: str) -> int:
    """Print how the stacks differ; return 1 where that is not what is expected."""
    for stack in ("native", "port"):
        print(f"{stack:<8}{dict(Counter(read(f'{library}-{stack}').values()))}")
    gone, all_of_them = lost(library)
    share = 1 - len(gone) / all_of_them
    print(f"{all_of_them - len(gone)} of the {all_of_them} that pass natively: {share:.2%}")
    reasons = expected(library)
    for test in gone:
        print(f"{test}: {reasons.get(test, 'NOT EXPECTED')}")
    return int(set(gone) != set(reasons))


if __name__ == "__main__":
    sys.exit({"run": run, "compare": compare}[sys.argv[1]](*sys.argv[2:]))
