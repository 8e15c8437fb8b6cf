"""The notebooks as they are committed; `make demo` runs them."""

from __future__ import annotations

import ast

import demo
import nbformat
import notebook_files
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from theano_colab.show.setup_panel import READY

FILES = sorted(notebook_files.FOLDER.glob("*.ipynb"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request):
    return request.param


def test_all_six_are_here():
    names = [file.stem for file in FILES]
    assert [name[:3] for name in names] == ["01_", "02_", "03_", "04_", "05_", "06_"]
    assert set(notebook_files.FOR_A_GPU) < set(names)


def test_it_is_valid_and_as_it_is_committed(file):
    notebook = nbformat.read(file, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    # No outputs, metadata, badges: "make notebooks" puts it right.
    assert notebook == notebook_files.normal(notebook, file.stem, notebook_files.repository())
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.get("accelerator") == (
        "GPU" if file.stem in notebook_files.FOR_A_GPU else None
    )


def test_it_begins_with_the_setup_cell_and_ends_with_its_check(file):
    notebook = nbformat.read(file, as_version=4)
    title, setup, *_ = notebook.cells
    assert title.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert setup.source.splitlines() == list(notebook_files.SETUP)
    if file.stem != "01_setup":  # setup itself is what that one shows
        assert [cell.id for cell in notebook.cells if cell.cell_type == "code"][-1] == "check"


def test_what_it_imports_is_in_binders_image(file):
    needed = set()
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.Import):
                    needed |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    needed.add(node.module.partition(".")[0])
    image = (notebook_files.envs.ROOT / "binder" / "environment.yml").read_text()
    for module, package in {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}.items():
        assert module not in needed or f"  - {package}\n" in image
        # Elsewhere the reader is told what to install.
        text = "\n".join(cell.source for cell in nbformat.read(file, as_version=4).cells[:1])
        assert module not in needed or package in text.partition("%pip install")[2]


def test_badges_lead_to_the_notebook_itself_and_come_once(file):
    notebook = nbformat.read(file, as_version=4)
    address = "https://github.com/someone/a-fork"
    once = notebook_files.normal(notebook, file.stem, address)
    title = once.cells[0].source
    assert (
        f"(https://colab.research.google.com/github/someone/a-fork/blob/main/notebooks/{file.name})"
        in title
    )
    assert f"/v2/gh/someone/a-fork/main?urlpath=lab/tree/notebooks/{file.name})" in title
    assert notebook_files.normal(once, file.stem, address) == once
    assert (
        notebook_files.normal(once, file.stem, None).cells[0]
        == notebook_files.normal(notebook, file.stem, None).cells[0]
    )


def executed(said=READY, checked="✓ so it is"):
    def cell(name, text):
        return new_code_cell(id=name, outputs=[new_output("stream", text=text)] if text else [])

    return new_notebook(
        cells=[new_markdown_cell("# T"), cell("setup", said), cell("check", checked)]
    )


def test_the_demo_fails_with_a_check_that_does_not_hold():
    assert demo.problems(executed()) == []
    assert demo.problems(executed(checked="✓ one\n✗ two\n")) == ["✗ two"]
    assert demo.problems(executed(checked="")) == ["The notebook's check says nothing."]
    (problem,) = demo.problems(executed(said="Theano cannot be set up here"))
    assert READY in problem
