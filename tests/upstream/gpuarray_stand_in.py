"""Pytest plugin: theano/gpuarray's own tests on the XLA backend, as far as they speak of behaviour.

Given by run.py --xla for the tests of theano/gpuarray, beside on_xla.py. Their configuration
(``mode_with_gpu``), their types, transfers and shared variables are the backend's, by the names
that theano_colab/legacy gives them. What they assert of graphs is not asked: an assertion that
looks at nodes names ops which the backend does not have. Values, dtypes and errors are.
"""

import ast
import sys
import tempfile
import tomllib
import types
import unittest
from pathlib import Path

import pytest

OPS = Path(__file__).with_name("gpuarray.toml")

# What code has that looks at a graph: attributes, and names of variables.
_ATTRIBUTES = frozenset(
    {"op", "owner", "fgraph", "maker", "toposort", "apply_nodes", "check_stack_trace"}
    | {"assertFunctionContains", "assertFunctionContains0", "assertFunctionContains1"}
    | {"assertFunctionContainsN", "assertFunctionContainsClass", "assertFunctionContainsClassN"}
)
_NAMES = frozenset({"topo", "nodes", "check_stack_trace"})


@pytest.hookimpl(trylast=True)  # on_xla.py makes the default mode
def pytest_configure(config):
    """Put everything in place before a test module is imported."""
    from _pytest.assertion import rewrite

    # Asserts are gone from what is compiled here: no other run may read it.
    sys.pycache_prefix = tempfile.mkdtemp(prefix="theano-gpuarray-")
    complete = rewrite.rewrite_asserts

    def rewrite_asserts(tree, *args, **keywords):
        complete(Pruned().visit(tree), *args, **keywords)

    rewrite.rewrite_asserts = rewrite_asserts
    _install()


def _install():
    import theano.gpuarray  # noqa: F401  # its modules are there, then
    from theano._port import legacy
    from theano._port.legacy import arrays, dnn
    from theano.gpuarray import fft, linalg

    from theano_colab.xla.types import XlaType

    asked_by_theano = legacy._asked_by_theano
    legacy._asked_by_theano = lambda: not _asked_by_a_test() and asked_by_theano()
    for module, ops in tomllib.loads(OPS.read_text("utf-8")).items():
        table = legacy.tables().setdefault(module, {"shadows": True, "names": {}})
        table["names"] |= {name: {"now": path} for name, path in ops.items()}
    legacy.shadow("theano.gpuarray")
    dnn.dnn_available = lambda context_name=None: True
    dnn.dnn_available.msg = "cuDNN is not there"  # tests skip with it that want a version
    fft.pygpu_available = fft.skcuda_available = fft.pycuda_available = True
    linalg.cusolver_available = True
    arrays.GpuArrayType.values_eq = XlaType.values_eq
    arrays.GpuArrayType.values_eq_approx = XlaType.values_eq_approx
    for module in (_settings(), *_pygpu()):
        sys.modules[module.__name__] = module


def _asked_by_a_test():
    """Tell whether a module of theano/gpuarray/tests asks for a name."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__", "").startswith(("theano._port.", "importlib.")):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "").startswith("theano.gpuarray.tests.")


def _settings():
    """Return what stands for the tests' module of settings."""
    from theano.compile.mode import get_default_mode, get_mode

    module = types.ModuleType("theano.gpuarray.tests.config")
    module.test_ctx_name = None
    module.mode_with_gpu = get_default_mode()
    module.mode_without_gpu = get_mode("FAST_RUN").excluding("xla", "xla_loops")
    module.mode_without_gpu.check_py_code = False
    module.ref_cast = lambda x: x.astype("float32") if x.type.dtype == "float16" else x
    module.SkipTest = unittest.SkipTest
    return module


def _pygpu():
    """Return what stands for pygpu and pygpu.gpuarray: what makes arrays on the device."""
    import numpy as np

    from theano_colab.xla import device
    from theano_colab.xla.types import put

    def array(value, dtype=None, copy=True, cls=None, context=None):
        return put(np.array(value, dtype), device.get(None))

    def zeros(shape, dtype="float64", context=None):
        return array(np.zeros(shape, dtype))

    package, module = types.ModuleType("pygpu"), types.ModuleType("pygpu.gpuarray")
    for one in (package, module):
        one.array = one.asarray = array
        one.zeros = one.empty = zeros
        one.GpuArray = type("GpuArray", (), {})
    package.gpuarray = package.ndgpuarray = module
    return package, module


