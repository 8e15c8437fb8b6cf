"""The plan for every Colab runtime, and for every runtime that is not like Colab's."""

from __future__ import annotations

import dataclasses
import json

import pytest
from recorded import GIB, GPUS, RELEASES, colab, with_flags, with_packages

from theano_colab.plan.compat import compat
from theano_colab.plan.flags import Flags
from theano_colab.plan.model import Plan, Request
from theano_colab.plan.resolve import resolve
from theano_colab.port import port_version
from theano_colab.runtime.model import Driver, Fact, Gpu, JaxDevice, Runtime

PORT = "1.0.5+colab.1"
CPU_STEPS = ["build-port", "install", "set-flags", "warm", "verify"]


def plan(runtime: Runtime, device: str = "auto", float_x=None, precision=None) -> Plan:
    return resolve(runtime, Request(device, float_x, precision))


def flags(planned: Plan) -> dict[str, str]:
    return {s.name: s.value for s in Flags.parse(planned.flags).settings}


def refusal(planned: Plan):
    """The one refusal; a refused plan has no steps."""
    assert planned.steps == ()
    (only,) = planned.refusals
    assert only.cause
    assert only.evidence
    assert only.remedy
    return only


def said(planned: Plan) -> str:
    return "\n".join(planned.notes)


class TestColab:
    def test_all_six_runtimes_are_recorded(self):
        assert len(RELEASES) == 6

    @pytest.mark.parametrize("release", RELEASES)
    def test_without_gpu_is_served_on_the_cpu(self, release):
        planned = plan(colab(release))
        assert planned.refusals == ()
        assert (planned.backend, planned.device, planned.precision) == ("cpu", "cpu", "")
        assert flags(planned) == {"device": "cpu"}
        assert [step.action for step in planned.steps] == CPU_STEPS
        assert planned.steps[1].requirements == (f"theano=={PORT}",)
        assert not any(step.kept for step in planned.steps)

    @pytest.mark.parametrize("release", RELEASES)
    @pytest.mark.parametrize("gpu", GPUS)
    def test_gpu_is_used_through_the_jax_that_is_there(self, release, gpu):
        runtime = colab(release, gpu)
        planned = plan(runtime)
        assert planned.refusals == planned.notes == ()
        assert (planned.backend, planned.device, planned.precision) == ("xla", "cuda", "float32")
        assert flags(planned) == {"device": "cuda", "floatX": "float32"}
        assert [step.action for step in planned.steps] == ["install", *CPU_STEPS]
        jax = planned.steps[0]
        assert jax.kept
        packages = runtime.packages.expect()
        plugin = f"jax-cuda12-plugin=={packages['jax-cuda12-plugin']}"
        assert jax.requirements == (f"jax=={packages['jax']}", plugin)
        assert "fits driver 550.54.15" in jax.why
        assert GPUS[gpu].name in planned.steps[-1].title

    @pytest.mark.parametrize("release", RELEASES)
    def test_without_gpu_there_is_nothing_to_note(self, release):
        assert plan(colab(release)).notes == ()

    def test_titles_name_python_and_numpy(self):
        titles = [plan(colab(release)).steps[0].title for release in ("2025.07", RELEASES[-1])]
        assert titles == [
            "Build Theano 1.0.5 for Python 3.11 and NumPy 2.0.2",
            "Build Theano 1.0.5 for Python 3.13 and NumPy 2.1.3",
        ]

    def test_says_which_blas_is_linked(self):
        (warm,) = [step for step in plan(colab()).steps if step.action == "warm"]
        assert "OpenBLAS 0.3.20" in warm.why

    @pytest.mark.parametrize("gpu", [None, *GPUS])
    def test_every_step_has_a_reason_and_the_plan_is_json(self, gpu):
        planned = plan(colab(gpu=gpu))
        assert all(step.title and step.why.endswith(".") for step in planned.steps)
        written = json.loads(json.dumps(planned.to_json()))
        assert written["device"] == ("cuda" if gpu else "cpu")


