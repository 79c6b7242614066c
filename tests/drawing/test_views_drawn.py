"""Pictures of parts, matrices, racks and timelines: what is drawn is what was routed, and states line up."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.faces.drawing.svg.canvas import png_bytes
from fabric.faces.drawing.views.matrix import matrix_svg
from fabric.faces.drawing.views.neighbourhood import neighbourhood_dot
from fabric.faces.drawing.views.phases import timeline_svg
from fabric.faces.drawing.views.rack import rack_svg
from fabric.faces.drawing.views.unit import unit_view_dot
from fabric.faces.views.bands import DOWN, band
from fabric.faces.views.heat import heat_map
from fabric.faces.views.timeline import timelines
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import PhaseRoute, RouteResult
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.errors import FabricError

TRAIN = "examples/train-2k.fabric.yaml"
QUICKSTART = "examples/quickstart.fabric.yaml"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def train() -> tuple[LoadedScenario, RouteResult]:
    """The 2,048-GPU example."""
    loaded = load_scenario(TRAIN)
    return loaded, route(loaded)


def phase(result: RouteResult, name: str) -> PhaseRoute:
    """A phase by name."""
    return next(entry for entry in result.routes if entry.phase == name)


def test_every_cell_of_the_matrix_has_the_colour_and_the_words_of_its_worst_link(
    train: tuple[LoadedScenario, RouteResult],
) -> None:
    """2,048 cells against a loop over the links."""
    entry = phase(train[1], "dp.reduce_scatter")
    topology = entry.topology
    root = ET.fromstring(matrix_svg(heat_map(entry.topology, entry.utilisation, "leaf-spine", "up"), ("x",)))
    told = {}
    for shape in root.iter(f"{SVG}rect"):
        title = shape.find(f"{SVG}title")
        if title is not None and title.text and " - " in title.text:
            told[title.text.partition(":")[0]] = (title.text, shape.get("fill"))
    names = topology.nodes.name
    seen = 0
    for link in np.flatnonzero(topology.links.tier == topology.tiers.index("leaf-spine")).tolist():
        src, dst = int(topology.links.src[link]), int(topology.links.dst[link])
        if topology.nodes.level[src] > topology.nodes.level[dst]:
            continue
        text, fill = told[f"{names[src]} - {names[dst]}"]
        value = float(entry.utilisation[link])
        assert f" {value * 100:,.1f} %," in text
        assert fill == band(value).colour
        seen += 1
    assert seen == 2048 == len(told)


def test_a_matrix_of_many_cells_is_one_image_of_their_colours() -> None:
    """128 edges by 8 aggregations a pod, radix 16: 16,384 cells; the image decodes to the bands' colours."""
    loaded = load_scenario("examples/fat-tree-k48.fabric.yaml", overrides=["fabrics.main.topology.radix=16"])
    entry = route(loaded, RouteRequest(down=("core0",))).routes[0]
    heat = heat_map(entry.topology, entry.utilisation, "edge-aggregation")
    root = ET.fromstring(matrix_svg(heat, ("x",)))
    assert len(list(root.iter(f"{SVG}image"))) == 1
    assert len(list(root.iter(f"{SVG}rect"))) < 1000


def test_the_image_writer_is_read_back_by_another_program(tmp_path: Path) -> None:
    """Pixels as Graphviz's own reader of PNG sizes sees them, and by zlib by hand."""
    import struct
    import zlib

    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    data = png_bytes(pixels)
    assert struct.unpack(">II", data[16:24]) == (3, 2)
    body = data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8]
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(2, 10)
    assert (raw[:, 0] == 0).all()
    assert np.array_equal(raw[:, 1:].reshape(2, 3, 3), pixels)


def positions(dot: str) -> dict[str, str]:
    """Centre of every box, by its label."""
    return {match[0]: match[1] for match in re.findall(r'n\d+ \[label="([^"]*?)(?:\\ndown)?",.*?pos="([^"]*)!"', dot)}


@pytest.mark.parametrize("view", ["unit", "neighbourhood"])
def test_two_states_of_a_part_line_up(view: str) -> None:
    """The same boxes at the same places with a spine down, on the unit and round the leaf."""
    loaded = load_scenario(TRAIN)
    drawn = []
    for request in (RouteRequest(fabric="backend"), RouteRequest(fabric="backend", down=("spine07",))):
        entry = phase(route(loaded, request), "dp.reduce_scatter")
        if view == "unit":
            drawn.append(unit_view_dot(entry, title="x", at="3"))
        else:
            drawn.append(neighbourhood_dot(entry, title="x", at="su3-r0-leaf", hops=1))
    assert positions(drawn[0])
    assert positions(drawn[0]) == positions(drawn[1])


def test_the_unit_view_shows_its_leaves_and_folds_the_rest(train: tuple[LoadedScenario, RouteResult]) -> None:
    """Unit 6: 8 leaves, their hosts, 32 spines in one box; the label of a bundle is the worst of its 32 links."""
    entry = phase(train[1], "dp.reduce_scatter")
    dot = unit_view_dot(entry, title="x", at="6")
    assert dot.count('label="su6-r') == 8
    assert "32 x spine" in dot
    names = entry.topology.nodes.name
    links = entry.topology.links
    mine = [
        float(entry.utilisation[link])
        for link in range(len(links))
        if "su6-r1-leaf" in (names[links.src[link]], names[links.dst[link]])
        and entry.topology.tiers[links.tier[link]] == "leaf-spine"
    ]
    assert f"max {max(mine) * 100:.0f} %" in dot


