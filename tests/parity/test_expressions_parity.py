"""Random programs beside PyTorch's: value, first and second derivatives, for every op that a program may hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_nn.op import OPS
from tinygrad_nn.testing.strategies import Expression, Ref, Step, expressions, upstream
from tinygrad_nn.testing.strategies.recipes import recipe_of
from tinygrad_nn.variable import differentiate, wrap

torch = pytest.importorskip("torch")

FEW = settings(max_examples=max(5, settings.default.max_examples // 5))


def positions(shape, index):
    """The places, counted through an array of `shape`, of what `index` selects."""
    return torch.from_numpy(np.array(np.arange(int(np.prod(shape))).reshape(shape)[index]))


def setitem(x, value, index):
    """x with `value` at `index`: each element is taken from x or from the last value written to it."""
    places = positions(x.shape, index)
    owner = np.full(x.numel(), -1)
    owner[places.numpy().ravel()] = np.arange(places.numel())
    owner = torch.from_numpy(owner)
    written = value.broadcast_to(places.shape).reshape(-1)[owner.clamp(min=0)]
    return torch.where(owner >= 0, written, x.reshape(-1)).reshape(x.shape)


def set_view(x, value, view, attributes):
    places = view.forward(np.arange(x.numel()).reshape(x.shape), **attributes)
    return setitem(x.reshape(-1), value, places).reshape(x.shape)


def put_along(x, index, axis, shape):
    return torch.zeros(shape, dtype=x.dtype).scatter_add(axis, torch.from_numpy(index), x)


def either(function):
    """The function of two tensors, taking numbers too."""
    return lambda a, b: function(*(torch.as_tensor(v, dtype=torch.float64) for v in (a, b)))


def every(function):
    """The reduction over some axes, given None for all."""
    return lambda x, axis, keepdims: function(x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)


def one_by_one(function):
    """The reduction that PyTorch has for one axis only, over several."""

    def reduced(x, axis, keepdims):
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % max(x.ndim, 1)
        y = x != 0
        for a in axes:
            y = function(y, int(a), keepdim=True)
        return y if keepdims else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])

    return reduced


def flat(function):
    """The reduction over one axis, or, given None, over the elements in order."""

    def reduced(x, axis, keepdims):
        if axis is None:
            y = function(x.reshape(-1), 0)
            return y.reshape([1] * x.ndim) if keepdims else y
        return function(x, axis, keepdim=keepdims)

    return reduced


def in_order(function):
    """PyTorch's function, whose arguments have other names in the same order."""
    return lambda x, **attributes: function(x, *attributes.values())


def pad(x, widths, value):
    return torch.nn.functional.pad(x, [n for pair in reversed(widths) for n in pair], value=value)


def nll(x, target, scale):
    rows = torch.nn.functional.nll_loss(x, torch.from_numpy(target), reduction="none")
    return rows * torch.as_tensor(scale)


def cross_entropy(x, target, scale):
    rows = torch.nn.functional.cross_entropy(x, torch.from_numpy(target), reduction="none")
    return (rows * torch.as_tensor(scale).reshape(-1)).sum()


