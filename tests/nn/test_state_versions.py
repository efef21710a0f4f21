"""A module whose layout has changed reads the states of its older self."""

import tinygrad_nn as torch
from tinygrad_nn import nn


class Scale(nn.Module):
    """Since version 2 the factor is called `factor`."""

    _version = 2

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor([2.0]))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        if local_metadata.get("version", 1) < 2:
            state_dict[prefix + "factor"] = state_dict.pop(prefix + "scale")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def test_a_state_carries_the_version_of_each_module():
    net = nn.Sequential(nn.Linear(2, 2), Scale())
    assert net.state_dict()._metadata == {"": {"version": 1}, "0": {"version": 1}, "1": {"version": 2}}


def test_an_old_state_is_brought_up_to_date_and_stays_as_it_was_itself():
    net, old = nn.Sequential(Scale()), {"0.scale": torch.tensor([5.0])}
    net.load_state_dict(old)
    assert net[0].factor.item() == 5
    assert list(old) == ["0.scale"]
    net.load_state_dict(nn.Sequential(Scale()).state_dict())
    assert net[0].factor.item() == 2


def test_a_module_may_write_its_state_in_another_form():
    class Doubled(Scale):
        def _save_to_state_dict(self, destination, prefix, keep_vars):
            destination[prefix + "factor"] = self.factor.detach() * 2

    assert nn.Sequential(Doubled()).state_dict()["0.factor"].item() == 4


def test_to_empty_keeps_shapes():
    net = nn.Linear(3, 2).to_empty(device="cpu")
    assert [tuple(v.shape) for v in net.parameters()] == [(2, 3), (2,)]
