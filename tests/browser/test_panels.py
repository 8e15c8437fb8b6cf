"""The panels in a real browser: contrast, width, still heights, and no script run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from panel_samples import PANELS, RUNNING, setup

from theano_colab.show import html
from theano_colab.show.setup_panel import describe_setup

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# How each front end tells its theme, as far as the panels' style sheet asks; {} takes the panel.
HOSTS = {
    "page": "<body>{}</body>",
    "page that follows the system": "<style>:root{{color-scheme:light dark}}</style>{}",
    "lab light": '<body data-jp-theme-light="true" style="--jp-ui-font-color1:rgba(0,0,0,0.87);'
    '--jp-layout-color1:white">{}</body>',
    "lab dark": '<body data-jp-theme-light="false" style="--jp-ui-font-color1:white;'
    '--jp-layout-color1:#212121">{}</body>',
    "colab light": '<html style="--colab-primary-text-color:#212121"><body>{}</body></html>',
    "colab dark": '<html theme="dark" style="--colab-primary-text-color:#d5d5d5;'
    '--colab-primary-surface-color:#383838"><body>{}</body></html>',
    "code dark": '<body class="vscode-dark" style="--vscode-editor-foreground:#cccccc;'
    '--vscode-editor-background:#1f1f1f">{}</body>',
}

# The ratio of WCAG 2.2, 1.4.3, for every element that holds text of its own. Colours are painted
# on a canvas, so that color-mix(), light-dark() and alpha are resolved as the browser resolves
# them; grounds are painted over each other from the root down.
CONTRASTS = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const paint = colors => {
    context.fillStyle = "white"; context.fillRect(0, 0, 1, 1);
    for (const color of colors) { context.fillStyle = color; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = rgb => rgb.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const element of document.querySelectorAll(".tcolab-panel *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim())
      || element.dataset.text;
    if (!own || element.tagName === "STYLE" || !element.checkVisibility()) continue;
    const grounds = [];
    for (let e = element; e; e = e.parentElement)
      grounds.unshift(getComputedStyle(e).backgroundColor);
    const a = luminance(paint([...grounds, getComputedStyle(element).color]));
    const b = luminance(paint(grounds));
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 90)]);
  }
  return found;
}"""


@pytest.fixture
def show(browser):
    """Return a function that opens a page with the panels of these names, and returns the page."""
    pages = []

    def open_page(panels, host="page", width=1000, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        page.route("**/*", lambda route: route.abort())
        page.set_content("<!doctype html>" + HOSTS[host].format("".join(map(html.write, panels))))
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("host", HOSTS)
def test_all_text_can_be_read(show, host, scheme):
    found = show(PANELS.values(), host, scheme=scheme).evaluate(CONTRASTS)
    assert len(found) > 500
    ratio, where = min(found)
    assert ratio >= 4.5, where


def test_a_dark_page_gets_a_dark_panel_and_a_white_page_a_white_one(show):
    ground = "() => getComputedStyle(document.querySelector('.tcolab-panel')).backgroundColor"
    panel = [PANELS["commands"]]
    grounds = {
        (host, scheme): show(panel, host, scheme=scheme).evaluate(ground)
        for host in ("page", "page that follows the system", "colab dark")
        for scheme in ("light", "dark")
    }
    white, dark = "rgb(255, 255, 255)", "rgb(30, 31, 34)"
    assert list(grounds.values()) == [
        *(white, white),
        *(white, dark),
        *("rgb(56, 56, 56)", "rgb(56, 56, 56)"),
    ]


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_nothing_is_wider_than_the_page(show, width):
    page = show(PANELS.values(), width=width)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
    too_wide = page.evaluate("""() => [...document.querySelectorAll(".tcolab-panel")].flatMap(p => {
      const right = p.getBoundingClientRect().right + 0.5;
      const past = e => !e.closest("pre") && e.getBoundingClientRect().right > right;
      const out = [...p.querySelectorAll("*")].filter(past);
      return (p.scrollWidth > p.clientWidth ? [p, ...out] : out).map(e => e.outerHTML.slice(-90));
    })""")
    assert too_wide == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_moves_while_lines_of_progress_come_in(show, width):
    statuses = ("kept", "done", "done", "running", "pending")
    states = [
        setup("running", *statuses, seconds=9.9),
        setup("running", *statuses, seconds=10.0, detail="g++"),
        replace(RUNNING, seconds=59.9),
        setup("running", *statuses, seconds=59.9, detail="x" * 500),
    ]
    places = """() => [...document.querySelectorAll(".tcolab-panel *")]
      .filter(e => e.matches("tr, .tcolab-headline, .tcolab-line"))
      .map(e => e.getBoundingClientRect()).map(r => [r.top, r.height])"""
    seen = [show([describe_setup(state)], width=width).evaluate(places) for state in states]
    assert len(seen[0]) == 7
    assert all(other == seen[0] for other in seen)


@pytest.mark.parametrize("width", [360, 1000])
def test_a_step_that_ends_moves_no_other(show, width):
    states = [
        setup("running", "done", "running", *("pending",) * 3),
        setup("running", "done", "done", "running", *("pending",) * 2),
    ]
    tops = "() => [...document.querySelectorAll('tr')].map(e => e.getBoundingClientRect().top)"
    first, second = (show([describe_setup(s)], width=width).evaluate(tops) for s in states)
    assert first == second


def test_hostile_strings_are_shown_and_not_run(show):
    page = show([panel for name, panel in PANELS.items() if name.startswith("hostile")])
    assert page.evaluate("() => window.pwned") is None
    assert page.evaluate("() => document.scripts.length + document.images.length") == 0
    assert "<script>window.pwned = 1</script>" in page.inner_text("body")
    assert page.evaluate("() => document.querySelectorAll('.tcolab-panel').length") == 4


def test_the_style_touches_nothing_outside(show):
    page = show([PANELS["bench done"]])
    same = page.evaluate("""() => {
      const make = () => { document.body.insertAdjacentHTML("beforeend",
        "<table class=probe><tr><th>a</th><td><code>b</code></td></tr></table>");
        return [...[...document.querySelectorAll(".probe")].at(-1).querySelectorAll("*")]
          .map(e => JSON.stringify([...getComputedStyle(e)].map(k => getComputedStyle(e)[k]))) };
      const styled = make();
      document.querySelectorAll("style").forEach(s => s.remove());
      return JSON.stringify(styled) === JSON.stringify(make());
    }""")
    assert same
