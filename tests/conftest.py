"""What every test may take for granted."""

import json
import os
import signal
import subprocess
from pathlib import Path

import envs
import pytest


def pytest_configure():
    """Let Ctrl-C interrupt: what a shell starts in the background ignores it, children included."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Where a clock or another program decides (a kernel, a server, a browser, pip, a timer), a busy
# machine makes a test fail now and then. One that fails is run once more, and the closing lines say
# so. What computes has one try.
TIMED = (
    *("bench", "browser", "doctor", "install", "kernel", "questions", "runtime", "verify"),
    *("test_live.py", "test_pip.py"),
)


def pytest_collection_modifyitems(config, items):
    if not config.pluginmanager.has_plugin("rerunfailures"):  # the XLA backend's environment
        return
    folder = Path(__file__).parent
    for item in items:
        if item.path.relative_to(folder).parts[0] in TIMED:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def run_pymc3(tmp_path_factory):
    """Run the Python of PyMC3's environment on a device; return the JSON that it printed last.

    All runs share one compile directory. What is in folders of ``path`` comes first.
    """
    try:
        python = envs.pymc3()
    except LookupError as error:
        pytest.skip(str(error))
    compiled = tmp_path_factory.mktemp("compiled")

    def run(*arguments, device="cpu", path=()):
        flags = (
            f"device={device},floatX=float64,base_compiledir={compiled},cmodule.remove_gxx_opt=1"
        )
        done = subprocess.run(
            [python, *arguments],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (*path, envs.ROOT))),
                "THEANO_FLAGS": flags,
                "THEANORC": os.devnull,
                "JAX_PLATFORMS": "cpu",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
