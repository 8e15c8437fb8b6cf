"""Old names in processes of their own: every one of them answers, and what it gives is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from theano_colab import legacy

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


def test_every_name_answers_with_one_warning_or_says_what_to_do(place):
    said, _ = place.run((HERE / "every_name.py").read_text("utf-8"))
    result = json.loads(said.splitlines()[-1])
    assert result["wrong"] == []
    assert result["asked"] > 400


def test_programs_under_old_names_are_right(place, device):
    flags = f"device={device},floatX=float32"
    said, _ = place.run((HERE / "programs.py").read_text("utf-8"), flags)
    result = json.loads(said.splitlines()[-1])
    assert result["failed"] == {}, "\n".join(result["failed"].values())
    assert result["ran"] == 29


def test_a_warning_names_the_user_s_line_and_comes_once(place):
    program = """
    import theano
    from theano.tensor.signal.downsample import max_pool_2d
    from theano.tensor.signal import downsample
    f = downsample.max_pool_2d
    """
    _, errors = place.run(program)
    warned = [line for line in errors.splitlines() if "DeprecationWarning" in line]
    assert warned == [
        "<string>:3: DeprecationWarning: theano.tensor.signal.downsample.max_pool_2d is an old "
        "name; today it is theano.tensor.signal.pool.pool_2d"
    ]


def test_where_there_is_a_gpu_the_layers_for_cudnn_are_used(place):
    """As Lasagne asks before it offers them; the CPU is taken for a GPU, to see what it is told."""
    program = """
    import numpy, theano, theano.tensor as T, theano_colab.xla.device as contexts
    contexts.GPU_PLATFORMS = frozenset({"cpu"})
    contexts.jax.devices = lambda platform=None, of=contexts.jax.devices: of("cpu")
    theano.config.device = "gpu"
    from theano import gpuarray as gpu
    print(gpu.pygpu_activated, gpu.dnn.dnn_present(), theano.config.device)
    i, k = (theano.shared(numpy.ones((1, 1, 3, 3), "float32")) for _ in range(2))
    f = theano.function([], gpu.dnn.dnn_pool(gpu.dnn.dnn_conv(i, k), (1, 1)))
    print(f().tolist(), *[type(n.op).__name__ for n in f.maker.fgraph.toposort()])
    """
    said, errors = place.run(program)
    assert said.splitlines() == ["True True cuda", "[[[[9.0]]]] GpuCluster HostFromGpu"]
    assert "ERROR" not in errors


def test_a_pygpu_that_cannot_be_imported_leaves_the_names_to_us(place, tmp_path):
    (tmp_path / "pygpu").mkdir()
    (tmp_path / "pygpu" / "__init__.py").write_text("raise ImportError('libgpuarray.so.3')")
    program = f"""
    import sys
    sys.path.insert(0, {str(tmp_path)!r})
    import theano.gpuarray
    print(theano.gpuarray.pygpu, theano.gpuarray.dnn.dnn_pool.__module__)
    """
    said, _ = place.run(program)
    assert said == "None theano._port.legacy.dnn"


def test_theanos_own_code_gets_its_own_names(place):
    """``from package import name`` asks from within the import machinery, for whom it is."""
    ask = "from theano.gpuarray import GpuArrayType; print(GpuArrayType.__module__)"
    said, errors = place.run(
        f"import theano; exec({ask!r}, {{'__name__': 'theano.scan_module.scan_op'}}); {ask}"
    )
    assert said.split() == ["theano.gpuarray.type", "theano._port.legacy.arrays"]
    assert errors.count("DeprecationWarning") == 1


def test_import_theano_does_not_read_the_names(place):
    said, _ = place.run(
        "import sys, theano; print([m for m in sys.modules if 'legacy' in m or m == 'tomllib'])"
    )
    assert said == "['theano._port.legacy']"


def test_what_python_2_pickled_loads_and_runs(place):
    """Written by Python 2.7, Theano 0.8.2 and NumPy 1.16.6: see data/write_pickles.py."""
    program = (HERE / "read_pickles.py").read_text("utf-8")
    program = program.replace("sys.argv[1]", repr(str(HERE / "data" / "python2.zip")))
    result = json.loads(place.run(program)[0].splitlines()[-1])
    assert result["wrong"] == {}, "\n".join(result["wrong"].values())
    assert result["ran"] == 115


def test_names_that_are_gone_say_when_and_what_to_do():
    for module, table in legacy.tables().items():
        for name, entry in table["names"].items():
            assert entry["removed"] in {"0.7", "0.8", "0.9", "0.10", None}, (module, name)
            assert entry["removed"] or table.get("shadows"), (module, name)
            assert "gone" not in entry or entry["gone"].endswith("."), (module, name)
