"""Every method of Tensor beside PyTorch's, on tensors of every kind: value, dtype, gradient, shared memory, error type."""

import re

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

rng = np.random.default_rng(0)
FLOATS = rng.uniform(0.25, 2.0, (2, 3))
INTS = np.array([[3, 0, 2], [1, 7, 5]])

# The tensors that each method is tried on.
INPUTS = {
    "matrix": lambda p: p.tensor(FLOATS.astype(np.float32)),
    "double": lambda p: p.tensor(FLOATS),
    "half": lambda p: p.tensor(FLOATS.astype(np.float16)),
    "vector": lambda p: p.tensor(FLOATS[0]),
    "0-d": lambda p: p.tensor(0.75),
    "3-d": lambda p: p.tensor(rng_array((2, 1, 3))),
    "transposed": lambda p: p.tensor(FLOATS.T.copy()).T,
    "strided": lambda p: p.tensor(rng_array((4, 6)))[::2, 1::2],
    "expanded": lambda p: p.tensor(FLOATS[:, :1].copy()).expand(2, 3),
    "empty": lambda p: p.zeros(0),
    "no rows": lambda p: p.zeros(0, 3),
    "no columns": lambda p: p.zeros(2, 0),
    "int64": lambda p: p.tensor(INTS),
    "int32": lambda p: p.tensor(INTS.astype(np.int32)),
    "uint8": lambda p: p.tensor(INTS.astype(np.uint8)),
    "bool": lambda p: p.tensor(INTS > 1),
    "special": lambda p: p.tensor([[0.0, -0.0, float("inf")], [float("-inf"), float("nan"), -2.5]]),
}


def rng_array(shape):
    return np.random.default_rng(3).uniform(0.25, 2.0, shape)


UNARY = [
    "neg", "abs", "sign", "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "tanh",
    "sigmoid", "relu", "erf", "isnan", "isinf", "isfinite", "floor", "ceil", "round", "absolute", "negative", "logical_not",
    "bitwise_not", "sum", "mean", "prod", "var", "std", "amax", "amin", "max", "min", "argmax", "argmin", "all", "any",
    "flatten", "squeeze", "t", "contiguous", "clone", "unbind", "type", "float", "double", "long", "int", "bool", "cpu",
    "tolist", "item", "numel", "nelement", "dim", "size", "is_contiguous", "is_floating_point", "element_size", "stride",
]  # fmt: skip

