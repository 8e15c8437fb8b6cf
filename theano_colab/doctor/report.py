"""One text for a bug report, made of an allow-list: nothing that is not named here gets out."""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING, Any, Final

import theano_colab
from theano_colab.runtime import cuda, packages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from theano_colab.doctor.diagnose import Diagnosis
    from theano_colab.runtime.model import Fact, Runtime

_PLAIN: Final = (
    "front_end",
    "machine",
    "bits",
    "container",
    "python",
    "pip",
    "cpu_count",
    "cpu_quota",
    "memory_bytes",
    "memory_total_bytes",
    "disk_free_bytes",
    "site_packages_writable",
    "home_writable",
    "pci_gpus",
    "cudnn_header",
    "gpu_memory_free",
    "pygpu",
)
"""Facts that are numbers, truths or versions; each is still checked for its shape."""

_TRUTH: Final = "True|False|true|false|1|0"
_SETTINGS: Final = {
    "device": r"(cpu|cuda|gpu|xla|opencl)[\d:]*",
    "floatX": r"float(16|32|64)",
    "mode": r"Mode|DebugMode|FAST_RUN|FAST_COMPILE|NanGuardMode",
    "optimizer": r"fast_run|fast_compile|None|merge|unsafe|o[1-4]",
    "linker": r"(c\|py|py|c|vm|cvm)(_nogc)?",
    "openmp": _TRUTH,
    "force_device": _TRUTH,
    "allow_gc": _TRUTH,
    "dnn.enabled": rf"auto|no_check|{_TRUTH}",
    "xla.precision": r"float32|tf32",
    "blas.ldflags": r"(-l(openblas|mkl_rt|blis|blas|cblas|gomp|pthread|m) ?)*",
    "gpuarray.preallocate": r"[\d.-]+",
}
"""Flags of Theano whose value may be told, and what such a value looks like."""

_VARIABLES: Final = {
    "CUDA_VISIBLE_DEVICES": r"[\d, -]*",
    "JAX_PLATFORMS": r"((cpu|cuda|gpu|tpu|rocm),?)*",
    "KERAS_BACKEND": r"theano|tensorflow|cntk|jax|torch|numpy",
    "OMP_NUM_THREADS": r"\d+",
    "OPENBLAS_NUM_THREADS": r"\d+",
    "MKL_NUM_THREADS": r"\d+",
    "XLA_PYTHON_CLIENT_PREALLOCATE": _TRUTH,
    "XLA_PYTHON_CLIENT_MEM_FRACTION": r"[\d.]+",
}
_VERSION: Final = re.compile(r"\d{1,8}(\.\w{1,10}){0,6}([+-][a-z0-9.]{1,16})?")
_NVIDIA: Final = re.compile(r"nvidia-[a-z0-9-]{2,30}")
_NAMES: Final = frozenset({*packages.OF_INTEREST, *packages.MODULES, *cuda.LIBRARIES})
_BLAS: Final = frozenset({"OpenBLAS", "MKL", "BLIS"})
_HARDWARE: Final = re.compile(r"(NVIDIA|Tesla|Quadro|GeForce|TPU|A100|H100|H200)[\w .()/-]{0,60}")
_SYSTEM: Final = re.compile(
    r"(Ubuntu|Debian|Red Hat|Rocky|Alma|Fedora|CentOS|macOS)[\w ./()-]{0,50}"
)
_RELEASE: Final = re.compile(r"release-colab[\w.-]{0,60}")
_LIBC: Final = re.compile(r"glibc \d+\.\d+")
_VECTORS: Final = ("sse4_2", "avx", "avx2", "avx512f", "fma", "asimd", "sve")


