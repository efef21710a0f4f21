"""What NumPy's functions do with Tensors: `np.sum(tensor)` is recorded; knows the methods, no formula.

Gradient rules are written with these functions, so the table is also what makes higher derivatives. All others get the
tensors' values, as in PyTorch, and lead to no gradient: a tensor that requires one is an error. So do some of the table
where there is nothing to record, since their results are arrays in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.graph import MODE
from tinygrad_nn.methods import arranging, joining, matrices, pointwise, reduction, scan, shaping
from tinygrad_nn.ops import elementwise, reduce
from tinygrad_nn.variable import Variable, wrap

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}

_GIVE_TENSORS = {  # those not in the table whose results PyTorch has as tensors where the first argument is one
    np.argpartition, np.argsort, np.around, np.delete, np.fix, np.insert, np.linspace, np.ptp, np.repeat, np.round,
    np.searchsorted, np.take, np.linalg.cholesky, np.linalg.inv, np.linalg.pinv, np.linalg.solve,
}  # fmt: skip
_GIVE_ARRAYS = {  # those in the table whose results PyTorch has as arrays
    np.broadcast_to, np.concatenate, np.copy, np.dot, np.expand_dims, np.ones_like, np.ravel, np.roll, np.stack, np.where,
    np.zeros_like,
}  # fmt: skip


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `function` gives of Tensors: by the table if that takes these keywords, else NumPy's own result for their values.

    RuntimeError for a Tensor that requires grad and a function, or a keyword, that the table has not.
    """
    ours: Any = FUNCTIONS.get(function)
    if function in _GIVE_ARRAYS and not (MODE.get().rules or _requires_grad(args)):
        ours = None
    if ours is not None and set(kwargs).issubset(ours.__code__.co_varnames):
        return ours(*args, **kwargs)
    found = function(*_arrays(args), **_arrays(kwargs))
    return wrap(np.asarray(found)) if function in _GIVE_TENSORS and args and isinstance(args[0], Variable) else found


def _arrays(value: Any) -> Any:
    """The value with arrays for the Tensors in it."""
    if isinstance(value, Variable):
        return value.numpy()  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {key: _arrays(item) for key, item in value.items()}
    return type(value)(map(_arrays, value)) if type(value) in (list, tuple) else value


def _requires_grad(value: Any) -> bool:
    """Whether a Tensor in it requires grad."""
    return any(map(_requires_grad, value)) if type(value) in (list, tuple) else getattr(value, "requires_grad", False)


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Variable) else wrap(np.asarray(value))


def _implements(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(ours: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = ours
        return ours

    return enter


@_implements(np.sum)
def _sum(a: Any, axis: Any = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Any:
    return reduction.sum(a, axis, keepdims, dtype=dtype) if axis != () else a


@_implements(np.mean)
def _mean(a: Any, axis: Any = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Any:
    return reduction.mean(a, axis, keepdims, dtype=dtype)


@_implements(np.prod)
def _prod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reduction.prod(a, axis, keepdims)


@_implements(np.max, np.amax)
def _max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reduction.amax(a, axis, keepdims)


@_implements(np.min, np.amin)
def _min(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reduction.amin(a, axis, keepdims)


@_implements(np.var)
def _var(a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    return reduction.var(a, axis, keepdim=keepdims, correction=ddof)


@_implements(np.std)
def _std(a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    return reduction.std(a, axis, keepdim=keepdims, correction=ddof)


@_implements(np.argmax)
def _argmax(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return reduce.argmax(a, axis=axis, keepdims=keepdims)


@_implements(np.argmin)
def _argmin(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return reduce.argmin(a, axis=axis, keepdims=keepdims)


@_implements(np.all)
def _all(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reduction.all(a, axis, keepdims)


@_implements(np.any)
def _any(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reduction.any(a, axis, keepdims)


@_implements(np.cumsum)
def _cumsum(a: Any, axis: int | None = None) -> Any:
    return scan.cumsum(a, axis) if axis is not None else scan.cumsum(a.reshape(-1), 0)


@_implements(np.cumprod)
def _cumprod(a: Any, axis: int | None = None) -> Any:
    return scan.cumprod(a, axis) if axis is not None else scan.cumprod(a.reshape(-1), 0)


@_implements(np.reshape)
def _reshape(a: Any, shape: Any) -> Any:
    return shaping.reshape(a, shape)


@_implements(np.ravel)
def _ravel(a: Any) -> Any:
    return shaping.reshape(a, -1)


@_implements(np.transpose)
def _transpose(a: Any, axes: Any = None) -> Any:
    return a.T if axes is None else shaping.permute(a, axes)


@_implements(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return shaping.transpose(a, axis1, axis2)


@_implements(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return shaping.movedim(a, source, destination)


@_implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any) -> Any:
    return shaping.expand(array, shape)


@_implements(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else axis
    for place in sorted(k % (a.ndim + len(axes)) for k in axes):
        a = shaping.unsqueeze(a, place)
    return a


@_implements(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return shaping.squeeze(a, axis)


@_implements(np.concatenate)
def _concatenate(arrays: Any, axis: int = 0) -> Any:
    return joining.cat([_tensor(a) for a in arrays], axis)


@_implements(np.stack)
def _stack(arrays: Any, axis: int = 0) -> Any:
    return joining.stack([_tensor(a) for a in arrays], axis)


@_implements(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return list(joining.tensor_split(ary, indices_or_sections, axis))


@_implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return _array_split(ary, indices_or_sections, axis)


@_implements(np.nonzero)
def _nonzero(a: Any) -> Any:
    return a.nonzero()  # PyTorch's layout: it calls the method


@_implements(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    return arranging.flip(m, range(m.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis)


@_implements(np.roll)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return arranging.roll(a, shift, axis)


@_implements(np.where)
def _where(condition: Any, *choices: Any) -> Any:
    if not choices:
        return np.where(_tensor(condition).detach().numpy())
    x, y = choices
    return elementwise.where(condition, x, y) if isinstance(x, Variable) or isinstance(y, Variable) else (
        elementwise.where(condition, _tensor(x), y)
    )  # fmt: skip


@_implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    return pointwise.clamp(a, a_min, a_max)


@_implements(np.dot, np.matmul)
def _dot(a: Any, b: Any) -> Any:
    return matrices.matmul(_tensor(a), _tensor(b))


@_implements(np.zeros_like)
def _zeros_like(a: Any) -> Any:
    return wrap(np.zeros_like(a._data))


@_implements(np.ones_like)
def _ones_like(a: Any) -> Any:
    return wrap(np.ones_like(a._data))


@_implements(np.copy)
def _copy(a: Any) -> Any:
    return elementwise.copy(a)


@_implements(np.allclose)
def _allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    first, second = (_tensor(v).detach().numpy() for v in (a, b))
    return np.allclose(first, second, rtol=rtol, atol=atol, equal_nan=equal_nan)


@_implements(np.array_equal)
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    first, second = (_tensor(v).detach().numpy() for v in (a1, a2))
    return np.array_equal(first, second, equal_nan=equal_nan)


@_implements(np.shape)
def _shape(a: Any) -> Any:
    return tuple(a.shape)


@_implements(np.ndim)
def _ndim(a: Any) -> Any:
    return a.ndim


@_implements(np.size)
def _size(a: Any) -> Any:
    return a.numel()
