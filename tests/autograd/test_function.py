"""Function: one output and several, what is saved, what is refused, and derivatives of derivatives."""

import gc
import weakref

import pytest

import tinygrad_nn as torch
from tinygrad_nn.autograd import Function, grad
from tinygrad_nn.autograd.function import once_differentiable


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


class Exp(Function):
    """Saves its output, is set up apart from forward."""

    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        assert len(inputs) == 1
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return y * g


class Both(Function):
    """Sum and product, and a third output that is no tensor."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, None, b)
        return a + b, a * b, "text"

    @staticmethod
    def backward(ctx, add, mul, _):
        a, nothing, b = ctx.saved_tensors
        assert nothing is None
        return add + mul * b, add + mul * a


def of(backward, forward=lambda ctx, x: x * 2):
    """A Function of one input with this backward."""
    return type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


@pytest.mark.parametrize("function", [Cube, Exp])
def test_first_second_and_third_derivative(function):
    x = leaf(0.5, 2.0)
    y = function.apply(x)
    reference = leaf(0.5, 2.0)
    z = reference**3 if function is Cube else reference.exp()
    for _ in range(3):
        assert y.tolist() == pytest.approx(z.tolist(), rel=1e-6)
        (y,) = grad(y.sum(), x, create_graph=True)
        (z,) = grad(z.sum(), reference, create_graph=True)
    assert y.tolist() == pytest.approx(z.tolist(), rel=1e-6)


def test_the_node():
    y = Cube.apply(leaf(1.0))
    assert y.grad_fn.name() == "CubeBackward"
    assert repr(y.grad_fn).startswith("<torch.autograd.function.CubeBackward object at 0x")
    assert y.grad_fn.needs_input_grad == (True,)
    assert not y.is_leaf


def test_nothing_is_recorded_where_nothing_requires_grad():
    assert not Cube.apply(torch.ones(1)).requires_grad
    with torch.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad


def test_forward_runs_without_recording_and_backward_too():
    seen = []

    def forward(ctx, x):
        seen.append(torch.is_grad_enabled())
        return x * 2

    def backward(ctx, g):
        seen.append((torch.is_grad_enabled(), g.requires_grad))
        return g * 2

    x = leaf(1.0)
    of(backward, forward).apply(x).backward()
    grad(of(backward, forward).apply(x), x, create_graph=True)
    assert seen == [False, (False, False), False, (True, False)]
    assert x.grad.tolist() == [2.0]


def test_several_outputs():
    a, b = leaf(2.0), leaf(3.0)
    add, mul, text = Both.apply(a, b)
    assert text == "text"
    assert (add.grad_fn is mul.grad_fn, add.output_nr, mul.output_nr) == (True, 0, 1)
    (add * 10 + mul * 100).backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([310.0], [210.0])


@pytest.mark.parametrize(("which", "expected"), [(0, [1.0]), (1, [3.0])])
def test_outputs_that_are_not_used_have_gradient_zero(which, expected):
    a, b = leaf(2.0), leaf(3.0)
    Both.apply(a, b)[which].backward()
    assert a.grad.tolist() == expected


@pytest.mark.parametrize("materialize", [True, False])
def test_whether_a_gradient_that_is_not_there_is_made(materialize):
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(materialize)
        return x * 2, x * 3

    def backward(ctx, first, second):
        seen.append(first if first is None else first.tolist())
        return second * 3

    x = leaf(1.0, 1.0)
    of(backward, forward).apply(x)[1].sum().backward()
    assert seen == [[0.0, 0.0] if materialize else None]
    assert x.grad.tolist() == [3.0, 3.0]


def test_second_derivative_through_one_of_several_outputs():
    a, b = leaf(2.0), leaf(3.0)
    (first,) = grad(Both.apply(a, b)[1], a, create_graph=True)
    assert first.item() == 3.0
    assert grad(first, b)[0].item() == 1.0


def test_saved_outputs_of_several():
    class Powers(Function):
        @staticmethod
        def forward(ctx, x):
            square = x * x
            cube = square * x
            ctx.save_for_backward(x, square, cube)
            return square, cube

        @staticmethod
        def backward(ctx, g2, g3):
            x, square, _ = ctx.saved_tensors
            return 2 * x * g2 + 3 * square * g3

    x = leaf(2.0)
    (first,) = grad(Powers.apply(x)[1], x, create_graph=True)
    (second,) = grad(first, x, create_graph=True)
    (third,) = grad(second, x)
    assert (first.item(), second.item(), third.item()) == (12.0, 12.0, 6.0)


def test_outputs_without_gradient():
    class Parts(Function):
        @staticmethod
        def forward(ctx, x):
            fixed = x.floor()
            ctx.mark_non_differentiable(fixed)
            return fixed, x.argmax(), x - fixed

        @staticmethod
        def backward(ctx, _, __, g):
            return g

    x = leaf(1.5, 2.25)
    fixed, place, rest = Parts.apply(x)
    assert [v.requires_grad for v in (fixed, place, rest)] == [False, False, True]
    (rest * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("outputs", [1, 2])
def test_an_input_that_is_given_back(outputs):
    function = of(lambda ctx, *gs: gs[0] * 5, lambda ctx, x: x if outputs == 1 else (x, x * 2))
    x = leaf(1.0)
    found = function.apply(x)
    y = found if outputs == 1 else found[0]
    assert y is not x
    y.backward()
    assert x.is_leaf
    assert x.grad.tolist() == [5.0]


def test_inputs_that_need_no_gradient():
    class Scaled(Function):
        @staticmethod
        def forward(ctx, x, factor, w):
            ctx.factor = factor
            return x * factor + w

        @staticmethod
        def backward(ctx, g):
            assert ctx.needs_input_grad == (True, False, False)
            return g * ctx.factor, None, "is not looked at"

    x, w = leaf(1.0), torch.ones(1)
    Scaled.apply(x, 4.0, w).backward()
    assert x.grad.tolist() == [4.0]
    assert w.grad is None


def test_none_where_a_gradient_could_be():
    x = leaf(1.0)
    (of(lambda ctx, g: None).apply(x) + x).backward()
    assert x.grad.tolist() == [1.0]


def test_more_gradients_than_inputs_if_they_are_none():
    x = leaf(1.0)
    of(lambda ctx, g: (g * 2, None, None)).apply(x).backward()
    assert x.grad.tolist() == [2.0]


@pytest.mark.parametrize(
    ("backward", "error", "message"),
    [
        (lambda ctx, g: (g, g), RuntimeError, r"MineBackward returned an incorrect number of gradients \(expected 1, got 2\)"),
        (lambda ctx, g: (), RuntimeError, r"incorrect number of gradients \(expected 1, got 0\)"),
        (lambda ctx, g: g[:1], RuntimeError, r"gradient at index 0 - got \[1\] but expected .* with \[2\]"),
        (lambda ctx, g: 3.0, RuntimeError, "MineBackward: expected a Tensor or None as gradient 0, got float"),
    ],
)  # fmt: skip
def test_gradients_that_do_not_fit(backward, error, message):
    with pytest.raises(error, match=message):
        of(backward).apply(leaf(1.0, 2.0)).sum().backward()


def test_what_was_not_written():
    with pytest.raises(NotImplementedError, match="must implement the forward"):
        Function.apply(leaf(1.0))
    without = type("Without", (Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
    with pytest.raises(NotImplementedError, match="must implement either the backward or vjp"):
        without.apply(leaf(1.0)).backward()


def test_an_instance_is_not_called():
    with pytest.raises(RuntimeError, match=r"expected a call of Cube\.apply"):
        Cube()(leaf(1.0))


@pytest.mark.parametrize(
    ("function", "changed", "writer"),
    [(Cube, lambda x, y: x.mul_(2), "mul_"), (Exp, lambda x, y: y.add_(1), "add_"), (Cube, lambda x, y: x[:1].fill_(3), "fill_")],
)
def test_saved_values_that_were_changed_are_an_error(function, changed, writer):
    x = leaf(1.0, 2.0) * 1
    y = function.apply(x)
    changed(x, y)
    name = f"{function.__name__}Backward"
    with pytest.raises(RuntimeError, match=f"modified by an inplace operation: what {name} saved was then changed by {writer}"):
        y.sum().backward()


def test_both_lines_of_a_change_are_named():
    with torch.autograd.detect_anomaly():
        x = leaf(1.0) * 1
        y = Cube.apply(x)
        x.mul_(2)
        line = r"\(.*test_function.py:\d+"
        with pytest.raises(RuntimeError, match=f"CubeBackward saved {line}, .*changed by mul_ {line}"):
            y.backward()


def test_a_change_of_what_was_not_saved_is_none():
    x = leaf(1.0) * 1
    y = of(lambda ctx, g: g * 2).apply(x)
    x.mul_(100)
    y.backward()


def test_backward_serves_once_unless_it_is_kept():
    x = leaf(2.0)
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [24.0]
    with pytest.raises(RuntimeError, match="backward through CubeBackward a second time"):
        y.backward()


def test_a_function_that_saves_nothing_goes_back_again_and_again():
    x = leaf(2.0)
    y = of(lambda ctx, g: g * 2).apply(x)
    y.backward()
    y.backward()
    assert x.grad.tolist() == [4.0]


@pytest.mark.parametrize("function", [Cube, Exp])
def test_a_dropped_graph_is_freed_without_the_collector(function):
    gc.disable()
    try:
        y = function.apply(leaf(2.0))
        node = weakref.ref(y.grad_fn)
        assert node() is not None
        del y
        assert node() is None
    finally:
        gc.enable()


def test_hooks_on_the_outputs():
    a, b, seen = leaf(2.0), leaf(3.0), []
    add, mul, _ = Both.apply(a, b)
    add.register_hook(lambda g: seen.append(g.item()))
    mul.register_hook(lambda g: g * 10)
    (add * 7 + mul).backward()
    assert seen == [7.0]
    assert a.grad.tolist() == [37.0]


@pytest.mark.parametrize(
    ("shaped", "expected"), [(lambda g: g.expand(3, 2), 3.0), (lambda g: g.reshape(1, 2), 1.0), (lambda g: g.double(), 1.0)]
)
def test_gradients_are_summed_and_cast_to_the_input(shaped, expected):
    x = leaf(1.0, 2.0)
    of(lambda ctx, g: shaped(g)).apply(x).sum().backward()
    assert x.grad.tolist() == [expected] * 2
    assert x.grad.dtype is torch.float32


def test_vjp_is_another_name_for_backward():
    body = {"forward": staticmethod(lambda ctx, x: x * 2), "vjp": staticmethod(lambda ctx, g: g * 3)}
    x = leaf(1.0)
    type("Mine", (Function,), body).apply(x).backward()
    assert x.grad.item() == 3.0
    both = type("Mine", (Function,), {**body, "backward": body["vjp"]})
    with pytest.raises(RuntimeError, match="both 'backward' and 'vjp'"):
        both.apply(x).backward()


def test_only_tensors_are_saved():
    with pytest.raises(TypeError, match="argument 0 is of type int"):
        of(None, lambda ctx, x: ctx.save_for_backward(3)).apply(leaf(1.0))


def test_once_differentiable():
    x = leaf(1.0)
    (g,) = grad(of(once_differentiable(lambda ctx, g: g * x * 3)).apply(x), x, create_graph=True)
    assert g.item() == 3.0
    assert not g.requires_grad


def test_a_view_that_a_function_returns_keeps_the_functions_backward():
    class Reversed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return -g

    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Reversed.apply(w)
    with torch.no_grad():
        w.add_(1)
    y.sum().backward()
    assert w.grad.tolist() == [-1.0, -1.0]
