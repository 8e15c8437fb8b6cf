"""The report: what a bug report needs, and nothing private, however it is put there."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theano_colab.doctor.checks import Check
from theano_colab.doctor.diagnose import Diagnosis, examine
from theano_colab.doctor.report import report, write
from theano_colab.runtime.model import (
    Blas,
    Compiler,
    CudaFile,
    CudaLibrary,
    Driver,
    Fact,
    Gpu,
    JaxDevice,
    Runtime,
    Tool,
    Toolkit,
)
from theano_colab.runtime.record import load

MACHINES = sorted((Path(__file__).parents[1] / "data" / "runtimes").glob("*.json"))
SECRETS = (
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "hf_tOkEn",
    "jane.doe",
    "/home/jane.doe",
    "C:\\Users\\Jane",
    "jane@example.org",
    "https://jane:pa55w0rd@index.example.org/simple",
    "sk-proj-0123456789",
)


def seeded(secret):
    """Return a runtime that has the secret in every text of every fact."""
    path = f"/x/{secret}/lib.so"
    texts = dict.fromkeys(Runtime.__dataclass_fields__, f"{secret}")
    values = {
        "packages": {"numpy": "2.1.3", "secret": secret, secret: "1.0"},
        "loaded": {"numpy": "2.1.3", "x": secret},
        "environment": {
            "THEANO_FLAGS": f"device=cpu,base_compiledir={secret},unknown={secret}",
            "LD_LIBRARY_PATH": path,
            "HF_TOKEN": secret,
            "KERAS_BACKEND": secret,
            "OMP_NUM_THREADS": "4",
        },
        "theanorc": {path: f"[global]\nfloatX = float32\ncxx = {secret}\n"},
        "named_paths": {path: True},
        "theano_places": (path,),
        "compiler": Compiler(path, f"11.4 {secret}"),
        "blas": (Blas(secret, secret, path, f"-L{path}", secret), Blas("MKL", "1", path, "")),
        "driver": Driver(f"550 {secret}", (12, 4)),
        "gpus": (Gpu(0, secret, 1 << 30, (7, 5)), Gpu(1, "Tesla T4", 1 << 30, (7, 5))),
        "toolkits": (Toolkit(path, f"12 {secret}", path),),
        "cuda_libraries": (
            CudaLibrary(secret, secret, path, secret),
            CudaLibrary("cudnn", "9.8.0", path, "system"),
        ),
        "jax_devices": (JaxDevice(secret, secret),),
        "bits": 64,
        "cpu_count": 2,
        "memory_bytes": 1,
        "disk_free_bytes": 1,
        "site_packages_writable": True,
        "home_writable": True,
        "pci_gpus": 1,
        "gpu_memory_free": (1,),
        "memory_total_bytes": 1,
        "cpu_quota": 1.5,
        "tools": (Tool(secret, path, f"gcc 12 {secret}"),),
        "processor": {secret: secret, "Model name": secret},
        "cpu_features": ("avx", secret),
        "gpu_state": ({"UUID": secret, secret: "on"},),
        "cuda_files": (CudaFile(secret, secret, path),),
        "conda": {"pygpu": secret, secret: "1"},
    }
    facts = {
        name: Fact.found(values.get(name, texts[name]), f"{path} {secret}")
        for name in Runtime.__dataclass_fields__
    }
    checks = (Check("Theano", "error", secret, (secret,), secret, 1.0, {"gflops": 2.345}),)
    return Diagnosis(Runtime(**facts), checks, (secret,), 1.0)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_private_does_not_get_out(secret):
    found = report(seeded(secret))
    for text in (write(found), json.dumps(found)):
        assert secret not in text
        assert "/x/" not in text
        assert "jane" not in text.lower()


def test_what_is_needed_is_there_beside_it():
    found = report(seeded("/home/jane"))
    assert found["packages"] == {"numpy": "2.1.3"}
    assert found["flags"] == {"floatX": "float32", "device": "cpu"}
    assert found["environment"] == {"OMP_NUM_THREADS": "4"}
    assert found["vectors"] == ["avx"]
    assert found["gpus"] == ["Tesla T4, 1024 MiB, 7.5"]
    assert found["cuda_libraries"] == ["cudnn 9.8.0 (system)"]
    assert found["doctor"] == [{"check": "Theano", "verdict": "error", "gflops": 2.35}]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.stem)
def test_recorded_runtimes(machine):
    runtime = load(str(machine))
    text = write(report(examine(runtime)))
    assert runtime.python.value in text
    assert f"numpy {runtime.packages.value['numpy']}" in text
    for gpu in runtime.gpus.value or ():
        assert gpu.name in text
    assert not any(part in text for part in ("/usr", "/home", "/opt", "/apps"))
    assert text.startswith("```\n")
    assert text.endswith("\n```")


def test_conflicts_are_told_by_their_name():
    laptop = next(path for path in MACHINES if path.stem == "laptop")
    told = {line.get("id") for line in report(examine(load(str(laptop))))["doctor"]}
    assert {"no-compiler", "old-device-name"} <= told


WORD = st.from_regex(r"[A-Za-z]{3,8}", fullmatch=True)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.tuples(WORD, WORD).map(lambda words: f"zq{words[0]}{words[1]}"))
def test_generated_secrets_do_not_get_out(secret):
    assert "zq" not in write(report(seeded(secret)))
