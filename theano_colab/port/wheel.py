"""Builds the wheel of the port: Theano's sdist by our rules, with our modules and its old names."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.port.old_names import LEGACY, add_old_names
from theano_colab.port.rewrite import RULES, apply_rules, load_rules
from theano_colab.port.sdist import SHA256, VERSION, read_sdist

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD = 1
SUPPORT = Path(__file__).parent / "support"
# The runtime's search for a BLAS is also the one of the installed Theano.
BLAS = Path(__file__).parents[1] / "runtime" / "blas.py"
BUILDERS = ("wheel.py", "rewrite.py", "old_names.py")

METADATA = """\
Metadata-Version: 2.1
Name: Theano
Version: {version}
Summary: Theano {original}, rebuilt by theano-colab for today's Python and NumPy.
Home-page: http://deeplearning.net/software/theano/
Author: LISA laboratory, University of Montreal
License: BSD
License-File: LICENSE.txt
Requires-Python: >=3.11
Requires-Dist: numpy>=2.0
Requires-Dist: scipy>=1.13
Requires-Dist: six>=1.9.0

{description}"""
WHEEL = """\
Wheel-Version: 1.0
Generator: theano-colab
Root-Is-Purelib: true
Tag: py3-none-any
"""
ENTRY_POINTS = """\
[console_scripts]
theano-cache = theano._port.theano_cache:main
"""


def port_version() -> str:
    """Return the port's version: Theano's, with a local label that says it is a rebuild."""
    return f"{VERSION}+colab.{BUILD}"


def wheel_name() -> str:
    """Return the file name of the wheel."""
    return f"theano-{port_version()}-py3-none-any.whl"


def fingerprint() -> str:
    """Return a hash over all that decides the wheel's content: sdist, rules, support, builder.

    The wheel carries it: ``importlib.metadata.distribution("theano").read_text("FINGERPRINT")``
    tells whether an installed port is this one.
    """
    digest = hashlib.sha256(SHA256.encode())
    files = [Path(__file__).with_name(name) for name in BUILDERS]
    files += sorted(RULES.glob("*.toml"))
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name, content in sorted(_support().items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def build_wheel(sdist: Path, folder: Path) -> Path:
    """Write the wheel into ``folder``, whole or not at all, and return its path.

    The same inputs give the same bytes on every machine: order, times and permissions are fixed,
    and nothing is compressed (zlib's output differs between its versions, and stored is faster).

    Raises
    ------
    TheanoColabError
        If ``sdist`` is not Theano 1.0.5.
    RuleError
        If a rule does not match.
    OSError
        If ``folder`` cannot be written.
    """
    original = read_sdist(sdist)
    files = {name: original[name] for name in original if name.startswith("theano/")}
    files = add_old_names(apply_rules(files, load_rules()))
    files |= {f"theano/_port/{name}": content for name, content in _support().items()}
    files["theano/_port/theano_cache.py"] = original["bin/theano_cache.py"]
    info = f"theano-{port_version()}.dist-info"
    files |= {
        f"{info}/METADATA": METADATA.format(
            version=port_version(),
            original=VERSION,
            description=original["DESCRIPTION.txt"].decode("utf-8"),
        ).encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/LICENSE.txt": original["LICENSE.txt"],
        f"{info}/FINGERPRINT": fingerprint().encode(),
        f"{info}/entry_points.txt": ENTRY_POINTS.encode(),
        f"{info}/top_level.txt": b"theano\n",
    }
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    return _write(files, folder / wheel_name())


def _support() -> dict[str, bytes]:
    files = {**_read(SUPPORT), **{f"legacy/{name}": text for name, text in _read(LEGACY).items()}}
    if BLAS.exists():
        files["blas.py"] = BLAS.read_bytes()
    return files


def _read(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _record(files: Mapping[str, bytes], own_name: str) -> bytes:
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(files[name])}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()


def _write(files: Mapping[str, bytes], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The dist-info comes last, as PEP 427 recommends.
    names = sorted(files, key=lambda name: (".dist-info/" in name, name))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name in names:
                entry = zipfile.ZipInfo(name)  # dated 1980-01-01, the earliest a zip can say
                entry.create_system = 3
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(entry, files[name])
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
