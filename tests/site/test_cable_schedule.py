"""The cable schedule: every cable once, every port once, lengths that are sold and reach, media that can be plugged."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from fabric.cables.cable_rows import CableSchedule
from fabric.cables.labels import LabelFormat
from fabric.cables.media import LinkMedia, bought_m, choose_kits
from fabric.cables.order import BUNDLE
from fabric.cables.schedule import cable_schedule
from fabric.pipeline.network import Network, build_network
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.builder import TOPOLOGIES
from topologies.catalogue import CableModel, Catalogue, OpticModel, builtin
from topologies.errors import FabricError
from topologies.link_kits import FIBRES, LinkEnd, kits

ROOT = Path(__file__).parents[2]
ROOM = """\
version: 1
name: room
site: {rows: 3, racks_per_row: 6, trays: {width: 300 mm}}
nodes:
  - {group: gpu, count: 24, model: hgx-h100-8, per_rack: 2, name: "n{index:02d}",
     nics: {main: {model: cx7-400, count: 8, rail: per-gpu}, st: {model: cx7-200, count: 2}}}
fabrics:
  main:
    topology: {kind: rail-optimised, tiers: 2, nodes_per_unit: 12, leaf: {model: eth-64x400, down: 12, up: 12},
               spine: {model: eth-64x400, count: 4}}
  st:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down_breakout: 2x200, down_ports: 16, up: 4},
               spine: {model: eth-64x400, count: 2}, dual_home: [gpu]}
