"""Grad modes and anomaly detection: blocks, decorators, threads, tasks, and what they say."""

import asyncio
import threading

import pytest

import tinygrad_nn as torch
from tinygrad_nn import autograd
from tinygrad_nn.autograd import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


@pytest.fixture(autouse=True)
def _back_to_normal():
    yield
    assert is_grad_enabled()
    assert not is_inference_mode_enabled()
    torch.log(torch.zeros(1))  # anomaly detection is off: an infinity is no error


# name: how the mode is made, and what (recording, inference) is inside it
MODES = {
    "no_grad": (no_grad, (False, False)),
    "enable_grad": (enable_grad, (True, False)),
    "inference_mode": (inference_mode, (False, True)),
    "inference_mode(False)": (lambda: inference_mode(False), (True, False)),
    "set_grad_enabled(False)": (lambda: set_grad_enabled(False), (False, False)),
    "set_grad_enabled(True)": (lambda: set_grad_enabled(True), (True, False)),
}


def state():
    return is_grad_enabled(), is_inference_mode_enabled()


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("outside", [True, False])
def test_blocks_and_decorated_functions(name, outside):
    make, expected = MODES[name]
    with set_grad_enabled(outside):
        with make():
            assert state() == expected
            assert (leaf(1.0) * 2).requires_grad is expected[0]
        assert state() == (outside, False)

        @make()
        def inside(a, *, b):
            """Doc."""
            return state(), a, b

        assert state() == (outside, False)
        assert inside(1, b=2) == (expected, 1, 2)
        assert inside(1, b=2)[0] == expected
        assert (inside.__name__, inside.__doc__) == ("inside", "Doc.")
        assert state() == (outside, False)


@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
def test_decorators_without_brackets(name):
    mode, expected = MODES[name]

    @mode
    def inside():
        return state()

    with set_grad_enabled(not expected[0]):
        assert inside() == expected
    assert inside.__name__ == "inside"


@pytest.mark.parametrize("name", MODES)
def test_an_exception_ends_the_mode(name):
    make, _ = MODES[name]

    @make()
    def fail():
        raise KeyError(name)

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(KeyError), make():
        raise KeyError(name)
    assert state() == (True, False)


def test_decorated_functions_may_call_themselves():
    @no_grad()
    def count(n):
        return [is_grad_enabled()] + (count(n - 1) if n else [])

    assert count(3) == [False] * 4


def test_one_object_may_be_entered_twice():
    mode = no_grad()
    with mode:
        with mode:
            assert not is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_set_grad_enabled_as_a_function_lasts():
    set_grad_enabled(False)
    try:
        assert not is_grad_enabled()
        assert not (leaf(1.0) * 2).requires_grad
    finally:
        set_grad_enabled(True)


def test_each_step_of_a_generator_runs_in_the_mode_and_what_is_between_does_not():
    ended = []

    @no_grad()
    def numbers():
        """Doc."""
        try:
            sent = yield is_grad_enabled()
            yield sent, is_grad_enabled()
        except KeyError:
            yield "caught", is_grad_enabled()
        finally:
            ended.append(is_grad_enabled())
        return "end"

    steps = numbers()
    assert (numbers.__doc__, next(steps), is_grad_enabled()) == ("Doc.", False, True)
    assert (steps.send(3), steps.throw(KeyError()), is_grad_enabled()) == ((3, False), ("caught", False), True)
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert (stop.value.value, ended) == ("end", [False])
    steps = numbers()
    next(steps)
    steps.close()
    assert ended == [False, False]
    assert is_grad_enabled()


def test_leaves_made_without_recording_are_leaves_that_can_require_grad():
    with no_grad():
        x = leaf(2.0)
        y = x * 3
    assert x.requires_grad
    assert y.is_leaf
    assert not y.requires_grad
    (y.requires_grad_() * x).backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([6.0], [2.0])


def test_leaves_may_be_written_to_without_recording():
    x = leaf(2.0)
    with no_grad():
        x.mul_(5)
    assert x.tolist() == [10.0]
    assert x.is_leaf


def test_a_mode_belongs_to_its_thread():
    entered, seen = threading.Barrier(2, timeout=30), {}

    def work(name, mode):
        with mode():
            entered.wait()  # both threads are inside now
            seen[name] = state()
            entered.wait()

    threads = [threading.Thread(target=work, args=item) for item in (("plain", enable_grad), ("inference", inference_mode))]
    with no_grad():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert state() == (False, False)
    assert seen == {"plain": (True, False), "inference": (False, True)}


def test_a_mode_belongs_to_its_task():
    async def work(mode):
        with mode():
            await asyncio.sleep(0)
            return state()

    async def together():
        return await asyncio.gather(work(no_grad), work(enable_grad), work(inference_mode))

    assert asyncio.run(together()) == [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize("mode", [detect_anomaly, lambda: set_detect_anomaly(True)])
def test_the_first_value_that_is_not_finite_is_an_error(mode):
    with mode():
        where = r"finite inputs of shapes \[2\] \(.*test_modes.py:\d+, in"
        with pytest.raises(RuntimeError, match=f"log made the first inf out of {where}"):
            torch.log(torch.tensor([0.0, 1.0]))
        with pytest.raises(RuntimeError, match="div made the first nan"):
            torch.zeros(1) / torch.zeros(1)
        assert (torch.tensor([float("inf")]) * 2).item() == float("inf")  # it came in


@pytest.mark.parametrize("mode", [lambda: detect_anomaly(check_nan=False), lambda: set_detect_anomaly(True, check_nan=False),
                                  lambda: set_detect_anomaly(False)])  # fmt: skip
def test_detection_switched_off(mode):
    with detect_anomaly(), mode():
        assert torch.log(torch.zeros(1)).item() == float("-inf")


def test_detection_as_a_decorator_and_as_a_function():
    @detect_anomaly()
    def inside():
        return torch.log(torch.zeros(1))

    with pytest.raises(RuntimeError, match="log made the first inf"):
        inside()
    set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match="log made the first inf"):
            torch.log(torch.zeros(1))
    finally:
        set_detect_anomaly(False)

    @set_detect_anomaly(True)
    def again():
        return torch.log(torch.zeros(1))

    with pytest.raises(RuntimeError, match="log made the first inf"):
        again()


def test_gradients_that_are_not_finite_are_an_error_with_the_line_of_the_forward():
    x = leaf(0.0)
    with detect_anomaly():
        y = x.sqrt()
        with pytest.raises(RuntimeError, match=r"'SqrtBackward0' returned inf values as the gradient of 'x'.*test_modes.py:\d+"):
            y.backward()
        y = (x.sqrt() * 0).sum()
        with pytest.raises(RuntimeError, match=r"returned nan values.*0 \* inf"):
            y.backward()


def test_every_public_name_is_there():
    assert all(hasattr(autograd, name) for name in autograd.__all__)
