"""``%theano setup --with NAME`` in real kernels, and old programs that then run as they were."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import envs
import kernels
import pytest
from harness import Kernel, Place, Story

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
KERAS_3 = "Metadata-Version: 2.1\nName: keras\nVersion: 3.10.0\n"


@pytest.fixture(scope="module")
def place(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of the place where setup has been run, with a Keras 3 in it, as Colab has."""
    folder = tmp_path_factory.mktemp(f"{story.place.environment.parent.name}-libraries")
    environment = envs.copy(story.place.environment, folder / "environment")
    shutil.copytree(story.place.home, folder / "home", symlinks=True)
    variables = kernels.variables(environment, folder / "home")
    site = next(environment.glob("lib/python3.*/site-packages"))
    files = {
        "keras/__init__.py": '__version__ = "3.10.0"\n',
        "keras-3.10.0.dist-info/METADATA": KERAS_3,
        "keras-3.10.0.dist-info/INSTALLER": "pip\n",
    }
    for name, text in files.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text)
    record = [*files, "keras-3.10.0.dist-info/RECORD"]
    (site / record[-1]).write_text("".join(f"{name},,\n" for name in record))
    yield Place(environment, folder / "home", variables)
    shutil.rmtree(folder, ignore_errors=True)  # pytest would keep half a gigabyte


def run(place: Place, name: str, program: str) -> tuple[str, Kernel]:
    """Set a library up in a new kernel and run a program there; return the panel's text, too."""
    kernel = Kernel(place)
    kernel.ok("%load_ext theano_colab")
    panel = kernel.ok(f"%theano setup --with {name}").panel()["text/plain"]
    kernel.ok((HERE / program).read_text())
    return panel, kernel


def test_lasagne(place: Place) -> None:
    before = place.freeze()
    panel, kernel = run(place, "lasagne", "old_lasagne.py")
    with kernel:
        assert "Theano 1.0.5 is ready" in panel
        assert "a network learnt XOR" in panel
        assert kernel.value("losses[-1]") < 0.3
        assert kernel.value("float(right)") > 0.9
    assert place.freeze() == {**before, "lasagne": "0.1+colab.1"}


def test_keras_takes_the_place_of_colabs_and_says_so_first(place: Place) -> None:
    before = place.freeze()
    plan = place.run("-m", "theano_colab", "plan", "--with", "keras").stdout
    assert "takes the place of Keras 3.10.0" in " ".join(plan.split())
    assert place.freeze() == before
    panel, kernel = run(place, "keras", "old_keras.py")
    with kernel:
        assert "saved and loaded" in " ".join(panel.split())
        assert kernel.value("K.backend()") == "theano"
        assert kernel.value("float(right)") > 0.9
        assert kernel.value("same") == [True, True, True]
        assert kernel.value("keras.__version__") == "2.2.4"
    after = place.freeze()
    assert after["keras"] == "2.2.4+colab.1"
    assert after == {**after, **before, "keras": after["keras"]}


def test_a_second_setup_keeps_everything(place: Place) -> None:
    with Kernel(place) as kernel:
        kernel.ok("%load_ext theano_colab")
        cell = kernel.ok("%theano setup --with lasagne,keras --json")
        steps = kernel.value(f"[s['status'] for s in _json.loads({cell.stream!r})['steps']]")
    assert [status for status in steps if status != "kept"] == ["done", "done"]  # flags, results


def test_a_keras_that_is_imported_already_is_refused(place: Place) -> None:
    with Kernel(place) as kernel:
        kernel.ok("%load_ext theano_colab\nimport keras")
        cell = kernel.run("%theano setup --with keras1")
    assert "This kernel has imported Keras 2.2.4 already." in cell.text
    assert place.freeze()["keras"] == "2.2.4+colab.1"
