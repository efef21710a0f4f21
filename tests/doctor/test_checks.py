"""What each check says of what it was given: labels that no loss takes, inputs, curves, losses under another name."""

import math
import re
import sys

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import doctor, nn
from tinygrad_nn.autograd import Function
from tinygrad_nn.doctor import DoctorError, Report
from tinygrad_nn.doctor.checks import curves, layers
from tinygrad_nn.doctor.seen import Seen, Snapshot
from tinygrad_nn.nn import functional as F
from tinygrad_nn.utils.data import DataLoader, TensorDataset

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
    assert evidence(report, "label-constant") == "the first 48 labels are all 1, of 3 classes"
    report = trained(model_of(), "cross_entropy", lambda step: torch.full((8,), step // 40), 70)
    assert evidence(report, "sorted-data") == "the first 256 labels are all 0, of 3 classes"
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


def test_a_loss_that_does_not_reach_the_model_is_named_and_crashes_nothing():
    labels, cut = torch.arange(8) % 3, lambda y: y.detach().requires_grad_()
    for loss_of in (
        lambda y, t: torch.tensor(((y - 1) ** 2).mean().item(), requires_grad=True),
        lambda y, t: torch.tensor(cross_entropy(y, t).item(), requires_grad=True),
        lambda y, t: F.cross_entropy(cut(y), t),
        lambda y, t: cross_entropy(cut(y), t),
        lambda y, t: ((cut(y) - 1) ** 2).mean(),
    ):
        assert trained(model_of(), loss_of, labels).codes == ["detached"]


@pytest.mark.parametrize("family", ["AT_START", "AT_BACKWARD", "AT_END"])
def test_an_error_of_a_check_is_a_warning(family, monkeypatch):
    def broken(*seen):
        raise KeyError("odd")

    monkeypatch.setattr(sys.modules["tinygrad_nn.doctor.watch"], family, (broken,))
    with pytest.warns(UserWarning, match="doctor: .* failed with KeyError: 'odd'"):
        report = trained(model_of(), "cross_entropy", lambda step: torch.randint(0, 3, (8,)))
    assert report.steps == 6


def test_gradients_that_an_optimizer_does_not_hold_are_not_its_to_zero():
    model, labels = model_of(), lambda step: torch.randint(0, 3, (8,))
    for held, code in ((model[2], "not-in-optimizer"), (nn.Linear(2, 2), "optimizer-of-another-model")):
        optimizer = torch.optim.SGD(held.parameters(), lr=0.1)
        with doctor.watch(model, optimizer) as report:
            for step in range(6):
                optimizer.zero_grad()
                F.cross_entropy(model(torch.randn(8, 4)), labels(step)).backward()
                optimizer.step()
        assert report.codes == [code]


def test_gradients_kept_over_a_closure():
    model = model_of()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def closure():
        loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
        loss.backward()
        return loss

    with doctor.watch(model, optimizer) as report:
        for _ in range(3):
            optimizer.step(closure)
    assert report.codes == ["forgot-zero-grad"]


ORDERS = ("judge first", "generator first", "gradients of the judge left", "judge in two backwards")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("watched", ["judge", "generator"])
def test_networks_that_train_against_each_other(watched, order):
    torch.manual_seed(0)
    nets = {"judge": model_of(outputs=1, features=2), "generator": model_of(outputs=2)}
    judge, generator = nets.values()
    steppers = {name: torch.optim.Adam(net.parameters(), lr=1e-3) for name, net in nets.items()}
    loss_of = lambda y, value: F.binary_cross_entropy_with_logits(y, torch.full_like(y, value))

    def train_judge(fake):
        if order != ORDERS[2]:
            steppers["judge"].zero_grad()
        real, made = loss_of(judge(torch.randn(16, 2)), 1.0), loss_of(judge(fake.detach()), 0.0)
        for loss in (real, made) if order == ORDERS[3] else (real + made,):
            loss.backward()
        steppers["judge"].step()

    def train_generator(fake):
        steppers["generator"].zero_grad()
        loss_of(judge(fake), 1.0).backward()
        steppers["generator"].step()

    with doctor.watch(nets[watched], steppers[watched]) as report:
        for _ in range(70):
            if order == ORDERS[2]:
                steppers["judge"].zero_grad()
            fake = generator(torch.randn(16, 4))
            for train in (train_generator, train_judge) if order == ORDERS[1] else (train_judge, train_generator):
                train(fake)
    assert report.codes == []


def test_the_loss_of_chance_is_that_of_one_function():
    def two_heads(y, t):
        return F.cross_entropy(y, t) + F.cross_entropy(-y, t)

    labels = lambda step: torch.randint(0, 3, (8,))
    assert "stuck-at-chance" not in trained(model_of(), two_heads, labels, 70)

    def with_a_second_for_the_log(y, t):
        F.l1_loss(y.detach(), y.detach())
        return F.cross_entropy(y, t)

    assert "stuck-at-chance" in trained(model_of(), with_a_second_for_the_log, labels, 70)


def test_a_softmax_written_out_is_a_softmax():
    def stable(y):
        e = (y - y.max(1, keepdim=True).values).exp()
        return e / e.sum(1, keepdim=True)

    labels = lambda step: torch.randint(0, 3, (8,))
    after = lambda function: trained(model_of(), lambda y, t: F.cross_entropy(function(y), t), labels)
    for squash in (stable, lambda y: F.log_softmax(y, 1).exp()):
        assert after(squash).codes == ["softmax-before-cross-entropy"]
    for other in (lambda y: y.exp() / y.sum(), lambda y: y.exp(), lambda y: y / 2):
        assert "softmax-before-cross-entropy" not in after(other)


def test_the_sign_of_a_loss():
    labels = lambda step: torch.randint(0, 3, (8,))
    minus, minus_one = lambda y, t: -F.cross_entropy(y, t), lambda y, t: -1 * F.cross_entropy(y, t)
    for negative in (minus, minus_one, lambda y, t: -cross_entropy(y, t)):
        assert trained(model_of(), negative, labels).codes == ["wrong-sign"]
    for loss_of in (lambda y, t: F.cross_entropy(y, t) - 5, lambda y, t: -y.mean(), lambda y, t: -F.log_softmax(y, 1).mean()):
        assert trained(model_of(), loss_of, labels).codes == []


def labels_of(share, count=256, column=False):
    """Labels of which a share is of class 1."""
    y = (torch.arange(count) < share * count).long()[torch.randperm(count)]
    return y.float().unsqueeze(1) if column else y


UNEQUAL = {
    "few positives": ("cross_entropy", 2, labels_of(0.02), True),
    "few negatives": ("binary_cross_entropy_with_logits", 1, labels_of(0.98, column=True), True),
    "one in ten": ("cross_entropy", 2, labels_of(0.1), False),
    "weights": (lambda y, t: F.cross_entropy(y, t, torch.tensor([1.0, 50.0])), 2, labels_of(0.02), False),
    "one-hot": ("cross_entropy", 32, F.one_hot(torch.randint(0, 32, (256,)), 32).float(), False),
    "many labels a sample": ("binary_cross_entropy_with_logits", 32, torch.eye(32).repeat(8, 1), False),
}  # fmt: skip


@pytest.mark.parametrize("name", UNEQUAL)
def test_classes_that_are_unequal(name):
    loss_of, outputs, target, told = UNEQUAL[name]
    report = trained(model_of(outputs=outputs), loss_of, target, inputs=torch.randn(256, 4))
    assert ("imbalanced" in report) == told


def test_the_first_batch_for_ever():
    def taken(batch_size, count=10):
        loader = DataLoader(TensorDataset(torch.randn(32, 4), torch.arange(32) % 3), batch_size)
        model = model_of()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with doctor.watch(model, optimizer) as report:
            for _ in range(count):
                x, y = next(iter(loader))
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
        return report.codes

    assert taken(8) == ["batch-twice"]
    assert taken(32) == []  # all the data are in it


def test_layers_without_activation_are_told_of_where_a_model_fails():
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    xor, both = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 0, 1])
    two = lambda *between: nn.Sequential(nn.Linear(2, 8), *between, nn.Linear(8, 2))
    assert trained(two(), "cross_entropy", xor, 80, x).codes[0] == "no-activation"
    assert "no-activation" not in trained(two(), "cross_entropy", both, 80, x, lr=0.5)
    assert "no-activation" not in trained(two(nn.ReLU()), "cross_entropy", xor, 80, x, lr=1e-9)


