"""CUDA on disk: toolkits, and the libraries of toolkits, pip wheels and the system."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.runtime import child, packages
from theano_colab.runtime.model import CudaLibrary, Fact, Toolkit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OPENED = ("cudart", "nvrtc", "cublas", "cudnn")
"""The libraries that every GPU backend opens, by cuda-pathfinder's names."""

LIBRARIES = (
    *OPENED, "cublasLt", "cufft", "cufftw", "cufftMp", "curand", "cusolver", "cusolverMg",
    "cusparse", "cusparseLt", "cutensor", "nccl", "nvJitLink", "nvshmem_host", "nvvm", "cupti",
    "cufile", "cudla", "nppc", "nppial", "nppicc", "nppidei", "nppif", "nppig",
    "nppim", "nppist", "nppisu", "nppitc", "npps", "nvblas", "nvfatbin", "nvjpeg",
)  # fmt: skip
"""All that are looked for on disk."""

_NUMBERED_AS_CUDA = ("cudart", "nvrtc", "nvJitLink", "cupti", "nvvm")

LIMIT = 1.5
"""Seconds for cuda-pathfinder (which opens each library) or for a program's answer."""

_SONAME = re.compile(rf"lib({'|'.join(LIBRARIES)})\.so\.(\d+)(?:\.[\d.]+)?")
_VARIABLES = ("CUDA_PATH", "CUDA_HOME", "CUDA_ROOT")

# One JSON line per library, written as soon as it is known: a library that blocks or crashes takes
# only those after it along.
_PATHFINDER = """
import json, sys
from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
for name in sys.argv[1:]:
    try:
        found = load_nvidia_dynamic_lib(name)
    except (DynamicLibNotFoundError, RuntimeError, OSError):
        continue
    print(json.dumps([name, found.abs_path]), flush=True)
"""


def toolkits(root: Path = Path("/")) -> Fact[tuple[Toolkit, ...]]:
    """Return the toolkits in the order of the search, each real folder once.

    $CUDA_PATH, $CUDA_HOME, $CUDA_ROOT, nvcc on PATH, /usr/local/cuda, /usr/local/cuda-*. A folder
    counts when it tells its version. ``root`` stands before /usr/local; for tests.
    """
    found: dict[str, Toolkit] = {}
    for folder, via in _candidates(root):
        real = os.path.realpath(folder)
        version = None if real in found else _toolkit_version(Path(real))
        if version is not None:
            found[real] = Toolkit(root=str(folder), version=version, found_via=via)
    source = ", ".join(f"${name}" for name in _VARIABLES) + ", nvcc on PATH, /usr/local/cuda*"
    if not found:
        return Fact.absent("no CUDA toolkit", source)
    return Fact.found(tuple(found.values()), source)


def _candidates(root: Path) -> Iterator[tuple[Path, str]]:
    for name in _VARIABLES:
        if value := os.environ.get(name):
            yield Path(value), f"${name}"
    if nvcc := shutil.which("nvcc"):
        yield Path(os.path.realpath(nvcc)).parent.parent, "nvcc on PATH"
    local = root / "usr/local"
    yield local / "cuda", str(local / "cuda")
    for folder in sorted(local.glob("cuda-*"), key=_numbers, reverse=True):
        yield folder, str(local / "cuda-*")


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name)]


