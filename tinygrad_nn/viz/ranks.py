"""The row of each box: as high as its inputs allow, then moved until the edges are as short as they can be.

The second part is the network simplex method (Gansner, Koutsofios, North & Vo 1993): along a tree of edges that span one
row each, a part of the drawing is moved whenever more edges lead out of it on one side than come in on the other.
"""

from __future__ import annotations

_WORK = 400_000  # boxes and edges looked at, in all
Ends = list[tuple[int, int]]


def ranks(count: int, ends: Ends, entries: int, exits: int) -> list[int]:
    """The rows of `count` boxes; the first `entries` are all in the topmost, the last `exits` in the lowest.

    ValueError if the edges close a cycle.

    >>> ranks(4, [(0, 1), (1, 2), (3, 2)], 0, 0)
    [0, 1, 2, 1]
    """
    rank = _longest_paths(count, ends)
    if ends:
        _shorten(rank, ends)
    inner = rank[entries : count - exits]
    low = min(inner, default=0) - (entries > 0)
    high = max(inner, default=low) + 1
    rank[:entries] = [low] * entries
    rank[count - exits :] = [high] * exits
    return [row - low for row in rank]


def _longest_paths(count: int, ends: Ends) -> list[int]:
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for top, bottom in ends:
        after[top].append(bottom)
        waiting[bottom] += 1
    into = list(waiting)
    rank = [0] * count
    order = [i for i in range(count) if not waiting[i]]
    for i in order:
        for j in after[i]:
            rank[j] = max(rank[j], rank[i] + 1)
            waiting[j] -= 1
            if not waiting[j]:
                order.append(j)
    if len(order) < count:
        raise ValueError("layout: expected edges without a cycle, got one")
    for i in reversed(order):
        if after[i] and len(after[i]) > into[i]:
            rank[i] = min(rank[j] for j in after[i]) - 1
    return rank


def _shorten(rank: list[int], ends: Ends) -> None:
    """Move parts of the drawing up or down while that makes the edges shorter in all."""
    budget = max(8, _WORK // (len(rank) + len(ends)))
    pull = [0] * len(rank)  # edges out of a box less those into it: what it would gain by going down one row
    for top, bottom in ends:
        pull[top] += 1
        pull[bottom] -= 1
    tree = _tight_tree(rank, ends)
    for _ in range(budget):
        found = _worst(tree, pull, ends)
        if found is None:
            return
        edge, part, downwards = found
        inside = set(part)
        slack, enters = None, -1
        for k, (top, bottom) in enumerate(ends):
            if (top in inside) != (bottom in inside) and (top in inside) == downwards:
                room = rank[bottom] - rank[top] - 1
                if slack is None or room < slack:
                    slack, enters = room, k
        if slack is None:
            return
        for i in part:
            rank[i] += slack if downwards else -slack
        tree.discard(edge)
        tree.add(enters)


def _tight_tree(rank: list[int], ends: Ends) -> set[int]:
    """Edges of one row each that connect what is connected, after moving boxes until there are enough."""
    group = list(range(len(rank)))

    def head(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    tree: set[int] = set()
    while True:
        for k, (top, bottom) in enumerate(ends):
            if rank[bottom] - rank[top] == 1 and head(top) != head(bottom):
                group[head(top)] = head(bottom)
                tree.add(k)
        nearest: dict[int, tuple[int, int]] = {}  # of each group: the least room, and the direction it is in
        for top, bottom in ends:
            a, b = head(top), head(bottom)
            if a != b:
                room = rank[bottom] - rank[top] - 1
                nearest[a] = min(nearest.get(a, (room, 1)), (room, 1))
                nearest[b] = min(nearest.get(b, (room, -1)), (room, -1))
        if not nearest:
            return tree
        sizes: dict[int, int] = {}
        for i in range(len(rank)):
            sizes[head(i)] = sizes.get(head(i), 0) + 1
        smallest = min(nearest, key=lambda a: (sizes[a], a))
        room, direction = nearest[smallest]
        for i in range(len(rank)):
            if head(i) == smallest:
                rank[i] += room * direction


def _worst(tree: set[int], pull: list[int], ends: Ends) -> tuple[int, list[int], bool] | None:
    """The tree edge whose lower part gains most by being moved away from it: the edge, the part, and the way to go."""
    beside: list[list[tuple[int, int]]] = [[] for _ in pull]
    for k in sorted(tree):
        top, bottom = ends[k]
        beside[top].append((bottom, k))
        beside[bottom].append((top, k))
    up: list[tuple[int, int]] = [(-1, -1)] * len(pull)
    seen = [False] * len(pull)
    order: list[int] = []
    for root in range(len(pull)):
        if not seen[root]:
            seen[root] = True
            order.append(root)
            at = len(order) - 1
            while at < len(order):
                i = order[at]
                at += 1
                for j, k in beside[i]:
                    if not seen[j]:
                        seen[j] = True
                        up[j] = (i, k)
                        order.append(j)
    total = list(pull)
    best, chosen = 0, -1
    for i in reversed(order):
        above, k = up[i]
        if k < 0:
            continue
        total[above] += total[i]
        gain = total[i] if ends[k][1] == i else -total[i]  # moving it down, or up, stretches the tree's edge
        if gain > best or (gain == best and gain and i < chosen):
            best, chosen = gain, i
    if chosen < 0:
        return None
    edge = up[chosen][1]
    part = [chosen]
    for i in part:
        part += [j for j, k in beside[i] if up[j] == (i, k)]
    return edge, part, ends[edge][1] == chosen
