"""Random numbers of MRG_RandomStreams, and draws made from them: the same bits as on the CPU.

The generator is MRG31k3p (P. L'Ecuyer and R. Touzin, "Fast combined multiple recursive generators
with multipliers of the form a = +-2^q +-2^r", Winter Simulation Conference 2000).
A state of Theano is six int32 per stream; element i of a sample is drawn from stream i modulo their
number.

RandomFunction (RandomStreams) stays on the host: its Mersenne twister is NumPy's. So does
DotModulo: it sets up states, a few numbers at a time, outside of any function.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.sandbox import multinomial, rng_mrg

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace

_M1, _M2, _MULTIPLIER = 2**31 - 1, 2**31 - 21069, 21069
# What a number from 1 to 2^31 - 1 is multiplied by, to lie between 0 and 1. Theano's float16 has
# 15 bits of it, multiplied in float64.
_NORM: dict[str, Any] = {
    "float16": np.float16(3.0458e-05),
    "float32": np.float32(4.6566126e-10),
    "float64": 2**-31,
}


def _modulo(x: Any, modulus: int) -> Any:
    """Bring a sum of two numbers below the modulus below it again; int32 may have overflown."""
    return jnp.where((x < 0) | (x >= modulus), x - modulus, x)


def _next(state: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the state after one step: six arrays of int32, an element for each stream."""
    x11, x12, x13, x21, x22, x23 = state
    y = ((x12 & 511) << 22) + (x12 >> 9) + ((x13 & 16777215) << 7) + (x13 >> 24)
    first = _modulo(_modulo(y, _M1) + x13, _M1)
    y1 = _modulo(((x21 & 65535) << 15) + _MULTIPLIER * (x21 >> 16), _M2)
    y2 = _modulo(((x23 & 65535) << 15) + _MULTIPLIER * (x23 >> 16), _M2)
    second = _modulo(_modulo(y2 + x23, _M2) + y1, _M2)
    return first, x11, x12, second, x21, x22


def _uniform(state: tuple[Any, ...], dtype: str) -> Any:
    """Return the numbers between 0 and 1 that a state stands for."""
    difference = state[0] - state[3]
    value = jnp.where(difference <= 0, difference + _M1, difference)
    if dtype == "float16":
        value = (value & 0x7FFF) + 1
        return (value.astype("float64") * np.float64(_NORM[dtype])).astype(dtype)
    return value.astype(dtype) * jnp.asarray(_NORM[dtype], dtype)


def _has_norm(node: Apply) -> bool:
    return node.outputs[1].dtype in _NORM and node.inputs[0].dtype == "int32"


@lowers(rng_mrg.mrg_uniform, static=(1,), accepts=_has_norm)
def mrg_uniform(trace: Trace, node: Apply, streams: Any, size: Any) -> tuple[Any, Any]:
    """Return the streams' next states, and a sample of the shape ``size``."""
    dtype, shape = node.outputs[1].dtype, tuple(map(int, np.ravel(size)))
    streams = jnp.asarray(streams)
    if streams.shape[1] != 6 or not streams.shape[0]:  # noqa: PLR2004  # the numbers of a state
        trace.refuse(f"states of shape {streams.shape}")
    if len(shape) != node.outputs[1].ndim or min(shape, default=0) < 0 or math.prod(shape) > _M1:
        trace.refuse(f"a sample of shape {shape}")
    full, rest = divmod(math.prod(shape), streams.shape[0])

    def step(state: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], Any]:
        state = _next(state)
        return state, _uniform(state, dtype)

    state, drawn = lax.scan(step, tuple(streams[:, n] for n in range(6)), None, length=full)
    sample = drawn.reshape(full * streams.shape[0])
    if rest:
        part = _next(tuple(one[:rest] for one in state))
        state = tuple(
            jnp.concatenate([new, old[rest:]]) for new, old in zip(part, state, strict=True)
        )
        sample = jnp.concatenate([sample, _uniform(part, dtype)])
    return jnp.stack(state, axis=1), sample.reshape(shape)


def _is_real(node: Apply) -> bool:
    return all(not one.dtype.startswith("complex") for one in (*node.inputs, *node.outputs))


@lowers(multinomial.MultinomialFromUniform, static=(2,), accepts=_is_real)
def multinomial_from_uniform(
    trace: Trace, node: Apply, probabilities: Any, uniform: Any, count: Any = 1
) -> Any:
    """Return how often each outcome was drawn; one row of probabilities for each distribution."""
    dtype = node.outputs[0].dtype
    probabilities, uniform = jnp.asarray(probabilities), jnp.asarray(uniform)
    rows, outcomes = probabilities.shape
    if uniform.shape[0] != rows * int(count):
        trace.refuse("unis.shape[0] != pvals.shape[0] * n")

    def draw(total: Any, numbers: Any) -> tuple[Any, None]:
        chosen, _ = _choose(probabilities, numbers)
        return total + (jnp.arange(outcomes) == chosen[:, None]), None

    start = jnp.zeros((rows, outcomes), "int64")
    total, _ = lax.scan(draw, start, uniform.reshape(int(count), rows))
    return total.astype(dtype)


@lowers(
    multinomial.ChoiceFromUniform,
    multinomial.MultinomialWOReplacementFromUniform,
    static=(2,),
    accepts=_is_real,
)
def choice_from_uniform(
    trace: Trace, node: Apply, probabilities: Any, uniform: Any, count: Any = 1
) -> Any:
    """Return ``count`` outcomes for each row of probabilities, -1 where none was reached."""
    probabilities, uniform = jnp.asarray(probabilities), jnp.asarray(uniform)
    rows, outcomes = probabilities.shape
    if uniform.shape[0] != rows * int(count) or count > outcomes:
        trace.refuse("unis.shape[0] != pvals.shape[0] * n, or more samples than outcomes")
    replace = node.op.replace

    def draw(left: Any, numbers: Any) -> tuple[Any, Any]:
        chosen, rest = _choose(left, numbers)
        if replace:
            return left, chosen
        taken = jnp.where(jnp.arange(outcomes) == chosen[:, None], 0, left)
        scaled = taken / rest[:, None]
        return jnp.where(chosen[:, None] < 0, left, scaled).astype(left.dtype), chosen

    _, drawn = lax.scan(draw, probabilities, uniform.reshape(int(count), rows))
    return drawn.T.astype(node.outputs[0].dtype)


def _choose(probabilities: Any, uniform: Any) -> tuple[Any, Any]:
    """Return, by row, the first outcome at which the sum exceeds ``uniform``, and the others' sum.

    Sums go from left to right as in C: those that choose in float64, those of the others in the
    probabilities' own dtype. The outcome is -1 where no sum exceeds.
    """
    rows, outcomes = probabilities.shape
    dtype = probabilities.dtype

    def add(carry: tuple[Any, Any, Any], here: tuple[Any, Any]) -> tuple[Any, None]:
        total, chosen, rest = carry
        number, value = here
        total += value
        first = (chosen < 0) & (total > uniform)
        rest = jnp.where(first, (total - value).astype(dtype), rest + value)
        return (total, jnp.where(first, number, chosen), rest), None

    start = (
        jnp.zeros(rows, "float64"),
        jnp.full(rows, -1, "int64"),
        jnp.zeros(rows, dtype),
    )
    (_, chosen, rest), _ = lax.scan(add, start, (jnp.arange(outcomes), probabilities.T))
    return chosen, rest
