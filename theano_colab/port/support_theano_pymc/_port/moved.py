"""Modules under the names that they had until Theano 1.0.5.

theano_colab's XLA backend and scan loop ask for them, and code that is older than Theano-PyMC.
"""

import importlib
import sys

MODULES = {
    "compile.function_module": "compile.function.types",
    "compile.pfunc": "compile.function.pfunc",
    "gof.callcache": "graph.callcache",
    "gof.cc": "link.c.basic",
    "gof.cmodule": "link.c.cmodule",
    "gof.compiledir": "compile.compiledir",
    "gof.destroyhandler": "graph.destroyhandler",
    "gof.fg": "graph.fg",
    "gof.graph": "graph.basic",
    "gof.null_type": "graph.null_type",
    "gof.op": "graph.op",
    "gof.opt": "graph.opt",
    "gof.optdb": "graph.optdb",
    "gof.params_type": "graph.params_type",
    "gof.sched": "graph.sched",
    "gof.toolbox": "graph.toolbox",
    "gof.type": "graph.type",
    "gof.unify": "graph.unify",
    "gof.utils": "graph.utils",
    "gof.vm": "link.vm",
    "scan_module": "scan",
    "scan_module.scan": "scan.basic",
    "scan_module.scan_checkpoints": "scan.checkpoints",
    "scan_module.scan_op": "scan.op",
    "scan_module.scan_opt": "scan.opt",
    "scan_module.scan_utils": "scan.utils",
    "scan_module.scan_views": "scan.views",
}
# Classes that were renamed, with the module they are in.
NAMES = {
    "graph.opt": {"Optimizer": "GlobalOptimizer"},
    "link.vm": {"VM_Linker": "VMLinker"},
    "graph.toolbox": {"ReplacementDidntRemovedError": "ReplacementDidNotRemoveError"},
    "scalar": {"Maximum": "ScalarMaximum", "Minimum": "ScalarMinimum"},
    "scalar.basic": {"Maximum": "ScalarMaximum", "Minimum": "ScalarMinimum"},
    "tensor.nnet.corr3d": {
        "Corr3dMM_gradWeights": "Corr3dMMGradWeights",
        "Corr3dMM_gradInputs": "Corr3dMMGradInputs",
    },
}
# Classes that went, because another one does their work; nothing is ever one of these.
GONE = {
    "tensor.subtensor": {
        "AdvancedBooleanSubtensor": "AdvancedSubtensor",
        "AdvancedBooleanIncSubtensor": "AdvancedIncSubtensor",
    },
}
# What `theano` itself had of theano.gof.
SHOWN = (
    *("Apply", "Constant", "Container", "CLinker", "DualLinker", "FunctionGraph", "Generic"),
    *("InconsistencyError", "Linker", "LocalLinker", "Op", "OpenMPOp", "OpWiseCLinker"),
    *("PerformLinker", "Type", "Variable", "generic"),
)


def install():
    """Make the old names importable."""
    for module, names in NAMES.items():
        found = importlib.import_module(f"theano.{module}")
        for old, new in names.items():
            setattr(found, old, getattr(found, new))
    for module, names in GONE.items():
        found = importlib.import_module(f"theano.{module}")
        for old, new in names.items():
            setattr(found, old, type(old, (getattr(found, new),), {}))
    for old, new in MODULES.items():
        found = sys.modules[f"theano.{old}"] = importlib.import_module(f"theano.{new}")
        package, _, name = old.rpartition(".")
        if package == "gof" or package == "compile":
            setattr(importlib.import_module(f"theano.{package}"), name, found)
    for name in SHOWN:
        setattr(sys.modules["theano"], name, getattr(sys.modules["theano.gof"], name))
