"""Scalar ops on whole arrays: what each computes, in the dtype that Theano gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def apply_scalar(op: Any, arrays: Sequence[Any], dtypes: Sequence[str]) -> list[Any]:
    """Return the outputs of a scalar op on arrays that broadcast, in these dtypes."""
    result = SCALARS[type(op)](op, dtypes[0], *arrays)
    results = result if isinstance(result, list) else [result]
    return [one.astype(dtype) for one, dtype in zip(results, dtypes, strict=True)]


def _in_output_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(_: Any, dtype: str, *args: Any) -> Any:
        return function(*(one.astype(dtype) for one in args))

    return apply


SCALARS: dict[type, Callable[..., Any]] = {
    scalar.Add: _in_output_dtype(lambda *args: sum(args[1:], args[0])),
    scalar.Sub: _in_output_dtype(jnp.subtract),
    scalar.Mul: _in_output_dtype(
        lambda first, *rest: __import__("functools").reduce(jnp.multiply, rest, first)
    ),
    scalar.TrueDiv: _in_output_dtype(jnp.divide),
    scalar.Tanh: _in_output_dtype(jnp.tanh),
    scalar.Sqr: _in_output_dtype(jnp.square),
    scalar.Neg: _in_output_dtype(jnp.negative),
    scalar.Cast: _in_output_dtype(lambda x: x),
    scalar.Second: lambda op, dtype, x, y: y.astype(dtype),
}
