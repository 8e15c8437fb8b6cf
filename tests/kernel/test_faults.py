"""What can go wrong in a whole setup, from a terminal, each brought about for real; then again."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness import Place

pytestmark = pytest.mark.slow

SETUP = ("-m", "theano_colab", "setup", "--json")
COMPUTE = "import theano, theano.tensor as T; x = T.dvector(); f = theano.function([x], T.exp(x))"


def setup(place: Place, *options: str) -> dict:
    done = place.run(*SETUP, *options, check=False)
    assert done.stdout.startswith("{"), done.stderr
    return json.loads(done.stdout)


def computes(place: Place, flags: str) -> bool:
    told = place.with_variables(THEANO_FLAGS=flags).run("-c", f"{COMPUTE}; print(f([0.0])[0])")
    return told.stdout.split() == ["1.0"]


@pytest.fixture(scope="session")
def fault_place(make_place: Callable[[str], Place]) -> Place:
    """A place for the faults, set up once; each test spoils it and must find it whole again."""
    place = make_place("faults")
    place.run("-m", "pip", "install", "-q", "theano-colab")
    return place


def test_killed_at_ten_random_moments(fault_place: Place) -> None:
    place = fault_place
    seed = int(os.environ.get("THEANO_COLAB_KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"THEANO_COLAB_KILL_SEED={seed}")
    draw = random.Random(seed)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(
            [place.python, *SETUP],
            env=place.variables,
            cwd=place.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.1, 12))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        if process.returncode == 0:  # it was through: begin anew, the kills are to hit something
            place.run("-m", "pip", "uninstall", "-q", "-y", "theano")
            shutil.rmtree(place.home / ".theano", ignore_errors=True)
            shutil.rmtree(place.home / ".cache", ignore_errors=True)
    state = setup(place)
    assert state["verdict"] == "ready", state
    assert computes(place, state["flags"])


def test_a_lock_left_by_a_dead_process_is_taken_away(fault_place: Place) -> None:
    place = fault_place
    setup(place)
    (compiledir,) = (place.home / ".theano").glob("compiledir_*")
    folder = compiledir / "lock_dir"
    folder.mkdir()
    # This process lives and has another's lock: so it looks when the number was given again.
    (folder / "lock").write_text(f"{os.getpid()}_1234567890_{socket.gethostname()}\n")
    os.utime(folder / "lock", (1_000_000_000, 1_000_000_000))
    forget_verified(place)
    state = setup(place)
    assert state["verdict"] == "ready", state
    assert any("removed the lock" in note for note in state["notes"])


def test_a_home_that_cannot_be_written(fault_place: Place, tmp_path: Path) -> None:
    # A file where the folder is needed stops root, too.
    home = tmp_path / "home"
    home.write_text("")
    place = fault_place.with_variables(
        HOME=str(home), XDG_CACHE_HOME=str(home / "cache"), TMPDIR=str(tmp_path)
    )
    state = setup(place)
    assert state["verdict"] == "ready", state
    assert str(tmp_path) in state["flags"]
    assert computes(place, state["flags"])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_when_theano_compiles(fault_place: Place, tmp_path: Path) -> None:
    place = fault_place
    setup(place)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    flags = f"base_compiledir={small}"
    try:
        state = setup(place.with_variables(THEANO_FLAGS=flags))
        assert state["verdict"] == "failed"
        assert "disk is full" in state["problem"][0], state["problem"]
        subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        assert setup(place.with_variables(THEANO_FLAGS=flags))["verdict"] == "ready"
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_an_unknown_device_is_refused_before_anything_is_written(fault_place: Place) -> None:
    state = setup(fault_place, "--device", "gpux")
    assert state["verdict"] == "refused"
    assert "gpux" in state["problem"][0]


def forget_verified(place: Place) -> None:
    """Make the next setup check Theano in a fresh process again."""
    shutil.rmtree(place.home / ".cache" / "theano_colab" / "verified")
