"""Autograd beside PyTorch: copies, hooks, what a graph serves for, second derivatives, Function, nodes and their tools."""

import contextlib
import copy
import importlib

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, plain, value_of

torch = pytest.importorskip("torch")

# copies


def with_gradient(p, tensor):
    """The tensor with a gradient, an attribute and hooks."""
    (tensor * 2).sum().backward()
    tensor.note = ["kept"]
    tensor.register_hook(lambda g: g * 10)
    tensor.register_post_accumulate_grad_hook(lambda t: t.grad.mul_(100))
    return tensor


COPIED = {
    "leaf": lambda p: p.ones(2, 3, requires_grad=True),
    "transposed leaf": lambda p: p.ones(3, 2).t().requires_grad_(),
    "parameter": lambda p: p.nn.Parameter(p.ones(2, 3)),
    "transposed parameter": lambda p: p.nn.Parameter(p.ones(3, 2).t()),
}


@pytest.mark.parametrize("name", COPIED)
def test_a_deep_copy(name):
    def program(p):
        x = with_gradient(p, COPIED[name](p))
        y = copy.deepcopy(x)
        before = y.grad, y.requires_grad, y.is_leaf, type(y).__name__, y.stride(), vars(y), getattr(y, "note", None) is x.note
        (y * 3).sum().backward()
        return plain(before), y.grad, x.grad

    compare(program, torch, tinygrad_nn)


def test_deep_copies_of_what_holds_parameters():
    def program(p):
        w = with_gradient(p, p.nn.Parameter(p.ones(2)))
        fixed = p.nn.Parameter(p.ones(2), requires_grad=False)
        layer = p.nn.Linear(2, 2)
        layer(p.ones(1, 2)).sum().backward()
        first, second = copy.deepcopy([w, w])
        return (
            copy.deepcopy({"w": w})["w"].grad, copy.deepcopy(p.nn.ParameterList([w]))[0].grad, copy.deepcopy(layer).weight.grad,
            copy.deepcopy(fixed).requires_grad, first is second, copy.deepcopy(layer).weight is layer.weight,
        )  # fmt: skip

    compare(program, torch, tinygrad_nn)


def test_a_gradient_is_copied_once():
    def program(p):
        x = with_gradient(p, p.ones(2, requires_grad=True))
        y, gradient = copy.deepcopy([x, x.grad])
        return y.grad is gradient

    compare(program, torch, tinygrad_nn)


# what a graph serves for

TWICE = """
w * 3
3 * w
w / 3
3 / w
w ** 2
w ** 2.5
2 ** w
w + 3
3 - w
-w
w * u
u * w
w / u
w + u
w.sum()
w.mean()
w.exp()
w.abs()
w.relu()
w.clamp(0, 1)
w.reshape(2, 2)
w[1:3]
w.t()
w.expand(2, 4)
w.clone()
w.double()
w.max()
w.cumsum(0)
w.prod()
w.softmax(0)
w @ u
p.cat([w, w])
p.where(w > 0, w, 0.)
p.nn.functional.leaky_relu(w)
p.nn.functional.mse_loss(w, u)
(w * 3).sum()
""".strip().splitlines()


@pytest.mark.parametrize("text", TWICE)
def test_whether_a_graph_serves_twice(text):
    def program(p):
        w = p.tensor([0.5, 1.5, -0.7, 2.0], requires_grad=True)
        y = value_of(text, p=p, w=w, u=p.tensor([1.0, 2.0, 3.0, 4.0]))
        for _ in range(2):
            y.backward(p.ones_like(y))
        return w.grad

    compare(program, torch, tinygrad_nn, quiet=True)


# hooks


def retained(p, arrange):
    """What a retained gradient and that of the leaf are, where `arrange(b)` has set up hooks on b = 2 x."""
    x = p.ones(2, requires_grad=True)
    b = x * 2
    arrange(b)
    (b * 5).sum().backward()
    return b.grad, x.grad


