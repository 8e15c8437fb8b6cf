"""The same workloads hand-written for PyTorch and for JAX, to measure Theano against."""

# ruff: noqa: ANN401  # neither library's arrays have a type that both share

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theano_colab.bench import networks
from theano_colab.bench.programs import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano_colab.bench.networks import Array, Problem

PEERS = ("jax", "torch")
WRITTEN = ("dot", "elemwise", "softmax", "logreg", "mlp")
"""The workloads that both have."""


def about(peer: str) -> dict[str, str | int | float]:
    """Import a peer; return its version and the device that it computes on."""
    if peer == "jax":
        import jax

        device = jax.devices()[0]
        platform, named = device.platform, str(device.device_kind)
        known: dict[str, str | int | float] = {"backend": f"JAX {jax.__version__}"}
    else:
        import torch

        platform = "gpu" if torch.cuda.is_available() else "cpu"
        named = torch.cuda.get_device_name() if platform == "gpu" else ""
        known = {"backend": f"PyTorch {torch.__version__}"}
    platform = "gpu" if platform == "cuda" else platform
    return {**known, "platform": platform, **({} if platform == "cpu" else {"name": named})}


def program(peer: str, workload: str, problem: Problem) -> Program:
    """Return a workload as the peer's users write it, compiled once, with its data on the device.

    Raises
    ------
    LookupError
        If the peer does not have this workload.
    """
    if workload not in WRITTEN:
        raise LookupError(f"{workload} is not written for {peer}: {', '.join(WRITTEN)} are")
    return (_in_jax if peer == "jax" else _in_torch)(workload, problem)


def _in_jax(workload: str, problem: Problem) -> Program:
    import jax
    import jax.numpy as jnp

    wide = any(value.dtype == np.float64 for value in problem.inputs)
    if wide:
        jax.config.update("jax_enable_x64", True)  # its signature
    # Factors of products are not rounded, as Theano's are not.
    jax.config.update("jax_default_matmul_precision", "highest")
    compute = jax.jit(_JAX[workload](jax, jnp))
    inputs = [jnp.asarray(value) for value in problem.inputs]
    state: Sequence[Any] = tuple(jnp.asarray(value) for value in problem.state)
    output: Any = None

    def call() -> Any:
        nonlocal output, state
        output, state = jax.block_until_ready(compute(inputs, state))
        return output

    return Program(call, lambda: [np.asarray(v) for v in (output, *state)])


def _in_torch(workload: str, problem: Problem) -> Program:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    inputs = [torch.from_numpy(value.copy()).to(device) for value in problem.inputs]
    state = [torch.tensor(v, device=device, requires_grad=True) for v in problem.state]
    compute = _TORCH[workload](torch)
    output: Any = None

    def call() -> Any:
        nonlocal output
        output = compute(inputs, state)
        if state:
            slopes = torch.autograd.grad(output, state)
            with torch.no_grad():
                for value, slope in zip(state, slopes, strict=True):
                    value.sub_(networks.LEARNING_RATE * slope)
        if device == "cuda":
            torch.cuda.synchronize()
        return output

    def arrays() -> list[Array]:
        return [v.detach().cpu().numpy() for v in (output, *state)]

    return Program(call, arrays)


def _jax_step(jax: Any, loss: Callable[..., Any]) -> Callable[..., Any]:
    def step(inputs: Any, state: Any) -> Any:
        value, slopes = jax.value_and_grad(lambda s: loss(inputs, s))(state)
        return value, [p - networks.LEARNING_RATE * g for p, g in zip(state, slopes, strict=True)]

    return step


def _jax_logreg(jax: Any, jnp: Any) -> Callable[..., Any]:
    def loss(inputs: Any, state: Any) -> Any:
        (x, y), (w, bias) = inputs, state
        z = x @ w + bias
        return (jnp.logaddexp(0, z) - y * z).mean() + networks.L2 * (w**2).sum()

    return _jax_step(jax, loss)


def _jax_mlp(jax: Any, jnp: Any) -> Callable[..., Any]:
    def loss(inputs: Any, state: Any) -> Any:
        (x, y), (w, b, v, c, u, d) = inputs, state
        scores = jnp.tanh(jnp.tanh(x @ w + b) @ v + c) @ u + d
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), y[:, None], axis=1).mean()

    return _jax_step(jax, loss)


def _torch_logreg(torch: Any) -> Callable[..., Any]:
    def loss(inputs: Any, state: Any) -> Any:
        (x, y), (w, bias) = inputs, state
        error = torch.nn.functional.binary_cross_entropy_with_logits(x @ w + bias, y)
        return error + networks.L2 * (w**2).sum()

    return loss


def _torch_mlp(torch: Any) -> Callable[..., Any]:
    def loss(inputs: Any, state: Any) -> Any:
        (x, y), (w, b, v, c, u, d) = inputs, state
        scores = torch.tanh(torch.tanh(x @ w + b) @ v + c) @ u + d
        return torch.nn.functional.cross_entropy(scores, y.long())

    return loss


_JAX: dict[str, Callable[[Any, Any], Callable[..., Any]]] = {
    "dot": lambda _, __: lambda ins, state: (ins[0] @ ins[1], state),
    "elemwise": lambda _, jnp: lambda ins, s: (jnp.exp(ins[0]) * jnp.sin(ins[0]) + ins[0], s),
    "softmax": lambda jax, _: lambda ins, s: ((jax.nn.softmax(ins[0]) * ins[0]).sum(axis=1), s),
    "logreg": _jax_logreg,
    "mlp": _jax_mlp,
}
_TORCH: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "dot": lambda _: lambda ins, _: ins[0] @ ins[1],
    "elemwise": lambda torch: lambda ins, _: torch.exp(ins[0]) * torch.sin(ins[0]) + ins[0],
    "softmax": lambda torch: lambda ins, _: (torch.softmax(ins[0], 1) * ins[0]).sum(dim=1),
    "logreg": _torch_logreg,
    "mlp": _torch_mlp,
}
