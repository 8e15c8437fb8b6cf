"""What is around Python and the driver: container, PCI bus, libcuda, cuDNN's header, paths."""

from pathlib import Path

from theano_colab.runtime import cuda, environment, host, packages
from theano_colab.runtime.model import Toolkit


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_containers_are_known_by_their_marks(tmp_path):
    assert host.container(tmp_path).missing == "no sign of a container"
    mark = write(tmp_path / "run" / ".containerenv")
    assert host.container(tmp_path).value == "podman"
    assert host.container(tmp_path).source == str(mark)
    write(tmp_path / ".dockerenv")
    assert host.container(tmp_path).value == "docker"


def test_nvidias_display_controllers_on_the_bus_and_nothing_else(tmp_path):
    for name, vendor, kind in [
        ("0000:00:04.0", "0x10de", "0x030200"),  # a T4
        ("0000:00:05.0", "0x10de", "0x040300"),  # an NVIDIA card's sound
        ("0000:00:06.0", "0x1af4", "0x030000"),  # a virtual screen
    ]:
        write(tmp_path / name / "vendor", vendor + "\n")
        write(tmp_path / name / "class", kind + "\n")
    (tmp_path / "0000:00:07.0").mkdir()
    assert host.pci_gpus(tmp_path).value == 1
    assert host.pci_gpus(tmp_path / "none").value is None


def test_libcuda_is_the_one_that_ld_library_path_puts_first(tmp_path, monkeypatch):
    stub = write(tmp_path / "stubs" / "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{stub.parent}")
    found = cuda.driver_library()
    assert (found.value, found.source) == (str(stub), "$LD_LIBRARY_PATH")


def test_the_header_of_cudnn_beside_the_toolkit_or_the_system(tmp_path):
    text = "#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 8\n#define CUDNN_PATCHLEVEL 0\n"
    assert cuda.cudnn_header((), tmp_path).value is None
    write(tmp_path / "usr/include/x86_64-linux-gnu/cudnn_version.h", text)
    assert cuda.cudnn_header((), tmp_path).value == "9.8.0"
    write(tmp_path / "cuda/include/cudnn_version.h", text.replace("8", "5"))
    toolkits = (Toolkit(str(tmp_path / "cuda"), "12.8", "test"),)
    assert cuda.cudnn_header(toolkits, tmp_path).value == "9.5.0"
    write(tmp_path / "cuda/include/cudnn_version.h", "garbled")
    assert cuda.cudnn_header(toolkits, tmp_path).value == "9.8.0"


def test_every_theano_on_the_path_the_first_first(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [str(tmp_path / name) for name in ("a", "b", "c")])
    assert packages.theano_places().value is None
    package = write(tmp_path / "b/theano/__init__.py")
    module = write(tmp_path / "c/theano.py")
    (tmp_path / "a/theano").mkdir(parents=True)  # no package
    assert packages.theano_places().value == (str(package), str(module))


def test_paths_that_settings_name_and_whether_they_exist(tmp_path, monkeypatch):
    here, gone = str(tmp_path), str(tmp_path / "gone")
    monkeypatch.setenv("THEANO_FLAGS", f"cuda.root={gone},base_compiledir=~/compiled,device=cuda")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{here}:relative/lib")
    monkeypatch.setenv("THEANORC", str(write(tmp_path / "rc", "[cuda]\nroot = '/no such'\n")))
    named = environment.named_paths().value
    assert named.items() >= {here: True, gone: False, "/no": False}.items()
    assert all(Path(path).is_absolute() for path in named)
    assert not any("compiled" in path or path.endswith("lib") for path in named)
