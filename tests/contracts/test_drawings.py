"""What every view of ``fabric draw`` promises: the quickstart example as a well-formed picture, and what is refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.faces.drawing.pictures import draw, picture_phase
from fabric.faces.drawing.view import VIEWS, Drawn, Picture
from fabric.pipeline.run import route
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError, FormatError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quickstart.fabric.yaml"
PODS = """\
version: 1
name: pods
site: {rows: 2, racks_per_row: 2}
nodes: [{group: hosts, count: 16, per_rack: 4, nics: {main: {speed: 100G}}}]
fabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}
workloads: [{id: shuffle, kind: all-to-all, members: hosts, size: 1 GiB}]
"""
OF_PLAN = [name for name in VIEWS.names() if VIEWS[name].of_observed is None]  # others need what was observed
EVERY = pytest.mark.parametrize("name", OF_PLAN)
OF_TRAFFIC = pytest.mark.parametrize("name", [name for name in OF_PLAN if VIEWS[name].of_scenario is None])
OF_OBSERVED = pytest.mark.parametrize("name", [name for name in VIEWS.names() if name not in OF_PLAN])


def routed(path: Path) -> Drawn:
    """The worst phase of a scenario."""
    loaded = load_scenario(str(path))
    result = route(loaded)
    return Drawn(loaded, result, picture_phase(result.routes, "worst"))


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario that has what any view asks for: tiers, pods, racks, a job with a step."""
    path = tmp_path_factory.mktemp("pods") / "pods.fabric.yaml"
    path.write_text(PODS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def drawn(pods: Path) -> Drawn:
    """That scenario, routed once."""
    return routed(pods)


@pytest.fixture(scope="module")
def quickstart() -> Drawn:
    """The example, routed once."""
    return routed(EXAMPLE)


@EVERY
def test_it_is_drawn_in_the_language_of_the_view(name, drawn):
    """A graph in DOT, or a whole SVG document; with the name of the scenario on it, and no number missing."""
    view = VIEWS[name]
    text = view.text(drawn, Picture(name))
    assert drawn.title in text
    assert "nan" not in text.lower().split()
    if view.language == "dot":
        assert text.lstrip().startswith(("graph", "digraph"))
        assert text.rstrip().endswith("}")
    else:
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


@EVERY
def test_the_quickstart_is_drawn_or_refused_with_a_way_out(name, quickstart, tmp_path):
    """It has neither pods nor racks: the views of those say so."""
    path, reasons = tmp_path / "picture.svg", []
    try:
        draw(Picture(name), quickstart, path, "svg")
    except FabricError as refusal:
        reasons = [(problem.code[:3], bool(problem.hint)) for problem in refusal.problems]
    assert path.exists() is not bool(reasons)
    assert reasons in ([], [("FP6", True)])
    assert not reasons or name in ("unit", "rack", "floor", "elevation")


@EVERY
def test_it_is_written_as_svg(name, drawn, tmp_path):
    """As a file that browsers take, whole or not at all."""
    path = tmp_path / "picture.svg"
    draw(Picture(name), drawn, path, "svg")
    assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert list(tmp_path.iterdir()) == [path]


@EVERY
def test_one_state_gives_the_same_bytes(name, drawn):
    """Pictures can be compared."""
    view = VIEWS[name]
    assert view.text(drawn, Picture(name)) == view.text(drawn, Picture(name))


@OF_TRAFFIC
def test_load_is_shown(name, drawn):
    """The drawing of the same network without load is another one."""
    tiers = tuple(replace(tier, p50=0.0, p99=0.0, max=0.0, over_capacity=0) for tier in drawn.route.tiers)
    idle = replace(drawn.route, utilisation=drawn.route.utilisation * 0.0, tiers=tiers)
    result = replace(drawn.result, routes=(idle,), jobs=())
    view = VIEWS[name]
    assert view.text(drawn, Picture(name)) != view.text(replace(drawn, route=idle, result=result), Picture(name))


@EVERY
def test_a_view_that_is_no_graph_is_svg_alone(name, drawn, tmp_path):
    """Graphviz takes DOT; the others say so."""
    path = tmp_path / "picture.dot"
    if VIEWS[name].language == "dot":
        draw(Picture(name), drawn, path, "dot")
        assert path.read_text(encoding="utf-8") == VIEWS[name].text(drawn, Picture(name))
        return
    with pytest.raises(FormatError, match=f"{name} is drawn as SVG, not as dot") as caught:
        draw(Picture(name), drawn, path, "dot")
    assert caught.value.problems[0].code == "FP6243"
    assert not path.exists()


@OF_TRAFFIC
def test_an_unknown_fabric_is_refused(name, tmp_path, capsys):
    """By the command, with the nearest, and nothing is written."""
    path = tmp_path / "picture.svg"
    assert run(["draw", name, str(EXAMPLE), "--fabric", "mian", "-o", str(path), "-q"]) == 3
    assert "did you mean 'main'" in capsys.readouterr().err
    assert not path.exists()


@EVERY
def test_the_command_draws_and_lists_it(name, pods, tmp_path, capsys):
    """By its name, with its summary in the help."""
    path = tmp_path / "picture.svg"
    assert run(["draw", name, str(pods), "-o", str(path), "-q"]) == 0
    assert path.stat().st_size > 500
    capsys.readouterr()
    assert run(["draw", "--help"]) == 0
    assert f"  {name} " in capsys.readouterr().out


@OF_OBSERVED
def test_a_view_of_what_is_plugged_needs_it_and_is_listed(name, tmp_path, capsys, monkeypatch):
    """Drawn of the example room; the command without it says what to write, and other views refuse it."""
    monkeypatch.chdir(tmp_path)
    room = EXAMPLE.parent / "cabling"
    words = ["draw", name, str(room / "room.fabric.yaml"), "-q"]
    assert run(words) == 2
    assert "needs --observed" in capsys.readouterr().err
    for kind in ("svg", "dot", "png"):
        path = tmp_path / f"picture.{kind}"
        assert run([*words, "--observed", f"lldp:{room / 'lldp'}", "-o", str(path)]) == 0
        assert path.stat().st_size > 500
    assert ET.parse(tmp_path / "picture.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert run(["draw", "tier", str(EXAMPLE), "--observed", "lldp:x", "-q"]) == 2
    capsys.readouterr()
    assert run(["draw", "--help"]) == 0
    assert f"  {name} " in capsys.readouterr().out
