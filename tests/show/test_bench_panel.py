"""What the benchmark's panel says, in each of its states."""

# ruff: noqa: RUF001  # the sign of times is meant

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from panel_samples import BENCH, BENCHES, NO_GPU_BENCH, RUNNING_BENCH, STARTING_BENCH

from theano_colab.show import html, text
from theano_colab.show.bench_page import page
from theano_colab.show.bench_panel import bench_bundle, describe_bench
from theano_colab.show.panel import Figure, Headline, Key, Meters, Plot, Table


def block(panel, kind):
    (found,) = [one for one in panel.blocks if isinstance(one, kind)]
    return found


def said(bench, **how):
    return " ".join(text.write(describe_bench(bench, **how)).split())


def rows(bench):
    table = block(describe_bench(bench), Table)
    return [table.header, *([" / ".join(c.lines) for c in row] for row in table.rows)]


def test_each_size_has_its_times_speed_ups_compile_times_and_verdict():
    header, first, *_, last = rows(BENCH)
    assert header == (
        *("Size", "CPU", "GPU", "+ transfer", "Speed-up", "NumPy", "Compiling", "Result"),
    )
    assert first == [
        *("64", "11.0 ± 0.2 µs", "160 ± 3 µs", "240 µs / 0.046×", "0.069×", "11.1 µs"),
        "CPU 0.8 s / GPU 1.4 s",
        "agrees (3e-07) / slower: a launch takes longer than so small a problem",
    ]
    assert last[1] == last[4] == ""
    assert last[2] == "34.0 ± 0.7 ms"
    assert "killed by SIGKILL" in last[7]


def test_the_large_figure_is_that_of_the_largest_size_with_its_range():
    figure = block(describe_bench(BENCH), Figure)
    assert figure.value == "49.1×"
    assert figure.text == "as fast as the CPU at n = 2,048"
    assert figure.lines == (
        "The GPU wins from n = 256.",
        "47.2 to 51.1 by the quartiles; 0.069 to 49.1 over all sizes",
        "13.5 times with its data sent and its result fetched",
    )


def test_a_gpu_that_is_slower_is_shown_as_slower():
    slow = replace(BENCH, rows=tuple(r for r in BENCH.rows if r.size and r.size <= 128))
    figure = block(describe_bench(slow), Figure)
    assert (figure.value, figure.text) == ("0.4×", "as fast as the CPU at n = 128: slower")
    assert "The GPU is slower at every size measured." in said(slow)


def test_while_it_runs_it_says_what_it_does_and_what_is_left():
    headline = block(describe_bench(RUNNING_BENCH), Headline)
    assert headline.tone == "busy"
    assert headline.text == "dot, n = 1,024: measuring on GPU"
    assert headline.detail == "9 of 14 points, about 12.0 s left"
    assert 0 < headline.share < 1
    starting = block(describe_bench(STARTING_BENCH), Headline)
    assert starting.text == "Starting Theano: CPU and GPU"


def test_a_point_under_way_is_hollow_and_is_not_called_unsteady():
    panel = describe_bench(RUNNING_BENCH)
    lines = {line.name: line.marks for line in block(panel, Plot).chart.lines}
    assert [mark.hollow for mark in lines["GPU"]] == [False, False, False, False, True]
    assert "unsteady" not in said(RUNNING_BENCH)


def test_the_axis_holds_all_sizes_from_the_beginning():
    charts = [block(describe_bench(b), Plot).chart for b in (STARTING_BENCH, BENCH)]
    assert charts[0].sizes == charts[1].sizes == (64, 128, 256, 512, 1024, 2048, 4096)


def test_the_gpu_is_looked_at_and_what_it_does_not_tell_is_blank():
    meters = block(describe_bench(BENCH), Meters).items
    assert [(name, now) for name, now, _, _ in meters] == [
        *(("GPU busy", "88 %"), ("Memory", "1.1 GiB"), ("Power", "74 W")),
        ("Temperature", "57 °C"),
    ]
    mute = replace(BENCH, gpu=({"memory": 2.0**30, "memory_total": 2.0**34},))
    meters = block(describe_bench(mute), Meters).items
    assert [now for _, now, _, _ in meters] == ["", "1.0 GiB", "", ""]
    assert not [b for b in describe_bench(NO_GPU_BENCH).blocks if isinstance(b, Meters)]


