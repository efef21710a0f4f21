"""Pictures: what is in them, how they are saved and shown, that whatever a name holds stays text."""

import base64
import struct
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_nn as torch
from tests.viz import models
from tinygrad_nn.op import OPS
from tinygrad_nn.viz import draw, trace
from tinygrad_nn.viz.page import shell
from tinygrad_nn.viz.rules import describe
from tinygrad_nn.viz.svg import png_of

NASTY = "<script>alert('x')</script>&\"\\"


def test_svg_is_well_formed_and_says_what_is_there():
    for picture in (models.neuron(), models.mlp(), models.cnn()):
        for theme in ("auto", "light", "dark"):
            text = picture.to_svg(theme)
            ET.fromstring(text)
    for expected in ("0: Linear", "0.weight", "cross_entropy", "(5, 4) float64"):
        assert expected in models.mlp().to_svg()
    assert "prefers-color-scheme: dark" in models.mlp().to_svg()


def test_values_are_numbers_strips_and_images():
    image, many, few = torch.rand(2, 1, 10, 10), torch.rand(40), torch.tensor([1.5, -2.0])
    x = torch.tensor(2.0, requires_grad=True)
    text = trace(lambda: image.sum() * x + many.sum() + few.sum()).to_svg()
    assert "data:image/png;base64," in text
    colours, channels = torch.rand(3, 8, 8), torch.rand(4, 8, 8)
    for images, kind in ((colours.numpy(), 2), (channels.numpy(), 0)):
        data = base64.b64decode(png_of(images).partition(",")[2])
        assert struct.unpack(">IIBB", data[16:26]) == (112, 112, 8, kind)  # 14 dots to a pixel; in colour, or grey
    assert 'class="up"' in text
    assert "[1.5, -2]" in text


def test_every_ending_is_written(tmp_path):
    picture = models.mlp()
    for ending, start in ((".svg", "<svg"), (".html", "<!doctype html>"), (".dot", "digraph {"), (".json", '{"format"')):
        picture.save(tmp_path / f"x{ending}")
        assert (tmp_path / f"x{ending}").read_text().startswith(start)
    with pytest.raises(ValueError, match=r"ending in .svg, .png, .html, .dot or .json, got 'x.gif'"):
        picture.save(tmp_path / "x.gif")


def test_png_is_written_where_cairosvg_is(tmp_path):
    pytest.importorskip("cairosvg", reason="cairosvg is not installed: .png cannot be written")
    models.mlp().save(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_without_cairosvg_png_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(ImportError, match="needs cairosvg"):
        models.neuron().save(tmp_path / "x.png")


def test_dot_places_it_where_there_is_one(monkeypatch):
    import shutil

    x = torch.ones(2, requires_grad=True)
    if shutil.which("dot"):
        assert "</svg>" in draw(x * x, engine="dot").to_svg()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="was not found; the default needs nothing"):
        draw(x * x, engine="dot").to_svg()


def test_notebooks_show_it_and_keep_it():
    bundle = models.neuron()._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    import nbconvert
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(
        "picture", execution_count=1, outputs=[nbformat.v4.new_output("display_data", data=bundle)]
    )])  # fmt: skip
    html, _ = nbconvert.HTMLExporter().from_notebook_node(book)
    assert 'class="tinygrad-nn"' in html or "data:image/svg+xml;base64," in html


def test_show_gives_notebooks_a_frame(monkeypatch):
    shown = []
    display = type(sys)("IPython.display")
    display.HTML, display.display = str, shown.append
    for name, module in (("ipykernel", sys), ("IPython", type(sys)("IPython")), ("IPython.display", display)):
        monkeypatch.setitem(sys.modules, name, module)
    models.neuron().show()
    assert shown[0].startswith('<iframe srcdoc="&lt;!doctype html&gt;')


def test_show_opens_a_browser_elsewhere(monkeypatch):
    import webbrowser

    opened = []
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    models.neuron().show()
    assert opened[0].startswith("file:///")


def test_what_names_hold_stays_text():
    x = torch.tensor(2.0, requires_grad=True)
    picture = draw(x * 3, params={NASTY: x})
    ET.fromstring(picture.to_svg())
    for text in (picture.to_svg(), picture.to_html(), picture.to_json()):
        assert "<script>alert" not in text


def test_the_page_is_small_and_loads_nothing():
    assert len(shell().encode()) < 100_000
    page = models.mlp().to_html()
    assert "default-src 'none'" in page
    for outside in ("http:", "https:", "//cdn", "import(", "fetch("):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1998/Math/MathML", "")


def test_formulas_are_well_formed():
    written = 0
    for op in OPS.values():
        told = describe(op)
        for part in (told["forward"], *told["rules"].values()):
            if part["math"]:
                ET.fromstring(f"<math>{part['math']}</math>")
                written += 1
    assert written > 260
    assert "<mi>mean</mi>" in describe(OPS["standardize"])["rules"]["x"]["math"]  # what is named on the way is put in
    assert describe(OPS["atan2"])["rules"]["a"]["math"] == ""  # a helper of its own says nothing in a formula


def test_modules_are_collapsed_when_asked():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    picture = trace(lambda: model(torch.ones(1, 2)).sum(), collapse=["0"])
    assert "0.weight" not in picture.to_svg()
    assert "1 operations" in picture.to_svg()


def test_nan_is_drawn():
    x = torch.tensor(np.full(50, np.nan), requires_grad=True)
    text = draw((x * 2).sum()).to_svg()
    ET.fromstring(text)
    assert "50 nan" in text
    image = torch.rand(1, 10, 10)
    image[0, 0, 0], image[0, 0, 1], image[0, 0, 2] = float("nan"), float("inf"), float("-inf")
    text = draw((image.requires_grad_() * 2).sum()).to_svg()
    assert ", 1 nan, 2 inf<" in text
    one = torch.cat([torch.arange(39.0), torch.tensor([float("nan")])]).requires_grad_()
    text = draw(one.sum()).to_svg()
    assert "0 … 38, 1 nan" in text
    assert text.count('class="odd"') == 1
