"""The same graph on Theano's C linker and on XLA: equal values, equal exceptions."""

import numpy as np
import theano
from theano.compile.mode import get_mode
from theano.compile.ops import Shape_i

from theano_colab.xla.cluster import XlaCluster
from theano_colab.xla.transfer import HostFromXla, XlaFromHost, XlaToXla

C = get_mode("FAST_RUN").excluding("xla")
XLA = get_mode("FAST_RUN").including("xla")
TRANSFERS = (HostFromXla, XlaFromHost, XlaToXla)


def host_nodes(function):
    """Return a compiled function's ops that neither run on the device, nor move data, nor count.

    Counting is integers without dimensions, and vectors of them: bounds of slices, and shapes.
    """
    return [
        node.op
        for node in function.maker.fgraph.toposort()
        if not isinstance(node.op, (XlaCluster, *TRANSFERS))
        and not (all(map(_counts, node.inputs)) and all(_counts(one, 1) for one in node.outputs))
        and not isinstance(node.op, Shape_i)
    ]


def _counts(variable, most=0):
    dtype, ndim = getattr(variable.type, "dtype", ""), getattr(variable.type, "ndim", 0)
    return ndim <= most and str(dtype).startswith(("int", "uint", "bool"))


def clusters(function):
    """Return the clusters of a compiled function."""
    nodes = function.maker.fgraph.toposort()
    return [node.op for node in nodes if isinstance(node.op, XlaCluster)]


def compare(inputs, outputs, *calls, rtol=None, host=(), replays=0, modes=(C, XLA)):  # noqa: PLR0913
    """Assert that both linkers give the same for each call's arguments, and return XLA's function.

    Both may raise: then the same type. ``host`` are the classes of Op that may stay on the host;
    ``replays`` is how many of the calls may be run again on the host (bad indices and the like):
    falling back cannot pass as a lowering. ``modes`` are the reference's and ours.
    """
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    reference, ours = (
        theano.function(inputs, outputs, mode=mode, on_unused_input="ignore") for mode in modes
    )
    left = [op for op in host_nodes(ours) if not isinstance(op, tuple(host))]
    assert not left, left
    for call in calls:
        expected, got = run(reference, call), run(ours, call)
        if isinstance(expected, Exception) or isinstance(got, Exception):
            assert type(got) is type(expected), (expected, got)
            continue
        for one, other in zip(expected, got, strict=True):
            same(other, one, rtol)
    counted = [op.program.counts for op in clusters(ours)]
    assert sum(one.on_host for one in counted) <= replays, [one.reasons for one in counted]
    return ours


def run(function, arguments):
    """Return what a call gives, or the exception that it raises."""
    try:
        return function(*(one.copy() if hasattr(one, "copy") else one for one in arguments))
    except Exception as error:  # noqa: BLE001  # compared by type
        return error


def same(got, expected, rtol=None):
    """Assert equal dtype, shape and values; floats to ``rtol`` of the largest absolute value."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.dtype == expected.dtype, (got.dtype, expected.dtype)
    assert got.shape == expected.shape, (got.shape, expected.shape)
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, expected)
        return
    if rtol is None:
        rtol = {2: 4e-3, 4: 3e-6, 8: 1e-11 if got.dtype.kind == "f" else 3e-6}.get(
            got.dtype.itemsize, 1e-11
        )
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale, equal_nan=True)