def test_without_a_gpu_it_says_so_and_how_to_get_one():
    key = block(describe_bench(NO_GPU_BENCH), Key)
    assert [name for _, name, _ in key.items] == ["CPU", "XLA on the CPU", "GPU"]
    assert "Change runtime type > T4 GPU" in key.items[-1][2]
    assert "There is no NVIDIA GPU here" in said(NO_GPU_BENCH)
    assert "none here" not in said(BENCH)


@pytest.mark.parametrize(
    ("name", "tone", "words"),
    [
        ("done", "warn", "13 points measured, 1 could not be measured"),
        ("interrupted", "warn", "Interrupted: 10 points measured of 14"),
        ("wrong", "error", "13 points measured, 1 with a wrong result"),
    ],
)
def test_how_it_ended(name, tone, words):
    headline = block(describe_bench(BENCHES[name]), Headline)
    assert (headline.tone, headline.text) == (tone, words)


def test_green_is_for_a_run_without_fault():
    fine = replace(BENCH, rows=tuple(row for row in BENCH.rows if row.size != 4096))
    assert block(describe_bench(fine), Headline).tone == "ok"
    assert block(describe_bench(replace(fine, rows=())), Headline).tone == "plain"
    shaky = tuple(replace(row, stable=False) for row in fine.rows)
    headline = block(describe_bench(replace(fine, rows=shaky)), Headline)
    assert (headline.tone, headline.text) == (
        "warn",
        "12 points measured, 12 with unsteady times",
    )


def test_agreement_is_explained_with_its_tolerance_and_disagreement_in_its_row():
    assert "dot: agrees with NumPy and the CPU: no result differs by more than 1e-05" in said(BENCH)
    assert "GPU differs by 3.0e-01 from NumPy, allowed is 1e-05" in said(BENCHES["wrong"])


def test_unsteady_points_share_one_line():
    unsteady = tuple(
        replace(row, stable=False, detail=f"the IQR is {row.size}")
        if row.size in {64, 128}
        else row
        for row in BENCH.rows
    )
    assert "6 of 19 measurements are unsteady; the worst is" in said(replace(BENCH, rows=unsteady))


def test_points_left_out_are_named():
    run = replace(BENCH, left_out=(("dot", 4096, "cuda"),))
    assert "No time was left for dot 4,096 on GPU." in said(run)


def test_rates_are_drawn_where_they_are_known():
    chart = block(describe_bench(BENCH, unit="GFLOP/s"), Plot).chart
    gpu = next(line for line in chart.lines if line.name == "GPU")
    mark = gpu.marks[-1]
    assert mark.value == pytest.approx(2 * 4096**3 / 3.4e-2 / 1e9)
    assert mark.low < mark.value < mark.high


def test_several_workloads_show_the_one_under_way_and_what_the_others_gave():
    both = (*RUNNING_BENCH.workloads, ("mrg", (10,)))
    run = replace(RUNNING_BENCH, workloads=both, now=("mrg", 10, "cpu"), current=())
    assert "The GPU wins from n = 256; 15.9× at n = 512" in said(run)
    done = describe_bench(replace(run, verdict="done", now=None))
    assert len([b for b in done.blocks if isinstance(b, Plot)]) == 1  # of mrg nothing is known


def test_the_saved_panel_has_a_picture_for_readers_that_show_no_svg():
    panel = describe_bench(BENCH, pictures=True)
    shown = bench_bundle(panel)
    assert set(shown) == {"text/html", "text/plain", "image/png"}
    data = base64.b64decode(shown["image/png"])
    assert data.startswith(b"\x89PNG")
    assert '<img class="tcolab-png" alt="The GPU wins from n = 256." src="data:' in html.write(
        panel
    )
    assert "image/png" not in bench_bundle(describe_bench(BENCH))


def test_a_page_of_its_own_needs_nothing_from_elsewhere():
    source = page(describe_bench(BENCH))
    assert source.startswith("<!doctype html>")
    assert "http" not in source
