"""Real ``lldpd`` in namespaces: cables as planned, then two of them swapped by hand, and found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lldp_lab import LldpLab
from plugged_rooms import as_planned, plan_of, swap
from real_programs import require

from fabric.cli.main import run

require("lldpd", "lldpcli", "ip")
pytestmark = [pytest.mark.real_lldp, pytest.mark.slow]

SCENARIO = """\
version: 1
name: hands
fabrics:
  main: {topology: {kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 1, uplink_speed: 10G, host_speed: 10G}}
"""


@pytest.mark.parametrize("form", ["json", "json0"])
@pytest.mark.parametrize("swapped", [False, True])
def test_two_swapped_cables_are_found(
    form: str, swapped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two hosts, two leaves and a spine; the hosts' ends at the leaves change places."""
    scenario = tmp_path / "hands.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    _, ends = plan_of(scenario)
    room = as_planned(ends)
    if swapped:
        one, other = (end for end in range(len(ends)) if ends.at(end).port == "port1" and "leaf" in ends.at(end).device)
        swap(room, one, other)
    cables = [(ends.at(end), ends.at(room[end])) for end in sorted(room) if end < room[end]]
    pairs = [tuple((port.device.replace("/", "-"), port.port) for port in cable) for cable in cables]
    with LldpLab(pairs) as lab:  # type: ignore[arg-type]
        heard = lab.heard(form, tmp_path / "heard")
    capsys.readouterr()
    assert run(["verify", "cabling", str(scenario), "--observed", f"lldp:{heard}", "--json"]) == int(swapped)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["seen"], answer["both_sides"]) == (8, 4)
    assert answer["right"] == (4 if swapped else 8)
    assert [move["kind"] for move in answer["moves"]] == (["swap"] if swapped else [])
