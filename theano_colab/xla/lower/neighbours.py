"""Images2Neibs: the neighbourhoods of images as the rows of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano.tensor.nnet import neighbours

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _rows(trace: Trace, mode: str, size: int, shape: int, step: int) -> tuple[int, Any]:
    """Return the padding, and the indices (neighbourhood, place in it) along one axis."""
    pad = {"half": shape // 2, "full": shape - 1}.get(mode, 0)
    if min(shape, step) < 1 or size < shape or (mode == "wrap_centered" and shape % 2 == 0):
        trace.refuse(f"neighbourhoods of {shape} in steps of {step} along {size}")
    free = size + 2 * pad - shape
    if mode in {"valid", "half", "full"} and free % step:
        trace.refuse(f"neighbourhoods of {shape} in steps of {step} along {size}")
    count = -(-size // step) if mode == "wrap_centered" else free // step + 1
    places = np.arange(count)[:, None] * step + np.arange(shape)
    if mode == "wrap_centered":
        places = (places - shape // 2) % size
    return pad, places


@lowers(neighbours.Images2Neibs, static=(1, 2))
def images2neibs(trace: Trace, node: Apply, images: Any, shape: Any, step: Any) -> Any:
    """Return a row for every neighbourhood: image by image, channel by channel."""
    images = jnp.asarray(images)
    if len(shape) != 2 or len(step) != 2:  # noqa: PLR2004  # rows and columns
        trace.refuse("neighbourhoods have two sizes")
    (pad, rows), (pad_columns, columns) = (
        _rows(trace, node.op.mode, size, int(n), int(s))
        for size, n, s in zip(images.shape[2:], shape, step, strict=True)
    )
    images = jnp.pad(images, [(0, 0), (0, 0), (pad, pad), (pad_columns, pad_columns)])
    # (images, channels, neighbourhoods' rows, places' rows, neighbourhoods' columns, their columns)
    picked = images[:, :, rows][:, :, :, :, columns]
    return picked.transpose(0, 1, 2, 4, 3, 5).reshape(-1, rows.shape[1] * columns.shape[1])