class TestPython:
    @pytest.mark.parametrize("version", ["3.10.12", "3.8.20", "2.7.18"])
    def test_too_old(self, version):
        found = refusal(plan(colab(python=version)))
        assert version in found.cause
        assert "3.11" in found.remedy

    @pytest.mark.parametrize("version", ["3.14.0", "3.15.0a1"])
    def test_newer_than_tested_goes_ahead_with_a_note(self, version):
        planned = plan(colab(python=version))
        assert planned.steps
        assert f"Python {version} was not tested" in said(planned)

    @pytest.mark.parametrize("version", ["3.11.0", "3.12.1", "3.13.15"])
    def test_tested(self, version):
        assert plan(colab(python=version)).notes == ()

    def test_pypy(self):
        pypy = Fact.found("3.11.11", "sys.version_info (PyPy)")
        assert "PyPy" in refusal(plan(colab(python=pypy))).cause

    def test_free_threaded_is_noted(self):
        python = Fact.found("3.13.0", "sys.version_info (CPython, free-threaded)")
        assert "Free-threaded" in said(plan(colab(python=python)))

    def test_32_bit(self):
        found = refusal(plan(colab(bits=32, machine="i686")))
        assert "64-bit" in found.cause
        assert "32 bits (i686)" in found.evidence

    def test_no_pip(self):
        missing = Fact.absent("pip is not installed for this Python", "importlib.metadata")
        found = refusal(plan(colab(pip=missing)))
        assert "/usr/bin/python3 -m ensurepip" in found.remedy

    def test_windows(self):
        found = refusal(plan(colab(operating_system="Windows-11")))
        assert "WSL" in found.remedy

    @pytest.mark.parametrize("name", ["macOS-15.1-arm64", "Darwin-24.1.0"])
    def test_macos_goes_ahead_with_a_note(self, name):
        planned = plan(colab(operating_system=name))
        assert planned.steps
        assert "macOS was not tested" in said(planned)


class TestPackages:
    def test_numpy_1_is_refused_and_never_changed(self):
        runtime = with_packages(colab(loaded={}), numpy="1.26.4")
        found = refusal(plan(runtime))
        assert "NumPy 1.26.4" in found.cause
        assert "numpy>=2.0" in found.remedy

    @pytest.mark.parametrize("version", ["2.0.0", "2.3.5", "2.5.0rc1"])
    def test_numpy_2(self, version):
        assert plan(with_packages(colab(loaded={}), numpy=version)).steps

    def test_numpy_changed_after_its_import(self):
        found = refusal(plan(with_packages(colab(loaded={"numpy": "2.1.3"}), numpy="2.3.0")))
        assert "2.1.3" in found.evidence
        assert "2.3.0" in found.evidence
        assert "Restart" in found.remedy

    def test_numpy_of_unknown_version_in_memory_is_no_reason(self):
        assert plan(colab(loaded={"numpy": "unknown"})).refusals == ()

    def test_missing_dependencies_are_installed_without_touching_numpy(self):
        step = plan(with_packages(colab(), scipy=None, six=None)).steps[0]
        assert step.action == "install"
        assert step.requirements == ("scipy>=1.13", "six>=1.16", "numpy==2.1.3")

    def test_only_what_is_missing_is_installed(self):
        step = plan(with_packages(colab(), six=None)).steps[0]
        assert step.title == "Install six"
        assert step.requirements == ("six>=1.16", "numpy==2.1.3")

    def test_dependency_too_old_is_refused_rather_than_changed(self):
        found = refusal(plan(with_packages(colab(), scipy="1.10.1")))
        assert "scipy 1.10.1" in found.cause
        assert "scipy>=1.13" in found.remedy

    def test_theano_pymc_is_not_broken(self):
        found = refusal(plan(with_packages(colab(), theano_pymc="1.1.2")))
        assert "theano-pymc 1.1.2" in found.cause
        assert "PyMC3" in found.cause

    def test_pytensor_is_no_conflict(self):
        runtime = colab()
        assert "pytensor" in runtime.packages.expect()
        assert plan(runtime).refusals == ()

    @pytest.mark.parametrize("version", ["1.0.5", "0.9.0"])
    def test_stock_theano_is_replaced_and_named(self, version):
        step = plan(with_packages(colab(), theano=version)).steps[1]
        assert f"takes the place of Theano {version}" in step.why
        assert not step.kept

    def test_port_that_is_there_is_kept(self):
        steps = plan(with_packages(colab(), theano=PORT)).steps
        kept = {step.action: step.kept for step in steps}
        assert kept == {
            "build-port": True, "install": True, "set-flags": False, "warm": False, "verify": False,
        }  # fmt: skip

    def test_flags_that_are_set_are_kept(self):
        runtime = with_flags(colab(), plan(colab()).flags)
        (step,) = [s for s in plan(runtime).steps if s.action == "set-flags"]
        assert step.kept


