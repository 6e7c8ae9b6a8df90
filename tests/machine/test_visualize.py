"""A drawing is handed out, and written in the form that its file's name says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gvstore.machine.visualize import Drawing, DrawingFault
from tests.machine.counting import counter


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.txt", "▶ count"),
        ("a.mmd", "flowchart TD"),
        ("a.md", "```mermaid\nflowchart TD"),
        ("a.dot", "digraph machine {"),
        ("a.gv", "digraph machine {"),
        ("a.svg", "<svg"),
        ("a.SVG", "<svg"),
    ],
)
def test_the_suffix_says_the_form(name: str, begins: str, tmp_path: Path) -> None:
    """No program has to be installed."""
    drawing = counter().build().visualize(tmp_path / name, include_conditions=True)

    assert (tmp_path / name).read_text().startswith(begins)
    assert tmp_path / name == drawing.path


def test_without_a_path(tmp_path: Path) -> None:
    """It prints as text, and shows as a picture in notebooks."""
    app = counter().build()
    drawing = app.visualize(include_conditions=True, include_state=True)

    assert isinstance(drawing, Drawing)
    assert str(drawing) == repr(drawing)
    assert "count < 3" in str(drawing) and "reads count" in str(drawing)
    assert drawing._repr_svg_().startswith("<svg")
    assert str(app.graph.visualize()) == str(app.visualize())
    assert drawing.source("mermaid").startswith("flowchart")
    with pytest.raises(ValueError, match="no form"):
        drawing.source("png")


def test_names_without_a_suffix(tmp_path: Path) -> None:
    """They get .svg, or what format= says; .dot is written beside."""
    app = counter().build()
    app.visualize(tmp_path / "machine", write_dot=True)
    app.visualize(str(tmp_path / "other"), format="mmd")

    assert {"machine.svg", "machine.dot", "other.mmd"} == {each.name for each in tmp_path.iterdir()}


def test_images_need_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the error names what works; with it the image is written."""
    app = counter().build()
    if shutil.which("dot") is not None:
        app.visualize(tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(DrawingFault, match=r"\.png needs Graphviz") as caught:
        app.visualize(tmp_path / "b.png")
    assert "Draw b.svg, which needs nothing" in caught.value.hint
    assert not (tmp_path / "b.png").exists()


def test_a_program_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Graphviz says is told."""
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho broken >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(DrawingFault, match=r"could not draw a.png: broken"):
        counter().build().visualize(tmp_path / "a.png")
    program.write_text("#!/bin/sh\ncat >/dev/null\nprintf image\n")
    counter().build().visualize(tmp_path / "a.png")
    assert b"image" == (tmp_path / "a.png").read_bytes()


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    """Unknown suffixes and keywords, folders that are not there, and nothing to view."""
    app = counter().build()

    with pytest.raises(DrawingFault, match=r"nothing is known that ends in \.xyz"):
        app.visualize(tmp_path / "a.xyz")
    with pytest.raises(DrawingFault, match="cannot be written"):
        app.visualize(tmp_path / "missing" / "a.svg")
    with pytest.raises(DrawingFault, match="no file to view"):
        app.visualize(view=True)
    with pytest.raises(TypeError, match="takes no colour"):
        app.visualize(colour="red")
