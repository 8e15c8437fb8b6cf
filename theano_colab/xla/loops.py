"""What graphs with scans need before and after the partition into clusters.

``ScansOnHost``: a scan that stays on the host runs its steps without clusters. Each step would send
its arrays to the device and back, which takes seven times as long as Theano's own code.

``ShortLoops``: an ``until`` loop of which only the last values are used keeps no others. Theano's
own optimizer of scan's memory leaves such loops alone; with all values kept, the number of steps
decides the length of an output, and the loop cannot run on the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import theano
from theano import Constant, tensor
from theano.gof.opt import Optimizer
from theano.scan_module.scan_op import Scan

if TYPE_CHECKING:
    from theano import Apply
    from theano.compile import Mode


class ScansOnHost(Optimizer):  # type: ignore[misc]  # Theano publishes no types
    """Have the steps of a graph's scans compiled without the optimization of this name.

    The ops are changed, not replaced: Theano takes scans of another mode for equal and would merge
    the old one back. It has to be done once scan works in place, which makes the last new ops.
    """

    def __init__(self, excluded: str) -> None:
        super().__init__()
        self.excluded = excluded

    def apply(self, fgraph: Any) -> None:
        """Do it."""
        for node in fgraph.toposort():
            if isinstance(node.op, Scan) and self._is_used(node.op.mode_instance):
                node.op.mode_instance = node.op.mode_instance.excluding(self.excluded)

    def _is_used(self, mode: Mode) -> bool:
        excluded = getattr(mode.provided_optimizer, "exclude", None)
        return excluded is not None and self.excluded not in excluded


class ShortLoops(Optimizer):  # type: ignore[misc]  # Theano publishes no types
    """Shorten the buffers of ``until`` loops of which only the last values are used."""

    def add_requirements(self, fgraph: Any) -> None:
        """Ask for a graph whose variables can be replaced."""
        fgraph.attach_feature(theano.gof.toolbox.ReplaceValidate())

    def apply(self, fgraph: Any) -> None:
        """Do it."""
        for node in fgraph.toposort():
            if isinstance(node.op, Scan) and node.op.as_while and not node.op.n_mit_mot:
                pairs = _shortened(fgraph, node)
                if pairs:
                    fgraph.replace_all_validate(pairs, reason="short_loops")


def _shortened(fgraph: Any, node: Apply) -> list[tuple[Any, Any]]:
    """Return what is to be replaced by what, nothing if more than the last values are used."""
    op = node.op
    lags = [*(-min(taps) for taps in op.tap_array), *[0] * op.n_nit_sot]
    last: list[list[Any]] = []
    for output, lag in zip(node.outputs, lags, strict=False):
        users = _last_values(fgraph, output, lag)
        if users is None:
            return []
        last.append(users)
    inputs = list(node.inputs)
    for k, lag in enumerate(lags):
        if k < len(op.tap_array):
            position = 1 + op.n_seqs + k
            inputs[position] = _shortest(inputs[position], lag)
            if inputs[position] is None:
                return []
        else:
            position = 1 + op.n_seqs + op.n_shared_outs + k
            inputs[position] = tensor.constant(1, dtype="int64")
    outputs = op.make_node(*inputs).outputs
    pairs = [
        (old, old.owner.op(new, *old.owner.inputs[1:]))
        for users, new in zip(last, outputs, strict=False)
        for old in users
    ]
    return pairs + list(zip(node.outputs[len(lags) :], outputs[len(lags) :], strict=True))


def _last_values(fgraph: Any, output: Any, lag: int) -> list[Any] | None:
    """Return the variables that are ``output[-1]``; None if the output is used otherwise."""
    found = []
    for client, _ in fgraph.clients(output):
        if client == "output" or type(client.op) is not tensor.Subtensor:
            return None
        index = tensor.get_idx_list(client.inputs, client.op.idx_list)[0]
        if _constant(index) == -1:
            found.append(client.outputs[0])
        elif (
            len(client.op.idx_list) == 1
            and isinstance(index, slice)
            and (_constant(index.start) or 0) == lag
            and (index.start is None or _constant(index.start) is not None)
            and index.stop is None
            and index.step is None
        ):
            inside = _last_values(fgraph, client.outputs[0], 0)
            if inside is None:
                return None
            found += inside
        else:
            return None
    return found


def _constant(index: Any) -> int | None:
    if isinstance(index, Constant):
        index = index.data
    return int(index) if isinstance(index, int | np.integer | np.ndarray) else None


def _shortest(buffer: Any, lag: int) -> Any:
    """Return a buffer of the values that a state starts with and one more.

    None if it is not one that ``theano.scan`` made: the values set at the start of an empty buffer.
    """
    node = buffer.owner
    if node is None or not isinstance(node.op, tensor.IncSubtensor):
        return None
    empty, values = node.inputs[:2]
    index, *others = tensor.get_idx_list([values, *node.inputs[2:]], node.op.idx_list)
    starts = isinstance(index, slice) and index.start is None and index.step is None and not others
    is_empty = empty.owner is not None and isinstance(empty.owner.op, tensor.AllocEmpty)
    if not (starts and is_empty and node.op.set_instead_of_inc):
        return None
    shape = [values.shape[axis] for axis in range(1, values.ndim)]
    shorter = tensor.AllocEmpty(buffer.dtype)(lag + 1, *shape)
    return tensor.patternbroadcast(
        tensor.set_subtensor(shorter[:lag], values[:lag]), buffer.broadcastable
    )