"""


def made(text: str, folder: Path, **options: str) -> tuple[LoadedScenario, Network, CableSchedule]:
    """The schedule of a scenario."""
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = load_scenario(path)
    network = build_network(loaded)
    return loaded, network, cable_schedule(loaded, network.topologies, **options)


def small(folder: Path, topology: str, extra: str = "", nodes: str = "") -> CableSchedule:
    """The schedule of one fabric called main."""
    text = f"version: 1\nname: small\n{nodes}fabrics:\n  main:\n    topology: {topology}\n{extra}"
    return made(text, folder)[2]


def ends(schedule: CableSchedule) -> list[tuple[str, str]]:
    """Device and port of both ends of every run."""
    return [(end.node, end.port) for row in schedule.cables for end in (row.a, row.b)]


# ---- every cable, every port, once -----------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", list(TOPOLOGIES), ids=lambda entry: entry.name)
def test_every_cable_of_every_builder_is_there_once_and_no_port_twice(entry, tmp_path):
    """Links through an optical switch are two runs of cable, all others one."""
    text = yaml.safe_dump(
        {"version": 1, "name": "x", "fabrics": {"main": {"topology": {"kind": entry.name, **entry.example}}}}
    )
    _, network, schedule = made(text, tmp_path)
    topology = network.topologies["main"]
    circuit = np.full(len(topology.links), -1) if topology.circuit is None else topology.circuit
    wanted = Counter({int(link): 1 + int(circuit[link] >= 0) for link in np.flatnonzero(topology.is_cable)})
    assert Counter(row.link for row in schedule.cables) == wanted
    assert max(Counter(ends(schedule)).values()) == 1
    assert max(Counter(row.label for row in schedule.cables).values()) == 1
    assert schedule.total_m == pytest.approx(sum(row.length_m for row in schedule.cables))
    assert all(row.bought_m >= row.length_m - 1e-6 for row in schedule.cables)


def test_hosts_on_two_fabrics_have_a_port_for_each_and_stand_in_one_rack(tmp_path):
    """24 hosts x (8 + 2) NICs; ports say the fabric, so that no port is used twice."""
    _, network, schedule = made(ROOM, tmp_path)
    assert len(schedule) == sum(int(net.is_cable.sum()) for net in network.topologies.values())
    used = Counter(ends(schedule))
    assert max(used.values()) == 1
    own = sorted(port for node, port in used if node == "n00")
    assert own == sorted([*(f"main-nic{nic}" for nic in range(8)), "st-nic0", "st-nic1"])
    racks = {row.a.rack for row in schedule.cables if row.a.node == "n00"}
    assert racks == {"r00c00"}


def test_runs_are_those_of_the_site_plan(tmp_path):
    """Device by device the plan's own length and route; their sum is the plan's total, not below its bound."""
    _, network, schedule = made(ROOM, tmp_path)
    plan = network.site
    assert plan is not None
    for row in schedule.cables[::17]:
        keys = [key if (key := end.node) in plan.by_device else f"{row.fabric}/{key}" for end in (row.a, row.b)]
        assert row.length_m == pytest.approx(plan.length_m(*keys), abs=1e-3)
        assert row.route == plan.route(*keys)
        assert (row.a.unit, row.b.unit) == tuple(plan.by_device[key].unit for key in keys)
    assert schedule.total_m == pytest.approx(plan.total_m, abs=0.05)
    assert schedule.bound_m is not None
    assert schedule.bound_m <= schedule.total_m


def test_bundles_share_their_route_and_the_longest_are_pulled_first(tmp_path):
    """At most 24 cables; the racks at both ends are the same whichever end is first."""
    schedule = made(ROOM, tmp_path)[2]
    ways = defaultdict(set)
    sizes = Counter()
    for row in schedule.cables:
        if row.leg == 1:
            ways[row.bundle].add(frozenset((row.a.rack, row.b.rack)))
            sizes[row.bundle] += 1
    assert all(len(way) == 1 for way in ways.values())
    assert max(sizes.values()) <= BUNDLE
    numbers = [row.number for row in schedule.cables]
    assert numbers == sorted(numbers)
    longest = {}
    for row in schedule.cables:
        way = frozenset((row.a.rack, row.b.rack))
        longest.setdefault(way, row.length_m)
        assert row.length_m <= longest[way] + 1e-9
    assert list(longest.values()) == sorted(longest.values(), reverse=True)


def test_what_lies_in_trays_is_counted_piece_by_piece(tmp_path):
    """Cross-sections added up run by run over the pieces of each way; a tray of 1 mm is too full."""
    loaded, network, schedule = made(ROOM, tmp_path)
    plan = network.site
    assert plan is not None
    area = Counter()
    for row in schedule.cables:
        keys = [key if (key := end.node) in plan.by_device else f"{row.fabric}/{key}" for end in (row.a, row.b)]
        size = loaded.catalogue.cables[row.model].diameter_mm
        for piece in plan.pieces(*keys):
            area[plan.floor.segment_names[piece]] += np.pi * size**2 / 4 / row.legs
    assert {tray.name: pytest.approx(tray.fill_mm2) for tray in schedule.trays} == dict(area)
    assert not schedule.overfull
    narrow = made(ROOM.replace("width: 300 mm", "width: 1 mm"), tmp_path)[2]
    assert len(narrow.overfull) == len(narrow.trays)


# ---- lengths and media -----------------------------------------------------------------------------------------------


def test_lengths_bought_are_sold_and_media_the_cheapest_that_reach(tmp_path):
    """Checked link by link over the whole catalogue, where every link has its cages for itself."""
    loaded, network, schedule = made(ROOM.replace("down_breakout: 2x200, down_ports: 16", "down: 30"), tmp_path)
    catalogue = loaded.catalogue
    for row in schedule.cables[::7]:
        gbps = float(network.topologies[row.fabric].links.capacity_gbps[row.link])
        prices = {}
        for kit in kits(catalogue, gbps, LinkEnd(), LinkEnd()):
            cable = catalogue.cables[kit.parts[0][0]]
            sold = [length for length in sorted(cable.stock) if length >= row.length_m - 1e-6]
            if sold and sold[0] <= kit.reach_m:
                prices[kit.parts] = kit.cost_usd(sold[0])
        models = (row.model, *row.optics)
        own = next(price for parts, price in prices.items() if tuple(name for name, _ in parts) == models)
        assert own == pytest.approx(min(prices.values()))
        assert row.bought_m in catalogue.cables[row.model].stock
        assert row.bought_m == min(length for length in catalogue.cables[row.model].stock if length >= row.length_m)


def fibre_catalogue(**stock: object) -> Catalogue:
    """One multimode and one single-mode kit, and no copper."""
    optic = {"speed": "400G", "source": "-"}
    return Catalogue(
        optics={
            "sr": OpticModel(model="sr", reach_m="50 m", medium="mmf", usd=100, **optic),
            "dr": OpticModel(model="dr", reach_m="500 m", medium="smf", usd=300, **optic),
        },
        cables={
            "m": CableModel(model="m", medium="mmf", length="100 m", usd=1, stock=["30 m", "75 m"], **optic),
            "s": CableModel(model="s", medium="smf", length="2 km", usd=1, stock=["30 m", "60 m"], **optic),
        },
    )


def one_link(run_m: float, wanted: str = "auto", **more: object) -> LinkMedia:
    """A single link between two cages."""
    given = {"links": (np.array([1]), np.array([1])), "cage": (np.array([0]), np.array([1]))} | more
    return LinkMedia(
        np.array([400.0]), given["links"], given["cage"], np.array([run_m]), (wanted,), np.array([0]),
        np.array([False]),
    )  # fmt: skip


@pytest.mark.parametrize(("run_m", "model", "length_m"), [(29.0, "m", 30.0), (45.0, "s", 60.0), (61.0, "s", 61.0)])
def test_light_runs_through_all_of_the_cable_that_is_bought(run_m, model, length_m):
    """45 m of the 50 m that SR reaches: but the multimode sold for it is 75 m. Beyond stock fibre is cut to measure."""
    chosen = choose_kits(fibre_catalogue(), one_link(run_m))
    assert chosen.kits[chosen.kit[0]].parts[0][0] == model
    assert chosen.length_m[0] == length_m


def test_copper_is_not_longer_than_it_is_sold():
    """A 5 m reach that is sold to 3 m makes no 4 m link; cut to any length, it is cut to tenths."""
    row = {"model": "c", "speed": "400G", "medium": "dac", "length": "5 m", "source": "-"}
    assert bought_m(CableModel(**row, stock=["1 m", "3 m"]), np.array([2.0, 4.0])).tolist() == [3.0, np.inf]
    assert bought_m(CableModel(**row), np.array([2.01, 4.0])).tolist() == [2.1, 4.0]


def test_ports_of_a_breakout_share_a_splitter(tmp_path):
    """4 hosts of 200G on two ports of 400G: two splitters of two legs each."""
    schedule = small(
        tmp_path,
        "{kind: leaf-spine, leaf: {model: eth-64x400, count: 1, down_breakout: 2x200, down_ports: 2, up: 1},"
        " spine: {model: eth-64x400, count: 1}}",
        nodes="nodes: [{group: h, count: 4, nics: {main: {speed: 200G}}}]\n",
    )
    legs = [
        (row.number, row.leg, row.a.node, row.b.port, row.model) for row in schedule.cables if row.tier != "leaf-spine"
    ]
    assert legs == [
        (2, 1, "h0", "swp1s0", "dac-2x200"),
        (2, 2, "h1", "swp1s1", "dac-2x200"),
        (3, 1, "h2", "swp2s0", "dac-2x200"),
        (3, 2, "h3", "swp2s1", "dac-2x200"),
    ]
    assert schedule.cable_count == 3


@pytest.mark.parametrize(("spines", "media"), [(1, {"dac"}), (4, {"mmf", "smf"})])
def test_a_twin_port_cable_needs_both_links_of_its_cages(spines, media, tmp_path):
    """Four links from a leaf: to one spine they fill two cages of both; to four spines fibres part behind the cage."""
    schedule = small(
        tmp_path,
        f"{{kind: leaf-spine, leaf: {{model: ib-64x400, count: 2, down: 4, up: 4}}, spine: {{model: ib-64x400, count:"
        f" {spines}}}, cabling: {{leaf-spine: {{length: 1.5 m}}}}}}",
    )
    rows = [row for row in schedule.cables if row.tier == "leaf-spine"]
    assert {row.medium for row in rows} <= media
    assert {row.legs for row in rows} == ({2} if spines == 1 else {1})


def test_a_cage_holds_one_module(tmp_path):
    """Three hosts and an uplink share two cages of a leaf: what the last host and the uplink plug into is one optic."""
    schedule = small(
        tmp_path,
        "{kind: leaf-spine, leaf: {model: ib-64x400, count: 2, down: 3, up: 1}, spine: {model: ib-64x400, count: 1}}",
    )
    plugged = defaultdict(set)
    for row in schedule.cables:
        for end, optic in zip((row.a, row.b), row.optics or (row.model, row.model), strict=True):
            if end.node.startswith(("leaf", "spine")) and "/h" not in end.node:
                plugged[end.node, end.port.split("/")[0]].add(optic)
    assert len(plugged) == 5
    assert all(len(parts) == 1 for parts in plugged.values())


def test_an_optical_switch_is_passed_by_single_mode_fibre(tmp_path):
    """Two runs a link, each with an optic at its own end alone."""
    entry = TOPOLOGIES["torus"]
    text = yaml.safe_dump(
        {
            "version": 1,
            "name": "x",
            "fabrics": {"main": {"topology": {"kind": "torus", **entry.example, "speed": "400G"}}},
        }
    )
    schedule = made(text, tmp_path)[2]
    optical = [row for row in schedule.cables if row.tier == "optical"]
    assert optical
    assert {row.medium for row in optical} == {"smf"}
    assert {tuple(bool(name) for name in row.optics) for row in optical} == {(True, False), (False, True)}


# ---- what cannot be --------------------------------------------------------------------------------------------------

UPLINKS = (
    "{{kind: leaf-spine, leaf: {{model: {model}, count: 2, down: 4, up: 4}}, spine: {{model: {model}, count: 4}},"
    " cabling: {{leaf-spine: {{length: {length}}}}}}}"
)


@pytest.mark.parametrize(
    ("model", "length", "asked", "code", "message"),
    [
        ("eth-64x400", "30 m", "dac", "FP3301", r"runs 30.0 m, and dac at 400 Gb/s reaches 3 m"),
        ("eth-64x400", "30 m", "copper", "FP2104", r"unknown cable medium 'copper'"),
        ("eth-64x400", "3 km", "auto", "FP3302", r"runs 3000.0 m; at 400 Gb/s the catalogue reaches"),
        ("ib-64x400", "1 m", "dac", "FP3301", r"lead to several cages, and a dac joins two whole ones"),
    ],
)
def test_a_medium_that_does_not_do_is_refused_at_its_tier(model, length, asked, code, message, tmp_path):
    """With the line of the key, and with what would do."""
    extra = f"    cables: {{leaf-spine: {asked}}}\n"
    with pytest.raises(FabricError, match=message) as caught:
        small(tmp_path, UPLINKS.format(model=model, length=length), extra)
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, bool(problem.hint)) == (code, 6, True)


def test_a_length_of_the_cabling_is_refused_where_it_is_written(tmp_path):
    """No key asks for a medium: the length itself is the matter."""
    with pytest.raises(FabricError, match=r"3000\.0 m") as caught:
        small(tmp_path, UPLINKS.format(model="eth-64x400", length="3 km"))
    assert caught.value.problems[0].where[-2:] == ("cabling", "leaf-spine")


@pytest.mark.parametrize("key", ["leaf-spin", "gpu-spine", "host-core"])
def test_a_tier_that_is_not_there_is_refused(key, tmp_path):
    """By every command that builds: the key is of the fabric."""
    with pytest.raises(FabricError, match="no cable of this fabric is in a tier"):
        small(tmp_path, UPLINKS.format(model="eth-64x400", length="9 m"), f"    cables: {{{key}: auto}}\n")


def test_a_group_of_hosts_has_a_medium_of_its_own(tmp_path):
    """a-leaf is of the cables of group a; the others are as cheap as they can be."""
    nodes = (
        "nodes: [{group: a, count: 2, nics: {main: {speed: 400G}}}, {group: b, count: 2, nics: {main: {speed: 400G}}}]"
        "\n"
    )
    schedule = small(
        tmp_path, UPLINKS.format(model="eth-64x400", length="9 m"), "    cables: {a-leaf: aoc}\n", nodes=nodes
    )
    assert {row.medium for row in schedule.cables if row.a.node.startswith("a")} == {"aoc"}
    assert {row.medium for row in schedule.cables if row.a.node.startswith("b")} == {"dac"}


def test_links_that_the_catalogue_does_not_know_are_said(tmp_path):
    """25G: the medium is open, the length is the run."""
    schedule = small(tmp_path, "{kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 2, uplink_speed: 27G}")
    assert {row.medium for row in schedule.cables} == {""}
    assert any("no cable and no optics for a 27 Gb/s link of leaf-spine" in note for note in schedule.notes)


def test_a_template_that_gives_two_ports_one_name_is_refused(tmp_path):
    """{cage} alone, of a switch with two ports in a cage."""
    (tmp_path / "own.yaml").write_text(
        'switches: [{model: twin, ports: 8, speed: 400G, ports_per_cage: 2, port_name: "c{cage}", source: "-"}]\n'
    )
    text = (
        "version: 1\nname: x\ninclude: [{catalog: own.yaml}]\nfabrics:\n  main:\n    topology:\n"
        "      {kind: leaf-spine, leaf: {model: twin, count: 2, down: 2, up: 2}, spine: {model: twin, count: 2}}\n"
    )
    with pytest.raises(FabricError, match="2 links are on port c2 of leaf0"):
        made(text, tmp_path)


def test_ports_that_a_list_of_cables_names_are_those_of_the_schedule(tmp_path):
    """leaf0:49 is port 49; ends without a port are numbered."""
    schedule = small(
        tmp_path,
        "{kind: explicit, endpoints: [h0],"
        " switches: [{name: leaf0, role: leaf}, {name: spine0, role: spine, level: 2}],"
        ' cables: [{ends: [h0, "leaf0:7"], speed: 400G}, {ends: ["spine0:1/2", "leaf0:49"], speed: 400G}]}',
    )
    named = {(row.a.node, row.a.port, row.b.node, row.b.port) for row in schedule.cables}
    assert named == {("h0", "nic0", "leaf0", "7"), ("leaf0", "49", "spine0", "1/2")}


# ---- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "message"),
    [("{a.foo}", "no {a.foo}"), ("{a.rack", "expected '}'"), ("x", "names nothing"), ("{a.node:9}", "is not a field")],
)
def test_a_label_format_that_is_none_is_refused(template, message):
    """With what there is."""
    with pytest.raises(FabricError, match=message):
        LabelFormat.parse(template)


def test_labels_are_by_template_and_turned_round_at_the_other_end(tmp_path):
    """The format of the manual: rack, unit and port of both ends."""
    schedule = made(ROOM, tmp_path, label_format="{number:04d} {a.rack}-{a.ru:02d}:{a.port}/{b.node}")[2]
    row = schedule.cables[0]
    assert row.label == f"0001 {row.a.rack}-{row.a.unit:02d}:{row.a.port}/{row.b.node}"
    assert schedule.back_labels[0] == f"0001 {row.b.rack}-{row.b.unit:02d}:{row.b.port}/{row.a.node}"


def test_labels_that_repeat_are_said(tmp_path):
    """Not refused: some rooms label by rack."""
    schedule = made(ROOM, tmp_path, label_format="{a.rack}")[2]
    assert any("{number} tells them apart" in note for note in schedule.notes)


@pytest.mark.parametrize(("by", "count"), [("fabric", 2), ("tier", 4), ("rail", 10)])
def test_colours_are_by_fabric_tier_or_rail(by, count, tmp_path):
    """Two fabrics; four tiers; eight rails, and two tiers without rails, of which some have a rail's colour."""
    schedule = made(ROOM, tmp_path, colour_by=by)[2]
    assert len({row.colour for row in schedule.cables}) in (count, count - 2)


