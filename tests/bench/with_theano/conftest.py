"""Benchmarks with a real Theano, in C and by XLA on the CPU: needs Theano's port and JAX."""

import importlib.util
import os
import tempfile
from pathlib import Path

COMPILED = Path(tempfile.gettempdir()) / "theano-colab-bench"

if importlib.util.find_spec("theano") and importlib.util.find_spec("jax"):
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    # Without optimization: what is measured is small, and compiling is what takes the time.
    os.environ.setdefault(
        "THEANO_FLAGS",
        f"base_compiledir={COMPILED},blas.ldflags=,cmodule.remove_gxx_opt=True,compile.wait=1",
    )
else:
    collect_ignore_glob = ["test_*.py"]
