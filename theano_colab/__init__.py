"""Theano on Google Colab and Jupyter: ``%load_ext theano_colab``, then ``%theano setup``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%theano`` (called by ``%load_ext theano_colab``)."""
    from theano_colab.magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove ``%theano`` (called by ``%unload_ext theano_colab``)."""
    from theano_colab.magics import unregister

    unregister(shell)
