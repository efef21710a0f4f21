"""The graph's nodes beside PyTorch's: where they lead, what they saved, and hooks on them."""

import re

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, outcome, value_of

torch = pytest.importorskip("torch")


def named(y):
    return [node and (node.name(), number) for node, number in y.grad_fn.next_functions]


EDGES = [
    "2 * b", "1 + b", "1 - b", "b - 1", "w - b", "b % 2", "b % w", "b**0.5", "b**2", "2**b", "b / 2", "w / b", "b * w",
    "w * b", "3 * b.sum()", "b @ w", "p.nn.functional.mse_loss(b, w)", "p.nn.functional.silu(b)", "b.rsqrt()",
    "p.nn.functional.layer_norm(b, (2,), w)",
    "p.where(b > 0, 1.0, b)", "p.cat([b, w])", "b.sum()", "b.reshape(2, 1) @ w.reshape(1, 2)", "p.maximum(b, w)", "b + b",
    "p.nn.functional.linear(b.reshape(1, 2), p.ones(3, 2))", "p.clamp(b, 0)",
]  # fmt: skip


@pytest.mark.parametrize("text", EDGES)
def test_where_a_node_leads(text):
    def program(p):
        x = p.tensor([2.0, 3.0], requires_grad=True)
        return named(value_of(text, p=p, b=p.sin(x), w=p.ones(2)))

    compare(program, torch, tinygrad_nn)


def test_the_bias_of_a_linear_layer_comes_first():
    def program(p):
        layer = p.nn.Linear(2, 3)
        ends = layer(p.ones(1, 2, requires_grad=True)).grad_fn.next_functions
        return ends[0][0].variable is layer.bias, named(layer(p.ones(1, 2, requires_grad=True)))[:2]

    compare(program, torch, tinygrad_nn)


