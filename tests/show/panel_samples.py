"""Panels of every kind and state, filled with data as the other parts give it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from theano_colab.bench.progress import Bench
from theano_colab.bench.results import Failure, Result
from theano_colab.errors import TheanoColabError
from theano_colab.plan.model import Plan, Refusal, Step
from theano_colab.progress import SetupState, StepState
from theano_colab.runtime.model import (
    Blas,
    Compiler,
    CudaLibrary,
    Driver,
    Fact,
    Gpu,
    JaxDevice,
    Runtime,
    Toolkit,
)
from theano_colab.show.bench_panel import describe_bench
from theano_colab.show.info_panel import describe_info
from theano_colab.show.line import runtime_line
from theano_colab.show.plan_panel import describe_plan
from theano_colab.show.setup_panel import describe_setup
from theano_colab.show.small_panels import describe_commands, describe_error, describe_flags

FLAGS = "device=cpu,floatX=float32,blas.ldflags=-L/usr/lib/x86_64-linux-gnu -lopenblas"
NOTES = (
    "device=gpu0 is the name of an old backend; it was read as device=cuda0.",
    "The Tesla T4 is not used yet: Theano computes on the CPU.",
)
PROBLEM = (
    "Theano 1.0.5 could not be downloaded.",
    "pip: ERROR: Could not find a version that satisfies the requirement Theano==1.0.5 "
    "(from versions: none)",
    "Check the network connection, then run %theano setup again.",
)
LINE = "Colab 2026-08-05 · Python 3.13.15 · NumPy 2.1.3 · Tesla T4 (driver 550.54, CUDA 12.4)"

HOSTILE = (
    '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">',
    "\"'><svg onload=window.pwned=1>",
    "</style><b>&amp; \x1b[31mred\x1b[0m \x00 \u202egnirts",
)

_TITLES = (
    (
        "Build Theano 1.0.5 for Python 3.13",
        "The release on PyPI does not run on Python 3.12 or NumPy 2.",
    ),
    (
        "Install theano 1.0.5+colab.1",
        "With --no-deps: NumPy 2.1.3 and SciPy 1.16.3 stay as they are.",
    ),
    ("Set THEANO_FLAGS", "Theano reads its flags once, when it is imported."),
    (
        "Compile what the first import compiles",
        "Else the first cell of the notebook would wait for it.",
    ),
    ("Check the result", "A function is compiled in a fresh process and compared with NumPy."),
)


def steps(*statuses: str, detail: str = "") -> tuple[StepState, ...]:
    """Return the five steps of a setup with these statuses."""
    seconds = {"done": (4.2, 1.31, 0.0, 11.4, 2.08), "failed": (61.5,) * 5}
    return tuple(
        StepState(
            title,
            why,
            status,  # type: ignore[arg-type]
            detail if status in {"running", "failed"} else "",
            seconds[status][i] if status in seconds else None,
        )
        for i, ((title, why), status) in enumerate(zip(_TITLES, statuses, strict=True))
    )


def setup(verdict: str, *statuses: str, **more: object) -> SetupState:
    """Return a setup of five steps."""
    detail = str(more.pop("detail", ""))
    return SetupState(LINE, steps(*statuses, detail=detail), verdict=verdict, **more)  # type: ignore[arg-type]


RUNNING = setup(
    "running",
    *("kept", "done", "done", "running", "pending"),
    detail="g++ -shared -g -O3 -fno-math-errno -Wno-unused-label -DNPY_NO_DEPRECATED_API=NPY_1_7 "
    "lazylinker_ext/mod.cpp",
    seconds=9.4,
)
READY = setup(
    "ready",
    *("done",) * 5,
    results=(
        ("theano", "1.0.5+colab.1"),
        ("Device", "cpu, as theano.config.device says"),
        ("T.dot 1000 x 1000 float32", "agrees with NumPy; 11.2 ms (NumPy: 10.9 ms)"),
        ("BLAS", "OpenBLAS 0.3.20, linked by blas.ldflags"),
    ),
    flags=FLAGS,
    notes=NOTES,
    seconds=18.7,
)
SETUPS = {
    "running": RUNNING,
    "ready": READY,
    "failed": setup(
        "failed",
        "failed",
        *("pending",) * 4,
        problem=PROBLEM,
        seconds=61.5,
        detail="pip ended with exit code 1",
    ),
    "refused": SetupState(
        LINE,
        (),
        verdict="refused",
        problem=(
            "There is no C++ compiler.",
            "g++, c++ and clang++ were looked for on PATH: /usr/local/bin:/usr/bin:/bin",
            "Install one: !apt-get install -y g++",
        ),
        seconds=0.2,
    ),
    "restart": setup(
        "restart",
        *("done",) * 5,
        problem=(
            "theano was imported before setup, with floatX=float64.",
            "theano.config.floatX is 'float64'; the plan says float32. Theano cannot change it.",
            "Restart the kernel, then run %theano setup before import theano.",
        ),
        seconds=18.7,
    ),
    "dry-run": setup("dry-run", "kept", *("pending",) * 4, flags=FLAGS, notes=NOTES),
}


def _facts(**given: object) -> Runtime:
    sources = {
        "python": "sys.version_info",
        "gpus": "NVML",
        "driver": "NVML",
        "colab_release": "$COLAB_RELEASE_TAG",
    }
    facts = {}
    for name in Runtime.__dataclass_fields__:
        source = sources.get(name, "os")
        value = given.get(name, LookupError)
        facts[name] = (
            Fact.absent("not looked for in this sample", source)
            if value is LookupError
            else Fact.absent(str(value), source)
            if isinstance(value, LookupError)
            else Fact.found(value, source)
        )
    return Runtime(**facts)  # type: ignore[arg-type]


RUNTIME = _facts(
    front_end="colab",
    colab_release="release-colab-external_20260805_060047_RC00",
    operating_system="Ubuntu 22.04.5 LTS (Linux 6.6.105)",
    machine="x86_64",
    bits=64,
    python="3.13.15",
    python_executable="/usr/bin/python3",
    pip="24.1.2",
    packages={"numpy": "2.1.3", "scipy": "1.16.3", "jax": "0.7.2"}
    | {f"p{i}": "1" for i in range(700)},
    loaded={"numpy": "2.1.3", "IPython": "7.34.0"},
    compiler=Compiler("/usr/bin/g++", "g++ 11.4.0"),
    python_headers="/usr/include/python3.13",
    blas=(
        Blas("OpenBLAS", "0.3.20", "/usr/lib/x86_64-linux-gnu/libopenblas.so", "-lopenblas"),
        Blas(
            "OpenBLAS (SciPy)",
            None,
            "/usr/local/lib/python3.13/dist-packages/scipy.libs/libscipy_openblas-ec2d5f5a.so",
            "",
            "scipy_",
        ),
    ),
    cpu="Intel(R) Xeon(R) CPU @ 2.20GHz",
    cpu_count=2,
    memory_bytes=13_605_851_136,
    disk_free_bytes=74_000_000_000,
    site_packages="/usr/local/lib/python3.13/dist-packages",
    site_packages_writable=True,
    user_site="/root/.local/lib/python3.13/site-packages",
    home_writable=True,
    temporary_folder="/tmp/theano-0",
    driver=Driver("550.54.15", (12, 4)),
    gpus=(Gpu(0, "Tesla T4", 16_106_127_360, (7, 5)),),
    toolkits=(Toolkit("/usr/local/cuda-12.8", "12.8", "/usr/local/cuda"),),
    cuda_libraries=tuple(
        CudaLibrary(
            name, "12.8.90", f"/usr/local/lib/python3.13/dist-packages/nvidia/{name}/lib", "wheel"
        )
        for name in ("cudart", "nvrtc", "cublas", "cudnn", "cufft", "cusparse", "nccl", "nvjitlink")
    ),
    jax_devices=(JaxDevice("gpu", "Tesla T4"),),
    environment={
        "COLAB_RELEASE_TAG": "release-colab-external_20260805_060047_RC00",
        "CUDA_VISIBLE_DEVICES": "0",
    },
    theanorc={},
)
BARE_RUNTIME = _facts(
    front_end="jupyter",
    python="3.12.1",
    packages={"numpy": "2.0.2"},
    colab_release=LookupError("not Colab: $COLAB_RELEASE_TAG is not set"),
    gpus=LookupError("no NVIDIA driver: libnvidia-ml.so.1 was not found"),
    driver=LookupError("no NVIDIA driver: libnvidia-ml.so.1 was not found"),
)

PLAN = Plan(
    "cpu",
    "cpu",
    FLAGS,
    (
        Step("build-port", *_TITLES[0], kept=True),
        Step("install", *_TITLES[1], requirements=("six>=1.16", "theano==1.0.5+colab.1")),
        Step("set-flags", *_TITLES[2]),
        Step("warm", *_TITLES[3]),
        Step("verify", *_TITLES[4]),
    ),
    NOTES,
)
REFUSAL = Plan(
    "cpu",
    "cpu",
    "",
    (),
    (),
    (
        Refusal(
            "Python 3.10 is too old.",
            "sys.version_info is (3, 10, 12)",
            "Use Python 3.11 or newer.",
        ),
        Refusal(
            "There is no C++ compiler.", "no g++ on PATH", "Install one: !apt-get install -y g++"
        ),
    ),
)

SETTINGS = (
    SimpleNamespace(name="device", value="cpu", origin="theano_colab"),
    SimpleNamespace(name="floatX", value="float32", origin="THEANO_FLAGS"),
    SimpleNamespace(
        name="blas.ldflags",
        value="-L/usr/lib/x86_64-linux-gnu -lopenblas",
        origin="/root/.theanorc, line 12",
    ),
    SimpleNamespace(name="optimizer_including", value="fast_run:inplace", origin="THEANO_FLAGS"),
)
LIVE = {
    "device": "cpu",
    "floatX": "float64",
    "blas.ldflags": "-L/usr/lib/x86_64-linux-gnu -lopenblas",
}


def result(size: int, device: str, median: float, **more: object) -> Result:
    """Return a measured product of matrices; of device "numpy", NumPy's."""
    backends = {"cpu": "theano C linker", "cuda": "theano XLA", "numpy": "numpy"}
    defaults: dict[str, object] = {
        "iqr_s": median / 25,
        "lower_s": median * 0.98,
        "upper_s": median * 1.02,
        "repeats": 30,
        "calls_per_repeat": 4,
        "stable": True,
        "flops": 2.0 * size**3,
        "bytes": 12.0 * size**2,
    }
    if device != "numpy":
        defaults |= {
            "agrees": True,
            "max_rel_error": 3e-7,
            "tolerance": 1e-5,
            "reference": "NumPy" if device == "cpu" else "NumPy and cpu",
            "compile_s": 0.8 if device == "cpu" else 1.4,
            "ops": "Dot22" if device == "cpu" else "GpuCluster",
        }
    place = "cpu" if device == "numpy" else device
    known = defaults | more
    return Result("dot", size, place, backends[device], "float32", median, **known)  # type: ignore[arg-type]


SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
CPU_TIMES = (1.1e-5, 6.4e-5, 4.6e-4, 3.5e-3, 2.7e-2, 0.216)
GPU_TIMES = (1.6e-4, 1.6e-4, 1.7e-4, 2.2e-4, 7.1e-4, 4.4e-3, 3.4e-2)
SENT_TIMES = (2.4e-4, 2.8e-4, 4.3e-4, 1.0e-3, 3.6e-3, 1.6e-2, 7.7e-2)
KILLED = Failure(
    "dot",
    4096,
    "cpu",
    "theano",
    "float32",
    "the worker was killed by SIGKILL, as Linux does when memory runs out",
    "last words",
)
ABOUT = {
    "cpu": {"backend": "theano C linker", "device": "cpu", "platform": "cpu", "threads": 2}
    | {"theano BLAS": "openblas"},
    "cuda": {"backend": "theano XLA", "device": "cuda", "platform": "gpu", "name": "Tesla T4"}
    | {"jax": "0.7.2", "precision": "float32", "threads": 2},
}
LOOKS = tuple(
    {"utilisation": u, "memory": 1.2e9, "memory_total": 16e9, "power": 30 + u / 2}
    | {"power_limit": 70, "temperature": 48 + u / 10}
    for u in (0, 3, 41, 97, 98, 96, 99, 12, 88)
)
_ROWS = tuple(
    row
    for i, size in enumerate(SIZES)
    for row in (
        *((result(size, "cpu", CPU_TIMES[i]),) if i < len(CPU_TIMES) else (KILLED,)),
        *((result(size, "numpy", 1.01 * CPU_TIMES[i]),) if i < len(CPU_TIMES) else ()),
        result(size, "cuda", GPU_TIMES[i], transfer_s=SENT_TIMES[i]),
    )
)
BENCH = Bench(
    LINE,
    "Intel(R) Xeon(R) CPU @ 2.20GHz",
    "float32",
    (("dot", SIZES),),
    ("cpu", "cuda"),
    about=ABOUT,
    rows=_ROWS,
    seconds=41.3,
    gpu=LOOKS,
    verdict="done",
)
"""A run on a T4 in which the largest product did not fit into the host's memory."""

