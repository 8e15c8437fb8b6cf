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


# Their kernels, servers and browsers are other programs, whose own waits end too early now and then
# on a busy machine. One that fails is run once more, and the closing lines say so.
OF_OTHER_PROGRAMS = ("browser", "kernel", "questions")


def pytest_collection_modifyitems(items):
    folder = Path(__file__).parent
    for item in items:
        if item.path.relative_to(folder).parts[0] in OF_OTHER_PROGRAMS:
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
