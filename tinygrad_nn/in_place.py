"""Methods as functions: `torch.exp_(x)` is `x.exp_()`, and `torch.detach(x)` is `x.detach()`."""

from typing import Any

from tinygrad_nn.tensor import Tensor

__all__ = [
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_", "as_strided_",
    "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "cos_", "cosh_", "deg2rad_",
    "detach", "detach_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill", "fill_", "fix_", "floor_", "frac_", "gcd_", "i0_",
    "index_put_", "lcm_", "ldexp_", "log1p_", "log2_", "log10_", "log_", "logit_", "nan_to_num_", "neg_", "negative_",
    "rad2deg_", "reciprocal_", "relu_", "resize_as_", "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_",
    "square_", "tan_", "tanh_", "trunc_", "xlogy_", "zero_",
]  # fmt: skip

abs_, neg_, negative_, exp_, exp2_ = Tensor.abs_, Tensor.neg_, Tensor.negative_, Tensor.exp_, Tensor.exp2_
expm1_, log_, log2_, log10_, log1p_ = Tensor.expm1_, Tensor.log_, Tensor.log2_, Tensor.log10_, Tensor.log1p_
sqrt_, rsqrt_, square_, reciprocal_, sin_ = Tensor.sqrt_, Tensor.rsqrt_, Tensor.square_, Tensor.reciprocal_, Tensor.sin_
cos_, tan_, sinh_, cosh_, tanh_ = Tensor.cos_, Tensor.tan_, Tensor.sinh_, Tensor.cosh_, Tensor.tanh_
asin_, acos_, atan_, arcsin_, arccos_ = Tensor.asin_, Tensor.acos_, Tensor.atan_, Tensor.arcsin_, Tensor.arccos_
arctan_, asinh_, acosh_, atanh_, arcsinh_ = Tensor.arctan_, Tensor.asinh_, Tensor.acosh_, Tensor.atanh_, Tensor.arcsinh_
arccosh_, arctanh_, sinc_, deg2rad_, rad2deg_ = Tensor.arccosh_, Tensor.arctanh_, Tensor.sinc_, Tensor.deg2rad_, Tensor.rad2deg_
floor_, ceil_, round_, trunc_, fix_ = Tensor.floor_, Tensor.ceil_, Tensor.round_, Tensor.trunc_, Tensor.fix_
frac_, clamp_, clip_, clamp_min_, clamp_max_ = Tensor.frac_, Tensor.clamp_, Tensor.clip_, Tensor.clamp_min_, Tensor.clamp_max_
nan_to_num_, xlogy_, logit_, erf_, erfc_ = Tensor.nan_to_num_, Tensor.xlogy_, Tensor.logit_, Tensor.erf_, Tensor.erfc_
ldexp_, gcd_, lcm_, relu_, sigmoid_ = Tensor.ldexp_, Tensor.gcd_, Tensor.lcm_, Tensor.relu_, Tensor.sigmoid_
i0_ = Tensor.i0_
index_put_, addmv_, as_strided_ = Tensor.index_put_, Tensor.addmv_, Tensor.as_strided_


def detach(input: Tensor) -> Tensor:
    """`Tensor.detach` as a function."""
    return input.detach()


def detach_(input: Tensor) -> Tensor:
    """`Tensor.detach_` as a function."""
    return input.detach_()


def fill(input: Tensor, value: Any) -> Tensor:
    """A copy with one value, a number or a 0-d tensor, throughout."""
    return input.clone().fill_(value)


def fill_(input: Tensor, value: Any) -> Tensor:
    """`Tensor.fill_` as a function."""
    return input.fill_(value)


def zero_(input: Tensor) -> Tensor:
    """`Tensor.zero_` as a function."""
    return input.zero_()


def resize_as_(input: Tensor, the_template: Tensor) -> Tensor:
    """`Tensor.resize_as_` as a function."""
    return input.resize_as_(the_template)
