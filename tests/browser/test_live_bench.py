"""The benchmark in real notebooks: live while the cell is busy, stopped, saved, with controls."""

from __future__ import annotations

import json

import pytest
from front_ends import BUSY, CLOCK, DONE, LOAD, PLACES, STATUS, without_kernel

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("notebooks")]

BENCH = LOAD + "%theano bench dot --sizes 32..128 --time 4"
QUICK = LOAD + "%theano bench --quick"
LONG = LOAD + "%theano bench dot --sizes 32..128 --time 600"
CELLS = {"classic": BENCH, "lab colab": BENCH, "lab": QUICK, "notebook": BENCH}

# What the chart is drawn as, and whether it is large enough to be read.
SEEN = """() => {
  const charts = [...document.querySelectorAll('.tcolab-chart svg, [alt][src^="data:image/png"]')];
  const chart = charts.find(e => e.checkVisibility());
  return chart ? [chart.tagName, chart.getBoundingClientRect().width > 250] : [];
}"""


def drawn_as(page):
    """Wait until the chart can be read, and return what it is drawn as."""
    page.wait(f"({SEEN})()[1]")
    return page.page.evaluate(SEEN)[0]


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


def test_a_run_is_live_while_the_cell_is_busy_and_stays_in_the_saved_notebook(
    opened, browser, place
):
    page = opened(PLACES[place], CELLS[place])
    page.do("run")
    page.wait_for_status("measuring")
    page.picture(f"running {place}")
    seen = set()
    for _ in range(4):
        before = page.page.evaluate(f"() => {CLOCK}")
        page.wait(f"{CLOCK} !== {json.dumps(before)}")
        seen.add(before)
        assert page.page.evaluate(f"() => {BUSY}")
    assert len(seen) == 4
    page.wait_for_status("measured")
    page.picture(f"done {place}")
    assert page.workers() == []
    page.wait(DONE)
    (output,) = [one for one in page.outputs() if one["output_type"] == "display_data"]
    status = page.page.evaluate(f"() => {STATUS}")
    assert status in "".join(output["data"]["text/plain"])
    assert "<svg" in "".join(output["data"]["text/html"])
    assert page.errors == []
    with without_kernel(browser, page) as again:
        again.wait_for_status(status)
        assert drawn_as(again) == "svg"
        again.picture(f"saved {place}")
        if place == "lab":
            look_at_it_in_the_dark_and_beside_another(again)
    # Only the newest kernel has matplotlib, which draws the picture.
    if PLACES[place].kernel == "newest":
        assert output["data"]["image/png"]
        with without_kernel(browser, page, handed_on=True) as again:
            again.wait(f"document.body.innerText.includes({json.dumps(status)})")
            assert drawn_as(again) == "IMG"
            again.picture(f"untrusted {place}")


def look_at_it_in_the_dark_and_beside_another(page):
    page.page.evaluate(
        "() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.wait("document.body.dataset.jpThemeLight === 'false'")
    ground = "getComputedStyle(document.querySelector('.tcolab-panel')).backgroundColor"
    page.wait(f"{ground} !== 'rgb(255, 255, 255)'")
    page.wait("!document.querySelector('#jupyterlab-splash')")
    page.picture("saved lab dark")
    page.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    page.page.set_viewport_size({"width": 560, "height": 1500})
    page.wait("document.querySelector('.tcolab-narrow').checkVisibility()")
    assert drawn_as(page) == "svg"
    page.picture("saved lab narrow")


def test_stop_leaves_a_marked_partial_result_and_no_process(opened, place):
    page = opened(PLACES[place], LONG)
    page.do("run")
    page.wait_for_status("measuring")
    assert len(page.workers()) == PLACES[place].devices
    page.do("stop")
    page.wait_for_status("Interrupted")
    page.picture(f"stopped {place}")
    page.wait(DONE)
    panel, error = page.outputs()
    assert "Interrupted" in "".join(panel["data"]["text/plain"])
    assert error["traceback"] == ["Interrupted."]
    assert page.workers() == []
    assert page.errors == []


def test_the_dashboard_measures_stops_and_saves(opened, place):
    if place == "lab colab":
        pytest.skip("ipywidgets 7.7.1 in the kernel shows no widgets in JupyterLab 4")
    page = opened(PLACES[place], LOAD + "%theano dashboard")
    page.do("run")
    page.wait_for_status("Nothing measured")
    if page.kind == "classic":
        # It takes its widgets of the first seconds away again: a second run is for good.
        page.wait("Jupyter.notebook.get_cell(0).input_prompt_number === 1")
        page.do("run")
        page.wait("Jupyter.notebook.get_cell(0).input_prompt_number === 2")
        page.wait_for_status("Nothing measured")
    page.wait(DONE)
    buttons = page.page.locator(".jupyter-button, .widget-button")
    page.page.get_by_placeholder("64..2048").fill("16..32")
    page.page.get_by_placeholder("64..2048").press("Tab")
    page.picture(f"dashboard {place}")
    buttons.filter(has_text="Run").click()
    page.wait_for_status("measuring")
    page.picture(f"dashboard running {place}")
    page.do("stop")
    page.wait_for_status("Interrupted")
    page.wait("document.body.innerText.includes('Interrupted; what was measured is below.')")
    kept = page.file.with_name("bench.json")
    kept.unlink(missing_ok=True)
    buttons.filter(has_text="Save").click()
    page.wait("document.body.innerText.includes('Saved as bench.json.')")
    bench = json.loads(kept.read_text())
    assert (bench["verdict"], bench["workloads"]) == ("interrupted", [["dot", [16, 32]]])
    assert page.workers() == []
    assert page.errors == []
    page.picture(f"dashboard stopped {place}")
