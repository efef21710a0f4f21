"""watch: looks over the shoulder of a training loop; every step a little, a few steps closely; undone at the end."""

from __future__ import annotations

import functools
import warnings
import weakref
import zlib
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from types import TracebackType
from typing import Any, TypeVar, cast

import numpy as np

from tinygrad_nn.doctor import failures
from tinygrad_nn.doctor import graph_reading as reading
from tinygrad_nn.doctor.checks import AT_BACKWARD, AT_END, AT_START, OF_ONE_LOSS
from tinygrad_nn.doctor.findings import DoctorError, Report
from tinygrad_nn.doctor.seen import LOSSES, LossCall, Seen, Snapshot
from tinygrad_nn.graph import MODE, clock, node_of, reachable
from tinygrad_nn.nn import Module, functional
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.utils.data import DataLoader

FIRST = 32  # steps whose labels and rows are kept
SILENT = frozenset({
    "loss-broadcast", "softmax-over-batch", "softmax-before-cross-entropy", "sigmoid-before-cross-entropy",
    "softmax-before-bce-with-logits", "sigmoid-twice", "bce-on-raw-scores", "nll-on-raw-scores", "forgot-backward",
    "forgot-zero-grad", "gradients-erased", "detached", "twice-in-optimizer", "not-in-optimizer", "optimizer-of-another-model",
    "float64", "wrong-sign",
})  # fmt: skip


def looked_at(step: int) -> bool:
    """Whether a step is looked at closely: the first ones, then fewer and fewer."""
    return step in (0, 1, 2, 3, 7, 15, 30, 60) or (step % 100 == 0 and step < 1000) or step % 500 == 0


F = TypeVar("F", bound=Callable[..., None])


def harmless(look: F) -> F:
    """A look at the training whose own errors are warnings: the training goes on as if nobody looked."""

    @functools.wraps(look)
    def careful(*args: Any) -> None:
        try:
            look(*args)
        except DoctorError:
            raise
        except Exception as error:
            warnings.warn(f"doctor: {look.__name__} failed with {type(error).__name__}: {error}", stacklevel=3)

    return cast(F, careful)


