"""What of CUDA is no library, in trees laid out as NVIDIA's installers and wheels do."""

import pytest

from theano_colab.runtime import cuda_files
from theano_colab.runtime.model import CudaFile, Toolkit


@pytest.fixture(autouse=True)
def _nothing_on_path(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")


def named(found):
    return [(one.kind, one.name, one.path) for one in found.value]


@pytest.fixture
def toolkit(tmp_path):
    root = tmp_path / "cuda"
    for name in ("bin/ptxas", "nvvm/libdevice/libdevice.10.bc", "include/cuda_runtime.h"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "bin/ptxas").chmod(0o755)
    (root / "bin/nvlink").touch()  # not executable
    return Toolkit(str(root), "12.8", "$CUDA_PATH")


def test_a_toolkit_s(toolkit):
    found = named(cuda_files.files([toolkit]))
    assert ("bitcode", "device", f"{toolkit.root}/nvvm/libdevice/libdevice.10.bc") in found
    assert ("headers", "cudart", f"{toolkit.root}/include") in found
    assert ("program", "ptxas", f"{toolkit.root}/bin/ptxas") in found
    assert "nvlink" not in {name for _, name, _ in found}


def test_a_wheel_comes_first_and_path_second_each_real_file_once(
    toolkit, wheel, tmp_path, monkeypatch
):
    site = wheel(
        "nvidia-cuda-nvcc-cu12",
        "12.8.93",
        "nvidia/cuda_nvcc/bin/ptxas",
        "nvidia/cuda_nvcc/include/fatbinary_section.h",
        "nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc",
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ptxas").symlink_to(f"{toolkit.root}/bin/ptxas")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = cuda_files.files([toolkit])
    programs = [path for kind, _, path in named(found) if kind == "program"]
    assert programs == [f"{site}/nvidia/cuda_nvcc/bin/ptxas", f"{tmp_path}/bin/ptxas"]
    bitcode = next(path for kind, _, path in named(found) if kind == "bitcode")
    assert bitcode.startswith(str(site))
    folder = f"{site}/nvidia/cuda_nvcc/include"
    assert CudaFile("headers", "nvcc", folder) in found.value


def test_nothing_there(tmp_path, monkeypatch):
    monkeypatch.setattr(cuda_files, "_USR", tmp_path)
    assert cuda_files.files([]).missing == "no program, header or bitcode of CUDA's"
