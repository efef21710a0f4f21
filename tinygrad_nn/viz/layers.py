"""One level of a layered drawing: rows, the order in each, places along them, and the paths of the edges.

An entry is a port on the upper border, an exit one on the lower; inside, a long edge is a chain of points, one a row.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tinygrad_nn.viz.ranks import ranks

GAP, CHANNEL, LANE = 16.0, 26.0, 6.0  # between boxes of a row; between rows; between edges beside the drawing
PORT_CHANNEL = 10.0  # below a row of ports, which has no height
_POINTS = 6_000  # on long edges, in all: what exceeds it runs beside the drawing
_WORK = 60_000  # edges times rounds that the search for good places may take
WORK = 90_000  # boxes and pairs of neighbours that the search for good orders may look at
_SWEEPS, _LEAST = 28, 4  # from each beginning: at most, and in any case


_Near: TypeAlias = tuple[int, float, float]  # a neighbour, where on it the edge is fixed, and where on the box itself


class Piece(NamedTuple):
    """An edge of one level: its ends, and where on them it is fixed (None: the middle, or wherever there is room)."""

    top: str
    bottom: str
    leaves: float | None
    enters: float | None


@dataclass
class Layered:
    """What one level came out as: the corner of each box, the place of each port, the points of each edge."""

    width: float = 0.0
    height: float = 0.0
    corners: dict[str, tuple[float, float]] = field(default_factory=dict)
    ports: dict[str, float] = field(default_factory=dict)
    paths: list[list[tuple[float, float]]] = field(default_factory=list)
    crossings: int = 0
    work: int = 0  # what the search for the orders took


class _Link(NamedTuple):
    """A step of an edge from one row to the next, and how far from the middles of its ends it is fixed."""

    top: int
    bottom: int
    leaves: float
    enters: float
    weight: float


def arrange(
    sizes: Mapping[str, tuple[float, float]], pieces: Sequence[Piece], entries: Sequence[str], exits: Sequence[str],
    fixed: bool = False, work: int = WORK,
) -> Layered:  # fmt: skip
    """Place the boxes of one level and route its edges; the entries keep their order if it is `fixed`.

    The search for a good order ends once it has looked at about `work` boxes and pairs of neighbours.
    """
    names = [*entries, *sizes, *exits]
    number = {name: i for i, name in enumerate(names)}
    ends = [(number[piece.top], number[piece.bottom]) for piece in pieces]
    rank = ranks(len(names), ends, len(entries), len(exits))
    widths = [sizes[name][0] if name in sizes else 2.0 for name in names]
    heights = [sizes[name][1] if name in sizes else 0.0 for name in names]
    lanes = _too_long(ends, rank)
    chains: list[list[int]] = []
    links: list[_Link] = []
    for k, (piece, (top, bottom)) in enumerate(zip(pieces, ends, strict=True)):
        chain = [top]
        if k not in lanes:
            for row in range(rank[top] + 1, rank[bottom]):
                chain.append(len(rank))
                rank.append(row)
                widths.append(2.0)
                heights.append(0.0)
        chain.append(bottom)
        chains.append(chain)
        if k in lanes:
            continue
        for i, (a, b) in enumerate(itertools.pairwise(chain)):
            leaves = piece.leaves - widths[a] / 2 if i == 0 and piece.leaves is not None else 0.0
            enters = piece.enters - widths[b] / 2 if i == len(chain) - 2 and piece.enters is not None else 0.0
            weight = (1.0 if i == 0 else 2.0) * (1.0 if i == len(chain) - 2 else 2.0)
            links.append(_Link(a, b, leaves, enters, weight))
    rows, crossings, spent = _order(rank, links, widths, len(entries) if fixed else 0, work)
    x = _along(rows, links, widths)
    drawn = _draw(names, sizes, pieces, rows, rank, x, widths, heights, chains, lanes)
    drawn.crossings, drawn.work = crossings, spent
    return drawn


def _too_long(ends: list[tuple[int, int]], rank: list[int]) -> set[int]:
    """The edges that run beside the drawing, longest first, because there would be too many points on the way."""
    spans = sorted(((rank[b] - rank[a] - 1, k) for k, (a, b) in enumerate(ends)), reverse=True)
    total = sum(span for span, _ in spans)
    lanes: set[int] = set()
    for span, k in spans:
        if total <= _POINTS:
            break
        lanes.add(k)
        total -= span
    return lanes


def _order(
    rank: list[int], links: list[_Link], widths: list[float], fixed: int, work: int
) -> tuple[list[list[int]], int, int]:
    """The order in each row with the fewest crossings that sweeps of medians and exchanges have come upon.

    With it the number of crossings and of what was looked at. The first `fixed` boxes, which are the first row, stay.
    """
    rows: list[list[int]] = [[] for _ in range(max(rank, default=0) + 1)]
    up: list[list[_Near]] = [[] for _ in rank]
    down: list[list[_Near]] = [[] for _ in rank]
    for link in links:
        leaves, enters = link.leaves / (widths[link.top] + 1), link.enters / (widths[link.bottom] + 1)
        down[link.top].append((link.bottom, enters, leaves))
        up[link.bottom].append((link.top, leaves, enters))
    best, fewest, spent = rows, -1, 0
    for begin in _beginnings(rank, up, down):
        if fixed:
            begin[0] = list(range(fixed))
        order, crossings, used = _swept(begin, up, down, work - spent, fixed > 0)
        spent += used
        if fewest < 0 or crossings < fewest:
            best, fewest = order, crossings
        if fewest == 0 or spent >= work:
            break
    return best, fewest, spent


def _beginnings(rank: list[int], up: list[list[_Near]], down: list[list[_Near]]) -> Iterator[list[list[int]]]:
    """Orders to begin with: as searches from the top, from the bottom, deep and wide, come upon the boxes."""
    for ahead, behind, deep in ((down, up, True), (up, down, True), (down, up, False), (up, down, False)):
        rows: list[list[int]] = [[] for _ in range(max(rank, default=0) + 1)]
        seen = [False] * len(rank)
        starts = [i for i in range(len(rank)) if not behind[i]]
        for start in starts if deep else reversed(starts):
            waiting = deque([start])
            while waiting:
                i = waiting.pop() if deep else waiting.popleft()
                if not seen[i]:
                    seen[i] = True
                    rows[rank[i]].append(i)
                    waiting += [j for j, _, _ in reversed(ahead[i])]
                    waiting += [j for j, _, _ in reversed(behind[i])]
        yield rows


def _swept(
    rows: list[list[int]], up: list[list[_Near]], down: list[list[_Near]], work: int, fixed: bool
) -> tuple[list[list[int]], int, int]:
    """The best order that sweeps up and down came upon, its crossings, and how much it looked at."""
    best, fewest = [list(row) for row in rows], _crossings(rows, down)
    stale, spent = 0, 0
    place = [0.0] * len(up)
    for sweep in range(_SWEEPS):
        if fewest == 0 or stale > 7 or (spent >= work and sweep >= _LEAST):
            break
        downwards = sweep % 2 == 0
        beside = up if downwards else down
        for row in rows:
            for p, i in enumerate(row):
                place[i] = float(p)
        free = rows[1:] if fixed else rows
        for row in free if downwards else reversed(free):
            keys = {i: _middle(place, beside[i], p, sweep) for p, i in enumerate(row)}
            row.sort(key=keys.__getitem__)
            for p, i in enumerate(row):
                place[i] = float(p)
        spent += len(up)
        if len(up) < 4000:
            spent += _exchange(free, up, down, place, ties=sweep % 4 < 2)
        now = _crossings(rows, down)
        stale += 1
        if now < fewest:
            best, fewest, stale = [list(row) for row in rows], now, 0
    return best, fewest, spent


def _middle(place: list[float], beside: list[_Near], own: int, sweep: int) -> float:
    """The median of the neighbours' places, or their mean in every other pair of sweeps; its own place if it has none."""
    if not beside:
        return float(own)
    if len(beside) == 1:
        return place[beside[0][0]] + beside[0][1]
    spots = sorted(place[j] + at for j, at, _ in beside)
    if sweep % 4 >= 2:
        return sum(spots) / len(spots)
    half = len(spots) // 2
    return spots[half] if len(spots) % 2 else (spots[half - 1] + spots[half]) / 2


