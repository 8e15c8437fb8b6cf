"""How ``import theano`` takes the devices of its flags into use; each in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

import theano_colab.xla.device as contexts
from theano_colab.runtime.model import Fact, Gpu

GIB = 2**30
FLAGS = os.environ["THEANO_FLAGS"]  # conftest.py's: where compiled code goes

TUTORIAL = """
    from theano import function, config, shared, tensor
    import numpy
    vlen = 10 * 30 * 768
    x = shared(numpy.random.RandomState(22).rand(vlen).astype(config.floatX))
    f = function([], tensor.exp(x))
    for i in range(3):
        r = f()
    ops = [x.op for x in f.maker.fgraph.toposort()]
    if any('Gpu' in type(op).__name__ for op in ops): print('Used the gpu')
    elif any(isinstance(op, tensor.Elemwise) for op in ops): print('Used the cpu')
    else: print('Used XLA')
    assert type(r) is numpy.ndarray
"""


def run(flags, program, **environment):
    """Run a program in a process with these flags; return its output, its errors, its status."""
    base = {k: v for k, v in os.environ.items() if not k.startswith(("THEANO", "XLA_", "CUDA_"))}
    base |= {"THEANO_FLAGS": f"{FLAGS},{flags}"}
    base |= {"PYTHONPATH": os.pathsep.join(sys.path), "JAX_PLATFORMS": "cpu", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env=base,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip(), done.stderr, done.returncode


def test_the_device_is_in_use_and_ops_do_not_claim_a_gpu():
    said, errors, status = run("device=xla,floatX=float32", TUTORIAL)
    assert (said, status) == ("Used XLA", 0), errors
    assert "Mapped name None to device xla: cpu (XLA)" in errors


@pytest.mark.parametrize("first", ["theano_colab.xla", "theano_colab.xla.compile"])
def test_the_backend_may_be_imported_before_theano(first):
    said, errors, status = run("device=xla", f"import {first}, theano; print(theano.config.device)")
    assert (said, status) == ("xla", 0), errors
    assert "ERROR" not in errors


def test_on_a_gpu_the_tutorial_program_says_so():
    # The CPU is taken for a GPU: what is tested is that the names of ops ask for the platform.
    program = """
    import theano_colab.xla
    theano_colab.xla.device.GPU_PLATFORMS = frozenset({"cpu"})
    theano_colab.xla.use("xla")
    """
    program = textwrap.dedent(program) + textwrap.dedent(TUTORIAL)
    said, errors, status = run(
        "floatX=float32", f"{program}print(*[type(op).__name__ for op in ops])"
    )
    assert status == 0, errors
    assert said.splitlines() == ["Used the gpu", "GpuCluster HostFromGpu"]


def test_without_a_gpu_the_cpu_computes_and_the_log_says_why():
    program = "import theano; print(theano.config.device)"
    said, errors, status = run("device=cuda", program)
    assert (said, status) == ("cpu", 0)
    assert "ERROR (theano.device): device=cuda cannot be used; the CPU computes." in errors


def test_a_jax_that_was_started_without_the_device_is_named_as_the_reason():
    program = "import jax; jax.devices(); import theano; print(theano.config.device)"
    said, errors, status = run("device=cuda", program)
    assert (said, status) == ("cpu", 0)
    assert "JAX was started before Theano, without this device: " in errors


def test_a_forced_device_is_an_error():
    _, errors, status = run("device=cuda0,force_device=True", "import theano")
    assert status != 0
    assert "RuntimeError: device=cuda0: " in errors


def test_a_jax_without_such_a_platform_is_an_error_too():
    _, errors, status = run("device=xla,force_device=True", "import theano", JAX_PLATFORMS="cuda")
    assert status != 0
    assert "RuntimeError: device=xla: " in errors


def test_several_contexts():
    program = """
    import numpy, theano
    from theano import tensor
    a = theano.shared(numpy.ones(3, 'float32'), target='dev0')
    b = theano.shared(numpy.ones(3, 'float32'), target='dev1')
    devices = [v.get_value(return_internal_type=True).devices() for v in (a, b)]
    print([one.id for found in devices for one in found])
    f = theano.function([], (a.transfer('dev1') + b).transfer('cpu'))
    print(f().tolist())
    """
    flags = "contexts=dev0->xla0;dev1->xla1,floatX=float32"
    two = "--xla_force_host_platform_device_count=2"
    said, errors, status = run(flags, program, XLA_FLAGS=two)
    assert status == 0, errors
    assert said.splitlines() == ["[0, 1]", "[2.0, 2.0, 2.0]"]


def test_init_gpu_device_leaves_the_cpu_the_default():
    program = """
    import numpy, theano
    v = theano.shared(numpy.ones(3, 'float32'))
    print(theano.config.device, type(v).__name__)
    """
    said, errors, status = run("device=cpu,init_gpu_device=xla", program)
    assert status == 0, errors
    assert said == "cpu TensorSharedVariable"


def test_flags_that_contradict_each_other():
    _, errors, status = run("device=xla,init_gpu_device=xla", "import theano")
    assert status != 0
    assert "you must set device=cpu to use init_gpu_device" in errors


@pytest.mark.parametrize("device", ["cpu", "xla"])
def test_the_precision_is_a_flag_that_the_cpu_knows_too(device):
    program = "import theano; print(theano.config.device, theano.config.xla.precision)"
    said, errors, status = run(f"device={device},xla.precision=tf32", program)
    assert status == 0, errors
    assert said == f"{device} tf32"


@pytest.fixture
def memory(monkeypatch):
    """Return what reserves memory on two cards, and the variables that XLA then reads."""
    for name in ("CUDA_VISIBLE_DEVICES", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    cards = (Gpu(0, "T4", 16 * GIB, (7, 5)), Gpu(1, "A100", 40 * GIB, (8, 0)))
    from theano_colab.runtime import gpu

    monkeypatch.setattr(gpu, "ask", lambda: None)
    monkeypatch.setattr(gpu, "read", lambda _: (None, Fact.found(cards, "test")))

    def reserve(preallocate, spec="cuda"):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        contexts.reserve_memory(preallocate, spec)
        found = [os.environ.get(name) for name in VARIABLES]
        for name in VARIABLES:
            monkeypatch.setenv(name, "")
        return found

    return reserve


VARIABLES = ("XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION")


def test_memory_is_taken_as_it_is_needed_unless_theano_is_told_otherwise(memory):
    assert memory(0) == memory(-1) == ["false", None]
    assert memory(0.5) == ["true", "0.5000"]
    assert memory(1) == ["true", "0.9500"]


def test_megabytes_are_a_share_of_the_card_that_is_meant(memory, monkeypatch):
    assert memory(4096) == memory(4096, "cuda0") == ["true", "0.2500"]
    assert memory(4096, "cuda1") == ["true", "0.1000"]
    assert memory(10**6) == ["true", "0.9500"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert memory(4096, "cuda0") == ["true", "0.1000"]


def test_megabytes_of_a_card_that_is_not_there(memory):
    assert memory(4096, "cuda7") == ["false", None]


def test_the_user_s_own_settings_of_xla_stay(monkeypatch):
    monkeypatch.setenv(VARIABLES[0], "true")
    monkeypatch.setenv(VARIABLES[1], "0.3")
    contexts.reserve_memory(0)
    assert [os.environ[name] for name in VARIABLES] == ["true", "0.3"]


def test_a_jax_that_is_started_tells_its_devices():
    program = """
    from theano_colab.runtime import accelerators
    import jax
    assert accelerators.started() is None
    jax.devices()
    print(accelerators.started().value[0].platform)
    """
    said, errors, status = run("", program)
    assert (said, status) == ("cpu", 0), errors
