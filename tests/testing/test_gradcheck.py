"""The gradient checker on right and wrong gradients of every kind of target, and what it tells of bad use."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.testing import GradcheckError, assert_gradcheck, gradcheck

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.3, -0.7]])


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


class CubeOnce(Cube):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x.detach() * x * g


class Scale:
    """A hand-written network: it counts its calls, to show that forward precedes every backward."""

    def forward(self, x, w):
        self.x, self.w = x, w
        return x * w

    def backward(self, g):
        x, w = self.x, self.w
        self.x = self.w = None
        return g * w, g * x


RIGHT = {
    "function of Tensors": (lambda x: (x * x).sigmoid(), [X]),
    "several outputs": (lambda x, y: (x * y, {"s": x.sum()}), [X, X + 1]),
    "Function": (Cube, [X]),
    "module": (torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()), [X]),
    "pair": ((np.sin, lambda g, x: g * np.cos(x)), [X]),
    "engine": (Scale(), [X, X + 1]),
    "an integer input": ((lambda x, i: x[i], lambda g, x, i: (_added(g, x, i), None)), [X, np.array([0, 0, 1])]),
    "a number": ((lambda x: x**2, lambda g, x: 2 * g * x), 1.5),
    "float32 given": (lambda x: x.exp(), [X.astype(np.float32)]),
    "a kink": (lambda x: x.relu(), [np.array([-1.0, 0.0, 1.0])]),
}


def _added(g, x, i):
    out = np.zeros_like(x)
    np.add.at(out, i, g)
    return out


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name):
    target, inputs = RIGHT[name]
    report = assert_gradcheck(target, inputs)
    assert report
    assert report.diagnosis is None
    assert report.breaches == []


@pytest.mark.parametrize("name", ["function of Tensors", "several outputs", "Function", "module", "a kink"])
def test_second_order(name):
    target, inputs = RIGHT[name]
    assert gradcheck(target, inputs, order=2).ok


def test_a_derivative_that_is_wrong_only_at_second_order():
    assert gradcheck(CubeOnce, [X])
    report = gradcheck(CubeOnce, [X], order=2)
    assert report.diagnosis.code == "second_order"
    assert "factor of 1/2" in report.diagnosis.text


def test_float32_gradients_are_compared_with_float64_differences():
    assert gradcheck(lambda x: (x * x).tanh(), [X], dtype=torch.float32)
    slightly = (np.sin, lambda g, x: g * np.cos(x) * np.float32(1.01))
    assert gradcheck(slightly, [X], dtype="float32").diagnosis.code == "factor"


def test_the_report_names_the_worst_element():
    def vjp(g, x):
        out = g * np.cos(x)
        out[1, 2] *= 1 + 1e-4
        return out

    report = gradcheck((np.sin, vjp), [X], names=["angle"])
    assert report.worst.input == "angle"
    assert report.worst.index == (1, 2)
    assert report.worst.analytic == pytest.approx(report.worst.numeric * (1 + 1e-4), rel=1e-9)
    assert report.worst.ulps > 1e9
    assert "1 of 6 elements" in report.diagnosis.text


def test_kinks_are_reported_and_are_no_failure():
    for f in (torch.abs, torch.relu):
        report = gradcheck(f, [np.array([-1.0, 0.0, 2.0])])
        assert report.ok
        assert [kink.index for kink in report.kinks] == [(1,)]
        assert "kink at input 0[1]" in str(report)
    report = gradcheck(lambda x: x.norm(), [np.zeros(3)])
    assert report.ok
    assert len(report.kinks) == 3
    assert report.notes == []


def test_directions_say_what_was_not_looked_at():
    report = gradcheck(lambda x: x.exp(), [X], directions=3)
    assert report.ok
    assert any("3 random directions were looked at, not each of its 6 elements" in note for note in report.notes)
    wrong = gradcheck((np.exp, lambda g, x: 1.5 * g * np.exp(x)), [X], directions=3)
    assert wrong.diagnosis.text == "off by a constant factor of 1.5"
    assert wrong.worst.index == ()


def test_directions_are_counted_as_directions():
    def vjp(g, x):
        out = g * np.cos(x)
        out[7] *= 2
        return out

    report = gradcheck((np.sin, vjp), [np.linspace(-1, 1, 100)], directions=4)
    assert report.diagnosis.text == "4 of 4 directions are wrong"
    assert report._repr_html_().count("<table") == 1
    assert not gradcheck((np.sin, lambda g, x: g * np.inf), [X], directions=2)
    assert gradcheck((np.sin, lambda g, x: np.ones(5)), [X], directions=2).diagnosis.code == "shape"
    assert gradcheck((np.sin, lambda g, x: None), [X], directions=2).diagnosis.code == "zero"


def test_text_colours_and_html():
    report = gradcheck((np.sin, lambda g, x: -g * np.cos(x)), [X])
    assert "\x1b[31m" in report.text(color=True)
    assert "\x1b[" not in str(report)
    page = report._repr_html_()
    assert "WRONG" in page
    assert page.count("<td title=") == X.size
    assert page.count("<table") == page.count("</table>") == 2
    good = gradcheck((np.sin, lambda g, x: g * np.cos(x)), [X])
    assert good._repr_html_().count("<table") == 1


def test_assert_gradcheck_raises_with_the_report():
    with pytest.raises(GradcheckError, match="the sign is wrong everywhere"):
        assert_gradcheck((np.sin, lambda g, x: -g * np.cos(x)), [X])


def test_a_network_that_forgets_its_forward_is_told():
    class Forgetful(Scale):
        def backward(self, g):
            return g * self.w, np.zeros_like(g)

    assert gradcheck(Forgetful(), [X, X + 1]).diagnosis.code == "zero"


@pytest.mark.parametrize(
    ("target", "inputs", "error", "message"),
    [
        (lambda x: x, [np.array([1, 2])], TypeError, "integers have no gradient"),
        (lambda x: x, [], TypeError, "got no input"),
        (lambda x: x, [torch.tensor([1.0])], ValueError, "none of the 1 input tensors requires grad"),
        (lambda x: x.detach() * 0 + 1, [np.ones(2)], ValueError, "no output depends on any"),
        (lambda x: x.argmax(), [np.ones(2)], ValueError, "no floating output"),
        (3, [np.ones(2)], TypeError, "expected a function of Tensors"),
        ((np.sin, lambda g, x: (g, g)), [np.ones(2)], ValueError, "expected 1 gradients of vjp"),
        (lambda x: x, [{"a": np.ones(2)}], TypeError, "got dict; hand over what it holds"),
        (lambda x: x, [[np.ones(3), np.ones((2, 2))]], TypeError, "got one of ndarray, ndarray of unlike shapes"),
    ],
)
def test_bad_use_is_told_plainly(target, inputs, error, message):
    with pytest.raises(error, match=message):
        gradcheck(target, inputs)


def test_more_bad_use():
    with pytest.raises(ValueError, match="order 1 or 2"):
        gradcheck(lambda x: x, [X], order=3)
    with pytest.raises(ValueError, match="order=2 needs"):
        gradcheck((np.sin, lambda g, x: g * np.cos(x)), [X], order=2)
    with pytest.raises(ValueError, match="a name for each"):
        gradcheck(lambda x: x, [X], names=["a", "b"])
    with pytest.raises(ValueError, match="float32 with order 1"):
        gradcheck(lambda x: x, [X], order=2, dtype="float32")


def test_a_random_function_is_told():
    report = gradcheck(lambda x: x * torch.rand(2, 3, dtype=torch.float64), [X])
    assert report.diagnosis.code == "nondeterministic"
    assert "fix its seed" in str(report)


def test_an_input_that_is_not_used_is_noted():
    report = gradcheck(lambda x, y: x * x, [X, X])
    assert report.ok
    assert report.notes == ["no output changes with input 1, and its gradient is zero"]


def test_a_constant_first_derivative_is_nothing_to_note():
    assert gradcheck(torch.nn.Linear(3, 2), [X], order=2).notes == []


def test_a_module_keeps_its_own_parameters():
    layer = torch.nn.Linear(3, 2)
    before = [p.clone() for p in layer.parameters()]
    assert gradcheck(layer, [X])
    assert all(p.dtype is torch.float32 and torch.equal(p, b) for p, b in zip(layer.parameters(), before, strict=True))
    assert all(p.grad is None for p in layer.parameters())


def test_torchs_signatures():
    x = torch.tensor(X, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: t.exp(), (x,), eps=1e-6, atol=1e-4) is True
    assert torch.autograd.gradgradcheck(lambda t: t.exp(), x) is True
    assert torch.autograd.gradcheck(CubeOnce.apply, x, fast_mode=True)
    with pytest.raises(RuntimeError, match="second order"):
        torch.autograd.gradgradcheck(CubeOnce.apply, x)
    assert torch.autograd.gradgradcheck(CubeOnce.apply, x, raise_exception=False) is False


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.k = k
        return x * k

    @staticmethod
    def backward(ctx, g):
        return g * ctx.k, None


def test_torchs_signatures_take_numbers_as_they_are():
    x = torch.tensor(X, requires_grad=True)
    assert torch.autograd.gradcheck(torch.nn.functional.leaky_relu, (x, 0.1))
    assert torch.autograd.gradcheck(Scaled.apply, (x, 2.0))
    assert torch.autograd.gradgradcheck(lambda k, t: k * t * t, (2.0, x))
    with pytest.raises(GradcheckError, match="input 1"):
        torch.autograd.gradcheck(lambda k, t: Scaled.apply(t, k) + Broken.apply(t), (2.0, x))


class Broken(Scaled):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * np.inf


def test_a_slope_that_vanishes_where_the_function_does_is_not_taken_for_wrong():
    def squared(x):
        y = (x + x) / (1.1 * (x + x).sigmoid() + 0.6)
        return y * y

    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
    assert gradcheck(squared, [zero], contract=False)
    assert gradcheck(squared, [zero], order=2, contract=False)
    assert not gradcheck((lambda x: squared(torch.from_numpy(x)).numpy(), lambda g, x: g * 1e-3), [np.zeros(())], contract=False)