def test_a_retained_gradient_is_what_all_hooks_leave():
    def before(b):
        b.retain_grad()
        b.register_hook(lambda g: g * 3)
        b.register_hook(lambda g: g + 1)

    def between(b):
        b.register_hook(lambda g: g * 3)
        b.retain_grad()
        b.retain_grad()
        b.register_hook(lambda g: g + 1)

    def removed(b):
        b.retain_grad()
        handle = b.register_hook(lambda g: g * 3)
        b.register_hook(lambda g: g + 1)
        handle.remove()

    def written(b):
        b.retain_grad()
        b.mul_(3)
        b.register_hook(lambda g: g * 7)

    for arrange in (before, between, removed, written):
        compare(retained, torch, tinygrad_nn, arrange)


def test_a_retained_gradient_of_one_of_several_outputs():
    def program(p):
        x = p.ones(2, 2, requires_grad=True)
        u, v = x.unbind(0)
        u.retain_grad()
        u.register_hook(lambda g: g * 3)
        v.register_hook(lambda g: g * 5)
        v.retain_grad()
        (u * 2 + v).sum().backward()
        return u.grad, v.grad, x.grad

    compare(program, torch, tinygrad_nn)


# second derivatives

PIECEWISE = """
z.relu()
F.relu6(z)
F.leaky_relu(z)
F.rrelu(z)
F.prelu(z, a)
F.hardtanh(z)
F.hardtanh(z, -0.5, 0.5)
F.hardshrink(z)
F.softshrink(z)
F.threshold(z, 0.1, 2.)
F.max_pool1d(z.reshape(1, 1, 8), 2)
F.max_pool2d(z.reshape(1, 2, 4), 2)
F.adaptive_max_pool1d(z.reshape(1, 1, 8), 2)
F.hardswish(z)
z.clamp(0, 1)
p.maximum(z, a)
z.amax()
z.square().relu()
z.relu().square()
""".strip().splitlines()


@pytest.mark.parametrize("text", PIECEWISE)
def test_second_derivatives_of_piecewise_functions(text):
    """Zeros where the first derivative is constant between jumps, or absent where PyTorch has them absent."""

    def program(p):
        z = p.tensor([0.5, -1.5, 0.7, 2.0, -0.2, 3.0, 0.3, -4.0], requires_grad=True)
        a = p.tensor([0.25], requires_grad=True)
        y = value_of(text, p=p, F=p.nn.functional, z=z, a=a)
        first = p.autograd.grad(y.sum(), [z, a], create_graph=True, allow_unused=True)
        linked = [d is not None and d.requires_grad for d in first]
        ends = [d.sum() for d, link in zip(first, linked, strict=True) if link]
        return first, linked, [p.autograd.grad(end, [z, a], retain_graph=True, allow_unused=True) for end in ends]

    compare(program, torch, tinygrad_nn)


def test_second_derivatives_of_a_network_of_relus():
    def program(p):
        p.manual_seed(0)
        net = p.nn.Sequential(p.nn.Linear(3, 5), p.nn.ReLU(), p.nn.Linear(5, 1))
        x = p.ones(2, 3, requires_grad=True)
        (du,) = p.autograd.grad(net(x).sum(), x, create_graph=True)
        (dudu,) = p.autograd.grad(du.sum(), x, create_graph=True)
        ((du**2).sum() + dudu.sum()).backward()
        return du, dudu, [q.grad for q in net.parameters()]

    compare(program, torch, tinygrad_nn)


# Function


def in_place_function(p, save):
    """exp, written into its input."""

    class Exp(p.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.exp_()
            ctx.mark_dirty(x)
            if save:
                ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0] if save else g * 5

    return Exp


@pytest.mark.parametrize("save", [True, False])
def test_a_function_that_writes_in_place(save):
    def program(p):
        function = in_place_function(p, save)
        a = p.tensor([1.0, 2.0, 3.0], requires_grad=True)
        b = a * 1
        c = function.apply(b)
        (c * b).sum().backward()
        whole = a * 2
        part = whole[:2]
        written = function.apply(part)
        (whole * p.tensor([1.0, 2.0, 3.0])).sum().backward()
        plain = p.ones(2)
        same = function.apply(plain)
        return c is b, b.grad_fn.name(), b, a.grad, written is part, whole, same is plain, plain, plain.requires_grad

    compare(program, torch, tinygrad_nn)
    compare(lambda p: in_place_function(p, save).apply(p.ones(2, requires_grad=True)), torch, tinygrad_nn)


