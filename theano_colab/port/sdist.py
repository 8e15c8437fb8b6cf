"""The sdist of Theano 1.0.5, as PyPI lists it."""

from __future__ import annotations

from theano_colab.port.archive import Archive

THEANO = Archive(
    name="Theano",
    version="1.0.5",
    file="Theano-1.0.5.tar.gz",
    sha256="6e9439dd53ba995fcae27bf20626074bfc2fff446899dc5c53cb28c1f9202e89",
)
