"""Builds a wheel of the port: Theano's sdist by our rules, with our modules and its old names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.port.archive import read
from theano_colab.port.changes import change
from theano_colab.port.flavour import RULES, SUPPORT, THEANO, Flavour
from theano_colab.port.old_names import LEGACY, add_old_names
from theano_colab.port.pack import pack
from theano_colab.port.rewrite import Rule, apply_rules, load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

# The runtime's search for a BLAS is also the one of the installed Theano.
BLAS = Path(__file__).parents[1] / "runtime" / "blas.py"
BUILDERS = ("wheel.py", "pack.py", "rewrite.py", "changes.py", "old_names.py", "flavour.py")

METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: {name} {original}, rebuilt by theano-colab for today's Python and NumPy.
Home-page: {home}
Author: {authors}
License: BSD
License-File: LICENSE.txt
Requires-Python: >=3.11
{requires}

{description}"""
ENTRY_POINTS = """\
[console_scripts]
theano-cache = theano._port.theano_cache:main
"""


def port_version(flavour: Flavour = THEANO) -> str:
    """Return the port's version: Theano's, with a local label that says it is a rebuild."""
    return flavour.version


def wheel_name(flavour: Flavour = THEANO) -> str:
    """Return the file name of the wheel."""
    return f"{flavour.stem}-py3-none-any.whl"


def fingerprint(flavour: Flavour = THEANO) -> str:
    """Return a hash over all that decides the wheel's content: sdist, rules, support, builder.

    The wheel carries it: ``importlib.metadata.distribution("theano").read_text("FINGERPRINT")``
    tells whether an installed port is this one.
    """
    digest = hashlib.sha256(flavour.archive.sha256.encode())
    files = [Path(__file__).with_name(name) for name in BUILDERS]
    files += [path for folder in _folders(flavour) for path in sorted(folder.glob("*.toml"))]
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name, content in sorted({**_support(), **_modules(flavour)}.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def build_wheel(sdist: Path, folder: Path, flavour: Flavour = THEANO) -> Path:
    """Write the wheel into ``folder``, whole or not at all, and return its path.

    The same inputs give the same bytes on every machine.

    Raises
    ------
    TheanoColabError
        If ``sdist`` is not the flavour's.
    RuleError
        If a rule does not match.
    OSError
        If ``folder`` cannot be written.
    """
    original = read(flavour.archive, sdist)
    files = {name: original[name] for name in original if name.startswith("theano/")}
    files = apply_rules(files, rules(flavour))
    files = add_old_names({**files, **_modules(flavour)})
    files |= {f"theano/_port/{name}": content for name, content in _support().items()}
    files["theano/_port/theano_cache.py"] = original["bin/theano_cache.py"]
    info = f"{flavour.stem}.dist-info"
    files |= {
        f"{info}/METADATA": METADATA.format(
            name=flavour.archive.name,
            version=flavour.version,
            original=flavour.archive.version,
            home=flavour.home,
            authors=flavour.authors,
            requires="\n".join(f"Requires-Dist: {one}" for one in flavour.requires),
            description=original["DESCRIPTION.txt"].decode("utf-8"),
        ).encode(),
        f"{info}/LICENSE.txt": original["LICENSE.txt"],
        f"{info}/FINGERPRINT": fingerprint(flavour).encode(),
        f"{info}/entry_points.txt": ENTRY_POINTS.encode(),
        f"{info}/top_level.txt": b"theano\n",
    }
    return pack(files, info, folder / wheel_name(flavour))


def rules(flavour: Flavour = THEANO) -> tuple[Rule, ...]:
    """Return the rules that make the port of a flavour, in their order."""
    first = load_rules()
    return first if flavour.changes is None else change(first, flavour.changes)


def _folders(flavour: Flavour) -> Iterator[Path]:
    yield RULES
    if flavour.changes is not None:
        yield flavour.changes


def _modules(flavour: Flavour) -> dict[str, bytes]:
    if flavour.modules is None:
        return {}
    return {f"theano/{name}": content for name, content in _read(flavour.modules).items()}


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
