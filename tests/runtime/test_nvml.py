"""NVML's answers, given by a stand-in for its bindings in the process that really asks."""

import os
import textwrap
from pathlib import Path

import pytest

from theano_colab.runtime import gpu
from theano_colab.runtime.model import Driver, Gpu

GIB = 1 << 30

BINDINGS = """
import threading
class NVMLError(Exception): pass
class Memory:
    def __init__(self, total): self.total = total
GPUS = [("Tesla T4", 15 << 30, (7, 5))]
MIG = {}  # index -> [(name, memory) or None for an empty slot]
def nvmlInit(): pass
def nvmlShutdown(): open(SHUT, "w").close()
def nvmlSystemGetDriverVersion(): return "550.54.15"
def nvmlSystemGetCudaDriverVersion_v2(): return 12040
def nvmlDeviceGetCount(): return len(GPUS)
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetName(handle): return handle[0] if isinstance(handle, tuple) else GPUS[handle][0]
def nvmlDeviceGetMemoryInfo(handle):
    return Memory(handle[1] if isinstance(handle, tuple) else GPUS[handle][1])
def nvmlDeviceGetCudaComputeCapability(handle): return GPUS[handle][2]
def nvmlDeviceGetMigMode(handle):
    if handle not in MIG: raise NVMLError("Not Supported")
    return [1, 1]
def nvmlDeviceGetMaxMigDeviceCount(handle): return len(MIG[handle])
def nvmlDeviceGetMigDeviceHandleByIndex(handle, number):
    if MIG[handle][number] is None: raise NVMLError("Not Found")
    return MIG[handle][number]
"""


@pytest.fixture
def nvml(tmp_path, monkeypatch):
    """Return a function that puts bindings in the path, asks, and returns driver and GPUs."""
    monkeypatch.setattr(gpu, "_LOADED", tmp_path / "no driver")
    monkeypatch.setattr(gpu, "LIMIT", 20.0)  # for a busy machine
    monkeypatch.syspath_prepend(str(tmp_path))
    shut = tmp_path / "shut"

    def ask(changes="", *, shuts_down=True, state=False):
        text = f"SHUT = {str(shut)!r}\n" + BINDINGS + textwrap.dedent(changes)
        (tmp_path / "pynvml.py").write_text(text)
        answer = gpu.read(gpu.ask())
        assert shut.exists() == shuts_down
        return answer if state else answer[:2]

    return ask


def test_a_t4(nvml):
    driver, gpus = nvml()
    assert driver.value == Driver("550.54.15", (12, 4))
    assert gpus.value == (Gpu(0, "Tesla T4", 15 * GIB, (7, 5)),)
    assert gpus.source == driver.source == "NVML (nvidia-ml-py)"


@pytest.mark.parametrize(
    ("name", "memory", "capability"),
    [
        ("NVIDIA L4", 23 * GIB, (8, 9)),
        ("NVIDIA A100-SXM4-40GB", 40 * GIB, (8, 0)),
        ("NVIDIA H100 80GB HBM3", 80 * GIB, (9, 0)),
    ],
)
def test_the_other_gpus_of_colab(nvml, name, memory, capability):
    _, gpus = nvml(f"GPUS = [({name!r}, {memory}, {capability})]")
    assert gpus.value == (Gpu(0, name, memory, capability),)


def test_the_state_of_a_gpu_as_far_as_it_tells(nvml):
    *_, state = nvml(
        """
        class Pci: busId = b"00000000:00:04.0"
        def nvmlDeviceGetPciInfo(handle): return Pci
        def nvmlDeviceGetUUID(handle): return "GPU-0fc2"
        def nvmlDeviceGetPersistenceMode(handle): return 1
        def nvmlDeviceGetComputeMode(handle): return 3
        def nvmlDeviceGetTemperature(handle, sensor): return 41
        def nvmlDeviceGetPowerUsage(handle): return 26400
        def nvmlDeviceGetFanSpeed(handle): raise NVMLError("Not Supported")
        """,
        state=True,
    )
    assert state.value == (
        {
            "UUID": "GPU-0fc2",
            "PCI bus": "00000000:00:04.0",
            "persistence mode": "on",
            "compute mode": "exclusive process",
            "temperature": "41 C",
            "power": "26 W",
        },
    )