def _exchange(rows: list[list[int]], up: list[list[_Near]], down: list[list[_Near]], place: list[float], ties: bool) -> int:
    """Exchange neighbours wherever that saves crossings; at first also where it costs none, to get out of dead ends.

    Gives how many pairs it looked at.
    """
    stirred = [True] * (len(rows) + 2)  # of each row, and of one before and one after: whether the last turn changed it
    seen = 0
    for turn in range(5):
        moved, gained = [False] * (len(rows) + 2), False
        for r, row in enumerate(rows):
            if not (stirred[r] or moved[r] or stirred[r + 1] or stirred[r + 2]):
                continue
            above = [sorted([place[j] + at for j, at, _ in up[i]]) for i in row]
            below = [sorted([place[j] + at for j, at, _ in down[i]]) for i in row]
            seen += len(row)
            for p in range(len(row) - 1):
                saved = _saved(above[p], above[p + 1]) + _saved(below[p], below[p + 1])
                if saved > 0 or (ties and turn == 0 and saved == 0):
                    row[p], row[p + 1] = row[p + 1], row[p]
                    above[p], above[p + 1] = above[p + 1], above[p]
                    below[p], below[p + 1] = below[p + 1], below[p]
                    place[row[p]], place[row[p + 1]] = float(p), p + 1.0
                    moved[r + 1] = True
                    gained = gained or saved > 0
        if not gained:
            break
        stirred = moved
    return seen


