"""What can go wrong while a setup writes, each brought about for real; then setup again."""

from __future__ import annotations

import contextlib
import http.server
import os
import random
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from theano_colab.install.lock import exclusive
from theano_colab.port import build_port, port_version
from theano_colab.port.flavour import PYMC
from theano_colab.port.sdist import THEANO

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("install")]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def original(place):
    """A place in which somebody installed Theano 1.0.5 as PyPI has it."""
    info = "Theano-1.0.5.dist-info"
    files = {
        "theano/__init__.py": "original",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: Theano\nVersion: 1.0.5\n",
        f"{info}/INSTALLER": "pip\n",
    }
    for name, text in files.items():
        (place.site / name).parent.mkdir(exist_ok=True)
        (place.site / name).write_text(text)
    rows = (*files, f"{info}/RECORD")
    (place.site / info / "RECORD").write_text("".join(f"{name},,\n" for name in rows))
    return place


def expect_whole(place, told):
    assert told.returncode == 0, told.end
    assert told.end["damage"] is None
    assert place.leftovers() == []
    assert names(place.site) == ["outer.pth", "theano", f"theano-{port_version()}.dist-info"]


@pytest.mark.parametrize("moment", range(10))
def test_killed_at_a_random_moment(original, tmp_path, installed, moment):
    place = original
    seed = int(os.environ.get("THEANO_COLAB_KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"THEANO_COLAB_KILL_SEED={seed}")
    draw = random.Random(seed)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    place.variables["TMPDIR"] = str(scratch)
    process = place.start()
    if moment % 2:
        # Where most can break: while pip moves files.
        for line in process.stdout:
            if "Installing collected packages" in line:
                break
        delay = draw.uniform(0, 0.5)
    else:
        delay = draw.uniform(0, installed.seconds)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    doomed = [psutil.Process(process.pid)] if process.poll() is None else []
    if draw.random() < 0.7:  # else only the kernel dies and its pip lives on
        doomed += [child for parent in doomed for child in parent.children(recursive=True)]
    for victim in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    process.communicate()
    print("left:", names(place.site), names(scratch))
    expect_whole(place, place.setup())
    assert list(scratch.glob("theano_colab-*")) == []
    assert place.setup().outcome == {0: "kept", 1: "kept"}


def test_interrupted_by_the_user(place):
    process = place.start()
    for line in process.stdout:
        if "Processing" in line:  # pip's first word; it has the files yet to move
            break
    # pip must not be through before the signal comes, however busy the machine is.
    works = psutil.Process(process.pid).children(recursive=True)
    for one in works:
        one.suspend()
    process.send_signal(signal.SIGINT)
    for one in works:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.resume()
    rest = process.communicate()[0]
    assert "KeyboardInterrupt" in rest
    assert names(place.site) == ["outer.pth"]
    expect_whole(place, place.setup())


def test_two_at_once(place):
    with exclusive(place.cache / "setup.lock", pytest.fail):
        both = [place.start(), place.start()]
        begun = [process.stdout.readline() for process in both]
        assert all(f"waiting for another setup to end (process {os.getpid()})" in b for b in begun)
    ends = [place.end(process) for process in both]
    for told in ends:
        expect_whole(place, told)
    assert sorted(told.end["changed"] for told in ends) == [False, True]


@contextlib.contextmanager
def disk(folder: Path, size: str):
    """Mount a disk of ``size`` on ``folder``; yield a function that gives it another size."""
    folder.mkdir(exist_ok=True)

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)

    try:
        mount(f"size={size}")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {error}")
    try:
        yield lambda size: mount(f"remount,size={size}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_disk_full_half_way(original):
    place = original
    kept = place.environment.with_name("kept")
    place.environment.rename(kept)
    with disk(place.environment, "6m") as resize:
        shutil.copytree(kept, place.environment, symlinks=True, dirs_exist_ok=True)
        before = names(place.site)
        told = place.setup()
        assert told.outcome == {0: "done", 1: "failed"}
        assert told.end["id"] == "disk-full"
        assert "No space left on device" in told.end["error"]["evidence"]
        assert names(place.site) == before
        assert (place.site / "theano" / "__init__.py").read_text() == "original"
        resize("60m")
        expect_whole(place, place.setup())


def test_disk_full_when_the_larger_theano_takes_the_place_of_the_other(place):
    build_port(place.cache, flavour=PYMC)
    kept = place.environment.with_name("kept")
    place.environment.rename(kept)
    with disk(place.environment, "60m") as resize:
        shutil.copytree(kept, place.environment, symlinks=True, dirs_exist_ok=True)
        assert place.setup(theano="theano-pymc").end["damage"] is None
        resize(f"{shutil.disk_usage(place.environment).used + 2**20}")
        told = place.setup()
        assert told.outcome == {0: "done", 1: "failed"}
        assert told.end["id"] == "disk-full"
        assert names(place.site) == ["outer.pth"]
        resize("60m")
        expect_whole(place, place.setup())


def test_disk_of_the_cache_full(place):
    sdist = place.cache / "sdist" / THEANO.file
    kept = sdist.rename(place.cache.with_name(THEANO.file))
    shutil.rmtree(place.cache)
    with disk(place.cache, "8m") as resize:
        sdist.parent.mkdir()
        shutil.copy(kept, sdist)
        told = place.setup()
        assert told.outcome == {0: "failed"}
        assert "No space left on device" in told.end["error"]["evidence"]
        assert names(place.site) == ["outer.pth"]
        resize("60m")
        expect_whole(place, place.setup())


@pytest.fixture
def unprivileged():
    """The beginning of a command that obeys permissions, also where root runs the tests."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv to give up root's privileges with")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")


@pytest.mark.parametrize("fixture", ["place", "original"])
def test_site_packages_that_may_not_be_written(request, fixture, unprivileged):
    place = request.getfixturevalue(fixture)
    place.prefix = unprivileged
    before = sorted(place.site.rglob("*"))
    place.site.chmod(0o555)
    told = place.setup()
    assert told.outcome == {0: "done", 1: "failed"}
    assert told.end["id"] == "permission"
    assert str(place.site) in told.end["error"]["evidence"]
    assert sorted(place.site.rglob("*")) == before
    place.site.chmod(0o755)
    expect_whole(place, place.setup())


def test_home_that_may_not_be_written(place, tmp_path, unprivileged):
    place.prefix = unprivileged
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(mode=0o555)
    shutil.copytree(place.cache, temporary / f"theano_colab-{os.getuid()}")
    place.default_cache = True
    place.variables |= {"HOME": str(home), "XDG_CACHE_HOME": "", "TMPDIR": str(temporary)}
    expect_whole(place, place.setup())
    assert names(home) == []
    assert names(temporary) == [f"theano_colab-{os.getuid()}"]


def test_no_network_and_nothing_cached(place, index):
    shutil.rmtree(place.cache)
    told = place.setup()
    assert told.outcome == {0: "failed"}
    assert told.end["id"] == "index-unreachable"
    assert names(place.site) == ["outer.pth"]
    with index("whole") as place.variables["PIP_INDEX_URL"]:
        expect_whole(place, place.setup())


@pytest.mark.parametrize("fault", ["cut", "changed"])
def test_index_that_dies_half_way_or_serves_another_file(place, index, fault):
    shutil.rmtree(place.cache)
    with index(fault) as place.variables["PIP_INDEX_URL"]:
        told = place.setup()
    assert told.outcome == {0: "failed"}
    if fault == "changed":
        assert "SHA-256" in told.end["error"]["evidence"]
    assert list(place.cache.rglob("*.tar.gz")) == []
    with index("whole") as place.variables["PIP_INDEX_URL"]:
        expect_whole(place, place.setup())


@pytest.fixture
def index(built_cache):
    """A function that serves a package index with Theano's sdist: whole, cut or changed."""
    sdist = (built_cache / "sdist" / THEANO.file).read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = f'<a href="/{THEANO.file}">{THEANO.file}</a>'.encode()
            body = page if "simple" in self.path else sdist
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if body is page else "application/gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body is sdist and self.server.fault == "cut":
                body = sdist[: len(sdist) // 2]
                self.close_connection = True
            if body is sdist and self.server.fault == "changed":
                body = sdist[:-1] + bytes([sdist[-1] ^ 1])
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    @contextlib.contextmanager
    def serve(fault: str):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.fault = fault
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/simple"
            server.shutdown()
            thread.join()

    return serve


def test_a_theano_that_pip_cannot_remove(original):
    place = original
    (place.site / "Theano-1.0.5.dist-info" / "RECORD").unlink()  # as conda leaves it
    before = names(place.site)
    told = place.setup()
    assert told.end["id"] == "no-record"
    assert names(place.site) == before
    assert (place.site / "theano" / "__init__.py").read_text() == "original"


def test_a_missing_dependency_is_installed(place, wheels):
    place.variables["PIP_FIND_LINKS"] = str(wheels("lacking"))
    told = place.setup("lacking>=1.0", "numpy>=2.0")
    assert told.outcome == {0: "done", 1: "done", 2: "done"}
    assert told.end["versions"]["lacking"] == "1.0"
    assert "lacking.py" in names(place.site)
    assert place.setup("lacking>=1.0", "numpy>=2.0").outcome == {0: "kept", 1: "kept", 2: "kept"}


def test_a_dependency_that_would_change_numpy_is_not_installed(place, wheels):
    place.variables["PIP_FIND_LINKS"] = str(wheels("lacking", requires="numpy<2"))
    told = place.setup("lacking>=1.0")
    assert told.outcome == {0: "done", 1: "failed"}
    assert told.end["id"] == "conflict"
    assert "numpy" in told.end["error"]["evidence"]
    assert names(place.site) == ["outer.pth"]


def test_a_dependency_that_was_half_installed(place, wheels):
    place.variables["PIP_FIND_LINKS"] = str(wheels("lacking"))
    place.setup("lacking")
    # As if killed while it was installing: the journal says so, and pip had not written RECORD.
    journal = next((place.cache / "journal").iterdir())
    text = journal.read_text().replace('"installed"', '"installing"')
    journal.write_text(text.replace('"names": []', '"names": ["lacking"]'))
    (place.site / "lacking-1.0.dist-info" / "RECORD").unlink()
    (place.site / "lacking.py").unlink()
    told = place.setup("lacking")
    assert told.outcome == {0: "kept", 1: "done", 2: "kept"}
    assert (place.site / "lacking.py").exists()
