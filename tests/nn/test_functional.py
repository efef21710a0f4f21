"""Layers' and losses' arithmetic by its definitions: values in plain NumPy, derivatives by differences, far ends, mistakes."""

import math

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (4, 3))
P = RNG.uniform(0.1, 0.9, (4, 3))
Y = RNG.uniform(0.1, 0.9, (4, 3))
CLASSES = torch.tensor([2, 0, 0, 1])
WEIGHT = np.array([0.5, 1.0, 2.0])


def central_difference(f, inputs, i, step=1e-6):
    """The derivative of the number f(*inputs) by each element of input i."""
    slope = np.zeros_like(inputs[i])
    for place in np.ndindex(slope.shape):
        ends = []
        for sign in (1, -1):
            moved = [v.copy() if k == i else v for k, v in enumerate(inputs)]
            moved[i][place] += sign * step
            ends.append(f(*moved))
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    return slope


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def chosen(x, smoothing=0.0, weight=1.0):
    """The cross-entropy of each row against CLASSES."""
    spread = np.eye(3)[CLASSES.numpy()] * (1 - smoothing) + smoothing / 3
    return -(spread * weight * np.log(softmax(x, 1))).sum(1)


SHARE = WEIGHT[CLASSES.numpy()]

# name: what the package computes, the same in NumPy, and the inputs
FORMULAS = {
    "linear": (F.linear, lambda x, w: x @ w.T, [X, Y]),
    "linear-bias": (F.linear, lambda x, w, b: x @ w.T + b, [X, Y, Y[:, 0]]),
    "relu": (F.relu, lambda x: np.maximum(x, 0), [X]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x), [X]),
    "gelu": (F.gelu, lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))), [X]),
    "gelu-tanh": (
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), [X]
    ),
    "sigmoid": (F.sigmoid, sigmoid, [X]),
    "tanh": (F.tanh, np.tanh, [X]),
    "logsigmoid": (F.logsigmoid, lambda x: np.log(sigmoid(x)), [X]),
    "softmax": (lambda x: F.softmax(x, 0), lambda x: softmax(x, 0), [X]),
    "log_softmax": (lambda x: F.log_softmax(x, 1), lambda x: np.log(softmax(x, 1)), [X]),
    "normalize": (lambda x: F.normalize(x, 3.0, 0), lambda x: x / (np.abs(x) ** 3).sum(0) ** (1 / 3), [X]),
    "mse": (F.mse_loss, lambda x, y: ((x - y) ** 2).mean(), [X, Y]),
    "mse-none": (lambda x, y: F.mse_loss(x, y, reduction="none"), lambda x, y: (x - y) ** 2, [X, Y]),
    "l1": (lambda x, y: F.l1_loss(x, y, reduction="sum"), lambda x, y: np.abs(x - y).sum(), [X, Y]),
    "bce": (F.binary_cross_entropy, lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), [P, Y]),
    "bce-weight": (
        lambda p, y: F.binary_cross_entropy(p, y, torch.tensor(WEIGHT), reduction="sum"),
        lambda p, y: -(WEIGHT * (y * np.log(p) + (1 - y) * np.log(1 - p))).sum(),
        [P, Y],
    ),
    "logits": (
        F.binary_cross_entropy_with_logits, lambda x, y: -(y * np.log(sigmoid(x)) + (1 - y) * np.log(sigmoid(-x))).mean(), [X, Y]
    ),
    "logits-weights": (
        lambda x, y: F.binary_cross_entropy_with_logits(
            x, y, torch.tensor(WEIGHT), reduction="none", pos_weight=torch.tensor(WEIGHT)
        ),
        lambda x, y: -WEIGHT * (WEIGHT * y * np.log(sigmoid(x)) + (1 - y) * np.log(sigmoid(-x))), [X, Y],
    ),
    "nll": (lambda x: F.nll_loss(x, CLASSES), lambda x: -x[range(4), CLASSES.numpy()].mean(), [X]),
    "nll-weight": (
        lambda x: F.nll_loss(x, CLASSES, torch.tensor(WEIGHT), reduction="sum"),
        lambda x: -(SHARE * x[range(4), CLASSES.numpy()]).sum(), [X]
    ),
    "cross-entropy": (lambda x: F.cross_entropy(x, CLASSES), lambda x: chosen(x).mean(), [X]),
    "cross-entropy-none": (lambda x: F.cross_entropy(x, CLASSES, reduction="none"), chosen, [X]),
    "cross-entropy-weight": (
        lambda x: F.cross_entropy(x, CLASSES, torch.tensor(WEIGHT)), lambda x: (SHARE * chosen(x)).sum() / SHARE.sum(), [X]
    ),
    "cross-entropy-ignore": (lambda x: F.cross_entropy(x, CLASSES, ignore_index=0), lambda x: chosen(x)[[0, 3]].mean(), [X]),
    "cross-entropy-line": (lambda x: F.cross_entropy(x[0], CLASSES[0]), lambda x: chosen(x)[0], [X]),
    "cross-entropy-smooth": (
        lambda x: F.cross_entropy(x, CLASSES, reduction="sum", label_smoothing=0.3), lambda x: chosen(x, 0.3).sum(), [X]
    ),
    "cross-entropy-smooth-ignore": (
        lambda x: F.cross_entropy(x, CLASSES, ignore_index=0, label_smoothing=0.3), lambda x: chosen(x, 0.3)[[0, 3]].mean(), [X]
    ),
    "cross-entropy-smooth-weight": (
        lambda x: F.cross_entropy(x, CLASSES, torch.tensor(WEIGHT), label_smoothing=0.3),
        lambda x: chosen(x, 0.3, WEIGHT).sum() / SHARE.sum(), [X],
    ),
    "cross-entropy-probabilities": (F.cross_entropy, lambda x, y: -(y * np.log(softmax(x, 1))).sum(1).mean(), [X, Y]),
    "cross-entropy-probabilities-line": (
        lambda x, y: F.cross_entropy(x, y, reduction="none"), lambda x, y: -(y * np.log(softmax(x, 0))).sum(), [X[0], Y[0]]
    ),
    "cross-entropy-probabilities-all": (
        lambda x, y: F.cross_entropy(x, y, torch.tensor(WEIGHT), reduction="sum", label_smoothing=0.3),
        lambda x, y: -(WEIGHT * (0.7 * y + 0.1) * np.log(softmax(x, 1))).sum(), [X, Y],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients(name):
    function, formula, arrays = FORMULAS[name]
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = function(*leaves)
    np.testing.assert_allclose(y.detach().numpy(), formula(*arrays), rtol=1e-12, atol=1e-12)
    weight = np.random.default_rng(1).uniform(0.5, 1, tuple(y.shape))
    (y * torch.tensor(weight)).sum().backward()
    for i, leaf in enumerate(leaves):
        expected = central_difference(lambda *v: float(np.sum(formula(*v) * weight)), arrays, i)
        np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (F.logsigmoid, [-1000.0, 0.0]),
        (F.tanh, [-1.0, 1.0]),
        (F.gelu, [0.0, 1000.0]),
        (lambda x: F.softmax(x, 0), [0.0, 1.0]),
        (lambda x: F.log_softmax(x, 0), [-2000.0, 0.0]),
        (lambda x: F.cross_entropy(x, torch.tensor(0)), 2000.0),
        (lambda x: F.binary_cross_entropy_with_logits(x, torch.tensor([1.0, 0.0]), reduction="none"), [1000.0, 1000.0]),
        (lambda x: F.binary_cross_entropy((x > 0).float(), torch.tensor([1.0, 1.0]), reduction="none"), [100.0, 0.0]),
    ],
)
def test_nothing_overflows_at_the_far_ends(function, expected):
    x = torch.tensor([-1000.0, 1000.0], requires_grad=True)
    y = function(x)
    assert y.tolist() == expected
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.isfinite().all()


