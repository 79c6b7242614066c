"""The floor plan and the racks as pictures, and ``fabric show racks``."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rooms import room, written

from fabric.cli.main import run

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A room without any traffic, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return str(written(tmp_path, room(no_rack=["r01c03"], network_racks=["r01c02"], hosts=10, leaves=5)).name)


def texts(name: str) -> list[str]:
    """Words and tooltips of a picture."""
    return ["".join(element.itertext()) for element in ET.parse(name).getroot().iter() if element.tag != f"{SVG}style"]


def test_the_floor_shows_every_rack_and_the_cables_in_the_trays(path: str) -> None:
    """Nothing is routed: the scenario has no workload."""
    assert run(["draw", "floor", path, "-o", "floor.svg", "-q"]) == 0
    words = texts("floor.svg")
    assert {"r00c00", "r00c03", "r01c02"} <= set(words)
    assert "r01c03" not in words  # a place without a rack has a tooltip alone
    assert any(word.startswith("row0/0-1: ") and word.endswith(" cables") for word in words)


def test_the_elevation_shows_every_device_of_a_rack(path: str) -> None:
    """By its name, with its units in the tooltip."""
    assert run(["draw", "elevation", path, "--rack", "r00c00", "-o", "rack.svg", "-q"]) == 0
    words = texts("rack.svg")
    assert {"h0  box-4u", "h1  box-4u"} <= {word.split(":")[0][:10] for word in words} | set(words) or any(
        word.startswith("h0: box-4u, units 1 to 4") for word in words
    )
    assert any("leaf0: leaf-1u, units 16 to 16" in word for word in words)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["elevation", "--rack", "r00c9"], 3, "no rack is called 'r00c9'"),
        (["floor", "--rack", "r00c00"], 2, "it is not of view floor"),
        (["floor", "--phase", "all"], 2, "view floor shows no traffic"),
        (["elevation", "--down", "spine0"], 2, "view elevation shows no traffic"),
        (["floor", "--set", "site=null"], 3, "does not say where racks stand"),
    ],
)
def test_what_a_picture_cannot_show_is_refused(
    path: str, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad flags and missing keys have a way out."""
    assert run(["draw", words[0], path, *words[1:], "-o", "x.svg"]) == code
    assert message in capsys.readouterr().err
    assert not Path("x.svg").exists()


def test_show_racks_lists_what_stands_where(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are racks; JSON has every device, and how long the cables are."""
    assert run(["show", "racks", path, "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "RacksResult"
    assert answer["bound_m"] <= answer["total_m"] <= answer["in_rows_m"]
    assert answer["cables"] == 10 + 5 * 2
    devices = {one["key"]: one for one in answer["devices"]}
    assert len(devices) == 10 + 5 + 2
    assert (devices["h3"]["rack"], devices["h3"]["unit"]) == ("r00c01", 5)
    first = answer["racks"][0]
    assert (first["rack"], first["hosts"], first["units_used"] + first["units_left"]) == ("r00c00", 2, 16)
    assert first["power_left_w"] is None
    assert (
        run(["show", "racks", path, "-q", "--set", "site.rack_power=5 kW", "--columns", "rack,power_w,power_left_w"])
        == 0
    )
    rows = capsys.readouterr().out.splitlines()
    assert "r00c00\t2,500\t2,500" in rows


def test_latency_follows_the_floor(path: str) -> None:
    """Rows a hundred metres apart: a short message takes longer."""
    from fabric.evaluation.latency import pair_ways_s
    from fabric.pipeline.network import build_network
    from fabric.scenario.load import load_scenario
    from topologies.columns import column

    ways = []
    for pitch in ("2.4 m", "100 m"):
        topology = build_network(load_scenario(path, overrides=[f"site.row_pitch={pitch}"])).topologies["main"]
        ends = [column([topology.node(name)], "int32") for name in ("h0", "h9")]
        from fabric.scenario.latency_schema import FabricLatency

        ways.append(float(pair_ways_s(topology, ends[0], ends[1], FabricLatency())[0]))
    assert ways[1] - ways[0] == pytest.approx(97.6 * 1.05 * 5e-9, rel=0.2)
