"""What the tests of pictures measure: boxes that overlap, edges that cross boxes, edges that cross each other."""

import itertools
import random
import subprocess

import numpy as np


def random_graph(nodes, seed, span=10, nested=False):
    """Boxes of random sizes, edges to later ones, and modules of consecutive boxes, nested up to three deep."""
    rng = random.Random(seed)
    sizes = {f"n{i}": (rng.uniform(40, 160), rng.uniform(20, 70)) for i in range(nodes)}
    edges = [
        (f"n{max(0, i - rng.randint(1, span))}", f"n{i}") for i in range(1, nodes) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))
    ]
    modules, inside = {}, {}

    def split(low, high, parent, depth):
        if depth == 0 or high - low < 4:
            return
        cuts = sorted(rng.sample(range(low, high), 2 * rng.randint(1, 2)))
        for a, b in zip(cuts[::2], cuts[1::2], strict=True):
            name = f"m{len(modules)}"
            modules[name] = parent
            inside.update({f"n{i}": name for i in range(a, b)})
            split(a, b, name, depth - 1)

    if nested:
        split(0, nodes, None, 3)
    return sizes, edges, inside, modules


def overlapping(boxes):
    """The pairs of boxes that share more than a border."""
    names = list(boxes)
    table = np.array([[b.x, b.y, b.x + b.width, b.y + b.height] for b in boxes.values()])
    low, high = table[:, None, :2], table[:, None, 2:]
    meets = ((low < high.swapaxes(0, 1) - 1e-9) & (low.swapaxes(0, 1) < high - 1e-9)).all(-1)
    return [(names[i], names[j]) for i, j in np.argwhere(np.triu(meets, 1))]


def crossed(boxes, edges):
    """The boxes whose inside a line passes through, with the number of the line."""
    names = list(boxes)
    table = np.array([[b.x, b.y, b.x + b.width, b.y + b.height] for b in boxes.values()])
    inner = table + np.array([1e-6, 1e-6, -1e-6, -1e-6])
    found = []
    for number, points in enumerate(edges):
        for start, end in itertools.pairwise(points):
            step = np.subtract(end, start)
            first, last = np.zeros(len(table)), np.ones(len(table))
            for axis in (0, 1):
                low, high = inner[:, axis] - start[axis], inner[:, axis + 2] - start[axis]
                if step[axis] == 0:
                    last = np.where((low < 0) & (high > 0), last, -1)
                else:
                    enter, leave = np.sort([low / step[axis], high / step[axis]], axis=0)
                    first, last = np.maximum(first, enter), np.minimum(last, leave)
            found += [(names[i], number) for i in np.flatnonzero(last - first > 1e-9)]
    return found


def crossings(lines):
    """How many pairs of pieces of different lines properly cross."""
    pieces = [(k, a, b) for k, line in enumerate(lines) for a, b in itertools.pairwise(line) if tuple(a) != tuple(b)]
    if not pieces:
        return 0
    owner = np.array([k for k, _, _ in pieces])
    start, end = np.array([a for _, a, _ in pieces], float), np.array([b for _, _, b in pieces], float)

    def side(p, q, r):
        return np.sign(np.round((q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1])
                                - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0]), 6))  # fmt: skip

    total = 0
    for i in range(len(pieces)):
        a, b, others = start[i], end[i], slice(i + 1, None)
        c, d = start[others], end[others]
        proper = (side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a[None]) * side(c, d, b[None]) < 0)
        total += int((proper & (owner[others] != owner[i])).sum())
    return total


def lines_of_dot(sizes, edges, inside=None, modules=None):
    """The edges as graphviz's dot draws them, each a line of many points."""

    def cluster(name):
        inner = "".join(f'"{n}"; ' for n in sizes if (inside or {}).get(n) == name)
        inner += "".join(cluster(m) for m, parent in (modules or {}).items() if parent == name)
        return inner if name is None else f'subgraph "cluster_{name}" {{ {inner} }}\n'

    nodes = "".join(f'"{n}" [width={w / 72}, height={h / 72}];\n' for n, (w, h) in sizes.items())
    links = "".join(f'"{a}" -> "{b}";\n' for a, b in edges)
    text = f'digraph {{ node [shape=box, fixedsize=true, label=""]; edge [dir=none]; {nodes} {cluster(None)} {links} }}'
    drawn = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True, timeout=300).stdout
    lines = []
    for row in drawn.splitlines():
        words = row.split()
        if words[0] == "edge":
            points = np.array(words[4 : 4 + 2 * int(words[3])], float).reshape(-1, 2) * 72
            lines.append(_sampled(points))
    return lines


def _sampled(points, count=12):
    """A chain of Bézier curves as a line of points."""
    t = np.linspace(0, 1, count)[:, None]
    parts = [
        (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
        for p in (points[k : k + 4] for k in range(0, len(points) - 3, 3))
    ]
    return np.concatenate(parts).tolist()
