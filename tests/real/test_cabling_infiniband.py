"""The InfiniBand simulator with lines of its net file swapped, discovered by the real program, and found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ib_lab import IbLab
from plugged_rooms import plan_of
from real_programs import require

from fabric.cli.main import run
from topologies.format_registry import write_topology

require("ibsim", "ibnetdiscover", "ip")
pytestmark = [pytest.mark.real_ib, pytest.mark.slow]

SCENARIO = """\
version: 1
name: ib
fabrics:
  main: {topology: {kind: fat-tree, radix: 4, speed: 10G}}
"""
_CABLE = re.compile(r'^(\[\d+\]\s*)("[^"]+"\[\d+\])', re.MULTILINE)


def exchanged(text: str, peers: tuple[str, str]) -> str:
    """A net file in which two lines lead to each other's far ports, and these back."""
    lines: list[str] = []
    node = ""
    places: dict[str, str] = {}
    for line in text.splitlines():
        if found := re.match(r'^(?:Switch|Hca)\s+\d+\s+"([^"]+)"', line):
            node = found[1]
        if found := _CABLE.match(line):
            places[f'"{node}"{found[1].strip()}'] = found[2]
    one, other = peers
    far, away = places[one], places[other]
    new = {**places, one: away, other: far, far: other, away: one}
    for line in text.splitlines():
        if found := re.match(r'^(?:Switch|Hca)\s+\d+\s+"([^"]+)"', line):
            node = found[1]
        if found := _CABLE.match(line):
            line = f"{found[1]}{new[f'{chr(34)}{node}{chr(34)}{found[1].strip()}']}{line[found.end() :]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("swapped", [False, True])
def test_swapped_lines_are_one_swap(swapped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fat tree of 16 hosts; two hosts of different pods sit in each other's ports."""
    scenario = tmp_path / "ib.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    _, ends = plan_of(scenario)
    net = tmp_path / "net.txt"
    write_topology(ends.topologies["main"], net, "ibsim")
    if swapped:
        text = exchanged(net.read_text(encoding="utf-8"), ('"pod0/edge0"[1]', '"pod1/edge1"[2]'))
        net.write_text(text, encoding="utf-8")
    with IbLab(net, "pod2/edge0/h0") as lab:
        found = lab.run("ibnetdiscover")
    file = tmp_path / "found.ibnet"
    file.write_text(found, encoding="utf-8")
    assert run(["verify", "cabling", str(scenario), "--observed", f"ibnetdiscover:{file}", "--json"]) == int(swapped)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ends"], answer["seen"], answer["both_sides"]) == (96, 96, 48)
    assert answer["right"] == (92 if swapped else 96)
    moved = [(move["kind"], {end["from"]["device"] for end in move["ends"]}) for move in answer["moves"]]
    assert moved in ([], [("swap", {"pod0/edge0", "pod1/edge1"})], [("swap", {"pod0/edge0/h0", "pod1/edge1/h1"})])
    assert bool(moved) == swapped