class TestImportedAlready:
    def test_port(self):
        runtime = colab(loaded={"theano": PORT, "numpy": "2.1.3"})
        planned = plan(with_packages(runtime, theano=PORT))
        assert planned.steps
        assert "Theano is imported already: setup sets live" in said(planned)

    @pytest.mark.parametrize("version", ["1.0.5", "unknown"])
    def test_another_needs_a_restart(self, version):
        planned = plan(colab(loaded={"theano": version}))
        assert planned.steps
        assert f"Theano {version} is imported already: a restart is needed" in said(planned)


class TestPlacesToWrite:
    def test_user_site_takes_the_place_of_read_only_site_packages(self):
        own = "/home/me/.local/lib/python3.13/site-packages"
        planned = plan(colab(site_packages_writable=False, user_site=own))
        assert planned.steps
        assert own in said(planned)

    def test_nowhere_to_install(self):
        none = Fact.absent("this Python has none", "site.ENABLE_USER_SITE")
        found = refusal(plan(colab(site_packages_writable=False, user_site=none)))
        assert "/usr/local/lib/python3.13/dist-packages" in found.evidence
        assert "-m venv" in found.remedy

    def test_python_of_the_operating_system(self):
        source = "access(/usr/lib); /usr/lib/python3.13/EXTERNALLY-MANAGED is there (PEP 668)"
        found = refusal(plan(colab(site_packages_writable=Fact.found(True, source))))
        assert "EXTERNALLY-MANAGED" in found.evidence
        assert "-m venv" in found.remedy

    def test_disk_nearly_full(self):
        found = refusal(plan(colab(disk_free_bytes=120_000_000)))
        assert "120 MB" in found.evidence
        assert "300 MB" in found.evidence

    def test_disk_with_room(self):
        assert plan(colab(disk_free_bytes=GIB)).steps

    def test_home_that_cannot_be_written(self):
        planned = plan(colab(home_writable=False, temporary_folder="/scratch/theano-1000"))
        assert flags(planned)["base_compiledir"] == "/scratch/theano-1000"
        assert "/scratch/theano-1000" in said(planned)

    @pytest.mark.parametrize("name", ["base_compiledir", "compiledir"])
    def test_own_compile_folder_stays(self, name):
        planned = plan(with_flags(colab(home_writable=False), f"{name}=/mine"))
        assert flags(planned) == {name: "/mine", "device": "cpu"}


class TestCompiler:
    def test_none_is_slow_but_works(self):
        planned = plan(colab(compiler=Fact.absent("no g++ on PATH", "$PATH")))
        assert flags(planned) == {"device": "cpu", "cxx": ""}
        assert "apt install g++" in said(planned)

    def test_no_headers(self):
        planned = plan(colab(python_headers=Fact.absent("no Python.h", "sysconfig")))
        assert flags(planned)["cxx"] == ""
        assert "apt install python3.13-dev" in said(planned)

    def test_own_cxx_stays(self):
        runtime = with_flags(colab(compiler=Fact.absent("none", "$PATH")), "cxx=/opt/bin/g++")
        assert flags(plan(runtime))["cxx"] == "/opt/bin/g++"

    def test_a_linker_that_needs_c_is_replaced(self):
        runtime = with_flags(colab(compiler=Fact.absent("none", "$PATH")), "linker=cvm")
        assert flags(plan(runtime))["linker"] == "vm"

    def test_no_blas_is_noted(self):
        planned = plan(colab(blas=Fact.absent("no BLAS library that could be linked", "files")))
        assert "matrix products go through NumPy" in said(planned)

    def test_own_blas_stays(self):
        runtime = with_flags(colab(), "blas.ldflags=-L/opt -lmine")
        planned = plan(runtime)
        assert flags(planned)["blas.ldflags"] == "-L/opt -lmine"
        assert "blas.ldflags=-L/opt -lmine" in planned.steps[3].why