def test_arguments_of_a_function_by_name():
    def program(p):
        class Plain(p.autograd.Function):
            @staticmethod
            def forward(ctx, x, k=2):
                ctx.k = k
                return x * k

            @staticmethod
            def backward(ctx, g):
                return g * ctx.k, None

        class Apart(p.autograd.Function):
            @staticmethod
            def forward(x, b, k=2):
                return x * k + b

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.inputs = inputs

            @staticmethod
            def backward(ctx, g):
                return g * ctx.inputs[2], g, None

        found = []
        for call in (
            Plain.apply, lambda x: Plain.apply(x, k=5), lambda x: Plain.apply(x=x, k=5),
            lambda x: Apart.apply(x, p.ones(1)), lambda x: Apart.apply(x, p.ones(1), k=7), lambda x: Apart.apply(x, k=7, b=x),
        ):  # fmt: skip
            x = p.ones(1, requires_grad=True)
            y = call(x)
            y.backward()
            found += [y, x.grad, y.grad_fn.needs_input_grad[:2]]
        return found

    compare(program, torch, tinygrad_nn)


NAMES = [
    "outputs", "serial", "edges", "function", "hooks", "release", "backward", "where", "ctx", "inputs", "saved", "results", "shown",
    "_saved", "_inputs", "_shapes", "_checked", "_seal", "_node",
]  # fmt: skip


