"""The XLA backend beside Theano's own C code: needs Theano's port and JAX.

On XLA's CPU, or on the device that THEANO_COLAB_TEST_DEVICE names ("cuda").
"""

import os
import tempfile
from pathlib import Path

import pytest

COMPILED = Path(
    os.environ.get("THEANO_COLAB_TEST_COMPILED", Path(tempfile.gettempdir()) / "theano-colab-xla")
)
DEVICE = os.environ.get("THEANO_COLAB_TEST_DEVICE", "xla")
if DEVICE == "xla":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Code that an earlier run compiled would hide what the compiler does to today's; see test_cache.py.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
# Without optimization: what is compared is small, and there is much of it.
os.environ["THEANO_FLAGS"] = (
    f"base_compiledir={COMPILED},blas.ldflags=,cmodule.remove_gxx_opt=True,compile.wait=1,"
    "on_opt_error=raise,on_shape_error=raise,compute_test_value=off"
)


def pytest_ignore_collect(collection_path, config):
    """Leave these tests out where Theano or JAX is missing: ``make xla`` has an environment."""
    try:
        import jax  # noqa: F401  # asked for only
        import theano  # noqa: F401  # likewise
    except ImportError:
        return True
    return None


@pytest.fixture(scope="session", autouse=True)
def _device():
    """Make the backend known, without making it the default."""
    from theano_colab.xla import use

    use(DEVICE, default=False)
