"""What is to be seen of a graph: which boxes, with which lines in them, and the edges between; modules may be collapsed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.viz.backward import walk_back
from tinygrad_nn.viz.graph import MOST, Block, Constant, Graph, Node
from tinygrad_nn.viz.layout import Layout, layout
from tinygrad_nn.viz.values import is_image, short, span

LETTER, LINE, PAD = 6.7, 14.0, 7.0  # the width of a letter, the height of a line, the space around the text
STRIP_WIDTH, STRIP_HEIGHT, IMAGE = 128.0, 16.0, 56.0
_TITLE = 48  # letters of a box's first line
_WALKED = 2000  # nodes of a graph whose gradients a static picture still shows


@dataclass
class Line:
    """A line of a box: text, or an array shown as a strip or an image."""

    text: str
    style: str = ""  # "name", "small", "strip", "image"
    array: Array | None = None

    @property
    def size(self) -> tuple[float, float]:
        """The width and height it takes."""
        if self.style == "strip":
            return STRIP_WIDTH, STRIP_HEIGHT + 3
        if self.style == "image":
            return IMAGE, IMAGE + 4
        return len(self.text) * LETTER * (0.84 if self.style == "small" else 1.0), LINE


@dataclass
class Shown:
    """A box: a node, or a module that is collapsed."""

    id: str
    kind: str  # a node's kind, "output" or "module"
    lines: list[Line] = field(default_factory=list)
    inside: str | None = None

    @property
    def size(self) -> tuple[float, float]:
        """The width and height of the box."""
        sizes = [line.size for line in self.lines]
        return max(30.0, *(w for w, _ in sizes)) + 2 * PAD, sum(h for _, h in sizes) + 2 * PAD - 4


@dataclass
class Scene:
    """Boxes, edges (with whether a gradient flows back along them) and modules, and where all of it is."""

    shown: list[Shown]
    edges: list[tuple[str, str]]
    flows: list[bool]
    modules: dict[str, tuple[str, str | None]]  # the title and what it is in
    placed: Layout


def scene(graph: Graph, collapsed: Collection[str] = (), most: int = MOST) -> Scene:
    """Choose what is shown, modules in `collapsed` as one box, more of them if there are too many boxes, and place it.

    ValueError if there are too many boxes even so.
    """
    closed = closed_blocks(graph, collapsed, most)
    stands = {id(node): _stand_in(node, closed) for node in graph.nodes}
    gradients = {}
    if len(graph.nodes) <= _WALKED:
        gradients = {id(step.node): step.gradient for step in walk_back(graph)}
    shown: dict[str, Shown] = {}
    for node in graph.nodes:
        block = stands[id(node)]
        if block is None:
            kind = "output" if node is graph.output and node.kind == "op" else node.kind
            shown[node.id] = Shown(node.id, kind, _lines(node, gradients.get(id(node))), node.block.id if node.block else None)
        elif block.id not in shown:
            count = sum(node.is_op and stands[id(node)] is block for node in graph.nodes) if len(closed) <= 200 else 0
            lines = [Line(title_of(block), "name")] + ([Line(f"{count} operations", "small")] if count else [])
            shown[block.id] = Shown(block.id, "module", lines, block.parent.id if block.parent else None)
    edges: dict[tuple[str, str, int], bool] = {}
    for node in graph.nodes:
        for i, source in enumerate(node.parents):
            ends = [source.id, node.id]
            for k, end in enumerate((source, node)):
                block = stands[id(end)]
                if block is not None:
                    ends[k] = block.id
            if ends[0] != ends[1]:
                twice = i if ends == [source.id, node.id] else 0
                key = (ends[0], ends[1], twice)
                edges[key] = edges.get(key, False) or (source.requires_grad and node.requires_grad)
    opened = {block.id: block for block in graph.blocks if not _is_closed(block, closed)}
    used: set[str] = set()
    for box in shown.values():
        name = box.inside
        while name is not None and name not in used:
            used.add(name)
            parent = opened[name].parent
            name = parent.id if parent else None
    modules = {
        name: (title_of(block), block.parent.id if block.parent else None) for name, block in opened.items() if name in used
    }
    placed = layout(
        {name: box.size for name, box in shown.items()},
        [(a, b) for a, b, _ in edges],
        {name: box.inside for name, box in shown.items() if box.inside is not None},
        {name: parent for name, (_, parent) in modules.items()},
    )
    return Scene(list(shown.values()), [(a, b) for a, b, _ in edges], list(edges.values()), modules, placed)


def closed_blocks(graph: Graph, collapsed: Collection[str], most: int) -> set[Block]:
    """The modules to collapse: those asked for by path or id, and from the inside out as many as it takes."""
    known = {block.path for block in graph.blocks} | {block.id for block in graph.blocks}
    for name in collapsed:
        if name not in known:
            raise ValueError(f"draw: collapse expected paths of modules among {sorted(known)}, got {name!r}")
    closed = {block for block in graph.blocks if block.path in collapsed or block.id in collapsed}
    depths = sorted({_depth(block) for block in graph.blocks}, reverse=True)
    while True:
        stands = [_stand_in(node, closed) for node in graph.nodes]
        boxes = sum(stand is None for stand in stands) + len({id(stand) for stand in stands if stand is not None})
        if boxes <= most:
            return closed
        if not depths:
            raise ValueError(
                f"draw: expected a graph of at most {most:,} boxes once its modules are collapsed, got {boxes:,}: "
                "draw a part of it, or put its parts into modules and trace it"
            )
        closed |= {block for block in graph.blocks if _depth(block) == depths[0]}
        depths.pop(0)


def _depth(block: Block) -> int:
    return 0 if block.parent is None else 1 + _depth(block.parent)


def _is_closed(block: Block | None, closed: set[Block]) -> bool:
    return block is not None and (block in closed or _is_closed(block.parent, closed))


def _stand_in(node: Node, closed: set[Block]) -> Block | None:
    """The outermost collapsed module around a node."""
    found, block = None, node.block
    while block is not None:
        found = block if block in closed else found
        block = block.parent
    return found


def title_of(block: Block) -> str:
    """A module's path and type."""
    return f"{block.path}: {block.type}" if block.path and block.type else block.path or block.type


