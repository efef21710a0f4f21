"""L-BFGS: steps in Newton's direction, from an inverse Hessian that the last gradients tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_nn.autograd import enable_grad
from tinygrad_nn.optim.line_search import strong_wolfe
from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import check_options
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class LBFGS(Optimizer):
    """p -= t H g: H, the inverse Hessian, is what the last `history_size` pairs of step and change of gradient make likely.

    One `step` is up to `max_iter` such updates, and calls the closure for each; `line_search_fn="strong_wolfe"` looks for t by
    Wolfe's conditions, else t is `lr` (Liu and Nocedal 1989).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([3.0]).requires_grad_()
    >>> optimizer = LBFGS([p])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((p - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    4.0
    >>> p
    tensor([1.], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_options(lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters; `closure` clears the gradients, computes the loss, goes back through it and returns it."""
        if closure is None:
            raise TypeError("LBFGS.step: expected a closure that computes the loss, got None")
        (group,) = self.param_groups
        most_evaluations, tolerance = group["max_eval"], group["tolerance_change"]
        search = group["line_search_fn"]
        if search not in {None, "strong_wolfe"}:
            raise RuntimeError(f"only 'strong_wolfe' is supported, got {search!r}")
        lr = float(group["lr"])
        state = self.state[group["params"][0]]  # PyTorch keeps the common state with the first parameter
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first_loss = closure()
        loss, g = float(first_loss), self._gradient_()
        evaluations = 1
        state["func_evals"] += 1
        if np.abs(g).max() <= group["tolerance_grad"]:
            return first_loss
        memory = Memory(state, group["history_size"])
        direction, t = state["d"]._data if "d" in state else g, number(state.get("t", 0))
        previous_loss = loss
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = -g
                t = min(1.0, 1.0 / np.abs(g).sum()) * lr
            else:
                memory.add(g - memory.gradient, direction * t)
                direction = memory.newton(g)
                t = lr
            memory.gradient, previous_loss = g, loss
            slope = g.dot(direction)
            if slope > -tolerance:
                break
            used = 0
            if search is not None:
                start = [p._data.copy() for p in group["params"]]
                at = partial(self._evaluate_, closure, start, direction)
                loss, g, t, used = strong_wolfe(at, t, direction, loss, g, slope, most_evaluations - evaluations)
                self._move_(t, direction)
            else:
                self._move_(t, direction)
                if iteration < group["max_iter"]:  # after the last update the loss is of no use here
                    with enable_grad():
                        loss = float(closure())
                    g, used = self._gradient_(), 1
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= most_evaluations
                or np.abs(g).max() <= group["tolerance_grad"]
                or np.abs(direction * t).max() <= tolerance
                or abs(loss - previous_loss) < tolerance
            ):
                break
        state.update(d=wrap(direction), t=t if type(t) is float else wrap(np.asarray(t)))
        memory.keep(state)
        state["prev_loss"] = previous_loss
        return first_loss

    def _gradient_(self) -> Any:
        """All gradients in one row; zeros for a parameter that has none."""
        parameters = self.param_groups[0]["params"]
        return np.concatenate([(np.zeros_like(p._data) if p._grad is None else p._grad._data).reshape(-1) for p in parameters])

    def _move_(self, t: Any, direction: Any) -> None:
        """Add t times the direction to the parameters."""
        offset = 0
        for p in self.param_groups[0]["params"]:
            part = direction[offset : offset + p._data.size].reshape(p._data.shape)
            np.add(p._data, t * part, out=p._data)
            p._touch("LBFGS")
            offset += p._data.size

    def _evaluate_(self, closure: Callable[[], Any], start: list[Any], direction: Any, t: Any) -> tuple[float, Any]:
        """The loss and gradient t along the direction; the parameters are as before afterwards."""
        self._move_(t, direction)
        with enable_grad():
            loss = float(closure())
        for p, values in zip(self.param_groups[0]["params"], start, strict=True):
            p._data[...] = values
            p._touch("LBFGS")
        return loss, self._gradient_()


class Memory:
    """The last changes of the gradient, y, and the steps they belong to, s; knows the inverse Hessian they make likely."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state, self.size = state, size
        self.changes = [y._data for y in state.get("old_dirs", ())]
        self.steps = [s._data for s in state.get("old_stps", ())]
        self.inverses = [number(r) for r in state.get("ro", ())]
        self.scale = number(state.get("H_diag", 1))
        self.gradient: Any = state["prev_flat_grad"]._data if "prev_flat_grad" in state else None

    def add(self, y: Any, s: Any) -> None:
        """Remember one more pair, if the curvature along it is positive."""
        curvature = y.dot(s)
        if curvature <= 1e-10:
            return
        if len(self.changes) == self.size:
            for kept in (self.changes, self.steps, self.inverses):
                del kept[0]
        self.changes.append(y)
        self.steps.append(s)
        self.inverses.append(1.0 / curvature)
        self.scale = curvature / y.dot(y)

    def newton(self, g: Any) -> Any:
        """-H g by the two loops over the pairs: newest to oldest, and back (Nocedal 1980)."""
        pairs = list(zip(self.changes, self.steps, self.inverses, strict=True))
        direction = -g
        weights = []
        for y, s, inverse in reversed(pairs):
            weights.append(s.dot(direction) * inverse)
            direction = direction - weights[-1] * y
        self._show(weights)
        direction = direction * self.scale
        for (y, s, inverse), weight in zip(pairs, reversed(weights), strict=True):
            direction = direction + (weight - y.dot(direction) * inverse) * s
        return direction

    def _show(self, weights: list[Any]) -> None:
        """Leave the weights, newest first, in the state, oldest first, as PyTorch does; no step reads them there."""
        shown = self.state.setdefault("al", [None] * self.size)
        shown[: len(weights)] = [wrap(np.asarray(weight)) for weight in reversed(weights)]

    def keep(self, state: dict[str, Any]) -> None:
        """Write all of it into the state, under PyTorch's names."""
        state["old_dirs"] = [wrap(y) for y in self.changes]
        state["old_stps"] = [wrap(s) for s in self.steps]
        state["ro"] = [wrap(np.asarray(r)) for r in self.inverses]
        state["H_diag"] = wrap(np.asarray(self.scale)) if self.changes else 1
        state["prev_flat_grad"] = wrap(self.gradient)


def number(value: Any) -> Any:
    """A number of the state as it computes: a 0-d tensor as a NumPy scalar of its dtype."""
    return value._data[()] if isinstance(value, Tensor) else value
