"""Write tests/data/runtimes/*.json from the package lists that Colab publishes.

    PYTHONPATH=. python tests/data/make_runtimes.py FOLDER

FOLDER holds a folder per runtime, with the files of github.com/googlecolab/backend-info
(pip-freeze[.gpu].txt, apt-list[-gpu].txt, os-info[-gpu].txt). Only versions that bear on Theano are
kept. What the lists do not say (memory, disk) is not recorded. GPUs and driver are those that Colab
is known to have; each says so in its source. Three machines that are not Colab's are made up.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

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
from theano_colab.runtime.packages import OF_INTEREST, normalised
from theano_colab.runtime.record import save

OUT = Path(__file__).parent / "runtimes"
GIB = 2**30
GPUS = {
    "t4": Gpu(0, "Tesla T4", 15 * GIB, (7, 5)),
    "l4": Gpu(0, "NVIDIA L4", 23 * GIB, (8, 9)),
    "a100": Gpu(0, "NVIDIA A100-SXM4-40GB", 40 * GIB, (8, 0)),
    "h100": Gpu(0, "NVIDIA H100 80GB HBM3", 80 * GIB, (9, 0)),
}
DRIVER = Driver("550.54.15", (12, 4))
NO_NVML = Fact.absent("NVML Shared Library Not Found", "NVML")
LIBRARIES = "/usr/lib/x86_64-linux-gnu"


def published(folder: Path, name: str, ending: str, flavour: str) -> tuple[str, str]:
    """Return the text and name of a list: the flavour's own, or the one for all flavours."""
    own = folder / f"{name}{flavour}{ending}"
    path = own if own.exists() else folder / f"{name}{ending}"
    return path.read_text("utf-8"), path.name


def colab(folder: Path, gpu: str | None) -> Runtime:
    pip, pip_source = published(folder, "pip-freeze", ".txt", ".gpu" if gpu else "")
    apt, apt_source = published(folder, "apt-list", ".txt", "-gpu" if gpu else "")
    system, system_source = published(folder, "os-info", ".txt", "-gpu" if gpu else "")
    packages = {normalised(k): v for k, v in re.findall(r"(?m)^([\w.-]+)==(\S+)$", pip)}
    packages = {k: v for k, v in packages.items() if k in OF_INTEREST or k.startswith("nvidia-")}
    debian = dict(re.findall(r"(?m)^([\w.+-]+)/\S+ (?:\d+:)?([\d.]+)", apt))
    python = re.search(r"(?m)^Python (\S+)", system)[1]
    release = re.search(r"(?m)^Ubuntu .*$", system)[0]
    short = python.rpartition(".")[0]
    known = {
        "front_end": Fact.found("colab", "record"),
        "colab_release": Fact.found(f"release-colab-{folder.name}", "record"),
        "operating_system": Fact.found(release, system_source),
        "machine": Fact.found("x86_64", apt_source),
        "bits": Fact.found(64, "record"),
        "python": Fact.found(python, f"{system_source} (CPython)"),
        "python_executable": Fact.found("/usr/bin/python3", "record"),
        "pip": Fact.found(packages["pip"], pip_source),
        "packages": Fact.found(packages, pip_source),
        "loaded": Fact.found({"numpy": packages["numpy"]}, "record"),
        "compiler": Fact.found(Compiler("/usr/bin/g++", debian["g++-11"]), apt_source),
        "blas": Fact.found(
            (
                blas("OpenBLAS", "openblas", debian["libopenblas0-pthread"]),
                blas("MKL", "mkl_rt", debian["libmkl-rt"]),
            ),
            apt_source,
        ),
        "site_packages": Fact.found(f"/usr/local/lib/python{short}/dist-packages", "record"),
        "site_packages_writable": Fact.found(True, "record"),
        "home_writable": Fact.found(True, "record"),
        "environment": Fact.found({}, "record"),
        "theanorc": Fact.found({}, "record"),
        "driver": NO_NVML,
        "gpus": NO_NVML,
    }
    if gpu:
        source = "NVML, as known of Colab"
        known |= {"gpus": Fact.found((GPUS[gpu],), source), "driver": Fact.found(DRIVER, source)}
        known |= cuda(debian, packages, f"/usr/local/lib/python{short}/dist-packages", apt_source)
    if f"python{short}-dev" in debian:
        known["python_headers"] = Fact.found(f"/usr/include/python{short}", apt_source)
    return runtime(known)


