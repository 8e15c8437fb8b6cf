"""The programs that people ask about, as they wrote them, each in a process of its own.

(a) to (f) are those of notebooks/06_flags. A program prints numbers and the device; the tests ask
for the right numbers and for the device that really computed.
"""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

# What a program ends with: whether a function runs on XLA's device, and its numbers.
PROOF = """
import json, numpy
v = theano.shared(numpy.arange(6, dtype="float32"))
f = theano.function([], (v * v).sum())
places = ["xla" if "Xla" in type(n.op).__name__ else "cpu" for n in f.maker.fgraph.toposort()]
print(json.dumps({"device": theano.config.device, "sum": float(f()), "ran": places[0],
                  "floatX": theano.config.floatX}))
"""


def proven(said: str) -> dict:
    return json.loads(said.splitlines()[-1])


FLAGS_BEFORE = """
import os
os.environ["THEANO_FLAGS"] = os.environ["OWN_FLAGS"] + ",device={device},floatX=float32"
import theano
print(theano.config.device)
"""


@pytest.mark.parametrize("asked", ["cuda", "cuda0", "gpu", "cpu", "xla"])
def test_a_flags_before_the_import(place, asked):
    said, errors = place.run(FLAGS_BEFORE.format(device=asked) + PROOF)
    # There is no GPU here: the CPU computes, config says so, and the log says why.
    true = asked if asked in {"cpu", "xla"} else "cpu"
    assert said.splitlines()[0] == true
    assert proven(said) == {"device": true, "sum": 55.0, "ran": true, "floatX": "float32"}
    asked_today = asked.replace("gpu", "cuda")
    assert (f"device={asked_today} cannot be used; the CPU computes." in errors) == (true != asked)
    assert ("device=gpu is an old name; today it is device=cuda" in errors) == (asked == "gpu")


@pytest.mark.parametrize("there", [False, True])
def test_b_cuda_root(place, there, tmp_path, device):
    root = tmp_path / "cuda-11.8"
    if there:
        (root / "include").mkdir(parents=True)
    program = f"""
import os
os.environ["THEANO_FLAGS"] = os.environ["OWN_FLAGS"] + ",cuda.root={root}"
os.environ["THEANO_FLAGS"] += ",device={device},floatX=float32"
import theano
print(theano.config.cuda.root)
{PROOF}"""
    said, _ = place.run(program)
    assert said.splitlines()[0] == str(root)
    assert proven(said) == {"device": device, "sum": 55.0, "ran": device, "floatX": "float32"}


# In a kernel: cells one after the other, with the extension loaded.
KERNEL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "theano_colab")
def cell(text):
    print("-- cell")
    shell.run_cell(text)
"""
LATE = """
import os
try:
    os.environ["THEANO_FLAGS"] = "device=cuda0,floatX=float32"
    import theano
except Exception as e:
    print("no GPU", e)