class watch:
    """Watch a training loop: `with doctor.watch(model, optimizer) as report:` around it, then look at the report.

    With `strict`, mistakes that PyTorch lets pass in silence are errors where they happen.

    >>> import tinygrad_nn as torch
    >>> from tinygrad_nn import nn
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with watch(model, optimizer) as report:
    ...     for _ in range(5):
    ...         loss = nn.CrossEntropyLoss()(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    >>> report.codes[0]
    'softmax-before-cross-entropy'
    """

    def __init__(self, model: Module, optimizer: Any = None, *, strict: bool = False) -> None:
        parameters = dict(model.named_parameters())
        self.model, self.optimizer = model, optimizer
        self.report = Report(SILENT if strict else frozenset())
        self.seen = Seen(model, optimizer, {id(p): name for name, p in parameters.items()}, parameters)
        self.parameters = parameters
        self.by_mode = [m for m in model.modules() if type(m).__name__.startswith(("Dropout", "BatchNorm", "AlphaDropout"))]
        self.undo: list[Callable[[], Any]] = []
        self.inner: list[Any] = []  # the handles of the submodules' hooks, there while a step is looked at
        self.outer: list[Any] = []  # that of the model's own, there as long
        self.inputs: tuple[Any, ...] = ()
        self.call: LossCall | None = None  # the last loss
        self.close: Snapshot | None = None  # the step under way, if it is looked at
        self.calls: list[reading.Call] = []
        self.before: dict[str, Any] = {}  # the weights before the step
        self.kept: list[tuple[int, Any]] = []  # weak references to the graphs of some steps
        self.last_step = 0  # the serial of the last step
        self.pending = 0  # backwards since the last step
        self.paused = self.ill = False
        self.fresh = 0  # calls of losses since the last backward
        self.flowed = 0.0  # the largest gradient that the last backward looked at left
        self.missed = False  # whether a backward reached none of the parameters
        self.suspected: dict[str, tuple[str, str, str]] = {}  # where, evidence, severity by code, until a step is taken
        held = {id(p) for group in (optimizer.param_groups if optimizer is not None else ()) for p in group["params"]}
        self.stepped = {name: p for name, p in parameters.items() if id(p) in held}

    # on and off

    def __enter__(self) -> Report:
        """Put the hooks in place."""
        for check in AT_START:
            harmless(check)(self.seen, self.report)
        self.undo += [self.model.register_forward_pre_hook(self._on_forward).remove]
        if self.optimizer is not None:
            self.undo += [self.optimizer.register_step_pre_hook(self._on_step).remove]
            self.undo += [self.optimizer.register_step_post_hook(self._after_step).remove]
        for name in LOSSES:
            self._replace(functional, name, self._loss(name, getattr(functional, name)))
        self._replace(Tensor, "backward", self._backward(Tensor.backward))
        self._replace(DataLoader, "__iter__", self._passing(DataLoader.__iter__))
        self._begin_step()
        return self.report

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        """Set an attribute until the end."""
        if name in vars(owner):
            self.undo.append(functools.partial(setattr, owner, name, vars(owner)[name]))
        else:
            self.undo.append(functools.partial(delattr, owner, name))
        setattr(owner, name, new)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take everything away again, and read what was seen."""
        self._end_step()
        for undo in reversed(self.undo):
            undo()
        self.undo = []
        self.report.steps = self.seen.steps
        if isinstance(error, Exception):
            self.call = failures.call_of(trace) or self.call
            harmless(failures.explain)(self, error)
        for check in map(harmless, (*AT_END, *(() if self.seen.several else OF_ONE_LOSS))):
            if error is None:
                check(self.seen, self.report)
            else:
                failures.quietly(check, self.seen, self.report)

    # forward

    @harmless
    def _on_forward(self, module: Module, inputs: tuple[Any, ...]) -> None:
        if self.paused:
            return
        if not MODE.get().grad:
            self._on_evaluation(inputs)
            return
        self.inputs = inputs
        if self.close is not None:
            self._open(module, "model")

    def _open(self, module: Module, path: str) -> None:
        """Note where the nodes of this call begin; the submodules do the same from now on."""
        start = next(clock)
        self.calls.append(reading.Call(start, -1, path))
        for name, inner in module.named_modules():
            if name:
                inner_path = f"model.{name} ({type(inner).__name__})"
                self.inner.append(inner.register_forward_pre_hook(functools.partial(self._on_inner, inner_path)))
                self.inner.append(inner.register_forward_hook(functools.partial(self._after_inner, inner_path), prepend=True))

    def _on_inner(self, path: str, *_: Any) -> None:
        self.calls.append(reading.Call(next(clock), -1, path))

    def _after_inner(self, path: str, *_: Any) -> None:
        for i in reversed(range(len(self.calls))):
            if self.calls[i].path == path and self.calls[i].end == -1:
                self.calls[i] = self.calls[i]._replace(end=next(clock))
                return

    @harmless
    def _on_output(self, module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        if self.close is None or self.paused or not MODE.get().grad:
            return
        for handle in self.inner:
            handle.remove()
        self.inner = []
        self._after_inner("model")
        if not self.close.inputs:
            self.close.inputs = [x.detach().numpy() for x in inputs if isinstance(x, Tensor)]

    def _on_evaluation(self, inputs: tuple[Any, ...]) -> None:
        if any(module.training for module in self.by_mode):
            self.report.add(
                "evaluating-in-training-mode", "model", f"{type(self.by_mode[0]).__name__} is in training mode under no_grad"
            )
        if len(self.seen.validation_rows) < 4096:
            self.seen.validation_rows.update(_checksums(inputs, 512))

    # data

    def _passing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(loader: Any) -> Any:
            with suppress(TypeError):  # how much a stream of data has is not known
                self.seen.begun += MODE.get().grad and len(loader) > 1
            return function(loader)

        return watched

    # loss and backward

    def _loss(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(input: Any, target: Any, *args: Any, **options: Any) -> Any:
            if self.paused or not (isinstance(input, Tensor) and isinstance(target, Tensor)):
                return function(input, target, *args, **options)
            call = self.call = LossCall(kind, input, target, options)
            self.fresh += 1
            self.seen.weighted |= any(isinstance(given, Tensor) for given in (*args, *options.values()))
            if self.close is not None:
                call.where = self.seen.where = reading.user_line()
                if MODE.get().grad:
                    self.close.calls.append(call)
            self.paused = True  # a loss may be made of others
            try:
                result = function(input, target, *args, **options)
            finally:
                self.paused = False
            call.result = weakref.ref(result)
            if self.close is not None and result._data.size == 1:
                call.value = float(result._data)
            if not MODE.get().grad and result._data.size == 1 and len(self.seen.validation) < 100_000:
                self.seen.validation.append((self.seen.backwards, float(result._data)))
            return result

        return watched

    def _backward(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(tensor: Any, *args: Any, **options: Any) -> Any:
            if self.paused:
                return function(tensor, *args, **options)
            self._before_backward(tensor)
            function(tensor, *args, **options)
            self._after_backward()

        return watched

    @harmless
    def _before_backward(self, loss: Any) -> None:
        seen, call = self.seen, self._call_of(loss)
        value = float(loss._data) if loss._data.size == 1 else float("nan")
        seen.losses.append(value)
        if self.by_mode and not seen.backwards and not any(module.training for module in self.by_mode):
            self.report.add(
                "training-in-eval-mode", "model", f"{type(self.by_mode[0]).__name__} is in evaluation mode in a backward"
            )
        if call is not None and call.target is not None and seen.backwards < FIRST:
            seen.kind, output = call.kind, call.output
            seen.classes = int(output.shape[1 if output.ndim > 1 else 0]) if output.ndim else 0
            seen.labels.append(np.array(call.target.detach().numpy()))
            seen.rows.append(tuple(_checksums(self.inputs, 64)))
        elif call is not None and call.target is not None and self.close is not None:
            seen.later_labels.append(np.array(call.target.detach().numpy()))
        if self.close is not None and loss.requires_grad:
            self._look(loss, value)
        if not isfinite(value) and loss._data.size == 1 and not self.ill:
            self.ill = True
            failures.first_not_finite(self, loss)

    def _call_of(self, loss: Any) -> LossCall | None:
        """The call that gave the loss, if it is known: that of one function, not the sum of several."""
        call, several, self.fresh = self.call, self.fresh > 1, 0
        if call is None and loss.requires_grad and (self.close is not None or self.seen.backwards < FIRST):
            return next(iter(reading.losses([loss.grad_fn], 0)), None)  # a loss that was named before the watch began
        return None if call is not None and several and call.result() is not loss else call

    def _look(self, loss: Any, value: float) -> None:
        """Read the graph of the loss."""
        assert self.close is not None
        nodes, snapshot = reachable([loss.edge]), self.close
        snapshot.loss = value
        end = max((call.end for call in self.calls), default=0)
        if not snapshot.calls:
            snapshot.calls = reading.losses(nodes, end)
            for call in snapshot.calls:
                call.where = reading.user_line()
        where = snapshot.calls[-1].where if snapshot.calls else reading.user_line()
        self.seen.where = self.seen.where or where
        step = reading.Step(snapshot, nodes, self.calls, end, where, loss._data.dtype)
        last = {reading.behind(call.output.edge)[0] for call in snapshot.calls if call.output.requires_grad}
        snapshot.activations += reading.activations(nodes, self.calls, last)
        for check in AT_BACKWARD:
            check(self.seen, step, self.report)
        old = [node for node in nodes if node.serial < self.last_step]
        if self.pending and self.flowed and not self._largest_gradient():  # what was said was of another's loss
            self.seen.several, self.suspected = self.seen.steps > 0, {}
        if old:
            told = f"{len(old)} of {len(nodes)} nodes of the graph are from before the last step"
            self.suspected["graph-kept"] = where, told, "error"
        if not self.pending and self.seen.steps:
            stale = [name for name, p in self.stepped.items() if p._grad is not None and p._grad._data.any()]
            if stale:
                told = f"{len(stale)} parameters still have the gradient of the last step"
                self.suspected["forgot-zero-grad"] = where, told, "error"
        leaves = {id(leaf) for node in nodes for leaf in map(node_of, node.edges)}
        self.missed |= leaves.isdisjoint(map(id, self.parameters.values()))
        if nodes and len(self.kept) < 4:
            self.kept.append((self.seen.steps, weakref.ref(nodes[-1])))

    @harmless
    def _after_backward(self) -> None:
        self.seen.backwards += 1
        self.pending += 1
        if self.close is not None:
            self.seen.with_gradient.update(name for name, p in self.parameters.items() if p._grad is not None)
            self.seen.several |= self.missed and bool(self.seen.with_gradient)
            self.flowed = self._largest_gradient()
            if self.optimizer is None:
                self._read_gradients()
                self._end_step()
                self._begin_step()
        elif self.optimizer is None and looked_at(self.seen.backwards):
            self._begin_step()

    # step

    @harmless
    def _on_step(self, optimizer: Any, args: tuple[Any, ...], options: Any) -> None:
        if options.get("closure") or any(callable(given) for given in args):  # a closure does the backward within the step
            return
        if not self.pending:
            self.report.add("forgot-backward", f"step at {reading.user_line()}", f"no backward since step {self.seen.steps}")
        if self.close is None:
            return
        self._confirm()
        self._read_gradients()
        left = self._largest_gradient()
        self.close.left = left / self.flowed if self.flowed else 1.0
        if self.pending and self.flowed and not left:
            self.report.add(
                "gradients-erased", f"step at {reading.user_line()}", "there was a backward, and no parameter has a gradient now"
            )
        self.before = {name: p._data.copy() for name, p in self.parameters.items() if p._data.ndim > 1}

    def _confirm(self) -> None:
        """Report what was suspected at a backward whose gradients a step now uses."""
        for code, (where, evidence, severity) in self.suspected.items():
            self.report.add(code, where, evidence, severity)
        self.suspected = {}

    def _largest_gradient(self) -> float:
        """The largest root mean square of a gradient."""
        return max((_size(p._grad._data) for p in self.parameters.values() if p._grad is not None), default=0.0)

    def _read_gradients(self) -> None:
        assert self.close is not None
        for name, p in self.parameters.items():
            if p._grad is not None and p._data.size:
                self.close.gradients[name] = _size(p._grad._data)
                self.close.weights[name] = _size(p._data)

    @harmless
    def _after_step(self, optimizer: Any, args: Any, options: Any) -> None:
        seen = self.seen
        seen.steps += 1
        self.pending, self.last_step = 0, next(clock)
        rate = float(optimizer.param_groups[0].get("lr", 0.0))
        seen.highest_rate = max(seen.highest_rate, rate)
        seen.starved += rate < 1e-3 * seen.highest_rate
        if self.close is not None:
            self._confirm()  # of a step with a closure
            for name, before in self.before.items():
                size = _size(before)
                if size > 0:
                    self.close.updates[name] = _size(self.parameters[name]._data - before) / size
            self._end_step()
        if looked_at(seen.steps):
            self._begin_step()
        if seen.steps == 8:
            alive = sum(node() is not None for step, node in self.kept if step < 6)
            if alive > 1:
                self.report.add(
                    "graph-kept", seen.where or "the training loop", f"the graphs of {alive} earlier steps are still held"
                )

    def _begin_step(self) -> None:
        self._remove_hooks()
        self.close, self.calls, self.before = Snapshot(self.seen.steps), [], {}
        self.outer = [self.model.register_forward_hook(self._on_output, prepend=True)]

    def _remove_hooks(self) -> None:
        for handle in (*self.inner, *self.outer):
            handle.remove()
        self.inner, self.outer = [], []

    def _end_step(self) -> None:
        self._remove_hooks()
        if self.close is not None:
            self.close.inputs, self.close.calls = [], []  # large, and read by now
            self.seen.snapshots.append(self.close)
        self.close, self.before = None, {}


def _size(values: Any) -> float:
    """The root mean square."""
    flat = values.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.dot(flat, flat) / max(flat.size, 1)))


def _checksums(inputs: tuple[Any, ...], most: int) -> list[int]:
    """A checksum of each row of the first input, where rows are long enough to be told apart."""
    x = inputs[0]._data if inputs and isinstance(inputs[0], Tensor) else None
    if x is None or x.ndim < 2 or x.dtype.kind != "f" or x[0].size < 4:
        return []
    return [zlib.crc32(row.tobytes()) for row in x[:most]]
