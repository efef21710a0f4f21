"""New tensors beside PyTorch's: from data, filled, in sequence and at random with the same seed; what is refused."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

DATA = {
    "int": 3, "float": 2.5, "bool": True, "big": 2**40, "list": [1, 2, 3], "floats": [1.0, 2.0], "mixed": [1, 2.5, True],
    "bools": [True, False], "bool and int": [True, 2], "nested": [[1, 2], [3, 4]], "tuple": ((1.0,), (2.0,)), "empty": [],
    "nested empty": [[], []], "range": range(3), "array": np.arange(6.0).reshape(2, 3), "array32": np.ones(2, np.float32),
    "array of ints": np.arange(3, dtype=np.int16), "array of bools": np.array([True]), "0-d array": np.array(1.5),
    "int scalar": np.int32(3), "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "list of scalars": [np.float64(1.0), np.float64(2.0)], "list of arrays": [np.ones(2), np.zeros(2)],
    "inf": [float("inf"), float("nan")], "ragged": [[1], [1, 2]], "string": "a",
}  # fmt: skip
MIXED = {
    "float32 and int": [np.float32(1), 2], "float32 and float": [np.float32(1), 2.0], "float and float64": [2.0, np.float64(1)],
    "float16 and int": [np.float16(1), 2], "float16 and float": [np.float16(1), 2.0],
    "int64 and float32": [np.int64(1), np.float32(2)],
    "int32 and float": [np.int32(1), 2.0], "int8 and uint8": [np.int8(1), np.uint8(2)], "int and float64": [2, np.float64(1)],
    "nested scalars": [[np.float32(1), 1], [2, 3]], "array and list": [np.ones(2, np.float32), [1.0, 2.0]],
    "list and array": [[1.0, 2.0], np.ones(2)], "empty array and list": [np.ones(0, np.float16), []],
}  # fmt: skip
TYPES = (None, "float32", "float64", "float16", "int64", "int32", "uint8", "bool")


@pytest.mark.parametrize("maker", ["tensor", "as_tensor"])
@pytest.mark.parametrize("name", DATA)
def test_from_data(name, maker):
    for kind in TYPES:
        if kind in ("uint8", "int32", "int64") and name in ("big", "inf"):
            continue  # what does not fit into an integer
        compare(lambda p, kind=kind: getattr(p, maker)(DATA[name], dtype=kind and getattr(p, kind)), torch, tinygrad_nn, quiet=True)


@pytest.mark.parametrize("name", MIXED)
def test_from_numbers_of_numpy_and_of_python(name):
    compare(lambda p: [p.tensor(MIXED[name]), p.as_tensor(MIXED[name])], torch, tinygrad_nn)


def _gradient(p, draw):
    """What is drawn from a leaf, and the leaf's gradient."""
    x = p.tensor([0.2, 0.9, 0.5], requires_grad=True)
    drawn = draw(x)
    drawn.sum().backward()
    return drawn, drawn.requires_grad, x.grad


def _quietly(p):
    with p.no_grad():
        return p.zeros(3, requires_grad=True).normal_()


def _under_float64(p):
    p.set_default_dtype(p.float64)
    try:
        made = [p.tensor(1.5), p.zeros(2), p.arange(2.0), p.linspace(0, 1, 3), p.ones(2, dtype=p.int64) / 2, p.rand(2), p.randn(3)]
        return [repr(p.get_default_dtype()), *made, p.eye(1), p.full((1,), 1.5), p.ones(1, dtype=p.int64) * 1.5, p.Tensor([1])]
    finally:
        p.set_default_dtype(p.float32)


def given(value, function):
    return function(value)


