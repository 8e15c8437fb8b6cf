"""Jupyter servers for browser tests: each in folders of its own, with given kernels."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
from typing import TYPE_CHECKING

import kernels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMON = (
    *("-m", "notebook", "--no-browser", "--ip=127.0.0.1", "--allow-root"),
    "--KernelManager.transport=ipc",  # why: kernels.socket_folder
)
SERVERS = {
    # Notebook 7 serves JupyterLab as well.
    "newest": (
        *COMMON,
        "--IdentityProvider.token=",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.disable_check_xsrf=True",
    ),
    "classic": (*COMMON, "--NotebookApp.token=", "--NotebookApp.disable_check_xsrf=True"),
}
_ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):(\d+)/")
# JupyterLab asks at its first start whether it may fetch news, in front of the notebook.
_SETTINGS = "lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
_NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
# The newest server now and then waits at its end for a thread of its own, for ever.
ENDED_S = 15


@contextlib.contextmanager
def serve(
    kind: str, server: Path, served: Mapping[str, Path], folder: Path, variables: dict[str, str]
) -> Iterator[tuple[str, int]]:
    """Run a server of the environment ``server`` in ``folder``; give its address and process id.

    ``served`` are its kernels: a name, and the environment whose ipykernel that is.
    """
    for name, kernel in served.items():
        spec = folder / "share" / "kernels" / name
        spec.mkdir(parents=True)
        argv = [str(kernel / "bin" / "python"), "-Xfrozen_modules=off", *kernels._LAUNCH]
        told = {"argv": argv, "display_name": name, "language": "python", "env": variables}
        (spec / "kernel.json").write_text(json.dumps(told))
    settings = folder / "config" / _SETTINGS
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(_NO_NEWS))
    sockets = kernels.socket_folder()
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTER_RUNTIME_DIR": sockets.name,
        "HOME": str(folder),
    }
    process = subprocess.Popen(
        [server / "bin" / "python", *SERVERS[kind], f"--port={_free_port()}"],
        cwd=folder,
        env={**os.environ, **own},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    log = (folder / "server.log").open("w")
    try:
        for line in process.stderr:
            log.write(line)
            if found := _ADDRESS.search(line):
                break
        else:
            raise RuntimeError(f"the server ended: {(folder / 'server.log').read_text()[-2000:]}")
        # What it says from now on is not read any more; a full pipe would stop it.
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
        yield f"http://127.0.0.1:{found[1]}", process.pid
        drain.terminate()
        drain.wait()
    finally:
        process.terminate()
        try:
            process.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        log.close()
        sockets.cleanup()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def notebook(kernel: str, *cells: str) -> str:
    """Return a notebook of code cells for a kernel of this name, as its file holds it."""
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
