"""autograd.functional and torch.func beside PyTorch's: values, shapes, what is recorded, and the type of the errors."""

import importlib

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, outcome, value_of

torch = pytest.importorskip("torch")

X = np.random.default_rng(0).uniform(0.3, 1.5, (2, 3))
W = np.random.default_rng(1).uniform(0.3, 1.5, (3, 2))
S = np.float64(0.7)
ONE = np.array([1.3])
NAMES = ["vjp", "jvp", "jacobian", "hessian", "hvp", "vhp"]

FUNCTIONS = {
    "elementwise": (lambda x: x.exp() * x, [X]),
    "number": (lambda x: (x**3).sum(), [X]),
    "one element": (lambda x: x * x, [ONE]),
    "0-d": (lambda x: x * x * x, [S]),
    "linear": (lambda x: 3 * x, [X]),
    "sum": (lambda x: x.sum(), [X]),
    "two inputs": (lambda x, w: x @ w, [X, W]),
    "two inputs, number": (lambda x, w: ((x @ w) ** 2).sum(), [X, W]),
    "two outputs": (lambda x: (x * x, x.sin().sum()), [X]),
    "two of both": (lambda x, w: (x @ w, x.sum() * w), [X, W]),
    "an unused input": (lambda x, w: (x * x).sum(), [X, W]),
    "an input of one": (lambda x, s: x * s, [X, S]),
    "a constant": (lambda x: x.detach().sum(), [X]),
    "a constant output": (lambda x: (x.sum(), x.detach().sum()), [X]),
    "not a tensor": (lambda x: 3.0, [X]),
    "a list": (lambda x: [x * x], [X]),
}


def arguments(p, arrays, **options):
    return tuple(p.tensor(a, **options) for a in arrays)


def vector(p, name, func, inputs):
    """A v for this product, of the shapes that it wants."""
    like = func(*inputs) if name == "vjp" else inputs
    like = like if isinstance(like, tuple) else (like,)
    made = tuple(p.tensor(np.random.default_rng(2).uniform(0.5, 1.5, tuple(x.shape))) for x in like)
    return made if len(made) > 1 else made[0]


@pytest.mark.parametrize("options", [{}, {"strict": True}, {"create_graph": True}, {"create_graph": True, "strict": True}], ids=str)
@pytest.mark.parametrize("case", FUNCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_values_and_errors(name, case, options):
    func, arrays = FUNCTIONS[case]

    def program(p):
        inputs = arguments(p, arrays, requires_grad=options.get("create_graph", False))
        if name not in ("jacobian", "hessian") and case not in ("not a tensor", "a list"):
            options["v"] = vector(p, name, func, inputs)
        found = getattr(p.autograd.functional, name)(func, inputs if len(inputs) > 1 else inputs[0], **options)
        options.pop("v", None)
        return found, recorded(found)

    compare(program, torch, tinygrad_nn)


def recorded(found):
    return [recorded(x) for x in found] if isinstance(found, tuple) else found.requires_grad


@pytest.mark.parametrize("name", ["vjp", "jvp", "hvp", "vhp"])
@pytest.mark.parametrize("case", ["one element", "0-d", "number", "elementwise"])
def test_without_v(name, case):
    func, arrays = FUNCTIONS[case]
    compare(lambda p: getattr(p.autograd.functional, name)(func, *arguments(p, arrays)), torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["vjp", "jvp", "hvp", "vhp"])
@pytest.mark.parametrize("v", [[X[0]], [X, X], [W], []], ids=["short", "two", "turned", "none"])
def test_a_v_that_does_not_fit(name, v):
    def program(p):
        return getattr(p.autograd.functional, name)(lambda x: (x * x).sum(), p.tensor(X), arguments(p, v))

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "given", [lambda p: 3.0, lambda p: (p.tensor(X), 2), lambda p: [p.tensor(X)]], ids=["float", "tuple", "list"]
)
def test_inputs_that_are_no_tensors(name, given):
    compare(lambda p: getattr(p.autograd.functional, name)(lambda *x: x[0].sum(), given(p)), torch, tinygrad_nn)


