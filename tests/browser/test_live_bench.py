"""The benchmark in real notebooks: live while the cell is busy, stopped, saved, with controls."""

from __future__ import annotations

import json
import os
from pathlib import Path

import envs
import psutil
import pytest
from servers import notebook, serve
from test_panels import chromium

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("notebooks")]

PICTURES = envs.ROOT / "build" / "browser"
STARTED_MS = 240_000
LOAD = "%load_ext theano_colab\n"
BENCH = LOAD + "%theano bench dot --sizes 32..128 --time 4 --devices cpu,xla"
LONG = LOAD + "%theano bench dot --sizes 32..128 --time 600 --devices cpu,xla"

STATUS = "document.querySelector('.tcolab-panel [role=status]')?.innerText ?? ''"
# Ways to do in each front end what its menus do.
CONNECTED = {
    "classic": "window.Jupyter?.notebook?.kernel?.is_connected()",
    "lab": "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
    "?.connectionStatus === 'connected'",
}
DO = {
    ("classic", "run"): "Jupyter.notebook.execute_all_cells()",
    ("classic", "stop"): "Jupyter.notebook.kernel.interrupt()",
    ("classic", "save"): "Jupyter.notebook.save_notebook()",
    ("lab", "run"): "jupyterapp.commands.execute('notebook:run-all-cells')",
    ("lab", "stop"): "jupyterapp.commands.execute('kernelmenu:interrupt')",
    ("lab", "save"): "jupyterapp.commands.execute('docmanager:save')",
}


class Page:
    """A notebook in a browser."""

    def __init__(self, kind, page, file, server):
        self.kind, self.page, self.file, self.server = kind, page, file, server
        self.errors = []
        page.set_default_timeout(STARTED_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda said: self.errors.append(said.text) if said.type == "error" else None,
        )

    def open(self, address):
        # Without "reset" Lab opens the notebooks of the tests before as well.
        path = {"classic": "notebooks/{}", "lab": "lab/tree/{}?reset"}[self.kind]
        self.page.goto(f"{address}/{path.format(self.file.name)}", timeout=STARTED_MS)
        self.wait(CONNECTED[self.kind])

    def do(self, what):
        self.page.evaluate(f"() => {{ {DO[self.kind, what]}; return 0 }}")

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
        self.page.screenshot(path=PICTURES / f"{name} {self.kind}.png".replace(" ", "-"))


@pytest.fixture(scope="module")
def browser():
    if chromium() is None:
        pytest.skip("there is no Chromium on PATH, and $CHROMIUM names none")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


# Colab's versions in its own generation of Notebook; the newest JupyterLab with Colab's kernel.
@pytest.fixture(scope="module", params=["classic", "lab"])
def address(request, tmp_path_factory):
    """Serve a folder; the kernels have Theano's port and JAX."""
    kernel = envs.xla().parents[1]
    newest = next(pins for pins in envs.pin_sets() if pins.name == "newest")
    server = kernel if request.param == "classic" else envs.make(newest)
    folder = tmp_path_factory.mktemp("notebooks")
    compiled = Path(os.environ.get("TMPDIR", "/tmp")) / "theano-colab-bench"
    variables = {
        "HOME": str(folder),
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(envs.ROOT),
        "THEANO_FLAGS": f"base_compiledir={compiled},blas.ldflags=,compile.wait=1",
    }
    with serve(request.param, server, kernel, folder, variables) as (url, process):
        yield request.param, url, process, folder


@pytest.fixture
def opened(browser, address, request):
    """Return a function that opens a notebook with one cell."""
    kind, url, process, folder = address
    pages = []

    def start(cell):
        file = folder / f"{request.function.__name__}.ipynb"
        file.write_text(notebook(cell))
        page = Page(kind, browser.new_page(viewport={"width": 1280, "height": 1100}), file, process)
        pages.append(page)
        page.open(url)
        return page

    yield start
    for page in pages:
        page.page.close()


def test_values_change_while_the_cell_is_busy_and_the_last_ones_are_saved(opened):
    page = opened(BENCH)
    page.do("run")
    page.wait_for_status("measuring")
    page.picture("running")
    clock = "document.querySelector('.tcolab-corner').innerText"
    seen = set()
    for _ in range(4):
        before = page.page.evaluate(f"() => {clock}")
        page.wait(f"{clock} !== {json.dumps(before)}")
        seen.add(before)
        assert page.page.evaluate(f"() => {STATUS}")
    assert len(seen) == 4
    page.wait_for_status("measured")
    page.picture("done")
    assert page.workers() == []
    assert [error for error in page.errors if "favicon" not in error] == []
    (output,) = [one for one in page.outputs() if one["output_type"] == "display_data"]
    assert "6 points measured" in "".join(output["data"]["text/plain"])
    assert "<svg" in "".join(output["data"]["text/html"])


def test_stop_leaves_a_marked_partial_result_and_no_process(opened):
    page = opened(LONG)
    page.do("run")
    page.wait_for_status("measuring")
    assert len(page.workers()) == 2
    page.do("stop")
    page.wait_for_status("Interrupted")
    page.picture("stopped")
    panel, error = page.outputs()
    assert "Interrupted" in "".join(panel["data"]["text/plain"])
    assert error["traceback"] == ["Interrupted."]
    assert page.workers() == []


def test_the_dashboard_measures_stops_and_saves(opened, address):
    if address[0] == "lab":
        pytest.skip("ipywidgets 7.7.1 in the kernel shows no widgets in JupyterLab 4")
    page = opened(LOAD + "%theano dashboard")
    # Classic Notebook takes its widgets of the first seconds away again: a second run is for good.
    for times in (1, 2):
        page.do("run")
        page.wait(f"Jupyter.notebook.get_cell(0).input_prompt_number === {times}")
        page.wait_for_status("Nothing measured")
        page.wait("!Jupyter.notebook.kernel_busy")
    page.page.get_by_placeholder("64..2048").fill("16..32")
    page.page.get_by_placeholder("64..2048").press("Tab")
    page.picture("dashboard")
    page.page.locator(".jupyter-button, .widget-button").filter(has_text="Run").click()
    page.wait_for_status("measuring")
    page.picture("dashboard running")
    page.do("stop")
    page.wait_for_status("Interrupted")
    page.wait("document.body.innerText.includes('Interrupted; what was measured is below.')")
    page.page.locator(".jupyter-button, .widget-button").filter(has_text="Save").click()
    page.wait("document.body.innerText.includes('Saved as bench.json.')")
    kept = json.loads((page.file.parent / "bench.json").read_text())
    assert (kept["verdict"], kept["workloads"]) == ("interrupted", [["dot", [16, 32]]])
    assert page.workers() == []
    page.picture("dashboard stopped")
