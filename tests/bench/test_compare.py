"""Speed-ups, their range, where one device begins to win, and why one is slower."""

from __future__ import annotations

import pytest
from samples import bench, row

from theano_colab.bench import compare


def pairs(cpu, gpu, sent=None):
    sizes = [2**i for i in range(len(cpu))]
    sent = sent or [None] * len(cpu)
    rows = [row(n, "cpu", t) for n, t in zip(sizes, cpu, strict=True)]
    rows += [row(n, "cuda", t, transfer_s=s) for n, t, s in zip(sizes, gpu, sent, strict=True)]
    (base, other), _ = compare.curves(bench(*rows), "dot")
    return compare.pairs(base, other)


def test_a_speed_up_and_its_range_come_from_medians_and_quartiles():
    cpu = row(64, "cpu", 8.0, lower_s=7.0, upper_s=9.0)
    gpu = row(64, "cuda", 2.0, lower_s=1.0, upper_s=4.0, transfer_s=16.0)
    (base, other), numpy = compare.curves(bench(cpu, gpu), "dot")
    (pair,) = compare.pairs(base, other)
    assert (pair.speedup, pair.low, pair.high, pair.transfer) == (4.0, 7 / 4, 9.0, 0.5)
    assert numpy is None


def test_of_two_gpus_both_send_their_data():
    one, two = (row(64, "cuda", 1.0, transfer_s=s) for s in (8.0, 4.0))
    curves = [compare.curves(bench(r), "dot")[0][1] for r in (one, two)]
    (pair,) = compare.pairs(*curves)
    assert (pair.transfer, pair.why) == (2.0, "")


@pytest.mark.parametrize(
    ("cpu", "gpu", "size", "said"),
    [
        ([1, 2, 9, 9], [3, 3, 3, 3], 4, "The GPU wins from n = 4"),
        ([9, 1, 9, 9], [3, 3, 3, 3], 4, "The GPU wins from n = 4"),
        ([9, 9], [3, 3], None, "The GPU wins at every size measured"),
        ([9], [3], None, "The GPU wins at n = 1"),
        ([1, 1], [3, 3], None, "The GPU is slower at every size measured"),
        ([3, 3], [3, 3], None, "The GPU is slower at every size measured"),
        ([9, 9, 1], [3, 3, 3], 4, "The GPU wins only below n = 4"),
    ],
)
def test_the_crossing_in_words(cpu, gpu, size, said):
    assert compare.crossing(pairs(cpu, gpu), "GPU") == (size, said)


def test_without_a_size_in_common_there_is_nothing_to_say():
    (base, other), _ = compare.curves(bench(row(1, "cpu", 1), row(2, "cuda", 1)), "dot")
    assert compare.pairs(base, other) == []
    assert compare.crossing([], "GPU") == (None, "")


def test_why_a_device_is_slower():
    first, second, third = pairs([1, 1, 9], [2, 5, 2], [4, 6, 10])
    assert "launch" in first.why
    assert "computing" in second.why
    assert "moving" in third.why
    (fine,) = pairs([9], [2], [3])
    assert fine.why == ""


def test_numpys_rows_are_its_own_curve_and_the_point_under_way_is_provisional():
    run = bench(row(64, "cpu", 1), row(64, "numpy", 2), current=(row(64, "cuda", 3),))
    (cpu, gpu), numpy = compare.curves(run, "dot")
    assert [len(c.rows) for c in (cpu, gpu, numpy)] == [1, 1, 1]
    assert (cpu.provisional, gpu.provisional) == (frozenset(), frozenset({64}))


def test_names_say_where_xla_runs():
    assert compare.short_name("cpu") == "CPU"
    assert compare.short_name("cuda") == "GPU"
    assert compare.short_name("cuda1", {"platform": "gpu"}) == "GPU 1"
    assert compare.short_name("xla", {"platform": "cpu"}) == "XLA on the CPU"
    assert compare.short_name("xla", {"platform": "gpu"}) == "GPU"
    assert compare.short_name("xla", {"platform": "tpu"}) == "TPU"
    assert compare.short_name("torch") == "PyTorch"
