"""Line search: how far to go along a direction, by Wolfe's conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Point(NamedTuple):
    """A place on the line: the step, the loss there, its gradient and its slope along the line."""

    t: Any
    loss: Any
    gradient: Any
    slope: Any


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic with these two losses and slopes is least, kept within the bounds; their middle if it is nowhere."""
    if a.t > b.t:
        a, b = b, a
    low, high = bounds or (a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = np.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Any]],
    t: Any,
    direction: Any,
    loss: Any,
    gradient: Any,
    slope: Any,
    most: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[Any, Any, Any, int]:
    """The loss, the gradient and the step found, and how often `evaluate` was called (Nocedal and Wright, section 3.5).

    Such a step lowers the loss by c1 of what the slope promises, and leaves at most c2 of the slope: too long a step fails the
    first, too short a one the second. A bracket around one is found by going further, then zoomed into.
    """

    calls = 0

    def at(t: Any) -> Point:
        nonlocal calls
        calls += 1
        new_loss, new_gradient = evaluate(t)
        return Point(t, new_loss, new_gradient, new_gradient.dot(direction))

    def too_high(point: Point) -> bool:
        return bool(point.loss > start.loss + c1 * point.t * start.slope)

    def flat(point: Point) -> bool:
        return bool(abs(point.slope) <= -c2 * start.slope)

    start = previous = Point(0, loss, gradient, slope)
    bracket: list[Point] = []
    with np.errstate(all="ignore"):
        point = at(t)
        for i in range(most):
            if too_high(point) or (i > 1 and point.loss >= previous.loss):
                bracket = [previous, point]
            elif flat(point):
                return point.loss, point.gradient, point.t, calls
            elif point.slope >= 0:
                bracket = [previous, point]
            if bracket:
                break
            bounds = (point.t + 0.01 * (point.t - previous.t), point.t * 10)
            previous, point = point, at(cubic_minimum(previous, point, bounds))
        found = _zoom(at, too_high, flat, bracket or [start, point], direction, tolerance, most + 1 - calls)
    return found.loss, found.gradient, found.t, calls


def _zoom(
    at: Callable[[Any], Point],
    too_high: Callable[[Point], bool],
    flat: Callable[[Point], bool],
    bracket: list[Point],
    direction: Any,
    tolerance: float,
    most: int,
) -> Point:
    """The best of a bracket that is narrowed, at most so many times, until its best point is flat."""
    low = int(bracket[0].loss > bracket[1].loss)
    size = np.abs(direction).max()
    stuck = False
    for _ in range(most):
        left, right = sorted(point.t for point in bracket)
        if (right - left) * size < tolerance:
            break
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # so near an end tells little: twice in a row, or at the end itself, go inwards
            inwards = stuck or t >= right or t <= left
            if inwards:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = not inwards
        else:
            stuck = False
        point = at(t)
        if too_high(point) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = int(bracket[0].loss > bracket[1].loss)
        elif flat(point):
            return point
        else:
            if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
                bracket[1 - low] = bracket[low]
            bracket[low] = point
    return bracket[low]
