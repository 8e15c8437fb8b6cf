"""Where Theano computes in this process, and the proof that a function really runs there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

# Largest error allowed, relative to the largest value: a few hundred roundings of a 300-term sum.
# TF32 rounds the factors to 10 bits.
TOLERANCE = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-11, "tf32": 1e-2}


class CheckFailed(Exception):  # noqa: N818  # it reads as what happened: a check failed
    """A check whose outcome is wrong, with what was seen. The message is one line."""


class Place(ABC):
    """Where functions run: ``name`` of the device, ``backend``, ``precision`` of float32 products.

    ``tolerance`` is the largest error allowed, relative to the largest value of a result.
    ``runs_all`` says that no node of an ordinary program may run anywhere else.
    """

    name = ""
    backend: str
    precision = ""
    runs_all = False

    def __init__(self, theano: Any) -> None:  # noqa: ANN401  # Theano has no types
        self.tolerance = TOLERANCE[theano.config.floatX]

    @abstractmethod
    def check(self, function: Any, *shared: Any) -> None:  # noqa: ANN401  # Theano has no types
        """Refuse a function (which was called) that did not run here, or such a shared variable.

        Raises
        ------
        CheckFailed
            Naming the nodes, or where the value is.
        """


class InC(Place):
    """The CPU, by Theano's C code."""

    def __init__(self, theano: Any) -> None:  # noqa: ANN401  # Theano has no types
        super().__init__(theano)
        self.backend = "Theano's C code" if theano.config.cxx else "Python"

    def check(self, function: Any, *shared: Any) -> None:  # noqa: ANN401, ARG002  # the base's
        """Refuse a function with nodes that Python code computes."""
        thunks = getattr(function.fn, "thunks", ())
        if self.backend != "Python" and not (thunks and all(hasattr(t, "cthunk") for t in thunks)):
            raise CheckFailed(f"a compiled function holds nodes without C code: {_names(function)}")


class OnPygpu(Place):
    """A GPU, by Theano's own backend."""

    backend = "Theano's GPU backend (pygpu)"

    def __init__(self, theano: Any) -> None:  # noqa: ANN401  # Theano has no types
        super().__init__(theano)
        from theano.gpuarray.type import get_context

        self.name = get_context(None).devname

    def check(self, function: Any, *shared: Any) -> None:  # noqa: ANN401, ARG002  # the base's
        """Refuse a function none of whose nodes runs on the GPU."""
        if not any("Gpu" in type(n.op).__name__ for n in function.maker.fgraph.toposort()):
            raise CheckFailed(f"a function does not run on the GPU: {_names(function)}")


class OnXla(Place):
    """A device of JAX, by the XLA backend."""

    runs_all = True

    def __init__(self, theano: Any) -> None:  # noqa: ANN401  # Theano has no types
        super().__init__(theano)
        import jax

        from theano_colab.xla import device

        self._context = device.get(None)
        self.name = self._context.device.device_kind
        self.backend = f"XLA (JAX {jax.__version__})"
        self.precision = theano.config.xla.precision
        if self.precision == "tf32" and theano.config.floatX == "float32":
            self.tolerance = TOLERANCE["tf32"]

    def check(self, function: Any, *shared: Any) -> None:  # noqa: ANN401  # Theano has no types
        """Refuse a function with a node on the host, or that was replayed there; or other names.

        Names of ops hold "Gpu" on a GPU and only there: Theano's tutorial asks for them.
        """
        from theano_colab.xla.cluster import XlaCluster
        from theano_colab.xla.transfer import HostFromXla, XlaFromHost

        ops = [node.op for node in function.maker.fgraph.toposort()]
        clusters = [op for op in ops if isinstance(op, XlaCluster)]
        on_host = [op for op in ops if not isinstance(op, XlaCluster | HostFromXla | XlaFromHost)]
        if on_host or not clusters:
            raise CheckFailed(f"a function does not run on {self.name} alone: {_names(function)}")
        if any("Gpu" in type(op).__name__ for op in ops) != self._context.is_gpu:
            raise CheckFailed(f"names do not say where a function runs: {_names(function)}")
        counts = [op.program.counts for op in clusters]
        if any(one.on_host for one in counts):
            reasons = "; ".join(why for one in counts for why in one.reasons)
            raise CheckFailed(f"a function was run on the host instead: {reasons}")
        for variable in shared:
            value = variable.get_value(borrow=True, return_internal_type=True)
            devices: set[Any] = getattr(value, "devices", set)()
            if devices != {self._context.device}:
                raise CheckFailed(f"a shared variable is on {devices or 'the host'}")


def place_of(theano: Any) -> Place:  # noqa: ANN401  # Theano has no types
    """Return where this process's Theano computes by default."""
    device = theano.config.device
    if device == "cpu":
        return InC(theano)
    return OnPygpu(theano) if _pygpu_is_active(theano) else OnXla(theano)


def _pygpu_is_active(theano: Any) -> bool:  # noqa: ANN401  # Theano has no types
    gpuarray = getattr(theano, "gpuarray", None)
    return bool(getattr(gpuarray, "pygpu_activated", False))


def _names(function: Any) -> str:  # noqa: ANN401  # Theano has no types
    return ", ".join(str(node.op) for node in function.maker.fgraph.toposort())
