"""Fourier transforms of real signals; complex numbers are pairs along a last axis of size 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.tensor import fft

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _is_float(node: Apply) -> bool:
    return node.inputs[0].dtype in {"float32", "float64"}


def _sizes(trace: Trace, node: Apply, ndim: int, sizes: Any) -> tuple[list[int], list[int]]:
    """Return the transform's sizes, and the axes that it is along: the last ones."""
    numbers = [int(n) for n in np.ravel(sizes)]
    if not 0 < len(numbers) <= ndim or min(numbers) < 1:
        trace.refuse(f"sizes {numbers}")
    return numbers, list(range(ndim - len(numbers), ndim))


@lowers(fft.RFFTOp, static=(1,), accepts=_is_float)
def rfft(trace: Trace, node: Apply, a: Any, sizes: Any) -> Any:
    """Transform real signals; the last axis keeps what is not redundant."""
    a = jnp.asarray(a)
    numbers, axes = _sizes(trace, node, a.ndim, sizes)
    result = jnp.fft.rfftn(a, numbers, axes)
    return jnp.stack([result.real, result.imag], axis=-1)


@lowers(fft.IRFFTOp, static=(1,), accepts=_is_float)
def irfft(trace: Trace, node: Apply, a: Any, sizes: Any) -> Any:
    """Transform back to real signals, without dividing by their sizes."""
    a = jnp.asarray(a)
    numbers, axes = _sizes(trace, node, a.ndim - 1, sizes)
    return jnp.fft.irfftn(lax.complex(a[..., 0], a[..., 1]), numbers, axes, norm="forward")
