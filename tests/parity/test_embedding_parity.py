"""Look-up tables, containers of parameters, clipping and changes of shape beside PyTorch's."""

import warnings

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.derivatives import derivatives, leaves
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(2)
ARRAYS = {
    "w": RNG.normal(size=(6, 3)), "i": np.array([[0, 5, 2], [2, 2, 1]]), "f": np.array([4, 4, 0, 2, 2, 5, 1]),
    "o": np.array([0, 3, 3, 5]), "s": RNG.uniform(0.5, 1, 7), "S": RNG.uniform(0.5, 1, (2, 3)),
}  # fmt: skip

CALLS = [
    "embedding(i, w)", "embedding(i.to(p.int32), w)", "embedding(i[0, 0], w)", "embedding(i[:0], w)", "embedding(i, w, 2)",
    "embedding(i, w, padding_idx=-1)", "embedding(i, w, scale_grad_by_freq=True)", "embedding(i, w, 2, None, 2.0, True)",
    "embedding(i + 1, w)", "embedding(i - 1, w)", "embedding(i, w[0])", "embedding(i * 1.0, w)", "embedding(i > 1, w)",
    "embedding(i, w, 6)", "embedding(i, w, -7)",
    "embedding_bag(i, w)", "embedding_bag(f, w, o)", "embedding_bag(f, w, o, mode='sum')", "embedding_bag(f, w, o, mode='max')",
    "embedding_bag(i, w, mode='max')", "embedding_bag(i, w, mode='sum', per_sample_weights=S)",
    "embedding_bag(f, w, o, mode='sum', per_sample_weights=s)",
    "embedding_bag(f, w, p.tensor([0, 3, 3, 7]), include_last_offset=True)",
    "embedding_bag(f, w, o, mode='max', padding_idx=2)", "embedding_bag(f, w, o, padding_idx=2)",
    "embedding_bag(f, w, o, mode='sum', padding_idx=-2, per_sample_weights=s)",
    "embedding_bag(f, w)", "embedding_bag(i, w, o)", "embedding_bag(f, w, o[1:])", "embedding_bag(f, w, o, mode='most')",
    "embedding_bag(f, w, o, per_sample_weights=s)", "embedding_bag(f, w, o, mode='sum', per_sample_weights=S)",
    "embedding_bag(f + 2, w, o)", "embedding_bag(f, w[0], o)", "embedding_bag(f, w, o, mode='max', scale_grad_by_freq=True)",
    "embedding_bag(f[:0], w, o[:1])", "embedding_bag(f, w, o + 4)", "embedding_bag(i[None], w)",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_functions(call):
    def program(p):
        values = dict(zip(ARRAYS, leaves(p, list(ARRAYS.values())), strict=True))
        y = value_of(f"F.{call}", p=p, F=p.nn.functional, **values)
        return derivatives(p, y, list(values.values()), second="bag" not in call and "freq" not in call)

    compare(program, torch, tinygrad_nn, tolerance=1e-9)


@pytest.mark.parametrize("p_norm", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", ["embedding", "embedding_bag"])
def test_rows_that_are_looked_up_are_shrunk_in_place(name, p_norm):
    def program(p):
        w = p.tensor(ARRAYS["w"])
        y = getattr(p.nn.functional, name)(p.tensor(ARRAYS["i"]), w, max_norm=0.8, norm_type=p_norm)
        return [y, w]

    compare(program, torch, tinygrad_nn, tolerance=1e-7)


MODULES = {
    "Embedding(6, 3)": "i", "Embedding(6, 3, padding_idx=-4)": "i", "Embedding(6, 3, max_norm=1.0, norm_type=1)": "i",
    "Embedding(6, 3, scale_grad_by_freq=True)": "i", "Embedding(6, 3, dtype=p.float64)": "i",
    "Embedding(6, 3, padding_idx=6)": "i",
    "Embedding(6, 3, _weight=p.ones(3, 6))": "i", "Embedding.from_pretrained(p.arange(18.0).reshape(6, 3))": "i",
    "Embedding.from_pretrained(p.ones(6, 3), False, 2)": "i", "Embedding.from_pretrained(p.ones(6))": "i",
    "EmbeddingBag(6, 3)": "i",
    "EmbeddingBag(6, 3, mode='max', padding_idx=2)": "i", "EmbeddingBag(6, 3, 1.0, 3.0, mode='sum')": "i",
    "EmbeddingBag.from_pretrained(p.ones(6, 3), freeze=False, mode='sum')": "i", "EmbeddingBag(6, 3, mode='max')": "fo",
    "Unflatten(1, (3, 1))": "i", "Unflatten(1, [3])": "i", "Unflatten(1, 3)": "i", "Unflatten(0, (3, 3))": "i", "Flatten(0)": "i",
    "Identity(7)": "i", "Bilinear(3, 3, 4)": "SS", "Bilinear(3, 3, 4, bias=False)": "SS", "Bilinear(0, 3, 4)": "SS",
}  # fmt: skip


@pytest.mark.parametrize("call", MODULES)
def test_modules(call):
    def program(p):
        p.manual_seed(4)
        module = value_of(f"nn.{call}", p=p, nn=p.nn)
        inputs = [p.tensor(ARRAYS[name].astype(np.float32) if name == "S" else ARRAYS[name]) for name in MODULES[call]]
        y = module(*inputs)
        state = {name: value.detach() for name, value in module.state_dict().items()}
        grads = derivatives(p, y, list(module.parameters()), second=False)
        return [repr(module), state, [v.requires_grad for v in module.parameters()], grads]

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


def net_with_gradients(p):
    p.manual_seed(0)
    net = p.nn.Sequential(p.nn.Linear(4, 3), p.nn.Tanh(), p.nn.Linear(3, 2))
    net(p.randn(5, 4)).pow(2).sum().backward()
    return net


@pytest.mark.parametrize(
    "call",
    [
        "clip_grad_norm_(net.parameters(), 0.5)", "clip_grad_norm_(net.parameters(), 100.0)",
        "clip_grad_norm_(net.parameters(), 1, 1)",
        "clip_grad_norm_(net.parameters(), 0.5, norm_type=float('inf'))", "clip_grad_norm_(net[0].weight, 0.1)",
        "clip_grad_norm_(net.parameters(), 1.0, 2.0, error_if_nonfinite=True)", "clip_grad_norm_([], 1.0)",
        "clip_grad_norm(net.parameters(), 0.5)",
        "clip_grad_norm_(net.parameters(), 0.0, 0)", "clip_grad_value_(net.parameters(), 0.2)",
        "clip_grad_value_(net[0].bias, 0.01)",
        "get_total_norm([v.grad for v in net.parameters()])", "get_total_norm([v.grad for v in net.parameters()], 3.0)",
        "clip_grads_with_norm_(net.parameters(), 0.5, p.tensor(2.0))", "parameters_to_vector(net.parameters())",
        "vector_to_parameters(p.arange(23.0), net.parameters())", "vector_to_parameters([1.0], net.parameters())",
        "clip_grad_norm_(bad, 1.0, error_if_nonfinite=True)", "clip_grad_norm_(bad, 1.0)",
    ],
)  # fmt: skip
def test_clipping(call):
    def program(p):
        net = net_with_gradients(p)
        bad = p.nn.Parameter(p.ones(2))
        bad.grad = p.tensor([1.0, float("inf")])
        result = value_of(f"p.nn.utils.{call}", p=p, net=net, bad=bad)
        return [result, *(v.detach() for v in net.parameters()), *(v.grad for v in net.parameters()), bad.grad]

    compare(program, torch, tinygrad_nn, tolerance=1e-5, quiet="[]" in call or "grad_norm(" in call)


CONTAINERS = [
    "L()", "L([p.ones(2), p.zeros(1, 3)])", "L([p.ones(2), 'word', p.nn.Parameter(p.ones(1))])[1:]",
    "L([p.ones(2)]).append(p.ones(3))",
    "L([p.ones(2), p.ones(3)])[-1]", "L([p.ones(2)])[1]", "L(p.ones(2))", "L(3)", "L([p.ones(1)]).extend([p.ones(2)])", "L()()",
    "D()", "D({'a': p.ones(2), 'b': 3})", "D([('a', p.ones(2))])", "D({'a': p.ones(2)}).pop('a')", "D({'a': p.ones(2)})['b']",
    "D({1: p.ones(2)})", "D({'a': p.ones(2), 'b': p.ones(1)}).popitem()", "D({'a': p.ones(2)}) | D({'b': p.ones(1)})",
    "list(D({'b': p.ones(2), 'a': p.ones(1)}).items())", "list(reversed(D({'b': p.ones(2), 'a': 1})))", "D({'a': 1}).get('c', 5)",
    "D({'a': 1}).setdefault('c', p.ones(1))", "D({'a': p.ones(2)}).copy()", "D().fromkeys(['a', 'b'], 1)", "D(4)", "D()(1)",
]  # fmt: skip


@pytest.mark.parametrize("call", CONTAINERS)
def test_containers_of_parameters(call):
    def program(p):
        found = value_of(call, p=p, L=p.nn.ParameterList, D=p.nn.ParameterDict)
        if isinstance(found, p.nn.Module):
            state = {name: value.detach() for name, value in found.state_dict().items()}
            return [repr(found), len(found), state, [name for name, _ in found.named_parameters()]]
        return found

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["uniform", "normal", "constant", "eye", "xavier_uniform", "xavier_normal", "kaiming_uniform",
                                  "kaiming_normal", "orthogonal", "sparse"])  # fmt: skip
def test_old_names_of_initial_values(name):
    def program(p):
        p.manual_seed(1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filled = getattr(p.nn.init, name)(p.empty(4, 3), *{"constant": [0.5], "sparse": [0.5]}.get(name, []))
        return [filled, caught[0].category is FutureWarning]

    compare(program, torch, tinygrad_nn, tolerance=1e-5, quiet=True)
