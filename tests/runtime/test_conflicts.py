"""Each rule on runtimes made for it, on those that Colab publishes, and on garbled ones."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theano_colab.plan.flags import Flags, Setting
from theano_colab.runtime.conflicts import LEVELS, conflicts
from theano_colab.runtime.model import (
    Compiler,
    CudaLibrary,
    Driver,
    Fact,
    Gpu,
    Runtime,
    Toolkit,
)
from theano_colab.runtime.record import load
from theano_colab.runtime.rules import RULES, data

FOLDER = Path(__file__).parents[1] / "data" / "runtimes"
RECORDED = sorted(FOLDER.glob("20*.json"))
GIB = 1 << 30
T4 = Gpu(0, "Tesla T4", 15 * GIB, (7, 5))
L4 = Gpu(1, "NVIDIA L4", 23 * GIB, (8, 9))
DRIVER = Driver("550.54.15", (12, 4))
WHEEL = "/usr/lib/python3/dist-packages/nvidia"
PLUGIN = {"jaxlib": "0.7.2", "jax-cuda12-plugin": "0.7.2"}


def runtime(**facts):
    blank = Runtime.from_json({})
    values = {
        n: f if isinstance(f, Fact) else Fact.found(f, f"source of {n}") for n, f in facts.items()
    }
    return dataclasses.replace(blank, **values)


def library(name, version, origin="wheel", folder=WHEEL):
    return CudaLibrary(name, version, f"{folder}/lib{name}.so.{version}", origin)


def toolkit(version, root=None):
    return Toolkit(root or f"/usr/local/cuda-{version}", version, "nvcc on PATH")


def absent(reason):
    return Fact.absent(reason, "NVML")


# id, facts, flags, what the evidence must name; and how the conflict goes away again.
CASES = [
    (
        "driver-older-than-plugin",
        {"driver": Driver("470.82.01", (11, 4)), "packages": PLUGIN},
        "",
        ["470.82.01", "jax-cuda12-plugin 0.7.2"],
        {"driver": DRIVER},
    ),
    (
        "gpu-too-old-for-plugin",
        {"gpus": (Gpu(0, "Tesla K80", 12 * GIB, (3, 7)),), "packages": PLUGIN},
        "",
        ["Tesla K80 has compute capability 3.7", "jax-cuda12-plugin"],
        {"gpus": (T4,)},
    ),
    (
        "plugin-not-of-jaxlib",
        {"packages": {"jaxlib": "0.7.2", "jax-cuda12-plugin": "0.6.0"}},
        "",
        ["jaxlib 0.7.2", "jax-cuda12-plugin 0.6.0"],
        {"packages": PLUGIN},
    ),
    (
        "no-driver",
        {"pci_gpus": 1, "driver": absent("Driver Not Loaded"), "container": absent("none")},
        "",
        ["1 NVIDIA display", "Driver Not Loaded"],
        {"driver": DRIVER},
    ),
    (
        "no-driver-in-container",
        {"pci_gpus": 2, "driver": absent("no NVML"), "container": "docker"},
        "",
        ["2 NVIDIA display", "no NVML", "docker"],
        {"driver": DRIVER},
    ),
    (
        "stub-libcuda",
        {"driver_library": "/usr/local/cuda/lib64/stubs/libcuda.so.1"},
        "",
        ["/usr/local/cuda/lib64/stubs/libcuda.so.1"],
        {"driver_library": "/usr/lib64-nvidia/libcuda.so.1"},
    ),
    (
        "mig-without-instance",
        {"gpus": absent("GPU 0 is in MIG mode and has no instance that we may use")},
        "",
        ["MIG mode"],
        {"gpus": (T4,)},
    ),
    (
        "mig-instances",
        {"gpus": tuple(Gpu(0, f"A100 MIG {i}g.5gb", GIB, (8, 0)) for i in (1, 2))},
        "",
        ["A100 MIG 1g.5gb, A100 MIG 2g.5gb"],
        {"gpus": (T4,)},
    ),
    (
        "device-hidden",
        {"gpus": (T4, L4), "environment": {"CUDA_VISIBLE_DEVICES": "1"}},
        "device=cuda1",
        ["device=cuda1", "CUDA_VISIBLE_DEVICES=1", "1: NVIDIA L4"],
        {"environment": {"CUDA_VISIBLE_DEVICES": "1,0"}},
    ),
    (
        "all-hidden",
        {"gpus": (T4,), "environment": {"CUDA_VISIBLE_DEVICES": "-1"}},
        "device=cuda",
        ["CUDA_VISIBLE_DEVICES=-1", "device=cuda"],
        {"environment": {"CUDA_VISIBLE_DEVICES": "0"}},
    ),
    (
        "device-not-there",
        {"gpus": (T4,)},
        "device=cuda3",
        ["device=cuda3", "0: Tesla T4"],
        {"gpus": tuple(dataclasses.replace(T4, index=i) for i in range(4))},
    ),
    (
        "colab-without-gpu",
        {"colab_release": "release-colab", "gpus": absent("NVML Shared Library Not Found")},
        "device=gpu",
        ["device=gpu", "NVML Shared Library Not Found"],
        {"gpus": (T4,)},
    ),
    (
        "numpy-changed",
        {"loaded": {"numpy": "2.0.2"}, "packages": {"numpy": "1.26.4"}},
        "",
        ["imported: numpy 2.0.2", "on disk: numpy 1.26.4"],
        {"packages": {"numpy": "2.0.2"}},
    ),
    (
        "module-changed",
        {"loaded": {"theano": "1.0.5"}, "packages": {"theano": "1.0.5+colab.1"}},
        "",
        ["theano 1.0.5", "1.0.5+colab.1"],
        {"loaded": {}},
    ),
    (
        "theano-shadowed",
        {
            "packages": {"theano": "1.0.5+colab.1"},
            "site_packages": "/usr/lib/site-packages",
            "theano_places": ("/content/theano.py", "/usr/lib/site-packages/theano/__init__.py"),
        },
        "",
        ["/content/theano.py", "/usr/lib/site-packages/theano/__init__.py"],
        {"theano_places": ("/usr/lib/site-packages/theano/__init__.py",)},
    ),
    (
        "two-theanos",
        {"packages": {"theano": "1.0.5", "theano-pymc": "1.1.2"}},
        "",
        ["theano-pymc 1.1.2", "theano 1.0.5"],
        {"packages": {"theano": "1.0.5"}},
    ),
    (
        "pygpu-broken",
        {"packages": {"pygpu": "0.7.6"}, "pygpu": absent("ImportError: libgpuarray.so.3")},
        "",
        ["pygpu 0.7.6", "libgpuarray.so.3"],
        {"pygpu": "0.7.6"},
    ),
    (
        "processor-without-avx",
        {"machine": "x86_64", "cpu_features": ("sse2", "ssse3"), "packages": PLUGIN},
        "",
        ["no avx among 2 features", "jaxlib 0.7.2"],
        {"cpu_features": ("avx", "sse2")},
    ),
    (
        "gpu-not-shared",
        {"gpus": (T4,), "gpu_state": ({"compute mode": "exclusive process"},)},
        "",
        ["Tesla T4: compute mode exclusive process"],
        {"gpu_state": ({"compute mode": "default"},)},
    ),
    (
        "keras-without-theano",
        {"packages": {"keras": "3.8.0"}, "environment": {"KERAS_BACKEND": "theano"}},
        "",
        ["keras 3.8.0", "KERAS_BACKEND=theano"],
        {"packages": {"keras": "2.3.1"}},
    ),
    (
        "driver-older-than-toolkit",
        {"driver": DRIVER, "toolkits": (toolkit("12.5.1"),)},
        "",
        ["CUDA up to 12.4", "CUDA 12.5.1"],
        {"toolkits": (toolkit("12.4"),)},
    ),
    (
        "driver-older-than-nvrtc",
        {"driver": DRIVER, "cuda_libraries": (library("nvrtc", "12.8.93"),)},
        "",
        ["CUDA up to 12.4", "nvrtc 12.8.93"],
        {"cuda_libraries": (library("nvrtc", "12.4.99"), library("nvrtc", "12.8.93"))},
    ),
    (
        "gpu-too-old-for-toolkit",
        {"gpus": (Gpu(0, "Tesla V100", GIB, (7, 0)),), "toolkits": (toolkit("13.0"),)},
        "",
        ["CUDA 13.0", "Tesla V100"],
        {"toolkits": (toolkit("12.8"),)},
    ),
    (
        "gpu-too-new-for-toolkit",
        {"gpus": (Gpu(0, "NVIDIA B200", GIB, (10, 0)),), "toolkits": (toolkit("12.5"),)},
        "",
        ["CUDA 12.5", "NVIDIA B200"],
        {"toolkits": (toolkit("12.8"),)},
    ),
    (
        "library-hidden",
        {
            "environment": {"LD_LIBRARY_PATH": "/usr/lib64-nvidia:/opt/cudnn"},
            "cuda_libraries": (
                library("cudnn", "9.2.1", "system", "/opt/cudnn"),
                library("cudnn", "9.19.0"),
            ),
        },
        "",
        ["LD_LIBRARY_PATH=", "/opt/cudnn/libcudnn.so.9.2.1", "cudnn 9.19.0, wheel"],
        {"environment": {"LD_LIBRARY_PATH": "/usr/lib64-nvidia"}},
    ),
    (
        "path-not-there",
        {"named_paths": {"/usr/local/cuda-9.0": False}},
        "cuda.root=/usr/local/cuda-9.0",
        ["cuda.root=/usr/local/cuda-9.0 [THEANO_FLAGS]", "there is no /usr/local/cuda-9.0"],
        {"named_paths": {"/usr/local/cuda-9.0": True}},
    ),
    (
        "gpu-memory-held",
        {"gpus": (T4,), "gpu_memory_free": (GIB,), "loaded": {"jax": "0.7.2", "torch": "2.11"}},
        "",
        ["1024 of 15360 MiB of Tesla T4", "imported: jax", "imported: torch"],
        {"gpu_memory_free": (14 * GIB,)},
    ),
    (
        "jax-kept-from-gpu",
        {"gpus": (T4,), "packages": PLUGIN, "environment": {"JAX_PLATFORMS": "cpu"}},
        "",
        ["JAX_PLATFORMS=cpu", "Tesla T4"],
        {"environment": {"JAX_PLATFORMS": "cuda,cpu"}},
    ),
    (
        "no-compiler",
        {"compiler": absent("no g++ on PATH")},
        "",
        ["no g++ on PATH"],
        {"compiler": Compiler("/usr/bin/g++", "11.4.0")},
    ),
    (
        "no-python-headers",
        {"python": "3.13.1", "python_headers": absent("no Python.h")},
        "",
        ["no Python.h"],
        {"python_headers": "/usr/include/python3.13"},
    ),
    (
        "home-not-writable",
        {"home_writable": False, "temporary_folder": "/tmp/theano-0"},
        "",
        ["not writable"],
        {"home_writable": True},
    ),
    ("old-device-name", {}, "device=gpu0", ["device=gpu0 [THEANO_FLAGS]"], None),
    (
        "several-toolkits",
        {"toolkits": (toolkit("12.8"), toolkit("11.8"))},
        "",
        ["CUDA 12.8", "CUDA 11.8"],
        {"toolkits": (toolkit("12.8"),)},
    ),
    (
        "cuda-mixed",
        {
            "toolkits": (toolkit("12.8"),),
            "cuda_libraries": (library("cudart", "12.9.79"),),
            "packages": {"torch": "2.6.0+cu124"},
        },
        "",
        ["CUDA 12.8", "cudart 12.9.79", "torch 2.6.0+cu124"],
        {"cuda_libraries": (library("cudart", "12.8.90"),), "packages": {"torch": "2.11+cu128"}},
    ),
    (
        "cudnn-mixed",
        {
            "cuda_libraries": (
                library("cudnn", "9.19.0"),
                library("cudnn", "9.8.0", "system", "/usr/lib"),
            )
        },
        "",
        ["cudnn 9.19.0, wheel", "cudnn 9.8.0, system"],
        {"cuda_libraries": (library("cudnn", "9.19.0"),)},
    ),
    (
        "cudnn-header",
        {"cudnn_header": "9.8.0", "cuda_libraries": (library("cudnn", "9.19.0"),)},
        "",
        ["header 9.8.0", "cudnn 9.19.0"],
        {"cudnn_header": "9.19.0"},
    ),
]  # fmt: skip


def found(facts, flags=""):
    return {c.id: c for c in conflicts(runtime(**facts), Flags.parse(flags).settings)}


@pytest.mark.parametrize(
    ("name", "facts", "flags", "quotes", "mended"), CASES, ids=[c[0] for c in CASES]
)
def test_a_rule_applies_with_its_evidence_and_only_then(name, facts, flags, quotes, mended):
    conflict = found(facts, flags)[name]
    for quote in quotes:
        assert any(quote in line for line in conflict.evidence), conflict.evidence
    assert all(" [" in line or ": /" in line for line in conflict.evidence), "each has a source"
    assert "{" not in conflict.cause + conflict.remedy
    assert name not in (
        found({**facts, **mended}, flags) if mended else found(facts, "device=cuda0")
    )


def test_a_theanorc_that_the_environment_overrules():
    settings = (
        Setting("floatX", "float64", "/root/.theanorc"),
        Setting("floatX", "float32", "THEANO_FLAGS"),
    )
    (conflict,) = conflicts(runtime(), settings)
    assert conflict.id == "theanorc-overruled"
    assert conflict.evidence == (
        "floatX=float32 [THEANO_FLAGS]",
        "floatX=float64 [/root/.theanorc]",
    )
    assert conflicts(runtime(), settings[:1]) == ()


def test_every_rule_has_its_text_its_function_and_its_case():
    assert data()["rule"].keys() == RULES.keys() == {c[0] for c in CASES} | {"theanorc-overruled"}


def test_the_worst_comes_first():
    facts = {}
    for case in CASES:
        facts |= case[1]
    levels = [LEVELS.index(c.level) for c in conflicts(runtime(**facts))]
    assert len(levels) > 8
    assert set(levels) == {0, 1, 2}
    assert levels == sorted(levels)


def test_nothing_known_contradicts_nothing():
    assert conflicts(runtime()) == ()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_colabs_runtimes_as_published_have_no_error(path):
    assert [c for c in conflicts(load(str(path))) if c.level == "error"] == []


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (
            "datacentre",
            {
                "driver-older-than-toolkit",
                "several-toolkits",
                "library-hidden",
                "cudnn-mixed",
                "gpu-memory-held",
            },
        ),
        (
            "laptop",
            {"no-compiler", "old-device-name", "path-not-there"},
        ),
        ("binder", set()),
        (
            "colab-tinkered",
            {
                "colab-without-gpu",
                "numpy-changed",
                "module-changed",
                "theano-shadowed",
                "two-theanos",
                "keras-without-theano",
                "no-python-headers",
                "theanorc-overruled",
            },
        ),
        (
            "container",
            {"no-driver-in-container", "stub-libcuda", "pygpu-broken", "home-not-writable"},
        ),
        (
            "cluster",
            {
                "device-hidden",
                "gpu-not-shared",
                "jax-kept-from-gpu",
                "mig-instances",
                "cuda-mixed",
                "cudnn-header",
            },
        ),
        ("cluster-empty", {"mig-without-instance"}),
        (
            "old-server",
            {
                "driver-older-than-plugin",
                "driver-older-than-toolkit",
                "driver-older-than-nvrtc",
                "gpu-too-old-for-plugin",
                "gpu-too-old-for-toolkit",
                "plugin-not-of-jaxlib",
                "device-not-there",
                "processor-without-avx",
            },
        ),
        ("workstation", {"all-hidden", "gpu-too-new-for-toolkit"}),
        ("workstation-updated", {"no-driver"}),
    ],
)
def test_machines_elsewhere(machine, expected):
    recorded = load(str(FOLDER / f"{machine}.json"))
    assert {c.id for c in conflicts(recorded, flags_of(recorded))} == expected


def flags_of(recorded):
    """Return the flags in the order in which Theano reads them."""
    flags = Flags.parse((recorded.environment.value or {}).get("THEANO_FLAGS", ""))
    return Flags.from_theanorc(recorded.theanorc.value or {}).settings + flags.settings


def test_two_gpus_of_a_kind_are_one_conflict():
    gpus = tuple(Gpu(i, "Tesla K80", GIB, (3, 7)) for i in range(2))
    told = conflicts(runtime(gpus=gpus, toolkits=(toolkit("12.2"),)))
    assert [conflict.id for conflict in told] == ["gpu-too-old-for-toolkit"]


def test_every_rule_is_shown_by_a_recorded_runtime():
    shown = set()
    for path in FOLDER.glob("*.json"):
        recorded = load(str(path))
        shown |= {conflict.id for conflict in conflicts(recorded, flags_of(recorded))}
    assert shown == RULES.keys()


@pytest.mark.parametrize(("packages", "level"), [({}, "note"), ({"pygpu": "0.7.6"}, "warn")])
def test_a_toolkit_newer_than_the_driver_matters_to_pygpu_alone(packages, level):
    facts = {"driver": DRIVER, "toolkits": (toolkit("12.5.1"),), "packages": packages}
    assert found(facts)["driver-older-than-toolkit"].level == level


# Whatever a runtime says

WORDS = st.sampled_from(
    ["", "12.8", "12.x", "9.8.0", "-1", "0,1", "½", "999999999999.1", "\x00", "MIG-1", "cuda9999"]
)
TEXT = WORDS | st.text(max_size=20)
ORIGINS = st.sampled_from(["wheel", "system", "toolkit"])
NAMES = st.sampled_from(["cudart", "nvrtc", "cublas", "cudnn"])
PAIR = st.tuples(st.integers(0, 99), st.integers(0, 99))
LIBRARY = st.builds(CudaLibrary, NAMES, st.none() | TEXT, TEXT, ORIGINS)
KEYS = st.sampled_from(
    [
        "numpy",
        "jaxlib",
        "torch",
        "keras",
        "theano",
        "theano-pymc",
        "jax-cuda12-plugin",
        "jax-cuda13-plugin",
    ]
)
VARIABLES = st.sampled_from(
    ["CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "JAX_PLATFORMS", "CUDA_HOME", "KERAS_BACKEND"]
)
GPU = st.builds(Gpu, st.integers(0, 99), TEXT, st.integers(0, 2**60), PAIR)
VALUES = {
    "gpus": st.lists(GPU, max_size=3).map(tuple),
    "gpu_memory_free": st.lists(st.integers(-1, 2**60), max_size=3).map(tuple),
    "pci_gpus": st.integers(0, 9),
    "driver": st.builds(Driver, TEXT, PAIR),
    "driver_library": TEXT,
    "container": TEXT,
    "colab_release": TEXT,
    "toolkits": st.lists(st.builds(Toolkit, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    "cuda_libraries": st.lists(LIBRARY, max_size=4).map(tuple),
    "cudnn_header": TEXT,
    "packages": st.dictionaries(KEYS, TEXT),
    "loaded": st.dictionaries(KEYS, TEXT),
    "environment": st.dictionaries(VARIABLES, TEXT),
    "named_paths": st.dictionaries(TEXT, st.booleans()),
    "theano_places": st.lists(TEXT, max_size=3).map(tuple),
    "site_packages": TEXT,
    "python": TEXT,
    "home_writable": st.booleans(),
}  # fmt: skip
FACTS = st.fixed_dictionaries(
    {},
    optional={
        name: values.map(lambda value: Fact.found(value, "s"))
        | TEXT.map(lambda why: Fact.absent(why, "s"))
        for name, values in VALUES.items()
    },
)
SETTINGS = st.lists(
    st.builds(
        Setting,
        st.sampled_from(["device", "cuda.root", "floatX", "base_compiledir"]),
        TEXT | st.sampled_from(["cuda", "cuda0", "cuda31", "gpu", "gpu7", "cpu", "cuda٣"]),
        st.sampled_from(["THEANO_FLAGS", "/root/.theanorc"]),
    ),
    max_size=4,
)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(FACTS, SETTINGS)
def test_garbled_and_contradictory_facts_give_conflicts_and_never_an_exception(facts, flags):
    for conflict in conflicts(runtime(**facts), flags):
        assert conflict.cause
        assert conflict.evidence
        assert conflict.remedy