class TestDeviceAskedFor:
    """What --device asks for is served or refused."""

    @pytest.mark.parametrize("device", ["cuda", "cuda0", "xla"])
    @pytest.mark.parametrize("gpu", GPUS)
    def test_gpu(self, device, gpu):
        planned = plan(colab(gpu=gpu), device)
        assert (planned.backend, planned.device) == ("xla", device)
        assert flags(planned) == {"device": device, "floatX": "float32"}

    def test_second_gpu(self):
        runtime = colab(gpu="T4", gpus=(GPUS["T4"], dataclasses.replace(GPUS["L4"], index=1)))
        planned = plan(runtime, "cuda1")
        assert flags(planned)["device"] == "cuda1"
        assert "NVIDIA L4" in planned.steps[-1].title
        assert "Tesla" not in plan(runtime, "cuda").steps[-1].title

    def test_own_float_type_stays(self):
        runtime = with_flags(colab(gpu="T4"), "floatX=float64")
        assert flags(plan(runtime, "cuda"))["floatX"] == "float64"
        assert flags(plan(runtime, "cuda", "float32"))["floatX"] == "float32"

    @pytest.mark.parametrize("gpu", [None, *GPUS])
    def test_cpu(self, gpu):
        planned = plan(colab(gpu=gpu), "cpu")
        assert planned.device == "cpu"
        assert planned.notes == ()

    def test_no_gpu_says_what_nvml_said(self):
        found = refusal(plan(colab(), "cuda"))
        assert "NVML Shared Library Not Found" in found.evidence
        assert "Change runtime type" in found.remedy

    def test_no_gpu_elsewhere_does_not_speak_of_colab(self):
        runtime = colab(colab_release=Fact.absent("not on Colab", "environment"))
        assert "Change runtime type" not in refusal(plan(runtime, "cuda")).remedy

    def test_no_driver(self):
        runtime = colab(gpu="T4", driver=Fact.absent("Driver Not Loaded", "NVML"))
        assert "Driver Not Loaded" in refusal(plan(runtime, "cuda")).evidence

    def test_driver_too_old_names_both_numbers(self):
        runtime = colab(gpu="T4", driver=Driver("470.256.02", (11, 4)))
        found = refusal(plan(runtime, "cuda"))
        assert "470.256.02" in found.evidence
        assert "525.60.13" in found.evidence

    def test_driver_too_old_for_the_plugin_that_is_there(self):
        runtime = with_packages(colab(gpu="T4"), jax_cuda12_plugin=None, jax_cuda13_plugin="0.7.2")
        found = refusal(plan(runtime, "cuda"))
        assert "550.54.15" in found.evidence
        assert "CUDA 13 needs 580" in found.evidence

    def test_gpu_too_old(self):
        runtime = colab(gpu="T4", gpus=(Gpu(0, "Tesla K80", 12 * GIB, (3, 7)),))
        found = refusal(plan(runtime, "cuda"))
        assert "Tesla K80" in found.cause
        assert "3.7" in found.evidence
        assert "5.2" in found.evidence

    def test_number_out_of_range_lists_what_is_there(self):
        found = refusal(plan(colab(gpu="T4"), "cuda3"))
        assert "number 3" in found.cause
        assert "cuda0 = Tesla T4" in found.evidence

    @pytest.mark.parametrize("device", ["gpu0", "tpu", "cuda:0", "", "CUDA", "opencl"])
    def test_unknown_device_is_refused_with_the_list(self, device):
        found = refusal(plan(colab(gpu="T4"), device))
        assert "auto, cpu, cuda, cuda0" in found.evidence


def seeing(runtime: Runtime, *platforms: str, source: str = "a process of its own") -> Runtime:
    """The runtime with what JAX sees there."""
    seen = tuple(JaxDevice(one, {"gpu": "Tesla T4"}.get(one, one)) for one in platforms)
    return dataclasses.replace(runtime, jax_devices=Fact.found(seen, source))


