"""Headers compiled beforehand, so that each of a run's thousands of modules compiles faster.

What the modules are made of does not change: the same headers would be read again for each.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# In the order in which Theano's modules include them.
_HEADERS = """#include <Python.h>
#include <iostream>
#include <math.h>
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <vector>
#include <algorithm>
"""
# What Theano's linker adds to every module's arguments, beyond -O.
_LINKER = ("-g", "-fno-math-errno", "-fvisibility=hidden")
_ASK = """
import json, os, theano
from theano.gof.cmodule import GCC_compiler, std_include_dirs
arguments = GCC_compiler.compile_args()
directories = ["-I" + one for one in std_include_dirs() if one]
print(json.dumps([theano.config.cxx, *arguments, *directories]))
"""


def precompile(python: Path, environment: dict[str, str], optimize: str, folder: Path) -> Path:
    """Compile the headers for a stack's modules; return the header to include in each.

    ``optimize`` is the modules' level of optimization ("-O3"). A module that is compiled with other
    arguments reads the header as text, says GCC's manual ("Using Precompiled Headers").
    """
    output = subprocess.run(
        [python, "-c", _ASK], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    command = [*json.loads(output.splitlines()[-1]), *_LINKER, optimize]
    identity = hashlib.sha256("\n".join([*command, _HEADERS]).encode()).hexdigest()[:16]
    header = folder / identity / "headers.h"
    if not header.with_suffix(".h.gch").exists():
        shutil.rmtree(header.parent, ignore_errors=True)
        header.parent.mkdir(parents=True)
        header.write_text(_HEADERS)
        partial = header.with_suffix(".partial")
        subprocess.run([*command, "-x", "c++-header", header, "-o", partial], check=True)
        partial.rename(header.with_suffix(".h.gch"))
    return header
