"""Escaping by a round trip through Graphviz, the colour scale, and the words of labels."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from drawn_routes import routed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabric.faces.drawing.bundles import Bundle
from fabric.faces.drawing.dot import bundle_lines, html, percent_text, printable, quoted
from fabric.faces.drawing.views.links import link_view_dot
from fabric.faces.drawing.views.tier import tier_view_dot
from fabric.faces.views.bands import BANDS, band
from topologies.assemble import assemble

PURE = Path(sys.executable).parent / "graphviz-pure"
AWKWARD = st.text(st.sampled_from("\"\\<>&;{}[]|NGElrn/#-=,'\n\r\t\x00\x07 aé中🌶amplt") | st.characters(), max_size=24)


def drawn_texts(dot: str) -> list[str]:
    """All text of the picture, line by line."""
    svg = subprocess.run([PURE, "-Tsvg"], input=dot.encode(), capture_output=True, check=True).stdout
    root = ElementTree.fromstring(svg)
    return [squeezed("".join(text.itertext())) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def squeezed(text: str) -> str:
    """Text with its spaces as a picture shows them."""
    return " ".join(text.split())


@settings(max_examples=150, deadline=None)
@given(name=AWKWARD)
@example(name='say "hi"\\')
@example(name="a &amp; b &#38; <b>bold</b> \\N \\G")
@example(name="\\\nx\\")
def test_any_name_reads_as_itself_in_a_label(name):
    """What Graphviz draws is the name, line by line, in a quoted and in an HTML-like label."""
    wanted = [squeezed(line) for line in printable(name).split("\n")]
    wanted = [line for line in wanted if line]
    assert [text for text in drawn_texts(f"graph {{ a [label={quoted(name)}]; }}") if text] == wanted
    cell = f"<table><tr><td>x{html(name)}</td></tr></table>"
    shown = drawn_texts(f"graph {{ a [label=<{cell}>]; }}")
    assert "".join(shown).replace(" ", "") == "x" + "".join("".join(wanted).split())


@settings(max_examples=60, deadline=None)
@given(names=st.lists(AWKWARD, min_size=4, max_size=4, unique=True), title=AWKWARD)
@example(names=['"', "\\", "<b>", "&lt;"], title="</table>\n\\")
def test_whole_drawings_survive_any_name(names, title):
    """Both views of a network of awkward names are accepted, with as many boxes as without."""
    net = assemble(names[0], "test")
    leaf = net.switches(names[1] or "leaf", [f"{names[0]}0", f"{names[1]}1"], level=1)
    spine = net.switches(names[2] + "s", [f"{names[2]}2"], level=2)
    net.full_mesh(leaf, spine, 100.0)
    net.cables(net.hosts([f"{names[3]}3"]), leaf[0], 100.0)
    route = routed(net.freeze(), 0.5, fabric=names[0], phase=names[1])
    for view, boxes in ((tier_view_dot, 4), (link_view_dot, 4 + 3)):
        svg = subprocess.run(
            [PURE, "-Tsvg"], input=view(route, title=title).encode(), capture_output=True, check=True
        ).stdout
        root = ElementTree.fromstring(svg)
        nodes = [group for group in root.iter("{http://www.w3.org/2000/svg}g") if group.get("class") == "node"]
        assert len(nodes) == boxes


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_band_is_darker_than_the_one_before():
    """So that a monochrome print keeps the order."""
    steps = [luminance(entry.colour) for entry in BANDS]
    assert steps == sorted(steps, reverse=True)
    assert all(before / after > 1.15 for before, after in pairwise(steps))


@pytest.mark.parametrize(
    ("utilisation", "text"),
    [
        (0.0, "idle"),
        (1e-9, "<10 %"),
        (0.1, "<50 %"),
        (0.5, "<90 %"),
        (0.9, "≤100 %"),
        (1.0, "≤100 %"),
        (1 + 1e-12, "≤100 %"),
        (1.001, ">100 %"),
        (1.999, ">100 %"),
        (2.0, "≥200 %"),
        (float("inf"), "≥200 %"),
    ],
)
def test_bands_begin_where_the_legend_says(utilisation, text):
    """A full link is not over capacity."""
    assert band(utilisation).text == text


@pytest.mark.parametrize(
    ("utilisation", "text"),
    [(0.00001, "<0.1 %"), (0.004, "0.4 %"), (0.0996, "<10 %"), (0.1, "10 %"), (0.996, "99.6 %"),
     (1.0, "100 %"), (1.0001, ">100 %"), (1.004, "100.4 %"), (1.996, "199.6 %"), (2.0, "200 %"), (12.5, "1,250 %")],
)  # fmt: skip
def test_rounding_never_moves_a_link_into_another_band(utilisation, text):
    """100.4 % is not 100 %, 199.6 % is not 200 %, and a little load is not none."""
    assert percent_text(utilisation) == text


def test_many_speeds_are_summarised():
    """Three speeds: the most frequent, and how many others."""
    speeds = ((400.0, 400.0, 10), (100.0, 100.0, 2), (25.0, 0.0, 1))
    assert bundle_lines(Bundle(0, 1, 13, 1, speeds, 4225.0, 0.0)) == ["10 x 400G + 3 of other speeds", "idle", "1 down"]
    one_way = Bundle(0, 1, 1, 0, ((0.0, 25.0, 1),), 25.0, 0.0)
    assert bundle_lines(one_way) == ["1 x 25G one way", "idle"]