# ---- vendors' own rows -----------------------------------------------------------------------------------------------


def test_rows_of_nvidias_dot_file_come_out_port_for_port(tmp_path):
    """UFM Cable Validation Tool 1.5, "Dot File": ten hosts on mose-gbnvl-l1, two on each of its ports swp1 to swp5."""
    nodes = (
        'nodes: [{group: a, count: 8, first: 1, name: "gb-nvl-yok-04-compute{index:02d}", nics: {main: {speed: 400G}}},'
        ' {group: b, count: 2, first: 1, name: "gb-nvl-yok-03-compute{index:02d}", nics: {main: {speed: 400G}}}]\n'
    )
    schedule = small(
        tmp_path,
        "{kind: single-switch, switch: {model: eth-64x800, breakout: 2x400}}",
        nodes=nodes,
    )
    published = [
        ("swp1s0", "gb-nvl-yok-04-compute01"), ("swp1s1", "gb-nvl-yok-04-compute02"),
        ("swp2s0", "gb-nvl-yok-04-compute03"), ("swp2s1", "gb-nvl-yok-04-compute04"),
        ("swp3s0", "gb-nvl-yok-04-compute05"), ("swp3s1", "gb-nvl-yok-04-compute06"),
        ("swp4s0", "gb-nvl-yok-04-compute07"), ("swp4s1", "gb-nvl-yok-04-compute08"),
        ("swp5s0", "gb-nvl-yok-03-compute01"),
    ]  # fmt: skip
    rows = {row.b.port: row.a.node for row in schedule.cables}
    assert [(port, rows[port]) for port, _ in published] == published


