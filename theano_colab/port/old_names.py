"""Puts the hooks of ``theano_colab.legacy`` into Theano, with modules for those that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab import legacy

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGACY = Path(legacy.__file__).parent

HOOK = """
from theano._port import legacy as _legacy
__getattr__ = _legacy.hook(__name__)
"""
GONE = '''\
"""Of older Theanos: theano/_port/legacy/names.toml tells what became of its names."""

from theano._port import legacy as _legacy

__getattr__ = _legacy.hook(__name__, gone=True)
'''
SHADOW = """
from theano._port import legacy as _legacy
_legacy.shadow(__name__)
"""


def add_old_names(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return Theano's files (path -> content) with what answers for the names of older Theanos."""
    result = dict(files)
    tables = legacy.tables()
    for module in sorted(legacy.packages() | tables.keys()):
        table = tables.get(module, {})
        if _path(module, legacy.packages(), result) not in result and "removed" not in table:
            continue  # a module that Theano-PyMC has moved
        if "removed" in table:
            result[_path(module, legacy.packages(), result)] = GONE.encode()
        elif "shadows" not in table:
            result[_path(module, legacy.packages(), result)] += HOOK.encode()
        elif "shadows" not in tables[module.rpartition(".")[0]]:
            result[_path(module, legacy.packages(), result)] += SHADOW.encode()
    return result


def _path(module: str, gone: frozenset[str], files: Mapping[str, bytes]) -> str:
    path = module.replace(".", "/")
    package = any(name.startswith(f"{module}.") for name in gone)
    return f"{path}/__init__.py" if package or f"{path}/__init__.py" in files else f"{path}.py"
