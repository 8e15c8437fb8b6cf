"""Old names on Theano-PyMC: those of older Theanos, and those of Theano 1.0.5 that it moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import json, warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    from theano.tensor.shared_randomstreams import RandomStreams
try:
    from theano.tensor.raw_random import uniform
except ImportError as error:
    refused = str(error)
import theano
streams = RandomStreams(7)
drawn = [
    streams.uniform((2, 2), -1, 1), streams.normal(size=(3,), avg=1, std=2),
    streams.binomial((4,), 10, 0.3, dtype="float32"), streams.random_integers((5,), 1, 6),
    streams.poisson((3,), 4.0), streams.choice((4,), 7), streams.permutation(n=6),
    streams.multinomial((2,), 5, [0.2, 0.8]),
]
updates = [one.update for one in drawn]
assert [one.rng for one in drawn] == [before for before, _ in updates]
f = theano.function([], drawn)
told = {"first": f(), "second": f()}
told = {name: [values.tolist() for values in those] for name, those in told.items()}
print(json.dumps({**told, "warned": [str(one.message) for one in seen], "refused": refused}))
"""


def test_every_name_answers_with_one_warning_or_says_what_to_do(run_pymc3):
    result = run_pymc3(Path(__file__).with_name("every_name.py"))
    assert result["wrong"] == []
    assert result["asked"] > 550


def test_random_streams_draw_as_in_theano_1_0_5(run_pymc3):
    seeds = np.random.RandomState(7)
    draw = [np.random.RandomState(seeds.randint(2**30)) for _ in range(8)]
    told = run_pymc3("-c", PROGRAM)
    for time in ("first", "second"):
        expected = [
            draw[0].uniform(-1, 1, (2, 2)),
            draw[1].normal(1, 2, 3),
            draw[2].binomial(10, 0.3, 4),
            draw[3].randint(1, 7, 5),
            draw[4].poisson(4.0, 3),
            draw[5].choice(7, 4),
            draw[6].permutation(6),
            draw[7].multinomial(5, [0.2, 0.8], 2),
        ]
        assert told[time] == [one.tolist() for one in expected]
    (warned,) = told["warned"]
    assert "today it is theano.tensor.random.utils.RandomStream" in warned
    assert "Theano 1.0 was the last with it. Write theano.tensor.random.basic" in told["refused"]
