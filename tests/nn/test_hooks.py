"""The hooks of modules: what they see, what they replace, and how they are taken away."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn


class Two(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, a, b, factor=1.0):
        return a * b * factor, a + 1


class Double(nn.Module):
    def forward(self, x):
        return x * 2


def test_forward_hooks_run_in_order_and_see_what_the_one_before_left():
    layer, seen = Double(), []
    layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] + 1,))
    layer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].tolist()))
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 10)
    layer.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].tolist(), output.tolist())))
    layer.register_forward_hook(lambda module, inputs, output: output + 0.5)
    layer.register_forward_hook(lambda module, inputs, output: seen.append(module is layer))
    assert layer(torch.ones(1)).tolist() == [40.5]
    assert seen == [[2.0], ([20.0], [40.0]), True]


@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward"])
def test_handles_take_hooks_away(kind):
    layer, seen = Double(), []
    register = getattr(layer, f"register_{kind}_hook")
    x = torch.ones(1, requires_grad=True)
    first = register(lambda *_: seen.append("first"))
    with register(lambda *_: seen.append("second")):
        layer(x).backward()
    layer(x).backward()
    assert seen == ["first", "second", "first"]
    first.remove()
    first.remove()
    layer(x).backward()
    assert len(seen) == 3


def test_a_hook_may_remove_itself():
    layer, seen = Double(), []
    handle = layer.register_forward_hook(lambda *_: (seen.append(1), handle.remove())[1])
    layer.register_forward_hook(lambda *_: seen.append(2))
    layer(torch.ones(1))
    layer(torch.ones(1))
    assert seen == [1, 2, 2]


def test_keywords_reach_forward_past_the_hooks():
    layer = Two()
    layer.register_forward_hook(lambda module, inputs, output: output[0])
    assert layer(torch.ones(1), torch.ones(1), factor=7.0).tolist() == [7.0]


def test_backward_hooks_see_every_input_and_output():
    layer, seen = Two(), []
    layer.register_full_backward_hook(lambda module, into, out: seen.append([*into, *out]))
    a, b = torch.tensor([2.0], requires_grad=True), torch.tensor([3.0], requires_grad=True)
    product, more = layer(a, b)
    (product * 5 + more * 7).backward()
    assert [g.tolist() for g in seen[0]] == [[22.0], [10.0], [5.0], [7.0]]
    assert (a.grad.tolist(), b.grad.tolist()) == ([22.0], [10.0])


def test_backward_hooks_of_inputs_without_gradient():
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda module, into, out: seen.append((into, out[0].tolist())))
    (layer(torch.ones(1, 1)) * 3).sum().backward()
    assert seen == [((None,), [[3.0]])]
    assert layer.weight.grad.tolist() == [[3.0]]


def test_backward_hooks_beside_inputs_that_are_not_tensors():
    layer, seen = Two(), []
    layer.register_full_backward_hook(lambda module, into, out: seen.append(into))
    a = torch.tensor([2.0], requires_grad=True)
    layer(a, 3.0)[0].backward()
    assert seen[0][0].tolist() == [3.0]
    assert a.grad.tolist() == [3.0]


@pytest.mark.parametrize("replace", [lambda into: (into[0] * 10,), lambda into: into[0] * 10])
def test_backward_hooks_replace_the_gradient_of_the_input(replace):
    layer, seen = Double(), []
    layer.register_full_backward_hook(lambda module, into, out: replace(into))
    layer.register_full_backward_hook(lambda module, into, out: seen.append(into[0].tolist()))
    x = torch.ones(1, requires_grad=True)
    layer(x).backward()
    assert seen == [[20.0]]
    assert x.grad.tolist() == [20.0]


def test_hooks_of_an_inner_module_are_called_within_the_outer_ones():
    net, seen = nn.Sequential(Double(), Double()), []
    for name, module in net.named_modules():
        module.register_forward_hook(lambda *_, name=name: seen.append(name))
        module.register_full_backward_hook(lambda *_, name=name: seen.append(f"back {name}"))
    net(torch.ones(1, requires_grad=True)).backward()
    assert seen == ["0", "1", "", "back 1", "back 0", "back "]


def test_hooks_that_want_keywords_or_to_be_first():
    layer, seen = Two(), []
    layer.register_forward_pre_hook(lambda m, inputs, options: seen.append(dict(options)), with_kwargs=True)
    layer.register_forward_pre_hook(lambda m, inputs, options: (inputs, {"factor": 5.0}), with_kwargs=True)
    layer.register_forward_pre_hook(lambda m, inputs: seen.append("first"), prepend=True)
    layer.register_forward_hook(lambda m, inputs, options, output: seen.append(options), with_kwargs=True)
    layer.register_forward_hook(lambda m, inputs, output: output[0], prepend=True)
    assert layer(torch.ones(1), torch.ones(1), factor=7.0).tolist() == [5.0]
    assert seen == ["first", {"factor": 7.0}, {"factor": 5.0}]
    layer.register_forward_pre_hook(lambda m, inputs, options: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="None or a tuple"):
        layer(torch.ones(1), torch.ones(1))


def test_hooks_that_are_always_called():
    layer, seen = nn.Module(), []
    layer.register_forward_hook(lambda *given: seen.append(given), always_call=True)
    layer.register_forward_hook(lambda *given: seen.append("never"))
    layer.register_forward_hook(lambda *given: 1 / 0, always_call=True)
    with pytest.warns(UserWarning, match="silenced .* division by zero"), pytest.raises(NotImplementedError):
        layer(1)
    assert seen == [(layer, (1,), None)]


def test_backward_pre_hooks_replace_the_gradient_of_the_output():
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda m, into, out: seen.append(out[0].tolist()))
    layer.register_full_backward_pre_hook(lambda m, out: (out[0] * 2,))
    layer.register_full_backward_pre_hook(lambda m, out: seen.append(out[0].tolist()), prepend=True)
    layer(torch.ones(1, 1, requires_grad=True)).sum().backward()
    assert seen == [[[1.0]], [[2.0]]]
    assert layer.weight.grad.tolist() == [[2.0]]
