"""A PEP 517 backend that answers what ``pip download`` asks, without running Theano's setup.py.

Theano's sdist has no pyproject.toml, so pip asks ``setuptools.build_meta:__legacy__``
(https://peps.python.org/pep-0517/#source-trees) for its name and version. This answers; a wheel it
cannot build.
"""

from __future__ import annotations

import types
from pathlib import Path

DIST_INFO = "Theano-1.0.5.dist-info"
METADATA = "Metadata-Version: 2.1\nName: Theano\nVersion: 1.0.5\n"


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    """Return nothing: no setuptools of any version is needed."""
    del config_settings
    return []


def prepare_metadata_for_build_wheel(folder: str, config_settings: object = None) -> str:
    """Write the metadata pip compares with what it asked the index for."""
    del config_settings
    info = Path(folder, DIST_INFO)
    info.mkdir()
    (info / "METADATA").write_text(METADATA, "utf-8")
    return DIST_INFO


__legacy__ = types.SimpleNamespace(
    get_requires_for_build_wheel=get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel=prepare_metadata_for_build_wheel,
)