@pytest.mark.parametrize(("shape", "axis"), [((), 0), ((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 5), 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_the_dimension_that_is_not_named(name, shape, axis):
    x = torch.randn(*shape) if shape else torch.tensor(2.0)
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
        found = getattr(F, name)(x)
    assert found.tolist() == getattr(F, name)(x, axis).tolist()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p):
    torch.manual_seed(0)
    x = torch.ones(20_000, requires_grad=True)
    y = F.dropout(x, p)
    assert np.unique(y.detach().numpy()).tolist() == [0.0, float(np.float32(1) / np.float32(1 - p))]
    assert (y == 0).float().mean().item() == pytest.approx(p, abs=0.02)
    y.sum().backward()
    assert (x.grad == y).all()


@pytest.mark.parametrize(("p", "training", "expected"), [(0.0, True, [1.0] * 4), (1.0, True, [0.0] * 4), (0.7, False, [1.0] * 4)])
def test_dropout_of_nothing_and_of_all(p, training, expected):
    assert F.dropout(torch.ones(4), p, training).tolist() == expected


def test_dropout_is_the_seeds():
    masks = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        masks.append(nn.Dropout(0.5)(torch.ones(50)).tolist())
    assert masks[0] == masks[1] != masks[2]


def test_softmax_in_another_dtype():
    x = torch.tensor([1, 2])
    assert F.softmax(x, 0, dtype=torch.float64).dtype is torch.float64
    assert F.log_softmax(torch.ones(2), 0, dtype=torch.float64).dtype is torch.float64


@pytest.mark.parametrize(("classes", "width"), [(-1, 4), (6, 6)])
def test_one_hot(classes, width):
    labels = torch.tensor([[0, 3], [1, 1]])
    found = F.one_hot(labels, classes)
    assert found.dtype is torch.int64
    assert found.tolist() == np.eye(width, dtype=int)[labels.numpy()].tolist()


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_dimensions_after_the_classes(loss, reduction):
    x, y = torch.randn(2, 3, 4), torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]])
    by_rows = loss(x.movedim(1, -1).reshape(-1, 3), y.reshape(-1), reduction=reduction)
    found = loss(x, y, reduction=reduction)
    assert found.shape == (y.shape if reduction == "none" else ())
    np.testing.assert_allclose(found.numpy().reshape(-1), by_rows.numpy().reshape(-1), rtol=1e-6)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_ignored_rows_get_no_gradient(label):
    x = torch.zeros(3, 2, requires_grad=True)
    labels = torch.full((3,), -100)
    labels[label] = 1
    F.cross_entropy(x, labels).backward()
    assert [any(row) for row in x.grad.tolist()] == [i == label for i in range(3)]