def cuda(debian: dict[str, str], packages: dict[str, str], site: str, source: str) -> dict:
    """Return the toolkit, the libraries and the header of cuDNN that the lists name."""
    suffix = next(n.removeprefix("cuda-cudart-") for n in debian if n.startswith("cuda-cudart-1"))
    toolkit = Toolkit("/usr/local/cuda", suffix.replace("-", "."), "/usr/local/cuda")
    apt = {
        "cudart": debian[f"cuda-cudart-{suffix}"],
        "nvrtc": debian[f"cuda-nvrtc-{suffix}"],
        "cublas": debian[f"libcublas-{suffix}"],
    }
    wheels = {"cudart": "cuda-runtime", "nvrtc": "cuda-nvrtc", "cublas": "cublas", "cudnn": "cudnn"}
    cudnn = ".".join(debian["libcudnn9-cuda-12"].split(".")[:3])
    found = []
    for name, wheel in wheels.items():
        major = "9" if name == "cudnn" else "12"
        if version := packages.get(f"nvidia-{wheel}-cu12"):
            path = f"{site}/nvidia/{wheel.replace('-', '_')}/lib/lib{name}.so.{major}"
            found.append(CudaLibrary(name, version, path, "wheel"))
        if name in apt:
            path = f"/usr/local/cuda/lib64/lib{name}.so.{major}"
            found.append(CudaLibrary(name, apt[name], path, "toolkit"))
        else:
            found.append(CudaLibrary(name, cudnn, f"{LIBRARIES}/lib{name}.so.{major}", "system"))
    return {
        "toolkits": Fact.found((toolkit,), source),
        "cuda_libraries": Fact.found(tuple(found), f"{source}, pip-freeze"),
        "cudnn_header": Fact.found(cudnn, source),
    }


def runtime(known: dict[str, Fact]) -> Runtime:
    return dataclasses.replace(Runtime.from_json({}), **known)


def made_up(**values: object) -> Runtime:
    facts = {n: v if isinstance(v, Fact) else Fact.found(v, "made up") for n, v in values.items()}
    common = {"machine": "x86_64", "bits": 64, "environment": {}, "theanorc": {}, "loaded": {}}
    common["python_headers"] = "/usr/include/python3"
    return runtime({n: Fact.found(v, "made up") for n, v in common.items()} | facts)


