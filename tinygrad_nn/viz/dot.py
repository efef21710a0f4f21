"""Graphviz: make_dot gives the graph behind a tensor as a Digraph, `source` a scene as text; nothing is changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from tinygrad_nn.graph import shown_edge
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.viz.scene import Scene


def make_dot(tensor: Tensor, params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None) -> Any:
    """The graph of ops that made `tensor`, from the leaves to it, as a `graphviz.Digraph`.

    Leaves show their shapes, and their names where `params` (a dict, or pairs as from `named_parameters`) has them; an
    arrow from an op shows the shape of what it passes on.
    Nodes are named by position, so that the same program gives the same text. TypeError for what is no tensor,
    ValueError for a tensor without a graph, ImportError without the package graphviz.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"make_dot: argument 'tensor' expected a Tensor, got {type(tensor).__name__}")
    if tensor.grad_fn is None:
        raise ValueError(f"make_dot: the tensor of shape {list(tensor.shape)} has no graph: nothing it came from requires grad")
    try:
        from graphviz import Digraph
    except ImportError:
        raise ImportError('make_dot needs graphviz: pip install "tinygrad-nn[graph]"') from None
    named = dict(params or {})
    names = {id(value): name for name, value in named.items()}
    dot = Digraph(
        node_attr={"shape": "box", "fontname": "monospace", "fontsize": "10", "style": "filled", "fillcolor": "white"},
        edge_attr={"fontname": "monospace", "fontsize": "9"},
    )
    dot.node("out", f"output\n{_shape(tensor)}", fillcolor="#cfe8d5")
    places: dict[int, str] = {}
    waiting: list[tuple[Any, str, str]] = [(tensor.grad_fn, "out", "")]
    while waiting:
        node, target, passed = waiting.pop()
        leaf = getattr(node, "variable", None)
        key = id(node if leaf is None else leaf)
        known = key in places
        place = places.setdefault(key, f"n{len(places)}")
        dot.edge(place, target, label=passed if leaf is None else "")
        if known:
            continue
        if leaf is None:
            dot.node(place, _title(node))
            shapes = getattr(node, "shapes", None) or [None] * len(node.edges)
            after = [(shown_edge(edge)[0], place, _text(shape)) for edge, shape in zip(node.edges, shapes, strict=True)]
            waiting += [entry for entry in reversed(after) if entry[0] is not None]
        else:
            dot.node(place, "\n".join(filter(None, [names.get(key, ""), _shape(leaf)])), fillcolor="#d6e4f5")
    return dot


def _shape(tensor: Tensor) -> str:
    return _text(tuple(tensor.shape))


def _title(node: Any) -> str:
    return "".join(map(str.capitalize, node.op.name.split("_"))) if isinstance(node, OpNode) else node.name()


def _text(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else f"({', '.join(map(str, shape))})"


def source(scene: Scene) -> str:
    """A scene as text for graphviz: boxes with their lines, modules as clusters."""
    fill = {"parameter": "#d9ecf8", "leaf": "#d9ecf8", "data": "#f6f2e6", "module": "#e8eaee", "failed": "#fbe3dc"}
    parts = ["digraph {", 'node [shape=box, style="filled,rounded", fontname="monospace", fontsize=10, fillcolor=white];']

    def cluster(parent: str | None) -> None:
        for shown in scene.shown:
            if shown.inside == parent:
                text = "".join(_quoted(line.text)[1:-1] + "\\l" for line in shown.lines if line.text)
                color = f', fillcolor="{fill[shown.kind]}"' if shown.kind in fill else ""
                parts.append(f'{shown.id} [label="{text}"{color}];')
        for name, (title, inside) in scene.modules.items():
            if inside == parent:
                parts.append(f"subgraph cluster_{name} {{ label={_quoted(title)}; style=rounded; fontname=monospace; fontsize=10;")
                cluster(name)
                parts.append("}")

    cluster(None)
    for (a, b), flows in zip(scene.edges, scene.flows, strict=True):
        parts.append(f"{a} -> {b};" if flows else f"{a} -> {b} [style=dashed];")
    return "\n".join([*parts, "}", ""])


def engine_svg(scene: Scene) -> str:
    """A scene as SVG placed by graphviz; FileNotFoundError where its program `dot` is not."""
    if shutil.which("dot") is None:
        raise FileNotFoundError('engine="dot" needs the program dot of graphviz, which was not found; the default needs nothing')
    done = subprocess.run(["dot", "-Tsvg"], input=source(scene), capture_output=True, text=True, check=True)
    return done.stdout


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
