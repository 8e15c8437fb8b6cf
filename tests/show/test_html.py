"""The HTML of every panel: well formed, self-contained, escaped, readable without its style."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from panel_samples import HOSTILE, PANELS

from theano_colab.show import html
from theano_colab.show.panel import Headline, Notes, Panel, bundle
from theano_colab.show.units import clean

VOID = {"br"}
# What GitHub's sanitiser and JupyterLab's (for untrusted notebooks) let through, and <style>,
# which they drop.
# What charts are drawn with: SVG's elements, and their attributes as Python's parser spells them.
SHAPES = {"svg", "path", "circle", "rect", "polyline"}
DRAWING = {
    *("d", "x", "y", "cx", "cy", "r", "width", "height", "points", "viewbox"),
    *("stroke-width", "stroke-dasharray", "preserveaspectratio"),
    *("style", "data-text"),
}
KNOWN_TAGS = SHAPES | {
    *(
        "section",
        "style",
        "div",
        "span",
        "b",
        "code",
        "pre",
        "br",
        "ul",
        "li",
        "details",
        "summary",
    ),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


class Reader(HTMLParser):
    """Collects the tags, attributes and text; fails on a tag that is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def having(self, name: str, value: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if attrs.get(name) == value]


@pytest.mark.parametrize("name", PANELS)
def test_is_one_well_formed_element_without_scripts_or_links(name):
    reader = Reader(html.write(PANELS[name]))
    assert reader.tags[0][0] == "section"
    assert {tag for tag, _ in reader.tags} <= KNOWN_TAGS
    attributes = {key for _, attrs in reader.tags for key in attrs}
    assert attributes <= {
        *("class", "role", "scope", "title"),
        *("aria-label", "aria-level", "aria-hidden", "data-label"),
        *DRAWING,
    }


@pytest.mark.parametrize("name", PANELS)
def test_classes_and_the_style_stay_our_own(name):
    reader = Reader(html.write(PANELS[name]))
    for _, attrs in reader.tags:
        assert all(c.startswith("tcolab-") for c in (attrs.get("class") or "").split())


def test_every_rule_of_the_style_sheet_is_confined_to_a_panel():
    css = html.stylesheet()
    assert "url(" not in css
    assert "@import" not in css
    assert "</" not in css
    for selectors in re.findall(r"([^{};]+)\{", css):
        if not selectors.strip().startswith("@container"):
            # Commas inside :is() separate no rules.
            for selector in re.sub(r"\([^)]*\)", "", selectors).split(","):
                assert ".tcolab-panel" in selector


@pytest.mark.parametrize("name", [name for name in PANELS if name.startswith("hostile")])
def test_hostile_text_comes_out_as_text(name):
    source = html.write(PANELS[name])
    assert "<script" not in source
    assert "<img" not in source
    assert "<svg onload" not in source
    shown = " ".join(Reader(source).text.split())
    for text in HOSTILE:
        assert " ".join(clean(text).split()) in shown


def test_every_cell_of_a_table_has_a_row_header_and_a_column_header():
    reader = Reader(html.write(PANELS["bench done"]))
    assert len(reader.having("scope", "col")) == 8
    assert len(reader.having("scope", "row")) == 7


def test_a_mark_is_said_in_words_too():
    reader = Reader(html.write(PANELS["setup-running"]))
    words = [attrs["aria-label"] for attrs in reader.having("role", "img")]
    assert words == ["kept", "done", "done", "running", "to do"]


def test_a_screen_reader_hears_the_headline_and_not_each_line_of_progress():
    reader = Reader(html.write(PANELS["setup-running"]))
    assert len(reader.having("role", "status")) == 1
    source = html.write(PANELS["setup-running"])
    assert '<b role="status">Step 4 of 5: Compile what the first import compiles</b>' in source


def test_a_long_list_waits_behind_its_summary():
    source = html.write(PANELS["info"])
    assert "<details><summary>8 libraries</summary>" in source
    assert source.count("<details>") == 1


def test_a_quoted_line_keeps_its_caret_below_it():
    source = html.write(PANELS["error-caret"])
    assert "    device=cpu,floatX\n               ^</pre>" in source


def test_the_height_of_a_busy_headline_is_kept_when_there_is_no_detail():
    assert "&nbsp;" in html.write(Panel("t", (Headline("busy", "x"),)))
    assert 'tcolab-detail"' not in html.write(Panel("t", (Headline("ok", "x"),)))


def test_a_bundle_has_both_types_as_text():
    both = bundle(Panel("Title", (Notes(("a note",)),)))
    assert set(both) == {"text/html", "text/plain"}
    assert all("a note" in text for text in both.values())


def test_an_update_is_small():
    # It is sent up to ten times a second, also over a slow link.
    assert len(html.write(PANELS["setup-running"])) < 16_000