def test_a_rate_is_not_blamed_for_a_setting():
    def with_settings(after=lambda model: None, **options):
        torch.manual_seed(0)
        x = torch.randn(32, 4)
        y, model = (x[:, 0] > 0).long(), model_of(outputs=2)
        optimizer = torch.optim.SGD(model.parameters(), **{"lr": 0.3, **options})
        with doctor.watch(model, optimizer) as report:
            for _ in range(70):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                after(model)
                optimizer.step()
        return report.codes[:1]

    clip = lambda norm: lambda model: nn.utils.clip_grad_norm_(model.parameters(), norm)
    assert with_settings() == with_settings(clip(1.0)) == with_settings(weight_decay=1e-3) == []
    assert with_settings(clip(1e-7)) == ["clipped-away"]
    assert with_settings(weight_decay=3) == ["weight-decay-too-high"]
    assert with_settings(maximize=True) == ["wrong-sign"]
    assert with_settings(lr=1e-7)[0] in ("lr-too-low", "update-ratio")


def test_a_schedule_may_end_at_nothing():
    def scheduled(make, steps=60):
        model = model_of()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = make(optimizer)
        with doctor.watch(model, optimizer) as report:
            for _ in range(steps):
                optimizer.zero_grad()
                F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
                optimizer.step()
                schedule.step()
        return "schedule-too-fast" in report

    schedules = torch.optim.lr_scheduler
    assert scheduled(lambda optimizer: schedules.ExponentialLR(optimizer, 0.5))
    assert not scheduled(lambda optimizer: schedules.CosineAnnealingLR(optimizer, 60))
    assert not scheduled(lambda optimizer: schedules.StepLR(optimizer, 20, 0.1))


