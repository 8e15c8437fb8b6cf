"""Kills its process at what THEANO_COLAB_KILL_AT matches first.

Python imports it at its start where its folder is on PYTHONPATH. What is matched is an event of the
files that a process writes: "os.rename /from /to", "open /path", "os.remove /path". With
THEANO_COLAB_KILL=pip it kills a pip alone, with "both" also the process that started that pip.
"""

import os
import re
import signal
import sys

AT = os.environ.get("THEANO_COLAB_KILL_AT", "")


def hook(event: str, arguments: tuple) -> None:
    if event == "open":
        written = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        paths = arguments[:1] if written else ()
    else:
        paths = arguments[:2] if event in {"os.rename", "os.remove", "os.rmdir"} else ()
    if paths and re.search(AT, " ".join([event, *(str(path) for path in paths)])):
        is_pip, both = "pip" in sys.argv[0], os.environ["THEANO_COLAB_KILL"] == "both"
        if is_pip and both:
            os.kill(os.getppid(), signal.SIGKILL)
        if is_pip or both:
            os.kill(os.getpid(), signal.SIGKILL)


if AT:
    sys.addaudithook(hook)
