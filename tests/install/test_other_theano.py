"""One Theano takes the other's place and is killed on the way; then setup again."""

from __future__ import annotations

import csv
import shutil
import signal
from pathlib import Path

import envs
import pytest

from theano_colab.port import build_port
from theano_colab.port.flavour import PYMC, by_distribution

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("install")]

OTHER = {"theano": "theano-pymc", "theano-pymc": "theano"}
HERE = str(Path(__file__).parent)  # of sitecustomize.py, which kills
# Which Theano takes the other's place, and what the killed process was about to do: all are pip's
# but one. Each goes on from where the one before has healed.
HALF = r"open \S+/theano/tensor/basic\.py"
MOMENTS = [
    pytest.param("theano-pymc", r"os\.rename \S+/theano/? ", id="its record is put aside"),
    pytest.param("theano", r"os\.remove opt\.py", id="Theano-PyMC is thrown away"),
    pytest.param("theano-pymc", r"os\.remove opt\.py", id="Theano is thrown away"),
    pytest.param("theano", r"open \S+/wanted\.txt", id="between the two pips"),
    pytest.param("theano-pymc", HALF, id="half of the new one is there"),
    pytest.param("theano", r"os\.rename \S+/INSTALLER", id="but for pip's record"),
    pytest.param("theano-pymc", r"os\.rmdir \S+/pip-build-tracker", id="but for our journal"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory, new_place):
    """One environment for all tests here: each setup takes the place of the one before."""
    folder = tmp_path_factory.mktemp("theanos")
    place = new_place(folder)
    build_port(place.cache, flavour=PYMC)
    assert place.setup().returncode == 0
    yield place
    shutil.rmtree(folder)


def killed(place, theano, at, *, with_kernel):
    """Run a setup over the other Theano that is killed; return what it told until then."""
    if (place.site / f"{by_distribution(theano).stem}.dist-info").exists():
        place.setup(theano=OTHER[theano])
    place.variables = {
        "PYTHONPATH": f"{HERE}:{envs.ROOT}",
        "THEANO_COLAB_KILL_AT": at,
        "THEANO_COLAB_KILL": "both" if with_kernel else "pip",
    }
    told = place.setup(theano=theano)
    place.variables = {}
    return told


def expect_alone(place, told, theano):
    """Demand that the environment has this Theano, all of it, and not a file of the other."""
    assert told.returncode == 0, told.end
    flavour = by_distribution(theano)
    assert told.end["port"] == flavour.version
    assert told.end["damage"] is None
    assert place.leftovers() == []
    info = place.site / f"{flavour.stem}.dist-info"
    assert {path.name for path in place.site.iterdir()} == {"outer.pth", "theano", info.name}
    recorded = {row[0] for row in csv.reader((info / "RECORD").read_text().splitlines())}
    files = (path for path in (place.site / "theano").rglob("*") if path.is_file())
    assert {path.relative_to(place.site).as_posix() for path in files} <= recorded
    assert place.setup(theano=theano).outcome == {0: "kept", 1: "kept"}


@pytest.mark.parametrize(("theano", "at"), MOMENTS)
def test_killed_with_its_kernel(place, theano, at):
    told = killed(place, theano, at, with_kernel=True)
    assert told.returncode == -signal.SIGKILL
    expect_alone(place, place.setup(theano=theano), theano)


def test_pip_alone_is_killed_and_the_kernel_says_so_and_clears_up(place):
    told = killed(place, "theano", HALF, with_kernel=False)
    assert told.end["error"]["cause"] == "pip was killed by signal 9 (Killed)."
    assert told.end["id"] == "killed"
    assert [path.name for path in place.site.iterdir()] == ["outer.pth"]
    # Somebody thinks better of it.
    expect_alone(place, place.setup(theano="theano-pymc"), "theano-pymc")
