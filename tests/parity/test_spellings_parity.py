"""The places that programs import inner names from, and what they find there, beside PyTorch's."""

import importlib
import itertools
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.porting import names

torch = pytest.importorskip("torch")

SPELLINGS = {
    "torch.backends.cuda": "sdp_kernel enable_flash_sdp enable_math_sdp enable_mem_efficient_sdp enable_cudnn_sdp",
    "torch.backends.mha": "get_fastpath_enabled set_fastpath_enabled",
    "torch.functional": "einsum cdist norm split",
    "torch.nn.attention": "SDPBackend sdpa_kernel",
    "torch.nn.common_types": "_maybe_indices_t _ratio_2_t _ratio_3_t _ratio_any_t _scalar_or_tuple_2_t _size_1_t _size_2_opt_t"
    " _size_2_t _size_3_opt_t _size_3_t _size_4_t _size_any_opt_t _size_any_t _tensor_list_t _scalar_or_tuple_1_t"
    " _scalar_or_tuple_3_t _scalar_or_tuple_4_t _scalar_or_tuple_any_t",
    "torch.nn.functional": "_pair _single _triple",
    "torch.nn.init": "_calculate_correct_fan _calculate_fan_in_and_fan_out _no_grad_normal_ _no_grad_uniform_",
    "torch.nn.modules": "Conv2d Module",
    "torch.nn.modules.activation": "MultiheadAttention ReLU",
    "torch.nn.modules.batchnorm": "BatchNorm2d LazyBatchNorm1d _BatchNorm _NormBase",
    "torch.nn.modules.container": "ModuleList Sequential",
    "torch.nn.modules.conv": "Conv1d _ConvNd _pair _single",
    "torch.nn.modules.dropout": "Dropout _DropoutNd",
    "torch.nn.modules.instancenorm": "InstanceNorm1d _InstanceNorm",
    "torch.nn.modules.linear": "Identity Linear NonDynamicallyQuantizableLinear",
    "torch.nn.modules.loss": "L1Loss _Loss _WeightedLoss",
    "torch.nn.modules.module": "Module _IncompatibleKeys register_module_forward_hook register_module_forward_pre_hook"
    " register_module_full_backward_hook register_module_full_backward_pre_hook",
    "torch.nn.modules.normalization": "GroupNorm LayerNorm",
    "torch.nn.modules.padding": "ZeroPad2d",
    "torch.nn.modules.pooling": "MaxPool2d",
    "torch.nn.modules.rnn": "LSTM RNNBase RNNCellBase",
    "torch.nn.modules.sparse": "Embedding",
    "torch.nn.modules.transformer": "TransformerEncoder _get_activation_fn _get_clones",
    "torch.nn.modules.upsampling": "Upsample",
    "torch.nn.modules.utils": "_ntuple _pair _quadruple _reverse_repeat_tuple _single _triple"
    " consume_prefix_in_state_dict_if_present",
    "torch.nn.parameter": "Buffer Parameter UninitializedBuffer UninitializedParameter is_lazy",
    "torch.nn.utils.clip_grad": "clip_grad_norm_",
    "torch.nn.utils.fusion": "fuse_conv_bn_eval fuse_linear_bn_eval",
    "torch.nn.utils.init": "skip_init",
    "torch.nn.utils.rnn": "pad_sequence",
    "torch.nn.utils.stateless": "functional_call",
    "torch.nn.utils.spectral_norm": "SpectralNorm spectral_norm",
    "torch.nn.utils.weight_norm": "WeightNorm weight_norm",
    "torch.types": "Device FileLike Number Storage _bool _device _dtype _float _int _size _TensorOrTensors",
    "torch.utils._pytree": "TreeSpec tree_flatten tree_leaves tree_map tree_map_ tree_map_only tree_unflatten",
    "torch.utils.data._utils.collate": "default_collate",
    "torch.utils.data.distributed": "DistributedSampler",
    "torch.utils.hooks": "RemovableHandle",
}


@pytest.mark.parametrize("place", SPELLINGS)
def test_names_are_where_pytorch_has_them(place):
    theirs, ours = importlib.import_module(place), names.module(place)
    for name in SPELLINGS[place].split():
        assert hasattr(theirs, name)
        assert hasattr(ours, name)
        assert names.find(f"{place}.{name}") is not names.MISSING


@pytest.mark.parametrize("package", [torch, tinygrad_nn], ids=["theirs", "ours"])
def test_files_of_layers_are_attributes(package):
    modules = package.nn.modules
    assert issubclass(package.nn.BatchNorm1d, modules.batchnorm._BatchNorm)
    assert issubclass(package.nn.Conv1d, modules.conv._ConvNd)
    assert not hasattr(modules, "quux")
    assert not hasattr(package.nn, "quux")
    assert isinstance(package.nn.Linear(1, 1).register_forward_hook(print), package.utils.hooks.RemovableHandle)


