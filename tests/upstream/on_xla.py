"""Pytest plugin: the XLA backend in the default mode of Theano's tests, and what it does not run.

Given by run.py --xla. A test's functions run on XLA wherever the test names no mode of its own.
With each outcome it tells "xla": how many nodes are inside clusters, how many stay beside them on
the host, and how many calls the clusters left to the host, so that a test that passes without XLA
does not count as one that passes on it.
"""

import pytest
import record

_COUNTS = {"nodes": 0, "host": 0, "replays": 0}


def pytest_configure(config):
    """Take the backend into the default mode, and count what it does."""
    from theano.compile import mode as modes

    from theano_colab.xla import compile as programs
    from theano_colab.xla import partition, use
    from theano_colab.xla.cluster import XlaCluster
    from theano_colab.xla.transfer import HostFromXla, XlaFromHost

    use("xla", default=False)
    modes.instantiated_default_mode = modes.get_mode("FAST_RUN").including(partition.NAME)
    partition_graph, run_on_host = partition.XlaOptimizer.apply, programs.Program.on_host

    def apply(self, fgraph):
        result = partition_graph(self, fgraph)
        nodes = fgraph.toposort()
        inside = [len(node.op.nodes) for node in nodes if isinstance(node.op, XlaCluster)]
        ours = (XlaCluster, HostFromXla, XlaFromHost)
        _COUNTS["nodes"] += sum(inside)
        _COUNTS["host"] += sum(not isinstance(node.op, ours) for node in nodes)
        return result

    def on_host(self, *args):
        _COUNTS["replays"] += 1
        return run_on_host(self, *args)

    partition.XlaOptimizer.apply = apply
    programs.Program.on_host = on_host


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location):
    """Count from here."""
    _COUNTS.update(nodes=0, host=0, replays=0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logfinish(nodeid, location):
    """Give the counts to the outcome."""
    record.extra["xla"] = dict(_COUNTS)
