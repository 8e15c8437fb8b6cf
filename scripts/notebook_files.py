"""Write the notebooks as they are committed: no outputs, equal metadata, badges with the address.

    .venv/bin/python scripts/notebook_files.py [REPOSITORY]     what `make notebooks` does

The badges lead to the repository that pyproject.toml names as the project's (``[project.urls]``,
``Repository = "https://github.com/OWNER/NAME"``). As long as it names none, there are none.
"""

from __future__ import annotations

import sys
import tomllib
from typing import Any
from urllib.parse import quote

import envs
import nbformat

FOLDER = envs.ROOT / "notebooks"
SETUP = ("%pip install -q theano-colab", "%load_ext theano_colab", "%theano setup")
"""The cell that every notebook begins with, after its title."""

FOR_A_GPU = ("02_cpu_vs_gpu", "04_convnet", "06_flags")
"""Those that Colab should open on a GPU; the others would only use up the reader's quota."""

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def normal(notebook: Any, name: str, repository: str | None) -> Any:  # noqa: ANN401  # no types
    """Return a copy of a notebook (of nbformat 4.5) as it is committed under ``name``."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    title = copy.cells[0]
    lines = [line for line in title.source.splitlines() if not line.startswith("[![Open in Colab]")]
    if repository:
        lines[1:1] = ["", badges(name, repository)]
        # The paragraph below it has an empty line before it already.
    title.source = "\n".join(lines).replace("\n\n\n", "\n\n")
    gpu = {"accelerator": "GPU"} if name in FOR_A_GPU else {}
    copy.metadata = nbformat.from_dict(
        {**gpu, "kernelspec": _KERNEL, "language_info": {"name": "python"}}
    )
    return copy


def badges(name: str, repository: str) -> str:
    """Return the line with the two badges of a notebook, for ``https://github.com/OWNER/NAME``."""
    project = repository.removesuffix("/").removeprefix("https://github.com/")
    path = f"notebooks/{name}.ipynb"
    return " ".join(
        f"[![{text}]({picture})]({link})"
        for text, picture, link in (
            (
                "Open in Colab",
                "https://colab.research.google.com/assets/colab-badge.svg",
                f"https://colab.research.google.com/github/{project}/blob/main/{path}",
            ),
            (
                "Launch Binder",
                "https://mybinder.org/badge_logo.svg",
                f"https://mybinder.org/v2/gh/{project}/main?urlpath={quote(f'lab/tree/{path}')}",
            ),
        )
    )


def repository() -> str | None:
    """Return the project's address, None as long as it has none."""
    project = tomllib.loads((envs.ROOT / "pyproject.toml").read_text())["project"]
    return project.get("urls", {}).get("Repository")


def main(arguments: list[str]) -> int:
    """Rewrite every notebook; the address may be given in place of pyproject's."""
    address = arguments[0] if arguments else repository()
    for file in sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(normal(nbformat.read(file, as_version=4), file.stem, address), file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