def test_a_ctx_takes_any_attribute():
    def program(p):
        class Exp(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                for i, name in enumerate(NAMES):
                    setattr(ctx, name, x.exp() * i)
                ctx.save_for_backward(x)
                return x.exp()

            @staticmethod
            def backward(ctx, g):
                return g * sum(getattr(ctx, name) for name in NAMES) * ctx.saved_tensors[0]

        x = p.tensor([1.0, 2.0], requires_grad=True)
        y = Exp.apply(x)
        (y * y).sum().backward()
        return x.grad

    compare(program, torch, tinygrad_nn)


def test_what_a_ctx_shows_of_its_node():
    def program(p):
        seen = []

        class Double(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.factor = 2
                ctx.save_for_backward(x)
                seen.extend([ctx.saved_tensors, ctx.name(), ctx])
                return x * 2

            @staticmethod
            def backward(ctx, g):
                seen.extend([ctx.saved_tensors, ctx.next_functions[0][0].name(), ctx.name(), hasattr(ctx, "other")])
                return g * ctx.factor

        y = Double.apply(p.ones(1, requires_grad=True))
        seen.extend([y.grad_fn.factor, y.grad_fn.saved_tensors, y.grad_fn.needs_input_grad, hasattr(y.grad_fn, "other")])
        y.backward()
        ctx = seen.pop(2)
        with p.no_grad():
            Double.apply(p.ones(1))
            seen.append(seen.pop().saved_tensors)
        return *seen, ctx.factor

    compare(program, torch, tinygrad_nn)


def test_a_functions_own_rule_for_batches():
    def program(p):
        class Sin(p.autograd.Function):
            @staticmethod
            def forward(x, factor):
                return x.sin() * factor, x * 1

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(inputs[0])

            @staticmethod
            def backward(ctx, g, h):
                return g * ctx.saved_tensors[0].cos() + h, None

            @staticmethod
            def vmap(info, in_dims, x, factor):
                assert (info.randomness, factor) == ("error", 2)
                first, second = Sin.apply(x.movedim(in_dims[0], -1), factor)
                return (first * 100, second.sum(-1) if info.batch_size == 1 else second.mean(-1)), (-1, None)

        x = p.arange(6.0).reshape(2, 3).requires_grad_()
        sine = lambda x: Sin.apply(x, 2)[0]
        y = p.vmap(sine, in_dims=1, out_dims=1)(x)
        y.sum().backward()
        return y, x.grad, p.vmap(p.vmap(sine))(x), sine(x), p.vmap(lambda t: Sin.apply(t, 2)[1])(p.ones(2, 3))

    compare(program, torch, tinygrad_nn)
    with pytest.raises(NotImplementedError, match="override the vmap staticmethod"):
        tinygrad_nn.autograd.Function.vmap(None, None)


def test_names_and_outputs_of_a_function():
    def program(p):
        seen = []

        class Several(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                seen.extend([type(ctx).__name__, isinstance(ctx, p.autograd.function.FunctionCtx)])
                return x * 2, None, "text", 5

            @staticmethod
            def backward(ctx, *gradients):
                seen.extend(gradients)
                return gradients[0] * 2

        x = p.ones(1, requires_grad=True)
        y, *others = Several.apply(x)
        y.backward()
        return seen, others, x.grad, type(y.grad_fn).__name__, y.grad_fn.name()

    compare(program, torch, tinygrad_nn)


def test_backwards_and_calls_that_are_refused():
    def of(p, result):
        return type("Wrong", (p.autograd.Function,), {
            "forward": staticmethod(lambda ctx, x: x * 2), "backward": staticmethod(lambda ctx, g: result(g))
        })  # fmt: skip

    for result in (lambda g: 3.0, lambda g: [g], lambda g: "text"):
        compare(lambda p, r: of(p, r).apply(p.ones(1, requires_grad=True)).backward(), torch, tinygrad_nn, result)
    compare(lambda p: of(p, None)()(p.ones(1)), torch, tinygrad_nn)


# nodes

NAMED = """
w * 3
w + u
-w
w.exp()
w.log1p()
w.sum()
w.sum(0)
m.sum((0, 1))
w.mean()
w.mean(0, keepdim=True)
w.prod()
w.prod(0)
w.max()
w.amax()
w.std()
w.norm()
w.clone()
w.double()
w.expand(2, 4)
w.reshape(2, 2)
w.view(4)
m.T
w[0]
w[1:3]
w[None]
m[:, 0]
m[0, 1:]
w[[0, 1]]
p.cat([w, w])
p.stack([w, w])
w.softmax(0)
m @ m
m.inverse()
m.det()
w.clamp(0, 1)
p.where(w > 0, w, u)
w.gather(0, p.tensor([0, 1]))
w.relu()
F.leaky_relu(w)
F.hardtanh(w)
F.prelu(w, p.tensor([0.25]))
F.linear(m, m, w[:2])
F.linear(m, m)
F.layer_norm(w, (4,))
F.embedding(p.tensor([0, 1]), m)
F.pad(w, (1, 1))
F.cross_entropy(m, p.tensor([0, 1]))
""".strip().splitlines()


@pytest.mark.parametrize("text", NAMED)
def test_names_of_nodes(text):
    def program(p):
        w = p.tensor([0.5, 1.5, 0.7, 2.0], requires_grad=True)
        m = p.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
        y = value_of(text, p=p, F=p.nn.functional, w=w, m=m, u=p.tensor([1.0, 2.0, 3.0, 4.0]))
        after = (y + 1).grad_fn.next_functions[0][0]
        return y.grad_fn.name(), type(y.grad_fn).__name__, type(after).__name__

    compare(program, torch, tinygrad_nn)


# what stands around it


def test_gradients_in_batches():
    def program(p):
        x, w, unused = (p.tensor(v, requires_grad=True) for v in ([1.0, 2.0, 3.0], [2.0], [1.0]))
        y = x**2 * w
        whole = p.autograd.grad(y, x, p.eye(3), retain_graph=True, is_grads_batched=True)
        both = p.autograd.grad([y, y.sum()], [x, w], [p.eye(3), p.ones(3)], retain_graph=True, is_grads_batched=True)
        linked = p.autograd.grad(y, [x, unused], p.eye(3)[:2], is_grads_batched=True, allow_unused=True, create_graph=True)
        last = p.autograd.grad(linked[0].sum(), w, retain_graph=True)
        p.autograd.grad(y, x, p.eye(3), is_grads_batched=True)
        return whole, both, linked, last

    def after(p):
        x = p.ones(3, requires_grad=True)
        y = x**2
        p.autograd.grad(y, x, p.eye(3), is_grads_batched=True)
        p.autograd.grad(y, x, p.eye(3), is_grads_batched=True)

    compare(program, torch, tinygrad_nn)
    compare(after, torch, tinygrad_nn)


def test_gradients_in_batches_that_do_not_fit():
    def program(p, shape):
        x = p.ones(3, requires_grad=True)
        return p.autograd.grad(x * 2, x, p.ones(shape), is_grads_batched=True)

    compare(program, torch, tinygrad_nn, (2, 2))


def test_gradient_edges():
    def program(p):
        graph = p.autograd.graph
        x = p.ones(2, requires_grad=True)
        y = x * 2
        edge, leaf = graph.get_gradient_edge(y), graph.get_gradient_edge(x)
        z = (y * 3).sum()
        return (
            edge.node is y.grad_fn, edge.output_nr, type(leaf.node).__name__, isinstance(edge, graph.GradientEdge),
            p.autograd.grad(z, edge, retain_graph=True), p.autograd.grad(z, [leaf, y]),
        )  # fmt: skip

    compare(program, torch, tinygrad_nn)
    compare(lambda p: p.autograd.graph.get_gradient_edge(p.ones(1)), torch, tinygrad_nn)


def test_contexts_that_change_nothing():
    def program(p):
        x = p.ones(2, requires_grad=True)
        with p.autograd.graph.save_on_cpu(pin_memory=False):
            y = x * x
        with p.autograd.graph.disable_saved_tensors_hooks("no"):
            y = y.sum()
        with p.autograd.profiler.record_function("step"):
            y.backward()
        return x.grad, p.autograd.profiler.record_function("square")(lambda v: v * v)(3)

    compare(program, torch, tinygrad_nn)
    with tinygrad_nn.autograd.profiler.profile(use_cpu=True) as measured:
        assert measured is not None


@pytest.mark.parametrize("module", ["grad_mode", "anomaly_mode", "function", "functional", "graph", "profiler", "variable"])
def test_modules_of_autograd(module):
    ours, theirs = (importlib.import_module(f"{p.__name__}.autograd.{module}") for p in (tinygrad_nn, torch))
    public = getattr(ours, "__all__", ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable"])
    assert [name for name in public if not hasattr(theirs, name)] == []
    assert getattr(tinygrad_nn.autograd, module) is ours


def test_a_mode_shows_itself():
    compare(lambda p: repr(p.set_grad_enabled(True)), torch, tinygrad_nn)


@pytest.mark.parametrize("result", [None, 3, "tensor"])
def test_what_a_hook_on_a_leaf_may_return(result):
    def program(p):
        x = p.ones(1, requires_grad=True)
        x.register_post_accumulate_grad_hook(lambda leaf: leaf if result == "tensor" else result)
        (x * 2).backward()
        return x.grad

    compare(program, torch, tinygrad_nn)


def test_contexts_of_a_checkpoint():
    def program(p):
        checkpoints, seen = importlib.import_module(f"{p.__name__}.utils.checkpoint"), []

        @contextlib.contextmanager
        def told(name):
            seen.append(name)
            yield

        x = p.ones(1, requires_grad=True)
        y = checkpoints.checkpoint(p.exp, x, use_reentrant=False, context_fn=lambda: (told("first"), told("again")))
        seen.append("between")
        (y * 2).backward()
        checkpoints.checkpoint(p.exp, x, use_reentrant=False, context_fn=checkpoints.noop_context_fn).backward()
        return x.grad, seen

    def refused(p):
        checkpoints = importlib.import_module(f"{p.__name__}.utils.checkpoint")
        return checkpoints.checkpoint(p.exp, p.ones(1, requires_grad=True), use_reentrant=True, context_fn=lambda: None)

    compare(program, torch, tinygrad_nn)
    compare(refused, torch, tinygrad_nn)
