"""Rendering: both programs, whole files only, nothing on stdout, and words when no program is there."""

from __future__ import annotations

import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from drawn_routes import built, ring, routed

from fabric.faces.drawing import graphviz_program
from fabric.faces.drawing.graphviz_program import render_dot
from fabric.faces.drawing.views.links import link_view_dot
from fabric.faces.drawing.views.tier import tier_view_dot
from topologies.errors import FormatError, MissingProgramError

PURE = str(Path(sys.executable).parent / "graphviz-pure")
DOT = "graph { a -- b; }\n"


@pytest.fixture
def only_pure(monkeypatch):
    """A machine without a system Graphviz, and with an empty PATH: the program beside the interpreter serves."""
    monkeypatch.setenv("PATH", "")


def view(name):
    """A drawing of each kind of layout: tiers by dot, straight rows, no tiers."""
    if name == "ring":
        return tier_view_dot(routed(ring(6)), title="ring")
    draw = {"tier": tier_view_dot, "links": link_view_dot}[name]
    return draw(routed(built("fat-tree", radix=4, speed="100G")), title="t")


@pytest.mark.parametrize("name", ["tier", "links", "ring"])
def test_pure_renders_svg_and_png(only_pure, tmp_path, capfd, name):
    """Every box is in the SVG, the PNG is one, and nothing is printed."""
    render_dot(view(name), tmp_path / "x.svg", "svg")
    render_dot(view(name), tmp_path / "x.png", "png")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    groups = [group.get("class") for group in root.iter("{http://www.w3.org/2000/svg}g")]
    assert groups.count("node") >= {"tier": 13, "links": 28, "ring": 6}[name]
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert capfd.readouterr() == ("", "")


def test_a_system_dot_is_preferred(tmp_path, monkeypatch, capfd):
    """With a program called dot on PATH, that one draws; its chatter is not passed on."""
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho chatter >&2\necho from-the-system\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    render_dot(DOT, tmp_path / "x.svg", "svg")
    assert (tmp_path / "x.svg").read_text() == "from-the-system\n"
    assert capfd.readouterr() == ("", "")


def test_no_program_is_an_error_with_a_way_out(monkeypatch, tmp_path):
    """FP7001; DOT itself needs none."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(MissingProgramError, match="pip install graphviz-pure") as caught:
        render_dot(DOT, tmp_path / "x.svg", "svg")
    assert caught.value.problems[0].code == "FP7001"
    assert not (tmp_path / "x.svg").exists()
    render_dot(DOT, tmp_path / "x.dot", "dot")
    assert (tmp_path / "x.dot").read_text() == DOT


def test_refused_text_leaves_the_old_picture(only_pure, tmp_path):
    """FP7002, and nothing but the old file in the folder."""
    old = tmp_path / "x.svg"
    old.write_text("old")
    with pytest.raises(MissingProgramError, match="Graphviz refused the drawing") as caught:
        render_dot("graph { a [label=<<b>]; ", old, "svg")
    assert caught.value.problems[0].code == "FP7002"
    assert [path.name for path in tmp_path.iterdir()] == ["x.svg"]
    assert old.read_text() == "old"


def test_a_failed_write_leaves_the_old_picture(monkeypatch, tmp_path):
    """The rename fails: the old file stays and nothing lies beside it."""
    old = tmp_path / "x.dot"
    old.write_text("old")

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(FormatError, match="No space left on device"):
        render_dot(DOT, old, "dot")
    assert [path.name for path in tmp_path.iterdir()] == ["x.dot"]
    assert old.read_text() == "old"


def test_missing_folders_are_made_and_files_have_usual_permissions(tmp_path):
    """``make route`` writes into out/ of a fresh clone."""
    plain = tmp_path / "plain"
    plain.write_text("")
    render_dot(DOT, tmp_path / "new" / "deep" / "x.dot", "dot")
    assert (tmp_path / "new" / "deep" / "x.dot").stat().st_mode == plain.stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A file where a folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match=r"cannot write .*file/x\.dot"):
        render_dot(DOT, tmp_path / "file" / "x.dot", "dot")


def test_unknown_formats_are_refused(tmp_path):
    """Graphviz knows more formats than both programs share."""
    with pytest.raises(FormatError, match=r"'pdf'.*svg, png, dot"):
        render_dot(DOT, tmp_path / "x.pdf", "pdf")


def test_a_png_that_was_cut_off_is_not_handed_out(monkeypatch, tmp_path):
    """A side of 32,767 pixels is Cairo's limit, and a picture of that size has lost its right end."""
    header = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (32767).to_bytes(4, "big") + (500).to_bytes(4, "big")
    monkeypatch.setattr(graphviz_program, "_by_system", lambda *_: header)
    monkeypatch.setattr(graphviz_program, "_by_pure", lambda *_: header)
    with pytest.raises(MissingProgramError, match="32,767 pixels"):
        render_dot(DOT, tmp_path / "x.png", "png")
