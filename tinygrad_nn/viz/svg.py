"""A scene as SVG: no script and nothing from elsewhere; told apart by shape and line as well as by colour."""

from __future__ import annotations

import base64
import itertools
import struct
import zlib
from html import escape

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.viz.layout import Point
from tinygrad_nn.viz.scene import IMAGE, LETTER, PAD, STRIP_HEIGHT, STRIP_WIDTH, Line, Scene, Shown
from tinygrad_nn.viz.values import strip

# Okabe and Ito's colours, which those who see red and green alike can tell apart.
LIGHT = {
    "paper": "#ffffff", "ink": "#1b1b1b", "soft": "#5b5b5b", "edge": "#777777", "op": "#ffffff", "leaf": "#d9ecf8",
    "data": "#f6f2e6", "module": "#f3f4f6", "rim": "#9aa0a8", "up": "#0072b2", "down": "#c25200", "failed": "#fbe3dc",
    "alarm": "#c21f00",
}  # fmt: skip
DARK = {
    "paper": "#14171c", "ink": "#eceff3", "soft": "#aab2bd", "edge": "#8d96a3", "op": "#20252d", "leaf": "#123a55",
    "data": "#3a3423", "module": "#1a1e25", "rim": "#5c6673", "up": "#56b4e9", "down": "#f0a04b", "failed": "#4a1a10",
    "alarm": "#ff7a5c",
}  # fmt: skip
_FONT = "'DejaVu Sans Mono', ui-monospace, Menlo, Consolas, monospace"
_EDGE = 10.0


def _style(colors: dict[str, str]) -> str:
    c = colors
    return (
        f".paper{{fill:{c['paper']}}} text{{fill:{c['ink']};font-family:{_FONT};font-size:11px}} "
        f".name{{font-weight:bold}} .small{{fill:{c['soft']};font-size:9.2px}} "
        f".edge{{fill:none;stroke:{c['edge']};stroke-width:1.3}} .still{{stroke-dasharray:4 3}} .head{{fill:{c['edge']}}} "
        f".box{{stroke:{c['rim']};stroke-width:1.2}} .op{{fill:{c['op']}}} "
        f".output{{fill:{c['op']};stroke:{c['ink']};stroke-width:2.6}} "
        f".parameter,.leaf{{fill:{c['leaf']}}} "
        f".data{{fill:{c['data']};stroke-dasharray:5 3}} .module{{fill:{c['module']};stroke:{c['rim']}}} "
        f".failed{{fill:{c['failed']};stroke:{c['alarm']};stroke-width:3}} .bar{{fill:{c['up']}}} .up{{fill:{c['up']}}} "
        f".down{{fill:{c['down']}}} .odd{{fill:{c['alarm']}}} .axis{{stroke:{c['rim']};stroke-width:0.7}}"
    )


def svg(scene: Scene, theme: str = "auto") -> str:
    """The scene as an SVG document; `theme` is "light", "dark", or "auto" to follow the reader's."""
    placed = scene.placed
    width, height = placed.width + 2 * _EDGE, placed.height + 2 * _EDGE
    style = _style(DARK if theme == "dark" else LIGHT)
    if theme == "auto":
        style += f" @media (prefers-color-scheme: dark){{{_style(DARK)}}}"
    style = style if theme != "auto" else _scoped(style)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tinygrad-nn" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" role="img" aria-label="graph of {len(scene.shown)} boxes">',
        f"<style>{style}</style>",
        '<defs><marker id="tinygrad-nn-head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        f'<rect class="paper" width="{width:.1f}" height="{height:.1f}"/>',
        f'<g transform="translate({_EDGE:.0f},{_EDGE:.0f})">',
    ]
    for name in scene.modules:
        box = placed.modules[name]
        parts.append(
            f'<rect class="module" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>'
        )
    for points, flows in zip(placed.edges, scene.flows, strict=True):
        kind = "edge" if flows else "edge still"
        parts.append(f'<path class="{kind}" d="{curve(points)}" marker-end="url(#tinygrad-nn-head)"/>')
    for name, (title, _) in scene.modules.items():
        box = placed.modules[name]
        told = _fitting(title, box.width - 12)
        if told:  # on a ground of its own, for edges pass below it
            ground = len(told) * LETTER * 0.84 + 16
            parts.append(f'<rect class="module" x="{box.x:.1f}" y="{box.y:.1f}" width="{ground:.1f}" height="20" rx="6"/>')
            parts.append(f'<text class="small" x="{box.x + 8:.1f}" y="{box.y + 14:.1f}">{escape(told)}</text>')
    for shown in scene.shown:
        parts += _box(shown, placed.boxes[shown.id].x, placed.boxes[shown.id].y)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _scoped(style: str) -> str:
    """The rules for this picture only: in a notebook they would reach the whole page."""
    scoped = []
    for rule in style.replace("} ", "}\n").splitlines():
        head = ""
        if rule.startswith("@media"):
            head, rule = rule.split("{", 1)
            head += "{"
        names, _, rest = rule.partition("{")
        scoped.append(head + ",".join(f".tinygrad-nn {name.strip()}" for name in names.split(",")) + "{" + rest)
    return " ".join(scoped)


