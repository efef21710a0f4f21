"""What moves, joins, cuts and repeats elements beside PyTorch: value, dtype, gradients of both orders, shared memory, errors."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

VALUES = np.random.default_rng(0).uniform(0.25, 2.0, (2, 3, 4))

# The tensors that each function is tried on.
INPUTS = {
    "3-d": lambda p: p.tensor(VALUES),
    "matrix": lambda p: p.tensor(VALUES[0]),
    "square": lambda p: p.tensor(VALUES[0, :, :3].copy()),
    "vector": lambda p: p.tensor(VALUES[0, 0]),
    "0-d": lambda p: p.tensor(0.75),
    "empty": lambda p: p.zeros(0),
    "no rows": lambda p: p.zeros(0, 3),
    "strided": lambda p: p.tensor(np.random.default_rng(1).uniform(0.25, 2.0, (4, 6)))[::2, 1::2],
    "transposed": lambda p: p.tensor(VALUES[0]).T,
    "ints": lambda p: p.tensor([[3, 0, 2], [1, 7, 5]]),
    "bytes": lambda p: p.tensor([[3, 0], [1, 7]], dtype=p.uint8),
    "bools": lambda p: p.tensor([[True, False], [False, True]]),
}

FUNCTIONS = {
    **{name: lambda p, x, name=name: getattr(p, name)(x) for name in (
        "ravel", "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "fliplr", "flipud", "rot90", "tril", "triu", "diag",
        "diagonal", "diag_embed", "diagflat", "combinations", "cartesian_prod", "block_diag", "clone",
        "broadcast_tensors",
    )},
    **{f"method {name}": lambda p, x, name=name: getattr(x, name)() for name in (
        "ravel", "adjoint", "fliplr", "flipud", "rot90", "tril", "triu", "diag", "diagonal", "diag_embed", "diagflat", "contiguous",
    )},
    **{name: lambda p, x, name=name: getattr(x, name) for name in ("T", "mT", "H", "mH")},
    **{f"{name} {arg}": lambda p, x, name=name, arg=arg: getattr(p, name)(x, arg)
       for name in ("tril", "triu", "diag", "diagonal", "diagflat") for arg in (1, -1, 5)},
    **{f"{name} {arg}": lambda p, x, name=name, arg=arg: getattr(p, name)(x, arg)
       for name in ("hsplit", "vsplit", "dsplit", "tensor_split") for arg in (1, 2, 3, (1, 2), (2, 1), -1, 0)},
    "tensor_split tensor": lambda p, x: p.tensor_split(x, p.tensor([1, 3]), dim=-1),
    "tensor_split by tensor": lambda p, x: p.tensor_split(x, p.tensor(2)),
    "tensor_split floats": lambda p, x: p.tensor_split(x, p.tensor([1.0])),
    "split_with_sizes": lambda p, x: p.split_with_sizes(x, [1, 2], -1),
    "split_with_sizes negative": lambda p, x: x.split_with_sizes([4, -1], -1),
    "chunk axis": lambda p, x: p.chunk(x, 2, dim=-1),
    "swapaxes": lambda p, x: p.swapaxes(x, 0, -1),
    "swapdims": lambda p, x: x.swapdims(0, 1),
    "moveaxis": lambda p, x: p.moveaxis(x, 0, -1),
    "movedim misfit": lambda p, x: p.movedim(x, (0, 1), (0,)),
    "movedim twice": lambda p, x: p.movedim(x, (0, 0), (0, 1)),
    "permute misfit": lambda p, x: x.permute(0),
    "permute dims": lambda p, x: p.permute(x, dims=(1, 0)),
    "reshape_as": lambda p, x: x.reshape_as(p.zeros(4, 3)),
    "reshape shape": lambda p, x: p.reshape(x, shape=(-1,)),
    "reshape none": lambda p, x: x.reshape(),
    "view int32": lambda p, x: x.detach().view(p.int32),
    "view none": lambda p, x: x.view(),
    "view floats": lambda p, x: x.view(2.0, 3),
    "flatten 1 1": lambda p, x: p.flatten(x, 1, 1),
    "unflatten": lambda p, x: p.unflatten(x, -1, (-1, 1)),
    "squeeze axis": lambda p, x: p.squeeze(x[:1], axis=0),
    "unsqueeze axis": lambda p, x: p.unsqueeze(x, axis=-1),
    "select": lambda p, x: p.select(x, 0, -1),
    "select far": lambda p, x: x.select(-1, 9),
    "narrow": lambda p, x: p.narrow(x, -1, 1, 2),
    "narrow tensor": lambda p, x: x.narrow(-1, p.tensor(1), 1),
    "diagonal dims": lambda p, x: p.diagonal(x, 0, -1, -2),
    "diagonal same": lambda p, x: p.diagonal(x, 0, 1, 1),
    "diagonal 0 2": lambda p, x: x.diagonal(1, 0, 2),
    "diag_embed dims": lambda p, x: p.diag_embed(x, 1, 0, -1),
    "diag_embed same": lambda p, x: p.diag_embed(x, 0, 1, 1),
    "diagonal_scatter": lambda p, x: p.diagonal_scatter(x, x.diagonal() * 2),
    "diagonal_scatter misfit": lambda p, x: p.diagonal_scatter(x, p.ones(9, dtype=x.dtype)),
    "select_scatter": lambda p, x: p.select_scatter(x, x.select(0, 0) * 3, 0, 1),
    "slice_scatter": lambda p, x: p.slice_scatter(x, x[1:] * 3, 0, 1, None),
    "slice_scatter step": lambda p, x: x.slice_scatter(x[::2] * 3, step=2),
    "unfold": lambda p, x: x.unfold(-1, 2, 1),
    "unfold step": lambda p, x: x.unfold(0, 1, 2),
    "unfold large": lambda p, x: x.unfold(0, 9, 1),
    "unfold still": lambda p, x: x.unfold(0, 1, 0),
    "repeat": lambda p, x: x.repeat(2, 1, 3),
    "repeat once": lambda p, x: x.repeat(*[1] * x.dim()),
    "repeat never": lambda p, x: x.detach().repeat(0, 1, 1),
    "repeat fewer": lambda p, x: x.repeat(2),
    "repeat negative": lambda p, x: x.repeat(-1, 1, 1),
    "tile": lambda p, x: p.tile(x, (2,)),
    "tile dims": lambda p, x: x.tile(2, 1, 2, 1),
    "repeat_interleave": lambda p, x: p.repeat_interleave(x, 2),
    "repeat_interleave dim": lambda p, x: x.repeat_interleave(3, dim=-1),
    "repeat_interleave each": lambda p, x: x.repeat_interleave(p.tensor([0, 2]), dim=0),
    "repeat_interleave misfit": lambda p, x: x.repeat_interleave(p.tensor([1, 2, 1, 1, 1]), dim=0),
    "repeat_interleave negative": lambda p, x: x.repeat_interleave(-1),
    **{f"rot90 {k}": lambda p, x, k=k: p.rot90(x, k, (0, -1)) for k in (-1, 2, 3, 4)},
    "rot90 one dim": lambda p, x: x.rot90(1, (0, 0)),
    "flip none": lambda p, x: x.flip(()),
    "flip twice": lambda p, x: x.flip((0, 0)),
    "roll dims": lambda p, x: x.roll((1, 2), (0, 1)),
    "roll dim": lambda p, x: x.roll(1, 0),
    "expand size": lambda p, x: x.expand(size=(2, *x.shape)),
    "broadcast_tensors two": lambda p, x: p.broadcast_tensors(x, p.ones(1, 1, dtype=x.dtype)),
    "meshgrid": lambda p, x: p.meshgrid(x, p.tensor([1, 2], dtype=x.dtype), indexing="ij"),
    "meshgrid xy": lambda p, x: p.meshgrid([x, p.tensor([1, 2], dtype=x.dtype)], indexing="xy"),
    "meshgrid yx": lambda p, x: p.meshgrid(x, indexing="yx"),
    "cartesian_prod two": lambda p, x: p.cartesian_prod(x, x * 2),
    "combinations 3": lambda p, x: p.combinations(x, 3, with_replacement=True),
    "block_diag two": lambda p, x: p.block_diag(x, x, p.tensor(2, dtype=x.dtype)),
    "vander": lambda p, x: p.vander(x.detach()),  # PyTorch cannot differentiate it twice
    "vander increasing": lambda p, x: p.vander(x.detach(), 3, increasing=True),
    "unsafe_chunk": lambda p, x: p.unsafe_chunk(x, 2, -1),
    "unsafe_split": lambda p, x: x.unsafe_split(2, 0),
    "as_strided": lambda p, x: p.as_strided(x, (2, 2), (1, 2)),
    "sum_to_size": lambda p, x: x.sum_to_size(x.shape),
    "sum_to_size row": lambda p, x: x.sum_to_size(1, 3),
    "pad cut": lambda p, x: p.nn.functional.pad(x, (-9, 0)),
    "stack axis": lambda p, x: p.stack([x, x * 2], axis=-1),
    "cat axis": lambda p, x: p.cat([x, x * 2], axis=0),
    **{name: lambda p, x, name=name: getattr(p, name)([x, x * 2]) for name in (
        "hstack", "vstack", "row_stack", "dstack", "column_stack", "concat", "concatenate",
    )},
    "hstack none": lambda p, x: p.hstack([]),
    "cat tensor": lambda p, x: p.cat(x),
    "cat number": lambda p, x: p.cat([x, 1]),
    "stack far": lambda p, x: p.stack([x, x[:0]], 7),
    **{f"{name}_": lambda p, x, name=name: getattr(x.clone(), name + "_")(*((0, 1) if "a" in name else ()))
       for name in ("squeeze", "t", "transpose", "swapaxes", "tril", "triu")},
    "unsqueeze_": lambda p, x: (x * 1).unsqueeze_(0),
    "t_ then mul_": lambda p, x: _written_through(x),
    "t_ of a leaf": lambda p, x: x.t_(),
}  # fmt: skip


def _written_through(x):
    y = x * 1
    z = y[:]
    z.t_()
    z.mul_(3)
    return y.reshape(-1) * 2 + z.reshape(-1)


# Where PyTorch's own result depends on memory that is not part of the tensor, or it leaves an empty one out of the graph.
NOT_TRIED = {
    **dict.fromkeys(("cat axis", "hstack", "concat", "concatenate", "block_diag", "block_diag two"), ("empty",)),
    "as_strided": ("strided", "transposed", "0-d", "empty", "no rows"),
    "t_ of a leaf": ("ints", "bytes", "bools"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in FUNCTIONS for kind in INPUTS if kind not in NOT_TRIED.get(name, ())]
)
def test_as_in_pytorch(name, kind):
    def program(p):
        x = INPUTS[kind](p)
        if x.dtype.is_floating_point:
            x.requires_grad_()
        y = FUNCTIONS[name](p, x)
        results = [y]
        parts = [part for part in (y if isinstance(y, tuple | list) else [y]) if hasattr(part, "requires_grad")]
        for part in parts:
            shared = np.may_share_memory(part.detach().numpy(), x.detach().numpy())
            results += [part is x, shared and part.numel() > 0, part.requires_grad]
            if part.requires_grad and x.is_leaf:
                weight = p.full_like(part.detach(), 0.5).requires_grad_()
                (first,) = p.autograd.grad([part * part], [x], [weight], create_graph=True)
                results += [first, *p.autograd.grad([first.sum()], [x, weight])]
        return results

    compare(program, torch, tinygrad_nn, quiet=name == "T")  # which warns unless there are two dimensions


def _diagonal_filled(p):
    x = p.zeros(3, 4, requires_grad=True)
    y = x * 1
    y.diagonal(1).copy_(p.tensor([1.0, 2.0, 3.0]) * x.sum())
    y[0].unfold(0, 2, 2)[0].mul_(5)
    return [y, *p.autograd.grad([y.sum()], [x])]


def _cat_of_empty(p):
    a, b = p.zeros(0, requires_grad=True), p.ones(2, 3, requires_grad=True)
    return [p.cat([a, b], 1), *p.autograd.grad([p.cat([a, b]).sum()], [a, b])]


PROGRAMS = {
    "chunks of nothing": lambda p: [c.shape for c in p.zeros(0).chunk(2)],
    "strides of nothing": lambda p: [p.zeros(0, 3).stride(), p.zeros(3, 0, 2).stride(), p.zeros(2, 0).stride(0)],
    "roll of nothing": lambda p: p.zeros(0).roll((1, 2), (0, 1)),
    "offsets": lambda p: [p.arange(12).reshape(3, 4)[1:, 2:].storage_offset(), p.arange(3).storage_offset()],
    "broadcast_shapes": lambda p: [p.broadcast_shapes((2, 1), (3,)), p.broadcast_shapes(4, (1,), ())],
    "broadcast_shapes misfit": lambda p: p.broadcast_shapes((2,), (3,)),
    "repeat_interleave counts": lambda p: p.repeat_interleave(p.tensor([2, 0, 1])),
    "a view is written": _diagonal_filled,
    "windows are seen": lambda p: [p.arange(5).unfold(0, 3, 2), p.tensor(3.0).unfold(0, 1, 1)],
    "bytes of floats": lambda p: [p.tensor([1.0, -2.0]).view(p.int32), p.tensor([1.0]).view(p.uint8), p.ones(4).view(p.float64)],
    "bytes that misfit": lambda p: p.ones(3).view(p.float64),
    "meshgrid of dtypes": lambda p: p.meshgrid(p.ones(2), p.ones(2, dtype=p.float64), indexing="ij"),
    "cat of dtypes": lambda p: [p.cat([p.tensor([1]), p.tensor([2.5])]), p.hstack([p.tensor([True]), p.tensor([3])])],
    "an empty one in cat": _cat_of_empty,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    compare(PROGRAMS[name], torch, tinygrad_nn)


def test_strided_views_stay_within_their_memory_and_with_gradients_within_the_tensor():
    with pytest.raises(NotImplementedError, match="expected, with gradients, a view within a contiguous tensor of 3 elements"):
        tinygrad_nn.ones(5, requires_grad=True)[:3].as_strided((2, 2), (2, 2))
    with pytest.raises(RuntimeError, match="out of bounds for a storage of 3 elements"):
        tinygrad_nn.ones(3).as_strided((2, 2), (2, 2))
