"""A benchmark's panel in a saved notebook, where no kernel and no notebook server shows it."""

from __future__ import annotations

import json
import re

import bleach
import nbformat
import pytest
from front_ends import PICTURES
from nbconvert import HTMLExporter, MarkdownExporter
from panel_samples import BENCH
from servers import notebook

from theano_colab.show.bench_panel import bench_bundle, describe_bench

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What GitHub leaves of HTML in notebooks: no style sheet, no class, no style, no SVG
# (https://github.com/karolzak/ipyplot/issues/3, https://github.com/jupyter/nbviewer/issues/450).
GITHUB = {
    "tags": {
        *("div", "span", "b", "i", "code", "pre", "br", "ul", "ol", "li", "details", "summary"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "img", "a", "p", "h1", "h2"),
    },
    "attributes": {"img": ["src", "alt", "width"], "*": ["title", "scope", "role"]},
    "protocols": {"http", "https", "data"},
    "strip": True,
}
LINES = "() => document.querySelector('main').innerText.split('\\n').filter(l => l.trim())"
PICTURE = """() => {
  const shown = [...document.querySelectorAll('main img, main .tcolab-chart svg')]
    .filter(e => e.checkVisibility());
  return shown.map(e => [e.tagName, e.getBoundingClientRect().width > 300, !!e.naturalWidth]);
}"""


@pytest.fixture(scope="module")
def output():
    return bench_bundle(describe_bench(BENCH, pictures=True))


@pytest.fixture(scope="module")
def saved(output):
    """Return a notebook with the panel as its only output, as nbconvert reads it."""
    content = json.loads(notebook("colab", "%theano bench dot"))
    content["cells"][0]["outputs"] = [
        {"output_type": "display_data", "data": output, "metadata": {}}
    ]
    return nbformat.from_dict(content)


@pytest.fixture
def show(browser):
    """Return a function that opens a page that reaches nothing else, at two widths' pictures."""
    pages = []

    def open_page(source, name):
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        pages.append(page)
        page.route("**/*", lambda route: route.abort())
        page.set_content(source, wait_until="domcontentloaded")
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def in_the_kernel(show, output):
    """Return the lines that a front end shows of the panel."""
    page = show(f"<!doctype html><main>{output['text/html']}</main>", "static-panel")
    assert page.evaluate(PICTURE) == [["svg", True, False]]
    return page.evaluate(LINES)


def test_github_shows_the_picture_and_every_word_of_the_panel(show, output, in_the_kernel):
    source = output["text/html"]
    # Sanitisers differ from bleach in this: what a style sheet holds goes with it.
    source = re.sub(r"<style>.*?</style>", "", source, flags=re.DOTALL)
    cleaned = bleach.clean(source, **GITHUB)
    assert "class=" not in cleaned
    assert "style=" not in cleaned
    page = show(f"<!doctype html><main>{cleaned}</main>", "static-github")
    assert page.evaluate(PICTURE) == [["IMG", True, True]]
    words = " ".join(page.evaluate(LINES)).split()
    assert words == " ".join(in_the_kernel).split()


def test_nbconverts_page_shows_what_the_kernel_showed(show, saved, in_the_kernel):
    source, _ = HTMLExporter(template_name="lab").from_notebook_node(saved)
    page = show(source, "static-nbconvert")
    assert page.evaluate(PICTURE) == [["svg", True, False]]
    lines = page.evaluate(LINES)
    assert lines[-len(in_the_kernel) :] == in_the_kernel
    assert "49.1\N{MULTIPLICATION SIGN}" in lines


def test_nbconverts_markdown_holds_table_and_picture(saved):
    text, _ = MarkdownExporter().from_notebook_node(saved)
    (panel,) = re.findall(r"<section.*</section>", text)
    assert re.search(r'<th scope="row"><span>2,048</span></th>.*49\.1.', panel)
    assert 'src="data:image/png;base64,' in panel
    # A blank line would end the HTML for readers of Markdown.
    assert "\n" not in panel


def test_a_reader_without_html_gets_the_picture_and_the_text(saved, output):
    for cell in saved.cells:
        del cell.outputs[0].data["text/html"]
    text, resources = MarkdownExporter().from_notebook_node(saved)
    assert re.search(r"!\[png\]\(.*\.png\)", text)
    (picture,) = resources["outputs"].values()
    assert picture.startswith(b"\x89PNG")
    assert "49.1\N{MULTIPLICATION SIGN}" in output["text/plain"]
