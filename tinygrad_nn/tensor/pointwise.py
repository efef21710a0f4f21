"""The methods that work element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.methods import activation, compare, pointwise, special
from tinygrad_nn.tensor.in_place import in_place

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Pointwise:
    """The methods that work element by element."""

    __slots__ = ()

    hardshrink, prelu = activation.hardshrink, activation.prelu
    abs = pointwise.abs
    absolute = pointwise.absolute
    acos = pointwise.acos
    acosh = pointwise.acosh
    add = pointwise.add
    addcdiv = pointwise.addcdiv
    addcmul = pointwise.addcmul
    angle = pointwise.angle
    arccos = pointwise.arccos
    arccosh = pointwise.arccosh
    arcsin = pointwise.arcsin
    arcsinh = pointwise.arcsinh
    arctan = pointwise.arctan
    arctan2 = pointwise.arctan2
    arctanh = pointwise.arctanh
    asin = pointwise.asin
    asinh = pointwise.asinh
    atan = pointwise.atan
    atan2 = pointwise.atan2
    atanh = pointwise.atanh
    ceil = pointwise.ceil
    clamp = pointwise.clamp
    clamp_max = pointwise.clamp_max
    clamp_min = pointwise.clamp_min
    clip = pointwise.clip
    conj, conj_physical = pointwise.conj, pointwise.conj_physical
    resolve_conj, resolve_neg = pointwise.resolve_conj, pointwise.resolve_neg
    copysign = pointwise.copysign
    cos = pointwise.cos
    cosh = pointwise.cosh
    deg2rad = pointwise.deg2rad
    div = pointwise.div
    divide = pointwise.divide
    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    fix = pointwise.fix
    float_power = pointwise.float_power
    floor = pointwise.floor
    floor_divide = pointwise.floor_divide
    fmax = pointwise.fmax
    fmin = pointwise.fmin
    fmod = pointwise.fmod
    frac = pointwise.frac
    frexp = pointwise.frexp
    gcd = pointwise.gcd
    heaviside = pointwise.heaviside
    hypot = pointwise.hypot
    lcm = pointwise.lcm
    ldexp = pointwise.ldexp
    lerp = pointwise.lerp
    log = pointwise.log
    log10 = pointwise.log10
    log1p = pointwise.log1p
    log2 = pointwise.log2
    logaddexp = pointwise.logaddexp
    logaddexp2 = pointwise.logaddexp2
    masked_fill = pointwise.masked_fill
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    mul = pointwise.mul
    multiply = pointwise.multiply
    nan_to_num = pointwise.nan_to_num
    neg = pointwise.neg
    negative = pointwise.negative
    nextafter = pointwise.nextafter
    positive = pointwise.positive
    pow = pointwise.pow
    rad2deg = pointwise.rad2deg
    reciprocal = pointwise.reciprocal
    relu = pointwise.relu
    remainder = pointwise.remainder
    round = pointwise.round
    rsqrt = pointwise.rsqrt
    sgn = pointwise.sgn
    sigmoid = pointwise.sigmoid
    sign = pointwise.sign
    sin = pointwise.sin
    sinc = pointwise.sinc
    sinh = pointwise.sinh
    sqrt = pointwise.sqrt
    square = pointwise.square
    sub = pointwise.sub
    subtract = pointwise.subtract
    tan = pointwise.tan
    tanh = pointwise.tanh
    true_divide = pointwise.true_divide
    trunc = pointwise.trunc

    bitwise_and = compare.bitwise_and
    bitwise_left_shift = compare.bitwise_left_shift
    bitwise_not = compare.bitwise_not
    bitwise_or = compare.bitwise_or
    bitwise_right_shift = compare.bitwise_right_shift
    bitwise_xor = compare.bitwise_xor
    eq = compare.eq
    ge = compare.ge
    greater = compare.greater
    greater_equal = compare.greater_equal
    gt = compare.gt
    isclose = compare.isclose
    isfinite = compare.isfinite
    isinf = compare.isinf
    isnan = compare.isnan
    isneginf = compare.isneginf
    isposinf = compare.isposinf
    isreal = compare.isreal
    le = compare.le
    less = compare.less
    less_equal = compare.less_equal
    logical_and = compare.logical_and
    logical_not = compare.logical_not
    logical_or = compare.logical_or
    logical_xor = compare.logical_xor
    lt = compare.lt
    ne = compare.ne
    not_equal = compare.not_equal
    signbit = compare.signbit

    digamma = special.digamma
    erf = special.erf
    erfc = special.erfc
    erfinv = special.erfinv
    i0 = special.i0
    igamma, igammac = special.igamma, special.igammac
    lgamma = special.lgamma
    logit = special.logit
    mvlgamma = special.mvlgamma
    xlogy = special.xlogy

    abs_ = in_place(pointwise.abs)
    absolute_ = in_place(pointwise.absolute)
    acos_ = in_place(pointwise.acos)
    acosh_ = in_place(pointwise.acosh)
    add_ = in_place(pointwise.add)
    addcdiv_ = in_place(pointwise.addcdiv)
    addcmul_ = in_place(pointwise.addcmul)
    arccos_ = in_place(pointwise.arccos)
    arccosh_ = in_place(pointwise.arccosh)
    arcsin_ = in_place(pointwise.arcsin)
    arcsinh_ = in_place(pointwise.arcsinh)
    arctan_ = in_place(pointwise.arctan)
    arctan2_ = in_place(pointwise.arctan2)
    arctanh_ = in_place(pointwise.arctanh)
    asin_ = in_place(pointwise.asin)
    asinh_ = in_place(pointwise.asinh)
    atan_ = in_place(pointwise.atan)
    atan2_ = in_place(pointwise.atan2)
    atanh_ = in_place(pointwise.atanh)
    ceil_ = in_place(pointwise.ceil)
    clamp_ = in_place(pointwise.clamp)
    clamp_max_ = in_place(pointwise.clamp_max)
    clamp_min_ = in_place(pointwise.clamp_min)
    clip_ = in_place(pointwise.clip)
    copysign_ = in_place(pointwise.copysign)
    cos_ = in_place(pointwise.cos)
    cosh_ = in_place(pointwise.cosh)
    deg2rad_ = in_place(pointwise.deg2rad)
    div_ = in_place(pointwise.div)
    divide_ = in_place(pointwise.divide)
    exp_ = in_place(pointwise.exp)
    exp2_ = in_place(pointwise.exp2)
    expm1_ = in_place(pointwise.expm1)
    fix_ = in_place(pointwise.fix)
    floor_ = in_place(pointwise.floor)
    floor_divide_ = in_place(pointwise.floor_divide)
    fmod_ = in_place(pointwise.fmod)
    frac_ = in_place(pointwise.frac)
    gcd_ = in_place(pointwise.gcd)
    heaviside_ = in_place(pointwise.heaviside)
    hypot_ = in_place(pointwise.hypot)
    lcm_ = in_place(pointwise.lcm)
    ldexp_ = in_place(pointwise.ldexp)
    lerp_ = in_place(pointwise.lerp)
    log_ = in_place(pointwise.log)
    log10_ = in_place(pointwise.log10)
    log1p_ = in_place(pointwise.log1p)
    log2_ = in_place(pointwise.log2)
    masked_fill_ = in_place(pointwise.masked_fill)
    mul_ = in_place(pointwise.mul)
    multiply_ = in_place(pointwise.multiply)
    nan_to_num_ = in_place(pointwise.nan_to_num)
    neg_ = in_place(pointwise.neg)
    negative_ = in_place(pointwise.negative)
    nextafter_ = in_place(pointwise.nextafter)
    pow_ = in_place(pointwise.pow)
    rad2deg_ = in_place(pointwise.rad2deg)
    reciprocal_ = in_place(pointwise.reciprocal)
    relu_ = in_place(pointwise.relu)
    remainder_ = in_place(pointwise.remainder)
    round_ = in_place(pointwise.round)
    rsqrt_ = in_place(pointwise.rsqrt)
    sgn_ = in_place(pointwise.sgn)
    sigmoid_ = in_place(pointwise.sigmoid)
    sign_ = in_place(pointwise.sign)
    sin_ = in_place(pointwise.sin)
    sinc_ = in_place(pointwise.sinc)
    sinh_ = in_place(pointwise.sinh)
    sqrt_ = in_place(pointwise.sqrt)
    square_ = in_place(pointwise.square)
    sub_ = in_place(pointwise.sub)
    subtract_ = in_place(pointwise.subtract)
    tan_ = in_place(pointwise.tan)
    tanh_ = in_place(pointwise.tanh)
    true_divide_ = in_place(pointwise.true_divide)
    trunc_ = in_place(pointwise.trunc)

    bitwise_and_ = in_place(compare.bitwise_and)
    bitwise_left_shift_ = in_place(compare.bitwise_left_shift)
    bitwise_not_ = in_place(compare.bitwise_not)
    bitwise_or_ = in_place(compare.bitwise_or)
    bitwise_right_shift_ = in_place(compare.bitwise_right_shift)
    bitwise_xor_ = in_place(compare.bitwise_xor)
    eq_ = in_place(compare.eq)
    ge_ = in_place(compare.ge)
    greater_ = in_place(compare.greater)
    greater_equal_ = in_place(compare.greater_equal)
    gt_ = in_place(compare.gt)
    le_ = in_place(compare.le)
    less_ = in_place(compare.less)
    less_equal_ = in_place(compare.less_equal)
    logical_and_ = in_place(compare.logical_and)
    logical_not_ = in_place(compare.logical_not)
    logical_or_ = in_place(compare.logical_or)
    logical_xor_ = in_place(compare.logical_xor)
    lt_ = in_place(compare.lt)
    ne_ = in_place(compare.ne)
    not_equal_ = in_place(compare.not_equal)

    digamma_ = in_place(special.digamma)
    erf_ = in_place(special.erf)
    erfc_ = in_place(special.erfc)
    erfinv_ = in_place(special.erfinv)
    i0_ = in_place(special.i0)
    igamma_, igammac_ = in_place(special.igamma), in_place(special.igammac)
    lgamma_ = in_place(special.lgamma)
    logit_ = in_place(special.logit)
    mvlgamma_ = in_place(special.mvlgamma)
    xlogy_ = in_place(special.xlogy)

    def where(self: Any, condition: Tensor, other: Any) -> Tensor:
        """This tensor where `condition` holds, `other` elsewhere."""
        return pointwise.where(condition, self, other)

    def polygamma(self: Any, n: int) -> Tensor:
        """The derivative of order n of digamma."""
        return special.polygamma(n, self)

    def polygamma_(self: Any, n: int) -> Tensor:
        """The derivative of order n of digamma. In place."""
        return _polygamma_(self, n)

    def float_power_(self: Any, exponent: Any) -> Tensor:
        """The power in float64, in place; RuntimeError for any other dtype."""
        if self.dtype.name != "float64":
            raise RuntimeError(f"the base given to float_power_ has dtype {self.dtype} but the operation's result requires float64")
        return _float_power_(self, exponent)


_polygamma_, _float_power_ = in_place(Pointwise.polygamma), in_place(pointwise.float_power)
