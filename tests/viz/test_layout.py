"""Layout: no boxes overlap, no edge crosses a box, few edges cross, for little work."""

import cProfile
import pstats
import shutil

import pytest

from tests.viz import models
from tests.viz.geometry import crossed, crossings, lines_of_dot, overlapping, random_graph
from tinygrad_nn.viz.layout import layout
from tinygrad_nn.viz.scene import scene

NETWORKS = [models.mlp, models.cnn, models.lstm, models.transformer]


def calls(nodes, span, nested):
    """How many calls of functions a layout makes: its work, whatever else the machine does."""
    graph, profile = random_graph(nodes, 1, span=span, nested=nested), cProfile.Profile()
    profile.runcall(layout, *graph)
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_random_graphs_have_no_overlaps(first):
    for seed in range(first, first + 50):
        graph = random_graph(2 + seed % 60, seed, span=3 + seed % 20, nested=seed % 2 == 1)
        placed = layout(*graph)
        assert not overlapping(placed.boxes), seed
        assert not crossed(placed.boxes, placed.edges), seed
        inside, modules = graph[2], graph[3]
        for name, box in placed.boxes.items():
            parent = inside.get(name)
            for other, around in placed.modules.items():
                ancestors = set()
                while parent is not None:
                    ancestors.add(parent)
                    parent = modules[parent]
                parent = inside.get(name)
                assert box.overlaps(around) == (other in ancestors), (seed, name, other)


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_have_no_overlaps(network):
    drawn = scene(network().graph)
    assert not overlapping(drawn.placed.boxes)
    assert not crossed(drawn.placed.boxes, drawn.placed.edges)


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz's dot is not installed: nothing to compare with")
@pytest.mark.parametrize("nested", [False, True])
def test_crossings_beside_dot(nested):
    ours = theirs = 0
    for seed in range(40):
        graph = random_graph(10 + 2 * seed, seed, nested=nested)
        ours += crossings(layout(*graph).edges)
        theirs += crossings(lines_of_dot(*graph))
    assert ours <= 1.2 * theirs


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz's dot is not installed: nothing to compare with")
@pytest.mark.parametrize("network", NETWORKS)
def test_crossings_of_networks_beside_dot(network):
    drawn = scene(network().graph)
    sizes = {box.id: box.size for box in drawn.shown}
    inside = {box.id: box.inside for box in drawn.shown if box.inside}
    modules = {name: parent for name, (_, parent) in drawn.modules.items()}
    boxed, plain = crossings(drawn.placed.edges), crossings(layout(sizes, drawn.edges).edges)
    assert boxed <= 1.2 * crossings(lines_of_dot(sizes, drawn.edges, inside, modules))
    free = crossings(lines_of_dot(sizes, drawn.edges))  # dot without modules, as most draw their graphs with it
    assert plain <= 1.2 * free
    assert boxed <= 1.2 * free


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("span", [10, 3000])
def test_the_work_grows_no_faster_than_the_graph(span, nested):
    small = calls(300, min(span, 300), nested)
    assert small < 2_500_000
    assert calls(3000, span, nested) < 10 * small


def test_a_cycle_is_told():
    with pytest.raises(ValueError, match="without a cycle, got one"):
        layout({"a": (1, 1), "b": (1, 1)}, [("a", "b"), ("b", "a")])


def test_nothing_is_a_layout_too():
    placed = layout({}, [])
    assert (placed.boxes, placed.edges, placed.width) == ({}, [], 0.0)


def test_the_same_graph_is_placed_the_same():
    assert layout(*random_graph(60, 3, nested=True)) == layout(*random_graph(60, 3, nested=True))