class TestJax:
    """What is there and fits stays; what lacks is installed; what cannot work is refused."""

    @pytest.mark.parametrize("release", RELEASES)
    def test_on_the_cpu_xla_needs_no_plugin(self, release):
        runtime = with_packages(colab(release), jax_cuda12_plugin=None)
        planned = plan(runtime, "xla")
        assert (planned.backend, planned.steps[0].kept) == ("xla", True)
        assert planned.steps[0].requirements == (f"jax=={runtime.packages.expect()['jax']}",)

    def test_missing_is_installed_beside_the_numpy_that_is_there(self):
        step = plan(with_packages(colab(), jax=None, jaxlib=None), "xla").steps[0]
        assert step.requirements == ("jax>=0.5.2", "numpy==2.1.3")
        assert not step.kept

    @pytest.mark.parametrize(
        ("driver", "gpu", "shared", "extra"),
        [
            ("550.54.15", "T4", None, "cuda12"),
            ("525.60.13", "H100", None, "cuda12"),
            ("580.65.06", "T4", None, "cuda13"),
            ("580.65.06", "A100", "nvidia-cudnn-cu12", "cuda12"),
            ("580.65.06", Gpu(0, "Tesla V100", 16 * GIB, (7, 0)), None, "cuda12"),
        ],
    )
    def test_missing_with_a_gpu(self, driver, gpu, shared, extra):
        card = GPUS.get(gpu, gpu)
        runtime = colab(gpu="T4", gpus=(card,), driver=Driver(driver, (12, 4)))
        names = ("jax", "jaxlib", "jax_cuda12_plugin", "jax_cuda12_pjrt", "nvidia_cudnn_cu12")
        runtime = with_packages(runtime, **dict.fromkeys(names))
        if shared:
            runtime = with_packages(runtime, **{shared: "9.10.2.21"})
        step = plan(runtime).steps[0]
        assert step.requirements == (f"jax[{extra}]>=0.5.2", "numpy==2.1.3")
        assert driver in step.why

    @pytest.mark.parametrize("release", RELEASES)
    def test_missing_plugin_is_installed_in_the_version_of_jaxlib(self, release):
        runtime = with_packages(colab(release, "T4"), jax_cuda12_plugin=None)
        packages = runtime.packages.expect()
        step = plan(runtime).steps[0]
        assert step.requirements == (
            f"jax-cuda12-plugin[with-cuda]=={packages['jaxlib']}",
            f"jax=={packages['jax']}",
            f"numpy=={packages['numpy']}",
        )

    def test_a_jax_that_has_no_plugin_for_cuda_13_gets_that_for_12(self):
        runtime = colab("2025.10", "T4", driver=Driver("580.65.06", (13, 0)))
        step = plan(with_packages(runtime, jax_cuda12_plugin=None, nvidia_cudnn_cu12=None)).steps[0]
        assert step.requirements[0] == "jax-cuda12-plugin[with-cuda]==0.5.3"

    def test_too_old_is_refused_rather_than_changed(self):
        found = refusal(plan(with_packages(colab(), jax="0.4.38", jaxlib="0.4.38"), "xla"))
        assert "JAX 0.4.38" in found.cause
        assert "never changes JAX" in found.evidence
        assert "jax>=0.5.2" in found.remedy

    def test_plugin_of_another_version_is_refused_rather_than_changed(self):
        found = refusal(plan(with_packages(colab(gpu="T4"), jax_cuda12_plugin="0.6.0"), "cuda"))
        assert "0.6.0" in found.cause
        assert "jaxlib is 0.7.2" in found.evidence
        assert "jax-cuda12-plugin[with-cuda]==0.7.2" in found.remedy

    def test_no_wheels(self):
        runtime = with_packages(colab(machine="riscv64"), jax=None)
        assert "no wheels of JAX for riscv64" in refusal(plan(runtime, "xla")).evidence

    def test_no_room_for_the_plugin(self):
        runtime = colab(gpu="T4", disk_free_bytes=2 * 10**9)
        found = refusal(plan(with_packages(runtime, jax_cuda12_plugin=None), "cuda"))
        assert "2000 MB are free" in found.evidence
        assert plan(runtime, "cuda").steps

    def test_what_jax_sees_is_enough(self):
        assert plan(seeing(colab(gpu="T4"), "gpu"), "cuda0").steps
        assert plan(seeing(colab(gpu="T4"), "cpu", "gpu"), "cuda").steps
        assert plan(seeing(colab(), "cpu"), "xla").steps

    def test_jax_that_sees_no_gpu(self):
        found = refusal(plan(seeing(colab(gpu="T4"), "cpu"), "cuda"))
        assert "does not see" in found.cause
        assert "cpu (cpu); NVML lists Tesla T4" in found.evidence
        assert "--device cpu" in found.remedy

    def test_jax_that_sees_fewer_gpus(self):
        runtime = colab(gpu="T4", gpus=(GPUS["T4"], dataclasses.replace(GPUS["T4"], index=1)))
        assert "device=cuda1" in refusal(plan(seeing(runtime, "gpu"), "cuda1")).cause

    def test_jax_that_is_kept_from_the_gpu(self):
        runtime = seeing(colab(gpu="T4", environment={"JAX_PLATFORMS": "cpu"}), "cpu")
        assert refusal(plan(runtime, "cuda")).evidence == "JAX_PLATFORMS=cpu"

    @pytest.mark.parametrize("device", ["cuda", "xla"])
    def test_jax_that_does_not_work(self, device):
        broken = Fact.absent("ImportError: libcudnn.so.9: cannot open", "jax.devices()")
        found = refusal(plan(colab(gpu="T4", jax_devices=broken), device))
        assert "JAX 0.7.2 does not work here" in found.cause
        assert "libcudnn.so.9" in found.evidence

    @pytest.mark.parametrize("plugin", [None, "0.7.2"])
    def test_jax_that_was_started_without_the_gpu(self, plugin):
        runtime = with_packages(colab(gpu="T4"), jax_cuda12_plugin=plugin)
        runtime = seeing(runtime, "cpu", source="jax's backends in this process")
        found = refusal(plan(runtime, "cuda"))
        assert "JAX was started in this process before Theano" in found.cause
        assert "Restart the runtime" in found.remedy

    def test_jax_that_was_started_with_the_gpu_keeps_its_memory(self):
        runtime = seeing(colab(gpu="T4"), "gpu", source="jax's backends in this process")
        assert "XLA's share of the GPU's memory is set already" in said(plan(runtime))

    @pytest.mark.parametrize("problem", ["driver", "plugin", "jax"])
    def test_by_default_the_cpu_takes_the_place_with_the_reason(self, problem):
        runtime = {
            "driver": colab(gpu="T4", driver=Driver("470.256.02", (11, 4))),
            "plugin": with_packages(colab(gpu="T4"), jax_cuda12_plugin="0.6.0"),
            "jax": seeing(colab(gpu="T4"), "cpu"),
        }[problem]
        planned = plan(runtime)
        assert (planned.device, planned.refusals) == ("cpu", ())
        assert [step.action for step in planned.steps] == CPU_STEPS
        assert "Tesla T4 is here and not used: " in said(planned)


