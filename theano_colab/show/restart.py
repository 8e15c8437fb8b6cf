"""Asking for a restart: with Colab's own button on Colab, in words elsewhere."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

COLAB_MIME: Final = "application/vnd.colab-display-data+json"


def restart_button_bundle(packages: Sequence[str]) -> dict[str, Any]:
    """Return a MIME bundle for which Colab draws its "Restart session" button.

    ``packages`` names what is imported already and cannot be exchanged in a running kernel. Every
    other front end shows the words. The type is the one that google.colab's own pip magic sends
    (googlecolab/colabtools, ``google/colab/_pip.py``). Its value is a JSON object, so this bundle
    is not ``dict[str, str]`` as the panels' are.
    """
    names = ", ".join(packages)
    text = f"Restart the kernel: {names} was imported before setup and cannot be exchanged."
    payload = {"pip_warning": {"packages": list(packages)}, "id": uuid.uuid4().hex}
    return {COLAB_MIME: payload, "text/plain": text}
