"""Run the notebooks in kernels like Colab's, from nothing: what `make demo` does.

Takes a copy of the environment with the newest pins of Colab that this machine has a Python for,
an empty HOME, and the wheel built from the checkout; runs notebooks/*.ipynb there, or those named
as arguments, one after the other, each in a real ipykernel of its own; writes NAME.executed.ipynb
and NAME.html into build/demo/; prints what a reader sees. Fails if a cell raises, if a panel of
setup does not say that Theano is ready, or if a notebook's own check fails.
"""

from __future__ import annotations

import platform
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import envs
import kernels
import nbformat
import notebook_files
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from theano_colab.show.setup_panel import READY

if TYPE_CHECKING:
    from pathlib import Path

BUILD = envs.ROOT / "build" / "demo"
CELL_TIMEOUT_SECONDS = 600


def main(names: list[str]) -> int:
    """Run the notebooks of these names, or all; return 0 if each ran and each check held."""
    files = [notebook_files.FOLDER / f"{name}.ipynb" for name in names]
    pins = envs.notebook_pins()
    print(f"kernel: {pins.name}, Python {pins.python}, {platform.platform()}", flush=True)
    shutil.rmtree(BUILD, ignore_errors=True)
    environment = envs.copy(envs.make(pins), BUILD / "environment")
    variables = kernels.variables(environment, BUILD / "home", envs.wheel())
    told = []
    failed = False
    for file in files or sorted(notebook_files.FOLDER.glob("*.ipynb")):
        print(f"\n==== {file.stem}", flush=True)
        began = time.perf_counter()
        notebook = nbformat.read(file, as_version=4)
        found = run(notebook, environment, variables) or problems(notebook)
        page = write(notebook, file.stem)
        seconds = time.perf_counter() - began
        failed = failed or bool(found)
        told += [f"{file.stem:<24}{seconds:4.0f} s  {'FAILED' if found else 'passed'}  {page}"]
        told += [f"  {problem}" for problem in found]
    print("\n==== " + ("DEMO FAILED" if failed else "demo passed"), *told, sep="\n", flush=True)
    return int(failed)


def run(notebook: Any, environment: Path, variables: dict[str, str]) -> list[str]:  # noqa: ANN401
    """Execute a notebook in place, in a new kernel; return what raised, if a cell did."""
    spec = kernels.kernel_spec(environment)
    with kernels.sockets() as sockets:
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_spec_manager=spec, **sockets),
            timeout=CELL_TIMEOUT_SECONDS,
            on_cell_executed=lambda cell, **_: show(cell),
        )
        try:
            client.execute(cleanup_kc=True, cwd=str(BUILD), env=variables)
        except CellExecutionError as error:
            return [str(error)]
    return []


def problems(notebook: Any) -> list[str]:  # noqa: ANN401  # a notebook: nbformat has no types
    """Return what an executed notebook does not show that it should.

    The panel of setup ends green. A cell "check", where there is one, prints lines that begin with
    "✓" and none with "✗".
    """
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    found = []
    if READY not in outputs(cells["setup"]):
        found.append(f"The setup's panel does not say: {READY}")
    if "check" in cells:
        lines = outputs(cells["check"]).splitlines()
        found += [line for line in lines if line.startswith("✗")]
        if not any(line.startswith("✓") for line in lines):
            found.append("The notebook's check says nothing.")
    return found


def show(cell: Any) -> None:  # noqa: ANN401  # likewise
    """Print a code cell and what it put out, as plain text."""
    print("\n" + "\n".join(f">>> {line}" for line in cell.source.splitlines()))
    print(outputs(cell), flush=True)


def outputs(cell: Any) -> str:  # noqa: ANN401
    """Return the text/plain and the streams of a code cell's outputs."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback))
        else:
            parts.append(output.data.get("text/plain", ""))
    return "\n".join(part.rstrip("\n") for part in parts)


def write(notebook: Any, name: str) -> Path:  # noqa: ANN401
    """Write the executed notebook, and its HTML page, whose path is returned."""
    page = BUILD / f"{name}.html"
    nbformat.write(notebook, BUILD / f"{name}.executed.ipynb")
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    return page


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