# What is done with a tensor.
METHODS = {
    **{name: lambda p, x, name=name: getattr(x, name)() for name in UNARY},
    **{f"{name} {kind}": lambda p, x, name=name, other=other: getattr(x, name)(other(p, x))
       for name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "floor_divide",
                    "remainder", "logical_and", "logical_or", "bitwise_and", "bitwise_or", "bitwise_xor", "subtract", "multiply",
                    "divide", "true_divide", "max", "min", "type_as", "expand_as", "view_as", "__add__", "__rsub__")
       for kind, other in (("itself", lambda p, x: x), ("a row", lambda p, x: p.tensor([2.0, 0.5, 1.0])),
                           ("ints", lambda p, x: p.tensor([2, 1, 3])))
       if hasattr(tinygrad_nn.Tensor, name)},
    **{f"{name} {number}": lambda p, x, name=name, number=number: getattr(x, name)(number)
       for name in ("add", "sub", "mul", "div", "pow", "eq", "ne", "lt", "le", "gt", "ge", "floor_divide", "remainder",
                    "bitwise_and", "bitwise_or", "bitwise_xor")
       for number in (2, 2.5, True, -1) if (name, number) != ("sub", True)},
    **{f"{name} dim {dim}": lambda p, x, name=name, dim=dim: getattr(x, name)(dim)
       for name in ("sum", "mean", "prod", "var", "std", "amax", "amin", "max", "min", "argmax", "argmin", "all", "any", "cumsum",
                    "logsumexp", "softmax", "log_softmax", "squeeze", "unsqueeze", "unbind", "flip", "size", "stride")
       for dim in (0, -1, 1, 2)},
    **{f"{name} keepdim": lambda p, x, name=name: getattr(x, name)(-1, keepdim=True)
       for name in ("sum", "mean", "prod", "var", "std", "amax", "amin", "max", "min", "argmax", "argmin", "all", "any",
                    "logsumexp")},
    **{f"{name} dims": lambda p, x, name=name: getattr(x, name)((0, 1))
       for name in ("sum", "mean", "var", "std", "amax", "amin", "all", "any", "logsumexp", "squeeze", "flip", "permute")},
    **{f"{name} no dims": lambda p, x, name=name: getattr(x, name)(())
       for name in ("sum", "mean", "amax", "amin", "squeeze", "flip", "permute")},
    **{f"{name} twice": lambda p, x, name=name: getattr(x, name)((0, 0))
       for name in ("sum", "mean", "var", "std", "amax", "amin", "all", "any", "logsumexp", "squeeze", "flip", "permute")},
    **{f"{name} dtype": lambda p, x, name=name: getattr(x, name)(0, dtype=p.float64)
       for name in ("sum", "mean", "prod", "cumsum", "softmax", "log_softmax")},
    **{f"to {name}": lambda p, x, name=name: x.to(getattr(p, name))
       for name in ("float16", "float32", "float64", "int64", "bool")},
    "var biased": lambda p, x: x.var(unbiased=False),
    "std biased": lambda p, x: x.std(False),
    "var correction": lambda p, x: x.var(0, correction=0),
    "T": lambda p, x: x.T,
    "mT": lambda p, x: x.mT,
    "+": lambda p, x: +x,
    "~": lambda p, x: ~x,
    "2 **": lambda p, x: 2 ** x,
    "2.0 **": lambda p, x: 2.0 ** x,
    "1 -": lambda p, x: 1 - x,
    "1 /": lambda p, x: 1 / x,
    "7 //": lambda p, x: 7 // x,
    "7 %": lambda p, x: 7 % x,
    "& |": lambda p, x: (x > 1) & (x < 2) | (x == 0.75) ^ True,
    "add alpha": lambda p, x: x.add(x, alpha=3),
    "add float alpha": lambda p, x: x.add(x, alpha=0.5),
    "sub alpha": lambda p, x: x.sub(2, alpha=2),
    "div floor": lambda p, x: x.div(2, rounding_mode="floor"),
    "div trunc": lambda p, x: x.div(-2, rounding_mode="trunc"),
    "div rounding": lambda p, x: x.div(2, rounding_mode="up"),
    "clamp": lambda p, x: x.clamp(1, 2),
    "clamp floats": lambda p, x: x.clamp(0.5, 1.5),
    "clamp min": lambda p, x: x.clamp(min=1),
    "clip max": lambda p, x: x.clip(max=1),
    "clamp none": lambda p, x: x.clamp(),
    "clamp tensors": lambda p, x: x.clamp(p.tensor(1.0), p.tensor(1.5)),
    "clamp min tensor": lambda p, x: x.clamp(min=p.tensor(1.0)),
    "clamp max tensor": lambda p, x: x.clamp(max=p.tensor(1.0)),
    "masked_fill": lambda p, x: x.masked_fill(x > 1, 2),
    "masked_fill tensor": lambda p, x: x.masked_fill(x > 1, p.tensor(2.0)),
    "masked_fill ints": lambda p, x: x.masked_fill(p.tensor([1, 0, 1]), 2),
    "where": lambda p, x: x.where(x > 1, 2),
    "where ints": lambda p, x: x.where(p.tensor([1, 0, 1]), 2),
    "reshape": lambda p, x: x.reshape(3, 2),
    "reshape tuple": lambda p, x: x.reshape((-1, 3)),
    "reshape -1": lambda p, x: x.reshape(-1),
    "reshape -1 -1": lambda p, x: x.reshape(-1, -1),
    "reshape -2": lambda p, x: x.reshape(-2, 3),
    "reshape -1 0": lambda p, x: x.reshape(-1, 0),
    "view": lambda p, x: x.view(3, 2),
    "view size": lambda p, x: x.view(x.shape),
    "view -1": lambda p, x: x.view(-1),
    "view list": lambda p, x: x.view([1, -1]),
    "flatten backwards": lambda p, x: x.flatten(1, 0),
    "unflatten": lambda p, x: x.unflatten(-1, (-1, 3)),
    "unflatten misfit": lambda p, x: x.unflatten(0, (2, 2)),
    "transpose": lambda p, x: x.transpose(0, 1),
    "transpose -1": lambda p, x: x.transpose(0, -1),
    "permute": lambda p, x: x.permute(1, 0),
    "permute three": lambda p, x: x.permute(1, 0, -1),
    "movedim": lambda p, x: x.movedim(0, -1),
    "movedim lists": lambda p, x: x.movedim((0, 1), (1, 0)),
    "movedim twice": lambda p, x: x.movedim((0, 0), (0, 1)),
    "expand": lambda p, x: x.expand(2, 2, 3),
    "expand -1": lambda p, x: x.expand(4, *[-1] * x.dim()),
    "expand new -1": lambda p, x: x.expand(-1, *x.shape),
    "expand fewer": lambda p, x: x.expand(3),
    "broadcast_to": lambda p, x: x.broadcast_to((2, 2, 3)),
    "sum_to_size": lambda p, x: x.sum_to_size(1, 3),
    "sum_to_size misfit": lambda p, x: x.sum_to_size(5),
    "narrow": lambda p, x: x.narrow(-1, 1, 2),
    "narrow back": lambda p, x: x.narrow(0, -1, 1),
    "narrow far": lambda p, x: x.narrow(0, 9, 1),
    "narrow long": lambda p, x: x.narrow(0, 0, 9),
    "narrow negative": lambda p, x: x.narrow(0, 0, -1),
    "split": lambda p, x: x.split(2),
    "split dim": lambda p, x: x.split(2, -1),
    "split sizes": lambda p, x: x.split([1, 2], -1),
    "split misfit": lambda p, x: x.split([1, 5]),
    "split 0": lambda p, x: x.split(0),
    "split -1": lambda p, x: x.split(-1),
    "chunk": lambda p, x: x.chunk(2),
    "chunk many": lambda p, x: x.chunk(9, -1),
    "chunk 0": lambda p, x: x.chunk(0),
    "flip dims": lambda p, x: x.flip(0, 1),
    "roll": lambda p, x: x.roll(1),
    "roll dim": lambda p, x: x.roll(-1, 0),
    "roll dims": lambda p, x: x.roll((1, 2), (0, 1)),
    "roll uneven": lambda p, x: x.roll((1, 2), (0,)),
    "roll two without dims": lambda p, x: x.roll((1, 2)),
    "gather": lambda p, x: x.gather(-1, p.zeros(x.shape, dtype=p.int64)),
    "gather 0": lambda p, x: x.gather(0, p.tensor([[1, 0], [0, 1]])),
    "gather 0-d": lambda p, x: x.gather(0, p.tensor(0)),
    "gather vector": lambda p, x: x.gather(0, p.tensor([0, 0])),
    "gather floats": lambda p, x: x.gather(0, p.tensor([[1.0]])),
    "gather far": lambda p, x: x.gather(0, p.tensor([[5]])),
    "gather negative": lambda p, x: x.gather(0, p.tensor([[-1]])),
    "gather wide": lambda p, x: x.gather(0, p.zeros(1, 9, dtype=p.int64)),
    "index_select": lambda p, x: x.index_select(0, p.tensor([1, 0, 1])),
    "index_select -1": lambda p, x: x.index_select(-1, p.tensor([0])),
    "index_select 0-d": lambda p, x: x.index_select(0, p.tensor(0)),
    "index_select matrix": lambda p, x: x.index_select(0, p.tensor([[0]])),
    "index_select far": lambda p, x: x.index_select(0, p.tensor([7])),
    "index_select int32": lambda p, x: x.index_select(0, p.tensor([1, 0], dtype=p.int32)),
    "masked_select": lambda p, x: x.masked_select(x > 1),
    "masked_select row": lambda p, x: x.masked_select(p.tensor([True, False, True])),
    "masked_select ints": lambda p, x: x.masked_select(p.tensor([1, 0, 1])),
    "matmul": lambda p, x: x.matmul(x.mT),
    "mm": lambda p, x: x.mm(x.T),
    "bmm": lambda p, x: x.bmm(x.mT),
    "bmm misfit": lambda p, x: x.bmm(p.ones(5, 3, 2)),
    "mv": lambda p, x: x.mv(x[0]),
    "dot": lambda p, x: x.dot(x),
    "@ vector": lambda p, x: x @ x.reshape(-1)[:3],
    "vector @": lambda p, x: x.reshape(-1)[:2] @ x,
    "@ number": lambda p, x: x @ 2,
    "[0]": lambda p, x: x[0],
    "[-1]": lambda p, x: x[-1],
    "[...]": lambda p, x: x[...],
    "[None]": lambda p, x: x[None],
    "[()]": lambda p, x: x[()],
    "[True]": lambda p, x: x[True],
    "[False]": lambda p, x: x[False],
    "[1:]": lambda p, x: x[1:],
    "[:, ::2]": lambda p, x: x[:, ::2],
    "[..., 0]": lambda p, x: x[..., 0],
    "[[1, 0]]": lambda p, x: x[[1, 0]],
    "[[]]": lambda p, x: x[[]],
    "[:, [0, 2]]": lambda p, x: x[:, [0, 2]],
    "[tensor]": lambda p, x: x[p.tensor([[0, 1], [1, 1]])],
    "[0-d tensor]": lambda p, x: x[p.tensor(1)],
    "[pairs]": lambda p, x: x[p.tensor([0, 1]), p.tensor([2, 0])],
    "[mask]": lambda p, x: x[x > 1],
    "[row mask]": lambda p, x: x[p.tensor([True, False])],
    "[float]": lambda p, x: x[1.5],
    "[float tensor]": lambda p, x: x[p.tensor([1.0])],
    "[far]": lambda p, x: x[9],
    "[too many]": lambda p, x: x[0, 0, 0, 0],
    "[mask misfit]": lambda p, x: x[p.tensor([True] * 5)],
    "[slice of tensors]": lambda p, x: x[p.tensor(0):p.tensor(1)],
    "len": lambda p, x: len(x),
    "list": lambda p, x: list(x),
    "in": lambda p, x: 0.75 in x,
    "tensor in": lambda p, x: x.clone() in x,
    "bool of": lambda p, x: bool(x),
    "index": lambda p, x: [1, 2, 3, 4][x],
    "format": lambda p, x: f"{x}",
    "repr": lambda p, x: repr(x),
    "str": lambda p, x: str(x),
    "shape": lambda p, x: (repr(x.shape), x.shape.numel(), x.ndim, x.nbytes, str(x.device), repr(x.device), x.is_leaf),
    "numpy": lambda p, x: x.numpy(),
    "hash": lambda p, x: len({x, x}),
    "== None": lambda p, x: (x == None, x != None, x == "a"),  # noqa: E711
    "add string": lambda p, x: x + "a",
    "mul list": lambda p, x: x * [1, 2, 3],
    "< None": lambda p, x: x < None,
}  # fmt: skip


