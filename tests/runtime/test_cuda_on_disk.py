"""Toolkits and CUDA's libraries, in trees laid out as NVIDIA's installers, wheels and apt do."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from theano_colab.runtime import child, cuda, packages
from theano_colab.runtime.model import CudaLibrary, Toolkit


@pytest.fixture(autouse=True)
def _only_what_the_test_lays_out(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(cuda, "LIMIT", 20.0)  # for a busy machine


def no_pathfinder():
    return child.python("-c", "")


def toolkit(folder, version):
    (folder / "bin").mkdir(parents=True)
    (folder / "version.json").write_text(
        json.dumps({"cuda": {"name": "CUDA SDK", "version": version}})
    )
    return folder


def test_colabs_toolkit_through_its_links_is_one(tmp_path, monkeypatch):
    real = toolkit(tmp_path / "usr/local/cuda-12.5", "12.5.1")
    (tmp_path / "usr/local/cuda-12").symlink_to(real)
    (tmp_path / "usr/local/cuda").symlink_to(tmp_path / "usr/local/cuda-12")
    found = cuda.toolkits(tmp_path)
    local = str(tmp_path / "usr/local/cuda")
    assert found.value == (Toolkit(local, "12.5.1", local),)


def test_the_order_of_the_search(tmp_path, monkeypatch):
    for version in ("11.8", "12.4", "12.10", "9.2", "13.0"):
        toolkit(tmp_path / f"usr/local/cuda-{version}", f"{version}.0")
    nvcc = tmp_path / "usr/local/cuda-9.2/bin/nvcc"
    nvcc.write_text("#!/bin/sh\n")
    nvcc.chmod(0o755)
    link = tmp_path / "bin/nvcc"
    link.parent.mkdir()
    link.symlink_to(nvcc)
    monkeypatch.setenv("CUDA_PATH", str(tmp_path / "usr/local/cuda-11.8"))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "gone"))
    monkeypatch.setenv("CUDA_ROOT", str(tmp_path / "usr/local/cuda-12.4"))
    monkeypatch.setenv("PATH", str(link.parent))
    found = [(t.version, t.found_via) for t in cuda.toolkits(tmp_path).value]
    rest = str(tmp_path / "usr/local/cuda-*")
    assert found == [
        ("11.8.0", "$CUDA_PATH"),
        ("12.4.0", "$CUDA_ROOT"),
        ("9.2.0", "nvcc on PATH"),
        ("13.0.0", rest),
        ("12.10.0", rest),
    ]


def test_no_toolkit(tmp_path):
    fact = cuda.toolkits(tmp_path)
    assert fact.missing == "no CUDA toolkit"
    assert "/usr/local/cuda*" in fact.source


@pytest.mark.parametrize(
    ("file", "text", "version"),
    [
        ("version.txt", "CUDA Version 10.2.89\n", "10.2.89"),
        ("include/cuda.h", "#define CUDA_VERSION 12080\n", "12.8"),
        (
            "bin/nvcc",
            "#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.88'\n",
            "13.0.88",
        ),
        ("version.json", "{", None),
        ("version.json", '{"cuda": 12}', None),
    ],
)
def test_where_a_toolkits_version_stands(tmp_path, file, text, version):
    root = tmp_path / "usr/local/cuda"
    (root / "nvvm").mkdir(parents=True)
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    value = cuda.toolkits(tmp_path).value
    assert (value[0].version if value else None) == version


def test_a_script_that_calls_nvcc_is_no_toolkit(tmp_path, monkeypatch):
    script = tmp_path / "bin/nvcc"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho 'release 13.0, V13.0.88'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))
    assert cuda.toolkits(tmp_path / "root").value is None


def test_colabs_libraries_from_wheels_toolkit_and_system(tmp_path, monkeypatch, wheel, elf):
    """System cuDNN 9.8.0 beside the wheel's 9.19.0, as on Colab's 2026.07 GPU runtime."""
    site = wheel("nvidia-cudnn-cu12", "9.19.0.56", "nvidia/cudnn/lib/libcudnn.so.9")
    wheel(
        "nvidia-cuda-runtime-cu12",
        "12.8.90",
        "nvidia/cuda_runtime/lib/libcudart.so.12",
        "nvidia/cuda_runtime/include/cuda.h",
    )
    kit = toolkit(tmp_path / "usr/local/cuda-12.8", "12.8.1")
    lib = kit / "targets/x86_64-linux/lib"
    elf(lib / "libcudart.so.12.8.90", lib / "libcudart.so.12")
    elf(lib / "stubs/libcuda.so")
    (kit / "lib64").symlink_to(lib)
    system = tmp_path / "usr/lib/x86_64-linux-gnu"
    elf(system / "libcudnn.so.9.8.0", system / "libcudnn.so.9")
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{tmp_path / 'gone'}:{system}")
    kits = cuda.toolkits(tmp_path).value
    value = cuda.libraries(no_pathfinder(), kits).value
    mine = [library for library in value if library.path.startswith(str(tmp_path))]
    assert mine == [
        CudaLibrary(
            "cudart", "12.8.90", f"{site}/nvidia/cuda_runtime/lib/libcudart.so.12", "wheel"
        ),
        CudaLibrary("cudart", "12.8.90", f"{kit}/lib64/libcudart.so.12", "toolkit"),
        CudaLibrary("cudnn", "9.19.0.56", f"{site}/nvidia/cudnn/lib/libcudnn.so.9", "wheel"),
        CudaLibrary("cudnn", "9.8.0", f"{system}/libcudnn.so.9", "system"),
    ]


def test_what_a_process_would_open_comes_first(tmp_path, wheel, elf):
    site = wheel("nvidia-cudnn-cu12", "9.19.0.56", "nvidia/cudnn/lib/libcudnn.so.9")
    other = elf(tmp_path / "opt/libcudnn.so.9.2.1")
    opened = child.python("-c", f'print(\'["cudnn", "{other}"]\')')
    value = cuda.libraries(opened, ()).value
    mine = [library.path for library in value if library.name == "cudnn"]
    assert mine[:2] == [str(other), f"{site}/nvidia/cudnn/lib/libcudnn.so.9"]


def test_cudnns_version_from_its_header(tmp_path, monkeypatch, elf):
    elf(tmp_path / "cudnn/lib/libcudnn.so.8")
    header = tmp_path / "cudnn/include/cudnn_version.h"
    header.parent.mkdir()
    header.write_text("#define CUDNN_MAJOR 8\n#define CUDNN_MINOR 9\n#define CUDNN_PATCHLEVEL 7\n")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "cudnn/lib"))
    value = cuda.libraries(no_pathfinder(), ()).value
    assert ("8.9.7", "system") in [(lib.version, lib.origin) for lib in value]


def test_a_library_that_crashes_leaves_what_the_disk_says(tmp_path, monkeypatch, elf):
    elf(tmp_path / "lib/libnvrtc.so.12.5.82")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "lib"))
    fact = cuda.libraries(child.python("-c", "import os; os.abort()"), ())
    assert any(library.version == "12.5.82" for library in fact.value)
    assert "cuda-pathfinder: the process that asked died of signal 6" in fact.source


@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler to build a library with")
def test_cuda_pathfinder_really_opens_a_library(tmp_path, monkeypatch):
    """The public API, on a library that the loader really takes."""
    pytest.importorskip("cuda.pathfinder")
    monkeypatch.setenv("PATH", os.defpath)
    library = tmp_path / "libnvrtc.so.12"
    subprocess.run(["g++", "-shared", "-x", "c++", os.devnull, "-o", str(library)], check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    answer = cuda.ask().answer(20)
    assert answer.failure is None
    opened = dict(map(json.loads, answer.output.splitlines()))
    wheels = [str(path) for path, _ in packages.wheel_files("nvidia-")]
    assert opened["nvrtc"] in [str(library), *wheels]


@pytest.mark.skipif(not Path("/usr/local/cuda").exists(), reason="no toolkit here")
def test_the_toolkit_of_this_machine():
    assert "/usr/local/cuda" in [t.root for t in cuda.toolkits().value]
