"""The page that steps through a graph: one file with its data, its styles and its script in it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from tinygrad_nn.viz.graph import to_text

_HERE = Path(__file__).parent
SCRIPTS = ("arrays.js", "ops.js", "engine.js", "layers.js", "layout.js", "model.js", "show.js", "drawing.js", "panel.js", "main.js")


@functools.cache
def shell() -> str:
    """The page without data: what every page has in it, under 100 KB."""
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return html.replace("/*style*/", style).replace("/*script*/", f'(() => {{\n"use strict";\n{script}\n}})();')


def page(data: dict[str, Any]) -> str:
    """The page of a graph's data."""
    return shell().replace("/*data*/", to_text(data))
