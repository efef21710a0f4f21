"""Weights computed from others, pruned, averaged or made at the first input, beside PyTorch's."""

import copy

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")  # which PyTorch does not import by itself


def training(p, module, x, steps=3):
    """The outputs along a few steps, and what the module then holds."""
    optimizer = p.optim.SGD(module.parameters(), lr=0.1)
    seen = []
    for _ in range(steps):
        output = module(x)
        optimizer.zero_grad()
        (output * output).mean().backward()
        optimizer.step()
        seen.append(output)
    module.eval()
    return [*seen, module(x), [name for name, _ in module.named_parameters()], dict(module.state_dict())]


LAYERS = {
    "linear": (lambda p: p.nn.Linear(4, 3), (2, 4)),
    "convolution": (lambda p: p.nn.Conv2d(2, 3, 3), (2, 2, 5, 5)),
    "transposed": (lambda p: p.nn.ConvTranspose1d(2, 3, 3), (2, 2, 5)),
}
NORMED = {
    "weight_norm": lambda p, layer: p.nn.utils.weight_norm(layer),
    "weight_norm of all": lambda p, layer: p.nn.utils.weight_norm(layer, dim=None),
    "weight_norm along 1": lambda p, layer: p.nn.utils.weight_norm(layer, "weight", 1),
    "spectral_norm": lambda p, layer: p.nn.utils.spectral_norm(layer),
    "spectral_norm along 1": lambda p, layer: p.nn.utils.spectral_norm(layer, n_power_iterations=2, dim=1),
    "parametrizations.weight_norm": lambda p, layer: p.nn.utils.parametrizations.weight_norm(layer),
    "parametrizations.weight_norm of all": lambda p, layer: p.nn.utils.parametrizations.weight_norm(layer, dim=None),
    "parametrizations.spectral_norm": lambda p, layer: p.nn.utils.parametrizations.spectral_norm(layer),
    "parametrizations.spectral_norm of a bias": lambda p, layer: p.nn.utils.parametrizations.spectral_norm(layer, "bias"),
    "twice": lambda p, layer: p.nn.utils.parametrizations.spectral_norm(p.nn.utils.parametrizations.weight_norm(layer)),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", NORMED)
def test_normed_weights_train_as_pytorchs(name, layer):
    def trained(p):
        p.manual_seed(2)
        make, shape = LAYERS[layer]
        return training(p, NORMED[name](p, make(p)), p.randn(*shape))

    compare(trained, torch, tinygrad_nn, tolerance=1e-5)


REMOVED = {
    "weight_norm": lambda p, layer: p.nn.utils.remove_weight_norm(layer),
    "spectral_norm": lambda p, layer: p.nn.utils.remove_spectral_norm(layer),
    "parametrizations.weight_norm": lambda p, layer: p.nn.utils.parametrize.remove_parametrizations(layer, "weight"),
    "parametrizations.spectral_norm": lambda p, layer: p.nn.utils.parametrize.remove_parametrizations(
        layer, "weight", leave_parametrized=False
    ),
}


@pytest.mark.parametrize("name", REMOVED)
def test_norms_are_taken_off_again(name):
    def taken_off(p):
        p.manual_seed(2)
        layer, x = NORMED[name](p, p.nn.Linear(4, 3)), p.randn(2, 4)
        before = layer(x)
        after = REMOVED[name](p, layer)
        return [before, after(x), type(after).__name__, sorted(after.state_dict()), after.weight.requires_grad]

    compare(taken_off, torch, tinygrad_nn, tolerance=1e-5)


def test_a_parametrization_of_ones_own():
    def own(p):
        nn, parametrize = p.nn, p.nn.utils.parametrize

        class Symmetric(nn.Module):
            def forward(self, x):
                return x.triu() + x.triu(1).mT

            def right_inverse(self, x):
                return x.triu()

        class Scaled(nn.Module):
            def __init__(self):
                super().__init__()
                self.factor = nn.Parameter(p.tensor(2.0))

            def forward(self, x):
                return self.factor * x

        p.manual_seed(0)
        layer = nn.Linear(3, 3)
        found = [parametrize.is_parametrized(layer)]
        parametrize.register_parametrization(layer, "weight", Symmetric())
        parametrize.register_parametrization(layer, "weight", Scaled())
        found += [layer.weight, layer.parametrizations.weight.original, parametrize.is_parametrized(layer, "bias")]
        layer.weight.sum().backward()
        found += [layer.parametrizations["weight"].original.grad, layer.parametrizations.weight[1].factor.grad]
        with parametrize.cached():
            found += [layer.weight is layer.weight]
        found += [repr(layer), list(layer.state_dict()), parametrize.type_before_parametrizations(layer).__name__]
        other = copy.deepcopy(layer)
        parametrize.remove_parametrizations(layer, "weight")
        found += [repr(layer), layer.weight, list(layer.state_dict()), parametrize.is_parametrized(other), other.weight]
        symmetric = nn.Linear(3, 3)
        parametrize.register_parametrization(symmetric, "weight", Symmetric())
        symmetric.weight = p.ones(3, 3)
        return [*found, symmetric.weight, isinstance(symmetric.parametrizations.weight, parametrize.ParametrizationList)]

    compare(own, torch, tinygrad_nn)


class Flat:
    """A parametrization that changes the shape."""

    def __new__(cls, p):
        class Module(p.nn.Module):
            def forward(self, x):
                return x.flatten()

        return Module()


REFUSED = {
    "no such parameter": lambda p: p.nn.utils.parametrize.register_parametrization(p.nn.ReLU(), "weight", p.nn.Identity()),
    "another shape": lambda p: p.nn.utils.parametrize.register_parametrization(p.nn.Linear(2, 2), "weight", Flat(p)),
    "not parametrized": lambda p: p.nn.utils.parametrize.remove_parametrizations(p.nn.Linear(2, 2), "weight"),
    "not normed": lambda p: p.nn.utils.remove_weight_norm(p.nn.Linear(2, 2)),
    "not divided": lambda p: p.nn.utils.remove_spectral_norm(p.nn.Linear(2, 2)),
    "normed twice": lambda p: p.nn.utils.weight_norm(p.nn.utils.weight_norm(p.nn.Linear(2, 2))),
    "no iterations": lambda p: p.nn.utils.spectral_norm(p.nn.Linear(2, 2), n_power_iterations=0),
    "not pruned": lambda p: p.nn.utils.prune.remove(p.nn.Linear(2, 2), "weight"),
    "a share of 2": lambda p: p.nn.utils.prune.l1_unstructured(p.nn.Linear(2, 2), "weight", 2.0),
    "more than there are": lambda p: p.nn.utils.prune.l1_unstructured(p.nn.Linear(2, 2), "weight", 5),
    "a negative share": lambda p: p.nn.utils.prune.random_unstructured(p.nn.Linear(2, 2), "weight", -0.5),
    "an average of two ways": lambda p: p.optim.swa_utils.AveragedModel(p.nn.Linear(2, 2), None, max, max),
    "a shape not known": lambda p: p.nn.LazyLinear(3).weight.shape,
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_pytorchs(case):
    compare(REFUSED[case], torch, tinygrad_nn)


PRUNED = {
    "random_unstructured": lambda p, prune, m: prune.random_unstructured(m, "weight", amount=0.4),
    "l1_unstructured": lambda p, prune, m: prune.l1_unstructured(m, name="weight", amount=5),
    "l1_unstructured by scores": lambda p, prune, m: prune.l1_unstructured(m, "weight", 5, p.arange(24.0).view(4, 6)),
    "random_structured": lambda p, prune, m: prune.random_structured(m, "weight", amount=2, dim=1),
    "ln_structured": lambda p, prune, m: prune.ln_structured(m, "weight", amount=0.5, n=2, dim=0),
    "ln_structured by infinity": lambda p, prune, m: prune.ln_structured(m, "weight", 1, float("inf"), -1),
    "identity": lambda p, prune, m: prune.identity(m, "bias"),
    "custom_from_mask": lambda p, prune, m: prune.custom_from_mask(m, "bias", p.tensor([1, 0, 0, 1])),
    "nothing": lambda p, prune, m: prune.random_unstructured(m, "weight", 0.0),
    "several": lambda p, prune, m: prune.ln_structured(
        prune.l1_unstructured(prune.random_unstructured(m, "weight", 0.3), "weight", 0.4), "weight", 0.5, 1, 1
    ),
    "a class": lambda p, prune, m: prune.L1Unstructured.apply(m, "weight", 3),
    "all together": lambda p, prune, m: prune.global_unstructured(
        [(m, "weight"), (m, "bias")], pruning_method=prune.L1Unstructured, amount=0.4
    ),
}


@pytest.mark.parametrize("name", PRUNED)
def test_pruned_parameters_are_pytorchs(name):
    def pruned(p):
        prune = p.nn.utils.prune
        p.manual_seed(4)
        m, x = p.nn.Linear(6, 4), p.randn(2, 6)
        found = [prune.is_pruned(m)]
        PRUNED[name](p, prune, m)
        found += [prune.is_pruned(m), m.weight, m.bias, *training(p, m, x)]
        for parameter in ("weight", "bias"):
            if hasattr(m, f"{parameter}_mask"):
                prune.remove(m, parameter)
        return [*found, m(x), dict(m.state_dict())]

    compare(pruned, torch, tinygrad_nn, tolerance=1e-5)


def test_a_pruning_method_of_ones_own():
    def own(p):
        prune = p.nn.utils.prune

        class EveryOther(prune.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        layer = p.nn.Conv1d(1, 2, 3)
        EveryOther.apply(layer, "weight")
        hook = EveryOther.apply(layer, "weight")
        kinds = [prune.Identity, prune.RandomUnstructured, prune.RandomStructured, prune.LnStructured, prune.CustomFromMask]
        thin = prune.L1Unstructured(amount=2).prune(p.tensor([3.0, 1.0, -2.0, 5.0]))
        return [layer.weight_mask, len(hook), isinstance(hook, prune.PruningContainer), [k.PRUNING_TYPE for k in kinds], thin]

    compare(own, torch, tinygrad_nn)


AVERAGES = {
    "mean": lambda swa: {},
    "function": lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.9)},
    "exponential": lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.75)},
    "buffers too": lambda swa: {"use_buffers": True},
    "mean, said": lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    "function and buffers": lambda swa: {"avg_fn": lambda mean, new, n: 0.5 * mean + 0.5 * new, "use_buffers": True},
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averaged_models_are_pytorchs(name):
    def averaged(p):
        swa = p.optim.swa_utils
        p.manual_seed(1)
        model, x = p.nn.Sequential(p.nn.Linear(3, 4), p.nn.BatchNorm1d(4), p.nn.Linear(4, 2)), p.randn(12, 3)
        mean = swa.AveragedModel(model, **AVERAGES[name](swa))
        optimizer = p.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(4):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            mean.update_parameters(model)
        found = [dict(mean.state_dict())]
        swa.update_bn(p.utils.data.DataLoader(p.utils.data.TensorDataset(x), batch_size=4), mean)
        swa.update_bn([x[:6], x[6:]], model)
        return [*found, dict(mean.state_dict()), mean.eval()(x), dict(model.state_dict()), model[1].momentum]

    compare(averaged, torch, tinygrad_nn, tolerance=1e-5)


