"""Start a real ipykernel that runs in a given environment, as a notebook's server would."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a user's shell may hold and a fresh runtime does not: each would decide something for Theano,
# for Python or for the kernel behind the notebook's back.
_NOT_INHERITED = ("THEANO", "PYTHON", "PYTEST", "VIRTUAL_ENV", "IPYTHON", "JPY_", "COLAB_", "MKL_")

_LAUNCH = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


class OneKernel(KernelSpecManager):
    """Every kernel's name means an ipykernel in the environment at ``environment``."""

    environment: Path

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002  # the base's
        """Return the spec, whatever the name."""
        python = str(self.environment / "bin" / "python")
        return KernelSpec(
            # The option keeps debugpy from warning on stderr; ipykernel's own specs have it too.
            argv=[python, "-Xfrozen_modules=off", *_LAUNCH],
            display_name=f"Python ({self.environment.name})",
            language="python",
        )


def kernel_spec(environment: Path) -> OneKernel:
    """Return what a KernelManager takes as ``kernel_spec_manager`` to start kernels there."""
    manager = OneKernel()
    manager.environment = environment
    return manager


def socket_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new folder for kernels that speak through Unix sockets instead of ports.

    A free port is looked for before the kernel starts and bound by the kernel: on a machine where
    pip and other kernels open connections meanwhile, it is taken now and then.
    """
    # Short whatever TMPDIR says: the path of such a socket has at most 107 bytes (unix(7)).
    return tempfile.TemporaryDirectory(prefix="kernel-", dir="/tmp")


@contextlib.contextmanager
def sockets() -> Iterator[dict[str, str]]:
    """Give what a KernelManager takes to speak with its kernel through Unix sockets."""
    with socket_folder() as folder:
        yield {"transport": "ipc", "ip": f"{folder}/at"}


def variables(environment: Path, home: Path, wheel: Path | None = None) -> dict[str, str]:
    """Return the environment variables of a fresh runtime whose HOME is ``home``.

    pip keeps the user's own configuration and cache. With ``wheel``, ``pip install theano-colab``
    means that file and nothing else: a constraint, so that nothing of that name in an index can
    come in its place.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    home.mkdir(parents=True, exist_ok=True)
    own = Path.home()
    kept |= {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(environment / "bin"), os.environ.get("PATH", os.defpath)]),
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(own / ".config")),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(own / ".cache" / "pip")),
    }
    if wheel is not None:
        constraint = home / "theano-colab.constraint"
        constraint.write_text(f"theano-colab @ {wheel.as_uri()}\n")
        kept["PIP_CONSTRAINT"] = _joined(os.environ.get("PIP_CONSTRAINT"), str(constraint))
    return kept


def _joined(*paths: str | None) -> str:
    """Join what pip reads as a list: paths with spaces between them."""
    return " ".join(path for path in paths if path)


def merged(base: Mapping[str, str], extra: Mapping[str, str | None]) -> dict[str, str]:
    """Return ``base`` with the variables of ``extra`` set, or removed where they are None."""
    both = {**base, **extra}
    return {name: text for name, text in both.items() if text is not None}