def _toolkit_version(root: Path) -> str | None:
    """Read version.json (CUDA 11.1 on), version.txt (to 10.2), cuda.h; at last, ask nvcc."""
    try:
        return str(json.loads((root / "version.json").read_text())["cuda"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if match := _find(root / "version.txt", r"CUDA Version (\d+\.\d+(?:\.\d+)?)"):
        return match[1]
    if match := _find(root / "include" / "cuda.h", r"#define\s+CUDA_VERSION\s+(\d+)"):
        number = int(match[1])
        return f"{number // 1000}.{number % 1000 // 10}"
    nvcc = root / "bin" / "nvcc"
    # A program of that name may also be a script that calls the real one, in /usr/local/bin say.
    if nvcc.is_file() and (root / "nvvm").is_dir():
        answer = child.Question([str(nvcc), "--version"]).answer(LIMIT)
        if match := re.search(r"release [\d.]+, V([\d.]+)", answer.output):
            return match[1]
    return None


def ask() -> child.Question:
    """Start asking cuda-pathfinder which libraries a process would open."""
    # It looks for wheels in site.getsitepackages(), which is another Python's without ``site``.
    return child.python("-c", _PATHFINDER, *OPENED, site=True)


def libraries(
    question: child.Question, found_toolkits: Iterable[Toolkit]
) -> Fact[tuple[CudaLibrary, ...]]:
    """Return every library of ``LIBRARIES`` on this machine, each real file once.

    Of the names in ``OPENED`` the one that a process would open comes first (cuda-pathfinder's
    public ``load_nvidia_dynamic_lib``, which opens it, and therefore in a process of its own). The
    others are in the RECORD of nvidia's wheels, in the toolkits and in the loader's folders.
    """
    answer = question.answer(LIMIT)
    preferred = [Path(path) for path in re.findall(r'(?m)^\["\w+", "(.*)"\]$', answer.output)]
    roots = {Path(os.path.realpath(toolkit.root)): toolkit.version for toolkit in found_toolkits}
    wheels = {
        os.path.realpath(path): version
        for path, version in packages.wheel_files("nvidia-")
        if _SONAME.fullmatch(path.name)
    }
    found: dict[str, CudaLibrary] = {}
    for path in [*preferred, *map(Path, wheels), *_in_toolkits(list(roots)), *_in_system()]:
        real = os.path.realpath(path)
        match = _SONAME.fullmatch(path.name)
        if match is None or real in found or not Path(real).is_file():
            continue
        toolkit = next((v for root, v in roots.items() if Path(real).is_relative_to(root)), None)
        origin = "wheel" if real in wheels else "toolkit" if toolkit else "system"
        version = wheels.get(real) or _library_version(match[1], Path(real))
        if version is None and match[1] in _NUMBERED_AS_CUDA:
            version = toolkit
        found[real] = CudaLibrary(match[1], version, str(path), origin)
    source = "cuda-pathfinder, wheels' RECORD, toolkits, ldconfig"
    if answer.failure is not None:
        source += f" (cuda-pathfinder: {answer.failure})"
    if not found:
        return Fact.absent("no library of CUDA's", source)
    ordered = sorted(found.values(), key=lambda library: LIBRARIES.index(library.name))
    return Fact.found(tuple(ordered), source)


def driver_library() -> Fact[str]:
    """Return the libcuda.so.1 that a process would open, as the loader searches."""
    for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        path = Path(entry) / "libcuda.so.1"
        if entry.startswith("/") and path.exists():
            return Fact.found(str(path), "$LD_LIBRARY_PATH")
    for name, path in _ldconfig():
        if name == "libcuda.so.1":
            return Fact.found(str(path), "ldconfig -p")
    return Fact.absent("no libcuda.so.1", "$LD_LIBRARY_PATH, ldconfig -p")


def cudnn_header(found_toolkits: Iterable[Toolkit], root: Path = Path("/")) -> Fact[str]:
    """Return the version in the cudnn_version.h that a compiler finds; ``root`` is for tests."""
    folders = [Path(toolkit.root) / "include" for toolkit in found_toolkits]
    folders += [root / "usr/include", *sorted((root / "usr/include").glob("*-linux-gnu"))]
    for folder in folders:
        version = _cudnn_version(folder / "cudnn_version.h")
        if version is not None:
            return Fact.found(version, str(folder / "cudnn_version.h"))
    return Fact.absent("no cudnn_version.h", ", ".join(map(str, folders)))


def _in_toolkits(roots: list[Path]) -> Iterator[Path]:
    for root in roots:
        # Not /usr itself, where Debian's own toolkit lives: ldconfig knows those.
        if root != Path("/usr"):
            for place in ("lib64", "lib", "nvvm/lib64", "extras/CUPTI/lib64"):
                yield from _in_folder(root / place)


def _in_system() -> Iterator[Path]:
    """Yield what LD_LIBRARY_PATH and the loader's cache offer."""
    for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        if entry.startswith("/"):
            yield from _in_folder(Path(entry))
    yield from (path for name, path in _ldconfig() if _SONAME.fullmatch(name))


def _ldconfig() -> Iterator[tuple[str, Path]]:
    """Yield the names in the loader's cache and the files that they stand for."""
    ldconfig = shutil.which("ldconfig", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if ldconfig is not None:
        answer = child.Question([ldconfig, "-p"]).answer(LIMIT)
        for line in answer.output.splitlines():
            name, arrow, path = line.strip().partition(" => ")
            if arrow:
                yield name.partition(" ")[0], Path(path)


def _in_folder(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _SONAME.fullmatch(path.name))
    except OSError:
        return []


def _library_version(name: str, path: Path) -> str | None:
    """Read the version from the real file's name, for cuDNN also from the header beside it."""
    numbers = path.name.partition(".so.")[2]
    if "." in numbers:
        return numbers
    if name == "cudnn":
        for folder in (path.parent.parent / "include", Path("/usr/include")):
            if version := _cudnn_version(folder / "cudnn_version.h"):
                return version
    return None


def _cudnn_version(header: Path) -> str | None:
    parts = [
        _find(header, rf"#define\s+CUDNN_{part}\s+(\d+)")
        for part in ("MAJOR", "MINOR", "PATCHLEVEL")
    ]
    return ".".join(part[1] for part in parts if part) if all(parts) else None


def _find(path: Path, pattern: str) -> re.Match[str] | None:
    try:
        return re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