# What carries no gradient is tried on tensors that need none.
CONSTANT = re.compile(r"numpy")

# The methods that are not tried on a kind of tensor.
NOT_TRIED = {
    ("0-d",): r"(squeeze|flip|permute) (dims|twice)|permute.*",
    ("bool",): r"pow True|\+",
    ("uint8",): r"sum_to_size",
    ("vector",): r"permute.*",
    ("empty",): r"permute.*",
    ("no rows", "no columns"): r"index_select.*",  # PyTorch does not look at the index there
}  # fmt: skip


def tried(method, kind):
    return not any(kind in kinds and re.fullmatch(pattern, method) for kinds, pattern in NOT_TRIED.items())


def program(p, method, make):
    x = make(p)
    if x.dtype.is_floating_point:
        x = x.requires_grad_()
    source = x.detach() if CONSTANT.fullmatch(method) else x
    y = METHODS[method](p, source)
    results = [y]
    for part in y if isinstance(y, tuple | list) else (y,):
        if hasattr(part, "detach"):
            results += [part is source, np.may_share_memory(part.detach().numpy(), source.detach().numpy()), part.requires_grad]
            if part.requires_grad and x.is_leaf:
                weight = p.full_like(part.detach(), 0.5)
                results += p.autograd.grad([part], [x], [weight], retain_graph=True, allow_unused=True)
    return results