def curve(points: list[Point]) -> str:
    """A path through points that go down: straight where upright, else bent so that it begins and ends upright.

    >>> curve([(0, 0), (0, 5), (8, 9)])
    'M0.0,0.0 L0.0,5.0 C0.0,7.0 8.0,7.0 8.0,9.0'
    """
    words = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if abs(x1 - x0) < 0.05:
            words.append(f"L{x1:.1f},{y1:.1f}")
        else:
            middle = (y0 + y1) / 2
            words.append(f"C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}")
    return " ".join(words)


def _fitting(text: str, width: float) -> str:
    room = max(int(width / (LETTER * 0.84)), 1)
    return text if len(text) <= room else text[: room - 1] + "…"


def _box(shown: Shown, x: float, y: float) -> list[str]:
    width, height = shown.size
    corner = 8 if shown.kind in {"op", "output", "failed"} else 3
    parts = [
        f'<g transform="translate({x:.1f},{y:.1f})">'
        f'<rect class="box {shown.kind}" width="{width:.1f}" height="{height:.1f}" rx="{corner}"/>'
    ]
    if shown.kind == "parameter":
        parts.append(f'<rect class="bar" width="4" height="{height:.1f}"/>')
    at = PAD - 2
    for line in shown.lines:
        parts.append(_line(line, at))
        at += line.size[1]
    return [*parts, "</g>"]


def _line(line: Line, y: float) -> str:
    if line.array is not None and line.style == "image":
        frame = f'x="{PAD}" y="{y:.1f}" width="{IMAGE}" height="{IMAGE}" style="image-rendering:pixelated"'
        return f'<image {frame} href="{png_of(line.array)}"/>'
    if line.array is not None:
        return _bars(strip(line.array), y)
    kind = f' class="{line.style}"' if line.style else ""
    return f'<text{kind} x="{PAD}" y="{y + 11:.1f}" xml:space="preserve">{escape(line.text)}</text>'


def _bars(cells: Array, y: float) -> str:
    """Cells as bars, up and blue above zero, down and orange below, both ways and red where not finite: readable without colour."""
    finite = np.where(np.isfinite(cells), cells, 0.0)
    most = float(np.abs(finite).max()) or 1.0
    middle, width = y + 1 + STRIP_HEIGHT / 2, STRIP_WIDTH / len(cells)
    paths = {"up": "", "down": "", "odd": ""}
    for i, value in enumerate(finite / most * (STRIP_HEIGHT / 2)):
        x = PAD + i * width
        if not np.isfinite(cells[i]):
            paths["odd"] += f"M{x:.1f},{y + 1:.1f}h{width * 0.86:.1f}v{STRIP_HEIGHT}h{-width * 0.86:.1f}z"
            continue
        side = "up" if value >= 0 else "down"
        paths[side] += f"M{x:.1f},{middle:.1f}h{width * 0.86:.1f}v{-value:.1f}h{-width * 0.86:.1f}z"
    drawn = "".join(f'<path class="{side}" d="{path}"/>' for side, path in paths.items() if path)
    return f'{drawn}<path class="axis" d="M{PAD},{middle:.1f}h{STRIP_WIDTH}"/>'


def png_of(array: Array) -> str:
    """The first image of a batch as a `data:` address: three channels in colours, else the first one in greys.

    Small ones are enlarged dot by dot, for not every reader of SVG knows `image-rendering`.
    """
    channels = array.reshape(-1, *array.shape[-3:])[0]
    picture = np.moveaxis(channels, 0, -1) if channels.shape[0] == 3 else channels[0]
    finite = picture[np.isfinite(picture)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    pixels = np.round((np.where(np.isfinite(picture), picture, low) - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    times = max(1, round(2 * IMAGE / max(pixels.shape[:2])))
    pixels = pixels.repeat(times, 0).repeat(times, 1)
    rows, columns = pixels.shape[:2]
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(data).decode()
