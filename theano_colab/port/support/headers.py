"""Runs the compiler with the headers that Theano's modules share compiled beforehand (GCC only).

Reading Python's and NumPy's headers is half of a small module's compile time. What GCC makes of
them is kept in the compile directory, in ``headers/``, for each set of arguments that count:

- ``ID.h``: the headers as text. GCC reads it where the compiled ones do not fit a module.
- ``ID.h.gch``: the same compiled, 29 MB.
- ``ID.refused``: the compiler could not make or use them; it is not asked again.

See GCC's manual, "Using Precompiled Headers". Theano holds its lock while it compiles, so one
process at a time writes here.
"""

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from theano._port import build

# In the order in which Theano's modules include them.
SHARED = ("Python.h", "math.h", "numpy/arrayobject.h", "numpy/arrayscalars.h", "vector")
MOST = 2
DAY = 86400
SPARE = 2**28  # bytes


def run(command, source, folder, call):
    """Compile and link a module; return what ``call(command)`` returns.

    Without fitting headers, and where the compiler fails with them, it is the plain command.

    Parameters
    ----------
    command
        The compiler's command: ``[compiler, arguments..., "-o", module, file of the source,
        libraries...]``.
    source
        The C++ source.
    folder
        The compile directory.
    call
        Runs a command and returns stdout, stderr and exit status.
    """
    header = _prepare(command, source, Path(folder) / "headers")
    if header is not None:
        result = call([command[0], f"-include{header}", *command[1:]])
        if result[2] == 0:
            return result
    result = call(command)
    if header is not None and result[2] == 0:
        _refuse(header)
    return result


def clear(folder):
    """Delete the headers kept in the compile directory ``folder``."""
    shutil.rmtree(Path(folder) / "headers", ignore_errors=True)


def _prepare(command, source, folder):
    """Return the header to include ahead of ``source``, or None if it is not there compiled."""
    name = Path(command[0]).name
    # Code that says something before it includes Python.h may mean it.
    if "g++" not in name or "clang" in name or not source.startswith("#include <Python.h>\n"):
        return None
    arguments = _arguments(command)
    # A user's own comes first.
    if any(argument.startswith("-include") for argument in arguments):
        return None
    text = "".join(
        f"#include {name}\n"
        for name in [f'"{build.FOLDER / "theano_colab_names.h"}"', *(f"<{one}>" for one in SHARED)]
    )
    parts = [build.identity(command[0]), sys.version, np.__version__, *arguments, text]
    identity = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    header = folder / f"{identity}.h"
    try:
        # A module alone would not repay the second that compiling the headers takes.
        if not header.exists():
            folder.mkdir(exist_ok=True)
            _write(header, text)
            return None
        usable = _compiled(header).exists() or _compile([command[0], *arguments], header)
    except OSError:
        return None
    return header if usable else None


def _arguments(command):
    """Return the arguments of ``command`` that the headers depend on."""
    end = command.index("-o")
    ours = {build.header_flags()[0], "-shared"}
    return [
        argument
        for argument in command[1:end]
        if argument not in ours
        and not argument.startswith(("-I", "-L", "-l", "-W", "-DTHEANO_COLAB_BLAS_PREFIX="))
    ] + [f"-I{path}" for path in build.include_dirs()]


def _compile(command, header):
    """Compile ``header``; tell whether that worked."""
    if _refused(header).exists() or not _has_room(header.parent):
        return False
    partial = header.with_suffix(".partial")
    done = subprocess.run(
        [*command, "-x", "c++-header", str(header), "-o", str(partial)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        partial.unlink(missing_ok=True)
        _refuse(header)
        return False
    partial.replace(_compiled(header))
    return True


def _has_room(folder):
    """Make room for one more compiled header; tell whether there is any."""
    if shutil.disk_usage(folder).free < SPARE:
        return False
    made = sorted((path.stat().st_mtime, path) for path in folder.glob("*.gch"))
    if len(made) < MOST:
        return True
    oldest, path = made[0]
    if time.time() - oldest < DAY:
        return False
    path.unlink()
    return True


def _refuse(header):
    try:
        _refused(header).touch()
        _compiled(header).unlink(missing_ok=True)
    except OSError:
        pass


def _compiled(header):
    return header.with_suffix(".h.gch")


def _refused(header):
    return header.with_suffix(".refused")


def _write(path, text):
    partial = path.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)