@pytest.mark.parametrize(("method", "kind"), [(method, kind) for method in METHODS for kind in INPUTS if tried(method, kind)])
def test_as_in_pytorch(method, kind):
    tolerance = 2e-3 if kind == "half" else 1e-6
    quiet = kind == "special" or method.startswith(("var", "std", "cov", "T", "mm"))  # these warn of too few elements or of x.T
    compare(program, torch, tinygrad_nn, method, INPUTS[kind], tolerance=tolerance, quiet=quiet)


JOINED = {
    "rows": [(2, 3), (1, 3)], "one": [(2, 3)], "empty first": [(0,), (2, 3)], "empty both": [(0,), (0,)], "0-d": [(), ()],
    "misfit": [(2, 3), (2, 4)], "dimensions": [(2, 3), (3,)], "same": [(2, 3), (2, 3)], "none": [], "0-d and vector": [(), (2,)],
}  # fmt: skip


@pytest.mark.parametrize("join", ["cat", "stack", "concat"])
@pytest.mark.parametrize("dim", [0, 1, -1, 3])
@pytest.mark.parametrize("shapes", JOINED)
def test_joining(join, dim, shapes):
    if "empty" in shapes or (join == "stack" and dim):
        dim = 0

    def program(p):
        tensors = [p.full(shape, i + 1.5, dtype=p.float64, requires_grad=True) for i, shape in enumerate(JOINED[shapes])]
        joined = getattr(p, join)(tensors, dim)
        return [joined, *([] if "empty" in shapes else p.autograd.grad([joined], tensors, [joined.detach() * 2]))]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("width", [(1, 2), (0, 1, 2, 0), (-1, 0), (1, -1, -1, 2), (1,), (1, 1, 1, 1, 1, 1), ()], ids=str)
def test_padding(width):
    def program(p):
        x = p.tensor(FLOATS, requires_grad=True)
        padded = p.nn.functional.pad(x, width, value=0.5)
        return [padded, *p.autograd.grad([padded], [x], [padded.detach() * 2])]

    compare(program, torch, tinygrad_nn)
