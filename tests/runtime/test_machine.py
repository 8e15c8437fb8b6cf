"""Host, front end, packages, settings, JAX, and the process that asks."""

import os
import shutil
import signal
import site
import subprocess
import sys
import sysconfig
import types
from pathlib import Path

import numpy as np
import pytest

from theano_colab.runtime import (
    accelerators,
    child,
    environment,
    frontend,
    host,
    packages,
    processor,
)
from theano_colab.runtime.model import JaxDevice

ROOT = Path(__file__).parents[2]


class Shell:
    """What get_ipython() returns."""

    kernel = None


@pytest.fixture
def ipython(monkeypatch):
    """Return a function that makes this process look like one of an IPython front end."""

    def start(kernel):
        shell = Shell()
        shell.kernel = kernel
        module = types.SimpleNamespace(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", module)

    monkeypatch.delenv(frontend.RELEASE_TAG, raising=False)
    return start


@pytest.fixture
def google_colab(tmp_path, monkeypatch):
    """Put a google.colab where it can be found, that must not be imported."""
    package = tmp_path / "dist-packages/google/colab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(package.parent.parent))


def test_a_plain_terminal(ipython, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert frontend.front_end().value == "terminal"


def test_ipython_imported_but_not_running(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert frontend.front_end().value == "terminal"


def test_ipython_in_a_terminal(ipython):
    ipython(None)
    assert frontend.front_end().value == "ipython"


def test_jupyter(ipython):
    ipython(object())
    assert frontend.front_end().value == "jupyter"
    assert frontend.colab_release().missing == "not on Colab"


def test_colab(ipython, google_colab, monkeypatch):
    ipython(object())
    monkeypatch.setenv(frontend.RELEASE_TAG, "release-colab-external-images_20260701_RC00")
    fact = frontend.front_end()
    assert fact.value == "colab"
    assert fact.source.endswith("google/colab/__init__.py")
    assert frontend.colab_release().value == "release-colab-external-images_20260701_RC00"


def test_jupyter_with_google_colab_installed(ipython, google_colab):
    ipython(object())
    assert frontend.front_end().value == "jupyter"
    assert "installed but" in frontend.colab_release().missing


def test_a_terminal_on_colab(google_colab, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setenv(frontend.RELEASE_TAG, "tag")
    assert frontend.front_end().value == "terminal"


def test_packages_of_this_environment():
    found = packages.packages().value
    assert found["numpy"] == np.__version__
    assert "pytest" not in found
    assert packages.pip().value == found["pip"]


def test_packages_names_are_normalised_and_the_first_wins(wheel, tmp_path, monkeypatch):
    wheel("Theano", "1.0.5+colab.1")
    wheel("Theano-PyMC", "1.1.2")
    wheel("nvidia-cuda-runtime-cu12", "12.8.90")
    wheel("jax-cuda12-plugin", "0.7.2")
    second = tmp_path / "second/Theano-1.0.4.dist-info"
    second.mkdir(parents=True)
    (second / "METADATA").write_text("Name: Theano\nVersion: 1.0.4\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(second.parent)])
    found = packages.packages().value
    assert found["theano"] == "1.0.5+colab.1"
    assert found["theano-pymc"] == "1.1.2"
    assert found["nvidia-cuda-runtime-cu12"] == "12.8.90"
    assert found["jax-cuda12-plugin"] == "0.7.2"


def test_debians_and_broken_metadata(wheel, tmp_path):
    site = wheel("unrelated", "1")
    (site / "six-1.16.0.egg-info").write_text("Name: six\nVersion: 1.16.0\n")
    (site / "Lasagne-0.2.dist-info").mkdir()
    (site / "~heano-1.0.5.dist-info").mkdir()
    found = packages.packages().value
    assert found["six"] == "1.16.0"
    assert not {"lasagne", "theano"} & set(found)


def test_a_pip_that_lost_its_metadata(wheel, monkeypatch):
    site = wheel("pip", "24.1.2")
    (site / "pip-24.1.2.dist-info/METADATA").write_text("Name: pip\n")
    monkeypatch.setattr(sys, "path", [str(site)])
    assert packages.pip().missing == "pip is not installed for this Python"


def test_loaded_is_what_this_process_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "theano", types.SimpleNamespace(__version__="1.0.5"))
    monkeypatch.setitem(sys.modules, "lasagne", types.ModuleType("lasagne"))
    monkeypatch.setitem(sys.modules, "jax", None)  # what Python leaves for a blocked import
    found = packages.loaded().value
    assert found["numpy"] == np.__version__
    assert found["theano"] == "1.0.5"
    assert found["lasagne"] == "unknown"
    assert "jax" not in found


def test_compiler_of_this_machine(monkeypatch):
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    monkeypatch.setattr(host, "COMPILER_LIMIT", 20.0)  # for a busy machine
    found = host.compiler(host.ask_compiler()).value
    assert found.path == shutil.which("g++")
    said = subprocess.run(
        [found.path, "-dumpfullversion"], capture_output=True, text=True, check=True
    )
    assert found.version == said.stdout.strip()


def test_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert host.compiler(host.ask_compiler()).missing == "no g++ on PATH"


def test_a_compiler_that_does_not_run(monkeypatch, tmp_path):
    monkeypatch.setattr(host, "COMPILER_LIMIT", 20.0)
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\necho 'cannot execute cc1plus' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    fact = host.compiler(host.ask_compiler())
    assert fact.missing == "cannot execute cc1plus"
    assert fact.source == str(broken)


def test_no_python_headers(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    assert host.python_headers().missing == f"no Python.h in {tmp_path}"


def test_numbers_of_this_machine():
    assert host.bits().value == 64
    assert processor.cpu_count().value == len(os.sched_getaffinity(0))
    assert 0 < processor.memory_bytes().value <= processor.memory_total_bytes().value < 1 << 50
    assert host.disk_free_bytes().value > 0


def test_what_lscpu_says(monkeypatch, tmp_path):
    asked = processor.ask()
    if asked is None:
        pytest.skip("no lscpu here")
    monkeypatch.setattr(processor, "LIMIT", 20.0)
    found = processor.processor(asked).value
    assert found["Architecture"] == host.machine().value
    assert not {"Flags", ""} & found.keys()


def test_no_lscpu_and_one_that_never_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "LIMIT", 0.3)
    blocking = tmp_path / "lscpu"
    blocking.write_text("#!/bin/sh\nsleep 1000\n")
    blocking.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert processor.processor(processor.ask()).missing == "no answer within 0.3 s"
    monkeypatch.setenv("PATH", "/nowhere")
    assert processor.processor(processor.ask()).missing == "no lscpu on PATH"


def test_the_features_of_this_processor():
    if host.machine().value == "x86_64":
        assert {"sse2", "fpu"} <= set(processor.cpu_features().value)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, "no limit"),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "no limit"),
        ({"cpu.max": "garbled"}, "no such control group"),
        ({}, "no such control group"),
    ],
)
def test_the_limit_of_a_container(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    fact = processor.cpu_quota(tmp_path)
    assert expected in (fact.value, fact.missing)


def test_the_system_s_kernel_libc_and_locale():
    assert host.kernel().value.startswith(os.uname().sysname)
    assert (host.libc().value or host.libc().missing).startswith(("glibc ", "this C library"))
    assert host.text_locale().value
    assert "".join(sys.version.split()) == host.python_build().value.replace(" ", "")


def test_tools_and_one_that_never_ends(monkeypatch, tmp_path):
    for name, body in {
        "gcc": "echo; echo 'gcc (Debian 12.2.0-14) 12.2.0'; echo 'of 1.1'",
        "nvcc": "sleep 1000",
        "clang": "echo broken 1.0; exit 1",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(host, "TOOLS", ("gcc", "clang", "nvcc"))
    monkeypatch.setattr(host, "COMPILER_LIMIT", 3.0)
    found = {tool.name: tool.version for tool in host.tools(host.ask_tools()).value}
    assert found == {"gcc": "gcc (Debian 12.2.0-14) 12.2.0", "clang": None, "nvcc": None}
    monkeypatch.setenv("PATH", "/nowhere")
    assert host.tools(host.ask_tools()).missing == "none of gcc, clang, nvcc is on PATH"


def test_conda(tmp_path):
    assert packages.conda(str(tmp_path)).missing == "this is no conda environment"
    records = tmp_path / "conda-meta"
    records.mkdir()
    for name in ("pygpu-0.7.6-py27_0", "libgpuarray-0.7.6-h1", "zlib-1.3-h2", "cuda-nvcc-12.8-0"):
        (records / f"{name}.json").touch()
    (records / "history").touch()
    found = packages.conda(str(tmp_path))
    assert found.value == {"cuda-nvcc": "12.8", "libgpuarray": "0.7.6", "pygpu": "0.7.6"}
    assert found.source == str(records)


def test_pygpu_is_imported_where_it_is_installed(wheel, monkeypatch):
    assert packages.pygpu(packages.ask_pygpu()).missing == "pygpu is not installed"
    site = wheel("pygpu", "0.7.6")
    (site / "pygpu.py").write_text("import libgpuarray_that_is_gone")
    fact = packages.pygpu(packages.ask_pygpu())
    assert fact.missing == "ModuleNotFoundError: No module named 'libgpuarray_that_is_gone'"
    (site / "pygpu.py").write_text("__version__ = '0.7.6'")
    assert packages.pygpu(packages.ask_pygpu()).value == "0.7.6"


def test_a_loaded_port_is_told_from_the_theano_it_stands_for(monkeypatch):
    module = types.ModuleType("theano")
    module.__version__ = "1.0.5"
    own = types.ModuleType("theano._version")
    own.get_versions = lambda: {"version": "1.0.5+colab.1"}
    monkeypatch.setitem(sys.modules, "theano", module)
    monkeypatch.delitem(sys.modules, "theano._version", raising=False)
    assert packages.loaded().value["theano"] == "1.0.5"
    monkeypatch.setitem(sys.modules, "theano._version", own)
    assert packages.loaded().value["theano"] == "1.0.5+colab.1"


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "not made yet"))
    assert host.home_writable().value is True
    assert host.home_writable().source == f"access({tmp_path})"


