"""What each check says of what it was given: labels that no loss takes, inputs, curves, losses under another name."""

import math
import re

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import doctor, nn
from tinygrad_nn.autograd import Function
from tinygrad_nn.doctor import DoctorError, Report
from tinygrad_nn.doctor.checks import curves, layers
from tinygrad_nn.doctor.seen import Seen, Snapshot
from tinygrad_nn.nn import functional as F

cross_entropy, bce, bce_with_logits = F.cross_entropy, F.binary_cross_entropy, F.binary_cross_entropy_with_logits  # as by `import`


def model_of(*last, features=4, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, outputs), *last)


def trained(model, loss_of, target, count=6, inputs=None, lr=0.1):
    """The report of some steps on random inputs of 8 samples, or on those given; a loss by its name is the watched one."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    with doctor.watch(model, optimizer) as report:
        for step in range(count):
            x = torch.randn(8, 4) if inputs is None else inputs(step) if callable(inputs) else inputs
            of = getattr(F, loss_of) if isinstance(loss_of, str) else loss_of
            loss = of(model(x), target(step) if callable(target) else target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return report


def evidence(report, code):
    return next(finding.evidence for finding in report if finding.code == code)


FAILURES = {
    "fewer labels than samples": ("cross_entropy", [], torch.zeros(5).long(), "label-shape", r"output \[8, 3\] and target \[5\]"),
    "labels in a column": ("cross_entropy", [], torch.zeros(8, 1).long(), "label-shape", r"target \[8, 1\]"),
    "scores": ("binary_cross_entropy", [], torch.ones(8, 3), "bce-on-raw-scores", r"BCE gets values -"),
    "labels from 1 to 2": ("binary_cross_entropy", [nn.Sigmoid()], torch.full((8, 3), 2.0), "label-out-of-range", "targets 2 to 2"),
    "whole numbers": ("binary_cross_entropy", [nn.Sigmoid()], torch.ones(8, 3).long(), "label-dtype", "torch.int64"),
    "other shapes": ("binary_cross_entropy", [nn.Sigmoid()], torch.ones(8), "label-shape", r"target \[8\]"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_loss_refuses_is_explained(name):
    loss, last, target, code, told = FAILURES[name]
    model = model_of(*last)
    with pytest.raises((ValueError, RuntimeError)), doctor.watch(model) as report:
        getattr(F, loss)(model(torch.randn(8, 4)), target)
    assert report.codes == [code]
    assert re.search(told, report.findings[0].evidence)


def test_an_error_of_the_users_own_is_not_explained():
    def cross_entropy(scores, labels):
        raise ValueError("mine")

    model = model_of()
    with pytest.raises(ValueError, match="mine"), doctor.watch(model) as report:
        cross_entropy(model(torch.randn(8, 4)), torch.zeros(8))
    assert report.codes == []


def test_losses_are_known_under_another_name():
    half = torch.tensor([[0.0], [1.0]] * 4)
    report = trained(model_of(nn.Sigmoid(), outputs=1), bce_with_logits, half)
    assert report.codes == ["sigmoid-twice"]
    assert "the output of sigmoid" in report.findings[0].evidence
    report = trained(model_of(outputs=1), lambda y, t: bce(y.clamp(0.01, 0.99), t), half)
    assert report.codes[0] == "bce-on-raw-scores"
    assert trained(model_of(nn.Softmax(1)), cross_entropy, torch.zeros(8).long()).codes[0] == "softmax-before-cross-entropy"


def test_a_loss_of_the_users_own_is_taken_for_no_other():
    half = torch.tensor([[0.0], [1.0]] * 4)
    for loss_of in (lambda y, t: y.log1p().mean(), lambda y, t: F.softplus(-y).mean(), lambda y, t: (F.softplus(y) - t * y).mean()):
        assert trained(model_of(nn.Sigmoid(), outputs=1), loss_of, half).codes == []


def test_gradients_of_zero_are_not_taken_for_erased_ones():
    model = model_of(nn.Sigmoid())
    assert "gradients-erased" not in trained(model, lambda y, t: y.clamp(max=0.0).sum(), None)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with doctor.watch(model, optimizer) as report:
        for _ in range(3):
            model(torch.randn(8, 4)).sum().backward()
            optimizer.zero_grad()
            optimizer.step()
    assert "gradients-erased" in report


def test_bce_on_scores_that_happen_to_be_probabilities():
    def halves(y):
        return y.sum() * 0 + y * 0 + 0.5

    report = trained(model_of(outputs=1), lambda y, t: F.binary_cross_entropy(halves(y), t), torch.ones(8, 1))
    assert evidence(report, "bce-on-raw-scores") == "BCE gets the output of add, which is no probability"


def test_the_loss_of_a_teacher_is_left_alone():
    model = model_of(nn.Softmax(1))
    report = trained(model, lambda y, t: y.log().mean() * -1 + F.cross_entropy(y.detach(), t), torch.arange(8) % 3)
    assert "softmax-before-cross-entropy" not in report


def test_a_model_in_float64_may_have_a_loss_in_float64():
    x = torch.randn(8, 4, dtype=torch.float64)
    assert "float64" not in trained(model_of().double(), "cross_entropy", torch.arange(8) % 3, inputs=x)


INPUTS = {
    "nan": (lambda step: torch.full((8, 4), math.nan), "input-not-finite", "32 "),
    "tiny": (lambda step: torch.randn(8, 4) * 1e-4, "input-scale", "root mean square 0.0001"),
    "one feature large": (lambda step: torch.randn(8, 4) * torch.tensor([8.0, 1, 1, 1e-3]), "input-scale", "features from 0.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(name):
    inputs, code, told = INPUTS[name]
    assert told in evidence(trained(model_of(), "cross_entropy", lambda step: torch.randint(0, 3, (8,)), inputs=inputs), code)


def test_inputs_that_are_whole_numbers_have_no_scale():
    model = nn.Sequential(nn.Embedding(5000, 4), nn.Flatten(), nn.Linear(8, 3))
    labels, words = lambda step: torch.randint(0, 3, (8,)), lambda step: torch.randint(0, 5000, (8, 2))
    assert "input-scale" not in trained(model, "cross_entropy", labels, inputs=words)


def test_one_hot_targets_that_work_are_noted():
    report = trained(model_of(), "cross_entropy", lambda step: F.one_hot(torch.randint(0, 3, (8,)), 3).float(), 8)
    assert [finding.severity for finding in report if finding.code == "label-one-hot"] == ["info"]


def test_sorted_labels():
    report = trained(model_of(), "cross_entropy", torch.ones(8).long())
    assert evidence(report, "sorted-data") == "the first 48 labels are all 1, of 3 classes"
    report = trained(
        model_of(), "cross_entropy", lambda step: torch.tensor([step // 10] * 2), 30, inputs=lambda step: torch.randn(2, 4)
    )
    assert evidence(report, "sorted-data") == "the label changes only 2 times in 60 samples"
    shuffled = lambda step: torch.randint(0, 3, (2,))
    assert "sorted-data" not in trained(model_of(), "cross_entropy", shuffled, 30, inputs=lambda step: torch.randn(2, 4))


def test_a_binary_loss_that_begins_high():
    def sure_and_wrong(y, t):
        return F.binary_cross_entropy_with_logits(y + 5 * (1 - 2 * t), t)

    report = trained(model_of(outputs=1), sure_and_wrong, lambda step: torch.randint(0, 2, (8, 1)).float())
    assert evidence(report, "initial-loss").endswith("guessing gives ln 2 = 0.693")


def curve(losses, update=0.01, **options):
    """A training with these losses and this share of the weights changed at each step."""
    seen = Seen(None, None, {}, {}, steps=len(losses), losses=list(losses), **options)
    seen.snapshots = [Snapshot(step, updates={"w": update}) for step in range(4)]
    return seen


HALF = {"kind": "binary_cross_entropy", "labels": [np.array([0.0, 1.0])]}  # guessing gives 0.693
CURVES = {
    "at the end": (curve([1.0] * 20 + [3.0] * 4), "went from 1 to 3"),
    "in large steps": (curve([1.0] * 24, 0.5), "changes the weights by 50%"),
    "once": (curve([1.0] * 10 + [90.0] + [1.0] * 10), "from 1 over 90 to 1"),
    "at first": (curve([0.7] * 10 + [2.0] * 10 + [0.9] * 50, **HALF), "from 0.7 over 2 to 0.9; guessing gives 0.693"),
    "never": (curve([1.0] * 10 + [2.0] + [0.1] * 60, **HALF), ""),
}


@pytest.mark.parametrize("name", CURVES)
def test_losses_that_rose(name):
    seen, told = CURVES[name]
    report = Report()
    curves.diverged(seen, report)
    assert report.codes == (["lr-too-high"] if told else [])
    assert all(told in finding.evidence for finding in report)


def test_gradients_that_are_large_in_the_first_layer():
    seen = curve([1.0] * 4)
    seen.parameters = {name: torch.ones(2, 2) for name in ("0.weight", "2.weight")}
    for step in seen.snapshots:
        step.gradients, step.weights = {"0.weight": 50.0, "2.weight": 0.01}, {"0.weight": 1.0, "2.weight": 1.0}
    report = Report()
    layers.gradients(seen, report)
    assert evidence(report, "exploding-gradients") == "gradients of root mean square 50 there, 0.01 in 2.weight"


def sunk(y, t):
    """A loss of value t; where that is 0, its gradient is not finite."""
    return (y.sum() * 0).sqrt() if t == 0 else y.sum() * 0 + t


def test_a_step_that_left_parameters_that_are_not_finite():
    values = lambda *given: lambda step: torch.tensor(float(given[step]))
    report = trained(model_of(), sunk, values(1, 1, 0, 1), 4)
    assert evidence(report, "not-finite") == "the step before step 4 left 4 parameters that are not finite"
    report = trained(model_of(), sunk, values(1, 9, 0, 1), 4)
    assert evidence(report, "lr-too-high") == "the loss grew from 1 to 9, then model.0.weight was not finite"


class Unknown(Function):
    """Nothing that the graph could tell more of."""

    @staticmethod
    def forward(ctx, x):
        return x.sum() * 0 + math.inf

    @staticmethod
    def backward(ctx, g):
        return g * torch.ones(8, 3)


def test_a_loss_that_no_op_made_infinite():
    report = trained(model_of(), lambda y, t: Unknown.apply(y), None, 1)
    assert evidence(report, "not-finite") == "the loss is inf in step 1"


def test_looking_for_a_nan_leaves_the_buffers_as_they_were():
    def running(watched):
        model = model_of(nn.BatchNorm1d(3))
        torch.manual_seed(1)
        loss_of = lambda y, t: (y - 50).log().mean()
        if watched:
            assert "log" in evidence(trained(model, loss_of, None, 1), "not-finite")
        else:
            loss_of(model(torch.randn(8, 4)), None)
        return [buffer.tolist() for buffer in model.buffers()], torch.rand(1).item()

    assert running(True) == running(False)


def test_a_long_loop_without_an_optimizer():
    model = model_of(nn.Softmax(1))
    with doctor.watch(model) as report:
        for step in range(8):
            model.zero_grad()
            y = model(torch.randn(8, 4))
            loss = F.cross_entropy(y, torch.randint(0, 3, (8,))) if step == 7 else y.sum()
            loss.backward()
    assert "softmax-before-cross-entropy" in report  # in the eighth step, after some that are not looked at


def test_fatal_findings_of_one_batch():
    with doctor.raise_on("error"), pytest.raises(DoctorError, match="softmax-before"):
        doctor.check(model_of(nn.Softmax(1)), nn.CrossEntropyLoss(), (torch.randn(8, 4), torch.arange(8) % 3))


def test_a_report_has_a_length():
    report = Report()
    report.add("overfit", "a", "b")
    report.add("underfit", "a", "b")
    report.add("overfit", "a", "c")
    assert len(report) == len(report.findings) == 2


def test_the_best_constant_answer():
    assert curve([1.0], **HALF).chance == pytest.approx(math.log(2))
    soft = curve([1.0], kind="cross_entropy", labels=[np.array([[0.25, 0.75], [0.75, 0.25]])])
    assert soft.chance == pytest.approx(math.log(2))
    assert curve([1.0], kind="mse_loss", labels=[np.array([1.0, 3.0])]).chance == 1.0
    assert curve([1.0], kind="l1_loss", labels=[np.array([1.0, 3.0])]).chance is None
