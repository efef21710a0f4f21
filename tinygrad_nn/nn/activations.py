"""Activations as modules."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_nn.creation import empty
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.nn import functional, init
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor


class _Activation(Module):
    """A module that shows its options in brackets; writing in place is shown only where it is done."""

    _options_: tuple[str, ...] = ()
    inplace = False

    def extra_repr(self) -> str:
        """The options."""
        shown = [f"{name}={getattr(self, name)!r}" for name in self._options_]
        return ", ".join([*shown, "inplace=True"] if self.inplace else shown)


class Threshold(_Activation):
    """x where it is above `threshold`, `value` elsewhere."""

    _options_ = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Each element where it is above the threshold."""
        return functional.threshold(input, self.threshold, self.value, self.inplace)


class ReLU(_Activation):
    """max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """max(x, 0) of each element."""
        return input.relu_() if self.inplace else input.relu()


class RReLU(_Activation):
    """x where it is positive; elsewhere times a slope drawn from [lower, upper), or their mean when not training."""

    _options_ = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The randomly leaky ReLU of each element."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Hardtanh(_Activation):
    """x held between `min_val` and `max_val`; ValueError if they are not in this order."""

    _options_: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for name, value in (("min", min_value), ("max", max_value)):
            if value is not None:
                warnings.warn(f"keyword argument `{name}_value` is deprecated, use `{name}_val`", FutureWarning, stacklevel=2)
        min_val, max_val = min_val if min_value is None else min_value, max_val if max_value is None else max_value
        if min_val >= max_val:
            raise AssertionError(f"expected max_val larger than min_val, got {max_val} and {min_val}")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Each element within the bounds."""
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """x held between 0 and 6."""

    _options_: tuple[str, ...] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Hardsigmoid(_Activation):
    """A line from 0 at -3 to 1 at 3, level beyond."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The hard sigmoid of each element."""
        return functional.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class Hardswish(_Activation):
    """x times its hard sigmoid."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The hard swish of each element."""
        return functional.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in PyTorch."""
        return ""


class _Shrink(Module):
    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The bound."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x outside [-lambd, lambd], 0 inside."""

    def forward(self, input: Tensor) -> Tensor:
        """Each element where it is large enough."""
        return functional.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved towards 0 by `lambd`."""

    def forward(self, input: Tensor) -> Tensor:
        """Each element shrunk."""
        return functional.softshrink(input, self.lambd)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Each element less its hyperbolic tangent."""
        return functional.tanhshrink(input)


class LeakyReLU(_Activation):
    """x where it is positive, `negative_slope` times x elsewhere."""

    _options_ = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The leaky ReLU of each element."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(_Activation):
    """x where it is positive, a trained slope times x elsewhere: one slope, or one for each channel."""

    _options_ = ("num_parameters",)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to what they were at first."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """The leaky ReLU of each element, with its channel's slope."""
        return functional.prelu(input, self.weight)


class _Exponential(_Activation):
    _options_ = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace


class ELU(_Exponential):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere."""

    def forward(self, input: Tensor) -> Tensor:
        """The ELU of each element."""
        return functional.elu(input, self.alpha, self.inplace)


class CELU(_Exponential):
    """x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere."""

    def forward(self, input: Tensor) -> Tensor:
        """The CELU of each element."""
        return functional.celu(input, self.alpha, self.inplace)


class SELU(_Activation):
    """The ELU scaled so that activations keep mean 0 and variance 1."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The SELU of each element."""
        return functional.selu(input, self.inplace)


class SiLU(_Activation):
    """x * sigmoid(x), also called swish."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The SiLU of each element."""
        return functional.silu(input, self.inplace)


class Mish(_Activation):
    """x * tanh(softplus(x))."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The mish of each element."""
        return functional.mish(input, self.inplace)


class GELU(_Activation):
    """x times the normal distribution's function of x; `approximate` is 'none' or 'tanh'."""

    _options_ = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """The GELU of each element."""
        return functional.gelu(input, approximate=self.approximate)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """The sigmoid of each element."""
        return input.sigmoid()


class LogSigmoid(Module):
    """log(sigmoid(x))."""

    def forward(self, input: Tensor) -> Tensor:
        """The logarithm of the sigmoid of each element."""
        return functional.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """The hyperbolic tangent of each element."""
        return input.tanh()


class Softplus(_Activation):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x is above `threshold`."""

    _options_ = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """The softplus of each element."""
        return functional.softplus(input, self.beta, self.threshold)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """The softsign of each element."""
        return functional.softsign(input)


class GLU(_Activation):
    """The first half along `dim` times the sigmoid of the second."""

    _options_ = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The gated half."""
        return functional.glu(input, self.dim)


class _AlongDim(_Activation):
    """A function along `dim`; None is PyTorch's old choice, with a warning."""

    _options_ = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_AlongDim):
    """exp(x) / sum(exp(x)) along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """The softmax."""
        return functional.softmax(input, self.dim, 5)


class Softmin(_AlongDim):
    """The softmax of -x along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """The softmin."""
        return functional.softmin(input, self.dim, 5)


class LogSoftmax(_AlongDim):
    """The logarithm of softmax along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """The log-softmax."""
        return functional.log_softmax(input, self.dim, 5)


class Softmax2d(Module):
    """The softmax over the channels of (N, C, H, W) or (C, H, W); ValueError for other numbers of dimensions."""

    def forward(self, input: Tensor) -> Tensor:
        """The softmax over the channels at each place."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return functional.softmax(input, -3)
