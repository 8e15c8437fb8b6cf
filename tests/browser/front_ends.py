"""Notebooks in a browser, in each front end: what its menus do, done by its own commands."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

import envs
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURES = envs.ROOT / "build" / "browser"
STARTED_MS = 240_000
SIZE = {"width": 1280, "height": 1500}
LOAD = "%load_ext theano_colab\n"

STATUS = "document.querySelector('.tcolab-panel [role=status]')?.innerText ?? ''"
CLOCK = "document.querySelector('.tcolab-corner').innerText"
_SESSION = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
CONNECTED = {
    "classic": "window.Jupyter?.notebook?.kernel?.is_connected()",
    "lab": f"{_SESSION}?.connectionStatus === 'connected'",
    "notebook": f"{_SESSION}?.connectionStatus === 'connected'",
}
# The cell's prompt: the newest kernels call themselves idle while a cell is busy.
_PROMPT = "document.querySelector('.jp-InputPrompt, .input_prompt').innerText"
BUSY = f"{_PROMPT}.includes('*')"
DONE = f"/\\d/.test({_PROMPT})"
_NEW = {
    "run": "jupyterapp.commands.execute('notebook:run-all-cells')",
    "stop": "jupyterapp.commands.execute('kernelmenu:interrupt')",
    "save": "jupyterapp.commands.execute('docmanager:save')",
}
DO = {
    "classic": {
        "run": "Jupyter.notebook.execute_all_cells()",
        "stop": "Jupyter.notebook.kernel.interrupt()",
        "save": "Jupyter.notebook.save_notebook()",
    },
    "lab": _NEW,
    "notebook": _NEW,
}
# What their consoles say with any notebook, an empty one too.
OWN_ERRORS = {
    "classic": (),
    "lab": (),
    # Notebook 7.6 has not all of JupyterLab's commands and settings, and now and then refuses a
    # font of its own (403).
    "notebook": ("reading 'schema'", "Command 'filebrowser:open-path' not registered", ".woff2"),
}
# Without "reset" Lab opens the notebooks of the tests before as well.
PATHS = {"classic": "notebooks/{}", "lab": "lab/tree/{}?reset", "notebook": "notebooks/{}"}


@dataclass(frozen=True)
class Place:
    """Where a notebook is opened: a front end, its server, and the kernel that runs it.

    ``devices`` is how many devices a benchmark measures there.
    """

    kind: str
    server: str
    kernel: str
    devices: int


PLACES = {
    # Colab's versions in its own generation of Notebook, and under the newest JupyterLab.
    "classic": Place("classic", "classic", "colab", 2),
    "lab colab": Place("lab", "newest", "colab", 2),
    # The newest versions of all; they have no JAX.
    "lab": Place("lab", "newest", "newest", 1),
    "notebook": Place("notebook", "newest", "newest", 1),
}


class Page:
    """A notebook's file, opened in a front end ("classic", "lab", "notebook") of a server.

    ``errors`` holds what the browser's console said in red.
    """

    def __init__(self, kind, page, file, url, server):
        self.kind, self.page, self.file, self.url, self.server = kind, page, file, url, server
        self.errors = []
        page.set_default_timeout(STARTED_MS)
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("console", lambda said: self._hear(said.type, f"{said.text} {said.location}"))

    def _hear(self, kind, text):
        # No server of a test has an icon.
        expected = ("favicon", *OWN_ERRORS[self.kind])
        if kind == "error" and not any(words in text for words in expected):
            self.errors.append(text)

    def open(self):
        self.page.goto(f"{self.url}/{PATHS[self.kind].format(self.file.name)}", timeout=STARTED_MS)

    def start(self):
        self.open()
        self.wait(CONNECTED[self.kind])

    def do(self, what):
        self.page.evaluate(f"() => {{ {DO[self.kind][what]}; return 0 }}")

    def wait(self, condition):
        self.page.wait_for_function(f"() => {condition}", timeout=STARTED_MS)

    def wait_for_status(self, words):
        self.wait(f"({STATUS}).includes({json.dumps(words)})")

    def outputs(self):
        """Save the notebook and return the outputs in its file."""
        before = self.file.stat().st_mtime_ns
        with self.page.expect_response(
            lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url
        ):
            self.do("save")
        assert self.file.stat().st_mtime_ns > before
        return json.loads(self.file.read_text())["cells"][0]["outputs"]

    def workers(self):
        children = psutil.Process(self.server).children(recursive=True)
        return [one for one in children if "theano_colab.bench" in " ".join(one.cmdline())]

    def picture(self, name):
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png".replace(" ", "-"))


@contextlib.contextmanager
def without_kernel(browser, page: Page, handed_on=False) -> Iterator[Page]:
    """End the server's kernels and open a page's notebook again, in a page that can start none.

    One that was ``handed_on`` is not trusted: it is not what this server's kernel has written.
    """
    file = page.file
    if handed_on:
        content = json.loads(file.read_text())
        content["cells"][0]["source"] += "\n# handed on"
        file = file.with_name("handed_on.ipynb")
        file.write_text(json.dumps(content))
    for session in ask(f"{page.url}/api/sessions"):
        ask(f"{page.url}/api/sessions/{session['id']}", "DELETE")
    again = Page(page.kind, browser.new_page(viewport=SIZE), file, page.url, page.server)
    # Who asks for a kernel gets no answer; a refusal would be told in front of the notebook.
    again.page.route(
        "**/api/sessions**",
        lambda route: None if route.request.method == "POST" else route.continue_(),
    )
    again.open()
    try:
        yield again
        assert ask(f"{page.url}/api/kernels") == []
    finally:
        again.page.close()


def ask(url: str, method: str = "GET"):
    """Return what a server's REST API answers; None where that is nothing."""
    request = urllib.request.Request(url, method=method)  # a server of ours
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")