def _lines(node: Node, gradient: object) -> list[Line]:
    head = title(node)
    lines = [Line(head if len(head) <= _TITLE else head[: _TITLE - 1] + "…", "name")]
    if node.value is not None:
        lines += value_lines(node.value, "" if node.value.ndim else "value ")
    elif node.kind != "failed" and node.op is not None:
        lines.append(Line("value not kept", "small"))
    if isinstance(gradient, np.ndarray | np.generic):
        lines += value_lines(np.asarray(gradient), "grad ", image=False)
    if node.shape and node.kind != "failed":
        lines.append(Line(f"({', '.join(map(str, node.shape))}) {node.dtype}", "small"))
    if node.error:
        lines += [Line(part, "small") for part in wrapped(node.error)]
    return lines


def title(node: Node) -> str:
    """The first line of a box: the name and the op, constants in place."""
    if not node.is_op:
        return node.name or {"parameter": "parameter", "leaf": "leaf"}.get(node.kind, "data")
    call = node.label
    if any(isinstance(source, Constant) and source.value is not None for source in node.inputs):
        call += f"({', '.join(map(_constant, node.inputs))})"
    mark = "✗ " if node.kind == "failed" else ""
    return f"{mark}{node.name} = {call}" if node.name else mark + call


def _constant(source: Node | Constant) -> str:
    """A number that a call was given; a dot for what has a box of its own."""
    numeric = isinstance(source, Constant) and isinstance(source.value, int | float | np.generic)
    return short(source.value) if numeric else "·"


def value_lines(value: Array, label: str, image: bool = True) -> list[Line]:
    """A value as a number, as rows of numbers when small, else as a strip or an image with its range."""
    if value.size == 0:
        return [Line(label + "empty", "small")]
    if value.ndim == 0:
        return [Line(label + short(value[()]))]
    if value.size <= 6 or (value.ndim == 2 and value.shape[0] <= 4 and value.shape[1] <= 4):
        rows = value.reshape(-1, value.shape[-1]) if value.ndim >= 2 else value.reshape(1, -1)
        texts = ["[" + ", ".join(short(v, 3) for v in row) + "]" for row in rows]
        width = len(label) if label.strip() == "grad" else 0
        return [Line((label if i == 0 else " " * width) + text) for i, text in enumerate(texts)]
    numbers = value.astype(np.float64) if value.dtype.kind != "c" else np.absolute(value)
    shape = "image" if image and is_image(value.shape) else "strip"
    return [Line("", shape, numbers), Line(label + span(numbers), "small")]


def wrapped(text: str, width: int = 46) -> list[str]:
    """A message in lines.

    >>> wrapped("expected a Tensor, got int", 12)
    ['expected a', 'Tensor, got', 'int']
    """
    import textwrap

    return textwrap.wrap(text, width) or [""]
