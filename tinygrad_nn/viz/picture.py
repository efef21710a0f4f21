"""draw, trace and record: a graph as a Picture, which shows itself in Jupyter and saves itself in five formats."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.viz import tracing
from tinygrad_nn.viz.dot import engine_svg, source
from tinygrad_nn.viz.export import as_data, frame_data
from tinygrad_nn.viz.graph import MOST, Graph, names_in, of_tensor, to_text
from tinygrad_nn.viz.page import page
from tinygrad_nn.viz.scene import closed_blocks, scene
from tinygrad_nn.viz.svg import svg

Named = Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | Module | None
_PAGE_MOST = 20_000


class Picture:
    """A graph to be looked at: the value of a notebook cell, `save`d to a file, or `show`n.

    `error` is what the traced function raised, or None.
    """

    def __init__(
        self, graph: Graph, *, collapse: Collection[str] = (), engine: str = "own", most: int = MOST,
        error: Exception | None = None, frames: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.graph, self.error = graph, error
        self._collapse, self._engine, self._most, self._frames = tuple(collapse), engine, most, frames

    def __repr__(self) -> str:
        count = sum(node.is_op for node in self.graph.nodes)
        told = f"<Picture of {count} operations on {len(self.graph.nodes) - count} leaves"
        return told + (f", failed: {self.graph.error}>" if self.graph.error else ">")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}

    def to_svg(self, theme: str = "auto") -> str:
        """The static picture as SVG text; `theme` is "light", "dark", or "auto" to follow the reader's."""
        drawn = scene(self.graph, self._collapse, self._most)
        return engine_svg(drawn) if self._engine == "dot" else svg(drawn, theme)

    def to_json(self) -> str:
        """All that is known of the graph, as described in docs/seeing_the_graph.md: the same bytes for the same program.

        ValueError for a graph of more than 20,000 nodes.
        """
        return to_text(self._data())

    def to_html(self) -> str:
        """The page that steps through the graph, complete in itself.

        ValueError for a graph of more than 20,000 nodes, or of too many boxes once its modules are collapsed.
        """
        data = self._data()
        closed_blocks(self.graph, (), self._most)
        return page(data)

    def _data(self) -> dict[str, Any]:
        if len(self.graph.nodes) > _PAGE_MOST:
            raise ValueError(f"expected a graph of at most {_PAGE_MOST:,} nodes, got {len(self.graph.nodes):,}: save it as .svg")
        data = as_data(self.graph)
        if self._frames is not None:
            data["frames"] = self._frames
        return data

    def save(self, path: str | Path) -> None:
        """Write the picture to a file: .svg, .png (with cairosvg), .html (the page that steps), .dot or .json.

        ValueError for another ending, ImportError for .png without the package cairosvg.
        """
        path = Path(path)
        kinds: dict[str, Callable[[], str]] = {
            ".svg": self.to_svg, ".html": self.to_html, ".json": self.to_json,
            ".dot": lambda: source(scene(self.graph, self._collapse, self._most)),
        }  # fmt: skip
        if path.suffix == ".png":
            try:
                cairosvg = import_module("cairosvg")
            except ImportError:
                raise ImportError("save: a .png needs cairosvg: pip install cairosvg, or save an .svg") from None
            cairosvg.svg2png(self.to_svg("light").encode(), write_to=str(path), scale=2)
        elif path.suffix in kinds:
            path.write_text(kinds[path.suffix](), encoding="utf-8")
        else:
            raise ValueError(f"save: expected a name ending in .svg, .png, .html, .dot or .json, got {path.name!r}")

    def show(self, height: int = 640) -> None:
        """Open the page that steps through the graph: inside the notebook, or in the browser."""
        if "ipykernel" in sys.modules:
            notebook = import_module("IPython.display")
            frame = f'<iframe srcdoc="{escape(self.to_html())}" width="100%" height="{height}" style="border:0"></iframe>'
            notebook.display(notebook.HTML(frame))
            return
        import tempfile
        import webbrowser

        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as file:
            file.write(self.to_html())
        webbrowser.open(Path(file.name).as_uri())


def draw(
    tensor: Tensor, params: Named = None, *, collapse: Collection[str] = (), engine: str = "own", most: int = MOST
) -> Picture:
    """The graph behind a tensor, before or after its backward, as a Picture.

    Names come from `params` (a dict, pairs as from `named_parameters`, or a Module), then from the variables of the
    caller. Modules in `collapse` are one box each; beyond `most` boxes all are. `engine="dot"` lets graphviz place it.
    TypeError for what is no tensor, ValueError for a tensor without a graph or for one with too many operations.

    >>> import tinygrad_nn as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> draw((x * x).sum())
    <Picture of 2 operations on 1 leaves>
    """
    return Picture(
        of_tensor(tensor, _names(params, sys._getframe(1))), collapse=collapse, engine=_engine(engine), most=most
    )


def trace(
    f: Callable[..., Any], *inputs: Any, params: Named = None, collapse: Collection[str] = (), engine: str = "own",
    most: int = MOST,
) -> Picture:  # fmt: skip
    """Run `f(*inputs)` and keep every value, line, module and name on the way, as a Picture.

    When `f` raises, the picture ends with the call that failed, the exception is its `error`, and nothing is raised.
    TypeError for what cannot be called so, ValueError if nothing is computed on tensors.

    >>> import tinygrad_nn as torch
    >>> picture = trace(lambda x: (x + 1).t() @ x, torch.ones(2, 3, requires_grad=True))
    >>> [node.label for node in picture.graph.nodes]
    ['', 'add', 'transpose', 'matmul']
    >>> trace(lambda x: x @ x, torch.ones(2, 3)).error is not None
    True
    """
    graph, error = tracing.run(f, inputs, _names(params, sys._getframe(1)))
    return Picture(graph, collapse=collapse, engine=_engine(engine), most=most, error=error)


def record(f: Callable[..., Any], *inputs: Any, steps: int = 20, params: Named = None) -> Picture:
    """Run a training step `steps` times and keep every value and gradient of each: the page scrubs through them.

    `f` returns its loss. ValueError if it computes another graph in a later step, whatever it raises otherwise.

    >>> import tinygrad_nn as torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> def step():
    ...     loss = w * w
    ...     loss.backward()
    ...     with torch.no_grad():
    ...         w.sub_(0.1 * w.grad)
    ...     w.grad = None
    ...     return loss
    >>> record(step, steps=3)
    <Picture of 1 operations on 1 leaves>
    """
    if steps < 1:
        raise ValueError(f"record: expected at least 1 step, got {steps}")
    names = _names(params, sys._getframe(1))
    frames: list[dict[str, Any]] = []
    first: Graph | None = None
    for number in range(steps):
        graph, error = tracing.run(f, inputs, dict(names))
        if error is not None:
            raise error
        first = first or graph
        if [(node.label, node.shape) for node in graph.nodes] != [(node.label, node.shape) for node in first.nodes]:
            raise ValueError(f"record: expected the same graph in every step, got another in step {number}")
        frames.append(frame_data(graph))
    assert first is not None
    return Picture(first, frames=frames)


def _engine(engine: str) -> str:
    if engine not in {"own", "dot"}:
        raise ValueError(f"draw: engine expected 'own' or 'dot', got {engine!r}")
    return engine


def _names(params: Named, frame: Any) -> dict[int, str]:
    names = names_in(frame)
    if isinstance(params, Module):
        params = params.named_parameters()
    names |= {id(tensor): name for name, tensor in dict(params or {}).items()}
    return names