MAKERS = {
    **{f"{name} {sizes}": lambda p, name=name, sizes=sizes: getattr(p, name)(*sizes)
       for name in ("zeros", "ones", "rand", "randn")
       for sizes in ((0,), (3,), (2, 3), ((2, 3),), ([2, 3],), (2, 0, 3), (-1,), (2, -3), ((),))},
    **{f"{name} {kind}": lambda p, name=name, kind=kind: getattr(p, name)(2, 3, dtype=getattr(p, kind))
       for name in ("zeros", "ones", "rand", "randn") for kind in ("float64", "float32", "float16", "int64", "bool")},
    **{f"{name} grad": lambda p, name=name: given(getattr(p, name)(2, requires_grad=True), lambda t: [t, t.requires_grad])
       for name in ("zeros", "ones", "rand", "randn", "arange", "eye")},
    "scalar": lambda p: [p.tensor(np.float32(1.5)), p.as_tensor(np.float64(2.5)), p.tensor(np.float32(1.5), dtype=p.float64)],
    **{f"{name} {kind}": lambda p, name=name, kind=kind: getattr(p, name)(p.ones(2, 3, dtype=getattr(p, kind)))
       for name in ("zeros_like", "ones_like", "rand_like", "randn_like") for kind in ("float64", "float32", "float16", "int64")},
    **{f"{name} to float64": lambda p, name=name: getattr(p, name)(p.ones(2, dtype=p.int32), dtype=p.float64, requires_grad=True)
       for name in ("zeros_like", "ones_like", "rand_like", "randn_like")},
    **{f"{name} {device}": lambda p, name=name, device=device: getattr(p, name)(2, device=device)
       for name in ("zeros", "ones", "arange", "eye", "randn") for device in ("cpu", "cpu:0", "nowhere")},
    **{f"full {value}": lambda p, value=value: p.full((2, 1), value) for value in (2, 2.5, True, float("inf"))},
    **{f"full_like {value}": lambda p, value=value: p.full_like(p.ones(2, dtype=p.int32), value) for value in (2, True, 7.9)},
    "full tensor": lambda p: p.full((2,), p.tensor(1.5)),
    "full dtype": lambda p: p.full((2,), 3, dtype=p.float16),
    "full list": lambda p: p.full([2, 2], 3),
    "full negative": lambda p: p.full((-2,), 3),
    "full_like dtype": lambda p: p.full_like(p.ones(2), 3, dtype=p.int64),
    "empty": lambda p: [p.empty(2, 3).shape, p.empty(2).dtype.is_floating_point, p.empty_like(p.ones(2, 1, dtype=p.int8)).shape],
    **{f"arange {bounds}": lambda p, bounds=bounds: p.arange(*bounds)
       for bounds in ((3,), (0,), (2.5,), (1, 4), (1, 2.0), (0, 1, 0.25), (5, 0, -2), (1, 1), (3, 0), (0, 3, -1), (0, 1, 0), (-3,),
                      (0, 10, 3), (True,), ("a",), (0.1, 1.0, 0.3), (2, 2, -1), (0, 0.3, 0.1))},
    **{f"arange {kind}": lambda p, kind=kind: p.arange(0, 3, dtype=getattr(p, kind)) for kind in ("float16", "float64", "int32")},
    **{f"linspace {bounds}": lambda p, bounds=bounds: p.linspace(*bounds)
       for bounds in ((0, 1, 5), (1, 0, 3), (0, 1, 1), (0, 1, 0), (2.5, 2.5, 3), (0, 1, -1))},
    "linspace float64": lambda p: p.linspace(-1, 1, 7, dtype=p.float64, requires_grad=True),
    **{f"eye {sizes}": lambda p, sizes=sizes: p.eye(*sizes) for sizes in ((3,), (0,), (2, 3), (3, 1), (2, 0))},
    "eye int": lambda p: p.eye(2, dtype=p.int64),
    "from_numpy": lambda p: p.from_numpy(np.arange(3, dtype=np.int16)),
    "from_numpy strided": lambda p: p.from_numpy(np.arange(12.0).reshape(3, 4)[::2, ::3]),
    "from_numpy 0-d": lambda p: p.from_numpy(np.array(2.0)),
    "from_numpy strings": lambda p: p.from_numpy(np.array(["a"])),
    "from_numpy scalar": lambda p: p.from_numpy(np.float64(2)),
    "tensor of tensor": lambda p: p.tensor([p.tensor(1.5), p.tensor(2.5)]),
    "tensor grad": lambda p: given(p.tensor([1.0], requires_grad=True), lambda t: [t, t.requires_grad]),
    "tensor grad int": lambda p: p.tensor([1], requires_grad=True),
    "as_tensor of a tensor": lambda p: given(p.ones(2), lambda t: [p.as_tensor(t) is t, p.as_tensor(t, dtype=p.float64)]),
    "Tensor": lambda p: [p.Tensor([1, 2]), p.Tensor(2, 3).shape, p.Tensor().shape, p.Tensor(np.ones(2)), p.Tensor(p.ones(2))],
    "Tensor of ints": lambda p: p.Tensor([[1, 2], [3, 4]]),
    **{f"randint {args}": lambda p, args=args: p.randint(*args)
       for args in ((5, (3,)), (2, 5, (2, 3)), (-3, 3, (4,)), (5, (0,)), (5, 5, (2,)), (5, 2, (2,)), (0, (2,)), (5,), (2, 5),
                    (0, 2**40, (3,)), (5, [2, 2]), (2, 5, ()), (5, 7.5, (2,)))},
    "randint dtype": lambda p: p.randint(0, 3, (5,), dtype=p.float32),
    "randint_like": lambda p: [p.randint_like(p.ones(3), 10), p.randint_like(p.ones(2, dtype=p.int64), 5, 9)],
    "randint_like dtype": lambda p: p.randint_like(p.ones(3), 10, dtype=p.int32),
    **{f"randperm {n}": lambda p, n=n: p.randperm(n) for n in (0, 1, 5, 40, -1)},
    "randperm int32": lambda p: p.randperm(5, dtype=p.int32),
    "normal": lambda p: p.normal(2.0, 0.5, (3,)),
    "normal float64": lambda p: p.normal(2.0, 0.5, (20,), dtype=p.float64),
    "normal tensors": lambda p: p.normal(p.arange(3.0), p.tensor([0.1, 1.0, 2.0])),
    "normal mean": lambda p: p.normal(p.arange(3.0), 0.5),
    "normal std": lambda p: p.normal(1.0, p.tensor([0.1, 1.0, 2.0])),
    "normal broadcast": lambda p: p.normal(p.zeros(2, 1), p.ones(3)),
    "normal without size": lambda p: p.normal(0.0, 1.0),
    "normal negative": lambda p: p.normal(0.0, -1.0, (2,)),
    "bernoulli": lambda p: p.bernoulli(p.tensor([0.1, 0.5, 0.9, 1.0, 0.0])),
    "bernoulli float64": lambda p: p.bernoulli(p.full((2, 9), 0.5, dtype=p.float64)),
    "bernoulli outside": lambda p: p.bernoulli(p.tensor([1.5])),
    "bernoulli int": lambda p: p.bernoulli(p.tensor([1])),
    "multinomial": lambda p: p.multinomial(p.tensor([0.1, 0.2, 0.7]), 2),
    "multinomial rows": lambda p: p.multinomial(p.tensor([[0.1, 0.2, 0.7], [1.0, 1.0, 0.0]]), 9, replacement=True),
    "multinomial too many": lambda p: p.multinomial(p.tensor([0.5, 0.5]), 3),
    "multinomial negative": lambda p: p.multinomial(p.tensor([-0.5, 0.5]), 1),
    **{f"{name}_ {kind}": lambda p, name=name, kind=kind: getattr(p.zeros(20, dtype=getattr(p, kind)), name + "_")()
       for name in ("uniform", "normal", "bernoulli", "exponential", "random")
       for kind in ("float32", "float64", "float16", "int64", "uint8", "bool")},
    "uniform_ bounds": lambda p: p.zeros(3).uniform_(-2, 2),
    "uniform_ backwards": lambda p: p.zeros(3).uniform_(2, -2),
    "normal_ parameters": lambda p: p.zeros(17).normal_(3.0, 0.1),
    "normal_ negative": lambda p: p.zeros(3).normal_(0, -1),
    "bernoulli_ p": lambda p: p.zeros(9).bernoulli_(0.8),
    "bernoulli_ outside": lambda p: p.zeros(9).bernoulli_(1.8),
    "exponential_ rate": lambda p: p.zeros(9).exponential_(3.0),
    "exponential_ negative": lambda p: p.zeros(9).exponential_(-3.0),
    "random_ to": lambda p: p.zeros(9).random_(7),
    "random_ from to": lambda p: p.zeros(9, dtype=p.int32).random_(-3, 3),
    "random_ empty": lambda p: p.zeros(9).random_(3, 3),
    "into a view": lambda p: given(p.zeros(3, 4), lambda t: [t[1:, ::2].normal_(), t]),
    "into a leaf": lambda p: p.zeros(3, requires_grad=True).normal_(),
    "into a leaf under no_grad": _quietly,
    "seeds": lambda p: [p.manual_seed(7).initial_seed(), p.initial_seed(), p.randn(2), p.manual_seed(-1).initial_seed()],
    "wrong seed": lambda p: p.manual_seed(2**64),
    "state": lambda p: given(p.get_rng_state(), lambda state: [state, p.randn(3), p.set_rng_state(state), p.randn(3)]),
    "wrong state": lambda p: p.set_rng_state(p.zeros(3, dtype=p.uint8)),
    "generator": lambda p: given(p.Generator().manual_seed(3), lambda g: [p.rand(2, generator=g), p.randperm(4, generator=g)]),
    "default dtype": _under_float64,
    "default dtype int": lambda p: p.set_default_dtype(p.int64),
    "dtypes": lambda p: [[repr(d), d.itemsize, d.is_floating_point, d.is_signed, d.is_complex] for d in
                         (p.float16, p.float32, p.float64, p.int8, p.int16, p.int32, p.int64, p.uint8, p.bool)],
    "sizes": lambda p: [repr(p.Size((2, 3))), p.Size((2, 3)).numel(), p.Size(()).numel(), p.Size([4]) == (4,)],
    "devices": lambda p: [repr(p.device("cpu")), str(p.device("cpu:0")), repr(p.device("cpu", 0)), p.device("cpu").type,
                          p.device("cpu").index, p.device("cpu") == p.device("cpu"), p.device("cpu") == "cpu",
                          p.device("cpu") != p.device("cpu:0"), len({p.device("cpu"), p.device("cpu")}), p.zeros(1).device.type],
    "wrong device": lambda p: p.device("nowhere"),
    "bernoulli with grad": lambda p: _gradient(p, p.bernoulli),
    "bernoulli method with grad": lambda p: _gradient(p, lambda x: x.sigmoid().bernoulli()),
    "poisson with grad": lambda p: _gradient(p, p.poisson),
    "normal with grad": lambda p: _gradient(p, lambda x: p.normal(x, 2.0)),
    "normal with grad by both": lambda p: _gradient(p, lambda x: p.normal(x[:1], x)),
    "normal around a number with grad": lambda p: _gradient(p, lambda x: p.normal(1.5, x)),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_made_as_in_pytorch(name):
    def program(p):
        p.manual_seed(5)
        return [MAKERS[name](p), p.rand(1)]  # the stream stands at the same place afterwards

    compare(program, torch, tinygrad_nn)


@hypothesis.given(
    start=st.decimals(-5, 5, places=3).map(float), length=st.floats(0.01, 5), step=st.floats(0.01, 0.5),
    kind=st.sampled_from(["float16", "float32", "float64"]), falling=st.booleans(),
)  # fmt: skip
def test_arange_to_the_last_bit(start, length, step, kind, falling):
    bounds = (start, start - length, -step) if falling else (start, start + length, step)
    theirs, ours = (p.arange(*bounds, dtype=getattr(p, kind)).numpy() for p in (torch, tinygrad_nn))
    np.testing.assert_array_equal(ours, theirs)


@hypothesis.given(
    start=st.floats(-5, 5, width=16), end=st.floats(-5, 5, width=16), steps=st.integers(0, 100),
    kind=st.sampled_from(["float32", "float64"]),
)  # fmt: skip
def test_linspace_to_the_last_bit(start, end, steps, kind):
    theirs, ours = (p.linspace(start, end, steps, dtype=getattr(p, kind)).numpy() for p in (torch, tinygrad_nn))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("make", ["zeros(2, dtype=float)", "ones(2).to(float)", "tensor([1], dtype=float)", "full((1,), 2.5)",
                                  "ones(2).sum(dtype=float)", "nn.Linear(1, 1, dtype=float).weight"])  # fmt: skip
def test_python_s_float_is_64_bits_as_a_dtype(make):
    theirs, ours = (value_of(f"p.{make}", p=p).dtype for p in (torch, tinygrad_nn))
    assert repr(ours) == repr(theirs)


DEVICES = [
    "p.device('cuda')", "p.device('cuda:1')", "p.device('cuda', 2)", "p.device('mps')", "p.device('meta')", "p.device('nowhere')",
    "p.device(device='cpu')", "p.device(p.device('cuda'))", "p.ones(1, device='cuda')",
    "p.ones(1).to('cuda')", "p.ones(1).to('mps')",
    "p.nn.Linear(1, 1).to('cuda:0')", "p.nn.Linear(1, 1, device='cuda')", "p.zeros_like(p.ones(1), device='cuda')",
    "p.arange(3, device='cuda')", "p.ones(1).new_tensor([1.0], device='cuda')", "p.device('cuda') == p.device('cuda:0')",
]  # fmt: skip


@pytest.mark.parametrize("text", DEVICES)
def test_devices_that_are_not_there(text):
    def program(p):
        return str(value_of(text, p=p))

    compare(program, torch, tinygrad_nn)
