"""Profiles of the cable schedule: what NetBox, containerlab, printers and NVIDIA's tools read."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fabric.cables.colours import HEX
from fabric.cables.profile import PROFILES, CableExport
from fabric.cables.schedule import cable_schedule
from fabric.pipeline.network import Network, build_network
from fabric.scenario.load import load_scenario
from topologies.errors import FormatError
from topologies.format_registry import import_topology

# NetBox 4 at 43fe81f (August 2026): fields of CableImportForm in dcim/forms/bulk_import.py; values of CableTypeChoices,
# LinkStatusChoices and CableLengthUnitChoices in dcim/choices.py, of ColorChoices in netbox/choices.py.
NETBOX_FIELDS = {
    "side_a_site", "side_a_device", "side_a_power_panel", "side_a_type", "side_a_name", "side_b_site", "side_b_device",
    "side_b_power_panel", "side_b_type", "side_b_name", "type", "status", "profile", "tenant", "bundle", "label",
    "color", "length", "length_unit", "description", "owner", "comments", "tags",
}  # fmt: skip
NETBOX_REQUIRED = {"side_a_type", "side_a_name", "side_b_type", "side_b_name"}
NETBOX_TYPES = {
    "cat3", "cat5", "cat5e", "cat6", "cat6a", "cat7", "cat7a", "cat8", "mrj21-trunk", "dac-active", "dac-passive",
    "coaxial", "rg-6", "rg-8", "rg-11", "rg-59", "rg-62", "rg-213", "lmr-100", "lmr-200", "lmr-400", "mmf", "mmf-om1",
    "mmf-om2", "mmf-om3", "mmf-om4", "mmf-om5", "smf", "smf-os1", "smf-os2", "aoc", "power", "usb",
}  # fmt: skip
NETBOX_COLORS = {
    "aa1409", "f44336", "e91e63", "ffe4e1", "ff66ff", "9c27b0", "673ab7", "3f51b5", "2196f3", "03a9f4", "00bcd4",
    "009688", "00ffff", "2f6a31", "4caf50", "8bc34a", "cddc39", "ffeb3b", "ffc107", "ff9800", "ff5722", "795548",
    "c0c0c0", "9e9e9e", "607d8b", "111111", "ffffff",
}  # fmt: skip

SCENARIO = """\
version: 1
name: two fabrics
site: {rows: 2, racks_per_row: 4}
nodes:
  - {group: gpu, count: 6, per_rack: 2, nics: {main: {speed: 400G, count: 2, rail: per-gpu}, st: {speed: 200G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down: 8, up: 2},
               spine: {model: eth-64x400, count: 2}}
  st:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down_breakout: 2x200, down_ports: 4, up: 2},
               spine: {model: eth-64x400, count: 2}}