def get_context(name):
    """Return what tests ask of a card, by which they choose the shapes that they try."""
    return types.SimpleNamespace(kind=b"cuda", maxlsize0=1024, maxgsize2=65535)


def alloc(context_name=None, memset_0=False):
    """GpuAlloc."""
    from theano import tensor

    return tensor.Alloc()


def alloc_empty(dtype, context_name=None):
    """GpuAllocEmpty."""
    from theano import tensor

    return tensor.AllocEmpty(dtype)


def eye(dtype=None, context_name=None):
    """GpuEye."""
    from theano import tensor

    return tensor.Eye(dtype)


def ger(inplace=False):
    """GpuGer."""
    from theano.tensor import blas

    return blas.Ger(destructive=inplace)


class Cholesky:
    """GpuCholesky: a type, for which tests look in graphs, that gives Theano's op."""

    def __new__(cls, lower=True, inplace=False):
        """Take what it takes."""
        from theano.tensor import slinalg

        return slinalg.Cholesky(lower=lower)


def eigh(UPLO="L", compute_v=True):  # noqa: N803  # a keyword of what it stands for
    """GpuMagmaEigh, which gives eigenvalues alone without ``compute_v``."""
    from theano.tensor import nlinalg

    op = nlinalg.Eigh(UPLO)
    return op if compute_v else lambda matrix: op(matrix)[0]


def qr(matrix, complete=True):
    """gpu_qr: both factors, or the second alone."""
    from theano.tensor import nlinalg

    return nlinalg.qr(matrix, "reduced" if complete else "r")


def solve(matrix, right, structure="general", trans="N"):
    """gpu_solve."""
    return Solve(structure, trans)(matrix, right)


class Solve:
    """GpuCusolverSolve: a type, too, that gives what applies Theano's op."""

    def __new__(cls, A_structure="general", trans="N", inplace=False):  # noqa: N803  # likewise
        """Take what it takes."""
        from theano.tensor import slinalg

        op = slinalg.Solve(A_structure)
        return lambda matrix, right: op(matrix.T if trans == "T" else matrix, right)


def triangular_solve_op(lower=True, trans="N"):
    """GpuCublasTriangularSolve."""
    return Solve("lower_triangular" if lower else "upper_triangular", trans)


class Pruned(ast.NodeTransformer):
    """A test module without the assertions that look at graphs."""

    _seen = _NAMES

    def visit_FunctionDef(self, node):
        """Take along what a function calls the parts of a graph, and what it counts of them."""
        outside = self._seen
        before = None
        while before != self._seen:
            before = self._seen
            for one in ast.walk(node):
                if (isinstance(one, ast.Assign) and self._looks(one.value)) or (
                    isinstance(one, ast.For) and self._looks(one.iter)
                ):
                    self._seen = self._seen | set(filter(None, map(_assigned, ast.walk(one))))
        self.generic_visit(node)
        self._seen = outside
        return node

    def visit_Assert(self, node):
        """Leave out an assertion about a graph."""
        return ast.copy_location(ast.Pass(), node) if self._looks(node) else node

    def visit_Expr(self, node):
        """Leave out a call of unittest's or Theano's that asserts something about a graph."""
        name = getattr(getattr(node.value, "func", None), "attr", None)
        name = name or getattr(getattr(node.value, "func", None), "id", "")
        is_assertion = name.lower().startswith("assert")
        return ast.copy_location(ast.Pass(), node) if is_assertion and self._looks(node) else node

    def _looks(self, node):
        """Tell whether code names a part of a graph."""
        return any(
            (_is_name(one) and one.id in self._seen)
            or (isinstance(one, ast.Attribute) and one.attr in _ATTRIBUTES and not _is_own(one))
            for one in ast.walk(node)
        )


def _is_own(attribute):
    """Tell whether it is a test's own, as the ``op`` that it is about."""
    of = attribute.value
    return attribute.attr == "op" and _is_name(of) and of.id in {"self", "cls"}


def _is_name(node):
    return isinstance(node, ast.Name)


def _assigned(node):
    return node.id if _is_name(node) and isinstance(node.ctx, ast.Store) else None
