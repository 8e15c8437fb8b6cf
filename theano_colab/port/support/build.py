"""How Theano's C code is compiled today: folders, flags, and answers worth remembering."""

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import sysconfig
import tempfile
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


@functools.cache
def header_flags():
    """Return the compiler arguments that put ``theano_colab.h`` ahead of every source.

    The header's checksum is among them, because Theano's key of a compiled module holds the
    arguments and not the content of the files that they name. ``-include`` and its path are one
    argument, as Theano drops arguments that it has seen before.
    """
    content = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.h")))
    return (
        f"-include{FOLDER / 'theano_colab.h'}",
        f"-DTHEANO_COLAB_HEADER=0x{zlib.crc32(content):08x}",
    )


def include_dirs():
    """Return NumPy's and Python's folders of headers."""
    paths = [np.get_include(), sysconfig.get_path("include"), sysconfig.get_path("platinclude")]
    return list(dict.fromkeys(paths))


def needs_iostream(includes, blocks):
    """Tell whether blocks of C++ use what ``<iostream>`` brings beyond the other ``includes``."""
    code = "\n".join(blocks)
    # Theano's own code names these; whatever else is in std:: may come from anywhere.
    known = r"(?!vector\b|pair\b|sort\b|max\b|min\b)" if "<algorithm>" in includes else ""
    return re.search(rf"\bstd::{known}|\b(cout|cerr|clog|endl)\b|namespace std\b", code) is not None


@contextlib.contextmanager
def written_whole(path):
    """Open a binary file that takes its name as the block ends, so that nobody reads half of it."""
    unfinished = Path(f"{path}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def read_source(path):
    """Return the text of a C source."""
    return Path(path).read_text("utf-8")


def increment_source():
    """Return the C++ source of ``inplace_increment``."""
    return read_source(FOLDER / "increment.cpp")


def increment_type(tensor_type):
    """Return the C++ type that ``inplace_increment`` needs for arrays of this TensorType."""
    if tensor_type.dtype == "bool":
        return "theano_colab::Truth"
    return tensor_type.dtype_specs()[1]


def default_blas_ldflags():
    """Return the flags that link the first BLAS found on this machine, or "" without one."""
    from theano._port import blas

    found = blas.find(versions=False)
    return found[0].ldflags if found else ""


class Memory:
    """Answers that cost a run of the compiler, kept in a file of the compile directory.

    Each holds for one compiler file (path, size, time of change) and one kind of processor: the
    directory may lie on a disk that several machines share.

    Parameters
    ----------
    folder
        The compile directory.
    compiler
        ``theano.config.cxx``.
    """

    def __init__(self, folder, compiler):
        self._path = Path(folder) / "remembered.json"
        self._where = f"{identity(compiler)} {_processor()}"

    def recall(self, question):
        """Return the answer to ``question`` (any JSON value), or None where there is none."""
        return self._read().get(f"{question} {self._where}")

    def remember(self, question, answer):
        """Keep ``answer``; where the directory cannot be written, forget it."""
        try:
            answers = {**self._read(), f"{question} {self._where}": answer}
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix="remembered")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(answers, stream, indent=1)
            Path(temporary).replace(self._path)
        except OSError:
            pass

    def _read(self):
        try:
            answers = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return answers if isinstance(answers, dict) else {}


def identity(compiler):
    """Return a text that changes with the compiler's file: path, size, time of change."""
    path = shutil.which(compiler) or compiler
    try:
        status = Path(path).stat()
    except OSError:
        return path
    return f"{path} {status.st_size} {status.st_mtime_ns}"


@functools.cache
def _processor():
    """Return a hash of what /proc/cpuinfo says of the processor's model and abilities."""
    names = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features")
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.partition(":")[0].strip() in names]
    except OSError:
        lines = [*os.uname()]
    return hashlib.sha256("".join(sorted(set(lines))).encode()).hexdigest()[:16]