RUNNING_BENCH = replace(
    BENCH,
    rows=_ROWS[:13],
    current=(result(1024, "cuda", 7.4e-4, transfer_s=3.7e-3, stable=False),),
    now=("dot", 1024, "cuda"),
    left_s=12.0,
    seconds=22.0,
    verdict="running",
)
STARTING_BENCH = replace(
    BENCH, about={}, rows=(), gpu=(), left_s=14.0, seconds=0.3, verdict="running"
)
NO_GPU_BENCH = replace(
    BENCH,
    machine="Jupyter · Python 3.12.1 · NumPy 2.0.2 · no GPU",
    devices=("cpu", "xla"),
    about={
        "cpu": ABOUT["cpu"],
        "xla": {"backend": "theano XLA", "device": "xla", "platform": "cpu", "jax": "0.7.2"},
    },
    rows=tuple(
        replace(row, device="xla", transfer_s=row.transfer_s, ops="XlaCluster")
        if isinstance(row, Result) and row.device == "cuda"
        else row
        for row in _ROWS
    ),
    gpu=(),
    notes=("There is no NVIDIA GPU here: no NVIDIA driver: libnvidia-ml.so.1 was not found.",),
)
INTERRUPTED_BENCH = replace(
    RUNNING_BENCH,
    rows=(*_ROWS[:13], result(1024, "cuda", 7.4e-4, stable=False, detail="interrupted")),
    current=(),
    now=None,
    verdict="interrupted",
)
WRONG_BENCH = replace(
    BENCH,
    rows=tuple(
        replace(row, agrees=False, detail="differs by 3.0e-01 from NumPy, allowed is 1e-05")
        if isinstance(row, Result) and (row.size, row.device) == (256, "cuda")
        else row
        for row in _ROWS
    ),
)
BENCHES = {
    "done": BENCH,
    "running": RUNNING_BENCH,
    "starting": STARTING_BENCH,
    "without a GPU": NO_GPU_BENCH,
    "interrupted": INTERRUPTED_BENCH,
    "wrong": WRONG_BENCH,
}

