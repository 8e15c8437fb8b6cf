"""Theano's GPU backend of today: parts of graphs compiled by XLA, through JAX.

``use("cuda0")`` does what ``theano.gpuarray.use`` did: shared variables are made on the device, and
functions run there. Needs JAX; nothing of it is imported before a device is asked for.
"""

from __future__ import annotations

import theano

from theano_colab.xla import device, partition, transfer, types

__all__ = ["use"]


def use(spec: str, *, name: str | None = None, default: bool = True) -> device.Context:
    """Make a device known under a context's name; ``default`` also moves computations to it.

    Raises
    ------
    device.DeviceNotFoundError
        If JAX has no such device.
    """
    import theano_colab.xla.lower  # noqa: F401  # registers the lowerings

    context = device.register(name, spec)
    partition.register()
    transfer.register_transfer()
    types.register_pickle()
    if default:
        partition.enable()
        theano.compile.shared_constructor(types.shared_constructor)
    return context
