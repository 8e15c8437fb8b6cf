"""Places for kernels: a copy of an environment with Colab's versions, our wheel, an empty HOME.

THEANO_COLAB_TEST_PINS says which pin sets to run: "all" those that have their Python here, or names
separated by commas; by default the newest of Colab's that has one.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import envs
import kernels
import pytest
from harness import SETUP_CELL, Kernel, Place, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _chosen() -> list[envs.PinSet]:
    names = os.environ.get("THEANO_COLAB_TEST_PINS", "")
    if not names:
        return [envs.colab_like()]
    if names == "all":
        return [pins for pins in envs.pin_sets() if envs.find_python(pins.python)]
    return [pins for pins in envs.pin_sets() if pins.name in names.split(",")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # One worker has all tests of a pin set: they share a setup that takes half a minute.
    if "pins" in metafunc.fixturenames:
        metafunc.parametrize(
            "pins",
            [pytest.param(p, id=p.name, marks=pytest.mark.xdist_group(p.name)) for p in _chosen()],
            scope="session",
        )


@pytest.fixture(scope="session")
def make_place(
    pins: envs.PinSet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Place]]:
    """Make a place that has the versions of the pin set and nothing of ours."""
    wheel = envs.wheel()
    folders: list[Path] = []

    def make(name: str) -> Place:
        folder = tmp_path_factory.mktemp(f"{pins.name}-{name}")
        folders.append(folder)
        environment = envs.copy(envs.make(pins), folder / "environment")
        variables = kernels.variables(environment, folder / "home", wheel)
        return Place(environment, folder / "home", variables)

    yield make
    for folder in folders:  # half a gigabyte each: the next pin set needs the room
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def story(make_place: Callable[[str], Place]) -> Iterator[Story]:
    """Run the setup cell in a new place; its kernel stays for the tests that go on from it."""
    place = make_place("story")
    before = place.freeze()
    with Kernel(place) as kernel:
        cell = kernel.run(SETUP_CELL)
        yield Story(place, before, cell, place.freeze(), kernel)


@pytest.fixture
def kernel(story: Story) -> Iterator[Kernel]:
    """Return a new kernel where setup has been run before, with the extension loaded."""
    with Kernel(story.place) as new:
        new.ok("%load_ext theano_colab")
        yield new


@pytest.fixture
def kernel_with(story: Story) -> Iterator[Callable[..., Kernel]]:
    """Return what starts such a kernel with other environment variables."""
    started: list[Kernel] = []

    def start(**variables: str | None) -> Kernel:
        started.append(Kernel(story.place.with_variables(**variables)))
        started[-1].ok("%load_ext theano_colab")
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


@pytest.fixture(scope="session")
def bare_place(make_place: Callable[[str], Place]) -> Place:
    """Return a place that has our wheel, and never a setup that succeeds."""
    place = make_place("bare")
    place.run("-m", "pip", "install", "-q", "theano-colab")
    return place
