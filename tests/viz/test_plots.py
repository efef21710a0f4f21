"""Pictures of training: each draws what it was given and says what it cannot draw."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: there are no plots")
matplotlib.use("Agg")
plots = pytest.importorskip("tinygrad_nn.viz.plots")


@pytest.fixture(autouse=True)
def _no_figure_stays():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def test_curves_are_the_numbers():
    axes = plots.learning_curves({"train": [3.0, 2.0], "test": [3.5, 2.5]}, log=True)
    assert [line.get_ydata().tolist() for line in axes.lines] == [[3.0, 2.0], [3.5, 2.5]]
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "epoch"
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert plots.learning_curves({"loss": [1.0, 0.5]}, xlabel="step").get_xlabel() == "step"


def test_histograms_have_a_line_for_each_layer():
    model = network()
    assert len(plots.activation_histograms(model, torch.randn(50, 4)).lines) == 3
    with pytest.raises(ValueError, match="call it after backward"):
        plots.gradient_histograms(model)
    model(torch.randn(5, 4)).sum().backward()
    assert len(plots.gradient_histograms(model).lines) == 2
    assert not any(module._hooks_.get("forward") for module in model.modules())


def test_looking_at_activations_changes_nothing():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plots.activation_histograms(model, torch.ones(6, 4))
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
    drawn = torch.rand(3)
    torch.manual_seed(0)
    nn.Linear(4, 8)
    assert (torch.rand(3) == drawn).all()


def test_update_ratios_are_what_the_step_did():
    model = network()
    ratios, optimizer = plots.UpdateRatios(model), torch.optim.SGD(model.parameters(), lr=0.1)
    before = model[0].weight.detach().numpy().copy()
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(5, 4)).pow(2).sum().backward()
        ratios.step(optimizer)
        if len(ratios.history["0.weight"]) == 1:
            change = model[0].weight.detach().numpy() - before
            assert ratios.history["0.weight"][0] == pytest.approx(change.std() / before.std())
    assert len(ratios.plot().lines) == 3


def test_first_layer_shows_images():
    for figure, count in ((plots.first_layer(network(), most=5), 5), (plots.first_layer(nn.Conv2d(3, 6, 3)), 6)):
        *cells, scale = figure.axes
        assert sum(len(cell.images) for cell in cells) == count
        assert scale.get_ylim()[0] == -scale.get_ylim()[1]
    with pytest.raises(ValueError, match="expected a shape of 5 elements"):
        plots.first_layer(nn.Linear(5, 2))
    with pytest.raises(ValueError, match="got none"):
        plots.first_layer(nn.Tanh())


@pytest.mark.parametrize("outputs", [1, 3])
def test_decision_boundary_colours_the_plane(outputs, tmp_path):
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    model = nn.Linear(2, outputs)
    axes = plots.decision_boundary(model, torch.from_numpy(points), (points[:, 0] > 0).astype(int), steps=20)
    plots.save(axes, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000
    with pytest.raises(ValueError, match=r"shape \(N, 2\), got \(4,\)"):
        plots.decision_boundary(model, np.zeros(4), [0])


def test_histograms_leave_out_what_is_no_tensor():
    lines = plots.activation_histograms(nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 2)), torch.randn(9, 2)).lines
    assert [line.get_label().split()[1] for line in lines] == ["Linear:"]


def test_a_history_is_drawn_without_a_file():
    model = nn.Linear(1, 1)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1), torch.ones(4, 1)))
    figure = torch.train.fit(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=1e-3), loader, epochs=2).plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "lr"]