def test_old_bindings_answer_with_bytes(nvml):
    driver, gpus = nvml(
        """
        GPUS = [(b"Tesla T4", 15 << 30, (7, 5))]
        def nvmlSystemGetDriverVersion(): return b"460.32.03"
        nvmlSystemGetCudaDriverVersion = lambda: 11020
        del nvmlSystemGetCudaDriverVersion_v2, nvmlDeviceGetMigMode
        """
    )
    assert driver.value == Driver("460.32.03", (11, 2))
    assert gpus.value[0].name == "Tesla T4"


def test_two_gpus_one_of_them_lost(nvml):
    _, gpus = nvml(
        """
        GPUS = [("NVIDIA L4", 23 << 30, (8, 9))] * 2
        def nvmlDeviceGetHandleByIndex(index):
            if index == 0: raise NVMLError("GPU is lost")
            return index
        """
    )
    assert [g.index for g in gpus.value] == [1]
    assert gpus.source == "NVML (nvidia-ml-py); GPU 0: GPU is lost"


def test_a_gpu_cut_into_mig_instances(nvml):
    _, gpus = nvml(
        """
        GPUS = [("NVIDIA A100-SXM4-40GB", 40 << 30, (8, 0))]
        MIG = {0: [("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 5 << 30), None]}
        """
    )
    assert gpus.value == (Gpu(0, "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 5 * GIB, (8, 0)),)


def test_mig_without_an_instance_for_us(nvml):
    driver, gpus = nvml("MIG = {0: [None, None]}")
    assert driver.value is not None
    assert gpus.missing == "GPU 0 is in MIG mode and has no instance that we may use"


def test_mig_without_permission(nvml):
    _, gpus = nvml(
        """
        MIG = {0: []}
        def nvmlDeviceGetMaxMigDeviceCount(handle): raise NVMLError("Insufficient Permissions")
        """
    )
    assert gpus.missing == "GPU 0: Insufficient Permissions"


def test_a_driver_without_a_gpu(nvml):
    driver, gpus = nvml("GPUS = []")
    assert driver.value == Driver("550.54.15", (12, 4))
    assert gpus.missing == "the driver has no GPU"


def test_no_permission(nvml):
    driver, gpus = nvml(
        'def nvmlSystemGetDriverVersion(): raise NVMLError("Insufficient Permissions")'
    )
    assert driver.missing == gpus.missing == "Insufficient Permissions"


def test_no_driver_in_the_stand_in(nvml):
    driver, gpus = nvml('def nvmlInit(): raise NVMLError("Driver Not Loaded")', shuts_down=False)
    assert driver.missing == gpus.missing == "Driver Not Loaded"


def test_bindings_that_cannot_be_imported(nvml):
    _, gpus = nvml('raise ImportError("libnvidia-ml.so.1: wrong ELF class")', shuts_down=False)
    assert gpus.missing == ("nvidia-ml-py cannot be imported: libnvidia-ml.so.1: wrong ELF class")


def test_a_driver_that_blocks(nvml, monkeypatch):
    monkeypatch.setattr(gpu, "LIMIT", 0.3)
    driver, gpus = nvml("def nvmlInit(): threading.Event().wait()", shuts_down=False)
    assert driver.missing == gpus.missing == "no answer within 0.3 s"


def test_a_driver_that_is_loaded_may_wake_its_gpus(nvml, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "LIMIT", 0.0)
    (tmp_path / "no driver").touch()
    _, gpus = nvml()
    assert gpus.value is not None


def test_a_library_that_crashes(nvml):
    _, gpus = nvml("import os\ndef nvmlInit(): os.abort()", shuts_down=False)
    assert gpus.missing == "the process that asked died of signal 6"


@pytest.mark.skipif(
    Path("/proc/driver/nvidia/version").exists(), reason="this machine has NVIDIA's driver"
)
def test_no_driver_on_this_machine():
    driver, gpus, _, state = gpu.read(gpu.ask())
    assert state.missing == gpus.missing
    assert driver.missing == gpus.missing == "NVML Shared Library Not Found"


@pytest.mark.gpu
@pytest.mark.skipif(not os.path.exists("/dev/nvidia0"), reason="no GPU here")  # noqa: PTH110  # a device file
def test_the_gpu_of_this_machine():
    driver, gpus, _, state = gpu.read(gpu.ask())
    assert state.value[0]["UUID"].startswith("GPU-")
    assert driver.value.cuda >= (11, 0)
    assert gpus.value[0].memory_bytes > GIB