def test_dropout_that_leaves_nothing():
    severities = {}
    for p in (0.5, 0.9, 0.99):
        with doctor.watch(nn.Sequential(nn.Linear(4, 3), nn.Dropout(p))) as report:
            pass
        severities[p] = [finding.severity for finding in report]
    assert severities == {0.5: [], 0.9: ["warning"], 0.99: ["error"]}


def test_where_a_loss_was_refused_is_the_users_line():
    model, labels = model_of(), torch.full((8,), 7)
    report = doctor.check(model, nn.CrossEntropyLoss(), (torch.randn(8, 4), labels))
    assert report.findings[0].where.startswith("test_checks.py:")
    for loss_of in (nn.CrossEntropyLoss(), cross_entropy):
        with pytest.raises(IndexError), doctor.watch(model) as report:
            loss_of(model(torch.randn(8, 4)), labels)
        assert report.findings[0].where.startswith("test_checks.py:")


def test_one_mistake_is_one_finding():
    x = torch.randn(8, 4)
    with pytest.warns(UserWarning, match="target size"):
        assert len(doctor.check(nn.Linear(4, 1), nn.MSELoss(), (x, torch.randn(8)))) == 1
    x[0, 0] = math.nan
    assert len(doctor.check(nn.Linear(4, 1), nn.MSELoss(), (x, torch.randn(8, 1)))) == 1


def test_strict_stops_before_a_step_with_old_gradients():
    model = model_of()
    optimizer, before = torch.optim.SGD(model.parameters(), lr=0.1), []

    def train():
        for _ in range(3):
            before.append(model[0].weight.detach().clone())
            F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            optimizer.step()

    with pytest.raises(DoctorError, match="forgot-zero-grad"), doctor.watch(model, optimizer, strict=True):
        train()
    assert torch.equal(model[0].weight, before[1])
