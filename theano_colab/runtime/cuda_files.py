"""What of CUDA is no library: ptxas and other programs, headers, libdevice; found by files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from theano_colab.runtime import packages
from theano_colab.runtime.model import CudaFile, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from theano_colab.runtime.model import Toolkit

PROGRAMS: Final = (
    "nvcc", "ptxas", "nvlink", "fatbinary", "bin2c", "nvdisasm", "cuobjdump", "nvprune", "nvprof",
    "nsys", "nsight-sys", "ncu", "nsight-compute", "cuda-gdb", "cuda-gdbserver",
    "compute-sanitizer",
)  # fmt: skip
"""XLA calls ptxas and nvlink; the others are the tools of a toolkit."""

HEADERS: Final = {
    "cudart": "cuda_runtime.h", "cublas": "cublas.h", "cudnn": "cudnn.h", "cufft": "cufft.h",
    "curand": "curand.h", "cusolver": "cusolverDn.h", "cusparse": "cusparse.h", "nccl": "nccl.h",
    "nvcc": "fatbinary_section.h", "nvrtc": "nvrtc.h", "nvjitlink": "nvJitLink.h",
    "nvvm": "nvvm.h", "npp": "npp.h", "profiler": "cuda_profiler_api.h", "cufile": "cufile.h",
    "cccl": "cuda/std/version", "cudla": "cudla.h", "nvfatbin": "nvFatbin.h", "nvjpeg": "nvjpeg.h",
    "cutensor": "cutensor.h", "cusparseLt": "cusparseLt.h", "nvshmem": "nvshmem.h",
}  # fmt: skip
"""A header of each library, which says that a folder holds its headers."""

FILES: Final = {
    "cudadevrt": ("static", "libcudadevrt.a"),
    "device": ("bitcode", "libdevice.10.bc"),
    "nccl_device": ("bitcode", "libnccl_device.bc"),
    "nvshmem_device": ("bitcode", "libnvshmem_device.bc"),
}
"""XLA links libdevice, CUDA's mathematical functions, into what it compiles."""

_USR: Final = Path("/usr/include")
_PLACES: Final = ("lib64", "lib", "nvvm/libdevice", "targets/x86_64-linux/lib")


def files(toolkits: Iterable[Toolkit]) -> Fact[tuple[CudaFile, ...]]:
    """Return each real one once: in nvidia's wheels, on PATH (programs), in the toolkits, in /usr.

    Of each name the first that a search in this order finds comes first. Nothing is opened or run.
    """
    roots = [Path(toolkit.root) for toolkit in toolkits]
    found: dict[tuple[str, str, str], CudaFile] = {}
    for one in (*_in_wheels(), *_on_path(), *_in_folders(roots)):
        found.setdefault((one.kind, one.name, os.path.realpath(one.path)), one)
    source = "wheels' RECORD, $PATH, CUDA toolkits, /usr"
    if not found:
        return Fact.absent("no program, header or bitcode of CUDA's", source)
    ordered = sorted(found.values(), key=lambda one: (one.kind, one.name))
    return Fact.found(tuple(ordered), source)


def _in_wheels() -> Iterator[CudaFile]:
    names = {file: (kind, name) for name, (kind, file) in FILES.items()}
    names |= {name: ("program", name) for name in PROGRAMS}
    for path, _ in packages.wheel_files("nvidia-"):
        if path.name in names and path.parent.name != "__pycache__":
            kind, name = names[path.name]
            yield CudaFile(kind, name, str(path))
        for name, header in HEADERS.items():
            if path.as_posix().endswith(f"/include/{header}"):
                yield CudaFile("headers", name, str(path)[: -len(header) - 1])


def _on_path() -> Iterator[CudaFile]:
    for name in PROGRAMS:
        if path := shutil.which(name):
            yield CudaFile("program", name, path)


def _in_folders(roots: list[Path]) -> Iterator[CudaFile]:
    for root in roots:
        for name in PROGRAMS:
            if os.access(root / "bin" / name, os.X_OK):
                yield CudaFile("program", name, str(root / "bin" / name))
        for name, (kind, file) in FILES.items():
            for place in _PLACES:
                if (root / place / file).is_file():
                    yield CudaFile(kind, name, str(root / place / file))
    for folder in [root / "include" for root in roots] + [_USR]:
        for name, header in HEADERS.items():
            for inner in (folder, folder / "cccl"):
                if (inner / header).is_file():
                    yield CudaFile("headers", name, str(inner))