@pytest.mark.parametrize(
    ("template", "ports"),
    [("{port}", ["1", "2"]), ("sw{cage}p{split}", ["sw1p1", "sw1p2"]), ("{cage}/{split}", ["1/1", "1/2"])],
)
def test_rows_of_nvidias_point_to_point_lists_come_out_port_for_port(template, ports, tmp_path):
    """UFM Cable Validation Tool 1.4, "P2P File": adapter 1 of the first host on port 1 of a QM9700, the next on 2."""
    (tmp_path / "own.yaml").write_text(
        f'switches: [{{model: qm9700, ports: 64, speed: 400G, ports_per_cage: 2, port_name: "{template}", source: x}}]'
    )
    text = (
        "version: 1\nname: x\ninclude: [{catalog: own.yaml}]\n"
        'nodes: [{group: c, count: 2, first: 329, name: "c-csi-0{index}s", nics: {main: {speed: 400G}}}]\n'
        "fabrics:\n  main:\n    topology: {kind: single-switch, switch: {model: qm9700}}\n"
    )
    schedule = made(text, tmp_path)[2]
    assert [(row.a.node, row.b.port) for row in schedule.cables] == list(
        zip(["c-csi-0329s", "c-csi-0330s"], ports, strict=True)
    )


def test_a_full_scalable_unit_of_a_superpod_is_cabled_as_its_reference_says(tmp_path):
    """DGX SuperPOD RA, H100: NIC i of 32 nodes on ports 1 to 32 of leaf i, 32 uplinks on 33 to 64, even over spines."""
    schedule = small(tmp_path, "{kind: superpod, scalable_units: 4, switch: {model: ib-64x400}}")
    down = defaultdict(dict)
    up = defaultdict(Counter)
    for row in schedule.cables:
        cage, split = (int(part) for part in (row.a if row.tier == "leaf-spine" else row.b).port.split("/"))
        port = 2 * cage - 2 + split
        if row.tier == "leaf-spine":
            up[row.a.node][row.b.node] += 1
            assert 33 <= port <= 64
        else:
            down[row.b.node][port] = (row.a.node, row.a.port)
    assert len(down) == 32
    for leaf, ports in down.items():
        unit, rail = leaf.replace("unit", "").split("/leaf")
        assert ports == {node + 1: (f"unit{unit}/h{node}", f"nic{rail}") for node in range(32)}
    assert {frozenset(spines.values()) for spines in up.values()} == {frozenset({2})}
    assert {len(spines) for spines in up.values()} == {16}


def test_media_of_fibre_are_those_of_the_kits():
    """Every fibre has optics at both ends, every other cable none."""
    for gbps in (100.0, 200.0, 400.0, 800.0):
        for kit in kits(builtin(), gbps, LinkEnd(), LinkEnd()):
            assert (len(kit.parts) == 3) == (kit.medium in FIBRES)