def test_helpers_for_tuples():
    def program(p):
        utils = p.nn.modules.utils
        state = OrderedDict({"module.a": 1, "b": 2, "module.c.d": 3})
        state._metadata = OrderedDict({"": 1, "module": 2, "module.c": 3})
        utils.consume_prefix_in_state_dict_if_present(state, "module.")
        plain = {"module.a": 1}
        utils.consume_prefix_in_state_dict_if_present(plain, "module.")
        several = utils._quadruple(1), utils._ntuple(2, "f")([3, 4]), utils._reverse_repeat_tuple((1, 2), 2)
        return several, state, state._metadata, plain

    compare(program, torch, tinygrad_nn)


def test_contexts_of_attention_change_nothing():
    def program(p):
        kinds = {kind.name: kind.value for kind in p.nn.attention.SDPBackend.__members__.values()}
        x = p.linspace(-1, 1, 24).view(1, 2, 3, 4)
        math = p.nn.attention.SDPBackend.MATH
        with p.nn.attention.sdpa_kernel([math]), p.nn.attention.sdpa_kernel(math):
            return kinds, p.nn.functional.scaled_dot_product_attention(x, x, x)

    compare(program, torch, tinygrad_nn)

    def mistaken(p):
        with p.nn.attention.sdpa_kernel("MATH"):
            pass

    compare(mistaken, torch, tinygrad_nn)


@pytest.mark.parametrize("length", [0, 1, 7, 8])
@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"drop_last": True}, {"seed": 3}], ids=str)
def test_a_part_for_each_process(length, options):
    def program(p):
        samplers = [p.utils.data.distributed.DistributedSampler(range(length), 3, rank, **options) for rank in range(3)]
        if length == 0:
            return [len(one) for one in samplers]
        first = [[list(one), len(one), one.total_size] for one in samplers]
        samplers[1].set_epoch(2)
        loader = p.utils.data.DataLoader(p.arange(length), 2, sampler=samplers[1])
        return first, list(samplers[1]), list(loader)

    compare(program, torch, tinygrad_nn)


def test_there_is_no_group_to_ask_for_ranks():
    for given in ({}, {"rank": 0}, {"num_replicas": 1}):
        with pytest.raises(RuntimeError, match="num_replicas"):
            tinygrad_nn.utils.data.DistributedSampler([1], **given)
    compare(lambda p: p.utils.data.DistributedSampler([1], 2, 2), torch, tinygrad_nn)


Pair = namedtuple("Pair", "x y")
TREES = {
    "a leaf": 1,
    "nothing": None,
    "all kinds": {
        "b": 1, "a": [2, (3, Pair(4, None)), OrderedDict(z=5)], "d": defaultdict(list, {"k": 6}), "e": [], "f": (), "g": {7},
    },
}  # fmt: skip


@pytest.mark.parametrize("tree", TREES)
def test_trees(tree):
    def program(p):
        trees, tree_ = p.utils._pytree, TREES[tree]
        leaves, spec = trees.tree_flatten(tree_)
        seen = []
        found = [
            trees.tree_unflatten([str(leaf) for leaf in leaves], spec),
            trees.tree_leaves(tree_, is_leaf=lambda value: isinstance(value, list)),
            trees.tree_map(lambda *given: given, tree_, tree_),
            trees.tree_map_only(int, lambda value: value + 1, tree_),
            trees.tree_map_(seen.append, tree_) is tree_,
        ]
        return str(leaves), spec.num_leaves, str(found), str(seen)

    compare(program, torch.utils._pytree and torch, tinygrad_nn)


TREE_MISTAKES = {
    "leaves": lambda trees: trees.tree_unflatten([1], trees.tree_flatten([1, 2])[1]),
    "lengths": lambda trees: trees.tree_map(max, [1, 2], [1]),
    "types": lambda trees: trees.tree_map(max, [1, 2], (1, 2)),
    "deeper": lambda trees: trees.tree_map(lambda x, y: y, [1, 2], [3, [4, 5]]),
    "order": lambda trees: list(trees.tree_map(lambda x, y: y, {"a": 1, "b": 2}, {"b": 3, "a": 4}).items()),
}


@pytest.mark.parametrize("mistake", TREE_MISTAKES)
def test_trees_that_do_not_fit(mistake):
    compare(lambda p: TREE_MISTAKES[mistake](p.utils._pytree), torch.utils._pytree and torch, tinygrad_nn)


FUSED = list(itertools.product(["Conv1d", "Conv2d", "ConvTranspose2d", "Linear"], [True, False], [True, False]))


