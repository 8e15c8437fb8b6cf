"""The browser, and the servers of notebooks: made once for all tests that ask for them."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import envs
import pytest
from front_ends import SIZE, Page, ask
from servers import notebook, serve


def chromium() -> str | None:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium on PATH, and $CHROMIUM names none")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                *("--disable-component-update", "--disable-sync", "--no-first-run"),
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Return a function from a server's name to its address, process and folder."""
    running = {}
    compiled = Path(os.environ.get("TMPDIR", "/tmp")) / "theano-colab-bench"
    flags = f"base_compiledir={compiled},blas.ldflags=,compile.wait=1"

    def start(name):
        if name not in running:
            newest = next(pins for pins in envs.pin_sets() if pins.name == "newest")
            colab = envs.xla().parents[1]
            kernels = {"colab": colab}
            if name == "newest":
                kernels["newest"] = envs.with_port(newest)
            folder = tmp_path_factory.mktemp("notebooks")
            variables = {
                "HOME": str(folder),
                "JAX_PLATFORMS": "cpu",
                "PYTHONPATH": str(envs.ROOT),
                "THEANO_FLAGS": flags,
            }
            server = serve(name, kernels.get("newest", colab), kernels, folder, variables)
            running[name] = (*stack.enter_context(server), folder)
        return running[name]

    with contextlib.ExitStack() as stack:
        yield start


@pytest.fixture
def opened(browser, served, request):
    """Return a function that opens a notebook with one cell in a place, its kernel started."""
    pages = []

    def start(place, cell):
        url, process, folder = served(place.server)
        file = folder / f"{request.function.__name__}.ipynb"
        file.write_text(notebook(place.kernel, cell))
        page = Page(
            place.kind,
            browser.new_page(viewport=SIZE),
            file,
            url,
            process,
        )
        pages.append(page)
        page.start()
        return page

    yield start
    for page in pages:
        page.page.close()
        for session in ask(f"{page.url}/api/sessions"):
            ask(f"{page.url}/api/sessions/{session['id']}", "DELETE")
