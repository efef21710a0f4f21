"""Where boxes and edges go: layered from top to bottom, modules as boxes within, edges that never cross a box.

Each module is laid out by itself, with ports on its border where edges enter and leave, and is then one box in what
surrounds it. A box's row is found by longest paths, the order within rows by medians, the places along a row by least
squares (Sugiyama, Tagawa & Toda 1981; Gansner et al. 1993). An edge changes its place only in the channel between two
rows, where there are no boxes, and passes rows at a place kept free for it: so it cannot cross one.

Where edges cross all the same, the modules are laid out again, with what enters in the order in which it arrives there,
as long as that helps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tinygrad_nn.viz.layers import WORK, Layered, Piece, arrange

Point = tuple[float, float]
MARGIN, TITLE = 12.0, 20.0  # between a module's border and what is in it; the height of its title


@dataclass(frozen=True)
class Box:
    """A rectangle: its left upper corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than a border."""
        apart = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (apart or self.y + self.height <= other.y or other.y + other.height <= self.y)


@dataclass
class Layout:
    """Boxes of nodes, boxes of modules, and for each edge the points it goes through, top to bottom."""

    boxes: dict[str, Box] = field(default_factory=dict)
    modules: dict[str, Box] = field(default_factory=dict)
    edges: list[list[Point]] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def layout(
    sizes: Mapping[str, tuple[float, float]],
    edges: Iterable[tuple[str, str]],
    inside: Mapping[str, str] | None = None,
    modules: Mapping[str, str | None] | None = None,
) -> Layout:
    """Place boxes of the given sizes so that edges lead downwards.

    `inside` names the module that a box is in and `modules` has each module with the one that it is in; taking a
    module for one box must not close a cycle, which calls of modules never do.

    >>> placed = layout({"x": (40, 20), "y": (40, 20)}, [("x", "y")])
    >>> placed.boxes["x"].y < placed.boxes["y"].y, placed.edges
    (True, [[(20.0, 20.0), (20.0, 47.5)]])
    """
    tree = _Tree(sizes, list(edges), inside or {}, modules or {})
    return tree.place()


class _Tree:
    """The nesting of modules, and the part of each edge that lies on each level."""

    def __init__(
        self, sizes: Mapping[str, tuple[float, float]], edges: list[tuple[str, str]], inside: Mapping[str, str],
        modules: Mapping[str, str | None],
    ) -> None:  # fmt: skip
        self.sizes, self.edges = sizes, edges
        self.parent: dict[str, str | None] = {**modules, **{name: inside.get(name) for name in sizes}}
        self.members: dict[str | None, list[str]] = {None: []}
        for name in modules:
            self.members[name] = []
        for name in [*sizes, *modules]:
            self.members[self.parent[name]].append(name)
        self.levels: dict[str | None, list[tuple[str, str, str]]] = {name: [] for name in self.members}
        self.routes: list[list[tuple[str | None, int]]] = []  # of each edge: on which level, which piece
        self._shared: dict[tuple[str | None, str, str, str], int] = {}
        for number, (source, target) in enumerate(edges):
            self._split(number, source, target)
        self.drawn: dict[str | None, Layered] = {}

    def _chain(self, name: str) -> list[str | None]:
        chain: list[str | None] = [name]
        while chain[-1] is not None:
            chain.append(self.parent[chain[-1]])
        return chain

    def _split(self, number: int, source: str, target: str) -> None:
        """Cut an edge where it crosses the borders of modules."""
        up, down = self._chain(source), self._chain(target)
        common = next(level for level in up[1:] if level in down[1:])
        rising, falling = up[: up.index(common)], down[: down.index(common)]
        route: list[tuple[str | None, int]] = []
        for child, level in itertools.pairwise(rising):
            route.append(self._piece(level, str(child), f">{source}", source, source))
        top, bottom = str(rising[-1]), str(falling[-1])
        own = f"{source}>{number}"  # x * x is two edges: what arrives at a box is never shared
        route.append(self._piece(common, top, bottom, source, own if bottom == target else source))
        for level, child in zip(falling[:0:-1], falling[-2::-1], strict=False):
            route.append(self._piece(level, f"<{source}", str(child), source, own if child == target else source))
        self.routes.append(route)

    def _piece(self, level: str | None, top: str, bottom: str, source: str, what: str) -> tuple[str | None, int]:
        key = (level, top, bottom, what)
        if key not in self._shared:
            self._shared[key] = len(self.levels[level])
            self.levels[level].append((top, bottom, source))
        return level, self._shared[key]

    def place(self) -> Layout:
        """Lay out the modules from the inside out, then put them where they belong."""
        order: list[str | None] = [None]
        for name in order:
            order += [child for child in self.members[name] if child in self.members]
        self.drawn = self._drawn(order, {}, WORK if len(order) == 1 else WORK // 2)
        left = WORK - self._total("work")
        while len(order) > 1 and left > 0 and self._total("crossings"):
            before, fewest = self.drawn, self._total("crossings")
            self.drawn = self._drawn(order, self._arrivals(), left)
            left -= self._total("work")
            if self._total("crossings") >= fewest:
                self.drawn = before
                break
        result = Layout(width=self.drawn[None].width, height=self.drawn[None].height)
        origin: dict[str | None, Point] = {None: (0.0, 0.0)}
        for name in order:
            x0, y0 = origin[name]
            for child, (x, y) in self.drawn[name].corners.items():
                if child in self.members:
                    inner = self.drawn[child]
                    box = Box(x0 + x, y0 + y, inner.width + 2 * MARGIN, inner.height + 2 * MARGIN + TITLE)
                    result.modules[child] = box
                    origin[child] = (box.x + MARGIN, box.y + MARGIN + TITLE)
                elif child in self.sizes:
                    result.boxes[child] = Box(x0 + x, y0 + y, *self.sizes[child])
        for route in self.routes:
            points: list[Point] = []
            for level, piece in route:
                x0, y0 = origin[level]
                points += [(x0 + x, y0 + y) for x, y in self.drawn[level].paths[piece]]
            result.edges.append(_without_repeats(points))
        return result

    def _total(self, what: str) -> int:
        return sum(getattr(level, what) for level in self.drawn.values())

    def _drawn(
        self, order: list[str | None], wanted: Mapping[str | None, list[str]], work: int
    ) -> dict[str | None, Layered]:
        """All levels from the inside out; the entries of those in `wanted` in the order it has."""
        self.drawn = {}
        pieces = sum(map(len, self.levels.values())) + 1
        for name in reversed(order):
            self.drawn[name] = self._arrange(name, wanted.get(name), work * len(self.levels[name]) // pieces)
        return self.drawn

    def _arrivals(self) -> dict[str | None, list[str]]:
        """Of each module, its entries in the order in which their edges come near it from outside."""
        near: dict[str | None, list[tuple[float, str]]] = {}
        for level, pieces in self.levels.items():
            for (_, bottom, source), path in zip(pieces, self.drawn[level].paths, strict=True):
                if bottom in self.members:
                    near.setdefault(bottom, []).append((path[-3][0] if len(path) > 2 else path[0][0], f"<{source}"))
        return {name: [entry for _, entry in sorted(arriving)] for name, arriving in near.items()}

    def _arrange(self, name: str | None, wanted: list[str] | None, work: int) -> Layered:
        """One level: its boxes, its modules as boxes, and ports for what enters and leaves."""
        sizes: dict[str, tuple[float, float]] = {}
        for child in self.members[name]:
            if child in self.members:
                inner = self.drawn[child]
                sizes[child] = (inner.width + 2 * MARGIN, inner.height + 2 * MARGIN + TITLE)
            else:
                sizes[child] = self.sizes[child]
        entries = list(dict.fromkeys(top for top, _, _ in self.levels[name] if top.startswith("<")))
        exits = list(dict.fromkeys(bottom for _, bottom, _ in self.levels[name] if bottom.startswith(">")))
        pieces = [
            Piece(top, bottom, self._port(top, f">{source}"), self._port(bottom, f"<{source}"))
            for top, bottom, source in self.levels[name]
        ]
        return arrange(sizes, pieces, wanted or entries, exits, fixed=wanted is not None, work=work)

    def _port(self, child: str, port: str) -> float | None:
        """How far along the border of a module a port is; None for what is no module."""
        return self.drawn[child].ports[port] + MARGIN if child in self.members else None


def _without_repeats(points: list[Point]) -> list[Point]:
    return [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]
