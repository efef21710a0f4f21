"""The watch: undone without a trace, changes nothing, strict where asked; its report, and check of one batch."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import doctor, nn
from tinygrad_nn.doctor import CAUSES, DoctorError, Finding, Report
from tinygrad_nn.nn import functional as F
from tinygrad_nn.train import fit
from tinygrad_nn.utils.data import DataLoader, TensorDataset


def parts(last=None, seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 3)]
    model = nn.Sequential(*layers, *([last] if last else []))
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def steps(model, optimizer, count=6, loss_of=F.cross_entropy, target=None):
    losses = []
    for _ in range(count):
        loss = loss_of(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)) if target is None else target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_watching_changes_no_number_and_leaves_nothing_behind():
    model, optimizer = parts()
    expected = steps(model, optimizer, 40)
    model, optimizer = parts()
    before = {name: getattr(F, name) for name in ("cross_entropy", "mse_loss")}
    backward, state = torch.Tensor.backward, ("backward" in vars(torch.Tensor))
    with doctor.watch(model, optimizer) as report:
        assert F.cross_entropy is not before["cross_entropy"]
        found = steps(model, optimizer, 40)
    assert found == expected
    assert report.steps == 40
    assert {name: getattr(F, name) for name in before} == before
    assert torch.Tensor.backward is backward
    assert ("backward" in vars(torch.Tensor)) == state
    assert not any(hooks for module in model.modules() for hooks in module._hooks_.values())
    assert not any(optimizer._hooks_.values())


def test_everything_is_undone_after_an_error():
    model, optimizer = parts()
    original = F.cross_entropy
    with pytest.raises(IndexError), doctor.watch(model, optimizer) as report:
        steps(model, optimizer, target=torch.full((8,), 7))
    assert F.cross_entropy is original
    assert report.codes[0] == "label-out-of-range"
    assert "labels 7 to 7, and 3 classes" in report.findings[0].evidence


def test_where_names_the_module_and_the_line():
    model, optimizer = parts(nn.Softmax(dim=1))
    with doctor.watch(model, optimizer) as report:
        steps(model, optimizer)
    where = report.findings[0].where
    assert where.startswith("model.4 (Softmax) → cross-entropy at test_watch.py:")


def test_raise_on_makes_findings_fatal():
    model, optimizer = parts(nn.Softmax(dim=1))
    match = "softmax-before-cross-entropy"
    with doctor.raise_on("error"), pytest.raises(DoctorError, match=match) as caught, doctor.watch(model, optimizer):
        steps(model, optimizer)
    assert caught.value.finding.severity == "error"
    assert "\n" not in str(caught.value)
    with doctor.watch(model, optimizer):
        steps(model, optimizer)
    with pytest.raises(ValueError, match="expected one of"):
        doctor.raise_on("loud")


def test_strict_stops_silent_mistakes_at_once():
    model, optimizer = parts(nn.Linear(3, 1))
    weight = model[0].weight.detach().numpy().copy()
    match, quiet = r"loss-broadcast.*\[8, 1\] and target \[8\]", pytest.warns(UserWarning, match="target size")
    with quiet, pytest.raises(DoctorError, match=match), doctor.watch(model, optimizer, strict=True):
        steps(model, optimizer, loss_of=F.mse_loss, target=torch.zeros(8))
    assert np.array_equal(model[0].weight.detach().numpy(), weight)


def test_the_first_op_that_made_a_nan_is_named():
    model, optimizer = parts(nn.ReLU())
    with doctor.watch(model, optimizer) as report:
        steps(model, optimizer, loss_of=lambda out, y: (out - 50).log().mean())
    assert report.codes[0] == "not-finite"
    assert "log" in report.findings[0].evidence


def test_check_of_one_batch_leaves_all_as_it_was():
    model, _ = parts(nn.Softmax(dim=1))
    model.add_module("5", nn.BatchNorm1d(3))
    state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    drawn = torch.get_rng_state()
    x = torch.randn(8, 4, generator=torch.Generator()) * 200
    report = doctor.check(model, nn.CrossEntropyLoss(), (x, torch.zeros(8).long()))
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(np.array_equal(value.numpy(), state[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert "input-scale" in report


def test_check_explains_an_error():
    model, _ = parts()
    report = doctor.check(model, nn.CrossEntropyLoss(), (torch.randn(8, 4), F.one_hot(torch.zeros(8).long(), 3)))
    assert report.codes == ["label-one-hot"]
    with pytest.raises(RuntimeError, match="shape"):
        doctor.check(model, nn.CrossEntropyLoss(), (torch.randn(8, 5), torch.zeros(8).long()))


def test_fit_brings_the_report():
    model, optimizer = parts(nn.Softmax(dim=1))
    loader = DataLoader(TensorDataset(torch.randn(64, 4), torch.randint(0, 3, (64,))), batch_size=8)
    history = fit(model, nn.CrossEntropyLoss(), optimizer, loader, epochs=2, doctor=True)
    assert history.report.codes[0] == "softmax-before-cross-entropy"


def test_a_hand_written_loop_without_an_optimizer():
    model, _ = parts(nn.Softmax(dim=1))
    with doctor.watch(model) as report:
        for _ in range(5):
            model.zero_grad()
            F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
    assert report.codes == ["softmax-before-cross-entropy"]


def test_gradient_accumulation_and_closures_are_no_mistakes():
    model, optimizer = parts()
    with doctor.watch(model, optimizer) as report:
        for _ in range(6):
            for _ in range(4):
                (F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))) / 4).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert not report.of("error")
    x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    with doctor.watch(model, optimizer) as report:
        for _ in range(3):
            optimizer.step(closure)
    assert not report.of("error")


def test_batch_norm_over_one():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="more than 1 value"), doctor.watch(model, optimizer) as report:
        F.cross_entropy(model(torch.randn(1, 4)), torch.tensor([1])).backward()
    assert report.codes == ["batch-norm-batch-one"]


def test_the_report_shows_itself():
    report = Report()
    assert str(report) == "The doctor found nothing wrong in 0 steps."
    report.add("stuck-at-chance", "loss", "2.3")
    report.add("lr-too-low", "lr", "1e-9 <b>")
    report.add("input-scale", "x", "255", "error")
    report.add("input-scale", "x", "256", "warning")
    assert report.codes == ["input-scale", "lr-too-low", "stuck-at-chance"]
    assert next(iter(report)).evidence == "255"
    assert "1. error  input-scale: inputs not scaled" in str(report)
    assert "2 errors, 1 warning" in str(report)
    assert "1e-9 &lt;b&gt;" in report._repr_html_()


def test_every_cause_has_its_section_and_some_check():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "doctor.md").read_text()
    assert re.findall(r"^### `([a-z0-9-]+)`", page, re.MULTILINE) == list(CAUSES)
    sources = "".join(path.read_text() for path in (root / "tinygrad_nn" / "doctor").rglob("*.py") if path.name != "causes.py")
    assert all(f'"{code}"' in sources for code in CAUSES)
    assert Finding("overfit", "info", "a", "b").link == "docs/doctor.md#overfit"