def _saved(first: list[float], second: list[float]) -> int:
    """How many crossings fewer there are once two neighbours have changed places; of each, where its edges lead, sorted."""
    if len(first) == 1 and len(second) == 1:
        return (first[0] > second[0]) - (first[0] < second[0])
    if not first or not second or first[-1] < second[0]:
        return -len(first) * len(second)
    return sum(bisect_left(second, s) + bisect_right(second, s) for s in first) - len(first) * len(second)


def _crossings(rows: list[list[int]], down: list[list[_Near]]) -> int:
    """How many pairs of edges cross between neighbouring rows."""
    total = 0
    for row, below in itertools.pairwise(rows):
        place = {i: p for p, i in enumerate(below)}
        spots = []
        for p, i in enumerate(row):
            spots += [(p + own, place[j] + at) for j, at, own in down[i]]
        spots.sort()
        ends: list[float] = []
        for count, (_, end) in enumerate(spots):
            k = bisect_right(ends, end)
            total += count - k
            ends.insert(k, end)
    return total


def _along(rows: list[list[int]], links: list[_Link], widths: list[float]) -> list[float]:
    """The place of each box along its row: as straight below its inputs and above its users as its neighbours allow."""
    x = [0.0] * len(widths)
    beside: tuple[list[list[_Near]], list[list[_Near]]] = (
        [[] for _ in widths], [[] for _ in widths],
    )  # fmt: skip
    for link in links:
        shift = link.leaves - link.enters
        beside[0][link.bottom].append((link.top, shift, link.weight))
        beside[1][link.top].append((link.bottom, -shift, link.weight))
    starts = []
    for row in rows:
        at, start = 0.0, []
        for i, j in zip(row, [*row[1:], row[-1]] if row else [], strict=True):
            start.append(at)
            x[i] = at
            at += (widths[i] + widths[j]) / 2 + GAP
        starts.append(start)
        for i in row:
            x[i] -= start[-1] / 2
    rounds = max(6, min(20, _WORK // (len(links) + 1)))
    for turn in range(rounds):
        both = turn >= rounds - 4
        order = range(len(rows)) if turn % 2 == 0 else range(len(rows) - 1, -1, -1)
        for r in order:
            wishes, weights = [], []
            for i in rows[r]:
                near = beside[0][i] + beside[1][i] if both else beside[turn % 2][i]
                total = sum(weight for _, _, weight in near)
                wishes.append(sum((x[j] + shift) * weight for j, shift, weight in near) / total if total else x[i])
                weights.append(total or 0.01)
            for i, place in zip(rows[r], _spaced(wishes, weights, starts[r]), strict=True):
                x[i] = place
    return x


def _spaced(wishes: list[float], weights: list[float], starts: list[float]) -> list[float]:
    """The places nearest to the wishes, in least squares, that keep the order and the distances (pooling violators)."""
    pools: list[list[float]] = []  # of each: where it is, its weight, how many are in it
    for wish, weight, start in zip(wishes, weights, starts, strict=True):
        pools.append([wish - start, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            place, weight, many = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + place * weight) / (last[1] + weight)
            last[1] += weight
            last[2] += many
    spread = [place for place, _, many in pools for _ in range(int(many))]
    return [place + start for place, start in zip(spread, starts, strict=True)]


def _draw(
    names: list[str], sizes: Mapping[str, tuple[float, float]], pieces: Sequence[Piece], rows: list[list[int]], rank: list[int],
    x: list[float], widths: list[float], heights: list[float], chains: list[list[int]], lanes: set[int],
) -> Layered:  # fmt: skip
    """Corners and paths, from places along the rows and the heights of what is in them."""
    left = min((x[i] - widths[i] / 2 for i in range(len(x))), default=0.0)
    x = [value - left for value in x]
    drawn = Layered(width=max((x[i] + widths[i] / 2 for i in range(len(x))), default=0.0))
    spans = [0] * (len(rows) + 1)
    for chain in chains:
        spans[rank[chain[0]]] += 1
    tops, bottoms, y = [], [], 0.0
    for r, row in enumerate(rows):
        tops.append(y)
        height = max((heights[i] for i in row), default=0.0)
        y += height
        bottoms.append(y)
        y += CHANNEL + min(40.0, 1.5 * spans[r]) if height else PORT_CHANNEL
    drawn.height = bottoms[-1] if bottoms else 0.0
    middle = [(tops[r] + bottoms[r]) / 2 for r in rank]
    for i, name in enumerate(names):
        if name in sizes:
            drawn.corners[name] = (x[i] - widths[i] / 2, middle[i] - heights[i] / 2)
        else:
            drawn.ports[name] = x[i]
    enters = _inlets(pieces, chains, x, widths, lanes)
    side = drawn.width + LANE
    for k, (piece, chain) in enumerate(zip(pieces, chains, strict=True)):
        first, last = chain[0], chain[-1]
        out = x[first] if piece.leaves is None else x[first] - widths[first] / 2 + piece.leaves
        path = [(out, middle[first] + heights[first] / 2), (out, bottoms[rank[first]])]
        if k in lanes:
            path += [(side, tops[rank[first] + 1]), (side, bottoms[rank[last] - 1])]
            side += LANE
        for i in chain[1:-1]:
            path += [(x[i], tops[rank[i]]), (x[i], bottoms[rank[i]])]
        path += [(enters[k], tops[rank[last]]), (enters[k], middle[last] - heights[last] / 2)]
        drawn.paths.append([point for i, point in enumerate(path) if i == 0 or point != path[i - 1]])
    if lanes:
        drawn.width = side
    return drawn


def _inlets(
    pieces: Sequence[Piece], chains: list[list[int]], x: list[float], widths: list[float], lanes: set[int]
) -> list[float]:
    """Where each edge enters its box from above: fixed, or side by side in the order of where they come from."""
    arriving: dict[int, list[int]] = {}
    enters = [0.0] * len(pieces)
    for k, (piece, chain) in enumerate(zip(pieces, chains, strict=True)):
        box = chain[-1]
        if piece.enters is None:
            arriving.setdefault(box, []).append(k)
        else:
            enters[k] = x[box] - widths[box] / 2 + piece.enters
    for box, edges in arriving.items():
        edges.sort(key=lambda k: (k in lanes, x[chains[k][-2]], k))
        for p, k in enumerate(edges):
            enters[k] = x[box] + widths[box] * ((p + 1) / (len(edges) + 1) - 0.5)
    return enters
