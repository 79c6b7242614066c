"""The wrong part of a room as a graph: lines say what is plugged and what should be, racks are clusters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fabric.cli.main import run as fabric

ROOM = "examples/cabling/room.fabric.yaml"
LLDP = "lldp:examples/cabling/lldp"
_EDGE = re.compile(
    r'"(\S+)":"p(\S+)" -- "(\S+)":"p(\S+)" \[color="(#\w+)", fontcolor="#\w+", style=(\w+), label="(\d+)"'
)


@pytest.fixture(scope="module")
def dot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The picture of the example room, as DOT."""
    path = tmp_path_factory.mktemp("picture") / "wrong.dot"
    assert fabric(["draw", "cabling", ROOM, "--observed", LLDP, "-o", str(path), "-q"]) == 0
    return path.read_text(encoding="utf-8")


def cables(dot: str) -> set[tuple[frozenset[str], str, str, str]]:
    """Both ends of every line, its colour, style and finding."""
    return {
        (frozenset({f"{a}:{port}", f"{b}:{other}"}), ink, style, number)
        for a, port, b, other, ink, style, number in _EDGE.findall(dot)
    }


def test_wrong_cables_are_red_and_dashed_where_they_belong_is_green_and_harmless_is_grey(dot: str) -> None:
    """Hosts in each other's ports, a cable that lacks, two uplinks exchanged: as the comment of the example says."""
    red, green, grey = "#c1272d", "#1a7f37", "#8a8f98"

    def line(one: str, other: str, ink: str, style: str, number: str) -> tuple[frozenset[str], str, str, str]:
        return frozenset({one, other}), ink, style, number

    assert cables(dot) == {
        line("leaf3:swp7", "spine2:swp4", green, "solid", "1"),
        line("gpu1:nic0", "leaf1:swp3", red, "dashed", "2"),
        line("gpu6:nic0", "leaf0:swp2", red, "dashed", "2"),
        line("gpu1:nic0", "leaf0:swp2", green, "solid", "2"),
        line("gpu6:nic0", "leaf1:swp3", green, "solid", "2"),
        line("spine1:swp1", "leaf0:swp7", grey, "dashed", "3"),
        line("spine2:swp1", "leaf0:swp6", grey, "dashed", "3"),
        line("spine1:swp1", "leaf0:swp6", grey, "solid", "3"),
        line("spine2:swp1", "leaf0:swp7", grey, "solid", "3"),
    }


def test_devices_stand_in_the_clusters_of_their_racks(dot: str) -> None:
    """As the answer of verify cabling places them."""
    inside = {}
    for rack, body in re.findall(r'label="rack (\w+)"[^\n]*\n(.*?)\n  }', dot, re.DOTALL):
        inside[rack] = set(re.findall(r'^    "(\S+)" \[', body, re.MULTILINE))
    assert inside == {
        "r00c00": {"gpu1", "leaf0"}, "r00c01": {"gpu6", "leaf1", "spine1"}, "r00c02": {"spine2"}, "r00c03": {"leaf3"},
    }  # fmt: skip


def test_verify_cabling_writes_the_same_picture(tmp_path: Path) -> None:
    """-o FILE.svg of the one, and the view of the other."""
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    assert fabric(["verify", "cabling", ROOM, "--observed", LLDP, "-o", str(one), "-q"]) == 1
    assert fabric(["draw", "cabling", ROOM, "--observed", LLDP, "-o", str(other), "-q"]) == 0
    assert one.read_bytes() == other.read_bytes()
