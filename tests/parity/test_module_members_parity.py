"""What programs ask a module for below its documented surface: PyTorch's own parts, overridden, called and looked at."""

import copy
from collections import OrderedDict

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")


def standardized(p, dims):
    """A convolution that computes its weight: Qiao et al. 2019."""
    base = (p.nn.Conv1d, p.nn.Conv2d)[dims - 1]

    class Standardized(base):
        def forward(self, input):
            weight = self.weight - self.weight.mean(tuple(range(1, self.weight.ndim)), keepdim=True)
            return self._conv_forward(input, weight, self.bias)

    p.manual_seed(0)
    layer = Standardized(2, 3, 3, padding=1, padding_mode="circular")
    return layer(p.linspace(-1, 1, 2 * 5**dims).view(1, 2, *[5] * dims))


@pytest.mark.parametrize("dims", [1, 2])
def test_a_convolution_with_other_weights(dims):
    compare(standardized, torch, tinygrad_nn, dims)


def overridden(p):
    """Forward goes by what a subclass says of the convolution, the padding and the input's dimensions."""

    class Doubled(p.nn.Conv2d):
        def _conv_forward(self, input, weight, bias):
            return super()._conv_forward(input, weight * 2, bias)

    class Any(p.nn.modules.batchnorm._BatchNorm):
        def _check_input_dim(self, input):
            if input.ndim < 2:
                raise ValueError(input.ndim)

    p.manual_seed(0)
    conv = Doubled(1, 1, 3, padding=1, padding_mode="reflect")
    first = conv(p.ones(1, 1, 4, 4))
    conv._reversed_padding_repeated_twice = (2, 2, 0, 0)
    x = p.linspace(-1, 1, 16).view(2, 2, 1, 2, 1, 2)
    p.nn.BatchNorm2d(2)._check_input_dim(x[:, :, 0, :, 0])
    return first, conv(p.ones(1, 1, 4, 4)), Any(2)(x), [m._version for m in (Any(1), p.nn.InstanceNorm1d(1), p.nn.ReLU())]


def test_overridden_parts_are_called():
    compare(overridden, torch, tinygrad_nn)


@pytest.mark.parametrize("padding", ["same", "valid", (1, 2)])
def test_the_padding_for_functional_pad(padding):
    def program(p):
        layers = p.nn.Conv2d(2, 2, (2, 5), padding=padding), p.nn.ConvTranspose1d(1, 1, 3, padding=1)
        return [layer._reversed_padding_repeated_twice for layer in layers]

    compare(program, torch, tinygrad_nn)


KINDS = ["forward", "forward_pre", "backward", "backward_pre", "state_dict", "load_state_dict_pre"]


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_are_in_dictionaries(kind):
    def program(p):
        layer, seen = p.nn.Linear(2, 1), []
        hooks = f"_{kind}_hooks"
        full = {"state_dict": "state_dict_post", "backward": "full_backward", "backward_pre": "full_backward_pre"}
        register = full.get(kind, kind)
        found = [len(getattr(layer, hooks))]
        handles = [getattr(layer, f"register_{register}_hook")(lambda *given, i=i: seen.append(i)) for i in range(4)]

        def use():
            layer(p.ones(1, 2, requires_grad=True)).sum().backward()
            layer.load_state_dict(layer.state_dict())

        use()
        found += [len(getattr(layer, hooks)), handles[0].id in getattr(layer, hooks), hasattr(layer, hooks)]
        getattr(layer, hooks).popitem(last=False)
        use()
        del getattr(layer, hooks)[handles[1].id]
        handles[1].remove()
        use()
        handles[3].remove()
        use()
        setattr(layer, hooks, OrderedDict())
        use()
        getattr(layer, f"register_{register}_hook")(lambda *given: seen.append(5))
        use()
        getattr(layer, hooks).clear()
        use()
        return found, seen

    compare(program, torch, tinygrad_nn)


