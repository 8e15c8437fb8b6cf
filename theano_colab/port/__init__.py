"""Theano 1.0.5 as a wheel for today's Python and NumPy: the pinned sdist, rewritten by rules."""

from theano_colab.port.store import build_port
from theano_colab.port.wheel import build_wheel, fingerprint, port_version

__all__ = ["build_port", "build_wheel", "fingerprint", "port_version"]
