"""Takes a device into use: shared variables are made there, functions run there; and leaves it."""

from __future__ import annotations

import contextlib

import theano
from theano.compile import optdb
from theano.compile.sharedvalue import shared

from theano_colab.xla import device, folding, partition, transfer, types


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
        folding.enable()
        theano.compile.shared_constructor(types.shared_constructor)
    return context


def leave() -> None:
    """Let the host compute what is compiled from now on, as ``theano.sandbox.cuda.unuse`` did.

    Contexts stay known, so what lies on a device can still be used.
    """
    with contextlib.suppress(KeyError):  # they are not in use
        optdb.remove_tags("xla_short_loops", "fast_run")
        optdb.remove_tags(partition.NAME, "fast_run", "fast_compile")
        optdb.remove_tags("xla_scans_on_host", "fast_run", "fast_compile")
    with contextlib.suppress(ValueError):  # likewise
        shared.constructors.remove(types.shared_constructor)
