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
    if f"python{short}-dev" in debian:
        known["python_headers"] = Fact.found(f"/usr/include/python{short}", apt_source)
    return runtime(known)


def runtime(known: dict[str, Fact]) -> Runtime:
    return dataclasses.replace(Runtime.from_json({}), **known)


def made_up(**values: object) -> Runtime:
    facts = {n: v if isinstance(v, Fact) else Fact.found(v, "made up") for n, v in values.items()}
    common = {"machine": "x86_64", "bits": 64, "environment": {}, "theanorc": {}, "loaded": {}}
    return runtime({n: Fact.found(v, "made up") for n, v in common.items()} | facts)


def elsewhere() -> dict[str, Runtime]:
    """Return a node with several GPUs, a laptop with an old one, and Binder."""
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