ZEROS = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: F.linear(ZEROS, torch.zeros(4, 2)), RuntimeError, r"expected input \(..., 2\) for weight \[4, 2\], got \[2, 3\]"),
        (lambda: F.linear(torch.tensor(1.0), torch.zeros(4, 2)), RuntimeError, "a weight of 1 or 2, got 0 and 2"),
        (lambda: F.linear(ZEROS, torch.zeros(4, 3).double()), RuntimeError, "dtype torch.float32, got torch.float64"),
        (lambda: F.linear(ZEROS, torch.zeros(4, 3), torch.zeros(3)), RuntimeError, r"bias that broadcasts to \[2, 4\], got \[3\]"),
        (lambda: F.gelu(ZEROS, approximate="erf"), RuntimeError, "either none or tanh, got 'erf'"),
        (lambda: F.dropout(ZEROS, -0.1), ValueError, "between 0 and 1, but got -0.1"),
        (lambda: nn.Dropout(2), ValueError, "between 0 and 1, but got 2"),
        (lambda: F.one_hot(ZEROS), RuntimeError, "LongTensor, got torch.float32"),
        (lambda: F.one_hot(torch.tensor([-1])), RuntimeError, "must be non-negative"),
        (lambda: F.one_hot(torch.tensor([3]), 3), RuntimeError, "smaller than num_classes: got 3 for 3 classes"),
        (lambda: F.mse_loss(ZEROS, ZEROS, reduction="average"), ValueError, "average is not a valid value for reduction"),
        (lambda: nn.L1Loss(reduction="all")(ZEROS, ZEROS), ValueError, "all is not a valid value for reduction"),
        (lambda: F.binary_cross_entropy(ZEROS, ZEROS[0]), ValueError, r"target size .*\[3\]\).* input size .*\[2, 3\]"),
        (lambda: F.binary_cross_entropy(ZEROS - 1, ZEROS), RuntimeError, "between 0 and 1"),
        (lambda: F.binary_cross_entropy_with_logits(ZEROS, ZEROS[0]), ValueError, r"Target size .*\[3\]\)\) must be the same"),
        (lambda: F.cross_entropy(ZEROS, ZEROS[:, :2]), RuntimeError, r"shape of the input, \[2, 3\], but got .* \[2, 2\]"),
        (lambda: F.cross_entropy(ZEROS, CLASSES), ValueError, r"shape \[2\] for input of shape \[2, 3\], got \[4\]"),
        (lambda: F.cross_entropy(ZEROS, CLASSES[:2] + 7), IndexError, "Target 9 is out of bounds: expected classes 0 to 2"),
        (lambda: F.nll_loss(ZEROS, ZEROS[:, 0]), RuntimeError, r"Long or Byte .* but got torch.float32 of shape \[2\]"),
        (lambda: F.nll_loss(ZEROS, CLASSES[:2], torch.ones(2)), RuntimeError, r"for all 3 classes or no classes, got \[2\]"),
        (lambda: F.cross_entropy(ZEROS, CLASSES[:2], label_smoothing=2.0), RuntimeError, "between 0.0 and 1.0. Got: 2.0"),
    ],
)
def test_mistakes_are_explained(act, error, message):
    with pytest.raises(error, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss])
