"""Where data is kept: the variable first, then each platform's own folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tinygrad_nn.vision.cache import cache_dir


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("TINYGRAD_NN_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_variable_comes_first(platform: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("TINYGRAD_NN_DATA", str(home / "mine"))
    assert cache_dir() == home / "mine"
    monkeypatch.setenv("TINYGRAD_NN_DATA", "~/mine")
    assert cache_dir() == home / "mine"


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("linux", ".cache"), ("freebsd14", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
def test_each_platform_has_its_folder(platform: str, folder: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("TINYGRAD_NN_DATA", "")  # set but empty is not set
    assert cache_dir() == home / folder / "tinygrad_nn"


@pytest.mark.parametrize(("platform", "variable"), [("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")])
def test_each_platform_has_its_variable(platform: str, variable: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(home / "cache"))
    assert cache_dir() == home / "cache" / "tinygrad_nn"


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert cache_dir() == home / ".cache" / "tinygrad_nn"


def test_nothing_is_created(home: Path) -> None:
    cache_dir()
    assert list(home.iterdir()) == []