def report(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return what a bug report needs, as plain JSON values.

    Versions, hardware, flags and verdicts of the doctor. No path, user name, token or text of the
    user's: facts that are not on the lists of this module are left out, and so is a value that does
    not look as its fact should. What the checks said is told by name and verdict alone.
    """
    runtime = diagnosis.runtime
    found: dict[str, Any] = {"theano_colab": theano_colab.__version__}
    for name in _PLAIN:
        value = getattr(runtime, name).value
        if isinstance(value, str) and not _fits(_VERSION, value) and not _word(value):
            continue
        if value is not None:
            found[name] = value
    found |= _system(runtime)
    found |= _cuda(runtime)
    found["packages"] = _versions(runtime.packages)
    found["loaded"] = _versions(runtime.loaded)
    found["flags"] = _flags(runtime)
    found["environment"] = _environment(runtime)
    found["doctor"] = [
        {"check": check.name, "verdict": check.verdict, **_identity(check.id, check.numbers)}
        for check in diagnosis.checks
    ]
    return found


def write(found: dict[str, Any]) -> str:
    """Return the report as text, a line per fact, ready to be pasted."""
    lines = ["```"]
    for name, value in found.items():
        lines += _lines(name, value)
    return "\n".join([*lines, "```"])


def _lines(name: str, value: Any) -> Iterable[str]:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        parts = ", ".join(f"{k} {v}" for k, v in value.items())
        return [f"{name}: {parts or 'none'}"]
    if isinstance(value, list | tuple):
        words = [
            " ".join(str(v) for v in x.values()) if isinstance(x, dict) else str(x) for x in value
        ]
        return [f"{name}: {'; '.join(words) or 'none'}"]
    return [f"{name}: {value}"]


def _system(runtime: Runtime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    patterns = {"operating_system": _SYSTEM, "colab_release": _RELEASE, "libc": _LIBC}
    for name, pattern in patterns.items():
        value = getattr(runtime, name).value
        if value and _fits(pattern, value):
            found[name] = value
    found["vectors"] = [name for name in _VECTORS if name in (runtime.cpu_features.value or ())]
    compiler, libraries = runtime.compiler.value, runtime.blas.value or ()
    if compiler and _fits(_VERSION, compiler.version):
        found["compiler"] = compiler.version
    found["blas"] = [f"{b.name} {_version(b.version)}" for b in libraries if b.name in _BLAS]
    if _fits(re.compile(r"[\w.-]{1,40}"), kernel := platform.system()):
        found["kernel"] = kernel
    return found


def _cuda(runtime: Runtime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (driver := runtime.driver.value) and _fits(_VERSION, driver.release):
        found["driver"] = f"{driver.release}, CUDA {driver.cuda[0]}.{driver.cuda[1]}"
    found["gpus"] = [
        f"{gpu.name}, {gpu.memory_bytes >> 20} MiB, {'.'.join(map(str, gpu.compute_capability))}"
        for gpu in runtime.gpus.value or ()
        if _fits(_HARDWARE, gpu.name)
    ]
    found["toolkits"] = [_version(toolkit.version) for toolkit in runtime.toolkits.value or ()]
    found["cuda_libraries"] = [
        f"{one.name} {_version(one.version)} ({one.origin})"
        for one in runtime.cuda_libraries.value or ()
        if one.name in cuda.LIBRARIES and one.origin in {"wheel", "toolkit", "system"}
    ]
    return found


def _versions(found: Fact[dict[str, str]]) -> dict[str, str]:
    return {
        name: version
        for name, version in (found.value or {}).items()
        if (name in _NAMES or _fits(_NVIDIA, name))
        and (_fits(_VERSION, version) or version == "unknown")
    }


def _flags(runtime: Runtime) -> dict[str, str]:
    from theano_colab.errors import TheanoColabError
    from theano_colab.plan.flags import Flags

    try:
        flags = Flags.from_theanorc(runtime.theanorc.value or {})
        text = (runtime.environment.value or {}).get("THEANO_FLAGS", "")
        flags = flags.merge(Flags.parse(text))
    except TheanoColabError:
        return {"flags": "unreadable"}
    return {
        setting.name: setting.value
        for setting in flags.settings
        if _fits(re.compile(_SETTINGS.get(setting.name, "(?!)")), setting.value)
    }


def _environment(runtime: Runtime) -> dict[str, str]:
    return {
        name: value
        for name, value in (runtime.environment.value or {}).items()
        if _fits(re.compile(_VARIABLES.get(name, "(?!)")), value)
    }


def _identity(identifier: str, numbers: dict[str, float]) -> dict[str, Any]:
    named = {"id": identifier} if identifier else {}
    return named | {name: round(value, 2) for name, value in numbers.items()}


def _version(version: str | None) -> str:
    return version if version and _fits(_VERSION, version) else "?"


def _word(value: str) -> bool:
    known = {"colab", "jupyter", "ipython", "terminal", "docker", "podman", "kubernetes"}
    return value in known or value in {"x86_64", "aarch64", "arm64"}


def _fits(pattern: re.Pattern[str], value: str) -> bool:
    return pattern.fullmatch(value) is not None