LAZY = {
    "LazyLinear": (lambda p: p.nn.LazyLinear(3), (2, 4)),
    "LazyLinear without bias": (lambda p: p.nn.LazyLinear(3, bias=False), (5,)),
    "LazyConv1d": (lambda p: p.nn.LazyConv1d(4, 3, stride=2), (2, 3, 7)),
    "LazyConv2d": (lambda p: p.nn.LazyConv2d(4, kernel_size=3, padding=1, groups=2), (2, 2, 5, 5)),
    "LazyConvTranspose1d": (lambda p: p.nn.LazyConvTranspose1d(4, 3), (2, 3, 7)),
    "LazyConvTranspose2d": (lambda p: p.nn.LazyConvTranspose2d(4, 2, stride=2), (3, 5, 5)),
    "LazyBatchNorm1d": (lambda p: p.nn.LazyBatchNorm1d(), (4, 3)),
    "LazyBatchNorm2d": (lambda p: p.nn.LazyBatchNorm2d(affine=False), (4, 3, 2, 2)),
    "LazyBatchNorm3d": (lambda p: p.nn.LazyBatchNorm3d(), (2, 3, 2, 2, 2)),
}


@pytest.mark.parametrize("name", LAZY)
def test_lazy_layers_are_pytorchs(name):
    def lazy(p):
        p.manual_seed(6)
        make, shape = LAZY[name]
        module = make(p)
        waiting = list(module.parameters())
        optimizer = p.optim.SGD(waiting, lr=0.5) if waiting else None
        found = [[isinstance(w, p.nn.UninitializedParameter) for w in waiting], type(module).__name__]
        x = p.randn(*shape)
        y = module(x)
        found += [y, repr(module), type(module).__name__, [a is b for a, b in zip(waiting, module.parameters(), strict=True)]]
        if optimizer:
            y.sum().backward()
            optimizer.step()
        state = dict(module.state_dict())
        other = make(p)
        other.load_state_dict(module.state_dict())
        return [*found, state, other(x), type(other).__name__]

    compare(lazy, torch, tinygrad_nn, tolerance=1e-5)
