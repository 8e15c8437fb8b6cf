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
from theano_colab.runtime.model import Driver, Fact, Gpu, Runtime

PORT = "1.0.5+colab.1"
WITH_XLA = dataclasses.replace(compat(), shipped=frozenset({"cpu", "gpuarray", "xla"}))


def plan(runtime: Runtime, device: str = "auto", float_x=None, matrix=None) -> Plan:
    return resolve(runtime, Request(device, float_x), matrix)


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
    @pytest.mark.parametrize("gpu", [None, *GPUS])
    def test_is_served_on_the_cpu(self, release, gpu):
        planned = plan(colab(release, gpu))
        assert planned.refusals == ()
        assert (planned.backend, planned.device) == ("cpu", "cpu")
        assert flags(planned) == {"device": "cpu"}
        assert [step.action for step in planned.steps] == [
            "build-port", "install", "set-flags", "warm", "verify",
        ]  # fmt: skip
        assert planned.steps[1].requirements == (f"theano=={PORT}",)
        assert not any(step.kept for step in planned.steps)

    @pytest.mark.parametrize("release", RELEASES)
    @pytest.mark.parametrize("gpu", GPUS)
    def test_gpu_is_named_with_the_reason_it_is_not_used(self, release, gpu):
        (note,) = plan(colab(release, gpu)).notes
        assert GPUS[gpu].name in note
        assert "this release of theano-colab computes on the CPU" in note

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
        assert json.loads(json.dumps(planned.to_json()))["device"] == "cpu"

    @pytest.mark.parametrize("release", RELEASES)
    @pytest.mark.parametrize("gpu", GPUS)
    def test_once_xla_ships_the_gpu_is_used(self, release, gpu):
        planned = plan(colab(release, gpu), matrix=WITH_XLA)
        assert (planned.backend, planned.device) == ("xla", "cuda")
        assert flags(planned) == {"device": "cuda", "floatX": "float32"}


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
    def test_backend_not_in_this_release(self, device, gpu):
        found = refusal(plan(colab(gpu=gpu), device))
        assert f"device={device}" in found.cause
        assert GPUS[gpu].name in found.evidence
        assert "later release" in found.evidence
        assert "--device cpu" in found.remedy

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

    @pytest.mark.parametrize("matrix", [compat(), WITH_XLA])
    def test_driver_too_old_names_both_numbers(self, matrix):
        runtime = colab(gpu="T4", driver=Driver("470.256.02", (11, 4)))
        found = refusal(plan(runtime, "cuda", matrix=matrix))
        assert "470.256.02" in found.evidence
        assert "525.60.13" in found.evidence

    def test_driver_too_old_for_the_plugin_that_is_there(self):
        runtime = with_packages(colab(gpu="T4"), jax_cuda12_plugin=None, jax_cuda13_plugin="0.9.0")
        found = refusal(plan(runtime, "cuda", matrix=WITH_XLA))
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

    def test_xla_without_jax(self):
        runtime = with_packages(colab(), jax=None)
        found = refusal(plan(runtime, "xla", matrix=WITH_XLA))
        assert "jax" in found.cause
        assert "theano-colab[gpu]" in found.remedy

    def test_xla_without_cuda_plugin(self):
        runtime = with_packages(colab(gpu="T4"), jax_cuda12_plugin=None)
        found = refusal(plan(runtime, "cuda", matrix=WITH_XLA))
        assert "CUDA plugin" in found.cause

    def test_xla_on_the_cpu_once_it_ships(self):
        assert plan(colab(), "xla", matrix=WITH_XLA).backend == "xla"


class TestPygpu:
    """Theano's own GPU backend, where pygpu can be imported (a conda environment)."""

    def test_is_used(self):
        planned = plan(with_packages(colab(gpu="T4"), pygpu="0.7.6"))
        assert (planned.backend, planned.device) == ("gpuarray", "cuda")
        assert flags(planned) == {"device": "cuda", "floatX": "float32", "dnn.enabled": "False"}
        assert "cuDNN 9" in said(planned)

    def test_is_preferred_to_xla(self):
        runtime = with_packages(colab(gpu="T4"), pygpu="0.7.6")
        assert plan(runtime, "cuda0", matrix=WITH_XLA).backend == "gpuarray"

    def test_own_choice_about_cudnn_stays(self):
        runtime = with_flags(with_packages(colab(gpu="T4"), pygpu="0.7.6"), "dnn.enabled=auto")
        assert flags(plan(runtime))["dnn.enabled"] == "auto"

    def test_without_gpu_is_of_no_use(self):
        assert plan(with_packages(colab(), pygpu="0.7.6")).device == "cpu"

    def test_needs_a_compiler(self):
        runtime = colab(gpu="T4", compiler=Fact.absent("no g++ on PATH", "$PATH"))
        found = refusal(plan(with_packages(runtime, pygpu="0.7.6"), "cuda"))
        assert "compiler" in found.cause

    def test_gpu_too_new(self):
        runtime = colab(gpu="T4", gpus=(Gpu(0, "NVIDIA B200", 180 * GIB, (10, 0)),))
        runtime = with_packages(runtime, pygpu="0.7.6")
        assert "10.0" in refusal(plan(runtime, "cuda")).evidence
        assert plan(runtime, matrix=WITH_XLA).backend == "xla"


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
    def test_what_would_start_pygpu_is_left_out(self, name):
        planned = plan(with_flags(colab(gpu="T4"), name))
        assert name.partition("=")[0] not in flags(planned)
        assert f"{name} is left out: it needs pygpu." in said(planned)

    def test_init_gpu_device_works_beside_the_cpu_only(self):
        runtime = with_packages(colab(gpu="T4"), pygpu="0.7.6")
        kept = plan(with_flags(runtime, "device=cpu,init_gpu_device=cuda0"))
        assert flags(kept)["init_gpu_device"] == "cuda0"
        dropped = plan(with_flags(runtime, "device=cuda0,init_gpu_device=cuda0"))
        assert "init_gpu_device" not in flags(dropped)

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
        if gpu:
            assert GPUS[gpu].name in said(once)
            assert GPUS[gpu].name in said(twice)


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
