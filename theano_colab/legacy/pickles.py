"""Nodes of graphs that an older Theano pickled, put into the form that ops have today.

Source: the ops' constructors in Theano 0.8.2, 0.9.0 and 1.0.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Attributes that ops have got since, and what they are where an older Theano left them out.
_CONVOLUTION = {"convdim": 2, "filter_dilation": (1, 1), "num_groups": 1, "unshared": False}
ADDED: dict[str, dict[str, Any]] = {
    "AbstractConv2d": _CONVOLUTION,
    "AbstractConv2d_gradWeights": _CONVOLUTION,
    "AbstractConv2d_gradInputs": _CONVOLUTION,
    "AbstractConv3d": {**_CONVOLUTION, "convdim": 3, "filter_dilation": (1, 1, 1)},
    "AbstractConv3d_gradWeights": {**_CONVOLUTION, "convdim": 3, "filter_dilation": (1, 1, 1)},
    "AbstractConv3d_gradInputs": {**_CONVOLUTION, "convdim": 3, "filter_dilation": (1, 1, 1)},
    "Cholesky": {"on_error": "raise"},
}
POOLS = frozenset(
    ["Pool", "MaxPoolGrad", "AveragePoolGrad", "DownsampleFactorMaxGradGrad", "MaxPoolRop"]
)


def mend(node: Any) -> None:
    """Change an Apply that was just loaded; one of today's Theano stays as it is."""
    kind = type(node.op).__name__
    for name, value in ADDED.get(kind, {}).items():
        vars(node.op).setdefault(name, value)
    if kind in POOLS and "ds" in vars(node.op):
        _mend_pool(node)
    elif kind == "MaxAndArgmax" and "axis" not in vars(node.op):
        _mend_max(node)


def _mend_pool(node: Any) -> None:
    """Make the sizes of the windows inputs, which an op before 0.9 had as its own attributes."""
    from theano import tensor

    old = vars(node.op)
    sizes = [old["ds"], old.get("st") or old["ds"], old.get("padding") or (0,) * len(old["ds"])]
    if "fgraph" in vars(node):  # compiled before it was pickled: Theano adds the inputs as it runs
        old["ndim"] = len(old["ds"])
        return
    options = {"ignore_border": old["ignore_border"], "ndim": len(old["ds"])}
    if "mode" in old and type(node.op).__name__ in {"Pool", "AveragePoolGrad"}:
        options["mode"] = old["mode"]
    node.op = type(node.op)(**options)
    node.inputs = [*node.inputs, *(tensor.constant(list(size), dtype="int64") for size in sizes)]


def _mend_max(node: Any) -> None:
    """Make the axis an attribute of the op, whose second input it was before 0.10."""
    axes = getattr(node.inputs[1], "data", None)
    ndim = node.inputs[0].type.ndim
    found = range(ndim) if axes is None else [int(axis) % ndim for axis in np.ravel(axes)]
    node.op = type(node.op)(sorted(found))
    node.inputs = node.inputs[:1]
