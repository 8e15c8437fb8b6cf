"""Puts the hooks of ``theano_colab.legacy`` into Theano, with modules for those that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab import legacy

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGACY = Path(legacy.__file__).parent
OF_A_FLAVOUR = "theano/_port/legacy/"

HOOK = """
from theano._port import legacy as _legacy
__getattr__ = _legacy.hook({module!r})
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
    """Return Theano's files (path -> content) with what answers for the names of older Theanos.

    What a flavour has otherwise than Theano 1.0.5 stands among ``files``, in ``OF_A_FLAVOUR``.
    """
    result = dict(files)
    own = [n for n in sorted(files) if n.startswith(OF_A_FLAVOUR) and n.endswith(".toml")]
    first = (LEGACY / "names.toml").read_text("utf-8")
    tables = legacy.read(first, *(files[name].decode("utf-8") for name in own))
    gone = legacy.gone_packages(tables)
    for module in sorted(gone | tables.keys()):
        table = tables.get(module, {})
        path = _path(table.get("in", module), gone, result)
        if "removed" in table and "in" not in table:
            result[path] = GONE.encode()
        elif path not in result:
            continue  # a module that Theano-PyMC has moved
        elif "shadows" not in table:
            result[path] += HOOK.format(module=module).encode()
        elif "shadows" not in tables[module.rpartition(".")[0]]:
            result[path] += SHADOW.encode()
    return result


def _path(module: str, gone: frozenset[str], files: Mapping[str, bytes]) -> str:
    path = module.replace(".", "/")
    package = any(name.startswith(f"{module}.") for name in gone)
    return f"{path}/__init__.py" if package or f"{path}/__init__.py" in files else f"{path}.py"
