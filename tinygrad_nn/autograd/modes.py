"""Whether operations are recorded and checked, per thread and async task; each is a context manager and decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import Token
from typing import Any, Self

from tinygrad_nn.graph import MODE, Mode


class _ModeChange:
    """Changes the mode within a `with` block, or while a decorated function runs."""

    changes: dict[str, Any]

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> Self:
        self._tokens.append(MODE.set(MODE.get().changed(**self.changes)))
        return self

    def __exit__(self, *_: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, running in this mode."""
        if inspect.isgeneratorfunction(function):
            return self._each_step(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **options: Any) -> Any:
            with self._again():
                return function(*args, **options)

        return wrapped

    def _each_step(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The generator function, each of whose steps runs in this mode, and what comes between them does not."""

        @functools.wraps(function)
        def stepping(*args: Any, **options: Any) -> Any:
            steps = function(*args, **options)
            step = functools.partial(next, steps)
            while True:
                try:
                    with self._again():
                        value = step()
                except StopIteration as end:
                    return end.value
                try:
                    step = functools.partial(steps.send, (yield value))
                except GeneratorExit:
                    with self._again():
                        steps.close()
                    raise
                except BaseException as error:
                    step = functools.partial(steps.throw, error)

        return stepping

    def _again(self) -> _ModeChange:
        return _ModeChange(**self.changes)


class no_grad(_ModeChange):
    """Nothing is recorded: results do not require grad.

    >>> from tinygrad_nn.tensor import Tensor
    >>> x = Tensor([1.0]).requires_grad_()
    >>> with no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(grad=False)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """The context manager, or, given a function, that function decorated."""
        return super().__new__(cls) if function is None else cls()(function)


class enable_grad(_ModeChange):
    """Operations are recorded, inside a `no_grad` too."""

    def __init__(self, orig_func: Callable[..., Any] | None = None) -> None:
        super().__init__(grad=True)

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        """The context manager, or, given a function, that function decorated."""
        return super().__new__(cls) if orig_func is None else cls()(orig_func)


class inference_mode(_ModeChange):
    """Nothing is recorded, as in `no_grad`; `inference_mode(False)` records again."""

    def __init__(self, mode: bool | Callable[..., Any] = True) -> None:
        super().__init__(grad=not mode, inference=bool(mode))

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        """The context manager, or, given a function, that function decorated."""
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)


class set_grad_enabled(_ModeChange):
    """Recording switched on or off: at once when called as a function, until the end of a `with` block in one."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        self.mode = mode
        self._tokens.append(MODE.set(MODE.get().changed(grad=bool(mode))))

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    def __enter__(self) -> Self:
        return self

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, decorated; what was switched at once is switched back."""
        MODE.reset(self._tokens.pop())
        return super().__call__(function)


class detect_anomaly(_ModeChange):
    """The first non-finite value, in forward or in backward, is a RuntimeError that names its op, shapes and line."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(anomaly=bool(check_nan))


class set_detect_anomaly(set_grad_enabled):
    """Anomaly detection switched on or off, at once or for a `with` block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        _ModeChange.__init__(self, anomaly=bool(mode and check_nan))
        self._tokens.append(MODE.set(MODE.get().changed(**self.changes)))

    __repr__ = object.__repr__


class set_multithreading_enabled(_ModeChange):
    """Nothing changes: the walk back takes one thread anyway."""

    def __init__(self, mode: bool) -> None:
        super().__init__()


def is_grad_enabled() -> bool:
    """Whether operations are recorded."""
    return MODE.get().grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on."""
    return MODE.get().inference


def is_anomaly_check_nan_enabled() -> bool:
    """True: anomaly detection always looks for NaN, and for infinities."""
    return True


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return MODE.get().anomaly