def test_the_temporary_folder_is_this_user_s_own(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert host.temporary_folder().value == f"{tmp_path}/theano-{os.getuid()}"
    assert not (tmp_path / f"theano-{os.getuid()}").exists()


def test_a_virtual_environment_has_no_user_site(monkeypatch):
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
    assert "virtual environment" in host.user_site().missing


def test_the_user_site_is_named_where_pip_would_use_it(monkeypatch, tmp_path):
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(tmp_path / "own"))
    assert host.user_site().value == str(tmp_path / "own")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(monkeypatch, tmp_path):
    tmp_path.chmod(0o555)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert host.home_writable().value is False


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_user_who_is_not_root(tmp_path):
    code = (
        "import os, sys; sys.path[:] = sys.argv[1].split(os.pathsep)\n"
        "from theano_colab.runtime import host\n"
        "import sysconfig; sysconfig.get_path = lambda _name: '/usr/lib'\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "print(host.site_packages_writable().value, host.home_writable().value)"
    )
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True,
        env={"HOME": "/root"},
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False"]


def test_externally_managed_is_named(monkeypatch, tmp_path):
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    fact = host.site_packages_writable()
    assert fact.value is True
    assert fact.source == f"access({tmp_path}); {tmp_path}/EXTERNALLY-MANAGED is there (PEP 668)"


