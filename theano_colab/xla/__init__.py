"""Theano's GPU backend of today: parts of graphs compiled by XLA, through JAX.

``use("cuda0")`` does what ``theano.gpuarray.use`` did: shared variables are made on the device, and
functions run there. Needs JAX; nothing of it is imported before a device is asked for.
"""

from __future__ import annotations

import theano  # noqa: F401  # first: its import ends in modules of this package

from theano_colab.xla.switch import leave, use

__all__ = ["leave", "use"]
