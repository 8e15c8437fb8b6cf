"""Packs files into a wheel, the same to the byte on every machine."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WHEEL = """\
Wheel-Version: 1.0
Generator: theano-colab
Root-Is-Purelib: true
Tag: py3-none-any
"""


def pack(files: Mapping[str, bytes], info: str, path: Path) -> Path:
    """Write the wheel ``path`` of these files (path inside -> content), whole or not at all.

    ``info`` is its ``.dist-info`` folder; WHEEL and RECORD are put there.

    Order, times and permissions are fixed, and nothing is compressed (zlib's output differs between
    its versions, and stored is faster).

    Raises
    ------
    OSError
        If it cannot be written.
    """
    files = {**files, f"{info}/WHEEL": WHEEL.encode()}
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    path.parent.mkdir(parents=True, exist_ok=True)
    # The dist-info comes last, as PEP 427 recommends.
    names = sorted(files, key=lambda name: (".dist-info/" in name, name))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name in names:
                entry = zipfile.ZipInfo(name)  # dated 1980-01-01, the earliest a zip can say
                entry.create_system = 3
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(entry, files[name])
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _record(files: Mapping[str, bytes], own_name: str) -> bytes:
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(files[name])}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()
