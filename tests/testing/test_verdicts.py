"""What the checker calls mistakes that are seldom: shapes that fit nothing, state, dtypes, layouts, numbers instead of arrays."""

import sys

import numpy as np
import pytest

from tinygrad_nn.testing import gradcheck, limit

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.3, -0.7]])
W = np.arange(6.0).reshape(3, 2) + 1


def moved_to(shape):
    """A gradient that is right in nothing, of a shape that the input has not."""
    return lambda g, x: np.linspace(3, 7, int(np.prod(shape))).reshape(shape)


WRONG = {
    "transposed": ((lambda x: x @ W, lambda g, x: (g @ W.T).T), X, "transpose", "the last two axes are exchanged"),
    "larger": ((lambda x: x * X, moved_to((2, 3))), X[0], "missing_sum", "no sum over what was broadcast"),
    "smaller": ((np.sin, moved_to((2,))), X[0], "shape", "shape [2] for an input of [3]"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_shapes(name):
    target, x, code, told = WRONG[name]
    with np.errstate(all="ignore"):
        found = gradcheck(target, [x]).diagnosis
    assert found.code == code
    assert told in found.text


def codes(report):
    return [breach.code for breach in report.breaches]


def test_a_gradient_of_the_inputs_before_is_stale():
    kept = {}

    def sine(x):
        kept["x"] = x.copy()
        return np.sin(x)

    assert "stale_state" in codes(gradcheck((sine, lambda g, x: g * np.cos(kept["x"])), [X]))


def test_a_function_that_refuses_inputs_further_away_is_right():
    def near(x):
        if np.abs(x - X).max() > 0.1:
            raise ValueError("too far")
        return np.sin(x)

    assert gradcheck((near, lambda g, x: g * np.cos(x)), [X])


def test_a_backward_that_fails_on_float32():
    def vjp(g, x):
        if x.dtype == np.float32:
            raise TypeError("doubles only")
        return g * np.cos(x)

    report = gradcheck((np.sin, vjp), [X])
    assert codes(report) == ["float32"]
    assert "the backward fails on float32 inputs" in str(report)


def test_a_function_that_takes_row_major_arrays_alone_is_right():
    def sine(x):
        if not x.flags.c_contiguous:
            raise ValueError("row-major only")
        return np.sin(x)

    assert gradcheck((sine, lambda g, x: g * np.cos(x)), [X])


def test_a_gradient_that_is_wrong_for_numbers_alone():
    report = gradcheck((np.sin, lambda g, x: g * np.cos(x) * (1 if x.ndim else 2)), [X])
    assert codes(report) == ["scalar"]
    assert "on 0-d inputs the gradient of input 0 is" in str(report)


def test_outputs_that_are_not_finite_are_noted():
    with np.errstate(all="ignore"):
        report = gradcheck((lambda x: 1 / x, lambda g, x: -g / x**2), [np.array([1.0, 0.0, 2.0])])
    assert "an output is not finite here; elements that lead to it were not compared" in report.notes


def test_many_kinks_are_counted():
    text = str(gradcheck(lambda x: x.relu(), [np.zeros(8)]))
    assert text.count("kink at") == 5
    assert "and 3 more kinks" in text


def test_results_that_are_no_tensors_are_left_out():
    assert gradcheck(lambda x: (x.sin(), "sine", 5, x.argmax()), [X])


def test_gradients_of_the_floating_inputs_alone():
    def added(g, x, i):
        found = np.zeros_like(x)
        np.add.at(found, i, g)
        return found

    assert gradcheck((lambda x, i: x[i], lambda g, x, i: (added(g, x, i),)), [X, np.array([0, 0, 1])])


def test_a_sum_over_the_second_of_two_axes_is_missing():
    report = gradcheck((lambda x: (X @ x)[None], lambda g, x: g[0, 0] * X[0]), [X[0]])
    assert report.diagnosis.code == "missing_sum"
    assert "the output's axis 1" in report.diagnosis.text


def test_a_shape_that_does_not_fit_has_no_worst_element():
    report = gradcheck((lambda x: x**3, lambda g, x: (g * 3 * x * x).reshape(3)), [X[:1]])
    assert report.diagnosis.code == "shape"
    assert report.worst.analytic is None
    assert "worst:" not in str(report)


def test_a_factor_near_1_is_told_with_its_digits():
    report = gradcheck((np.sin, lambda g, x: g * np.cos(x) * (1 + 5e-6)), [X])
    assert report.diagnosis.text == "off by a constant factor of 1.000005"


def test_a_random_gradient_is_called_random_first():
    rng = np.random.default_rng(0)
    report = gradcheck((np.sin, lambda g, x: g * np.cos(x) * rng.random()), [X])
    assert report.diagnosis.code == "nondeterministic"


def test_the_usual_exchanges_are_named():
    assert gradcheck((np.sin, lambda g, x: np.cos(x)), [X]).diagnosis.code == "upstream"
    report = gradcheck((lambda a, b: a * b, lambda g, a, b: (g * a, g * b)), [X, X + 1], names=["a", "b"])
    assert report.diagnosis == ("exchanged", "the gradients of a and b are exchanged", None)
    squares = [X[:, :2], W[:2]]
    report = gradcheck((np.matmul, lambda g, a, b: (b.T @ g, g @ a.T)), squares)
    assert report.diagnosis.code == "order"


def doubled_until_large(x):
    while x.norm() < 10:
        x = x * 2
    return x


def root(a):
    """Newton's method, which float32 never lets come so near."""
    x = np.ones_like(a)
    while np.any(abs(x * x - a) > 1e-12 * a):
        x = (x + a / x) / 2
    return x


def test_a_function_that_does_not_end_on_other_inputs(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.1)
    before = sys.gettrace()
    report = gradcheck(doubled_until_large, [np.array([1.0, 2.0])])
    assert report
    assert "on empty inputs, which the contract tries as well, the function did not end within 0.1 seconds" in report.notes
    report = gradcheck((root, lambda g, x: g / (2 * np.sqrt(x))), [np.array([2.0, 3.0])])
    assert report
    assert "on float32 inputs, which the contract tries as well, the function did not end within 0.1 seconds" in report.notes
    assert sys.gettrace() is before


def test_a_backward_that_does_not_end_on_other_inputs(monkeypatch):
    def vjp(g, x):
        while x.ndim == 0:
            pass
        return g * np.cos(x)

    monkeypatch.setattr(limit, "SECONDS", 0.1)
    assert any("on 0-d inputs" in note for note in gradcheck((np.sin, vjp), [X]).notes)


def test_means_of_nothing_do_not_warn():
    assert gradcheck((lambda x: x - x.mean(-1, keepdims=True), lambda g, x: g - g.mean(-1, keepdims=True)), [X])