SAME = [
    "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "add", "sub", "mul", "div", "pow", "maximum",
    "minimum", "remainder",
]  # fmt: skip
def with_slope(function, slope):
    """PyTorch's function with another derivative than its own."""

    class WithSlope(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return function(x)

        @staticmethod
        def backward(ctx, g):
            return g * slope(*ctx.saved_tensors)

    return WithSlope.apply


def hurwitz(x):
    """Trigamma, of which PyTorch's own has nine digits (DLMF 25.11.12, and 5.15.6 for x below 1/2)."""
    zeta = torch.special.zeta(torch.tensor(2.0, dtype=x.dtype), torch.where(x < 0.5, 1 - x, x))
    return torch.where(x < 0.5, (np.pi / torch.sin(np.pi * x)) ** 2 - zeta, zeta)


trigamma = with_slope(hurwitz, lambda x: torch.polygamma(2, x))
digamma = with_slope(torch.digamma, trigamma)
lgamma = with_slope(torch.lgamma, digamma)
UNARY = [name for name, op in OPS.items() if op.inputs == ("x",) and not op.attributes and hasattr(torch, name)]
PIECEWISE = ["leaky_relu", "hardtanh", "threshold", "hardshrink", "softshrink"]
SPECIAL = ["entr", "erfcx", "log_ndtr", "ndtri"]
OWN = {"inverse_mills", "bessel_i", "polygamma"}  # the rules of special functions, which PyTorch has under no such name
REFUSED = {"floor_divide"}  # it refuses a backward, as PyTorch's does
TORCH = {
    **{name: either(getattr(torch, name)) for name in SAME},
    **{name: getattr(torch, name) for name in UNARY},
    **{name: getattr(torch.special, name) for name in SPECIAL},
    **{name: in_order(getattr(torch.nn.functional, name)) for name in PIECEWISE},
    "lgamma": lgamma,
    "digamma": digamma,
    "normal_cdf": torch.special.ndtr,
    "pow": torch.pow,  # a number as it is: of 0 to the power of a tensor that is 0, its second derivative is NaN
    "floor_divide": either(lambda a, b: torch.floor_divide(a.detach(), b.detach())),
    "truncate_divide": either(lambda a, b: torch.div(a, b, rounding_mode="trunc")),
    "where": lambda condition, a, b: torch.where(torch.from_numpy(condition), a, b),
    "clip": lambda x, low, high: x.clamp(low, high),
    "astype": lambda x, dtype, was: x.to(getattr(torch, dtype.name)),
    "copy": torch.clone,
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axis0, axis1: x.transpose(axis0, axis1),
    "permute": lambda x, axes: x.permute(axes),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "concatenate": lambda *xs, axis: torch.cat(xs, axis),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "pad": pad,
    "flip": lambda x, axes: x.flip(axes),
    "roll": lambda x, shifts, axes: torch.roll(x, shifts, axes or ()),
    "getitem": lambda x, index: x.reshape(-1)[positions(x.shape, index)],
    "scatter_add": lambda x, index, shape: torch.zeros(int(np.prod(shape)), dtype=x.dtype).index_add(
        0, positions(shape, index).reshape(-1), x.reshape(-1)
    ).reshape(shape),
    "setitem": setitem,
    "set_view": set_view,
    "take_along_axis": lambda x, index, axis: torch.gather(x, axis, torch.from_numpy(index)),
    "put_along_axis": put_along,
    "matmul": torch.matmul,
    "linear": torch.nn.functional.linear,
    "inverse": torch.linalg.inv,
    "det": torch.linalg.det,
    "logabsdet": lambda a: torch.linalg.slogdet(a).logabsdet,
    "cholesky": torch.linalg.cholesky,
    "solve": torch.linalg.solve,
    "matrix_exp": torch.linalg.matrix_exp,
    "sum": every(torch.sum),
    "mean": every(torch.mean),
    "logsumexp": every(torch.logsumexp),
    "amax": every(torch.amax),
    "amin": every(torch.amin),
    "max": torch.max,
    "min": torch.min,
    "prod": flat(torch.prod),
    "cumsum": lambda x, axis: x.cumsum(axis),
    "logcumsumexp": lambda x, axis: x.exp().cumsum(axis).log(),  # its own loses derivatives where a gradient of 0 arrives
    "softmax": lambda x, axis: x.softmax(axis),
    "log_softmax": lambda x, axis: x.log_softmax(axis),
    "nll": nll,
    "cross_entropy": cross_entropy,
    "argmax": flat(torch.argmax),
    "argmin": flat(torch.argmin),
    "all": one_by_one(torch.all),
    "any": one_by_one(torch.any),
}  # fmt: skip
PROGRAM_OPS = [name for name, op in OPS.items() if recipe_of(name).usable and name not in OWN | REFUSED]
SMOOTH = [name for name in PROGRAM_OPS if OPS[name].rules]


def call(name, *values, **attributes):
    given = [torch.from_numpy(v) if isinstance(v, np.ndarray) and v.dtype == np.float64 else v for v in values]
    return TORCH[name](*given, **attributes)


def theirs(expression, weight):
    """PyTorch's value, gradients, and the gradients of the sum of the gradients' squares."""
    leaves = [torch.from_numpy(v.copy()).requires_grad_() for v in expression.inputs]
    y = expression.run(leaves, call)[-1]
    if not y.requires_grad:
        return [y.numpy()]
    first = torch.autograd.grad(y, leaves, torch.from_numpy(weight), create_graph=True, materialize_grads=True)
    total = sum((g * g).sum() for g in first)
    second = torch.autograd.grad(total, leaves, materialize_grads=True) if total.requires_grad else []
    return [v.numpy(force=True) for v in (y, *first, *second)]


def ours(expression, weight):
    """The same by this package."""
    leaves = [wrap(v.copy()).requires_grad_() for v in expression.inputs]
    y = expression(*leaves)
    if not y.requires_grad:
        return [y.numpy()]
    plain = differentiate([y], [wrap(weight)], leaves, retain_graph=True, create_graph=False)
    found = differentiate([y], [wrap(weight)], leaves, retain_graph=None, create_graph=True)
    first = [found.get(leaf, wrap(np.zeros(leaf.shape))) for leaf in leaves]
    for leaf, gradient in zip(leaves, first, strict=True):  # bare arrays and recorded Tensors go through the same rules
        np.testing.assert_allclose(np.asarray(plain.get(leaf, 0.0)), gradient.detach().numpy(), rtol=1e-12, atol=1e-12)
    total = sum((g * g).sum() for g in first)
    second = []
    if total.requires_grad:
        found = differentiate([total], [None], leaves, retain_graph=None, create_graph=False)
        second = [np.asarray(found.get(leaf, np.zeros(leaf.shape))) for leaf in leaves]
    return [y.detach().numpy(), *(g.detach().numpy() for g in first), *second]


def agree(expression, weight):
    expected, found = theirs(expression, weight), ours(expression, weight)
    count = 1 + len(expression.inputs)
    for i, reference in enumerate(expected):
        value = found[i] if i < len(found) else np.zeros(reference.shape)  # no second derivative is one of zero
        assert value.shape == reference.shape
        scale = max(1.0, float(np.abs(reference).max(initial=0)))
        np.testing.assert_allclose(value, reference, rtol=1e-9, atol=(1e-7 if i >= count else 1e-9) * scale)


def test_every_op_of_a_program_has_its_counterpart():
    assert set(PROGRAM_OPS) - set(TORCH) == set()


@FEW
@given(data=st.data())
@pytest.mark.parametrize("name", PROGRAM_OPS)
def test_one_op(name, data):
    expression = data.draw(expressions(1, ops=[name], differentiable=False))
    agree(expression, data.draw(upstream(np.shape(expression(*expression.inputs)))))


@given(data=st.data())
def test_programs(data):
    expression = data.draw(expressions(40, ops=SMOOTH))
    agree(expression, data.draw(upstream(np.shape(expression(*expression.inputs)))))


@given(data=st.data())
def test_programs_with_ops_that_have_no_derivative(data):
    expression = data.draw(expressions(15, ops=PROGRAM_OPS, differentiable=False))
    agree(expression, data.draw(upstream(np.shape(expression(*expression.inputs)))))


def test_a_wrong_rule_is_seen(monkeypatch):
    expression = Expression([np.array([0.5, 1.0])], (Step("sin", (Ref(0),), {}),))
    monkeypatch.setitem(OPS["sin"].rules, "x", lambda g, x: g * np.cos(x) * 1.001)
    monkeypatch.setattr(OPS["sin"], "plans", {})
    with pytest.raises(AssertionError):
        agree(expression, np.array([0.5, 1.0]))