@pytest.mark.parametrize("name", NAMES)
def test_results_can_be_differentiated_again(name):
    def program(p):
        x = p.tensor(X, requires_grad=True)
        options = {} if name in ("jacobian", "hessian") else {"v": p.tensor(1.5 if name == "vjp" else X)}
        found = getattr(p.autograd.functional, name)(lambda x: (x.exp() * x**2).sum(), x, create_graph=True, **options)
        last = found if name in ("jacobian", "hessian") else found[1]
        return p.autograd.grad((last * last).sum(), x)

    compare(program, torch, tinygrad_nn)


def test_the_captured_input_is_another_tensor():
    def program(p):
        x = p.tensor(X, requires_grad=True)
        return p.autograd.functional.jacobian(lambda y: (y * x).sum(), x)

    compare(program, torch, tinygrad_nn)


def test_results_are_the_same_where_nothing_is_recorded():
    def program(p):
        with p.no_grad():
            return [getattr(p.autograd.functional, name)(lambda x: (x**3).sum(), p.tensor(X)) for name in ("jacobian", "hessian")]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize(
    "options", [{"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}, {"strategy": "forward-mode"}], ids=str
)
def test_how_a_jacobian_is_computed_changes_nothing(options):
    compare(lambda p: p.autograd.functional.jacobian(lambda x: x.exp(), p.tensor(X), **options), torch, tinygrad_nn)


@pytest.mark.parametrize("options", [{"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}], ids=str)
def test_how_a_hessian_is_computed_changes_nothing(options):
    compare(lambda p: p.autograd.functional.hessian(lambda x: (x.exp() * x).sum(), p.tensor(X), **options), torch, tinygrad_nn)


def test_strategies_that_are_refused():
    for options in ({"vectorize": True, "strict": True}, {"strategy": "sideways", "vectorize": True}):
        with pytest.raises((RuntimeError, ValueError), match="jacobian: expected"):
            tinygrad_nn.autograd.functional.jacobian(lambda x: x, tinygrad_nn.ones(2), **options)


def test_no_elements():
    """PyTorch has no stack of no rows; there is an answer."""
    found = tinygrad_nn.autograd.functional.jacobian(lambda x: x[:0], tinygrad_nn.ones(2, 3))
    assert found.shape == (0, 3, 2, 3)


def test_what_is_not_supported_says_so():
    for name in tinygrad_nn.autograd.forward_ad.__all__:
        with pytest.raises(NotImplementedError, match="gives the same products"):
            getattr(tinygrad_nn.autograd.forward_ad, name)()


def test_a_variable_is_a_tensor():
    def program(p):
        x = p.autograd.Variable(p.tensor(X), requires_grad=True)
        (x * x).sum().backward()
        return x, x.grad, isinstance(p.tensor(X), p.autograd.Variable), isinstance(3, p.autograd.Variable)

    compare(program, torch, tinygrad_nn)


# torch.func: functions of functions


def power(x, y):
    return (x**3 * y).sum()


FUNC = {
    "grad": lambda p, x, y: p.func.grad(power)(x, y),
    "grad by another": lambda p, x, y: p.func.grad(power, argnums=1)(x, y),
    "grad by both": lambda p, x, y: p.func.grad(power, argnums=(0, -1))(x, y),
    "grad with aux": lambda p, x, y: p.func.grad(lambda x: (power(x, y), {"y": x * 2}), has_aux=True)(x),
    "grad of a dict": lambda p, x, y: p.func.grad(lambda d: power(d["x"], d["l"][0]))({"x": x, "l": [y]}),
    "grad of a matrix": lambda p, x, y: p.func.grad(lambda x: x * 2)(x),
    "grad of grad": lambda p, x, y: p.func.grad(lambda a: p.func.grad(power)(a, y).sum())(x),
    "grad of an unused input": lambda p, x, y: p.func.grad(lambda a, b: (a * a).sum(), argnums=1)(x, y),
    "grad_and_value": lambda p, x, y: p.func.grad_and_value(power)(x, y),
    "grad_and_value with aux": lambda p, x, y: p.func.grad_and_value(lambda x: (power(x, y), x), has_aux=True)(x),
    "grad in no_grad": lambda p, x, y: p.no_grad()(p.func.grad(power))(x, y),
    "vjp": lambda p, x, y: p.func.vjp(lambda a, b: a * b, x, y)[1](x),
    "vjp value": lambda p, x, y: p.func.vjp(lambda a, b: a * b, x, y)[0],
    "vjp twice": lambda p, x, y: [pull(x) for pull in [p.func.vjp(p.sin, x)[1]] for _ in range(2)],
    "vjp with aux": lambda p, x, y: p.func.vjp(lambda a: (a.sin(), a), x, has_aux=True)[2],
    "jvp": lambda p, x, y: p.func.jvp(lambda a, b: a * b, (x, y), (y, x)),
    "jvp with aux": lambda p, x, y: p.func.jvp(lambda a: (a.sin(), {"of": [a * 2]}), (x,), (y,), has_aux=True),
    "jvp of a dict": lambda p, x, y: p.func.jvp(lambda d, b: {"y": d["a"] * b, "z": (d["a"],)}, ({"a": x}, y), ({"a": y}, x)),
    "jvp of a dict with aux": lambda p, x, y: p.func.jvp(lambda d: (d["a"].sin(), d), ({"a": x},), ({"a": y},), has_aux=True),
    "jvp of jvp": lambda p, x, y: p.func.jvp(lambda d: p.func.jvp(power, (d["a"], y), (x, y))[1], ({"a": x},), ({"a": y},)),
    "jvp within grad": lambda p, x, y: p.func.grad(lambda w: p.func.jvp(lambda a: (w * a * a).sum(), (x,), (y,))[1])(y),
    "jvp of a number": lambda p, x, y: p.func.jvp(lambda a: a * 2, (2.0,), (3.0,)),
    "jvp of nothing": lambda p, x, y: p.func.jvp(lambda: p.ones(2), (), ()),
    "jvp of no tuple": lambda p, x, y: p.func.jvp(lambda d: d["a"], {"a": x}, {"a": y}),
    "jvp along another tree": lambda p, x, y: p.func.jvp(lambda d: d["a"], ({"a": x},), ({"b": x},)),
    "jvp along another shape": lambda p, x, y: p.func.jvp(lambda a: a, (x,), (y[0],)),
    "jvp to a number": lambda p, x, y: p.func.jvp(lambda a: 3, (x,), (y,)),
    "linearize along another tree": lambda p, x, y: p.func.linearize(lambda d: d["a"], {"a": x})[1]({"b": x}),
    "functionalize": lambda p, x, y: p.func.functionalize(lambda a: a.clone().mul_(2))(x),
    "functionalize views": lambda p, x, y: p.func.functionalize(lambda a: a.view(-1), remove="mutations_and_views")(x),
    "functionalize what is not there": lambda p, x, y: p.func.functionalize(lambda a: a, remove="all"),
    "grad by what is not there": lambda p, x, y: p.func.grad(power, argnums=2)(x, y),
    "grad by both and what is not there": lambda p, x, y: p.func.grad(power, argnums=(0, -3))(x, y),
    "jacrev by what is not there": lambda p, x, y: p.func.jacrev(power, argnums=2)(x, y),
    "hessian by what is not there": lambda p, x, y: p.func.hessian(power, argnums=2)(x, y),
    "jacrev with aux": lambda p, x, y: p.func.jacrev(lambda a: (a * a, (a.sin(), a)), has_aux=True)(x),
    "jacrev": lambda p, x, y: p.func.jacrev(lambda a: a.exp())(x),
    "jacrev by another": lambda p, x, y: p.func.jacrev(lambda a, b: a * b, argnums=1)(x, y),
    "jacrev by both": lambda p, x, y: p.func.jacrev(lambda a, b: a.sum(0) * b.sum(0), argnums=(0, 1))(x, y),
    "jacrev of grad": lambda p, x, y: p.func.jacrev(p.func.grad(power))(x, y),
    "jacfwd": lambda p, x, y: p.func.jacfwd(lambda a: a.exp())(x),
    "hessian": lambda p, x, y: p.func.hessian(power)(x, y),
    "jacrev to a dict": lambda p, x, y: p.func.jacrev(lambda a: {"s": a.sin(), "of": (a.sum(), [a * y])})(x),
    "jacfwd to a dict": lambda p, x, y: p.func.jacfwd(lambda a: {"s": a.sin(), "of": (a.sum(), [a * y])})(x),
    "jacrev to a dict by both": lambda p, x, y: p.func.jacrev(lambda a, b: {"ab": a.sum(0) * b.sum(0)}, argnums=(0, 1))(x, y),
    "jacrev of a dict": lambda p, x, y: p.func.jacrev(lambda d: d["x"].sum(0) * d["l"][0].sum(0))({"x": x, "l": [y]}),
    "hessian of a dict": lambda p, x, y: p.func.hessian(lambda d: power(d["x"], d["y"]))({"x": x[0], "y": y[0]}),
    "linearize": lambda p, x, y: [(value, push(y), push(x)) for value, push in [p.func.linearize(p.sin, x)]],
    "linearize of trees": lambda p, x, y: p.func.linearize(lambda d, b: (d["a"] * b, {"s": b + 1}), {"a": x}, y)[1]({"a": y}, x),
    "linearize of what is constant": lambda p, x, y: p.func.linearize(lambda a: p.ones(2), x)[1](y),
    "grad of a number": lambda p, x, y: p.func.grad(lambda a: a * 2)(3.0),
    "grad of a tree with a number": lambda p, x, y: p.func.grad(lambda d: d["x"].sum())({"x": x, "n": 2}),
    "vjp of a number": lambda p, x, y: p.func.vjp(lambda a: a * 2, 3.0),
}


@pytest.mark.parametrize("name", FUNC)
def test_func(name):
    def program(p):
        x, y = p.tensor(X), p.tensor(X[::-1].copy())
        return FUNC[name](p, x, y)

    compare(program, torch, tinygrad_nn)


def test_func_results_hold_no_graph_but_that_of_what_the_function_holds():
    def program(p):
        w, x = p.tensor(X, requires_grad=True), p.tensor(X)
        plain = p.func.grad(lambda x: (x**3).sum())(x)
        linked = p.func.grad(lambda x: (x * x * w).sum())(x)
        return plain.requires_grad, linked.requires_grad, p.autograd.grad(linked.sum(), w)

    compare(program, torch, tinygrad_nn)


def test_functional_call():
    def program(p):
        p.manual_seed(0)
        model = p.nn.Sequential(p.nn.Linear(3, 4), p.nn.Tanh(), p.nn.Linear(4, 1))
        x = p.ones(2, 3)
        weights = {name: value.detach() * 2 for name, value in model.named_parameters()}
        before = model(x)
        swapped = p.func.functional_call(model, weights, (x,))
        gradients = p.func.grad(lambda w: p.func.functional_call(model, w, x).sum())(weights)
        return before, swapped, gradients, model(x), p.func.functional_call(model, {"0.bias": p.zeros(4)}, (x,))

    compare(program, torch, tinygrad_nn)
    for wrong in ({"nothing": tinygrad_nn.ones(1)}, {"weight": tinygrad_nn.ones(1, 2)}):
        with pytest.raises(RuntimeError, match="functional_call: expected"):
            tinygrad_nn.func.functional_call(tinygrad_nn.nn.Linear(2, 1), wrong, tinygrad_nn.ones(1, 2), strict=True)


def test_functional_call_leaves_out_names_that_the_module_has_not():
    def program(p):
        given = {"weight": p.ones(1, 2), "bias": p.zeros(1), "nothing": p.ones(3)}
        return p.func.functional_call(p.nn.Linear(2, 1), given, p.ones(1, 2))

    compare(program, torch, tinygrad_nn)


def twice_the_same(p):
    model = p.nn.Sequential(p.nn.Linear(2, 2, bias=False), p.nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    return model


CALLS = {
    "a name twice": lambda p, m, w: p.func.functional_call(m, ({"0.weight": w}, {"0.weight": w}), w),
    "two dicts": lambda p, m, w: p.func.functional_call(m, [{"0.weight": w}, {}], w),
    "two values": lambda p, m, w: p.func.functional_call(m, {"0.weight": w, "1.weight": w * 2}, w),
    "two values untied": lambda p, m, w: p.func.functional_call(m, {"0.weight": w, "1.weight": w * 2}, w, tie_weights=False),
    "one value": lambda p, m, w: p.func.functional_call(m, {"0.weight": w, "1.weight": w}, w),
    "a number": lambda p, m, w: p.func.functional_call(m, 3, w),
    "a list of numbers": lambda p, m, w: p.func.functional_call(m, [3], w),
}


@pytest.mark.parametrize("name", CALLS)
def test_functional_call_of_a_module_with_tied_weights(name):
    compare(lambda p: CALLS[name](p, twice_the_same(p), p.tensor([[1.0, 2.0], [3.0, 4.0]])), torch, tinygrad_nn)


WRITES = {
    "an argument of its own": lambda p, x, b: p.func.vmap(lambda a: a.add_(1))(x),
    "a shared one": lambda p, x, b: p.func.vmap(lambda a, b: b.add_(a), (0, None))(x, b),
    "an element of a shared one": lambda p, x, b: p.func.vmap(lambda a, d: d["b"].__setitem__(0, a[0]), (0, None))(x, {"b": b}),
    "none, of a shared one": lambda p, x, b: p.func.vmap(lambda a, b: a.add_(b), (0, None))(x, b),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_vmap_lets_be_written(name):
    def program(p):
        x, b = p.ones(3, 2), p.zeros(2)
        failed = outcome(lambda p: WRITES[name](p, x, b), p)
        b += 1
        return (type(failed).__name__ if isinstance(failed, Exception) else failed), x, b

    compare(program, torch, tinygrad_nn)


def test_a_refused_vmap_leaves_the_random_numbers_as_they_were():
    def program(p):
        p.manual_seed(0)
        failed = outcome(lambda p: p.func.vmap(lambda t: p.rand(2))(p.ones(2)), p)
        return type(failed).__name__, p.rand(1)

    compare(program, torch, tinygrad_nn)


def test_vmap_with_random_numbers():
    def program(p, randomness):
        p.manual_seed(0)
        drawn = p.func.vmap(lambda x: x + p.rand(2), randomness=randomness)(p.zeros(3, 2))
        return drawn[0], (drawn[0] == drawn[1]).all().item(), p.rand(1) if randomness == "same" else None

    for randomness in ("different", "same", "error", "often"):
        compare(program, torch, tinygrad_nn, randomness)


# grad and backward with the arguments of old programs, modes, checkpoints


def test_old_arguments():
    def program(p):
        x = p.tensor(X, requires_grad=True)
        p.autograd.backward([x * x], grad_variables=[p.tensor(X)])
        return x.grad, p.autograd.grad((x * x).sum(), x, None, None, False, True, None, False, True)

    compare(program, torch, tinygrad_nn)
    compare(lambda p: p.autograd.backward([p.ones(1)], [p.ones(1)], grad_variables=[p.ones(1)]), torch, tinygrad_nn)


MODES = ["no_grad()", "enable_grad()", "inference_mode()", "inference_mode(False)", "set_grad_enabled(False)"]


@pytest.mark.parametrize("mode", [*MODES, "set_grad_enabled(True)"])
@pytest.mark.parametrize("outer", ["no_grad()", "enable_grad()", "inference_mode()"])
def test_modes(mode, outer):
    def program(p):
        found = []

        def look():
            x = p.tensor(X, requires_grad=not p.is_inference_mode_enabled()) * 2
            found.extend([p.is_grad_enabled(), p.is_inference_mode_enabled(), x.requires_grad, x.is_leaf])

        with value_of(f"p.{outer}", p=p):
            with value_of(f"p.{mode}", p=p):
                look()
            look()
            value_of(f"p.{mode}", p=p)(look)()
            look()
        look()
        return found

    compare(program, torch, tinygrad_nn)


def test_anomalies():
    def program(p, how):
        x = p.tensor([-1.0], requires_grad=True)
        with how(p):
            p.log(x).sum().backward()
        return x.grad

    compare(lambda p: p.is_anomaly_enabled() if p is torch else p.autograd.is_anomaly_enabled(), torch, tinygrad_nn)
    for how in (lambda p: p.autograd.set_detect_anomaly(False), lambda p: p.autograd.detect_anomaly(check_nan=False)):
        compare(program, torch, tinygrad_nn, how, quiet=True)

    def failing(p):
        x = p.tensor([0.0], requires_grad=True)
        with p.autograd.detect_anomaly():
            (p.sqrt(x) * 0).sum().backward()

    compare(failing, torch, tinygrad_nn)


def test_hooks_on_tensors():
    def program(p):
        x, seen = p.tensor(X, requires_grad=True), []
        y = x * x
        handle = y.register_hook(lambda g: g * 3)
        x.register_hook(lambda g: seen.append(g.sum().item()))
        y.sum().backward(retain_graph=True)
        handle.remove()
        y.sum().backward()
        return x.grad, seen

    compare(program, torch, tinygrad_nn)


def test_a_function_that_is_differentiable_once():
    def program(p):
        class Square(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @p.autograd.function.once_differentiable
            def backward(ctx, g):
                return 2 * ctx.saved_tensors[0] * g

        x = p.tensor(X, requires_grad=True)
        return p.autograd.grad(Square.apply(x).sum(), x)

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("again", [False, True])
def test_differentiating_again_what_is_differentiable_once(again):
    def program(p):
        class Rounded(p.autograd.Function):
            @staticmethod
            def forward(ctx, x, unit):
                return p.round(x)

            @staticmethod
            @p.autograd.function.once_differentiable
            def backward(ctx, g):
                return g * 2, None

        x = p.tensor(X, requires_grad=True)
        (first,) = p.autograd.grad(Rounded.apply(x, 1).sum() ** 2, x, create_graph=True)
        if again:
            first.sum().backward()
        return first, first.requires_grad

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_checkpoints(segments, reentrant):
    def program(p):
        checkpoints = importlib.import_module(f"{p.__name__}.utils.checkpoint")
        p.manual_seed(0)
        model = p.nn.Sequential(*(layer for _ in range(3) for layer in (p.nn.Linear(3, 3), p.nn.Tanh(), p.nn.Dropout(0.4))))
        x = p.tensor(X.astype(np.float32), requires_grad=True)
        y = checkpoints.checkpoint_sequential(model, segments, x, use_reentrant=reentrant)
        y = checkpoints.checkpoint(lambda z: p.nn.functional.dropout(z.exp()) * z, y, use_reentrant=reentrant)
        y.sum().backward()
        return y, x.grad, [q.grad for q in model.parameters()], p.rand(2)

    compare(program, torch, tinygrad_nn)