def test_losses_that_broadcast_warn(loss):
    with pytest.warns(UserWarning, match="different to the input size"):
        assert loss(torch.zeros(4, 1), torch.ones(4)).item() == 1.0


@pytest.mark.parametrize("layer", [nn.ReLU(inplace=True), nn.ReLU()])
def test_relu_in_place(layer):
    x = torch.tensor([-1.0, 2.0])
    y = layer(x)
    assert y.tolist() == [0.0, 2.0]
    assert (y is x) is layer.inplace
    assert x.tolist() == ([0.0, 2.0] if layer.inplace else [-1.0, 2.0])


@pytest.mark.parametrize(
    ("flags", "reduction"), [((None, True), "mean"), ((True, None), "mean"), ((False, None), "sum"), ((True, False), "none")]
)
def test_the_flags_that_were_there_before_reduction(flags, reduction):
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}'"):
        assert nn.MSELoss(*flags).reduction == reduction
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}'"):
        found = F.cross_entropy(ZEROS, CLASSES[:2], size_average=flags[0], reduce=flags[1])
    assert found.tolist() == F.cross_entropy(ZEROS, CLASSES[:2], reduction=reduction).tolist()


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("rest", [0.0, math.inf, math.nan])
def test_what_is_ignored_counts_nothing_whatever_it_is(loss, rest):
    x = torch.tensor([[1.0, 2.0], [rest, -rest]], requires_grad=True)
    found = loss(x, torch.tensor([1, -100]))
    assert found.item() == loss(x[:1], torch.tensor([1])).item()
    found.backward()
    assert x.grad[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("act", [F.relu, F.leaky_relu, lambda x, inplace: F.dropout(x, 0.5, True, inplace)])
def test_in_place_functions_write_into_their_input_and_keep_the_gradient(act):
    found = []
    for inplace in (False, True):
        torch.manual_seed(0)
        x = torch.tensor([-1.0, 2.0, 3.0], requires_grad=True)
        y = x * 1
        z = act(y, inplace=inplace)
        assert (z is y) is inplace
        z.sum().backward()
        found.append((z.tolist(), x.grad.tolist()))
    assert found[0] == found[1]
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        act(x, inplace=True)
