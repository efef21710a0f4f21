"""Mixed precision in PyTorch's spelling: autocast changes nothing, tensors keep their dtype; GradScaler scales on the CPU."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_nn.tensor import Tensor


class autocast:
    """A context, or decorator, in which every operation computes in its tensors' own dtype, as outside it."""

    def __init__(
        self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device, self.fast_dtype = device_type, dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was changed."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, run inside the context."""

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with self:
                return function(*args, **options)

        return call


class GradScaler:
    """Scales losses, so that small gradients do not vanish in half precision, and leaves out steps with infinite ones.

    After each such step the scale shrinks by `backoff_factor`; it grows by `growth_factor` after `growth_interval` steps
    without (Micikevicius et al., Mixed Precision Training, 2018, section 3.2). For a device other than the CPU it is
    switched off, and everything is as without it.

    >>> from tinygrad_nn import nn, optim
    >>> weight = nn.Parameter(Tensor([1.0]))
    >>> update, scaler = optim.SGD([weight], lr=0.1), GradScaler("cpu")
    >>> scaler.scale((weight * float("inf")).sum()).backward()
    >>> scaler.step(update)
    >>> scaler.update()
    >>> weight.item(), scaler.get_scale()
    (1.0, 32768.0)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if growth_factor <= 1.0:
            raise AssertionError(f"GradScaler: the growth factor must be > 1.0, got {growth_factor}")
        if backoff_factor >= 1.0:
            raise AssertionError(f"GradScaler: the backoff factor must be < 1.0, got {backoff_factor}")
        if enabled and device != "cpu":
            message = f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is not available.  Disabling."
            warnings.warn(message, stacklevel=2)
        self._device, self._enabled = device, enabled and device == "cpu"
        self._scale, self._growth_factor, self._backoff_factor = float(init_scale), growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._finite: dict[int, bool] = {}  # whether all gradients are, of each optimizer unscaled since the last update
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """A tensor, or all tensors in a list or tuple, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if not isinstance(outputs, Iterable):
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")
        scaled = map(self.scale, outputs)
        return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the optimizer's parameters by the scale, say to clip them; RuntimeError for the second time."""
        if not self._enabled:
            return
        if id(optimizer) in self._finite:
            again = "after step()" if id(optimizer) in self._stepped else "on this optimizer since the last update()"
            raise RuntimeError(f"unscale_() is being called {again}.")
        gradients = [p._grad for group in optimizer.param_groups for p in group["params"] if p._grad is not None]
        if not gradients:
            raise AssertionError("No inf checks were recorded for this optimizer: none of its parameters has a gradient.")
        if any(gradient.element_size() < 4 for gradient in gradients):
            raise ValueError("Attempting to unscale FP16 gradients.")
        for gradient in gradients:
            gradient.mul_(1 / self._scale)
        self._finite[id(optimizer)] = all(bool(gradient.isfinite().all()) for gradient in gradients)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step, if all gradients, unscaled now if they are not, are finite; RuntimeError for the second time."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._finite:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return optimizer.step(*args, **kwargs) if self._finite[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """Adapt the scale to what the steps since the last update have found, or set it to `new_scale`."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._finite:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif not all(self._finite.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._finite, self._stepped = {}, set()

    def get_scale(self) -> float:
        """The scale; 1 where it is switched off."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after `growth_interval` good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied by after `growth_interval` good steps."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after a step that was left out."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the scale is multiplied by after a step that was left out."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many good steps in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many good steps in a row the scale grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it is switched on."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What goes on from one run to the next; nothing where it is switched off."""
        if not self._enabled:
            return {}
        names = ("growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")
        return {"scale": self._scale} | {name: getattr(self, "_" + name.lstrip("_")) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`; RuntimeError for an empty one, which came from a scaler that was switched off."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from a disabled GradScaler.")
        for name, value in state_dict.items():
            setattr(self, "_" + name.lstrip("_"), value)


def custom_fwd(fwd: Any = None, *, device_type: str = "cpu", cast_inputs: Any = None) -> Any:
    """Decorate the forward of an autograd.Function for autocast, which changes nothing here."""
    return functools.partial(custom_fwd, device_type=device_type) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cpu") -> Any:
    """Decorate the backward of an autograd.Function for autocast, which changes nothing here."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


def is_autocast_available(device_type: str) -> bool:
    """False."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False."""
    return False
