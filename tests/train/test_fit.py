"""fit beside the bare loop, evaluate and predict, the history, the metrics and the callbacks."""

import sys

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from tinygrad_nn.train import (
    Accuracy,
    ConfusionMatrix,
    CSVLog,
    EarlyStopping,
    History,
    LearningRate,
    MeanAbsoluteError,
    MeanSquaredError,
    PlotCurves,
    TensorBoardLog,
    TopK,
    evaluate,
    fit,
    predict,
)
from tinygrad_nn.utils.data import DataLoader, TensorDataset


def parts(seed=0):
    torch.manual_seed(seed)
    x = torch.randn(120, 4)
    y = (x[:, 0] > x[:, 1]).long()
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    loader = DataLoader(TensorDataset(x[:100], y[:100]), batch_size=10, shuffle=True)
    return model, nn.CrossEntropyLoss(), optimizer, loader, DataLoader(TensorDataset(x[100:], y[100:]), batch_size=20)


def test_fit_is_the_bare_loop():
    model, loss_of, optimizer, loader, _ = parts()
    torch.manual_seed(1)
    losses = []
    for _ in range(3):
        total = 0.0
        for x, y in loader:
            loss = loss_of(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        losses.append(total / 100)
    other, loss_of, optimizer, loader, _ = parts()
    torch.manual_seed(1)
    history = fit(other, loss_of, optimizer, loader, epochs=3)
    assert history["loss"] == losses
    for own, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert np.array_equal(own.detach().numpy(), theirs.detach().numpy())


def test_values_of_validation_and_metrics():
    model, loss_of, optimizer, loader, val = parts()
    model[2].eval()
    history = fit(model, loss_of, optimizer, loader, epochs=4, val=val, metrics=[Accuracy(), ConfusionMatrix(2)])
    assert list(history) == ["loss", "accuracy", "confusion", "lr", "val_loss", "val_accuracy", "val_confusion"]
    assert history["val_accuracy"][-1] > 0.8
    assert history["val_confusion"][-1].sum() == 20
    assert len(history.seconds) == history.epochs == 4
    assert evaluate(model, loss_of, val)["loss"] == history["val_loss"][-1]
    assert history.report is None


def test_modes_are_as_they_were():
    model, loss_of, _, _, val = parts()
    model.train()
    model[2].eval()
    evaluate(model, loss_of, val)
    assert [m.training for m in model.modules()] == [True, True, True, False, True]


def test_predict():
    model, _, _, _, val = parts()
    x = val.dataset.tensors[0]
    whole = predict(model, x, batch_size=7)
    assert whole.shape == (20, 2)
    assert np.allclose(whole.numpy(), predict(model, val).numpy(), atol=1e-6)
    assert np.allclose(whole.numpy(), predict(model, [(x,)]).numpy(), atol=1e-6)
    assert not whole.requires_grad


def test_early_stopping_and_its_words():
    model, loss_of, optimizer, loader, val = parts()
    optimizer.param_groups[0]["lr"] = 0.0
    history = fit(model, loss_of, optimizer, loader, epochs=50, val=val, callbacks=[EarlyStopping(patience=2)])
    assert history.epochs == 3
    with pytest.raises(KeyError, match="expected monitor to be one of"):
        fit(model, loss_of, optimizer, loader, epochs=1, callbacks=[EarlyStopping("nothing")])


def test_schedules():
    model, loss_of, optimizer, loader, val = parts()
    assert fit(model, loss_of, optimizer, loader, epochs=3, scheduler=StepLR(optimizer, 1, 0.5))["lr"] == [0.3, 0.15, 0.075]
    history = fit(model, loss_of, optimizer, loader, epochs=3, callbacks=[LearningRate(lambda epoch: 0.1 / (epoch + 1))])
    assert history["lr"] == [0.1, 0.05, 0.1 / 3]
    plateau = ReduceLROnPlateau(optimizer, patience=0, factor=0.1, threshold=10.0)
    assert fit(model, loss_of, optimizer, loader, epochs=3, val=val, scheduler=plateau)["lr"][-1] < 0.1


def test_logs_and_pictures(tmp_path):
    model, loss_of, optimizer, loader, val = parts()
    history = fit(
        model, loss_of, optimizer, loader, epochs=2, val=val,
        callbacks=[CSVLog(tmp_path / "log" / "a.csv"), PlotCurves(tmp_path / "a.png")],
    )  # fmt: skip
    lines = (tmp_path / "log" / "a.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,lr,val_loss"
    assert float(lines[2].split(",")[1]) == history["loss"][1]
    assert (tmp_path / "a.png").stat().st_size > 5000
    assert (tmp_path / "log").stat().st_mode
    history.plot(tmp_path / "b.svg")
    assert "<svg" in (tmp_path / "b.svg").read_text()


def test_tensorboard_where_it_is_installed(tmp_path):
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="pip install tensorboardX"):
            TensorBoardLog(tmp_path)
        return
    model, loss_of, optimizer, loader, _ = parts()
    fit(model, loss_of, optimizer, loader, epochs=1, callbacks=[TensorBoardLog(tmp_path)])
    assert list(tmp_path.iterdir())


def test_the_bar_shows_only_where_it_is_wanted(capsys):
    pytest.importorskip("tqdm")
    model, loss_of, optimizer, loader, _ = parts()
    fit(model, loss_of, optimizer, loader, epochs=1)
    assert capsys.readouterr().err == ""
    fit(model, loss_of, optimizer, loader, epochs=1, progress=True)
    assert "epoch 1/1: 100%" in capsys.readouterr().err


def test_the_history_shows_itself():
    history = History({"loss": [0.5, 20000.0], "confusion": [np.ones((2, 2))] * 2})
    assert str(history).splitlines()[2].split() == ["2", "2e+04"]
    assert "confusion" not in str(history)
    assert "<td>0.5000</td>" in history._repr_html_()
    assert history.best("loss") == (1, 0.5)
    history.add({"loss": 0.1, "accuracy": 0.9})
    assert history["accuracy"] == [None, None, 0.9]


def test_metrics():
    scores, labels = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]), torch.tensor([1, 2])
    assert (Accuracy()(scores, labels), TopK(2)(scores, labels)) == (0.5, 1.0)
    assert Accuracy()(scores, nn.functional.one_hot(labels, 3)) == 0.5
    assert Accuracy()(torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0])) == 1.0
    assert Accuracy(0.0)(torch.tensor([[-1.0], [2.0]]), torch.tensor([[1.0], [1.0]])) == 0.5
    assert ConfusionMatrix(3)(scores, labels).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0]]
    for metric in (MeanAbsoluteError(), MeanSquaredError()):
        with pytest.raises(ValueError, match="expected a target in the output's shape"):
            metric(torch.zeros(3, 1), torch.zeros(3))