ERROR = TheanoColabError(*PROBLEM)
FLAGS_ERROR = TheanoColabError(
    "'floatX' in THEANO_FLAGS has no value.",
    "column 12 of THEANO_FLAGS:\n    device=cpu,floatX\n               ^",
    "Correct THEANO_FLAGS: write floatX=...",
)
COMMANDS = (
    ("%theano setup", "Install Theano for this runtime, set its flags, check that it computes."),
    ("%theano info", "What this runtime is: Python, NumPy, compiler, BLAS, GPU, CUDA."),
    ("%theano plan", "What setup would do, and why. Changes nothing."),
    ("%theano flags", "The effective THEANO_FLAGS and where each came from."),
    ("%theano bench", "How fast Theano is here: CPU against GPU, live."),
)

_H, _I, _S = HOSTILE
_HOSTILE_PANELS = {
    "hostile-setup": describe_setup(
        SetupState(
            _H,
            (StepState(_I, _H, "running", _S), StepState(_S, _I, "failed", _H, 1.0)),
            (_H, _I, _S),
            ((_H, _I), (_S, _H)),
            _I,
            "failed",
            (_H, _I, _S),
            1.0,
        )
    ),
    "hostile-flags": describe_flags(
        [SimpleNamespace(name=_H, value=_I, origin=_S)], [_H], {_H: _S}
    ),
    "hostile-error": describe_error(TheanoColabError(_H, _I, _S)),
    "hostile-bench": describe_bench(
        replace(BENCH, machine=_H, cpu=_I, notes=(_S, _H, _I), rows=(replace(KILLED, reason=_S),))
    ),
}

PANELS = {
    **{f"setup-{name}": describe_setup(state) for name, state in SETUPS.items()},
    "info": describe_info(RUNTIME),
    "info-bare": describe_info(BARE_RUNTIME),
    "plan": describe_plan(PLAN, runtime_line(RUNTIME)),
    "plan-refused": describe_plan(REFUSAL, runtime_line(BARE_RUNTIME)),
    "flags": describe_flags(SETTINGS, NOTES[:1]),
    "flags-live": describe_flags(SETTINGS, (), LIVE),
    "flags-none": describe_flags([], (), None),
    **{f"bench {name}": describe_bench(bench) for name, bench in BENCHES.items()},
    "error": describe_error(ERROR),
    "error-caret": describe_error(FLAGS_ERROR),
    "commands": describe_commands(COMMANDS),
    **_HOSTILE_PANELS,
}
