"""What scripts and tutorials use beside the rest: out=, vmap, assert_close, saved leaves, hooks, low rank."""

import io

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

BOTH = (torch, tinygrad_nn)


def numbers(p, *shape, seed=0):
    return p.tensor(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


OUT = {
    "matmul": lambda p, a, out: p.matmul(a, a.T, out=out),
    "mm": lambda p, a, out: p.mm(a, a, out=out),
    "bmm": lambda p, a, out: p.bmm(a[None], a[None], out=out),
    "mul": lambda p, a, out: p.mul(a, 2, out=out),
    "add": lambda p, a, out: p.add(a, a, alpha=2, out=out),
    "sub": lambda p, a, out: p.sub(a, 1, out=out),
    "div": lambda p, a, out: p.div(a, 2, rounding_mode="floor", out=out),
    "exp": lambda p, a, out: p.exp(a, out=out),
    "maximum": lambda p, a, out: p.maximum(a, a.T, out=out),
    "fmod": lambda p, a, out: p.fmod(a, 0.5, out=out),
    "cat": lambda p, a, out: p.cat([a[:1], a[1:]], out=out),
    "stack": lambda p, a, out: p.stack([a[0], a[1], a[2]], 1, out=out),
}


@pytest.mark.parametrize("name", OUT)
def test_a_result_is_written_where_out_says(name):
    def written(p):
        a = numbers(p, 3, 3)
        shape = (1, 3, 3) if name == "bmm" else (3, 3)
        kept = [p.zeros(*shape), p.zeros(0)]
        kept += [p.zeros(*shape, dtype=p.float64)] if name not in ("matmul", "mm", "bmm") else []
        results = [OUT[name](p, a, out) for out in kept]
        return [*kept, [result is out for result, out in zip(results, kept, strict=True)]]

    compare(written, torch, tinygrad_nn)


@pytest.mark.parametrize("case", ["needs gradients", "whole numbers"])
def test_what_cannot_be_written_is_refused(case):
    def refused(p):
        if case == "needs gradients":
            return p.mul(p.ones(2, requires_grad=True), 2, out=p.zeros(2))
        return p.mul(p.ones(2), 2, out=p.zeros(2, dtype=p.int64))

    compare(refused, torch, tinygrad_nn)


@pytest.mark.parametrize("package", [torch, tinygrad_nn])
def test_another_shape_is_taken_with_a_warning(package):
    out = package.zeros(3)
    with pytest.warns(UserWarning, match="resized"):
        package.mul(package.ones(2), 2, out=out)
    assert out.tolist() == [2, 2]


METHODS = {
    "fill_diagonal_": lambda p, x: [x.clone().fill_diagonal_(5), p.zeros(7, 3).fill_diagonal_(1, wrap=True)],
    "fill_diagonal_ of a cube": lambda p, x: p.zeros(2, 2, 2).fill_diagonal_(3.5),
    "fill_diagonal_ of a vector": lambda p, x: p.zeros(3).fill_diagonal_(1),
    "fill_diagonal_ of a box": lambda p, x: p.zeros(2, 2, 3).fill_diagonal_(1),
    "bernoulli": lambda p, x: [x.abs().clamp(max=1).bernoulli(), x.bernoulli(0.3)],
    "multinomial": lambda p, x: [x.abs().multinomial(2), x.abs()[0].multinomial(3, replacement=True)],
    "prelu": lambda p, x: [x.prelu(p.tensor(0.5)), x.prelu(p.tensor([0.1, 0.2, 0.3]))],
    "hardshrink": lambda p, x: [x.hardshrink(), x.hardshrink(0.25)],
    "ndimension": lambda p, x: [x.ndimension(), x.is_cpu, x[:, p.newaxis].shape == (4, 1, 3), p.GradScaler is p.amp.GradScaler],
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_pytorchs(name):
    def called(p):
        p.manual_seed(3)
        return METHODS[name](p, numbers(p, 4, 3))

    compare(called, torch, tinygrad_nn)


def test_fill_diagonal_has_the_gradient_of_what_it_kept():
    def gradient(p):
        x = numbers(p, 3, 3).requires_grad_()
        (x * 2).fill_diagonal_(0).square().sum().backward()
        return x.grad

    compare(gradient, torch, tinygrad_nn)


def test_hooks_after_accumulation():
    def hooked(p):
        seen = []
        x = numbers(p, 3).requires_grad_()
        handle = x.register_post_accumulate_grad_hook(lambda leaf: seen.append((leaf is x, leaf.grad.clone())))
        x.register_hook(lambda g: g * 2)
        (x * x).sum().backward()
        (x * 3).sum().backward()
        handle.remove()
        x.sum().backward()

        parts = [p.nn.Parameter(numbers(p, 2, 2, seed=i)) for i in range(2)]
        for part in parts:  # the optimizer's step as the gradient arrives
            optimizer = p.optim.SGD([part], lr=0.1)
            part.register_post_accumulate_grad_hook(lambda _, o=optimizer: (o.step(), o.zero_grad())[1])
        (parts[0] @ parts[1]).sum().backward()
        return [seen, x.grad, *parts, [part.grad for part in parts]]

    compare(hooked, torch, tinygrad_nn)
    compare(lambda p: p.ones(1).register_post_accumulate_grad_hook(print), torch, tinygrad_nn)
    compare(lambda p: (p.ones(1, requires_grad=True) * 2).register_post_accumulate_grad_hook(print), torch, tinygrad_nn)


@pytest.mark.parametrize("options", [
    {"size": (7, 9)}, {"size": (3, 2)}, {"size": (7, 9), "align_corners": True}, {"scale_factor": 2.0},
    {"scale_factor": (0.5, 1.7)}, {"size": 1, "align_corners": True}, {"size": (5, 4)},
])  # fmt: skip
def test_bicubic_images(options):
    def resized(p):
        x = numbers(p, 2, 3, 5, 4).requires_grad_()
        y = p.nn.functional.interpolate(x, mode="bicubic", **options)
        y.square().sum().backward()
        return [y, x.grad]

    compare(resized, torch, tinygrad_nn, tolerance=1e-4)


@pytest.mark.parametrize("shape", [(20, 5), (4, 9)])
def test_low_rank_factors_are_pytorchs(shape):
    def factors(p):
        p.manual_seed(1)
        x = p.tensor(np.random.default_rng(2).normal(size=shape) * np.arange(1, shape[1] + 1))
        wanted = [p.svd_lowrank(x, q=3), p.svd_lowrank(x, 2, M=x * 0.5), p.pca_lowrank(x, q=2, niter=3)]
        wanted += [p.pca_lowrank(x, center=False)]
        return [[u.abs(), s, v.abs()] for u, s, v in wanted]

    compare(factors, torch, tinygrad_nn, tolerance=1e-5)
    compare(lambda p: p.pca_lowrank(numbers(p, *shape), q=30), torch, tinygrad_nn)
    compare(lambda p: p.pca_lowrank(numbers(p, *shape), niter=-1), torch, tinygrad_nn)


MAPPED = {
    "a vector": lambda p, x, v: v(lambda r: r.sum())(x),
    "two": lambda p, x, v: v(p.dot)(x, x + 1),
    "one of two": lambda p, x, v: v(lambda a, b: a * b, in_dims=(0, None))(x, x[0]),
    "along 1": lambda p, x, v: v(lambda a, b: a - b, in_dims=(1, -1), out_dims=1)(x, x),
    "two results": lambda p, x, v: v(lambda a: (a.exp(), {"sum": a.sum()}))(x),
    "two places": lambda p, x, v: v(lambda a: (a, a * 2), out_dims=(0, 1))(x),
    "nested": lambda p, x, v: v(v(p.mul))(x, x),
    "a dict": lambda p, x, v: v(lambda d: d["a"] + d["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": x[0]}),
    "by name": lambda p, x, v: v(lambda a, *, b: a + b)(x, b=x),
    "gradients": lambda p, x, v: v(p.func.grad(lambda a: (a**3).sum()))(x),
    "in chunks": lambda p, x, v: v(lambda a: a.sum(), chunk_size=2)(x),
    "nothing to map": lambda p, x, v: v(lambda a: a, in_dims=None)(x),
    "two sizes": lambda p, x, v: v(p.add)(x, x[:2]),
    "no such dimension": lambda p, x, v: v(p.exp, in_dims=2)(x),
    "a number": lambda p, x, v: v(lambda a, b: a * b)(x, 2.0),
    "too few dims": lambda p, x, v: v(p.add, in_dims=(0,))(x, x),
    "random numbers": lambda p, x, v: v(lambda a: a + p.rand(3))(x),
    "no tensor": lambda p, x, v: v(lambda a: 3)(x),
}


@pytest.mark.parametrize("name", MAPPED)
def test_vmap_is_pytorchs(name):
    compare(lambda p: MAPPED[name](p, numbers(p, 4, 3), p.vmap), torch, tinygrad_nn)
    compare(lambda p: MAPPED[name](p, numbers(p, 4, 3), p.func.vmap), torch, tinygrad_nn)


def test_an_ensemble_by_vmap():
    def ensemble(p):
        p.manual_seed(0)
        models = [p.nn.Sequential(p.nn.Linear(3, 4), p.nn.ReLU(), p.nn.BatchNorm1d(4), p.nn.Linear(4, 2)).eval() for _ in range(3)]
        parameters, buffers = p.func.stack_module_state(models)
        x = numbers(p, 5, 3)

        def one(own, held):
            return p.func.functional_call(models[0], (own, held), (x,))

        y = p.vmap(one)(parameters, buffers)
        y.square().sum().backward()
        return [y, {name: [v, v.requires_grad, v.grad] for name, v in parameters.items()}, list(buffers)]

    compare(ensemble, torch, tinygrad_nn)
    compare(lambda p: p.func.stack_module_state([]), torch, tinygrad_nn)
    compare(lambda p: p.func.stack_module_state([p.nn.ReLU(), p.nn.Tanh()]), torch, tinygrad_nn)


CLOSE = {
    "equal": lambda p, close: close(p.ones(2), p.ones(2)),
    "close": lambda p, close: close(p.ones(2), p.ones(2) + 1e-6),
    "apart": lambda p, close: close(p.tensor([1.0, 2.0, 3.0]), p.tensor([1.0, 2.5, 0.0])),
    "apart by a tolerance": lambda p, close: close(p.ones(2, 2), p.ones(2, 2) + 0.1, rtol=0.0, atol=0.05),
    "within a tolerance": lambda p, close: close(p.ones(2), p.ones(2) + 0.1, rtol=0.2, atol=0.0),
    "one tolerance": lambda p, close: close(p.ones(2), p.ones(2), rtol=0.2),
    "other shapes": lambda p, close: close(p.ones(2), p.ones(3)),
    "other dtypes": lambda p, close: close(p.ones(2), p.ones(2, dtype=p.float64)),
    "other dtypes allowed": lambda p, close: close(p.ones(2), p.ones(2, dtype=p.float64) + 1e-6, check_dtype=False),
    "whole numbers": lambda p, close: close(p.tensor([1, 2]), p.tensor([1, 3])),
    "numbers": lambda p, close: close(1.0, 1.5),
    "whole and broken numbers": lambda p, close: close(1, 1.0),
    "a number and a tensor": lambda p, close: close(p.tensor(1.0), 2.0),
    "0-d": lambda p, close: close(p.tensor(1.0), p.tensor(2.0)),
    "NaN": lambda p, close: close(p.tensor([float("nan")]), p.tensor([float("nan")])),
    "NaN allowed": lambda p, close: close(p.tensor([float("nan")]), p.tensor([float("nan")]), equal_nan=True),
    "infinite": lambda p, close: close(p.tensor([float("inf")]), p.tensor([float("inf")])),
    "a list": lambda p, close: close([p.ones(1), p.zeros(1)], [p.ones(1), p.ones(1)]),
    "lists of two lengths": lambda p, close: close([p.ones(1)], []),
    "a dict": lambda p, close: close({"a": p.ones(1), "b": [p.ones(2)]}, {"a": p.ones(1), "b": [p.zeros(2)]}),
    "dicts of two keys": lambda p, close: close({"a": p.ones(1)}, {"b": p.ones(1)}),
    "strides": lambda p, close: close(p.ones(2, 2, 1).mT, p.ones(2, 1, 2), check_stride=True),
    "a message": lambda p, close: close(p.ones(1), p.zeros(1), msg="not so"),
    "a message from a message": lambda p, close: close(p.ones(1), p.zeros(1), msg=lambda text: f"here: {text}"),
    "strings": lambda p, close: close("a", "b"),
    "gradients": lambda p, close: close(p.ones(1, requires_grad=True), p.ones(1)),
}


@pytest.mark.parametrize("case", CLOSE)
def test_assert_close_is_pytorchs(case):
    def said(p):
        try:
            return CLOSE[case](p, p.testing.assert_close)
        except (AssertionError, ValueError, TypeError) as error:
            longer = case in ("apart", "apart by a tolerance", "whole numbers", "0-d", "other shapes", "a message from a message")
            return [type(error).__name__, str(error) if longer else ""]

    compare(said, torch, tinygrad_nn)


def test_what_is_saved_is_loaded_as_it_was():
    def loaded(p):
        file, x = io.BytesIO(), numbers(p, 3).requires_grad_()
        own, frozen = p.nn.Parameter(numbers(p, 2)), p.nn.Parameter(numbers(p, 2), requires_grad=False)
        p.save({"leaf": x, "made": x * 2, "view": x[:2], "plain": x.detach(), "own": own, "frozen": frozen, "again": own}, file)
        file.seek(0)
        found = p.load(file)
        kinds = {name: [v, type(v).__name__, v.requires_grad, v.is_leaf] for name, v in found.items()}
        return [kinds, found["own"] is found["again"]]

    compare(loaded, torch, tinygrad_nn)


def test_what_older_scripts_derive_from():
    def derived(p):
        class Warmup(p.optim.lr_scheduler._LRScheduler):
            def get_lr(self):
                return [base * (self.last_epoch + 1) for base in self.base_lrs]

        class Absolute(p.nn.modules.loss._Loss):
            def forward(self, x):
                return x.abs().mean() if self.reduction == "mean" else x.abs().sum()

        optimizer = p.optim.SGD([p.ones(1, requires_grad=True)], lr=0.5)
        schedule = Warmup(optimizer)
        optimizer.step()
        schedule.step()
        norms = p.nn.modules.batchnorm._BatchNorm
        utils = p.nn.modules.utils
        found = [schedule.get_last_lr(), Absolute(reduction="sum")(p.tensor([-1.0, 2.0]))]
        found += [p.nn.init._calculate_fan_in_and_fan_out(p.ones(2, 3, 4))]
        return [*found, isinstance(p.nn.BatchNorm2d(1), norms), utils._pair(3), utils._triple((1, 2, 3)), utils._single(2)]

    compare(derived, torch, tinygrad_nn)


GRADIENTS = {
    "all dimensions": lambda p, x: p.gradient(x),
    "one": lambda p, x: p.gradient(x, dim=1),
    "a width": lambda p, x: p.gradient(x, spacing=0.5, dim=(0, -1)),
    "widths": lambda p, x: p.gradient(x, spacing=[2.0, 0.25]),
    "two elements": lambda p, x: p.gradient(x[:2, 0]),
    "one element": lambda p, x: p.gradient(x[:1, 0]),
    "too few widths": lambda p, x: p.gradient(x, spacing=[2.0]),
    "places": lambda p, x: p.unravel_index(p.tensor([[0, 5], [7, -1]]), (2, 3)),
    "a number": lambda p, x: p.unravel_index(p.tensor(4), 6),
    "no whole numbers": lambda p, x: p.unravel_index(p.tensor([1.0]), (2,)),
    "a negative size": lambda p, x: p.unravel_index(p.tensor([1]), (2, -1)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_slopes_and_places_are_pytorchs(name):
    def program(p):
        x = numbers(p, 4, 3).requires_grad_()
        found = GRADIENTS[name](p, x)
        if found[0].requires_grad:
            sum((part * part).sum() for part in found).backward()
        return [found, x.grad]

    compare(program, torch, tinygrad_nn)


def test_buffers_are_registered_by_assignment():
    def assigned(p):
        class Holder(p.nn.Module):
            def __init__(self):
                super().__init__()
                self.kept = p.nn.Buffer(p.ones(2))
                self.passing = p.nn.Buffer(p.zeros(1), persistent=False)

        held = Holder()
        found = [list(held.state_dict()), [name for name, _ in held.named_buffers()], held.kept * 2, repr(held.kept)]
        held.kept = p.tensor([3.0])
        return [*found, dict(held.state_dict()), len(list(held.parameters()))]

    compare(assigned, torch, tinygrad_nn)
