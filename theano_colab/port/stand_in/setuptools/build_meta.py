"""A PEP 517 backend that answers what ``pip download`` asks, without running any setup.py.

Old sdists have no pyproject.toml, so pip asks ``setuptools.build_meta:__legacy__``
(https://peps.python.org/pep-0517/#source-trees) for their name and version. They stand in the
PKG-INFO that every sdist brings; a wheel this cannot build.
"""

from __future__ import annotations

import re
import types
from pathlib import Path


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    """Return nothing: no setuptools of any version is needed."""
    del config_settings
    return []


def prepare_metadata_for_build_wheel(folder: str, config_settings: object = None) -> str:
    """Write the metadata pip compares with what it asked the index for.

    pip runs this in the sdist's own folder.
    """
    del config_settings
    told = dict(re.findall(r"(?m)^(Name|Version): *(\S+)", Path("PKG-INFO").read_text("utf-8")))
    name, version = told["Name"], told["Version"]
    # Theano-PyMC: a hyphen ends the name in a file's name.
    info = Path(folder, f"{name.replace('-', '_')}-{version}.dist-info")
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text, "utf-8")
    return info.name


__legacy__ = types.SimpleNamespace(
    get_requires_for_build_wheel=get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel=prepare_metadata_for_build_wheel,
)
