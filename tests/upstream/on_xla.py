"""Pytest plugin: the XLA backend in the default mode of Theano's tests, and what it does not run.

Given by run.py --xla. A test's functions run on XLA wherever the test names no mode of its own.
With each outcome it tells "xla": how many nodes are inside clusters, how many stay beside them on
the host, how many calls the clusters left to the host, so that a test that passes without XLA does
not count as one that passes on it; and of how many functions the test looked at the graph.

Many tests assert which ops a compiled function consists of, before or after they look at what it
computes. They are shown the graph that the same mode has without this backend, while XLA computes:
what such a test says of values, errors and warnings is put to the backend all the same.
"""

import sys
from pathlib import Path

import pytest
import record

_COUNTS = {"nodes": 0, "host": 0, "replays": 0, "looked": 0}


def pytest_configure(config):
    """Take the backend into the default mode, and count what it does."""
    from theano.compile import mode as modes

    from theano_colab.xla import compile as programs
    from theano_colab.xla import folding, partition, use
    from theano_colab.xla.cluster import XlaCluster
    from theano_colab.xla.transfer import HostFromXla, XlaFromHost

    use("xla", default=False)
    folding.enable()
    modes.instantiated_default_mode = modes.get_mode("FAST_RUN").including(
        partition.NAME, partition.LOOPS
    )
    ours = (XlaCluster, HostFromXla, XlaFromHost)
    _show_other_graphs(ours, (partition.NAME, partition.LOOPS))
    partition_graph, run_on_host = partition.XlaOptimizer.apply, programs.Program.on_host

    def apply(self, fgraph):
        result = partition_graph(self, fgraph)
        nodes = fgraph.toposort()
        inside = [len(node.op.nodes) for node in nodes if isinstance(node.op, XlaCluster)]
        _COUNTS["nodes"] += sum(inside)
        _COUNTS["host"] += sum(not isinstance(node.op, ours) for node in nodes)
        return result

    def on_host(self, *args):
        _COUNTS["replays"] += 1
        return run_on_host(self, *args)

    partition.XlaOptimizer.apply = apply
    programs.Program.on_host = on_host


def _show_other_graphs(ours, names):
    """Let tests that ask for a compiled function's graph see it as it is without ``names``."""
    from theano.compile.function_module import FunctionMaker
    from theano.compile.mode import get_mode

    make = FunctionMaker.__init__

    def remember(self, inputs, outputs, mode=None, *args, **keywords):
        vars(self)["_arguments"] = (inputs, outputs, mode, args, keywords)
        make(self, inputs, outputs, mode, *args, **keywords)

    def fgraph(self):
        known = vars(self)
        real = known["fgraph"]
        if not _is_test(sys._getframe(1).f_code) or not any(
            isinstance(node.op, ours) for node in real.apply_nodes
        ):
            return real
        if "_shown" not in known:
            inputs, outputs, mode, args, keywords = known["_arguments"]
            keywords = {**keywords, "on_unused_input": "ignore", "profile": None}
            other = FunctionMaker.__new__(FunctionMaker)
            make(other, inputs, outputs, get_mode(mode).excluding(*names), *args, **keywords)
            known["_shown"] = vars(other)["fgraph"]
            _COUNTS["looked"] += 1
        return known["_shown"]

    FunctionMaker.__init__ = remember
    FunctionMaker.fgraph = property(fgraph, lambda self, value: vars(self).update(fgraph=value))


def _is_test(code):
    """Tell whether code is a test's, or what tests have look at graphs for them."""
    file = Path(code.co_filename)
    return (
        file.parent.name == "tests"
        or file.name.startswith("test_")
        or code.co_name in {"check_stack_trace", "debugprint"}
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location):
    """Count from here."""
    _COUNTS.update(dict.fromkeys(_COUNTS, 0))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logfinish(nodeid, location):
    """Give the counts to the outcome."""
    record.extra["xla"] = dict(_COUNTS)