def test_hooks_of_pytorchs_own_registration():
    def program(p):
        layer, seen = p.nn.Sequential(p.nn.Linear(2, 1)), []
        layer[0]._register_load_state_dict_pre_hook(lambda *given: seen.append(len(given)))
        layer[0]._register_load_state_dict_pre_hook(lambda *given: seen.append(given[0] is layer[0]), with_module=True)
        layer._register_state_dict_hook(lambda module, state, prefix, metadata: {"one": state["0.bias"]})
        state = layer.state_dict()
        layer.load_state_dict({"0.weight": p.ones(1, 2), "0.bias": p.ones(1)})
        return state, seen

    compare(program, torch, tinygrad_nn)


def test_a_copied_module_has_copies_of_its_hooks():
    def program(p):
        class Counter(p.nn.Module):
            def __init__(self):
                super().__init__()
                self.count = 0
                self._register_load_state_dict_pre_hook(self.counted)
                self.register_forward_hook(self.called, with_kwargs=True)

            def forward(self, x):
                return x

            def counted(self, *given):
                self.count += 1

            def called(self, module, inputs, options, output):
                self.count += 10

        first = Counter()
        second = copy.deepcopy(first)
        second.load_state_dict({})
        second(1)
        return first.count, second.count

    compare(program, torch, tinygrad_nn)


def test_a_public_state_hook_gives_nothing_back():
    def program(p):
        layer = p.nn.Linear(1, 1)
        layer.register_state_dict_post_hook(lambda module, state, prefix, metadata: state)
        return layer.state_dict()

    compare(program, torch, tinygrad_nn)


def with_common_hooks(p, registry):
    """Every module's calls and gradients, seen before the module's own hooks, until the handles are removed."""
    model, seen = p.nn.Sequential(p.nn.Linear(2, 2), p.nn.Tanh()), []
    p.nn.init.constant_(model[0].weight, 0.5)
    p.nn.init.constant_(model[0].bias, 0.25)

    def name(module):
        return type(module).__name__

    model[1].register_forward_hook(lambda module, inputs, output: seen.append("own"))
    handles = [
        registry.register_module_forward_pre_hook(lambda module, inputs: seen.append((name(module), inputs[0].tolist()))),
        registry.register_module_forward_hook(lambda module, inputs, output: output * 2 if name(module) == "Tanh" else None),
        registry.register_module_forward_hook(
            lambda module, inputs, options, output: seen.append(list(options)), with_kwargs=True
        ),
        registry.register_module_full_backward_pre_hook(lambda module, out: seen.append((name(module), len(out)))),
        registry.register_module_full_backward_hook(lambda module, into, out: seen.append((name(module), out[0].tolist()))),
    ]
    try:
        output = model(p.ones(1, 2, requires_grad=True))
        output.sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    length = len(seen)
    model(p.ones(1, 2))
    return output, seen, len(seen) - length


def test_hooks_of_all_modules():
    compare(lambda p: with_common_hooks(p, p.nn.modules.module), torch, tinygrad_nn)


def test_an_always_called_hook_of_all_modules():
    def program(p):
        seen = []
        with p.nn.modules.module.register_module_forward_hook(lambda *given: seen.append(given[-1]), always_call=True):  # noqa: SIM117
            with pytest.raises(RuntimeError):
                p.nn.Linear(2, 2)(p.ones(3))
        return seen

    compare(program, torch, tinygrad_nn)


def test_the_old_backward_hook_sees_the_gradient_of_the_output():
    def program(p):
        layer, seen = p.nn.Linear(2, 1), []
        with layer.register_backward_hook(lambda module, into, out: seen.extend(out)):
            layer(p.ones(3, 2)).sum().backward()
        return seen, layer._is_full_backward_hook, p.nn.ReLU()._is_full_backward_hook, layer.register_full_backward_hook(print)

    compare(program, torch, tinygrad_nn)