def test_importing_the_package_does_not_bring_training_along():
    import subprocess

    code = "import sys, tinygrad_nn; print([n for n in sys.modules if 'tinygrad_nn.train' in n or 'tinygrad_nn.doctor' in n])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_fit_cannot_use_is_named():
    model, loss_of, optimizer, loader, _ = parts()
    x, y = loader.dataset.tensors
    run = lambda data=loader, by=optimizer, **options: fit(model, loss_of, by, data, epochs=1, **options)
    no_target = DataLoader(TensorDataset(x))
    for data, found in (((x, y), "Tensor of length 100"), (DataLoader(x, 10), "Tensor of"), (no_target, "list of length 1")):
        for use in (run, lambda data: evaluate(model, loss_of, data)):
            with pytest.raises(TypeError, match=rf"expected batches \(inputs, target\).*, got a {found}"):
                use(data)
    with pytest.raises(TypeError, match="expected metrics like Accuracy\\(\\), got 'accuracy'"):
        run(metrics=["accuracy"])
    with pytest.raises(TypeError, match="expected metrics like Accuracy\\(\\), got <class"):
        run(metrics=[Accuracy])
    with pytest.raises(TypeError, match=r"expected optimizer to be like .*, got 'sgd'"):
        run(by="sgd")


def test_an_epoch_without_batches_is_an_error():
    model, loss_of, optimizer, loader, _ = parts()
    with pytest.raises(ValueError, match="epoch 1 got no batches"):
        fit(model, loss_of, optimizer, [], epochs=1)
    with pytest.raises(ValueError, match="epoch 2 got no batches from train_loader; a generator gives them only once"):
        fit(model, loss_of, optimizer, (batch for batch in loader), epochs=2)
    with pytest.raises(ValueError, match="evaluate: the loader gave no batches"):
        fit(model, loss_of, optimizer, loader, epochs=1, val=[])
