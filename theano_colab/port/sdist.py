"""The sdists of Theano 1.0.5 and of Theano-PyMC 1.1.2, as PyPI lists them."""

from __future__ import annotations

from theano_colab.port.archive import Archive

THEANO = Archive(
    name="Theano",
    version="1.0.5",
    file="Theano-1.0.5.tar.gz",
    sha256="6e9439dd53ba995fcae27bf20626074bfc2fff446899dc5c53cb28c1f9202e89",
)
THEANO_PYMC = Archive(
    name="Theano-PyMC",
    version="1.1.2",
    file="Theano-PyMC-1.1.2.tar.gz",
    sha256="5da6c2242ea72a991c8446d7fe7d35189ea346ef7d024c890397011114bf10fc",
)