def test_apply_to_parameters_gradients_and_buffers():
    def program(p):
        class Held(p.nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = p.nn.Parameter(p.ones(2))
                self.register_buffer("seen", p.zeros(2))
                self.register_buffer("none", None)
                self.other = p.ones(2)

            def _apply(self, fn, recurse=True):
                super()._apply(fn, recurse)
                self.other = fn(self.other)
                return self

        model = p.nn.Sequential(Held(), p.nn.Linear(2, 2))
        model[1].weight = p.nn.Parameter(p.ones(2, 2))
        (model[0].scale * 3).sum().backward()
        scale, gradient, seen = model[0].scale, model[0].scale.grad, model[0].seen
        found = model._apply(lambda tensor: tensor.double() + 1) is model
        same = scale is model[0].scale, gradient is model[0].scale.grad, seen is model[0].seen
        values = [*list(model[0].state_dict().values()), model[0].other, gradient, model[1].weight, scale.requires_grad]
        model.float()
        kept = model[0].seen
        model.to(p.float32)
        model._apply(lambda tensor: tensor * 2, recurse=False)
        return found, same, values, model[0].other, model[0].seen is kept, model[1].weight

    compare(program, torch, tinygrad_nn)


def test_members_by_a_function_of_ones_own():
    def program(p):
        model = p.nn.Sequential(p.nn.Linear(1, 1), p.nn.BatchNorm1d(1))
        model.add_module("again", model[0])
        named = [name for name, _ in model._named_members(lambda module: module._buffers.items(), prefix="a", recurse=True)]
        twice = [name for name, _ in model._named_members(lambda module: module._parameters.items(), remove_duplicate=False)]
        model[1].register_buffer("scratch", p.ones(1), persistent=False)
        return named, twice, model[1]._non_persistent_buffers_set

    compare(program, torch, tinygrad_nn)


def test_modules_stay_where_they_are():
    def program(p, method):
        layer = p.nn.ReLU()
        return getattr(layer, method)() is layer, getattr(p.nn.Linear(1, 1), method)()

    compare(program, torch, tinygrad_nn, "cuda")
    assert tinygrad_nn.nn.Linear(1, 1).compile(mode="default") is torch.nn.Linear(1, 1).compile(backend="eager") is None


def test_kinds_of_dropout_are_not_each_other():
    def program(p):
        layers = p.nn.Dropout(), p.nn.Dropout1d(), p.nn.Dropout2d(), p.nn.AlphaDropout(), p.nn.FeatureAlphaDropout()
        return [isinstance(layer, p.nn.Dropout) for layer in layers]

    compare(program, torch, tinygrad_nn)


OLD_STATES = {
    "without metadata": lambda p: {"running_mean": p.ones(2), "running_var": p.ones(2), "weight": p.ones(2), "bias": p.ones(2)},
    "of version 2": lambda p: p.nn.BatchNorm1d(2, track_running_stats=False).state_dict(),
}


@pytest.mark.parametrize("state", OLD_STATES)
def test_old_states_of_batch_norm_have_no_number_of_batches(state):
    def program(p):
        layer = p.nn.BatchNorm1d(2)
        layer(p.ones(3, 2))
        found = layer.load_state_dict(OLD_STATES[state](p), strict=state == "without metadata")
        return [*found], layer.num_batches_tracked, type(found).__name__, dict(layer.state_dict()._metadata)

    compare(program, torch, tinygrad_nn)


RECURRENT = {
    "sizes": lambda p, kind: kind(3, 4, 2, bidirectional=True).get_expected_hidden_size(p.ones(5, 6, 3), None),
    "batch first": lambda p, kind: kind(3, 4, batch_first=True).get_expected_hidden_size(p.ones(5, 6, 3), None),
    "packed": lambda p, kind: kind(3, 4).get_expected_hidden_size(p.ones(5, 3), p.tensor([3, 2])),
    "permuted": lambda p, kind: kind(3, 4).permute_hidden(
        (p.arange(4.0).view(1, 2, 2),) * 2 if kind is p.nn.LSTM else p.arange(4.0).view(1, 2, 2), p.tensor([1, 0])
    ),
    "not permuted": lambda p, kind: kind(3, 4).permute_hidden(p.ones(1, 2, 4), None),
    "right": lambda p, kind: kind(3, 4).check_forward_args(
        p.ones(5, 2, 3), (p.ones(1, 2, 4),) * 2 if kind is p.nn.LSTM else p.ones(1, 2, 4), None
    ),
    "wrong state": lambda p, kind: kind(3, 4).check_forward_args(
        p.ones(5, 2, 3), (p.ones(1, 3, 4),) * 2 if kind is p.nn.LSTM else p.ones(1, 3, 4), None
    ),
    "wrong input": lambda p, kind: kind(3, 4).check_input(p.ones(5, 2, 2), None),
    "wrong dtype": lambda p, kind: kind(3, 4).check_input(p.ones(5, 2, 3, dtype=p.float64), None),
    "packed input": lambda p, kind: kind(3, 4).check_input(p.ones(5, 2, 3), p.tensor([3, 2])),
}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("question", RECURRENT)
def test_parts_of_recurrent_networks(question, kind):
    compare(lambda p: RECURRENT[question](p, getattr(p.nn, kind)), torch, tinygrad_nn)


MISTAKES = {
    "one state": lambda p: p.nn.LSTM(1, 1)(p.ones(1, 1, 1), p.zeros(1, 1, 1)),
    "states as one tensor": lambda p: p.nn.LSTM(1, 1)(p.ones(1, 1, 1), p.zeros(2, 1, 1)),
    "states of one line": lambda p: p.nn.LSTM(1, 1)(p.ones(1, 1), p.zeros(2, 1, 1)),
    "cell's states as one tensor": lambda p: p.nn.LSTMCell(3, 4)(p.ones(2, 3), p.zeros(2, 4)),
    "cell's cell sizes": lambda p: p.nn.LSTM(3, 4, proj_size=2).get_expected_cell_size(p.ones(5, 6, 3), None),
    "nothing to clip": lambda p: p.nn.utils.clip_grad_norm_([], 1.0),
    "gain": lambda p: p.nn.init.calculate_gain("linear"),
    "fan": lambda p: p.nn.init._calculate_correct_fan(p.ones(2, 3), "fan"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_small_things(mistake):
    compare(MISTAKES[mistake], torch, tinygrad_nn)


def test_initial_values_by_their_inner_names():
    def program(p):
        init, found = p.nn.init, []
        p.manual_seed(0)
        for fill in (
            lambda x: init._no_grad_uniform_(x, -1, 2), lambda x: init._no_grad_normal_(x, 1, 2),
            lambda x: init._no_grad_trunc_normal_(x, 0, 1, -2, 2), lambda x: init._no_grad_fill_(x, 3), init._no_grad_zero_,
        ):  # fmt: skip
            found.append(fill(p.nn.Parameter(p.ones(3, 4))))
        sizes = p.ones(2, 3, 5)
        return found, init._calculate_correct_fan(sizes, "FAN_OUT"), init._calculate_fan_in_and_fan_out(sizes)

    compare(program, torch, tinygrad_nn)


def test_new_weights_for_transformers():
    def program(p):
        p.manual_seed(1)
        found = []
        for model in (p.nn.Transformer(4, 2, 1, 1, 8), p.nn.MultiheadAttention(4, 2, add_bias_kv=True)):
            model._reset_parameters()
            found.append(model.state_dict())
        return found

    compare(program, torch, tinygrad_nn)


REGISTRATIONS = {
    "buffer": lambda p, module, name: module.register_buffer(name, p.ones(1)),
    "parameter": lambda p, module, name: module.register_parameter(name, p.nn.Parameter(p.ones(1))),
    "module": lambda p, module, name: module.add_module(name, p.nn.ReLU()),
}


@pytest.mark.parametrize("name", ["weight", "running_mean", "inner", "eps", "forward", "new"])
@pytest.mark.parametrize("kind", REGISTRATIONS)
def test_a_name_is_of_one_kind(kind, name):
    def program(p):
        module = p.nn.BatchNorm1d(1)
        module.inner = p.nn.Tanh()
        REGISTRATIONS[kind](p, module, name)
        return [[*store] for store in (module._parameters, module._buffers, module._modules)]

    compare(program, torch, tinygrad_nn)
