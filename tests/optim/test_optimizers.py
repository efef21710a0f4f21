"""The optimisers: Adam by its definition, what is refused, memory kept in place, states that go on where they stopped."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import optim

NAMES = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD"]


def parameters(dtype=np.float32):
    return [torch.from_numpy(np.ones(shape, dtype)).requires_grad_() for shape in ((3, 2), (), (0,))]


def step(optimizer, held, value=0.5):
    for p in held:
        p.grad = torch.full_like(p, value).detach()
    optimizer.step()


def test_adam_by_its_definition():
    p = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = optim.Adam([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2)
    x, m, v = np.array([1.0, -2.0]), 0, 0
    for t, g in enumerate(np.random.default_rng(0).standard_normal((6, 2)), 1):
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()
        g = g + 0.2 * x
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        x = x - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_and_states_stay_in_place_and_in_their_dtype(name, dtype):
    held = parameters(dtype)
    arrays = [p.data.numpy() for p in held]
    optimizer = getattr(optim, name)(held)
    step(optimizer, held)
    kept = [{k: (v, v.numpy()) for k, v in optimizer.state[p].items()} for p in held]
    for _ in range(3):
        step(optimizer, held)
    for p, array, state in zip(held, arrays, kept, strict=True):
        assert p.data.numpy() is array or np.shares_memory(p.data.numpy(), array) or not array.size
        assert p.dtype == torch.from_numpy(np.ones(1, dtype)).dtype
        assert float(optimizer.state[p]["step"]) == 4
        for key, (tensor, _) in state.items():
            assert optimizer.state[p][key] is tensor
            assert tensor.shape == p.shape or tensor.ndim == 0
        np.testing.assert_array_equal(p.grad.numpy(), np.full(p.shape, 0.5, dtype))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["capturable", "differentiable"])
def test_options_that_are_not_there(name, option):
    if (name, option) == ("Adagrad", "capturable"):
        return
    with pytest.raises(NotImplementedError, match=f"{name}: {option}=True is not supported"):
        getattr(optim, name)(parameters(), **{option: True})


def test_adamw_stays_decoupled_with_adams_state():
    held = parameters()
    optimizer = optim.AdamW(held)
    optimizer.load_state_dict(optim.Adam(held).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


def test_sparse_adam_refuses_dense_gradients_when_it_meets_one():
    optimizer = optim.SparseAdam(parameters())
    optimizer.step()
    optimizer.param_groups[0]["params"][0].sum().backward()
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients"):
        optimizer.step()


def test_adagrad_takes_in_a_group_added_later():
    held = parameters()
    optimizer = optim.Adagrad(held[:1], initial_accumulator_value=0.5)
    optimizer.add_param_group({"params": held[1:]})
    step(optimizer, held)
    assert optimizer.state[held[1]]["sum"].item() == 0.75


def test_lbfgs_refuses():
    held = parameters()
    with pytest.raises(ValueError, match="parameter groups"):
        optim.LBFGS([{"params": held[:1]}, {"params": held[1:]}])
    with pytest.raises(TypeError, match="expected a closure"):
        optim.LBFGS(held).step()
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported, got 'armijo'"):
        optim.LBFGS(held, line_search_fn="armijo").step(lambda: None)


def test_lbfgs_finds_the_minimum_of_a_quadratic():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((6, 6))
    hessian, goal = torch.from_numpy(a @ a.T + np.eye(6)), torch.from_numpy(rng.standard_normal(6))
    x = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = ((x - goal) @ hessian @ (x - goal)) / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), goal.numpy(), atol=1e-6)


def test_a_scheduler_leaves_no_cycle_behind():
    import gc
    import weakref

    gc.disable()
    try:
        optimizer = optim.Adam(parameters())
        scheduler = optim.lr_scheduler.StepLR(optimizer, 3)
        gone = weakref.ref(optimizer)
        del optimizer, scheduler
        assert gone() is None
    finally:
        gc.enable()
