"""Jupyter servers for browser tests: each in folders of its own, with a given kernel."""

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
    from collections.abc import Iterator
    from pathlib import Path

COMMON = ("--no-browser", "--ip=127.0.0.1", "--allow-root")
SERVERS = {
    "lab": ("-m", "jupyterlab", *COMMON, "--IdentityProvider.token=", "--expose-app-in-browser"),
    "notebook 7": (
        "-m",
        "notebook",
        *COMMON,
        "--IdentityProvider.token=",
        "--expose-app-in-browser",
    ),
    "classic": ("-m", "notebook", *COMMON, "--NotebookApp.token="),
}
_ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):(\d+)/")


@contextlib.contextmanager
def serve(
    kind: str, server: Path, kernel: Path, folder: Path, variables: dict[str, str]
) -> Iterator[tuple[str, int]]:
    """Run a server of the environment ``server`` in ``folder``; give its address and process id.

    The kernel of `notebook` is ipykernel in the environment ``kernel``.
    """
    spec = folder / "share" / "kernels" / "served"
    spec.mkdir(parents=True)
    argv = [str(kernel / "bin" / "python"), "-Xfrozen_modules=off", *kernels._LAUNCH]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Python", "language": "python", "env": variables})
    )
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTER_RUNTIME_DIR": str(folder / "run"),
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
        process.wait()
        process.stderr.close()
        log.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def notebook(*cells: str) -> str:
    """Return a notebook of code cells as its file holds it."""
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
                "kernelspec": {"name": "served", "display_name": "Python", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
