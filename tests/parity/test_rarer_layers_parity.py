"""Layers that few programs use, beside PyTorch's: first weights, outputs, gradients, mistakes."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")


def graded(p, output, inputs):
    """An output, and the gradients of a sum of it by the inputs."""
    (output * p.linspace(-1, 2, output.numel(), dtype=output.dtype).view(output.shape)).sum().backward()
    return output, [value.grad for value in inputs]


@pytest.mark.parametrize("options", [{}, {"div_value": 2.0, "head_bias": True}], ids=str)
def test_a_softmax_in_clusters(options):
    def program(p):
        p.manual_seed(0)
        layer = p.nn.AdaptiveLogSoftmaxWithLoss(64, 20, [3, 7, 12], **options)
        x = p.randn(6, 64, requires_grad=True)
        output, loss = layer(x, p.tensor([2, 19, 4, 0, 8, 11]))
        loss.backward()
        grads = [parameter.grad for parameter in layer.parameters()]
        one, head_only = layer(x[1], p.tensor(5)), layer(x[:2], p.tensor([0, 2]))
        layer.reset_parameters()
        text = repr(layer), layer.cutoffs, layer.head_size, type(one).__name__
        return output, loss, x.grad, grads, one, head_only, layer.log_prob(x), layer.predict(x), text, layer.state_dict()

    compare(program, torch, tinygrad_nn, tolerance=2e-6)


CLUSTERS = {
    "no cutoffs": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, []),
    "cutoffs that fall": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [7, 3]),
    "equal cutoffs": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 3]),
    "a cutoff of 0": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [0, 3]),
    "a cutoff too high": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 20]),
    "half a cutoff": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [2.5]),
    "batch sizes": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(2, 8), p.tensor([1])),
    "dimensions": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(2, 2, 8), p.tensor([1, 2])),
    "one input too many": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(1, 8), p.tensor(1)),
    "many targets": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(1, 8), p.tensor([[1]])),
    "a class too high": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(1, 8), p.tensor([20])),
    "a class below 0": lambda p: p.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(p.ones(1, 8), p.tensor([-1])),
}


@pytest.mark.parametrize("mistake", CLUSTERS)
def test_clusters_that_do_not_fit(mistake):
    compare(CLUSTERS[mistake], torch, tinygrad_nn)


FRACTIONS = {
    "size": {"kernel_size": 2, "output_size": (4, 5)},
    "one size": {"kernel_size": (2, 3), "output_size": 3},
    "ratio": {"kernel_size": 3, "output_ratio": 0.5},
    "two ratios": {"kernel_size": 2, "output_ratio": (0.4, 0.7)},
    "one window": {"kernel_size": 2, "output_size": 1},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [(2,), ()], ids=str)
@pytest.mark.parametrize("case", FRACTIONS)
def test_windows_at_drawn_places(case, batch, dtype):
    def program(p):
        p.manual_seed(0)
        x = p.randn(*batch, 3, 9, 11, dtype=getattr(p, dtype), requires_grad=True)
        layer = p.nn.FractionalMaxPool2d(**FRACTIONS[case], return_indices=True)
        drawn, places = layer(x)
        samples = p.rand(*(batch or (1,)), 3, 2, dtype=x.dtype)
        fixed = p.nn.FractionalMaxPool2d(**FRACTIONS[case], _random_samples=samples)
        given = FRACTIONS[case] | ({"output_ratio": fixed.output_ratio} if fixed.output_ratio else {})
        again = p.nn.functional.fractional_max_pool2d_with_indices(x, **given, _random_samples=samples)
        text = repr(layer), layer.kernel_size, layer.output_size, layer.output_ratio, list(fixed.state_dict())
        return drawn, places, graded(p, fixed(x), [x]), again, text

    compare(program, torch, tinygrad_nn)


FRACTION_MISTAKES = {
    "no size": lambda p: p.nn.FractionalMaxPool2d(2),
    "two sizes": lambda p: p.nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5),
    "ratio": lambda p: p.nn.FractionalMaxPool2d(2, output_ratio=1.5),
    "no size for the function": lambda p: p.nn.functional.fractional_max_pool2d(p.ones(1, 1, 4, 4), 2),
    "too many windows": lambda p: p.nn.functional.fractional_max_pool2d(p.ones(1, 1, 4, 4), 2, 4),
    "dimensions": lambda p: p.nn.functional.fractional_max_pool2d(p.ones(4, 4), 2, 2, _random_samples=p.ones(1, 1, 2) / 2),
    "integers": lambda p: p.nn.functional.fractional_max_pool2d(
        p.ones(1, 1, 4, 4, dtype=p.int64), 2, 2, _random_samples=p.ones(1, 1, 2) / 2
    ),
}


@pytest.mark.parametrize("mistake", FRACTION_MISTAKES)
def test_windows_that_do_not_fit(mistake):
    compare(FRACTION_MISTAKES[mistake], torch, tinygrad_nn)


@pytest.mark.parametrize(("name", "dims"), [("max_pool1d_with_indices", 1), ("max_pool2d_with_indices", 2)])
def test_largest_elements_with_indices(name, dims):
    def program(p):
        x = p.linspace(-1, 1, 2 * 7**dims).cos().view(1, 2, *[7] * dims)
        pool = getattr(p.nn.functional, name)
        return pool(x, 3), pool(x, 3, stride=2, padding=1, dilation=1, ceil_mode=True, return_indices=False)

    compare(program, torch, tinygrad_nn)


def test_batch_norms_of_one_process():
    def program(p):
        p.manual_seed(0)
        model = p.nn.Sequential(p.nn.Conv2d(2, 3, 3), p.nn.BatchNorm2d(3), p.nn.Sequential(p.nn.BatchNorm2d(3, affine=False)))
        model[1].eval()
        weight, mean = model[1].weight, model[1].running_mean
        converted = p.nn.SyncBatchNorm.convert_sync_batchnorm(model, "group")
        same = converted is model, converted[1].weight is weight, converted[1].running_mean is mean
        x = p.randn(4, 2, 5, 5, requires_grad=True)
        text = repr(converted), converted[1].training, converted[2][0].training, converted[1].process_group
        alone = p.nn.SyncBatchNorm.convert_sync_batchnorm(p.nn.BatchNorm1d(2, momentum=None, bias=False))
        alone(p.randn(3, 2, 4))
        return same, text, graded(p, converted(x), [x]), alone.state_dict(), alone.bias, isinstance(alone, p.nn.SyncBatchNorm)

    compare(program, torch, tinygrad_nn, tolerance=5e-6)
    compare(lambda p: p.nn.SyncBatchNorm(1)(p.ones(2)), torch, tinygrad_nn)
    compare(lambda p: p.nn.SyncBatchNorm(0)(p.ones(2, 0)), torch, tinygrad_nn)


@pytest.mark.parametrize(("name", "dims"), [("LazyInstanceNorm1d", 1), ("LazyInstanceNorm2d", 2), ("LazyInstanceNorm3d", 3)])
def test_instance_norms_that_wait(name, dims):
    def program(p):
        layer = getattr(p.nn, name)(momentum=0.3)
        before = repr(layer), len(list(layer.parameters()))
        output = layer(p.linspace(-1, 1, 6 * 4**dims).cos().view(2, 3, *[4] * dims))
        return before, output, repr(layer), layer.state_dict(), type(layer).__name__

    compare(program, torch, tinygrad_nn, tolerance=5e-6)


def test_the_loss_of_images_by_its_old_name():
    def program(p):
        with pytest.warns(FutureWarning):
            loss = p.nn.NLLLoss2d(p.tensor([1.0, 2.0]), reduction="sum")
        return loss(p.linspace(-2, -1, 16).view(2, 2, 2, 2), p.tensor([[[0, 1], [1, 0]], [[1, 1], [0, 0]]])), loss.ignore_index

    compare(program, torch, tinygrad_nn)


MAPS = [None, "matrix_exp", "cayley", "householder"]


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)], ids=str)
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("trivialized", [True, False])
def test_orthogonal_weights(name, shape, trivialized):
    def program(p):
        p.manual_seed(0)
        orthogonal = p.nn.utils.parametrizations.orthogonal
        layer = p.nn.Linear(*shape, dtype=p.float64)
        layer = orthogonal(layer, orthogonal_map=name, use_trivialization=trivialized)
        first = layer.weight.detach().clone()
        inner = layer.parametrizations.weight.original
        with p.no_grad():
            inner.add_(p.randn(*inner.shape, dtype=p.float64) * 0.1)
        return first, graded(p, layer(p.randn(2, shape[0], dtype=p.float64)), [inner]), list(layer.state_dict())

    compare(program, torch, tinygrad_nn, tolerance=1e-9)


@pytest.mark.parametrize("name", MAPS)
def test_orthogonal_weights_set_to_others(name):
    def program(p):
        p.manual_seed(0)
        layer = p.nn.Linear(4, 4, dtype=p.float64)
        p.nn.utils.parametrizations.orthogonal(layer, orthogonal_map=name)
        wanted = p.linalg.qr(p.randn(4, 4, dtype=p.float64))[0]
        layer.weight = wanted
        base = layer.parametrizations.weight[0].base
        layer.weight = wanted * 2
        return base, layer.weight, layer.parametrizations.weight.original, layer.eval()(p.ones(1, 4, dtype=p.float64))

    compare(program, torch, tinygrad_nn, tolerance=1e-9)


def test_batches_of_orthogonal_weights():
    def program(p):
        p.manual_seed(0)
        module = p.nn.Module()
        module.register_parameter("stack", p.nn.Parameter(p.randn(2, 4, 3, dtype=p.float64)))
        p.nn.utils.parametrizations.orthogonal(module, "stack", "householder", use_trivialization=False)
        return graded(p, module.stack, [module.parametrizations.stack.original])

    compare(program, torch, tinygrad_nn, tolerance=1e-9)


ORTHOGONAL_MISTAKES = {
    "name": lambda p, f: f(p.nn.Linear(2, 2), "weigth"),
    "vector": lambda p, f: f(p.nn.Linear(2, 2), "bias"),
    "map": lambda p, f: f(p.nn.Linear(2, 2), "weight", "exp"),
    "shape": lambda p, f: f(p.nn.Linear(2, 2)).parametrizations.weight[0].right_inverse(p.ones(3, 3)),
    "assigned to a map": lambda p, f: setattr(
        f(p.nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False), "weight", p.eye(2)
    ),
}


@pytest.mark.parametrize("mistake", ORTHOGONAL_MISTAKES)
def test_what_is_not_made_orthogonal(mistake):
    compare(lambda p: ORTHOGONAL_MISTAKES[mistake](p, p.nn.utils.parametrizations.orthogonal), torch, tinygrad_nn)


SIZES = [{"size": (3, 4)}, {"size": (12, 5)}, {"size": (7, 9)}, {"size": 1}, {"scale_factor": 0.4}, {"scale_factor": (0.3, 2.5)}]


@pytest.mark.parametrize("align_corners", [None, False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("options", SIZES, ids=str)
def test_images_made_smaller_by_means(options, mode, align_corners):
    def program(p):
        x = p.tensor(np.random.default_rng(0).normal(size=(2, 3, 7, 9))).requires_grad_()
        resized = p.nn.functional.interpolate(x, **options, mode=mode, align_corners=align_corners, antialias=True)
        return graded(p, resized, [x])

    compare(program, torch, tinygrad_nn, tolerance=1e-9)
