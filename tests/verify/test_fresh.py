"""The fresh process, with a stand-in for Theano: what is tested is how its end is told."""

import os
import select
import textwrap

import pytest

from theano_colab.errors import TheanoColabError
from theano_colab.verify.fresh import run_fresh


@pytest.fixture
def theano(tmp_path, monkeypatch):
    """Write a module named theano that the fresh process imports instead of the real one."""

    def write(body):
        (tmp_path / "theano.py").write_text(textwrap.dedent(body))
        monkeypatch.syspath_prepend(tmp_path)

    return write


def failure(**options):
    with pytest.raises(TheanoColabError) as caught:
        run_fresh("device=cpu", on_line=lambda _: None, **options)
    return caught.value


def test_an_exception_of_theano_s_is_named_with_its_type(theano):
    theano("raise AttributeError(\"module 'numpy' has no attribute 'bool'\")")
    error = failure()
    assert error.cause == "Theano failed while importing Theano."
    assert error.evidence.startswith("AttributeError: module 'numpy'")


def test_a_full_disk_is_recognised_in_what_theano_printed(theano):
    theano(
        """
        import sys
        print("OSError: [Errno 28] No space left on device", file=sys.stderr)
        raise Exception("Compilation failed")
        """
    )
    assert "disk is full" in failure().cause


def test_a_killed_process_is_told_with_its_signal(theano):
    theano("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    error = failure()
    assert "killed while importing Theano" in error.cause
    assert "SIGKILL" in error.evidence


def test_a_process_that_just_ends_is_no_success(theano):
    theano("import os; print('so long', flush=True); os._exit(0)")
    error = failure()
    assert "exit code 0; last line: so long" in error.evidence


def test_a_hanging_process_is_ended_with_all_it_started(theano, tmp_path):
    note = tmp_path / "child"
    theano(
        f"""
        import subprocess, time
        child = subprocess.Popen(["sleep", "600"])
        open({str(note)!r}, "w").write(str(child.pid))
        time.sleep(600)
        """
    )
    assert "did not end" in failure(time_limit=3.0).cause
    try:
        child = os.pidfd_open(int(note.read_text()))
    except ProcessLookupError:
        return
    # It was killed, which takes effect when the kernel comes to it.
    assert select.select([child], [], [], 60)[0]
    os.close(child)


def test_what_theano_logs_is_passed_on(theano):
    theano("import os; print('Waiting for existing lock', flush=True); os._exit(3)")
    lines = []
    with pytest.raises(TheanoColabError):
        run_fresh("device=cpu", on_line=lines.append)
    assert lines == ["importing Theano", "Waiting for existing lock"]


def test_the_flags_reach_the_process_and_the_old_backend_s_mark_does_not(theano, monkeypatch):
    monkeypatch.setenv("THEANO_GPU_IS_ALREADY_ACTIVE", "Yes")
    theano(
        """
        import os
        print(os.environ["THEANO_FLAGS"], "THEANO_GPU_IS_ALREADY_ACTIVE" in os.environ, flush=True)
        os._exit(3)
        """
    )
    assert "device=cpu False" in failure().evidence
    assert os.environ["THEANO_GPU_IS_ALREADY_ACTIVE"] == "Yes"
