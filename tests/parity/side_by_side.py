"""Runs one program with PyTorch and with this package, and compares all that it gives back, or how it fails."""

import warnings
from collections.abc import Mapping

import numpy as np


def outcome(program, package, *args):
    """What the program gives back in plain terms, or the exception it raises."""
    try:
        return plain(program(package, *args))
    except Exception as error:
        return error


def value_of(text, /, **names):
    """What an expression written in a test gives, of these names.

    It is text because it is also the name of its test; every such text is a literal beside its test, no other comes here.
    """
    return eval(text, names)


def plain(value):
    """Tensors as (dtype, shape, array), containers item by item, all else as it is."""
    if hasattr(value, "detach"):
        array = value.detach().numpy()
        return "tensor", repr(value.dtype), tuple(value.shape), array.copy()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def agree(theirs, ours, tolerance=1e-6):
    """Assert that two outcomes are equal, numbers up to a tolerance and errors by their type."""
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert isinstance(theirs, Exception), f"PyTorch gives {theirs!r} and we raise {ours!r}"
        expected = RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)  # a kernel that PyTorch has not
        assert isinstance(ours, expected), f"PyTorch raises {theirs!r} and we give {ours!r}"
    elif isinstance(theirs, dict):
        assert list(theirs) == list(ours)
        for key in theirs:
            agree(theirs[key], ours[key], tolerance)
    elif isinstance(theirs, list | tuple):
        assert isinstance(ours, list | tuple)
        assert len(theirs) == len(ours)
        for a, b in zip(theirs, ours, strict=True):
            agree(a, b, tolerance)
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    elif isinstance(theirs, float):
        assert isinstance(ours, float)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    else:
        assert type(theirs) is type(ours)
        assert theirs == ours


def compare(program, reference, ours, *args, tolerance=1e-6, quiet=False):
    """Run the program with both packages and assert that they agree; PyTorch may warn, we only if `quiet`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = outcome(program, reference, *args)
        found = outcome(program, ours, *args) if quiet else None
    agree(expected, found if quiet else outcome(program, ours, *args), tolerance)
