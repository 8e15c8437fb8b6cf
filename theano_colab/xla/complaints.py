"""The flag assert_no_cpu_op: what it wants said of nodes on the host between clusters."""

from __future__ import annotations

import logging
import pdb
from typing import TYPE_CHECKING, Any

from theano import config

from theano_colab.xla.cluster import XlaCluster
from theano_colab.xla.transfer import HostFromXla, XlaFromHost

if TYPE_CHECKING:
    from theano import Apply

logger = logging.getLogger("theano_colab.xla")


def complain(fgraph: Any) -> None:
    """Warn of each node on the host between two on a device, raise, or start pdb, as the flag says.

    Such a node makes every call wait for what it reads and for what it gives to move. What only
    takes the function's arguments, or makes its results, is the host's by right.

    Raises
    ------
    AssertionError
        If the flag is "raise" and there is one. (Theano logs other exceptions and goes on.)
    """
    wanted = config.assert_no_cpu_op
    if wanted == "ignore":
        return
    for node in _between(fgraph):
        text = f"{node} runs on the host and moves what it reads and gives (assert_no_cpu_op)"
        if wanted == "raise":
            raise AssertionError(text)
        if wanted == "pdb":
            pdb.set_trace()
        logger.warning(text)


def _between(fgraph: Any) -> list[Apply]:
    """Return the nodes on the host that read values from a device and that a device reads from."""
    order = [node for node in fgraph.toposort() if not isinstance(node.op, XlaCluster)]
    moved: set[Any] = set()  # values on the host that come from a device
    for node in order:
        if isinstance(node.op, HostFromXla) or not moved.isdisjoint(node.inputs):
            moved.update(node.outputs)
    read: set[Any] = set()  # values on the host that a device reads
    found = []
    for node in reversed(order):
        clients = (client for one in node.outputs for client, _ in fgraph.clients(one))
        by_device = any(
            client != "output" and isinstance(client.op, XlaCluster | XlaFromHost)
            for client in clients
        )
        if by_device or not read.isdisjoint(node.outputs):
            read.update(node.inputs)
            is_ours = isinstance(node.op, HostFromXla | XlaFromHost)
            if not is_ours and not moved.isdisjoint(node.inputs):
                found.append(node)
    return found[::-1]
