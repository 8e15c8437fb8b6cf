"""Builds the wheel of the port: Theano's sdist by our rules, with our modules and its old names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from theano_colab.port.archive import read
from theano_colab.port.old_names import LEGACY, add_old_names
from theano_colab.port.pack import pack
from theano_colab.port.rewrite import RULES, apply_rules, load_rules
from theano_colab.port.sdist import THEANO

BUILD = 1
SUPPORT = Path(__file__).parent / "support"
# The runtime's search for a BLAS is also the one of the installed Theano.
BLAS = Path(__file__).parents[1] / "runtime" / "blas.py"
BUILDERS = ("wheel.py", "pack.py", "rewrite.py", "old_names.py")

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
ENTRY_POINTS = """\
[console_scripts]
theano-cache = theano._port.theano_cache:main
"""


def port_version() -> str:
    """Return the port's version: Theano's, with a local label that says it is a rebuild."""
    return f"{THEANO.version}+colab.{BUILD}"


def wheel_name() -> str:
    """Return the file name of the wheel."""
    return f"theano-{port_version()}-py3-none-any.whl"


def fingerprint() -> str:
    """Return a hash over all that decides the wheel's content: sdist, rules, support, builder.

    The wheel carries it: ``importlib.metadata.distribution("theano").read_text("FINGERPRINT")``
    tells whether an installed port is this one.
    """
    digest = hashlib.sha256(THEANO.sha256.encode())
    files = [Path(__file__).with_name(name) for name in BUILDERS]
    files += sorted(RULES.glob("*.toml"))
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name, content in sorted(_support().items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def build_wheel(sdist: Path, folder: Path) -> Path:
    """Write the wheel into ``folder``, whole or not at all, and return its path.

    The same inputs give the same bytes on every machine.

    Raises
    ------
    TheanoColabError
        If ``sdist`` is not Theano 1.0.5.
    RuleError
        If a rule does not match.
    OSError
        If ``folder`` cannot be written.
    """
    original = read(THEANO, sdist)
    files = {name: original[name] for name in original if name.startswith("theano/")}
    files = add_old_names(apply_rules(files, load_rules()))
    files |= {f"theano/_port/{name}": content for name, content in _support().items()}
    files["theano/_port/theano_cache.py"] = original["bin/theano_cache.py"]
    info = f"theano-{port_version()}.dist-info"
    files |= {
        f"{info}/METADATA": METADATA.format(
            version=port_version(),
            original=THEANO.version,
            description=original["DESCRIPTION.txt"].decode("utf-8"),
        ).encode(),
        f"{info}/LICENSE.txt": original["LICENSE.txt"],
        f"{info}/FINGERPRINT": fingerprint().encode(),
        f"{info}/entry_points.txt": ENTRY_POINTS.encode(),
        f"{info}/top_level.txt": b"theano\n",
    }
    return pack(files, info, folder / wheel_name())


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