@pytest.mark.parametrize(("kind", "bias", "affine"), FUSED)
def test_batch_norm_folded_into_the_layer_before(kind, bias, affine):
    def program(p):
        p.manual_seed(0)
        dims = int(kind[-2]) if kind[-1] == "d" else 0
        layer = getattr(p.nn, kind)(*(4, 6), *((3,) if dims else ()), bias=bias)
        norm = getattr(p.nn, f"BatchNorm{dims or 1}d")(6, affine=affine)
        x = p.randn(5, 4, *[7] * dims)
        norm(layer(x))
        layer.eval(), norm.eval()
        if dims:
            fused = p.nn.utils.fusion.fuse_conv_bn_eval(layer, norm, kind == "ConvTranspose2d")
        else:
            fused = p.nn.utils.fusion.fuse_linear_bn_eval(layer, norm)
        np.testing.assert_allclose(fused(x).detach().numpy(), norm(layer(x)).detach().numpy(), atol=1e-5)
        return fused.weight, fused.bias, fused(x)

    if kind == "Linear" and not affine:  # which PyTorch cannot
        program(tinygrad_nn)
    else:
        compare(program, torch, tinygrad_nn, tolerance=1e-5)


FUSION_MISTAKES = {
    "training": lambda p: p.nn.utils.fuse_conv_bn_eval(p.nn.Conv1d(1, 1, 1), p.nn.BatchNorm1d(1).eval()),
    "no statistics": lambda p: p.nn.utils.fuse_conv_bn_eval(
        p.nn.Conv1d(1, 1, 1).eval(), p.nn.BatchNorm1d(1, track_running_stats=False).eval()
    ),
    "features": lambda p: p.nn.utils.fuse_linear_bn_eval(p.nn.Linear(1, 3).eval(), p.nn.BatchNorm1d(2).eval()),
    "weights of a convolution": lambda p: p.nn.utils.fuse_conv_bn_weights(
        p.ones(1, 1, 1), None, p.ones(1), p.ones(1), 0.5, None, None
    ),
    "weights of a linear layer": lambda p: p.nn.utils.fuse_linear_bn_weights(
        p.ones(2, 1), None, p.ones(2), p.ones(2), 0.5, p.ones(2), p.ones(2)
    ),
}


@pytest.mark.parametrize("mistake", FUSION_MISTAKES)
def test_what_is_not_folded(mistake):
    compare(FUSION_MISTAKES[mistake], torch, tinygrad_nn)


def test_other_tensors_by_the_old_name():
    def program(p):
        p.manual_seed(0)
        layer = p.nn.Linear(2, 1)
        with pytest.warns(FutureWarning):
            return p.nn.utils.stateless.functional_call(layer, {"weight": p.ones(1, 2)}, p.ones(3, 2)), layer.weight

    compare(program, torch, tinygrad_nn)


def test_modules_without_a_draw():
    def program(p):
        p.manual_seed(0)
        layer = p.nn.utils.skip_init(p.nn.Linear, 3, out_features=2, dtype=p.float64)
        return tuple(layer.weight.shape), layer.weight.dtype is p.float64, layer.bias.requires_grad, p.rand(2)

    compare(program, torch, tinygrad_nn)
    compare(lambda p: p.nn.utils.skip_init(p.nn.ReLU), torch, tinygrad_nn)
    compare(lambda p: p.nn.utils.skip_init(p.nn.utils.rnn.PackedSequence), torch, tinygrad_nn)


def test_what_has_no_shape_yet():
    def program(p):
        layer = p.nn.LazyBatchNorm1d()
        waiting = [p.nn.parameter.is_lazy(value) for value in (layer.running_mean, layer.weight, p.ones(1))]
        kinds = type(layer.running_mean).__name__, type(layer.weight).__name__, layer.num_batches_tracked
        missing = layer.load_state_dict({}, strict=False)
        layer.double()(p.ones(4, 3, dtype=p.float64))
        return waiting, kinds, [*missing], layer.running_mean, p.nn.parameter.is_lazy(layer.running_mean)

    compare(program, torch, tinygrad_nn)
    compare(lambda p: p.nn.LazyBatchNorm1d().running_mean.shape, torch, tinygrad_nn)
    compare(lambda p: repr(p.nn.parameter.UninitializedBuffer()), torch, tinygrad_nn)


HOOKS = {"spectral_norm": "SpectralNorm", "weight_norm": "WeightNorm"}


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_hooks_are_found_by_their_kind(name):
    def program(p, place):
        layer = getattr(p.nn.utils, name)(p.nn.Linear(2, 2))
        return [isinstance(hook, getattr(place, HOOKS[name])) for hook in layer._forward_pre_hooks.values()]

    theirs = importlib.import_module(f"torch.nn.utils.{name}")
    assert program(torch, theirs) == program(tinygrad_nn, names.module(f"torch.nn.utils.{name}")) == [True]