"""


def test_c_flags_after_the_import_are_told_at_the_cell(place, device):
    cells = ["import theano", LATE, "1 + 1", PROOF.replace("import json", "import json, theano")]
    program = KERNEL + "".join(f"cell({one!r})\n" for one in cells)
    said, _ = place.run(program, f"device={device},floatX=float64")
    _, first, late, third, last = said.split("-- cell\n")
    assert (first, third.strip()) == ("", "") or "2" in third
    assert late.splitlines() == [
        "THEANO_FLAGS was set after the import of theano, which reads it: "
        "device=cuda0, floatX=float32 did nothing.",
        f"  evidence: theano.config.device is {device}, theano.config.floatX is float64; "
        "THEANO_FLAGS=device=cuda0,floatX=float32",
        "  remedy:   Run %theano setup: it sets in this kernel what can be set, and says what "
        "cannot. Or restart the kernel and set THEANO_FLAGS before the first import theano.",
    ]
    assert proven(last) == {"device": device, "sum": 55.0, "ran": device, "floatX": "float64"}


@pytest.mark.parametrize("same", ["floatX=float32", "device=cpu,floatX=float32", ""])
def test_c_flags_that_are_so_already_need_no_word(place, same):
    cells = ["import theano, os", f"os.environ['THEANO_FLAGS'] = {same!r}"]
    program = KERNEL + "".join(f"cell({one!r})\n" for one in cells)
    said, _ = place.run(program, "floatX=float32")
    assert said.split("-- cell\n")[-1] == "-- cell"


OLD_CUDA = """
import theano
import theano.sandbox.cuda as cuda
print(cuda.cuda_available, cuda.cuda_enabled)
cuda.use({name!r})
"""


@pytest.mark.parametrize("name", ["gpu", "gpu0"])
def test_d_the_old_backend_at_run_time(place, name, device):
    said, errors = place.run(OLD_CUDA.format(name=name) + PROOF, f"device={device},floatX=float32")
    assert said.splitlines()[0] == "False False"
    assert proven(said) == {"device": device, "sum": 55.0, "ran": device, "floatX": "float32"}
    assert f"device={name.replace('gpu', 'cuda')} cannot be used: " in errors
    assert f"{device} computes." in errors
    assert errors.count("theano.sandbox.cuda.use is an old name; today it is ") == 1


# The CPU is taken for a GPU: what is tested is what old code is told where there is one.
A_GPU = """
import theano, theano_colab.xla.device as contexts
contexts.GPU_PLATFORMS = frozenset({"cpu"})
spec = contexts._SPEC
contexts.jax.devices = lambda platform=None, of=contexts.jax.devices: of("cpu")
"""


def test_d_where_there_is_a_gpu_it_is_taken_into_use(place):
    program = f"""
{A_GPU}
import theano.sandbox.cuda as cuda
before = theano.config.device, cuda.cuda_enabled
cuda.use("gpu0")
print(before, theano.config.device, cuda.cuda_enabled, cuda.cuda_available)
print(cuda.active_device_number(), cuda.dnn_available())
{PROOF.replace('"Xla"', '"Gpu"')}
cuda.unuse()
print(theano.config.device, cuda.cuda_enabled, type(theano.shared(numpy.ones(2))).__name__)
"""
    said, _ = place.run(program)
    first, second, proof, last = said.splitlines()
    assert first == "('cpu', False) cuda0 True True"
    assert second == "0 True"
    expected = {"device": "cuda0", "sum": 55.0, "ran": "xla", "floatX": "float64"}
    assert json.loads(proof) == expected
    assert last == "cpu False TensorSharedVariable"


@pytest.mark.parametrize("late", ["gpu", "cuda0", "xla", "cpu"])
def test_d_config_device_set_after_the_import_tells_the_truth(place, late, device):
    program = f"""
import theano
try:
    theano.config.device = {late!r}
    theano.config.floatX = "float32"
except Exception as e:
    print("refused", e)
{PROOF}"""
    said, errors = place.run(program, f"device={device}")
    true = late if late in {"xla", "cpu"} else device
    assert "refused" not in said
    assert proven(said) == {"device": true, "sum": 55.0, "ran": true, "floatX": "float32"}
    assert (" cannot be used: " in errors) == (true != late)


DOT = """
import numpy
import theano
import theano.tensor as tensor
from theano import tensor as T
x, y = tensor.matrix("x"), tensor.matrix("y")
rng = numpy.random.RandomState(0)
a = rng.rand(1000, 1000).astype("float32")
b = rng.rand(1000, 1000).astype("float32")
f = theano.function([x, y], T.dot(x, y){options})
result = f(a, b)
error = float(abs(result - a.astype("float64").dot(b)).max())
ran = any("Xla" in type(n.op).__name__ for n in f.maker.fgraph.toposort())
print(str(result.dtype), error < (1e-8 if result.dtype == "float64" else 2e-3), ran)
print(theano.config.device)
"""


@pytest.mark.parametrize("float_x", ["float64", "float32"])
def test_e_a_product_of_two_matrices(place, float_x, device):
    said, _ = place.run(DOT.format(options=""), f"device={device},floatX={float_x}")
    assert said.splitlines() == [f"{float_x} True {device == 'xla'}", device]


@pytest.mark.parametrize("float_x", ["float64", "float32"])
def test_f_the_same_after_cuda_use_with_input_downcast(place, float_x, device):
    program = "import theano.sandbox.cuda\ntheano.sandbox.cuda.use('gpu')\n"
    program += DOT.format(options=", allow_input_downcast=True").replace(
        '.astype("float32")', "", 2
    )
    said, errors = place.run(program, f"device={device},floatX={float_x}")
    assert said.splitlines() == [f"{float_x} True {device == 'xla'}", device]
    assert "device=cuda cannot be used: " in errors
