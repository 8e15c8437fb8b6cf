"""Panels as plain text: every width, every alphabet, nothing lost."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_samples import PANELS, READY, RUNNING, setup

from theano_colab.progress import SetupState, StepState
from theano_colab.show import text
from theano_colab.show.panel import Cell, Headline, Panel, Problem, Steps, Table, cell
from theano_colab.show.setup_panel import describe_setup
from theano_colab.show.text import Style

ESCAPE = re.compile(r"\x1b\[\d+m")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", [name for name in PANELS if name != "error-caret"])
def test_no_line_is_wider_than_asked(name, width):
    lines = text.write(PANELS[name], Style(width)).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("name", PANELS)
def test_ascii_is_ascii(name):
    assert text.write(PANELS[name], Style(unicode=False)).isascii()


@pytest.mark.parametrize("name", PANELS)
def test_without_colour_there_is_no_escape_and_with_it_the_words_are_the_same(name):
    plain = text.write(PANELS[name], Style(color=False))
    colored = text.write(PANELS[name], Style(color=True))
    assert "\x1b" not in plain
    assert [line.rstrip() for line in ESCAPE.sub("", colored).splitlines()] == plain.splitlines()
    assert "\x1b[" in colored


def test_the_ready_panel_reads_like_this():
    panel = describe_setup(
        SetupState(
            "Colab 2026.08 · Python 3.13.15",
            (
                StepState("Build Theano 1.0.5", "PyPI's release is too old.", "kept"),
                StepState("Check the result", "Compared with NumPy.", "done", "noise", 2.08),
            ),
            notes=("The GPU is not used yet.",),
            results=(("Device", "cpu"),),
            flags="device=cpu",
            verdict="ready",
            seconds=2.31,
        )
    )
    assert (
        text.write(panel, Style(60))
        == """\
Theano setup                                           2.3 s
Colab 2026.08 · Python 3.13.15

✓ Theano 1.0.5 is ready
  Import it as always: import theano

  = Build Theano 1.0.5                                  kept
    PyPI's release is too old.
  ✓ Check the result                                   2.1 s
    Compared with NumPy.

Checked
  Device  cpu

THEANO_FLAGS
  device=cpu

Note: The GPU is not used yet."""
    )


def test_a_source_follows_its_value_in_brackets():
    assert "  Python                        3.13.15  [sys.version_info]" in text.write(
        PANELS["info"]
    )


def test_a_number_is_never_broken_while_words_can_be():
    rows = ((cell("a long name of a row"), cell("10.9 ± 0.1 ms"), cell("agrees with NumPy")),)
    table = Table("", ("Name", "Time", "Result"), rows, frozenset({1}))
    written = text.write(Panel("t", (table,)), Style(44))
    assert "10.9 ± 0.1 ms" in written


def test_lines_of_a_cell_stand_one_below_the_other():
    table = Table("", ("a", "b"), ((cell("name"), Cell(("one", "two"))),))
    assert text.write(Panel("t", (table,))).splitlines()[-2:] == ["  name  one", "        two"]


def test_a_caret_stays_under_what_it_points_at():
    lines = text.write(PANELS["error-caret"]).splitlines()
    caret = next(line for line in lines if line.strip() == "^")
    quoted = lines[lines.index(caret) - 1]
    assert quoted[caret.index("^")] == "f"


@given(st.text(max_size=80), st.integers(40, 120), st.booleans())
def test_any_text_is_written_without_control_characters(words, width, unicode):
    panel = Panel(
        words,
        (
            Headline("error", words, words),
            Steps((StepState(words, words, "failed", words, 1.0),)),
            Table("", ("a", "b", "c"), ((cell(words), cell(words), cell(words)),)),
            Problem("cause", words.replace("\n", " "), "remedy"),
        ),
    )
    for line in text.write(panel, Style(width, unicode=unicode)).split("\n"):
        assert line.isprintable() or not line.isascii()
        assert len(line) <= width


def test_news_are_the_steps_that_have_just_ended():
    steps = RUNNING.steps
    later = replace(
        RUNNING, steps=(*steps[:3], replace(steps[3], status="done", seconds=9.0), steps[4])
    )
    first = text.news(None, RUNNING)
    assert [line.split()[0] for line in first] == ["=", "✓", "✓"]
    assert text.news(RUNNING, RUNNING) == []
    (line,) = text.news(RUNNING, later)
    assert line.startswith("  ✓ Compile what the first import compiles ")
    assert line.endswith(" 9.0 s")


def test_news_of_a_plan_that_arrives_after_the_first_state():
    empty = SetupState("", ())
    assert len(text.news(empty, READY)) == 5
    assert text.news(empty, setup("running", *("pending",) * 5)) == []


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Old(Terminal):
    encoding = "cp1252"


@pytest.mark.parametrize(
    ("stream", "environ", "unicode", "color"),
    [
        (Terminal(), {"TERM": "xterm"}, True, True),
        (Terminal(), {"TERM": "dumb"}, True, False),
        (Terminal(), {"NO_COLOR": "1"}, True, False),
        (Old(), {}, False, True),
    ],
)
def test_the_style_fits_the_stream(stream, environ, unicode, color):
    style = Style.of(stream, environ, 100)
    assert (style.width, style.unicode, style.color) == (100, unicode, color)


def test_what_is_written_for_cp1252_can_be_encoded_in_it():
    style = Style.of(Old(), {})
    for panel in PANELS.values():
        text.write(panel, style).encode("cp1252")