class TestVisibleDevices:
    """CUDA_VISIBLE_DEVICES hides GPUs and gives them other numbers."""

    TWO = (GPUS["T4"], dataclasses.replace(GPUS["L4"], index=1))

    def two(self, visible: str) -> Runtime:
        return colab(gpu="T4", gpus=self.TWO, environment={"CUDA_VISIBLE_DEVICES": visible})

    @pytest.mark.parametrize("visible", ["", "-1", "NoDevFiles"])
    def test_none(self, visible):
        found = refusal(plan(self.two(visible), "cuda"))
        assert "CUDA_VISIBLE_DEVICES hides every one" in found.cause
        assert f"CUDA_VISIBLE_DEVICES='{visible}'" in found.evidence
        assert "CUDA_VISIBLE_DEVICES" in said(plan(self.two(visible)))

    def test_the_second_alone_is_the_first(self):
        assert "NVIDIA L4" in plan(self.two("1"), "cuda0").steps[-1].title
        assert "cuda0 = NVIDIA L4" in refusal(plan(self.two("1"), "cuda1")).evidence

    def test_uuids_are_left_to_jax(self):
        assert plan(self.two("GPU-0aa0c4f2"), "cuda0").steps


class TestPrecision:
    def test_is_set(self):
        planned = plan(colab(gpu="A100"), precision="tf32")
        assert flags(planned)["xla.precision"] == planned.precision == "tf32"
        assert planned.notes == ()

    def test_of_the_user_s_flags_stays_unless_asked_otherwise(self):
        runtime = with_flags(colab(gpu="A100"), "xla.precision=tf32")
        assert plan(runtime).precision == "tf32"
        assert plan(runtime, precision="float32").precision == "float32"

    def test_a_gpu_without_tf32(self):
        note = said(plan(colab(gpu="T4"), precision="tf32"))
        assert "no effect on Tesla T4" in note
        assert "it has 7.5" in note

    def test_on_the_cpu_it_is_not_set(self):
        planned = plan(colab(), precision="tf32")
        assert flags(planned) == {"device": "cpu"}
        assert "precision tf32 has no effect: device=cpu" in said(planned)

    def test_a_word_that_is_none(self):
        found = refusal(plan(with_flags(colab(gpu="T4"), "xla.precision=tf31")))
        assert "one of float32, tf32" in found.cause


