"""``%theano setup --device xla`` in real kernels: XLA on the CPU, which stands in for a GPU."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import envs
import kernels
import pytest
from harness import Cell, Kernel, Place, Story
from test_setup_cell import LOGISTIC_REGRESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("xla")]

READY = "Theano 1.0.5 is ready"
SETUP = "%load_ext theano_colab\n%theano setup --device xla"


@pytest.fixture(scope="module")
def jax_story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Run the setup cell in a new place that has Colab's JAX; its kernel goes on."""
    folder = tmp_path_factory.mktemp("xla")
    environment = envs.copy(envs.make(envs.xla_pins()), folder / "environment")
    variables = kernels.variables(environment, folder / "home", envs.wheel())
    variables = kernels.merged(variables, {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": None})
    place = Place(environment, folder / "home", variables)
    before = place.freeze()
    with Kernel(place) as kernel:
        cell = kernel.run(f"%pip install -q theano-colab\n{SETUP}")
        yield Story(place, before, cell, place.freeze(), kernel)
    shutil.rmtree(folder, ignore_errors=True)  # pytest would keep a gigabyte


def refused(cell: Cell) -> str:
    """Return the text of a refusal: cause, evidence and remedy, and no traceback."""
    text = cell.text
    assert READY not in text
    assert "Setup refused: nothing was changed" in text
    assert "Traceback" not in text
    return text


def test_setup_ends_green_and_names_device_and_backend(jax_story: Story) -> None:
    assert jax_story.cell.error is None, jax_story.cell.text
    text = jax_story.cell.panel()["text/plain"]
    assert READY in text
    jax = jax_story.after["jax"]
    for said in ("xla: cpu", f"XLA (JAX {jax})", f"Keep JAX {jax}", "Products of float32"):
        assert said in text


def test_nothing_that_was_there_is_changed(jax_story: Story) -> None:
    after = {name: jax_story.after.get(name) for name in jax_story.before}
    assert after == jax_story.before
    assert "theano" in jax_story.after


def test_an_old_notebook_runs_on_the_device(jax_story: Story) -> None:
    kernel = jax_story.kernel
    kernel.ok(LOGISTIC_REGRESSION)
    assert kernel.value("right") > 0.95
    assert kernel.value("[theano.config.device, theano.config.floatX]") == ["xla", "float32"]
    kernel.ok("from theano_colab.verify.place import place_of\nplace_of(theano).check(train, w, b)")
    # Its own JAX code keeps JAX's default of 32 bits.
    assert kernel.value("__import__('jax').config.jax_enable_x64") is False


def test_a_second_setup_has_nothing_to_do(jax_story: Story) -> None:
    text = jax_story.kernel.ok("%theano setup --device xla").text
    assert READY in text
    assert jax_story.place.freeze() == jax_story.after


def test_bench_measures_the_cpu_and_the_device_that_setup_chose(jax_story: Story) -> None:
    cell = jax_story.kernel.ok("%theano bench logreg --sizes 100 --time 0.5 --json")
    rows = [row for row in json.loads(cell.stream) if row["backend"] != "numpy"]
    found = [(row["device"], row["backend"], row["agrees"]) for row in rows]
    assert found == [("cpu", "theano C linker", True), ("xla", "theano XLA", True)]


def test_a_cells_own_function_is_measured_on_both_devices(jax_story: Story) -> None:
    cell = jax_story.kernel.ok(
        "%%theano bench --sizes 50,100 --time 1\n"
        "import numpy as np, theano, theano.tensor as T\n"
        "x = T.matrix()\n"
        "f = theano.function([x], T.tanh(x).sum(axis=0))\n"
        "args = [np.random.rand(n, 3).astype('float32')]\n"
    )
    text = cell.panel()["text/plain"]
    assert "4 points measured" in text
    assert "cell: agrees with the CPU" in text


def test_only_bench_takes_a_cell(jax_story: Story) -> None:
    assert "Only bench takes a cell." in jax_story.kernel.run("%%theano info\n1").text


def test_precision_is_set_live(jax_story: Story) -> None:
    text = jax_story.kernel.ok("%theano setup --device xla --precision tf32").text
    assert READY in text
    assert "TF32" in text
    assert jax_story.kernel.value("theano.config.xla.precision") == "tf32"


def test_a_theano_that_was_imported_on_the_cpu_takes_the_device_into_use(jax_story: Story) -> None:
    with Kernel(jax_story.place) as kernel:
        kernel.ok("import theano")
        text = kernel.ok(SETUP).text
        assert READY in text
        assert "device was cpu; it is xla from now on" in " ".join(text.split())
        assert kernel.value("theano.config.device") == "xla"


def test_a_jax_that_does_not_start_is_refused_with_its_own_words(jax_story: Story) -> None:
    with Kernel(jax_story.place.with_variables(JAX_PLATFORMS="cuda")) as kernel:
        text = refused(kernel.run(SETUP))
        assert f"JAX {jax_story.after['jax']} does not work here" in text
        assert "cuda" in text
        assert "--device cpu" in text
        assert kernel.value("1 + 1") == 2


def test_a_jax_that_was_used_before_theano_goes_on(jax_story: Story) -> None:
    with Kernel(jax_story.place) as kernel:
        kernel.ok("import jax\nbefore = jax.numpy.arange(3.0) + 1")
        assert READY in kernel.ok(SETUP).text
        assert kernel.value("before.tolist()") == [1.0, 2.0, 3.0]


def test_a_gpu_that_is_not_there_is_refused(jax_story: Story) -> None:
    with Kernel(jax_story.place) as kernel:
        kernel.ok("%load_ext theano_colab")
        text = refused(kernel.run("%theano setup --device cuda0 --precision tf32"))
        assert "device=cuda0 needs an NVIDIA GPU" in text


def test_a_jax_that_is_missing_is_installed_and_nothing_else_is_changed(
    make_place: Callable[[str], Place],
) -> None:
    place = make_place("without-jax").with_variables(JAX_PLATFORMS="cpu")
    before = place.freeze()
    assert "jax" not in before
    with Kernel(place) as kernel:
        cell = kernel.ok(f"%pip install -q theano-colab\n{SETUP}")
        assert READY in cell.text
        assert kernel.value("__import__('theano').config.device") == "xla"
    after = place.freeze()
    assert "jax" in after
    assert {name: after.get(name) for name in before} == before
