"""The three-line cell in a bare kernel, and what an old notebook then does in that same kernel."""

import ast
import json

import pytest
from harness import Kernel, Place, Story, files
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

LOGISTIC_REGRESSION = """
import numpy
import theano
import theano.tensor as T
rng = numpy.random

N, feats = 400, 784
D = (rng.randn(N, feats).astype(theano.config.floatX),
     rng.randint(size=N, low=0, high=2).astype(theano.config.floatX))

x = T.matrix("x")
y = T.vector("y")
w = theano.shared(rng.randn(feats).astype(theano.config.floatX), name="w")
b = theano.shared(numpy.asarray(0., dtype=theano.config.floatX), name="b")

p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
prediction = p_1 > 0.5
xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
cost = xent.mean() + 0.01 * (w ** 2).sum()
gw, gb = T.grad(cost, [w, b])

train = theano.function(inputs=[x, y], outputs=[prediction, xent],
                        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)))
predict = theano.function(inputs=[x], outputs=prediction)
for i in range(1000):
    pred, err = train(D[0], D[1])
right = float((predict(D[0]) == D[1]).mean())
"""


def test_setup_ends_green(story: Story) -> None:
    assert story.cell.error is None, story.cell.text
    panel = story.cell.panel()
    assert "Theano 1.0.5 is ready" in panel["text/plain"]
    assert "Theano 1.0.5 is ready" in panel["text/html"]


def test_the_panel_is_updated_in_place(story: Story) -> None:
    assert len([bundle for bundle in story.cell.displays if "text/html" in bundle]) == 1
    assert story.cell.updates > 3


def test_setup_writes_nothing_beside_its_panel(story: Story) -> None:
    text = story.cell.stream.splitlines()
    # pip's own warnings, and on IPython 7 its advice after every %pip, are not ours.
    assert [line for line in text if "theano" in line.lower()] == []


def test_setup_adds_theano_and_changes_nothing(story: Story) -> None:
    requires = story.place.run(
        "-c", "from importlib.metadata import requires; print(requires('theano-colab'))"
    )
    needed = [Requirement(r) for r in ast.literal_eval(requires.stdout)]
    names = {r.name.lower() for r in needed if r.marker is None}
    added = story.after.keys() - story.before.keys()
    assert {"theano", "theano-colab"} <= added
    assert added - {"theano", "theano-colab"} <= names | {"six", "scipy"}
    assert {name: story.after.get(name) for name in story.before} == story.before


def test_the_installed_theano_says_that_it_is_a_rebuild(story: Story) -> None:
    assert story.after["theano"].startswith("1.0.5+colab.")


def test_pip_finds_every_requirement_satisfied(story: Story) -> None:
    answer = story.place.run("-m", "pip", "check", check=False)
    ours = [line for line in answer.stdout.splitlines() if line.lower().startswith("theano")]
    assert ours == []


def test_an_old_notebook_goes_on_in_the_same_kernel(story: Story) -> None:
    story.kernel.ok(LOGISTIC_REGRESSION)
    assert story.kernel.value("right") > 0.95
    # The functions were compiled by the C linker, not run in Python.
    assert story.kernel.value("theano.config.linker") in ("cvm", "c|py")
    assert story.kernel.value("bool(theano.config.cxx)")


def test_an_old_notebook_runs_in_a_new_kernel_without_setup(story: Story) -> None:
    with Kernel(story.place) as kernel:
        kernel.ok(LOGISTIC_REGRESSION)
        assert kernel.value("right") > 0.95


def test_a_second_setup_in_the_same_kernel_has_nothing_to_do(story: Story) -> None:
    cell = story.kernel.ok("%theano setup")
    assert "Theano 1.0.5 is ready" in cell.text
    assert story.place.freeze() == story.after


def test_setup_in_a_second_kernel_has_nothing_to_install(story: Story, kernel: Kernel) -> None:
    cell = kernel.ok("%theano setup")
    assert "Theano 1.0.5 is ready" in cell.text
    assert story.place.freeze() == story.after


def test_reload_of_the_extension_keeps_the_magic(kernel: Kernel) -> None:
    kernel.ok("%reload_ext theano_colab")
    assert "setup" in kernel.ok("%theano").text
    kernel.ok("%unload_ext theano_colab")
    assert "not found" in kernel.run("%theano").text


def test_dry_run_changes_nothing(bare_place: Place) -> None:
    before = bare_place.freeze()
    # The kernel's own first start leaves its history and profile in HOME.
    with Kernel(bare_place) as kernel:
        kernel.ok("%load_ext theano_colab")
        home, environment = files(bare_place.home), files(bare_place.environment)
        cell = kernel.ok("%theano setup --dry-run")
        assert "Dry run" in cell.text
        assert "Theano 1.0.5 is ready" not in cell.text
        assert kernel.value("__import__('os').environ.get('THEANO_FLAGS')") is None
    assert bare_place.freeze() == before
    assert files(bare_place.environment) == environment
    assert {
        file for file in files(bare_place.home) - home if not file.startswith(".ipython")
    } == set()


def test_the_terminal_tells_the_same(story: Story) -> None:
    info = json.loads(story.place.run("-m", "theano_colab", "info", "--json").stdout)
    assert info["packages"]["value"]["theano"] == story.after["theano"]
    flags = json.loads(story.place.run("-m", "theano_colab", "flags", "--json").stdout)
    assert flags
