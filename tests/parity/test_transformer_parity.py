"""Attention and transformers beside PyTorch's: first weights, outputs, gradients, dropped elements, masks, mistakes."""

import copy

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about its own fast paths
L, S, N, E, HEADS = 4, 5, 3, 8, 2


def agree(program, *args, tolerance=5e-6):
    def seeded(p, *args):
        p.manual_seed(5)
        return program(p, *args)

    compare(seeded, torch, tinygrad_nn, *args, tolerance=tolerance)


def graded(p, output, inputs):
    (output * p.linspace(-1, 2, output.numel()).view(output.shape)).sum().backward()
    return [output, *(v.grad for v in inputs)]


MASKS = {
    "none": lambda p, shape: None,
    "bool": lambda p, shape: p.rand(shape) > 0.4,
    "float": lambda p, shape: p.randn(shape, requires_grad=True),
    "all hidden": lambda p, shape: p.arange(shape[-2])[:, None].expand(*shape) != 1,
    "minus infinity": lambda p, shape: p.zeros(shape).masked_fill(p.rand(shape) > 0.6, -float("inf")),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("lead", [(), (2,), (3, 2)])
@pytest.mark.parametrize("options", [{}, {"scale": 0.3}, {"dropout_p": 0.4}])
def test_scaled_dot_product_attention(name, lead, options):
    def program(p):
        q, k, v = (p.randn(*lead, *size, requires_grad=True) for size in ((L, E), (S, E), (S, 3)))
        mask = MASKS[name](p, (*lead, L, S))
        inputs = [q, k, v] + ([mask] if mask is not None and mask.requires_grad else [])
        return graded(p, p.nn.functional.scaled_dot_product_attention(q, k, v, mask, **options), inputs)

    agree(program)


def test_causal_grouped_and_broadcast_attention():
    def program(p):
        f = p.nn.functional.scaled_dot_product_attention
        q, k, v = (p.randn(2, heads, size, 4, requires_grad=True) for heads, size in ((6, 3), (2, 5), (2, 5)))
        first = graded(p, f(q, k, v, is_causal=True, enable_gqa=True), [q, k, v])
        one = p.randn(3, 4, requires_grad=True)
        mask = p.rand(3, 3) > 0.3
        return [*first, *graded(p, f(one[None, None], one, one, mask, dropout_p=0.2), [one]), p.rand(2)]

    agree(program)


MISTAKEN = {
    "both masks": lambda p, f: f(p.ones(2, 3), p.ones(2, 3), p.ones(2, 3), p.ones(2, 2), is_causal=True),
    "dims": lambda p, f: f(p.ones(3), p.ones(2, 3), p.ones(2, 3)),
    "dtypes": lambda p, f: f(p.ones(2, 3), p.ones(2, 3).double(), p.ones(2, 3)),
    "integer mask": lambda p, f: f(p.ones(2, 3), p.ones(2, 3), p.ones(2, 3), p.ones(2, 2).long()),
    "features": lambda p, f: f(p.ones(2, 3), p.ones(2, 4), p.ones(2, 3)),
    "keys": lambda p, f: f(p.ones(2, 3), p.ones(4, 3), p.ones(2, 3)),
    "probability": lambda p, f: f(p.ones(2, 3), p.ones(2, 3), p.ones(2, 3), dropout_p=1.5),
    "groups": lambda p, f: f(p.ones(1, 3, 2, 3), p.ones(1, 2, 2, 3), p.ones(1, 2, 2, 3), enable_gqa=True),
    "mask's shape": lambda p, f: f(p.ones(2, 3), p.ones(2, 3), p.ones(2, 3), p.ones(3, 2) > 0),
    "larger mask": lambda p, f: f(p.ones(1, 2, 3), p.ones(1, 2, 3), p.ones(1, 2, 3), p.ones(4, 2, 2), dropout_p=0.1),
}


@pytest.mark.parametrize("name", MISTAKEN)
def test_mistakes_of_scaled_dot_product_attention(name):
    agree(lambda p: MISTAKEN[name](p, p.nn.functional.scaled_dot_product_attention))


ATTENTIONS = [
    {}, {"batch_first": True}, {"bias": False}, {"dropout": 0.3}, {"add_bias_kv": True}, {"add_zero_attn": True},
    {"kdim": 3, "vdim": 5}, {"add_bias_kv": True, "add_zero_attn": True, "kdim": 3, "batch_first": True, "dropout": 0.2},
]  # fmt: skip
HIDING = ["", "padding", "float padding", "mask", "float mask", "mask of heads", "both"]


def masks_of(p, hiding, batched, target, source):
    padding = p.arange(source).expand(N, source) >= source - p.tensor([0, 2, 1])[:, None]
    mask = p.ones(target, source).tril(1) == 0
    padding = padding if batched else padding[1]
    each = mask.expand((N if batched else 1) * HEADS, target, source)
    return {
        "": {}, "padding": {"key_padding_mask": padding}, "float padding": {"key_padding_mask": padding * -2.5},
        "mask": {"attn_mask": mask}, "float mask": {"attn_mask": mask * 1.5}, "mask of heads": {"attn_mask": each},
        "both": {"attn_mask": mask, "key_padding_mask": padding},
    }[hiding]  # fmt: skip


@pytest.mark.parametrize("options", ATTENTIONS)
@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("kind", ["self", "memory", "three", "unbatched"])
def test_multihead_attention(options, hiding, kind):
    def program(p, need_weights, average):
        net = p.nn.MultiheadAttention(E, HEADS, **options)
        batch = () if kind == "unbatched" else (N,)
        sides = [(L, E)] if kind == "self" and net._qkv_same_embed_dim else [(L, E), (S, net.kdim), (S, net.vdim)]
        if kind == "memory" and net._qkv_same_embed_dim:
            sides = sides[:2]
        shapes = [(*batch, n, size) if options.get("batch_first") else (n, *batch, size) for n, size in sides]
        inputs = [p.randn(shape, requires_grad=True) for shape in shapes]
        q, k, v = (inputs * 3)[:3] if len(inputs) != 2 else (*inputs, inputs[1])
        hidden = masks_of(p, hiding, bool(batch), L, sides[-1][0])
        output, weights = net(q, k, v, need_weights=need_weights, average_attn_weights=average, **hidden)
        both = output.sum() if weights is None else output.sum() + (weights * weights).sum()
        (both + (output * output).sum()).backward()
        grads = [v.grad for v in (*inputs, *net.parameters())]
        return [repr(net), list(net.state_dict()), *net.parameters(), output, weights, *grads, p.rand(2)]

    for need_weights, average in ((True, True), (True, False), (False, True)):
        agree(program, need_weights, average)


LAYERS = [
    {}, {"batch_first": True}, {"norm_first": True}, {"activation": "gelu", "dropout": 0.0}, {"bias": False},
    {"batch_first": True, "norm_first": True, "dropout": 0.5},
]  # fmt: skip


def shaped(p, options, length):
    return p.randn(*((N, length) if options.get("batch_first") else (length, N)), E, requires_grad=True)


@pytest.mark.parametrize("options", LAYERS)
@pytest.mark.parametrize("hiding", HIDING)
def test_encoder(options, hiding):
    def program(p):
        net = p.nn.TransformerEncoder(p.nn.TransformerEncoderLayer(E, HEADS, 16, **options), 2, p.nn.LayerNorm(E))
        x = shaped(p, options, L)
        hidden = masks_of(p, hiding, True, L, L)
        if "attn_mask" in hidden:
            hidden["mask"] = hidden.pop("attn_mask")
        if "key_padding_mask" in hidden:
            hidden["src_key_padding_mask"] = hidden.pop("key_padding_mask")
        names = [(k, tuple(v.shape)) for k, v in net.state_dict().items()]
        return [repr(net), names, *graded(p, net(x, **hidden), [x, *net.parameters()]), p.rand(2)]

    agree(program, tolerance=2e-5)


@pytest.mark.parametrize("options", LAYERS)
@pytest.mark.parametrize("masked", [True, False])
def test_transformer(options, masked):
    def program(p):
        net = p.nn.Transformer(E, HEADS, 2, 2, 16, **options)
        src, tgt = shaped(p, options, S), shaped(p, options, L)
        hidden = {}
        if masked:
            causal = net.generate_square_subsequent_mask(L)
            padding = masks_of(p, "float padding", True, L, S)["key_padding_mask"]
            hidden = {"tgt_mask": causal, "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
            hidden["tgt_is_causal"] = True
        names = [(k, tuple(v.shape)) for k, v in net.state_dict().items()]
        return [repr(net), names, *graded(p, net(src, tgt, **hidden), [src, tgt, *net.parameters()]), p.rand(2)]

    agree(program, tolerance=2e-5)


def test_transformer_without_a_batch_and_of_other_parts():
    def program(p):
        net = p.nn.Transformer(E, HEADS, 1, 1, 16, dropout=0.0, activation=p.nn.functional.silu).eval()
        src, tgt = p.randn(S, E, requires_grad=True), p.randn(L, E, requires_grad=True)
        own = p.nn.Transformer(E, HEADS, custom_encoder=net.encoder, custom_decoder=net.decoder)
        mask = p.nn.Transformer.generate_square_subsequent_mask(3, dtype=p.float64)
        return [*graded(p, net(src, tgt), [src, tgt]), *own.parameters(), mask]

    agree(program)


EMPTY = {
    "sequences": lambda p: p.nn.MultiheadAttention(E, HEADS)(*[p.zeros(0, N, E)] * 3),
    "keys": lambda p: p.nn.MultiheadAttention(E, HEADS)(p.ones(L, N, E), *[p.zeros(0, N, E)] * 2),
    "batch": lambda p: p.nn.Transformer(E, HEADS, 1, 1, 16, batch_first=True)(p.zeros(0, S, E), p.zeros(0, L, E)),
    "batch of masks": lambda p: p.nn.MultiheadAttention(E, HEADS)(
        *[p.zeros(L, 0, E)] * 3, key_padding_mask=p.zeros(0, L), attn_mask=p.zeros(0, L, L)),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_is_attended_to(name):
    agree(EMPTY[name])


@pytest.mark.parametrize("kind", ["GELU", "PReLU"])
def test_an_activation_that_is_a_module_is_lost_to_copies_of_decoder_layers(kind):
    def program(p):
        net = p.nn.Transformer(E, HEADS, 2, 2, 16, dropout=0.0, activation=getattr(p.nn, kind)())
        alone = p.nn.TransformerDecoderLayer(E, HEADS, 16, dropout=0.0, activation=getattr(p.nn, kind)())
        src, tgt = p.randn(S, N, E, requires_grad=True), p.randn(L, N, E, requires_grad=True)
        again = copy.deepcopy(net)
        outputs = net(src, tgt) + again(src, tgt) + alone(tgt, src) * copy.copy(alone)(tgt, src)
        return repr(net), list(net.state_dict()), net.decoder.layers[0].activation.__name__, *graded(p, outputs, [src, tgt])

    agree(program, tolerance=2e-5)


MISTAKES = {
    "heads": lambda p: p.nn.MultiheadAttention(8, 3),
    "no heads": lambda p: p.nn.MultiheadAttention(8, 0),
    "width": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 6)] * 3),
    "dims": lambda p: p.nn.MultiheadAttention(8, 2)(p.ones(3, 1, 8), p.ones(3, 8), p.ones(3, 8)),
    "1-D": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(8)] * 3),
    "values": lambda p: p.nn.MultiheadAttention(8, 2)(p.ones(3, 1, 8), p.ones(4, 1, 8), p.ones(5, 1, 8)),
    "integer mask": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, attn_mask=p.ones(3, 3).long()),
    "mask's shape": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, attn_mask=p.ones(3, 4)),
    "mask's dims": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, attn_mask=p.ones(3)),
    "padding's dims": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, key_padding_mask=p.ones(3) > 0),
    "padding's shape": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, key_padding_mask=p.ones(1, 4) > 0),
    "padding's batch": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, key_padding_mask=p.ones(2, 3) > 0),
    "causal": lambda p: p.nn.MultiheadAttention(8, 2)(*[p.ones(3, 1, 8)] * 3, is_causal=True),
    "activation": lambda p: p.nn.TransformerEncoderLayer(8, 2, activation="sine"),
    "batches": lambda p: p.nn.Transformer(8, 2, 1, 1, 8)(p.ones(3, 1, 8), p.ones(3, 2, 8)),
    "features": lambda p: p.nn.Transformer(8, 2, 1, 1, 8)(p.ones(3, 1, 8), p.ones(3, 1, 6)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    agree(MISTAKES[name])


def test_keys_and_values_given_for_each_head():
    def program(p, name):
        net = p.nn.MultiheadAttention(E, HEADS)
        x = p.randn(L, N, E, requires_grad=True)
        static = {name: p.randn(N * HEADS, L, E // HEADS)}
        output, weights = p.nn.functional.multi_head_attention_forward(
            x, x, x, E, HEADS, net.in_proj_weight, net.in_proj_bias, None, None, False, 0.0, net.out_proj.weight,
            net.out_proj.bias, **static,
        )  # fmt: skip
        return [weights, *graded(p, output, [x])]

    for name in ("static_k", "static_v"):
        agree(program, name)


def test_second_derivatives():
    def program(p):
        net = p.nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu", dtype=p.float64)
        x = p.randn(3, 2, 4, dtype=p.float64, requires_grad=True)
        (first,) = p.autograd.grad((net(x) ** 3).sum(), x, create_graph=True)
        (first * first).sum().backward()
        return [first, x.grad, *(v.grad for v in net.parameters() if v.grad is not None)]

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        agree(program, tolerance=1e-8)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_state_is_exchanged(norm_first, batch_first):
    options = {"norm_first": norm_first, "batch_first": batch_first, "dropout": 0.0}
    theirs, ours = torch.nn.Transformer(E, HEADS, 1, 1, 16, **options), tinygrad_nn.nn.Transformer(E, HEADS, 1, 1, 16, **options)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).random((3, 3, E), np.float32)
    found = ours(*[tinygrad_nn.from_numpy(x)] * 2).detach().numpy()
    np.testing.assert_allclose(found, theirs(*[torch.from_numpy(x)] * 2).detach().numpy(), atol=1e-5)


ENDS = [[False] * 3 + [True] * 2, [False] * 5, [False] + [True] * 4]
LAYER = {"d_model": 4, "nhead": 2, "dim_feedforward": 8, "batch_first": True}
PADDED = {  # which part of the sequences is padding, and the options that differ
    "at the ends": (ENDS, {}),
    "in all last columns": ([ENDS[0], ENDS[0], ENDS[2]], {}),
    "everywhere in one": ([[True] * 5, ENDS[1], ENDS[0]], {}),
    "nowhere": ([ENDS[1]] * 3, {}),
    "in between": ([[False, True, False, True, True], ENDS[1], ENDS[0]], {}),
    "in between, not checked": ([[False, True, False, True, True], ENDS[1], ENDS[0]], {"mask_check": False}),
    "kept": (ENDS, {"enable_nested_tensor": False}),
    "before a norm": (ENDS, {"norm": True}),
    "gelu": (ENDS, {"activation": "gelu"}),
    "a module as activation": (ENDS, {"activation": "GELU"}),
    "another activation": (ENDS, {"activation": "tanh"}),
    "norm first": (ENDS, {"norm_first": True}),
    "one head": (ENDS, {"nhead": 1}),
    "no biases": (ENDS, {"bias": False}),
    "epsilons that differ": (ENDS, {"eps": 1e-3}),
    "batch second": ([[row[i] for row in ENDS] for i in range(5)], {"batch_first": False}),
    "training": (ENDS, {"training": True}),
    "gradients": (ENDS, {"grad": True}),
    "frozen": (ENDS, {"grad": True, "frozen": True}),
    "numbers": (ENDS, {"numbers": True}),
    "a mask beside it": (ENDS, {"mask": True}),
    "causal": (ENDS, {"is_causal": True}),
    "without the fast path": (ENDS, {"fastpath": False}),
}


def padded(p, padding, options):
    """An encoder's output; PyTorch leaves padding out under conditions of its own."""
    p.manual_seed(0)
    given = {name: options[name] for name in ("nhead", "norm_first", "bias", "batch_first") if name in options}
    activation = options.get("activation", "relu")
    activation = {"tanh": p.tanh, "GELU": p.nn.GELU()}.get(activation, activation)
    layer = p.nn.TransformerEncoderLayer(**{**LAYER, **given}, dropout=0.0, activation=activation)
    layer.norm1.eps = options.get("eps", layer.norm2.eps)
    nested = {name: options[name] for name in ("enable_nested_tensor", "mask_check") if name in options}
    encoder = p.nn.TransformerEncoder(layer, 2, p.nn.LayerNorm(4) if "norm" in options else None, **nested)
    encoder.train("training" in options).requires_grad_("frozen" not in options)
    padding = p.tensor(padding)
    if "numbers" in options:
        padding = padding.float() * -5
    mask = p.zeros(5, 5, dtype=p.bool) if "mask" in options else None
    p.backends.mha.set_fastpath_enabled(options.get("fastpath", True))
    try:
        with p.set_grad_enabled("grad" in options):
            output = encoder(p.randn(3, 5, 4), mask, padding, is_causal=options.get("is_causal"))
    finally:
        p.backends.mha.set_fastpath_enabled(True)
    return output, encoder.use_nested_tensor, p.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("case", PADDED)
def test_padding_in_evaluation(case):
    compare(padded, torch, tinygrad_nn, *PADDED[case], tolerance=1e-5)


def test_kernels_of_attention_change_nothing():
    def program(p):
        x = p.linspace(-1, 1, 24).view(1, 2, 3, 4)
        p.backends.cuda.enable_flash_sdp(True)
        with p.backends.cuda.sdp_kernel(enable_flash=False, enable_math=True, enable_mem_efficient=False):
            return p.nn.functional.scaled_dot_product_attention(x, x, x)

    compare(program, torch, tinygrad_nn)