def test_how_nodes_print():
    def program(p):
        class Linear(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

        x = p.ones(2, requires_grad=True)
        y, z = x + 1, Linear.apply(x)
        return [re.sub("0x[0-9a-f]+", "", repr(v)) for v in (y, y.grad_fn, y.grad_fn.next_functions, z, z.grad_fn)]

    compare(program, torch, tinygrad_nn)


def test_a_leaf_has_one_end():
    def program(p):
        x = p.ones(2, requires_grad=True)
        first, second = ((x * k).grad_fn.next_functions[0][0] for k in (2, 3))
        return first is second, first.name(), first.variable is x, first.metadata

    compare(program, torch, tinygrad_nn)


SAVED = {
    "a base": lambda p, x: (x.pow(2).grad_fn._saved_self, x.pow(2).grad_fn._saved_self is x),
    "a number as exponent": lambda p, x: (x.pow(2).grad_fn._saved_exponent, x.pow(2.0).grad_fn._saved_exponent),
    "an exponent": lambda p, x: x.pow(x).grad_fn._saved_exponent,
    "a result": lambda p, x: [y.grad_fn._saved_result for y in (x.exp(), x.sigmoid(), x.tanh(), x.relu(), x.softmax(0))],
    "a result's history": lambda p, x: x.exp().grad_fn._saved_result.grad_fn.name(),
    "an input": lambda p, x: [y.grad_fn._saved_self for y in (x.sin(), x.log(), x.cos(), x.abs())],
    "a factor": lambda p, x: ((x * x.detach()).grad_fn._saved_other, (x * 2).grad_fn._saved_other, (x * 2).grad_fn._saved_self),
    "a divisor": lambda p, x: (1 / x.exp()).grad_fn.metadata,
    "a matrix": lambda p, x: (x.view(2, 1) @ p.ones(1, 2)).grad_fn._saved_mat2,
    "nothing": lambda p, x: (x + 1).grad_fn._saved_self,
    "no such name": lambda p, x: x.sin().grad_fn._saved_nothing,
}


@pytest.mark.parametrize("name", SAVED)
def test_what_a_node_saved(name):
    compare(lambda p: SAVED[name](p, p.tensor([2.0, 3.0], requires_grad=True)), torch, tinygrad_nn)


def test_what_a_node_saved_is_freed():
    def program(p):
        y = p.ones(2, requires_grad=True).exp()
        y.sum().backward()
        return y.grad_fn._saved_result

    compare(program, torch, tinygrad_nn)


def test_what_hooks_put_away_is_fetched():
    def program(p):
        x = p.tensor([2.0, 3.0], requires_grad=True)
        with p.autograd.graph.saved_tensors_hooks(lambda t: t.detach() + 0, lambda t: t * 10):
            y = x.sin()
        return y.grad_fn._saved_self

    compare(program, torch, tinygrad_nn)


def test_metadata():
    def program(p):
        y = p.ones(2, requires_grad=True) * 2
        y.grad_fn.metadata["mark"] = 1
        return y.grad_fn.metadata, (y + 1).grad_fn.metadata

    compare(program, torch, tinygrad_nn)


def product(p):
    x = p.tensor([2.0, 3.0], requires_grad=True)
    return x, p.sin(x) * 3


def test_hooks_see_the_gradients_in_order():
    def program(p):
        x, y = product(p)
        seen = []
        y.grad_fn.register_prehook(lambda arrived: seen.append(("before", arrived)))
        y.register_hook(lambda g: seen.append(("tensor", g)))
        handle = y.grad_fn.register_hook(lambda given, arrived: seen.append(("after", given, arrived)))
        y.sum().backward(retain_graph=True)
        handle.remove()
        y.sum().backward()
        return seen, x.grad

    compare(program, torch, tinygrad_nn)


RETURNED = {
    "of the inputs": lambda given, arrived: (given[0] * 10, None),
    "too few": lambda given, arrived: (given[0],),
    "a tensor": lambda given, arrived: given[0],
    "a number": lambda given, arrived: (1, None),
    "a list": lambda given, arrived: [given[0], None],
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_a_hook_returns(name):
    def program(p):
        x, y = product(p)
        y.grad_fn.register_hook(RETURNED[name])
        y.sum().backward()
        return x.grad

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("returned", [lambda g: (g[0] * 10,), lambda g: (), lambda g: g[0], lambda g: (1,), lambda g: [g[0]]])
def test_what_a_prehook_returns(returned):
    def program(p):
        x, y = product(p)
        y.grad_fn.register_prehook(returned)
        y.sum().backward()
        return x.grad

    compare(program, torch, tinygrad_nn)


def test_hooks_on_a_function_of_ones_own():
    def program(p):
        class Two(p.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                return x * 2, y * 3

            @staticmethod
            def backward(ctx, a, b):
                return a * 2, b * 3

        x = p.tensor([2.0, 3.0], requires_grad=True)
        first, second = Two.apply(x, x * 2)
        seen = []
        first.grad_fn.register_hook(lambda given, arrived: seen.append((given, arrived)))
        second.grad_fn.register_prehook(lambda arrived: (arrived[0] * 10, arrived[1]))
        (first + second).sum().backward()
        return seen, x.grad, type(first.grad_fn).__name__

    compare(program, torch, tinygrad_nn)


def test_a_hook_may_be_differentiated():
    def program(p):
        x, y = product(p)
        y.grad_fn.register_hook(lambda given, arrived: (given[0] * x, None))
        (first,) = p.autograd.grad(y.sum(), x, create_graph=True)
        return first, p.autograd.grad(first.sum(), x)

    compare(program, torch, tinygrad_nn)


def test_hooks_at_a_leaf():
    def program(p):
        x = p.ones(2, requires_grad=True)
        end = x.expand_as(x).grad_fn.next_functions[0][0]
        seen = []
        handle = end.register_hook(lambda given, arrived: seen.append((given, arrived[0].clone(), x.grad.clone())))
        (x * 3).sum().backward()
        p.autograd.grad((x * 4).sum(), x)
        (x * 5).sum().backward()
        handle.remove()
        (x * 7).sum().backward()
        return seen, x.grad

    compare(program, torch, tinygrad_nn)


def test_prehooks_at_a_leaf():
    def program(p):
        x = p.ones(2, requires_grad=True)
        end = x.expand_as(x).grad_fn.next_functions[0][0]
        end.register_prehook(lambda arrived: (arrived[0] * 2,))
        (x * 3).sum().backward()
        return x.grad

    compare(program, torch, tinygrad_nn)


def test_increment_version():
    def program(p):
        x = p.ones(2, requires_grad=True)
        y = p.ones(2)
        z = x * y
        p.autograd.graph.increment_version(y)
        p.autograd.graph.increment_version([y, x])
        versions = y._version, x._version
        failed = outcome(lambda p: z.sum().backward(), p)
        return versions, type(failed).__name__, p.autograd.graph.increment_version(3)

    compare(program, torch, tinygrad_nn)


def test_set_multithreading_enabled():
    def program(p):
        with p.autograd.set_multithreading_enabled(False):
            x = p.ones(2, requires_grad=True)
            (x * 2).sum().backward()
        return x.grad, p.autograd.grad_mode.set_multithreading_enabled is p.autograd.set_multithreading_enabled

    compare(program, torch, tinygrad_nn)


def test_random_numbers_after_a_check_of_second_derivatives():
    def program(p):
        x = p.ones(3, dtype=p.float64, requires_grad=True)
        p.manual_seed(0)
        p.autograd.gradcheck(p.sin, x)
        first = p.rand(1)
        p.autograd.gradgradcheck(lambda x: (x.sin(), p.ones(2), x.cos()), (x,))
        return first, p.rand(1)

    compare(program, torch, tinygrad_nn)


NAMES = [
    "x@x.mT", "torch.bmm(x,x.mT)", "m@v", "v@m", "v@v", "m@x[0]", "x@v.new_ones(4)", "m.unsqueeze(0)", "m[None]",
    "m[:,None]", "m.squeeze()", "m[None].squeeze(0)", "m.squeeze(0)", "m.t()", "v.t()", "m.T", "m.mT", "F.mse_loss(m,m*2)",
    "F.mse_loss(m,m*2,reduction='none')", "F.mse_loss(m,m*2,reduction='sum')", "F.smooth_l1_loss(m,m*2)", "F.l1_loss(m,m*2)",
    "F.l1_loss(m,m*2,reduction='sum')", "F.huber_loss(m,m*2)", "F.binary_cross_entropy(m,m.detach())",
    "F.binary_cross_entropy_with_logits(m,m.detach())", "F.binary_cross_entropy(m,m.detach(),reduction='none')",
    "F.gaussian_nll_loss(m,m,m.abs()+1)", "F.nll_loss(m,torch.tensor([0,1,2]))", "F.cross_entropy(m,torch.tensor([0,1,2]))",
    "F.cross_entropy(m,torch.tensor([0,1,2]),reduction='none')",
    "F.cross_entropy(m,torch.tensor([0,1,2]),label_smoothing=.1)", "F.gelu(m)", "F.silu(m)", "F.elu(m)", "F.selu(m)",
    "F.softplus(m)", "F.leaky_relu(m)", "F.relu6(m)", "F.mish(m)", "F.hardswish(m)", "F.logsigmoid(m)", "F.glu(x)",
    "m.addmm(m,m)", "v.addmv(m,v)", "torch.addmm(v,m,m)", "m.masked_fill(m>0,1)", "(m*1).masked_fill_(m>0,1)",
    "m.topk(2)[0]", "m.sort()[0]", "m.max(1)[0]", "m.max(1).values", "m.rsqrt()", "m.reciprocal()", "m.tril()", "m.triu()",
    "torch.addcmul(m,m,m)", "x.repeat(2,1,1)", "x.split(1)[0]", "x.chunk(2)[0]", "x.unbind()[0]",
    "m.index_select(0,torch.tensor([0]))", "F.max_pool2d(x,2)", "F.avg_pool2d(x,2)", "F.adaptive_avg_pool2d(x[None],1)",
    "F.max_pool2d(x[None],2)", "F.conv2d(x[None],torch.rand(2,2,1,1))", "F.conv_transpose2d(x[None],torch.rand(2,2,1,1))",
    "torch.nn.BatchNorm1d(3)(m)", "torch.nn.BatchNorm1d(3)(m.unsqueeze(2))", "torch.nn.BatchNorm2d(2)(x[None])",
    "torch.nn.LayerNorm(3)(m)", "torch.nn.GroupNorm(1,3)(m)", "torch.nn.Linear(4,2)(x)", "torch.nn.Linear(3,2)(v)",
    "torch.nn.Linear(3,2,bias=False)(m)", "F.linear(x,torch.rand(2,4,requires_grad=True))", "m.view(9)", "m.reshape(9)",
    "m.flatten()", "x.permute(2,1,0)", "x.transpose(1,2)", "m.std()", "m.norm()", "torch.nn.functional.normalize(m)",
    "F.cosine_similarity(m,m)", "torch.outer(v,v)", "m**3", "m-1", "-m", "m%2", "m.square()", "torch.clamp(m,0,1)",
    "torch.clamp(m,min=0)", "torch.clamp(m,max=1)", "m.diagonal()", "m.to(torch.float64)", "m.double()", "m.clone()",
    "m.expand(2,3,3)", "F.embedding(torch.tensor([1]),m)", "F.scaled_dot_product_attention(x,x,x)", "m.cumsum(0)",
    "torch.logsumexp(m,0)", "m.softmax(0)", "m.log_softmax(0)", "m.gather(0,torch.zeros(1,3).long())",
    "m[torch.tensor([0])]", "m[m>0]", "m[0]", "m[0,1]", "m[:1]", "m[..., 0]", "m.max()", "m.min()", "m.median()", "m.var()",
    "m.mean(0)", "m.sum(0)", "m.prod()", "m.abs()", "torch.stack([m,m])", "torch.cat([m,m])", "torch.hstack([m,m])",
    "torch.vstack([m,m])", "m.roll(1)", "m.flip(0)", "F.pad(m,(1,1))", "m.sigmoid()", "m.tanh()", "torch.atan2(m,m)",
    "m.round()", "torch.lerp(m,m,.5)", "torch.linalg.norm(m)", "torch.linalg.inv(m)", "m.inverse()", "m.det()",
    "m.movedim(0,1)", "m.narrow(0,0,1)", "m.new_zeros(3,3).add_(m)",
]  # fmt: skip


@pytest.mark.parametrize("text", NAMES)
def test_the_names_of_nodes(text):
    def program(p):
        x, m, v = (p.linspace(0.1, 0.9, n).view(sizes).requires_grad_() for n, sizes in ((24, (2, 3, 4)), (9, (3, 3)), (3, (3,))))
        y = value_of(text, torch=p, F=p.nn.functional, x=x, m=m, v=v)
        return type(y.grad_fn).__name__, y.grad_fn.name()

    compare(program, torch, tinygrad_nn)


WRITTEN = {
    "a row": lambda z, m: z.__setitem__(0, m[0]),
    "a number": lambda z, m: z.__setitem__((0, 1), 1),
    "a mask": lambda z, m: z.__setitem__(z > 0, 1),
    "through a view": lambda z, m: z[0].add_(1),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_names_of_writes(name):
    def program(p):
        m = p.ones(2, 2, requires_grad=True)
        z = m * 2
        WRITTEN[name](z, m)
        return type(z.grad_fn).__name__, repr(z)

    compare(program, torch, tinygrad_nn)


def test_what_a_view_is_of():
    def program(p):
        x = p.ones(2, 3, requires_grad=True)
        flat = x.view(6)
        with p.no_grad():
            unseen = x[0]
        views = [flat, flat[0], x.t(), x.expand(2, 2, 3), x.split(1)[0], x.unbind()[0], x.diagonal(), unseen]
        others = [x, x * 1, x.detach(), flat.detach(), x.t().contiguous(), x[0].clone()]
        return [y._base is x for y in views], [y._base for y in others], [y._is_view() for y in (*views, *others)]

    compare(program, torch, tinygrad_nn)
