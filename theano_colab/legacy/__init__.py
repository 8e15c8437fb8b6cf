"""Names of older Theanos: what each of them is today, found when old code asks for it.

The port carries this folder as ``theano._port.legacy`` and puts a hook at the end of each module
that ``names.toml`` lists; modules that are gone consist of the hook alone (PEP 562). The port of
Theano-PyMC has a second such file beside it.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent

_warned: set[str] = set()


@functools.cache
def tables() -> dict[str, dict[str, Any]]:
    """Return what the files say of each module, with every old name under "names"."""
    return read(*(path.read_text("utf-8") for path in sorted(HERE.glob("*.toml"))))


def read(*texts: str) -> dict[str, dict[str, Any]]:
    """Return what ``texts`` say of each module, the later before the earlier; see ``tables``."""
    import tomllib

    data: dict[str, dict[str, Any]] = {}
    for text in texts:
        for module, table in tomllib.loads(text).items():
            known = data.setdefault(module, {})
            data[module] = (
                known | table | {"names": known.get("names", {}) | table.get("names", {})}
            )
    for table in data.values():
        gone = {name: {"gone": table["gone"]} for name in table.get("had", "").split()}
        names = {**gone, **table["names"]}
        table["names"] = {
            name: {"removed": table.get("removed"), **({"now": of} if isinstance(of, str) else of)}
            for name, of in names.items()
        }
    for table in data.values():
        table["names"] |= {
            name: of
            for name, of in data.get(table.get("also", ""), {"names": {}})["names"].items()
            if name not in table["names"]
        }
    return data


@functools.cache
def packages() -> frozenset[str]:
    """Return the modules that are gone and all packages that they lie in."""
    return gone_packages(tables())


def gone_packages(tables: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the modules that are gone by ``tables``, and all packages that they lie in."""
    gone = [name.split(".") for name, table in tables.items() if "removed" in table]
    return frozenset(".".join(parts[:end]) for parts in gone for end in range(1, len(parts) + 1))


def device_name(name: str) -> str:
    """Return a device's name of today: "cuda0" for "gpu0", with a DeprecationWarning."""
    if not name.startswith("gpu"):
        return name
    now = f"cuda{name[3:]}"
    _warn(f"device={name}", f"device={now}")
    return now


def keyword(function: str, name: str, now: str) -> None:
    """Warn of a keyword argument that went; ``now`` says what stands for it."""
    _warn(f"{function}({name}=...)", now)


def hook(module: str, *, gone: bool = False) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of the module of this name, which is ``gone`` from Theano 1.0.5.

    It gives the present thing under an old name, with one DeprecationWarning that says how the
    name is written today. A name for which nothing stands in raises ImportError in
    ``from ... import ...`` and AttributeError elsewhere; the text says which Theano had it last and
    what to do instead. ``import theano`` does not read the names.
    """

    def find(name: str) -> Any:
        asked_by_python = name.startswith("__") and not (gone and name == "__all__")
        # Theano's own hook is the last: before it Theano asks itself whether modules are there.
        if asked_by_python or "__getattr__" not in vars(sys.modules["theano"]):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return _star(module) if name == "__all__" else _lookup(module, name)

    return find


def shadow(package: str) -> None:
    """Let the old names of ``package`` and its modules answer in place of those that are there.

    For theano.gpuarray, whose modules import without pygpu and whose names then do nothing. With
    pygpu nothing is changed.
    """
    if getattr(sys.modules[package], "pygpu", None) is not None:
        return
    for name, table in tables().items():
        if table.get("shadows") and f"{name}.".startswith(f"{package}.") and name in sys.modules:
            sys.modules[name].__class__ = _Shadowed


class _Shadowed(types.ModuleType):
    """A module whose old names come first, but for Theano's own code."""

    def __getattribute__(self, name: str) -> Any:
        module = types.ModuleType.__getattribute__(self, "__name__")
        if name in tables()[module]["names"] and not _asked_by_theano():
            return _lookup(module, name)
        return types.ModuleType.__getattribute__(self, name)


def _asked_by_theano() -> bool:
    """Tell whether the code that asks for a name is Theano's own."""
    _, frame = _caller()
    # ``from package import name`` asks first from within the import machinery.
    while frame.f_back is not None and _name_of(frame).startswith("importlib."):
        frame = frame.f_back
    return _name_of(frame).startswith("theano.")


def _lookup(module: str, name: str) -> Any:
    table = tables().get(module, {"names": {}})
    entry = table["names"].get(name)
    if entry is None and f"{module}.{name}" in packages():
        return import_module(f"{module}.{name}")
    if entry is None and "moved" in table:
        entry = _moved(table, name)
    if entry is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    if "gone" in entry:
        raise _refusal(f"{module}.{name}", entry)
    value = _find(entry["by"] if "by" in entry else entry["now"], own="by" in entry)
    _warn(f"{module}.{name}", entry["now"])
    return value


def _moved(table: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the entry of a name in a module whose names are all elsewhere today."""
    there = import_module(table["moved"])
    if isinstance(there, _Shadowed) and (entry := tables()[table["moved"]]["names"].get(name)):
        return {**entry, "removed": table["removed"]}
    return {"now": f"{table['moved']}.{name}", "removed": table["removed"]}


def _find(path: str, *, own: bool) -> Any:
    """Return what stands at a path: "module.name", of a module of this folder if ``own``."""
    module, _, name = f"{__name__}.{path}".rpartition(".") if own else path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        return import_module(path)


def _refusal(old: str, entry: dict[str, Any]) -> Exception:
    """Return the exception for a name that nothing stands in for."""
    major, minor = entry["removed"].split(".")
    text = f"{old} is gone: Theano {major}.{int(minor) - 1} was the last with it. {entry['gone']}"
    _, frame = _caller()
    # There an AttributeError would be replaced by an ImportError with a text of Python's own.
    from_import = frame.f_code.co_code[frame.f_lasti] == dis.opmap["IMPORT_FROM"]
    return ImportError(text) if from_import else AttributeError(text)


def _warn(old: str, now: str) -> None:
    """Say once how an old name is written today, at the line of the user's that has it."""
    if old not in _warned and old.rpartition(".")[0] not in _warned:
        _warned.add(old)
        level, frame = _caller()
        while frame.f_back is not None and _is_between(frame):
            level, frame = level + 1, frame.f_back
        text = f"{old} is an old name; today it is {now}"
        warnings.warn(text, DeprecationWarning, stacklevel=level)


def _is_between(frame: types.FrameType) -> bool:
    """Tell whether a frame is Theano's or the import machinery's: the user's line is behind it."""
    return _name_of(frame).startswith(("theano.", "importlib."))


def _name_of(frame: types.FrameType) -> str:
    """Return the name of the module whose code a frame runs, with a dot after it."""
    return f"{frame.f_globals.get('__name__')}."


def _star(module: str) -> list[str]:
    """Return the names for ``from module import *``, and warn of the whole."""
    table = tables()[module]
    if "moved" in table:
        of = import_module(table["moved"])
        names = getattr(of, "__all__", None) or [name for name in vars(of) if name[0] != "_"]
    else:
        names = [name for name, entry in table["names"].items() if "gone" not in entry]
    _warn(module, table.get("moved", "theano.tensor"))
    return list(names)


def _caller() -> tuple[int, types.FrameType]:
    """Return the frame that asked for a name, and its ``stacklevel`` for who called this."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        level, frame = level + 1, frame.f_back
    return level + 1, frame
