"""Run the newcomer's notebook in a kernel like Colab's, from nothing: what `make demo` does.

Takes a copy of the environment with the newest pins of Colab that this machine has a Python for,
an empty HOME, and the wheel built from the checkout; runs notebooks/01_setup.ipynb there in a real
ipykernel; writes build/demo/01_setup.executed.ipynb and 01_setup.html; prints what a reader of the
notebook sees. Fails if a cell raises or if the setup's panel does not say that Theano is ready.
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
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from theano_colab.show.setup_panel import READY

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = envs.ROOT / "notebooks" / "01_setup.ipynb"
BUILD = envs.ROOT / "build" / "demo"
CELL_TIMEOUT_SECONDS = 600


def main() -> int:
    """Run the demo; return 0 if the notebook ran and its panel turned green."""
    began = time.perf_counter()
    pins = envs.colab_like()
    print(f"kernel: {pins.name}, Python {pins.python}, {platform.platform()}", flush=True)
    shutil.rmtree(BUILD, ignore_errors=True)
    environment = envs.copy(envs.make(pins), BUILD / "environment")
    variables = kernels.variables(environment, BUILD / "home", envs.wheel())
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=kernels.kernel_spec(environment)),
        timeout=CELL_TIMEOUT_SECONDS,
        on_cell_executed=lambda cell, **_: show(cell),
    )
    failure = None
    try:
        client.execute(cleanup_kc=True, cwd=str(BUILD), env=variables)
    except CellExecutionError as error:
        failure = str(error)
    executed = write(notebook)
    seconds = time.perf_counter() - began
    if failure is None and not is_ready(notebook):
        failure = f"The setup's panel does not say: {READY}"
    if failure:
        print(f"\nDEMO FAILED after {seconds:.0f} s. {failure}", file=sys.stderr)
        return 1
    print(f"\nDemo ran in {seconds:.0f} s: {READY}.\n  " + "\n  ".join(map(str, executed)))
    return 0


def show(cell: Any) -> None:  # noqa: ANN401  # a notebook node: nbformat has no types
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


def is_ready(notebook: Any) -> bool:  # noqa: ANN401
    """Say whether the panel of the cell with ``%theano setup`` ended green."""
    return any(
        READY in outputs(cell)
        for cell in notebook.cells
        if cell.cell_type == "code" and "%theano setup" in cell.source
    )


def write(notebook: Any) -> tuple[Path, Path]:  # noqa: ANN401
    """Write the executed notebook and its HTML page; return their paths."""
    executed = BUILD / "01_setup.executed.ipynb"
    page = BUILD / "01_setup.html"
    nbformat.write(notebook, executed)
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    return executed, page


if __name__ == "__main__":
    sys.exit(main())
