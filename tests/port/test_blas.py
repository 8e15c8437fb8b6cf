"""BLAS through Theano: every library found here, and none; products against NumPy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import running

from theano_colab.runtime import blas

LIBRARIES = {Path(library.path).name: library.ldflags for library in blas.find(versions=False)}


@pytest.fixture(scope="module", params=[*LIBRARIES, "none"])
def outcomes(request, run_port):
    flags = LIBRARIES.get(request.param, "")
    return running.outcomes(run_port, "blas_programs", f"blas.ldflags={flags}")


@pytest.mark.slow
@pytest.mark.parametrize("name", running.names("blas_programs"))
def test_product_is_numpys(name, outcomes):
    assert outcomes[name] == ""


def test_the_first_library_found_is_the_default(run_port):
    found = blas.find(versions=False)
    expected = found[0].ldflags if found else ""
    program = "import logging; logging.disable()\nimport theano\nprint(theano.config.blas.ldflags)"
    assert run_port("-c", program).strip() == expected


def test_every_symbol_that_theano_declares_is_renamed(port):
    """Theano's header and the prefix's header name the same symbols.

    Those in _sub_ are of wrappers that no library has and no op calls.
    """
    declared = re.findall(
        r"\b(?:void|float|double)\s+([a-z0-9]+_)\(",
        (port / "theano/tensor/blas_headers.py").read_text("utf-8"),
    )
    renamed = re.findall(
        r"#define (\w+_) THEANO_COLAB_BLAS\(\1\)",
        (port / "theano/_port/theano_colab_blas.h").read_text("utf-8"),
    )
    assert len(declared) > 100
    assert {name for name in declared if not name.endswith("_sub_")} <= set(renamed)
