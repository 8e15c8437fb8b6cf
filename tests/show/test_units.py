"""Numbers and cleaned text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theano_colab.show import units


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0.0 s"),
        (3.16, "3.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (61.5, "1 min 02 s"),
    ],
)
def test_elapsed(seconds, written):
    assert units.elapsed(seconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (1.5, "1.50 s"),
        (0.9996, "1.00 s"),
        (0.0109, "10.9 ms"),
        (9.999e-4, "1.00 ms"),
        (1.7e-5, "17.0 µs"),
        (2.5e-7, "250 ns"),
        (3e-11, "0.0300 ns"),
        (0.0, "0 ns"),
        (12345.0, "12,345 s"),
    ],
)
def test_duration(seconds, written):
    assert units.duration(seconds) == written


def test_duration_with_its_half_width_in_one_unit():
    assert units.duration(0.0109, 0.00011) == "10.9 ± 0.1 ms"
    assert units.duration(9.21e-4, 1.55e-4) == "921 ± 155 µs"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (1.0, "1.00"),
        (0.108, "0.108"),
        (9.996, "10.0"),
        (99.96, "100"),
        (1234, "1,234"),
        (-2.5, "-2.50"),
    ],
)
def test_three_digits(number, written):
    assert units.three(number) == written


@given(st.floats(1e-9, 1e6))
def test_three_digits_are_within_half_of_the_third(number):
    assert float(units.three(number).replace(",", "")) == pytest.approx(number, rel=5.001e-3)


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 MiB"),
        (2**20, "1 MiB"),
        (2**30 - 1, "1.0 GiB"),
        (2**30, "1.0 GiB"),
        (13_605_851_136, "12.7 GiB"),
    ],
)
def test_bytes(count, written):
    assert units.gibibytes(count) == written


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("Downloading\r 10%\x08", "Downloading  10%"),
        ("a\nb\tc\x00", "a b c"),
        ("\u202egnirts", "gnirts"),
        ("\ud800", ""),
        ("naïve 日本", "naïve 日本"),
    ],
)
def test_clean(raw, cleaned):
    assert units.clean(raw) == cleaned


def test_lines_keep_their_indentation():
    assert units.clean_lines("a\n  b\x1b[0m \n") == ["a", "  b"]
    assert units.clean_lines("") == [""]