"""


@pytest.fixture
def export(tmp_path: Path) -> CableExport:
    """Two fabrics with switches of the same names, hosts on both."""
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return exported(path)[0]


def exported(path: Path, **more: object) -> tuple[CableExport, Network]:
    """What profiles write of a scenario."""
    loaded = load_scenario(path)
    network = build_network(loaded)
    schedule = cable_schedule(loaded, network.topologies)
    return CableExport(loaded.scenario.name, schedule, network.topologies, **more), network


def text(export: CableExport, profile: str) -> str:
    """The file that a profile writes."""
    write = PROFILES[profile].write
    assert write is not None
    return "".join(write(export))


def rows(export: CableExport, profile: str) -> list[dict[str, str]]:
    """Rows of a CSV profile."""
    return list(csv.DictReader(io.StringIO(text(export, profile))))


def test_netbox_takes_every_row(export):
    """By the fields and choices of its import form; no interface twice."""
    table = rows(export, "netbox")
    assert len(table) == len(export.schedule)
    for row in table:
        assert set(row) <= NETBOX_FIELDS
        assert all(row[field] for field in NETBOX_REQUIRED)
        assert row["side_a_type"] == row["side_b_type"] == "dcim.interface"
        assert row["type"] in NETBOX_TYPES
        assert row["status"] == "planned"
        assert row["color"] in NETBOX_COLORS
        assert row["length_unit"] == "m"
        assert re.fullmatch(r"\d{1,6}\.\d{2}", row["length"])
        assert len(row["label"]) <= 100
        assert len(row["description"]) <= 200
    used = Counter((row[f"side_{side}_device"], row[f"side_{side}_name"]) for row in table for side in "ab")
    assert max(used.values()) == 1


def test_all_colours_are_netboxs():
    """Names and values."""
    assert set(HEX.values()) <= NETBOX_COLORS


def test_netbox_takes_no_label_over_100_characters(tmp_path):
    """Said with the way out, before anything is written."""
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    loaded = load_scenario(path)
    network = build_network(loaded)
    schedule = cable_schedule(loaded, network.topologies, label_format="{a.node}" + "-" * 120)
    with pytest.raises(FormatError, match="NetBox takes 100"):
        text(CableExport("x", schedule, network.topologies), "netbox")


@pytest.mark.parametrize(
    "topology",
    [
        "{kind: leaf-spine, leaves: 3, spines: 2, hosts_per_leaf: 4, uplink_speed: 400G}",
        "{kind: fat-tree, radix: 4, speed: 100G}",
        "{kind: dragonfly, p: 2, a: 4, h: 2, groups: 5, speed: 100G}",
    ],
)
def test_containerlab_is_read_back_as_the_topology(topology, tmp_path):
    """Nodes, roles and cables with their interfaces, by our own reader; slashes of names are dashes there."""
    path = tmp_path / "s.yaml"
    path.write_text(f"version: 1\nname: lab\nfabrics:\n  main:\n    topology: {topology}\n", encoding="utf-8")
    export, network = exported(path)
    lab = tmp_path / "lab.clab.yml"
    lab.write_text(text(export, "containerlab"), encoding="utf-8")
    read = import_topology(lab, "containerlab", speed=100.0).topology
    built = network.topologies["main"]

    def cables(net, ports):
        names = [name.replace("/", "-") for name in net.nodes.name]
        links = net.links
        return Counter(
            frozenset(
                (names[node], ports(net, one))
                for node, one in ((links.src[link], link), (links.dst[link], links.reverse[link]))
            )
            for link in np.flatnonzero(net.is_cable).tolist()
        )

    assert cables(read, lambda net, link: net.src_port_names[link]) == cables(
        built, lambda net, link: f"eth{net.src_port[link] + 1}"
    )
    roles = {
        name.replace("/", "-"): built.roles[code] for name, code in zip(built.nodes.name, built.nodes.role, strict=True)
    }
    assert {name: read.roles[code] for name, code in zip(read.nodes.name, read.nodes.role, strict=True)} == roles


def test_containerlab_has_one_container_for_a_host_on_two_fabrics(export, tmp_path):
    """Its interfaces go on from one fabric to the next; switches of one name have the fabric's before it."""
    lab = tmp_path / "lab.clab.yml"
    lab.write_text(text(export, "containerlab"), encoding="utf-8")
    read = import_topology(lab, "containerlab", speed=100.0).topology
    assert sum(bool(nics) for nics in read.nodes.nics) == 6
    assert {"main-spine0", "st-spine0"} <= set(read.nodes.name)
    host = read.node("gpu0")
    ports = sorted(read.src_port_names[link] for link in np.flatnonzero(read.links.src == host).tolist())
    assert ports == ["eth1", "eth2", "eth3"]


def test_a_label_for_every_plug(export):
    """Two a cable, one more for each further leg of a splitter; both ends of a cable one after the other."""
    table = rows(export, "labels")
    legs = Counter(row.number for row in export.schedule.cables)
    assert Counter(int(row["cable"]) for row in table) == {cable: 1 + count for cable, count in legs.items()}
    first = export.schedule.cables[0]
    assert table[0]["device"] == first.a.node
    assert (table[1]["device"], table[1]["label"]) == (first.b.node, export.schedule.back_labels[0])


class _Boxes(HTMLParser):
    """Labels of a sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """A box."""
        self.count += tag == "div"


def test_a_sheet_has_the_same_labels_as_the_file(export):
    """By the ending .html; names do not act in it."""
    sheet = CableExport("<b>", export.schedule, export.topologies, suffix=".html")
    boxes = _Boxes()
    page = text(sheet, "labels")
    boxes.feed(page)
    assert boxes.count == len(rows(export, "labels"))
    assert "&lt;b&gt;" in page


def test_csv_lists_cables_from_both_ends_if_asked(export):
    """The same run turned round: ends, optics and trays."""
    both = CableExport("x", export.schedule, export.topologies, both_ways=True)
    table = rows(both, "csv")
    assert len(table) == 2 * len(export.schedule)
    for forth, back in zip(table[0::2], table[1::2], strict=True):
        assert [forth[f"a_{part}"] for part in ("node", "port", "rack", "unit")] == [
            back[f"b_{part}"] for part in ("node", "port", "rack", "unit")
        ]
        assert forth["route"].split() == back["route"].split()[::-1]
        assert forth["length_m"] == back["length_m"]


def test_point_to_point_lists_have_the_headers_of_nvidias_tool(export):
    """UFM Cable Validation Tool 1.5, "P2P File", Ethernet example."""
    table = rows(export, "p2p")
    assert list(table[0]) == [
        "A-Rack", "A-U", "A-Node Name", "A-Type", "A-Port", "Z-Rack", "Z-RU", "Z-Node Name", "Z-Type", "Z-Port",
    ]  # fmt: skip
    kinds = {row["A-Node Name"]: row["A-Type"] for row in table}
    assert (kinds["gpu0"], kinds["main/leaf0"]) == ("Host", "Switch")


def test_every_profile_says_what_reads_it():
    """The schedule alone has no form of its own."""
    assert [name for name in PROFILES if PROFILES[name].write is None] == ["schedule"]
    assert all(PROFILES[name].read_by and PROFILES[name].suffixes for name in PROFILES)
