"""Pictures of training, one line each, with matplotlib: each function draws on `axes` or a new figure and returns it.

>>> from tinygrad_nn.viz import plots
>>> plots.learning_curves({"train": [2.0, 1.0], "test": [2.1, 1.3]}).get_ylabel()
'loss'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import from_numpy
from tinygrad_nn.nn.module import Module
from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.random import fork_rng
from tinygrad_nn.tensor import Tensor

# Okabe and Ito's colours, told apart by those who see red and green alike.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def learning_curves(
    curves: Mapping[str, Sequence[float]], *, xlabel: str = "epoch", ylabel: str = "loss", log: bool = False, axes: Any = None
) -> Any:
    """Each curve over the epochs, or what `xlabel` says, with its name."""
    axes = _axes(axes)
    from matplotlib.ticker import MaxNLocator

    styles = ("-", "--", "-.", ":")
    for i, (name, values) in enumerate(curves.items()):
        epochs = range(1, len(values) + 1)
        marker = "." if len(values) < 40 else None
        axes.plot(epochs, values, styles[i % 4], color=COLORS[i % len(COLORS)], label=name, marker=marker)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if log:
        axes.set_yscale("log")
    axes.legend()
    axes.grid(alpha=0.3)
    return axes


def activation_histograms(model: Module, inputs: Tensor, *, axes: Any = None, bins: int = 60) -> Any:
    """How the outputs of each innermost module are distributed, with mean and deviation: one curve a layer.

    `bins` is the most there are; few values get fewer. The model is left as it was, and so are the random numbers.
    """
    seen: dict[str, Any] = {}

    def watch(name: str) -> Callable[..., None]:
        def hook(module: Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                seen[name] = output.detach().numpy().copy()

        return hook

    inner = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(watch(f"{name} {type(module).__name__}".strip())) for name, module in inner]
    buffers = [(buffer.detach().numpy(), buffer.detach().numpy().copy()) for buffer in model.buffers()]
    try:
        with no_grad(), fork_rng():
            model(inputs)
    finally:
        for buffer, before in buffers:
            buffer[...] = before
        for handle in handles:
            handle.remove()
    return _histograms(seen, "activation", axes, bins)


def gradient_histograms(model: Module, *, axes: Any = None, bins: int = 60) -> Any:
    """How the gradients of each weight are distributed, in at most `bins`: call it after backward.

    ValueError if no parameter has a gradient.
    """
    found = {name: p.grad.detach().numpy() for name, p in model.named_parameters() if p.grad is not None and p.ndim > 1}
    if not found:
        raise ValueError("gradient_histograms: expected weights with gradients, got none: call it after backward()")
    return _histograms(found, "gradient", axes, bins)


def _histograms(values: Mapping[str, Any], what: str, axes: Any, bins: int) -> Any:
    axes = _axes(axes)
    for i, (name, array) in enumerate(values.items()):
        flat = array.ravel().astype(np.float64)
        density, edges = np.histogram(flat, min(bins, max(5, round(2 * flat.size**0.4))), density=True)
        told = f"{name}: {flat.mean():+.1e} ± {flat.std():.1e}"
        axes.plot((edges[:-1] + edges[1:]) / 2, density, ("-", "--", "-.", ":")[i % 4], color=COLORS[i % len(COLORS)], label=told)
    axes.set(xlabel=what, ylabel="density")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return axes


class UpdateRatios:
    """Notes at each step how large the update of every weight is beside the weight: about 1e-3 is healthy.

    >>> from tinygrad_nn import nn, optim
    >>> model = nn.Linear(2, 1)
    >>> ratios, optimizer = UpdateRatios(model), optim.SGD(model.parameters(), lr=0.1)
    >>> model(Tensor([[1.0, 2.0]])).sum().backward()
    >>> ratios.step(optimizer)
    >>> len(ratios.history["weight"])
    1
    """

    def __init__(self, model: Module) -> None:
        self._weights = {name: p for name, p in model.named_parameters() if p.ndim > 1}
        self.history: dict[str, list[float]] = {name: [] for name in self._weights}

    def step(self, optimizer: Optimizer) -> None:
        """`optimizer.step()`, and what it changed noted."""
        before = {name: p.detach().numpy().copy() for name, p in self._weights.items()}
        optimizer.step()
        for name, p in self._weights.items():
            change = float((p.detach().numpy() - before[name]).std())
            self.history[name].append(change / (float(before[name].std()) or 1.0))

    def plot(self, axes: Any = None) -> Any:
        """The ratios over the steps, in powers of ten, with the line at 1e-3."""
        axes = _axes(axes)
        for i, (name, ratios) in enumerate(self.history.items()):
            logs = np.log10(np.maximum(ratios, 1e-12))
            axes.plot(logs, ("-", "--", "-.", ":")[i % 4], color=COLORS[i % len(COLORS)], label=name)
        axes.axhline(-3, color="black", linewidth=1, label="about right")
        axes.set(xlabel="step", ylabel="log10 of update / weight")
        axes.legend(fontsize="small")
        return axes


def first_layer(model: Module, shape: tuple[int, int] | None = None, *, most: int = 32, columns: int = 8) -> Any:
    """The weights of the first layer as images, one a unit, on one colour scale; returns the figure.

    `shape` is rows and columns of the input, by default those of a square or of the convolution's kernel. ValueError if
    the layer's inputs form no image.
    """
    weight = next((p.detach().numpy() for p in model.parameters() if p.ndim in {2, 4}), None)
    if weight is None:
        raise ValueError("first_layer: expected a model with a weight of 2 or 4 dimensions, got none")
    if weight.ndim == 4:
        images = weight.mean(1)
    else:
        side = round(weight.shape[1] ** 0.5)
        rows, cols = shape or (side, side)
        if rows * cols != weight.shape[1]:
            raise ValueError(f"first_layer: expected a shape of {weight.shape[1]} elements, got {(rows, cols)}: pass shape=")
        images = weight.reshape(-1, rows, cols)
    images = images[:most]
    pyplot = _pyplot()
    lines = -(-len(images) // columns)
    figure, grid = pyplot.subplots(lines, columns, squeeze=False, figsize=(columns, lines), layout="constrained")
    limit = float(np.abs(images).max()) or 1.0
    for cell in grid.flat:
        cell.axis("off")
    for cell, image in zip(grid.flat, images, strict=False):
        shown = cell.imshow(image, cmap="PuOr_r", vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=grid, ticks=[-limit, 0, limit], format="%.2g")
    return figure


def decision_boundary(
    model: Callable[[Tensor], Tensor], points: Any, labels: Any, *, axes: Any = None, steps: int = 200, margin: float = 0.3
) -> Any:
    """What a classifier of the plane answers everywhere, and the points it learned from.

    The model gives one column (a class where it is positive) or one for each class. ValueError if the points are not
    of shape (N, 2).
    """
    spots, classes = _array(points), _array(labels).astype(int).ravel()
    if spots.ndim != 2 or spots.shape[1] != 2:
        raise ValueError(f"decision_boundary: expected points of shape (N, 2), got {spots.shape}")
    low, high = spots.min(0) - margin, spots.max(0) + margin
    xs, ys = np.meshgrid(np.linspace(low[0], high[0], steps), np.linspace(low[1], high[1], steps))
    with no_grad():
        answers = model(from_numpy(np.stack([xs.ravel(), ys.ravel()], 1).astype(spots.dtype))).detach().numpy()
    chosen = answers.argmax(1) if answers.ndim == 2 and answers.shape[1] > 1 else (answers.ravel() > 0).astype(int)
    axes = _axes(axes)
    from matplotlib.colors import ListedColormap

    count = int(max(classes.max(), chosen.max())) + 1
    colors = [COLORS[k % len(COLORS)] for k in range(count)]
    axes.contourf(xs, ys, chosen.reshape(xs.shape), levels=np.arange(count + 1) - 0.5, alpha=0.35, cmap=ListedColormap(colors))
    for k, color in enumerate(colors):
        at = spots[classes == k]
        axes.scatter(at[:, 0], at[:, 1], s=18, marker="os^Dv*P"[k % 7], color=color, edgecolors="white", label=str(k))
    axes.legend()
    return axes


def _array(values: Any) -> Any:
    return values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _axes(axes: Any) -> Any:
    return axes if axes is not None else _pyplot().subplots(layout="constrained")[1]


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError('viz.plots needs matplotlib: pip install "tinygrad-nn[examples]"') from None
    return pyplot


def save(picture: Any, path: Any) -> None:
    """Write the figure of some axes, or a figure, to a file, and close it."""
    figure = picture if hasattr(picture, "savefig") else picture.figure
    figure.savefig(path, dpi=120)
    _pyplot().close(figure)


__all__ = [
    "UpdateRatios", "activation_histograms", "decision_boundary", "first_layer", "gradient_histograms", "learning_curves", "save",
]  # fmt: skip
