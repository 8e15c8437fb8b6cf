"""A plan and its panel for every recorded runtime: Colab's, and machines that are not Colab's."""

import json

import pytest
from recorded import FOLDER, colab

from theano_colab.plan.model import Request
from theano_colab.plan.resolve import resolve
from theano_colab.runtime.record import load
from theano_colab.show import html, text
from theano_colab.show.line import runtime_line
from theano_colab.show.plan_panel import describe_plan

MACHINES = sorted(path.stem for path in FOLDER.glob("*.json"))
# What is planned where it is not the CPU, and a word of what is said where something is in the way.
DEVICES = {"datacentre": "cuda"}
SAID = {
    "cluster": "There is no GPU number 1",
    "colab-tinkered": "NumPy was changed",
    "container": "Your home folder cannot be written",
    "laptop": "theano-pymc 1.1.2 is installed",
    "old-server": "There is no GPU number 2",
    "workstation": "CUDA_VISIBLE_DEVICES hides every one",
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_recorded_runtime_has_a_plan_and_a_panel(machine):
    runtime = load(str(FOLDER / f"{machine}.json"))
    planned = resolve(runtime, Request())
    on_gpu = machine.startswith("20") and not machine.endswith(".cpu")
    assert planned.device == DEVICES.get(machine, "cuda" if on_gpu else "cpu")
    panel = describe_plan(planned, runtime_line(runtime))
    assert html.write(panel)
    shown = " ".join(text.write(panel).split())
    assert SAID.get(machine, "") in shown
    assert bool(planned.refusals) == (machine in {"colab-tinkered", "laptop", "old-server"})
    assert json.dumps(planned.to_json())


def test_jax_is_not_planned_for_a_processor_without_avx():
    old = colab(gpu="T4", cpu_features=("sse2", "ssse3"))
    planned = resolve(old, Request())
    assert planned.device == "cpu"
    assert "needs a processor with AVX" in " ".join(planned.notes)
    assert resolve(old, Request("xla")).refusals
    assert resolve(colab(gpu="T4", cpu_features=("avx", "sse2")), Request()).device == "cuda"
