"""Whatever a machine says, there is a diagnosis, a panel and a report, and never an exception.

THEANO_COLAB_EXAMPLES sets how many environments are made up (default 300).
"""

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theano_colab import runtime as detection
from theano_colab.doctor.diagnose import examine
from theano_colab.doctor.report import report, write
from theano_colab.runtime import child, cuda, gpu
from theano_colab.runtime.model import (
    Blas,
    Compiler,
    CudaFile,
    CudaLibrary,
    Driver,
    Fact,
    Gpu,
    JaxDevice,
    Runtime,
    Tool,
    Toolkit,
)
from theano_colab.runtime.record import dumps, load, loads
from theano_colab.show import html, text
from theano_colab.show.doctor_panel import describe_doctor
from theano_colab.show.info_panel import describe_info

EXAMPLES = int(os.environ.get("THEANO_COLAB_EXAMPLES", "300"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

ODD = st.sampled_from(
    ["", "0", "-1", "12.8", "12.x", "9.8.0\n", "é½٣", "\x00\x1b[31m", "{cause}", "%s", "MIG-1", "/"]
)
WORD = ODD | st.text(max_size=12)
WHOLE = st.integers(-1, 2**63)
PAIR = st.tuples(st.integers(0, 99), st.integers(0, 99))
NAMES = st.sampled_from(["numpy", "jax", "jaxlib", "theano", "theano-pymc", "keras", "torch"])
VARIABLES = st.sampled_from(
    ["CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "JAX_PLATFORMS", "CUDA_HOME", "KERAS_BACKEND"]
)
FLAGS = st.sampled_from(
    ["device=cuda", "device=gpu٣", "floatX=", "a=b,c", "'", "cuda.root=/x", "device=cuda99999", ","]
)


def many_of(one):
    return st.lists(one, max_size=3).map(tuple)


STRINGS = {
    field.name: WORD
    for field in dataclasses.fields(Runtime)
    if str(field.type) == "Fact[str]"
}  # fmt: skip
NUMBERS = {f.name: WHOLE for f in dataclasses.fields(Runtime) if str(f.type) == "Fact[int]"}
TRUTHS = {f.name: st.booleans() for f in dataclasses.fields(Runtime) if str(f.type) == "Fact[bool]"}
ENVIRONMENT = st.builds(
    lambda variables, flags: {**variables, **({"THEANO_FLAGS": flags} if flags else {})},
    st.dictionaries(VARIABLES, WORD, max_size=3),
    st.none() | FLAGS | WORD,
)
VALUES = {
    **STRINGS,
    **NUMBERS,
    **TRUTHS,
    "packages": st.dictionaries(NAMES | WORD, WORD, max_size=4),
    "loaded": st.dictionaries(NAMES, WORD, max_size=3),
    "environment": ENVIRONMENT,
    "theanorc": st.dictionaries(WORD, st.just("[global]\ndevice = gpu\n") | WORD, max_size=2),
    "named_paths": st.dictionaries(WORD, st.booleans(), max_size=2),
    "theano_places": many_of(WORD),
    "conda": st.dictionaries(NAMES | WORD, WORD, max_size=2),
    "processor": st.dictionaries(
        WORD | st.sampled_from(["Vulnerability Mds", "CPU(s)"]), WORD, max_size=2
    ),
    "cpu_features": many_of(WORD | st.just("avx")),
    "cpu_quota": st.floats(allow_nan=False),
    "tools": many_of(st.builds(Tool, WORD, WORD, st.none() | WORD)),
    "gpu_state": many_of(
        st.dictionaries(WORD | st.sampled_from(["compute mode", "UUID"]), WORD, max_size=2)
    ),
    "cuda_files": many_of(st.builds(CudaFile, WORD, WORD, WORD)),
    "gpu_memory_free": many_of(WHOLE),
    "compiler": st.builds(Compiler, WORD, WORD),
    "driver": st.builds(Driver, WORD, PAIR),
    "gpus": many_of(st.builds(Gpu, st.integers(0, 99), WORD, st.integers(0, 2**60), PAIR)),
    "toolkits": many_of(st.builds(Toolkit, WORD, WORD, WORD)),
    "cuda_libraries": many_of(
        st.builds(CudaLibrary, st.sampled_from(cuda.LIBRARIES) | WORD, st.none() | WORD, WORD, WORD)
    ),
    "jax_devices": many_of(st.builds(JaxDevice, WORD, WORD)),
    "blas": many_of(st.builds(Blas, WORD, st.none() | WORD, WORD, WORD)),
}


def fact(values):
    found = st.builds(Fact.found, values, WORD)
    return found | st.builds(Fact.absent, WORD.filter(bool), WORD)


MACHINES = sorted((Path(__file__).parents[1] / "data" / "runtimes").glob("*.json"))
BASES = (Runtime.from_json({}), *(load(str(path)) for path in MACHINES))
# A recorded runtime, or nothing known, with any of its facts made up: contradictory, not only odd.
RUNTIMES = st.builds(
    lambda base, changes: dataclasses.replace(base, **changes),
    st.sampled_from(BASES),
    st.fixed_dictionaries({}, optional={name: fact(value) for name, value in VALUES.items()}),
)


def test_every_fact_is_made_up():
    assert VALUES.keys() == {field.name for field in dataclasses.fields(Runtime)}


@many
@given(RUNTIMES)
def test_a_made_up_runtime_has_a_diagnosis_panels_and_a_report(runtime):
    diagnosis = examine(runtime)
    panel = describe_doctor(diagnosis)
    assert text.write(panel)
    assert html.write(panel)
    assert text.write(describe_info(runtime))
    assert json.dumps(diagnosis.to_json())
    assert write(report(diagnosis))
    assert loads(dumps(runtime)) == runtime


class Said(child.Question):
    """A question that was answered with some text."""

    def __init__(self, output):
        self._output = output

    def answer(self, limit):
        return child.Answer(self._output, "", None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
RECORD = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("release", "cuda", "gpus", "remarks", "missing"), JSON),
).map(json.dumps)


@many
@given(WORD | JSON.map(json.dumps) | RECORD)
def test_garbled_answers_of_nvml_are_missing_facts(output):
    facts = detection._several(lambda: gpu.read(Said(output)), 4)
    assert len(facts) == 4
    for one in facts:
        assert isinstance(one, Fact)
        assert (one.value is None) != (one.missing is None)


@many
@given(
    st.dictionaries(
        st.sampled_from(["version.json", "version.txt", "include/cuda.h", "bin/nvcc", "nvvm/x"]),
        WORD | JSON.map(json.dumps) | st.just("#define CUDA_VERSION 99999999999"),
    )
)
def test_garbled_version_files_are_a_toolkit_or_none(files):
    root = Path(tempfile.mkdtemp())
    try:
        for name, content in files.items():
            path = root / "usr/local/cuda" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        found = cuda.toolkits(root)
        assert found.value is None or all(isinstance(t.version, str) for t in found.value)
    finally:
        shutil.rmtree(root)
