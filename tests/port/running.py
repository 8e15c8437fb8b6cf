"""Runs the programs of a file of this folder in one process: imports are what takes longest.

As a script, ``running.py MODULE``, it prints one line of JSON for each function of the module whose
name does not begin with ``_``: its name, and the traceback if it failed.
"""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def names(module: str) -> list[str]:
    """Return the names of a module's programs without importing it, which needs the port."""
    source = Path(__file__).with_name(f"{module}.py").read_text("utf-8")
    return re.findall(r"^def ([^_]\w*)\(", source, re.MULTILINE)


def outcomes(run_port: Callable[..., str], module: str, flags: str) -> dict[str, str]:
    """Return the traceback of each program, "" where it passed, by the program's name."""
    lines = run_port(__file__, module, flags=flags).splitlines()
    # Theano prints as well: that it has no C code for an op in float16.
    results = [json.loads(line) for line in lines if line.startswith("{")]
    return {result["name"]: result["error"] for result in results}


def _run(program: Callable[[], Any]) -> str:
    try:
        program()
    except Exception:  # noqa: BLE001  # whatever fails is the result
        return traceback.format_exc()[-3000:]
    return ""


def _main() -> None:
    # Theano warns when there is no BLAS; here that is on purpose.
    logging.getLogger("theano.tensor.blas").setLevel(logging.ERROR)
    module = importlib.import_module(sys.argv[1])
    for name, program in list(vars(module).items()):
        own = getattr(program, "__module__", None) == module.__name__
        if own and inspect.isfunction(program) and not name.startswith("_"):
            print(json.dumps({"name": name, "error": _run(program)}), flush=True)


if __name__ == "__main__":
    _main()