class TestPygpu:
    """Theano's own GPU backend, where pygpu can be imported (a conda environment)."""

    def test_is_used(self):
        planned = plan(with_packages(colab(gpu="T4"), pygpu="0.7.6"))
        assert (planned.backend, planned.device) == ("gpuarray", "cuda")
        assert flags(planned) == {"device": "cuda", "floatX": "float32", "dnn.enabled": "False"}
        assert "cuDNN 9" in said(planned)
        assert "pygpu 0.7.6 is here: Theano's own GPU backend computes" in said(planned)

    def test_is_preferred_to_xla(self):
        runtime = with_packages(colab(gpu="T4"), pygpu="0.7.6")
        assert plan(runtime, "cuda0").backend == "gpuarray"

    def test_own_choice_about_cudnn_stays(self):
        runtime = with_flags(with_packages(colab(gpu="T4"), pygpu="0.7.6"), "dnn.enabled=auto")
        assert flags(plan(runtime))["dnn.enabled"] == "auto"

    def test_without_gpu_is_of_no_use(self):
        assert plan(with_packages(colab(), pygpu="0.7.6")).device == "cpu"

    def test_needs_a_compiler(self):
        runtime = colab(gpu="T4", compiler=Fact.absent("no g++ on PATH", "$PATH"))
        runtime = with_packages(runtime, pygpu="0.7.6", jax="0.4.38")
        assert "compiler" in refusal(plan(runtime, "cuda")).cause

    def test_a_broken_pygpu_does_not_win_over_xla(self):
        reason = "ImportError: numpy.core.multiarray failed to import"
        runtime = colab(gpu="T4", pygpu=Fact.absent(reason, "import pygpu"))
        planned = plan(with_packages(runtime, pygpu="0.7.6"))
        assert (planned.backend, planned.device) == ("xla", "xla")
        assert f"pygpu 0.7.6 is installed, but cannot be imported ({reason})" in said(planned)
        healthy = colab(gpu="T4", pygpu="0.7.6")
        assert plan(with_packages(healthy, pygpu="0.7.6")).backend == "gpuarray"

    @pytest.mark.parametrize(("device", "named"), [("cuda", "xla"), ("cuda0", "xla0")])
    def test_gpu_too_new_is_served_by_xla_under_the_name_that_pygpu_does_not_take(
        self, device, named
    ):
        runtime = colab(gpu="T4", gpus=(Gpu(0, "NVIDIA B200", 180 * GIB, (10, 0)),))
        planned = plan(with_packages(runtime, pygpu="0.7.6"), device)
        assert (planned.backend, planned.device) == ("xla", named)
        assert flags(planned)["device"] == named
        assert "10.0" in said(planned)


