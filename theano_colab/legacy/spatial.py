"""cuDNN's spatial transformer of theano.gpuarray.dnn, written with Theano's own functions."""

from __future__ import annotations

from itertools import product
from typing import Any

from theano import tensor


def dnn_spatialtf(img: Any, theta: Any, scale_width: Any = 1, scale_height: Any = 1) -> Any:
    """Return images of (batch, channels, rows, columns) seen through an affine map of each.

    ``theta`` is (batch, 2, 3): from (x, y, 1) in what is returned to (x, y) in the image, where a
    side goes from -1 to 1, from its first pixel's centre to its last one's. In between pixels the
    values are interpolated, outside the image they are zero. The sizes are the image's, times the
    scales, rounded up.
    """
    img, theta = tensor.as_tensor_variable(img), tensor.as_tensor_variable(theta)
    rows, columns = (
        tensor.ceil(img.shape[2 + axis] * scale).astype("int64")
        for axis, scale in enumerate((scale_height, scale_width))
    )
    x = _centres(columns, theta.dtype).dimshuffle("x", "x", 0)
    y = _centres(rows, theta.dtype).dimshuffle("x", 0, "x")
    seen = [
        theta[:, k, 0].dimshuffle(0, "x", "x") * x
        + theta[:, k, 1].dimshuffle(0, "x", "x") * y
        + theta[:, k, 2].dimshuffle(0, "x", "x")
        for k in range(2)
    ]
    return _interpolated(img, *seen)


def _centres(count: Any, dtype: str) -> Any:
    """Return where the pixels of a side of ``count`` lie: evenly from -1 to 1."""
    return tensor.arange(count).astype(dtype) * (2 / tensor.maximum(count - 1, 1)).astype(dtype) - 1


def _interpolated(img: Any, x: Any, y: Any) -> Any:
    """Return the images' values at ``x`` and ``y``, each (batch, rows, columns), from -1 to 1."""
    sizes = img.shape[3], img.shape[2]
    places = [
        (place + 1) / 2 * (size - 1).astype(place.dtype)
        for place, size in zip((x, y), sizes, strict=True)
    ]
    lows = [tensor.floor(place) for place in places]
    pixels = img.dimshuffle(0, 2, 3, 1)
    batch = tensor.arange(img.shape[0]).dimshuffle(0, "x", "x")
    total: Any = 0
    for corner in product((0, 1), repeat=2):
        weight, at = 1, []
        for step, place, low, size in zip(corner, places, lows, sizes, strict=True):
            pixel = low + step
            inside = (pixel >= 0) & (pixel < size)
            weight *= tensor.switch(inside, place - low if step else 1 - (place - low), 0)
            at.append(tensor.clip(pixel, 0, size - 1).astype("int64"))
        total += weight.dimshuffle(0, 1, 2, "x") * pixels[batch, at[1], at[0]]
    return total.dimshuffle(0, 3, 1, 2).astype(img.dtype)
