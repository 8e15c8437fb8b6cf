"""A panel as a page of its own: a file that any browser shows, light or dark as the system is."""

from __future__ import annotations

import html as escaping
from typing import TYPE_CHECKING

from theano_colab.show import html

if TYPE_CHECKING:
    from theano_colab.show.panel import Panel


def page(panel: Panel) -> str:
    """Return a whole HTML document that needs nothing from elsewhere."""
    title = escaping.escape(panel.title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title>"
        "<style>:root{color-scheme:light dark}body{margin:16px auto;max-width:62rem}</style>"
        f"</head><body>{html.write(panel)}</body></html>\n"
    )