def test_only_listed_variables_are_recorded(monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", "device=cpu")
    monkeypatch.setenv("TPU_WORKER_ID", "0")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:password@example.org/simple")
    found = environment.environment().value
    assert {"THEANO_FLAGS", "TPU_WORKER_ID", "XLA_PYTHON_CLIENT_PREALLOCATE"} <= set(found)
    assert not [key for key in found if key.startswith("PIP")]


def test_theanorc(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("THEANORC", raising=False)
    assert environment.theanorc().value == {}
    (tmp_path / ".theanorc").write_text("[global]\nfloatX = float32\n")
    assert environment.theanorc().value == {f"{tmp_path}/.theanorc": "[global]\nfloatX = float32\n"}
    (tmp_path / "second").write_text("x")
    monkeypatch.setenv("THEANORC", f"~/.theanorc:{tmp_path}/second:{tmp_path}/third:{tmp_path}")
    fact = environment.theanorc()
    assert list(fact.value) == [f"{tmp_path}/.theanorc", f"{tmp_path}/second"]
    assert fact.source == f"$THEANORC; {tmp_path}: Is a directory"


@pytest.fixture
def jax(tmp_path, monkeypatch):
    """Return a function that puts a stand-in for JAX in the path and asks it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def ask(text, limit=20.0):
        (tmp_path / "jax.py").write_text(text)
        return accelerators.read(accelerators.ask(), limit)

    return ask


def test_jax_devices(jax):
    fact = jax(
        "import os, types\n"
        "assert os.environ['XLA_PYTHON_CLIENT_PREALLOCATE'] == 'false'\n"
        "print('noise')\n"
        "t4 = types.SimpleNamespace(platform='gpu', device_kind='Tesla T4')\n"
        "def devices(platform=None): return [t4]\n"
    )
    assert fact.value == (JaxDevice("gpu", "Tesla T4"),)


def test_jax_s_gpus_count_beside_its_default_device(jax):
    fact = jax(
        "import types\n"
        "def devices(platform='cpu'): return [types.SimpleNamespace(platform=platform,"
        " device_kind=platform)]\n"
    )
    assert fact.value == (JaxDevice("cpu", "cpu"), JaxDevice("cuda", "cuda"))


@pytest.mark.parametrize(
    ("said", "kept"),
    [("Backend 'cuda' failed to initialize: no driver\nmore", True), ("Unknown backend", False)],
)
def test_why_jax_s_gpu_backend_did_not_start(jax, said, kept):
    fact = jax(
        "import types\n"
        "def devices(platform=None):\n"
        f"    if platform: raise RuntimeError({said!r})\n"
        "    return [types.SimpleNamespace(platform='cpu', device_kind='cpu')]\n"
    )
    assert fact.value == (JaxDevice("cpu", "cpu"),)
    assert fact.source.endswith("; " + said.splitlines()[0] if kept else "a process of its own")


def test_a_jax_that_is_started_here_is_asked_here(monkeypatch):
    cpu = types.SimpleNamespace(platform="cpu", device_kind="cpu")
    gpu = types.SimpleNamespace(platform="gpu", device_kind="Tesla T4")
    bridge = types.ModuleType("jax._src.xla_bridge")
    bridge._backends = {}
    monkeypatch.setitem(sys.modules, "jax._src.xla_bridge", bridge)
    assert accelerators.started() is None
    bridge._backends = {
        "cpu": types.SimpleNamespace(devices=lambda: [cpu]),
        "cuda": types.SimpleNamespace(devices=lambda: [gpu]),
    }
    assert accelerators.started().value == (JaxDevice("gpu", "Tesla T4"), JaxDevice("cpu", "cpu"))
    assert "in this process" in accelerators.started().source


def test_jax_that_fails_blocks_or_is_not_there(jax, monkeypatch):
    fact = jax("def devices(): raise RuntimeError('Unable to initialize backend')")
    assert fact.missing == "RuntimeError: Unable to initialize backend"
    assert (
        jax("import threading; threading.Event().wait()", 0.3).missing == "no answer within 0.3 s"
    )
    monkeypatch.setattr(accelerators.importlib.util, "find_spec", lambda _name: None)
    assert accelerators.read(accelerators.ask()).missing == "jax is not installed"


def test_the_real_jax():
    pytest.importorskip("jax")
    fact = accelerators.read(accelerators.ask())
    assert fact.value[0].platform in {"cpu", "gpu", "tpu"}


def test_an_interrupt_ends_the_process_that_was_asked():
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    question = child.Question(["sleep", "1000"])
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            question.answer(60)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert question._process.poll() == -signal.SIGKILL


def test_a_program_that_is_not_there():
    answer = child.Question(["/nowhere/program"]).answer(1)
    assert answer.failure == "/nowhere/program could not be started: No such file or directory"


def test_what_was_said_before_the_limit_is_kept_and_children_die_too(tmp_path):
    """A process that starts another and blocks: both are ended, what it wrote is returned."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = f"echo said; sleep 1000 > {fifo} & cat"
    question = child.Question(["sh", "-c", f"{code} {fifo}"])
    assert question.answer(0.5) == child.Answer("said\n", "", "no answer within 0.5 s")
