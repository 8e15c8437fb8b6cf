"""A notebook without a browser: cells go to a real ipykernel, what they put out comes back."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import kernels
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient

TIMEOUT_SECONDS = 300
SETUP_CELL = """\
%pip install -q theano-colab
%load_ext theano_colab
%theano setup"""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Cell:
    """What one cell put out, as it stands at the end: updates have replaced what they update."""

    displays: list[dict] = field(default_factory=list)
    stream: str = ""
    error: str | None = None
    updates: int = 0

    @property
    def text(self) -> str:
        """Everything that a reader without a browser sees."""
        shown = [bundle.get("text/plain", "") for bundle in self.displays]
        return _ANSI.sub("", "\n".join([self.stream, *shown, self.error or ""]))

    def panel(self) -> dict:
        """Return the one MIME bundle that has HTML."""
        (bundle,) = [bundle for bundle in self.displays if "text/html" in bundle]
        return bundle


@dataclass(frozen=True)
class Place:
    """An environment that may be spoiled, a HOME of its own, and the variables of its kernels."""

    environment: Path
    home: Path
    variables: dict[str, str]

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    def with_variables(self, **extra: str | None) -> Place:
        """Return this place with other environment variables; None removes one."""
        return replace(self, variables=kernels.merged(self.variables, extra))

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python as in a terminal."""
        return subprocess.run(
            [self.python, *command],
            env=self.variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=check,
            timeout=TIMEOUT_SECONDS,
        )

    def freeze(self) -> dict[str, str]:
        """Return every distribution that is installed, with its version."""
        listing = self.run("-m", "pip", "list", "--format=json", "--disable-pip-version-check")
        return {entry["name"].lower(): entry["version"] for entry in json.loads(listing.stdout)}


class Kernel:
    """A running kernel; a context manager that shuts it down."""

    def __init__(self, place: Place) -> None:
        with contextlib.ExitStack() as ends:
            self._manager = KernelManager(
                kernel_spec_manager=kernels.kernel_spec(place.environment),
                **ends.enter_context(kernels.sockets()),
            )
            self._manager.start_kernel(env=place.variables, cwd=str(place.home))
            ends.callback(self._manager.shutdown_kernel, now=True)
            self._client: BlockingKernelClient = self._manager.blocking_client()
            self._client.start_channels()
            ends.callback(self._client.stop_channels)
            self._client.wait_for_ready(timeout=60)
            self._ends = ends.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def alive(self) -> bool:
        return bool(self._manager.is_alive())

    def run(self, code: str) -> Cell:
        """Run a cell to its end and return what it put out."""
        return self._execute(code)[0]

    def ok(self, code: str) -> Cell:
        """Run a cell that must not raise."""
        cell = self.run(code)
        assert cell.error is None, cell.text
        return cell

    def value(self, expression: str) -> object:
        """Return the value of an expression that JSON can carry."""
        cell = self.ok(f"import json as _json; print(_json.dumps({expression}))")
        return json.loads(cell.stream)

    def complete(self, line: str) -> list[str]:
        """Return what Tab offers at the end of the line."""
        reply = self._client.complete(line, reply=True, timeout=60)
        return reply["content"]["matches"]

    def pager(self, code: str) -> str:
        """Run a cell like ``%magic?`` and return what opens in the pager, else what it printed."""
        cell, reply = self._execute(code)
        pages = [p["data"]["text/plain"] for p in reply["content"].get("payload", [])]
        return _ANSI.sub("", "\n".join([*pages, cell.text]))

    def _execute(self, code: str) -> tuple[Cell, dict]:
        cell, by_id = Cell(), {}
        reply = self._client.execute_interactive(
            code,
            timeout=TIMEOUT_SECONDS,
            allow_stdin=False,
            # Else a cell sent right after one that raised is aborted, as in "Run all".
            stop_on_error=False,
            output_hook=lambda message: _collect(message, cell, by_id),
        )
        assert reply["content"]["status"] != "aborted"
        return cell, reply


def _collect(message: dict, cell: Cell, by_id: dict[str, dict]) -> None:
    content = message["content"]
    match message["msg_type"]:
        case "stream":
            cell.stream += content["text"]
        case "display_data" | "execute_result":
            cell.displays.append(content["data"])
            with contextlib.suppress(KeyError):
                by_id[content["transient"]["display_id"]] = content["data"]
        case "update_display_data":
            cell.updates += 1
            bundle = by_id[content["transient"]["display_id"]]
            bundle.clear()
            bundle.update(content["data"])
        case "error":
            cell.error = "\n".join(content["traceback"])


def files(folder: Path) -> set[str]:
    """Return every file under a folder but Python's caches, by its relative path."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@dataclass
class Story:
    """The setup cell in a bare kernel, once per pin set: before, what it showed, after."""

    place: Place
    before: dict[str, str]
    cell: Cell
    after: dict[str, str]
    kernel: Kernel