class TestFlagsOfTheUser:
    def test_are_kept(self):
        planned = plan(with_flags(colab(), "floatX=float32,optimizer=fast_compile,openmp=True"))
        assert flags(planned) == {
            "floatX": "float32", "optimizer": "fast_compile", "openmp": "True", "device": "cpu",
        }  # fmt: skip

    def test_device_that_can_be_served_is_kept(self):
        runtime = with_flags(with_packages(colab(gpu="T4"), pygpu="0.7.6"), "device=cuda0")
        assert plan(runtime).device == "cuda0"

    def test_device_that_cannot_falls_back_with_a_note(self):
        planned = plan(with_flags(colab(), "device=cuda0"))
        assert flags(planned)["device"] == "cpu"
        assert "device=cpu instead of cuda0 from THEANO_FLAGS" in said(planned)

    def test_forced_device_is_refused(self):
        found = refusal(plan(with_flags(colab(), "device=cuda0,force_device=True")))
        assert "THEANO_FLAGS forces device=cuda0" in found.cause
        assert "force_device" in found.remedy

    def test_request_is_over_the_environment(self):
        runtime = with_flags(colab(), "device=cuda0,floatX=float64,force_device=True")
        planned = plan(runtime, "cpu", "float32")
        assert flags(planned) == {"device": "cpu", "floatX": "float32", "force_device": "True"}

    def test_environment_is_over_theanorc(self):
        runtime = with_flags(colab(), "floatX=float32", "[global]\nfloatX = float16\n")
        assert flags(plan(runtime))["floatX"] == "float32"

    def test_theanorc_is_not_repeated(self):
        runtime = with_flags(colab(), "", "[global]\nfloatX = float32\n[blas]\nldflags = -lmine\n")
        planned = plan(runtime)
        assert flags(planned) == {"device": "cpu"}
        assert "-lmine" in planned.steps[3].why

    def test_theanorc_on_the_gpu_keeps_its_float(self):
        runtime = with_packages(colab(gpu="T4"), pygpu="0.7.6")
        runtime = with_flags(runtime, "", "[global]\nfloatX = float64\ndevice = cuda\n")
        assert flags(plan(runtime)) == {"dnn.enabled": "False"}

    def test_obsolete_in_theanorc_is_overruled(self):
        text = "[global]\ndevice = gpu0\nmode = ProfileMode\n"
        text += "[lib]\ncnmem = 0.8\n[gpuarray]\nsync = True\n"
        planned = plan(with_flags(colab(), "", text))
        assert flags(planned) == {
            "device": "cpu",
            "mode": "Mode",
            "profile": "True",
            "gpuarray.preallocate": "0.8",
            "gpuarray.sync": "",
        }

    @pytest.mark.parametrize("name", ["init_gpu_device=cuda0", "contexts=dev0->cuda0"])
    def test_other_devices_are_kept_beside_the_cpu(self, name):
        planned = plan(with_flags(colab(gpu="T4"), f"device=cpu,{name}"))
        flag, _, value = name.partition("=")
        assert flags(planned) == {"device": "cpu", flag: value}
        assert planned.steps[0].requirements[0].startswith("jax==")
        assert planned.uses_jax

    def test_several_gpus(self):
        runtime = colab(gpu="T4", gpus=(GPUS["T4"], dataclasses.replace(GPUS["T4"], index=1)))
        contexts = "dev0->cuda0;dev1->cuda1"
        planned = plan(with_flags(runtime, f"contexts={contexts}"))
        assert flags(planned) == {"contexts": contexts, "device": "cuda", "floatX": "float32"}
        assert [step.action for step in planned.steps] == ["install", *CPU_STEPS]

    @pytest.mark.parametrize(
        ("contexts", "why"),
        [
            ("dev0->cuda0;dev1->cuda1", "no GPU number 1"),
            ("dev0", "dev0 is not of the form name->device"),
            ("dev0->tpu9", "no device 'tpu9'"),
        ],
    )
    def test_contexts_that_cannot_be_served_are_left_out(self, contexts, why):
        planned = plan(with_flags(colab(gpu="T4"), f"contexts={contexts}"))
        assert "contexts" not in flags(planned)
        assert why in said(planned)

    @pytest.mark.parametrize("name", ["init_gpu_device=cuda0", "contexts=dev0->cuda0"])
    def test_other_devices_are_left_out_where_there_is_no_gpu(self, name):
        planned = plan(with_flags(colab(), name))
        assert flags(planned) == {"device": "cpu"}
        assert f"{name} is left out: device=cuda0 needs an NVIDIA GPU" in said(planned)

    @pytest.mark.parametrize("packages", [{}, {"pygpu": "0.7.6"}])
    def test_init_gpu_device_works_beside_the_cpu_only(self, packages):
        runtime = with_packages(colab(gpu="T4"), **packages)
        dropped = plan(with_flags(runtime, "device=cuda0,init_gpu_device=cuda0"))
        assert "init_gpu_device" not in flags(dropped)
        assert "it works with device=cpu only" in said(dropped)

    def test_device_cpu_on_a_gpu_runtime_says_who_wants_it(self):
        planned = plan(with_flags(colab(gpu="T4"), "device=cpu"))
        assert planned.device == "cpu"
        assert "Tesla T4 is here and not used: THEANO_FLAGS says device=cpu." in said(planned)

    def test_malformed_is_a_refusal(self):
        found = refusal(plan(with_flags(colab(), "device = cpu")))
        assert "column 7" in found.evidence

    def test_malformed_theanorc_is_a_refusal(self):
        found = refusal(plan(with_flags(colab(), "", "floatX = float32\n")))
        assert "/root/.theanorc" in found.cause
        assert "[global]" in found.remedy

    @pytest.mark.parametrize("gpu", [None, *GPUS])
    @pytest.mark.parametrize("before", ["", "device=gpu0,lib.cnmem=1", "floatX=float32,cxx="])
    def test_a_second_setup_plans_the_same_flags(self, gpu, before):
        once = plan(with_flags(colab(gpu=gpu), before))
        twice = plan(with_flags(colab(gpu=gpu), once.flags))
        assert twice.flags == once.flags
        assert twice.device == once.device


def test_every_reason_to_refuse_is_given_at_once():
    runtime = with_packages(colab(python="3.10.12", bits=32, loaded={}), numpy="1.24.4")
    planned = plan(with_flags(runtime, "nonsense"), "cuda")
    causes = "\n".join(found.cause for found in planned.refusals)
    for word in ("3.10.12", "64-bit", "NumPy 1.24.4", "nonsense"):
        assert word in causes


def test_the_version_planned_is_the_version_built():
    assert compat().port == port_version()


def test_a_runtime_of_which_nothing_is_known_does_not_crash():
    assert isinstance(plan(Runtime.from_json({})), Plan)
    assert isinstance(plan(Runtime.from_json({}), "cuda"), Plan)
