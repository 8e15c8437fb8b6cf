"""The port imports: every module that Theano's own could, without one warning."""

from __future__ import annotations

import re

import pytest

# Modules that never could be imported without something else, and those that say on purpose
# that they moved; with the reason.
EXCEPTIONS = {
    "theano.gpuarray.nerv": "removed by Theano itself, and says so",
    "theano.misc.check_duplicate_key": "a script that reads the compile directory",
    "theano.misc.gh_api": "a script; needs requests",
    "theano.misc.latence_gpu_transfer": "a script that measures",
    "theano.misc.elemwise_time_test": "a script that measures",
    "theano.misc.elemwise_openmp_speedup": "a script that measures",
    "theano.misc.check_blas": "a script that measures",
    "theano.misc.check_multi_gpu": "a script that measures",
    "theano.sandbox.blocksparse": "moved; warns",
    "theano.sandbox.conv": "moved; says so",
    "theano.sandbox.softsign": "moved; says so",
    "theano.sandbox.cuda": "removed; says so by a SkipTest",
    "theano.sandbox.fourier": "moved; warns",
    "theano.sandbox.solve": "moved; warns",
    "theano.sparse.sandbox.test_sp": "a test; skips",
    "theano.sparse.sandbox.truedot": "imports that test",
}
WALK = f"""
import importlib, pkgutil, theano
for module in pkgutil.walk_packages(theano.__path__, "theano.", onerror=lambda name: None):
    if module.name in {sorted(EXCEPTIONS)} or ".tests" in module.name or "time_test" in module.name:
        continue
    try:
        importlib.import_module(module.name)
    except BaseException as error:
        print(module.name, type(error).__name__, error)
"""


def test_import_warns_of_nothing_and_gives_the_version(run_port):
    printed = run_port(
        "-c", "import theano; print(theano.__version__, theano.version.full_version)"
    )
    assert printed == "1.0.5 1.0.5+colab.1\n"


@pytest.mark.slow
def test_every_module_is_imported_without_a_warning(run_port):
    printed = run_port("-c", WALK)
    assert not re.findall(r"^theano\..*Error.*|^theano\..*Warning.*", printed, re.MULTILINE)


def test_unittest_tools_needs_neither_nose_nor_parameterized(run_port):
    hide = "import sys; sys.modules['nose'] = sys.modules['parameterized'] = None;"
    run_port(
        "-c", hide + "import theano.tests.unittest_tools as utt; utt.fetch_seed(); utt.SkipTest"
    )


def test_every_file_compiles_without_a_warning(run_port, port):
    run_port("-m", "compileall", "-q", "-f", str(port / "theano"))
