"""Pooling under its names before Theano 0.9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano.tensor.signal.pool import AveragePoolGrad, MaxPoolGrad, Pool, pool_2d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def max_pool_2d(
    input: Any,
    ds: Any,
    ignore_border: bool | None = None,
    st: Any = None,
    padding: Any = (0, 0),
    mode: str = "max",
) -> Any:
    """Pool over the two last dimensions; the border counts unless it is said, as it always did."""
    return pool_2d(input, ds, bool(ignore_border), stride=st, pad=padding, mode=mode)


def DownsampleFactorMax(
    ds: Sequence[int],
    ignore_border: bool = False,
    st: Sequence[int] | None = None,
    padding: Sequence[int] = (0, 0),
    mode: str = "max",
) -> Callable[[Any], Any]:
    """Return what pools an array as the op did; today's op takes the sizes with the array."""
    op = Pool(ignore_border=ignore_border, mode=mode, ndim=2)
    return lambda x: op(x, tuple(ds), tuple(st or ds), tuple(padding))


def DownsampleFactorMaxGrad(
    ds: Sequence[int],
    ignore_border: bool = False,
    st: Sequence[int] | None = None,
    padding: Sequence[int] = (0, 0),
    mode: str = "max",
) -> Callable[..., Any]:
    """Return the op's gradient: of (x, maxima, gradient), or of (x, gradient) for averages."""
    kind = MaxPoolGrad if mode == "max" else AveragePoolGrad
    options = {} if mode == "max" else {"mode": mode}
    op = kind(ignore_border=ignore_border, ndim=2, **options)
    return lambda *arrays: op(*arrays, tuple(ds), tuple(st or ds), tuple(padding))
