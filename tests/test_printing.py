"""Printing against strings that PyTorch printed; the parity tests ask PyTorch itself."""

import numpy as np
import pytest

from tinygrad_nn.printing import (
    PrintOptions,
    format_tensor,
    get_printoptions,
    printoptions,
    set_printoptions,
)

f32 = np.float32


@pytest.fixture(autouse=True)
def _default_options():
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


EXPECTED = {
    "decimals": (f32([1.5, -2, 100.25]), "tensor([  1.5000,  -2.0000, 100.2500])"),
    "whole floats keep a dot": (f32([1, -20, 0]), "tensor([  1., -20.,   0.])"),
    "integers": (np.int64([1, -20, 300]), "tensor([  1, -20, 300])"),
    "bools": (np.array([True, False]), "tensor([ True, False])"),
    "small": (f32([1e-5, 1]), "tensor([1.0000e-05, 1.0000e+00])"),
    "large": (f32([1e9]), "tensor([1.0000e+09])"),
    "nonfinite": (f32([np.nan, np.inf, -np.inf, 1]), "tensor([nan, inf, -inf, 1.])"),
    "only zeros": (f32([0, -0.0]), "tensor([0., -0.])"),
    "a zero may stick out": (f32([-0.0, 0.5]), "tensor([-0.0000, 0.5000])"),
    "subnormal": (f32(1e-45), "tensor(1.4013e-45)"),
    "no dimensions": (f32(3.14159), "tensor(3.1416)"),
    "the largest integer": (np.int64(2**63 - 1), "tensor(9223372036854775807)"),
    "float64": (np.float64([0.5]), "tensor([0.5000], dtype=torch.float64)"),
    "uint8": (np.uint8([[7], [255]]), "tensor([[  7],\n        [255]], dtype=torch.uint8)"),
    "empty": (np.zeros(0, f32), "tensor([])"),
    "empty, shaped": (np.zeros((0, 3), f32), "tensor([], size=(0, 3))"),
    "empty integers": (np.zeros((2, 0), np.int64), "tensor([], size=(2, 0), dtype=torch.int64)"),
    "blank lines between blocks": (
        np.arange(4).reshape(2, 1, 2),
        "tensor([[[0, 1]],\n\n        [[2, 3]]])",
    ),
    "wrapped": (
        np.arange(22),
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n        18, 19, 20, 21])",
    ),
    "summarised": (np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    "summarised matrix": (
        np.arange(2000).reshape(1000, 2),
        "tensor([[   0,    1],\n        [   2,    3],\n        [   4,    5],\n        ...,\n"
        "        [1994, 1995],\n        [1996, 1997],\n        [1998, 1999]])",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_literal(name):
    array, text = EXPECTED[name]
    assert format_tensor(np.asarray(array)) == text


def test_default_dtype_is_not_printed():
    assert format_tensor(np.float64([0.5]), default_dtype=np.dtype(np.float64)) == "tensor([0.5000])"
    assert format_tensor(f32([0.5]), default_dtype=np.dtype(np.float64)) == "tensor([0.5000], dtype=torch.float32)"


def test_suffixes_and_prefix():
    text = format_tensor(f32([[1], [2]]), suffixes=["requires_grad=True"], prefix="Parameter containing:\ntensor(")
    assert text == "Parameter containing:\ntensor([[1.],\n        [2.]], requires_grad=True)"


def test_a_suffix_that_does_not_fit_goes_to_a_line_of_its_own():
    text = format_tensor(f32([0.5] * 8), suffixes=["grad_fn=<MulBackward0>"])
    values = ", ".join(["0.5000"] * 8)
    assert text == f"tensor([{values}],\n       grad_fn=<MulBackward0>)"


def test_a_view_prints_as_its_copy_and_stays_as_it_is():
    base = np.arange(6, dtype=f32).reshape(2, 3)
    assert format_tensor(base.T[::-1]) == format_tensor(base.T[::-1].copy())
    np.testing.assert_array_equal(base, np.arange(6).reshape(2, 3))


def test_profiles():
    defaults = get_printoptions()
    assert defaults == vars(PrintOptions())
    set_printoptions(profile="short")
    assert format_tensor(np.arange(1001)) == "tensor([   0,    1,  ...,  999, 1000])"
    assert format_tensor(f32([0.125])) == "tensor([0.12])"
    set_printoptions(profile="full", precision=1)
    assert "..." not in format_tensor(np.arange(1001))
    assert format_tensor(f32([0.5])) == "tensor([0.5])"
    set_printoptions(profile="default")
    assert get_printoptions() == defaults


def test_scientific_on_and_off():
    with printoptions(sci_mode=True):
        assert format_tensor(f32([1, 2])) == "tensor([1.0000e+00, 2.0000e+00])"
    with printoptions(sci_mode=False):
        assert format_tensor(f32([1e-5])) == "tensor([0.0000])"


def test_the_context_manager_restores_the_options_after_an_error():
    before = get_printoptions()
    with pytest.raises(ZeroDivisionError), printoptions(precision=1, edgeitems=1, linewidth=20, threshold=2):
        1 / 0  # noqa: B018
    assert get_printoptions() == before


def test_an_unknown_profile_is_an_error_and_changes_nothing():
    before = get_printoptions()
    with pytest.raises(ValueError, match=r"profile must be one of .*, got 'tiny'"):
        set_printoptions(profile="tiny", precision=1)
    assert get_printoptions() == before