def elsewhere() -> dict[str, Runtime]:
    """Return machines that are not Colab's as they come; together they show every conflict."""
    packages = {"numpy": "2.1.3", "scipy": "1.16.3", "six": "1.17.0", "pip": "24.3.1"}
    jax = {"jax": "0.7.2", "jaxlib": "0.7.2", "jax-cuda12-plugin": "0.7.2"}
    compiler = Compiler("/usr/bin/g++", "13.3.0")
    node = tuple(Gpu(i, "NVIDIA A100-SXM4-80GB", 80 * GIB, (8, 0)) for i in range(4))
    return {
        "datacentre": made_up(
            front_end="jupyter",
            operating_system="Rocky Linux 9.4 (Blue Onyx)",
            python="3.12.8",
            packages=packages | jax,
            compiler=compiler,
            gpus=node,
            gpu_memory_free=tuple(gpu.memory_bytes - i * 22 * GIB for i, gpu in enumerate(node)),
            driver=Driver("535.183.06", (12, 2)),
            toolkits=(
                Toolkit("/apps/cuda/12.6", "12.6.2", "$CUDA_HOME"),
                Toolkit("/usr/local/cuda-11.8", "11.8", "/usr/local/cuda-*"),
            ),
            cuda_libraries=(
                CudaLibrary("cudnn", "8.9.7", "/apps/cudnn/lib/libcudnn.so.8", "system"),
                CudaLibrary("cudnn", "9.10.2", "/home/me/v/nvidia/libcudnn.so.9", "wheel"),
            ),
            jax_devices=tuple(JaxDevice("gpu", gpu.name) for gpu in node),
            environment={"LD_LIBRARY_PATH": "/apps/cudnn/lib", "CUDA_VISIBLE_DEVICES": "2,3"},
        ),
        "laptop": made_up(
            front_end="jupyter",
            operating_system="Ubuntu 24.04.1 LTS",
            python="3.12.3",
            packages=packages | {"theano-pymc": "1.1.2"},
            compiler=Fact.absent("no g++ on PATH", "$PATH"),
            gpus=(Gpu(0, "NVIDIA GeForce GTX 960M", 2 * GIB, (5, 0)),),
            driver=Driver("470.256.02", (11, 4)),
            theanorc={"/home/me/.theanorc": "[global]\ndevice = gpu0\n[cuda]\nroot = /opt/cuda\n"},
            named_paths={"/opt/cuda": False},
        ),
        "binder": made_up(
            front_end="jupyter",
            container=Fact.found("docker", "/.dockerenv"),
            operating_system="Ubuntu 22.04.5 LTS",
            python="3.11.10",
            packages=packages,
            compiler=compiler,
            driver=NO_NVML,
            gpus=NO_NVML,
            pci_gpus=0,
        ),
        # A notebook's first cells have installed and set this and that.
        "colab-tinkered": made_up(
            front_end="colab",
            colab_release="release-colab-2026.08-current",
            operating_system="Ubuntu 22.04.5 LTS",
            python="3.13.7",
            packages=packages
            | {"numpy": "1.26.4", "theano": "1.0.5", "theano-pymc": "1.1.2", "keras": "3.13.2"},
            loaded={"numpy": "2.1.3", "scipy": "1.15.0"},
            site_packages="/usr/local/lib/python3.13/dist-packages",
            theano_places=(
                "/content/theano.py",
                "/usr/local/lib/python3.13/dist-packages/theano/__init__.py",
            ),
            compiler=compiler,
            python_headers=Fact.absent("no Python.h in /usr/include/python3.13", "sysconfig"),
            driver=NO_NVML,
            gpus=NO_NVML,
            pci_gpus=0,
            environment={"THEANO_FLAGS": "device=cuda,floatX=float32", "KERAS_BACKEND": "theano"},
            theanorc={"/root/.theanorc": "[global]\nfloatX = float64\n"},
        ),
        # A lab's container: started without the GPU, and built with the toolkit's stub in its path.
        "container": made_up(
            front_end="jupyter",
            container=Fact.found("docker", "/.dockerenv"),
            operating_system="Ubuntu 20.04.6 LTS",
            python="3.12.8",
            packages=packages | jax | {"pygpu": "0.7.6"},
            pygpu=Fact.absent("ImportError: numpy.core.multiarray failed to import", "import"),
            compiler=compiler,
            home_writable=False,
            temporary_folder="/tmp/theano-1000",
            driver=Fact.absent("Driver Not Loaded", "NVML"),
            gpus=Fact.absent("Driver Not Loaded", "NVML"),
            pci_gpus=2,
            driver_library="/usr/local/cuda/lib64/stubs/libcuda.so.1",
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64/stubs"},
        ),
        # A shared A100, cut into instances, behind a batch system.
        "cluster": made_up(
            front_end="jupyter",
            operating_system="Red Hat Enterprise Linux 9.4 (Plow)",
            python="3.12.8",
            packages=packages | jax | {"torch": "2.6.0+cu124"},
            compiler=compiler,
            gpus=tuple(
                Gpu(0, f"NVIDIA A100-SXM4-40GB MIG {one}", 10 * GIB, (8, 0))
                for one in ("1g.10gb", "2g.10gb")
            ),
            gpu_state=({"MIG mode": "on", "compute mode": "exclusive process"},) * 2,
            driver=Driver("570.124.06", (12, 8)),
            toolkits=(Toolkit("/apps/cuda/12.8", "12.8.1", "$CUDA_HOME"),),
            cuda_libraries=(
                CudaLibrary("cudart", "12.6.77", "/home/me/v/libcudart.so.12", "wheel"),
                CudaLibrary("cudnn", "9.10.2", "/home/me/v/nvidia/libcudnn.so.9", "wheel"),
            ),
            cudnn_header="8.9.7",
            environment={
                "CUDA_HOME": "/apps/cuda/12.8",
                "CUDA_VISIBLE_DEVICES": "0",
                "JAX_PLATFORMS": "cpu",
                "THEANO_FLAGS": "device=cuda1",
            },
        ),
        # Another of its nodes: the job was given no instance.
        "cluster-empty": made_up(
            front_end="terminal",
            operating_system="Red Hat Enterprise Linux 9.4 (Plow)",
            python="3.12.8",
            packages=packages | jax,
            compiler=compiler,
            gpus=Fact.absent(
                "GPU 0 is in MIG mode and has no instance that we may use", "NVML (nvidia-ml-py)"
            ),
            driver=Driver("570.124.06", (12, 8)),
        ),
        # A server of 2016: a new JAX, an old driver, old GPUs.
        "old-server": made_up(
            front_end="jupyter",
            operating_system="Ubuntu 22.04.5 LTS",
            python="3.11.10",
            packages=packages | jax | {"jax-cuda12-plugin": "0.6.0"},
            compiler=compiler,
            cpu_features=("mmx", "pni", "sse", "sse2", "sse4_1", "ssse3"),
            gpus=(Gpu(0, "Tesla K80", 11 * GIB, (3, 7)), Gpu(1, "Tesla K80", 11 * GIB, (3, 7))),
            driver=Driver("470.256.02", (11, 4)),
            toolkits=(Toolkit("/usr/local/cuda", "12.2", "/usr/local/cuda"),),
            cuda_libraries=(
                CudaLibrary("nvrtc", "12.2.140", "/usr/local/cuda/lib64/libnvrtc.so.12", "toolkit"),
            ),
            environment={"THEANO_FLAGS": "device=cuda2,force_device=True"},
        ),
        # A new workstation whose distribution still has an old toolkit, and no driver loaded after
        # the kernel's update.
        "workstation": made_up(
            front_end="jupyter",
            operating_system="Debian GNU/Linux 12 (bookworm)",
            python="3.13.1",
            packages=packages | jax,
            compiler=compiler,
            gpus=(Gpu(0, "NVIDIA GeForce RTX 5090", 32 * GIB, (12, 0)),),
            driver=Driver("580.65.06", (13, 0)),
            toolkits=(Toolkit("/usr", "11.8.89", "nvcc on PATH"),),
            environment={"CUDA_VISIBLE_DEVICES": "", "THEANO_FLAGS": "device=cuda"},
        ),
        "workstation-updated": made_up(
            front_end="terminal",
            container=Fact.absent("no sign of a container", "/.dockerenv"),
            operating_system="Debian GNU/Linux 12 (bookworm)",
            python="3.13.1",
            packages=packages | jax,
            compiler=compiler,
            gpus=Fact.absent("Driver/library version mismatch", "NVML (nvidia-ml-py)"),
            driver=Fact.absent("Driver/library version mismatch", "NVML (nvidia-ml-py)"),
            pci_gpus=1,
        ),
    }


def blas(name: str, library: str, version: str) -> Blas:
    return Blas(name, version, f"{LIBRARIES}/lib{library}.so", f"-l{library}")


def main(source: Path) -> None:
    OUT.mkdir(exist_ok=True)
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        for gpu in (None, *GPUS):
            save(colab(folder, gpu), str(OUT / f"{folder.name}.{gpu or 'cpu'}.json"))
    for name, machine in elsewhere().items():
        save(machine, str(OUT / f"{name}.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
