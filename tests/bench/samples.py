"""Rows and events for tests: a made-up run on a CPU and a GPU."""

from __future__ import annotations

from theano_colab.bench.events import Event
from theano_colab.bench.progress import Bench
from theano_colab.bench.results import Result


def row(size, device, median_s, **more):
    backend = {"cpu": "theano C linker", "cuda": "theano XLA", "numpy": "numpy"}[device]
    known = {"iqr_s": median_s / 10, "repeats": 9, "calls_per_repeat": 1, "stable": True} | more
    place = "cpu" if device == "numpy" else device
    return Result("dot", size, place, backend, "float32", median_s, **known)


def bench(*rows, **more):
    known = {
        "workloads": (("dot", (64, 256)),),
        "devices": ("cpu", "cuda"),
        "about": {"cpu": {"device": "cpu", "platform": "cpu"}, "cuda": {"platform": "gpu"}},
    } | more
    return Bench("machine", "a CPU", "float32", rows=rows, **known)


def event(kind, size=None, device="", rows=(), **info):
    return Event(kind, "dot" if size else "", size, tuple(rows), info, device)
