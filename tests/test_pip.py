"""pip in a subprocess: every failure here is a real one, by the pip that runs the tests."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import venv
import zipfile
from pathlib import Path

import psutil
import pytest

from theano_colab.pip import PipError, explain, is_noise, mask, run_pip

ROOT = Path(__file__).parents[1]
CLOSED = "http://127.0.0.1:1/simple"  # nobody listens on port 1


def clean_environment(**more: str) -> dict[str, str]:
    """Return an environment without the configuration of this machine's pip."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIP_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", **more}


def download(tmp_path: Path, **more: str) -> PipError:
    with pytest.raises(PipError) as caught:
        run_pip(["download", "-d", str(tmp_path), "six"], env=clean_environment(**more))
    return caught.value


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path / "wheels")


def make_wheel(folder: Path, size: int = 10) -> Path:
    folder.mkdir()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "#" * size)
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(
            "tiny-1.0.dist-info/RECORD",
            "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\n"
            "tiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n",
        )
    return path


def wrapper(tmp_path: Path, first: str) -> str:
    """Return a script that runs this Python under ``first``, a shell command's beginning."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\n{first} "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def target(tmp_path: Path, wheel: Path) -> list[str]:
    folder = tmp_path / "target"
    folder.mkdir(exist_ok=True)
    return ["install", "--no-index", "--no-deps", f"--target={folder}", str(wheel)]


def test_lines_are_returned_and_handed_on(tmp_path, wheel):
    heard: list[str] = []
    lines = run_pip(target(tmp_path, wheel), on_line=heard.append, env=clean_environment())
    assert lines[-1] == "Successfully installed tiny-1.0"
    assert heard == [line for line in lines if not is_noise(line)]
    assert (tmp_path / "target" / "tiny.py").exists()


def test_a_line_comes_before_pip_ends(tmp_path):
    before = psutil.Process().children()
    with stalled_server() as url, pytest.raises(ZeroDivisionError):
        # The server never answers, so without streaming this would wait for ever; that the
        # callback fails must end pip too.
        run_pip(
            ["download", "-d", str(tmp_path), "six"],
            on_line=lambda _: 1 // 0,
            env=clean_environment(PIP_INDEX_URL=url, PIP_DEFAULT_TIMEOUT="600"),
        )
    assert psutil.Process().children() == before


def test_closed_port_is_an_unreachable_index(tmp_path):
    began = time.monotonic()
    error = download(tmp_path, PIP_INDEX_URL=CLOSED)  # with pip's own number of retries
    assert error.id == "index-unreachable"
    assert error.evidence == "[Errno 111] Connection refused"
    assert time.monotonic() - began < 60


def test_unknown_host_is_no_network(tmp_path):
    error = download(tmp_path, PIP_INDEX_URL="https://index.invalid/simple", PIP_RETRIES="1")
    assert error.id == "no-network"
    assert "[Errno -" in error.evidence


def test_proxy_that_refuses(tmp_path):
    error = download(
        tmp_path,
        PIP_INDEX_URL="https://index.invalid/simple",
        PIP_RETRIES="1",
        HTTPS_PROXY="http://127.0.0.1:1",
    )
    assert error.id == "proxy"


def test_certificate_that_does_not_verify(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    pem = tmp_path / "own.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    files = ["-keyout", str(pem), "-out", f"{pem}.crt"]
    subprocess.run(
        [openssl, *request, "-subj", "/CN=localhost", *files],
        check=True,
        capture_output=True,
    )
    pem.write_text(pem.read_text() + Path(f"{pem}.crt").read_text())
    with tls_server(pem) as url:
        error = download(tmp_path, PIP_INDEX_URL=url, PIP_RETRIES="1")
    assert error.id == "certificate"
    assert "CERTIFICATE_VERIFY_FAILED" in error.evidence


def test_wrong_hash(tmp_path, wheel):
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(PipError) as caught:
        run_pip(
            [
                "download",
                "--no-index",
                f"--find-links={wheel.parent}",
                f"--dest={tmp_path}",
                f"--requirement={wanted}",
            ],
            env=clean_environment(),
        )
    assert caught.value.id == "hash-mismatch"


def test_no_matching_distribution(tmp_path, wheel):
    with pytest.raises(PipError) as caught:
        run_pip(
            ["download", "--no-index", f"--find-links={wheel.parent}", "tiny==2"],
            env=clean_environment(),
        )
    assert caught.value.id == "no-match"
    assert caught.value.evidence == "No matching distribution found for tiny==2"


def test_conflict_with_what_is_installed(tmp_path, wheel):
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("tiny==0.9\n")
    with pytest.raises(PipError) as caught:
        run_pip(
            [
                "install",
                "--dry-run",
                "--no-index",
                f"--find-links={wheel.parent}",
                f"--constraint={pinned}",
                "tiny>=1.0",
            ],
            env=clean_environment(),
        )
    assert caught.value.id == "conflict"
    assert "tiny" in caught.value.evidence


def test_file_size_limit_is_a_full_disk(tmp_path):
    wheel = make_wheel(tmp_path / "wheels", size=3_000_000)
    with pytest.raises(PipError) as caught:
        run_pip(
            target(tmp_path, wheel),
            env=clean_environment(),
            executable=wrapper(tmp_path, "ulimit -f 1000\nexec"),
        )
    assert caught.value.id == "disk-full"


def test_full_disk(tmp_path):
    wheel = make_wheel(tmp_path / "wheels", size=3_000_000)
    with small_disk(tmp_path / "target"), pytest.raises(PipError) as caught:
        # pip unpacks in its temporary folder, then moves.
        run_pip(target(tmp_path, wheel), env=clean_environment(TMPDIR=str(tmp_path / "target")))
    assert caught.value.id == "disk-full"
    assert "No space left on device" in caught.value.evidence


def test_folder_that_may_not_be_written(tmp_path, wheel):
    arguments = target(tmp_path, wheel)
    (tmp_path / "target").chmod(0o555)
    with pytest.raises(PipError) as caught:
        run_pip(arguments, env=clean_environment(), executable=without_privilege(tmp_path))
    assert caught.value.id == "permission"
    assert str(tmp_path / "target") in caught.value.evidence


def without_privilege(tmp_path: Path) -> str:
    """Return a Python that obeys the permissions of files, also where root runs the tests."""
    if os.geteuid() != 0:
        return sys.executable
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv to give up root's privileges with")
    return wrapper(tmp_path, "exec setpriv --bounding-set=-dac_override,-dac_read_search --")


@contextlib.contextmanager
def small_disk(folder: Path):
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {error}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_python_of_the_operating_system(tmp_path, wheel):
    python = Path("/usr/bin/python3")
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
    if not python.exists():
        pytest.skip("this machine has no Python of its own")
    stdlib = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    if not (Path(stdlib.strip()) / "EXTERNALLY-MANAGED").exists():
        pytest.skip("this machine has no Python that says EXTERNALLY-MANAGED")
    with pytest.raises(PipError) as caught:
        run_pip(
            ["install", "--dry-run", str(wheel)],
            env=clean_environment(),
            executable=str(python),
        )
    if caught.value.id == "pip-missing":
        pytest.skip("that Python has no pip")
    assert caught.value.id == "externally-managed"


def test_python_without_pip(tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(PipError) as caught:
        run_pip(["--version"], executable=str(tmp_path / "bare" / "bin" / "python"))
    assert caught.value.id == "pip-missing"


def test_no_python_at_all(tmp_path):
    with pytest.raises(PipError, match="could not be started"):
        run_pip(["--version"], executable=str(tmp_path / "none"))


def test_unknown_failure_quotes_pips_last_error():
    with pytest.raises(PipError) as caught:
        run_pip(["install", "six=="])
    assert caught.value.id == "unknown"
    assert caught.value.evidence.startswith("ERROR: Invalid requirement")


def test_modules_in_the_working_folder_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / "pip.py").write_text("raise SystemExit('the wrong pip')")
    monkeypatch.chdir(tmp_path)
    assert run_pip(["--version"])[0].startswith("pip ")


def test_credentials_are_masked():
    heard: list[str] = []
    env = clean_environment(PIP_INDEX_URL="http://user:s3cret@127.0.0.1:1/simple")
    lines = run_pip(["config", "list"], on_line=heard.append, env=env)  # pip masks none here
    assert any("http://****@127.0.0.1:1/simple" in line for line in lines)
    assert any("http://****@127.0.0.1:1/simple" in line for line in heard)
    assert not any("s3cret" in line for line in (*heard, *lines))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("at https://user:token@host/simple, done", "at https://****@host/simple, done"),
        ("https://token@host", "https://****@host"),
        ("https://a:p@ss@host/x", "https://****@host/x"),
        ("git+ssh://git@host/x.git", "git+ssh://****@host/x.git"),
        ("https://host/a@b", "https://host/a@b"),
        ("theano @ file:///x/theano.whl", "theano @ file:///x/theano.whl"),
    ],
)
def test_mask(text, masked):
    assert mask(text) == masked


def test_noise_is_no_evidence():
    lines = [
        "ERROR: the matter",
        "WARNING: Location 'file:///x/six/' is ignored: it is neither a file nor a directory.",
        "WARNING: Running pip as the 'root' user can result in broken permissions",
        "[notice] A new release of pip is available: 24.0 -> 26.0",
        "",
    ]
    assert explain(lines, 1).evidence == "ERROR: the matter"
    assert explain(lines[1:], 1).evidence == "pip printed nothing (exit code 1)"


def test_a_retry_on_the_way_does_not_hide_a_full_disk():
    lines = [
        "WARNING: Retrying (Retry(total=4)) ... [Errno 111] Connection refused')': /simple/six/",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    ]
    assert explain(lines, 1).id == "disk-full"


def test_the_error_can_be_pickled():
    error = explain(["ERROR: Read-only file system"], 1)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.id, copy.lines) == (str(error), error.id, error.lines)


INTERRUPTED = """
import sys
from theano_colab.pip import run_pip
try:
    run_pip(sys.argv[1:])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_interrupt_ends_pip_and_goes_on(tmp_path):
    with stalled_server() as url:
        parent = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, "download", "-d", str(tmp_path), "six"],
            env=clean_environment(
                PYTHONPATH=str(ROOT), PIP_INDEX_URL=url, PIP_DEFAULT_TIMEOUT="600"
            ),
            stdout=subprocess.PIPE,
            text=True,
        )
        stalled_server.asked.wait(60)
        children = psutil.Process(parent.pid).children(recursive=True)
        assert children
        parent.send_signal(signal.SIGINT)
        assert parent.communicate(timeout=60)[0] == "interrupted\n"
    assert not any(child.is_running() for child in children)


@contextlib.contextmanager
def stalled_server():
    """Give the URL of an index that takes requests and never answers; ``asked`` is then set."""
    stalled_server.asked = threading.Event()
    held = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                connection.recv(1)
                stalled_server.asked.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@contextlib.contextmanager
def tls_server(pem: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}/simple"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