def test_without_a_name_the_hottest_part_is_drawn(train: tuple[LoadedScenario, RouteResult]) -> None:
    """The fullest link is a down-link of a leaf."""
    entry = phase(train[1], "dp.reduce_scatter")
    assert entry.hottest_link.split(" -> ")[1] in unit_view_dot(entry, title="x")
    assert f"max {entry.max_utilisation * 100:.0f} %" in neighbourhood_dot(entry, title="x")


def test_racks_are_coloured_by_the_worst_link_of_their_hosts(train: tuple[LoadedScenario, RouteResult]) -> None:
    """64 racks of 4 nodes and 3 of storage; storage's racks in the checkpoint phase have the worst NIC link inside."""
    loaded, result = train
    entry = phase(result, "checkpoint")
    root = ET.fromstring(rack_svg(loaded, entry, ("x",)))
    tips = [title.text or "" for title in root.iter(f"{SVG}title") if "worst" in (title.text or "")]
    assert len(tips) == 67
    names, links = entry.topology.nodes.name, entry.topology.links
    inside = {f"osd{at:02d}" for at in range(16)}
    worst = max(
        float(entry.utilisation[link])
        for link in range(len(links))
        if {names[links.src[link]], names[links.dst[link]]} & inside
    )
    assert f"worst {worst * 100:,.1f} %" in next(tip for tip in tips if "osd00" in tip)


def test_a_scenario_without_racks_says_what_is_missing() -> None:
    """The quickstart has no site."""
    loaded = load_scenario(QUICKSTART)
    with pytest.raises(FabricError, match="does not say how racks stand"):
        rack_svg(loaded, route(loaded).routes[0], ())


def test_the_timeline_ends_at_the_step_time(train: tuple[LoadedScenario, RouteResult]) -> None:
    """The last bar of the step ends where the step does, and every phase is named with its length."""
    _, result = train
    job = timelines(result)[0]
    in_step = [bar.end_s for bar in job.bars if bar.kind != "apart" and bar.end_s is not None]
    assert max(in_step) == pytest.approx(result.jobs[0].step_time_s, rel=1e-3)  # phases by medians of their own
    root = ET.fromstring(timeline_svg(timelines(result), ("x",)))
    words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    for one in result.jobs[0].phases:
        if one.fabric is not None and one.ideal_s > 0:
            assert one.name in words


def test_hostile_names_are_text_in_every_svg(tmp_path: Path) -> None:
    """Markup in a scenario's name stays words."""
    path = tmp_path / "x.fabric.yaml"
    text = Path(QUICKSTART).read_text(encoding="utf-8")
    path.write_text(text.replace("name: quickstart", """name: '<script>alert("1")</script>&'"""), encoding="utf-8")
    for view in ("matrix", "phases"):
        out = tmp_path / f"{view}.svg"
        assert run(["draw", view, str(path), "-o", str(out), "-q"]) == 0
        drawn = out.read_text(encoding="utf-8")
        assert "<script>" not in drawn
        ET.fromstring(drawn)


@pytest.mark.parametrize("view", ["tier", "unit", "neighbourhood", "matrix", "links", "rack", "phases"])
def test_every_view_is_drawn_twice_the_same(view: str, tmp_path: Path) -> None:
    """Same bytes, and an existing file is kept unless forced."""
    scenario = QUICKSTART if view in ("links", "neighbourhood", "matrix") else TRAIN
    one, other = tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (one, other):
        assert run(["draw", view, scenario, "-o", str(path), "-q"]) == 0
    assert one.read_bytes() == other.read_bytes()
    assert run(["draw", view, scenario, "-o", str(one), "-q"]) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["unit", QUICKSTART, "-o", "x.svg"], 3),
        (["unit", TRAIN, "--at", "99", "-o", "x.svg"], 3),
        (["neighbourhood", TRAIN, "--at", "nosuch", "-o", "x.svg"], 3),
        (["matrix", TRAIN, "--tier", "nosuch", "-o", "x.svg"], 3),
        (["matrix", TRAIN, "-o", "x.png"], 3),
        (["rack", QUICKSTART, "-o", "x.svg"], 3),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(
    words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a way out, and without a file."""
    place = tmp_path / words[-1]
    assert run(["draw", *words[:-1], str(place)]) == code
    assert "help:" in capsys.readouterr().err
    assert not place.exists()


def test_a_cell_whose_links_are_down_is_grey() -> None:
    """Leaf0 lost all cables to spine1."""
    entry = route(load_scenario(QUICKSTART), RouteRequest(down=("link=leaf0:spine1",))).routes[0]
    drawn = matrix_svg(heat_map(entry.topology, entry.utilisation, "leaf-spine"), ())
    assert re.search(rf'fill="{DOWN.colour}"><title>leaf0 - spine1: down', drawn)
