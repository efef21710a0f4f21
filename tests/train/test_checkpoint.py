"""Checkpoints: what a training depends on is kept, a run goes on where it stood, damage is named."""

import shutil

import numpy as np
import pytest

import tinygrad_nn as torch
from tests.bench.kill_and_resume import canonical, corruptions, final, kills, train
from tinygrad_nn import nn
from tinygrad_nn.train import Checkpoint, EarlyStopping, fit
from tinygrad_nn.train.checkpoint import read
from tinygrad_nn.utils.data import DataLoader, TensorDataset


def test_killed_and_resumed_equals_unbroken(tmp_path):
    assert kills(2, tmp_path) == 2


def test_corruptions_are_named_and_the_one_before_is_used(tmp_path):
    assert corruptions(60, tmp_path) == 60


def test_resumed_from_every_checkpoint_of_an_epoch(tmp_path):
    train(tmp_path / "whole", epochs=2)
    expected = final(tmp_path / "whole")
    train(tmp_path / "kept", epochs=1)
    for path in Checkpoint(tmp_path / "kept").files():
        folder = tmp_path / path.stem
        folder.mkdir()
        shutil.copy(path, folder)
        shutil.copy(tmp_path / "kept" / "best.safetensors", folder)
        train(folder, epochs=2)
        assert final(folder) == expected


def test_the_same_training_writes_the_same_file(tmp_path):
    train(tmp_path / "a", epochs=1)
    train(tmp_path / "b", epochs=1)
    name = Checkpoint(tmp_path / "a").files()[-1].name
    assert canonical(read(tmp_path / "a" / name)) == canonical(read(tmp_path / "b" / name))


def small_run(folder, **options):
    torch.manual_seed(0)
    x = torch.randn(40, 3)
    model = nn.Linear(3, 1)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return model, fit(model, nn.MSELoss(), optimizer, loader, checkpoint=folder, **options)


def test_the_last_and_the_best_are_kept(tmp_path):
    small_run(Checkpoint(tmp_path, every=2, keep=2), epochs=5)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["best.safetensors", "step-000000018.safetensors", "step-000000020.safetensors"]
    history = read(tmp_path / "best.safetensors")["history"]
    assert history["loss"][-1] == min(history["loss"])


def test_a_finished_training_is_not_repeated_and_can_be_longer(tmp_path):
    first, history = small_run(tmp_path, epochs=2)
    again, same = small_run(tmp_path, epochs=2)
    assert dict(history) == dict(same)
    assert np.array_equal(first.weight.detach().numpy(), again.weight.detach().numpy())
    _, longer = small_run(tmp_path, epochs=3)
    assert longer["loss"][:2] == history["loss"]
    assert len(longer["loss"]) == 3


def test_all_damaged_means_from_the_start(tmp_path):
    _, history = small_run(tmp_path, epochs=2)
    for path in Checkpoint(tmp_path).files():
        path.write_bytes(b"nothing")
    with pytest.warns(UserWarning, match="damage"):
        _, again = small_run(tmp_path, epochs=2)
    assert dict(again) == dict(history)


def test_other_files_are_no_checkpoints(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"a\.safetensors: expected a checkpoint of format 1"):
        read(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="at least 1"):
        Checkpoint(tmp_path, keep=0)


def test_callbacks_of_another_number_are_refused(tmp_path):
    small_run(tmp_path, epochs=1)
    with pytest.raises(ValueError, match="expected the state of 1 callbacks, found 0"):
        small_run(tmp_path, epochs=2, callbacks=[EarlyStopping("loss")])


def test_leftovers_of_a_cut_off_write_are_removed(tmp_path):
    (tmp_path / ".step-000000001.safetensors.abc").write_bytes(b"half")
    small_run(tmp_path, epochs=1)
    assert not list(tmp_path.glob(".*"))


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("")
    with pytest.raises(NotADirectoryError, match=r"Checkpoint: expected a folder, .*a\.txt is a file"):
        Checkpoint(path)
