"""Where everything stands: lengths by hand, limits of racks, the bound against every placement there is."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rooms import loaded_room, planned, room

from fabric.scenario.racks import host_racks
from fabric.site.bound import least_way_m
from fabric.site.devices import equipment
from fabric.site.floor_plan import floor_plan
from fabric.site.place import measured, place
from fabric.site.plan import plan_site, run_lengths
from fabric.site.problem import Problem
from fabric.site.standing import standing
from fabric.site.tray_load import tray_cables


def problem_of(folder: Path, scenario: dict[str, Any]) -> Problem:
    """The placing of switches as a problem."""
    from fabric.pipeline.network import build_network

    loaded = loaded_room(folder, scenario)
    site = loaded.scenario.site
    assert site is not None
    network = build_network(loaded)
    return standing(loaded, site, floor_plan(site), equipment(loaded, network.topologies))


def test_a_run_is_down_over_and_up_with_slack_and_loops(tmp_path: Path) -> None:
    """Two hosts of 4 units in every rack: h0 at units 1 to 4, its middle 2 x 44.45 mm up.

    A leaf fixed at unit 16 of r01c03: its middle is 15.5 units up. From r00c00 the trays run 3 racks along and one row
    across: 3 x 0.6 + 2.4 m. Way: (2 - 0.0889) + 4.2 + (2 - 0.688975) = 7.422125 m, 5 % slack, 0.3 m at each end.
    """
    scenario = room(fixed={"leaf0": {"rack": "r01c03", "unit": 16}})
    _, network, plan = planned(tmp_path, scenario)
    assert plan.length_m("h0", "main/leaf0") == pytest.approx(7.422125 * 1.05 + 0.6)
    assert plan.route("h0", "main/leaf0") in (("row0/0-3", "cross3/0-1"), ("cross0/0-1", "row1/0-3"))
    topology = network.topologies["main"]
    link = next(link for link in range(len(topology.links)) if topology.link_name(link) == "h0 -> leaf0")
    assert topology.links.length_m[link] == pytest.approx(7.422125 * 1.05 + 0.6)
    assert topology.links.length_m[topology.links.reverse[link]] == topology.links.length_m[link]


def test_within_a_rack_a_cable_goes_straight(tmp_path: Path) -> None:
    """Host at units 1 to 4, leaf at unit 16 of the same rack: 13.5 units apart."""
    _, _, plan = planned(tmp_path, room(fixed={"leaf0": {"rack": "r00c00", "unit": 16}}))
    assert plan.length_m("h0", "main/leaf0") == pytest.approx(13.5 * 0.04445 * 1.05 + 0.6)
    assert plan.route("h0", "main/leaf0") == ()


def test_leaves_stand_over_their_hosts_where_there_is_room(tmp_path: Path) -> None:
    """Two hosts a rack, two a leaf: each leaf on top of its own."""
    _, _, plan = planned(tmp_path, room())
    for number in range(4):
        assert plan.rack_name(f"main/leaf{number}") == plan.rack_name(f"h{2 * number}")
    tops = [one.unit + one.units - 1 for one in plan.placed if one.is_switch and one.device.startswith("leaf")]
    assert max(tops) == 16


def test_hosts_stand_in_the_racks_of_the_scenario(tmp_path: Path) -> None:
    """One truth: the plan, the rack picture and failure domains."""
    scenario = room(network_racks=["r00c01"], no_rack=["r00c02"], fixed={"h7": {"rack": "r01c03"}})
    loaded, network, plan = planned(tmp_path, scenario)
    racks = host_racks(loaded.scenario)
    assert [(rack.name, rack.hosts) for rack in racks] == [
        ("r00c00", ("h0", "h1")),
        ("r00c03", ("h2", "h3")),
        ("r01c00", ("h4", "h5")),
        ("r01c01", ("h6",)),
        ("r01c03", ("h7",)),
    ]
    for rack in racks:
        assert {plan.rack_name(host) for host in rack.hosts} == {rack.name}
    numbers = network.inventory.racks("h", 8).tolist()
    assert [numbers.count(number) for number in numbers] == [2, 2, 2, 2, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("site", "expected"),
    [({}, 4), ({"rack_units": 11}, 2), ({"rack_power": "3.9 kW"}, 3), ({"rack_power": "1 kW", "rows": 4}, 1)],
)
def test_a_rack_holds_as_many_hosts_as_its_units_and_power_allow(
    tmp_path: Path, site: dict[str, Any], expected: int
) -> None:
    """Hosts of 4 units and 1 kW in racks of 16 units; said, as the scenario does not say."""
    site = {"network_racks": ["r01c*"]} | site
    scenario = room(per_rack=None, hosts=4, leaves=2, **site)
    loaded, _, plan = planned(tmp_path, scenario)
    assert len(host_racks(loaded.scenario)[0].hosts) == expected
    assert any(f"{expected} nodes of 'h' in a rack" in text for text in plan.notes)


@pytest.mark.parametrize("kept", ["r01c*", "r*c03"])
def test_switches_stand_in_network_racks_where_they_have_to(tmp_path: Path, kept: str) -> None:
    """None beside hosts."""
    _, _, plan = planned(tmp_path, room(network_racks=[kept], switches="network-racks", hosts=6, leaves=3))
    racks = {plan.floor.racks[one.rack].for_network for one in plan.placed if one.is_switch}
    assert racks == {True}
    assert not any(plan.floor.racks[one.rack].for_network for one in plan.placed if not one.is_switch)


def overlaps(plan: Any) -> list[str]:
    """Racks in which devices share a unit, stand outside, or draw more than it feeds."""
    wrong = []
    for rack, devices in plan.by_rack.items():
        taken = [unit for one in devices for unit in range(one.unit, one.unit + one.units)]
        watts = sum(one.power_w or 0 for one in devices)
        place = plan.floor.racks[rack]
        if len(set(taken)) < len(taken) or min(taken) < 1 or max(taken) > place.units or watts > place.power_w + 1e-6:
            wrong.append(place.name)
    return wrong


ROOMS = st.fixed_dictionaries(
    {
        "hosts": st.integers(2, 6),
        "leaves": st.integers(1, 3),
        "spines": st.integers(1, 2),
        "spine": st.sampled_from(["leaf-1u", "spine-4u"]),
        "per_rack": st.integers(1, 2),
        "rack_units": st.sampled_from([9, 12, 16]),
        "rows": st.integers(1, 2),
        "racks_per_row": st.just(3),
        "network_racks": st.sampled_from([[], ["r00c01"]]),
        "rack_power": st.sampled_from([None, "4.5 kW"]),
        "trays": st.sampled_from([{}, {"cross": [1]}]),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=ROOMS)
def test_the_bound_is_below_every_placement_and_ours_is_near_the_best(tmp_path: Path, keys: dict[str, Any]) -> None:
    """Every rack for every switch, on floors of at most six racks: enumerated, without any of the search's code."""
    from topologies.errors import FabricError

    try:
        problem = problem_of(tmp_path, room(**{key: value for key, value in keys.items() if value is not None}))
    except FabricError as refusal:
        assert {one.code for one in refusal.problems} <= {"FP3321", "FP3322", "FP3325", "FP3013", "FP3011", "FP3020"}
        return
    racks = np.flatnonzero(problem.allowed).tolist()
    if len(racks) ** len(problem.free) > 5_000:
        return
    best = np.inf
    for chosen in itertools.product(racks, repeat=len(problem.free)):
        rack = problem.rack.copy()
        rack[problem.free] = chosen
        watts = np.bincount(np.asarray(chosen), problem.watts[problem.free], len(problem.watts_left))
        placement = measured(problem, rack) if (watts <= problem.watts_left + 1e-6).all() else None
        best = min(best, np.inf if placement is None else placement.way_m)
    ours, bound = place(problem), least_way_m(problem)
    assert (ours is None) == (not np.isfinite(best))
    if ours is not None:
        assert bound <= best + 1e-6
        assert best - 1e-6 <= ours.way_m <= best * 1.06


@pytest.mark.parametrize(
    ("topology", "hosts"),
    [
        ({"kind": "fat-tree", "radix": 4, "speed": "100G"}, 16),
        ({"kind": "dragonfly", "p": 2, "a": 2, "h": 1, "speed": "100G"}, 12),
    ],
)
def test_the_bound_holds_and_nothing_overlaps_on_other_fabrics(
    tmp_path: Path, topology: dict[str, Any], hosts: int
) -> None:
    """Three tiers, and switches that are all of one level; the row-by-row placement is not shorter."""
    _, _, plan = planned(tmp_path, room(hosts=hosts, topology=topology, rows=3, racks_per_row=6))
    assert overlaps(plan) == []
    assert 0 < plan.bound_m <= plan.total_m <= plan.in_rows_m + 1e-6


def test_the_total_is_that_of_the_links(tmp_path: Path) -> None:
    """The sum over cables of the topology, and each as the plan measures it."""
    loaded, network, plan = planned(tmp_path, room(hosts=8, spines=2))
    topology = network.topologies["main"]
    lengths = run_lengths(plan, loaded, "main", topology)
    assert lengths[topology.is_cable].sum() == pytest.approx(plan.total_m)
    assert plan.cables == int(topology.is_cable.sum())
    names = topology.nodes.name
    for link in range(len(topology.links)):
        keys = [
            name if name.startswith("h") else f"main/{name}"
            for name in (names[topology.links.src[link]], names[topology.links.dst[link]])
        ]
        assert lengths[link] == pytest.approx(plan.length_m(*keys))


def test_cables_in_trays_are_those_of_the_routes(tmp_path: Path) -> None:
    """Counted once by pairs of racks, once cable by cable."""
    loaded, network, plan = planned(tmp_path, room())
    topology = network.topologies["main"]
    counted = np.zeros(len(plan.floor.segments), dtype=int)
    for link in np.flatnonzero(topology.is_cable).tolist():
        ends = [topology.nodes.name[node] for node in (topology.links.src[link], topology.links.dst[link])]
        for piece in plan.pieces(*(name if name.startswith("h") else f"main/{name}" for name in ends)):
            counted[piece] += 1
    assert tray_cables(plan, equipment(loaded, network.topologies)).tolist() == counted.tolist()


def test_one_scenario_is_planned_once_and_always_alike(tmp_path: Path) -> None:
    """The same cables have the same plan; a scenario loaded again the same places."""
    loaded, network, plan = planned(tmp_path, room())
    assert plan_site(loaded, network.topologies) is plan
    _, _, again = planned(tmp_path, room())
    assert again.placed == plan.placed


def test_lengths_that_the_scenario_gives_are_kept(tmp_path: Path) -> None:
    """Those of the tier between switches; the others follow the floor plan."""
    scenario = room()
    scenario["fabrics"]["main"]["topology"]["cabling"] = {"leaf-spine": {"length": "33 m"}}
    loaded, network, _ = planned(tmp_path, scenario)
    topology = network.topologies["main"]
    upper = topology.links.tier == topology.tiers.index("leaf-spine")
    assert (topology.links.length_m[upper] == 33).all()
    assert (topology.links.length_m[~upper] < 10).all()
    assert "main: 8 cables are as long as their way on the floor plan, and latency with them" in loaded.said


def test_a_link_through_an_optical_switch_is_two_stretches(tmp_path: Path) -> None:
    """No fabric here has one: the rule is that of ``cable_ends``, on a topology with a circuit."""
    from dataclasses import replace

    from topologies.columns import column

    loaded, network, plan = planned(tmp_path, room())
    topology = network.topologies["main"]
    spine = topology.node("spine0")
    link = next(link for link in range(len(topology.links)) if topology.link_name(link) == "h0 -> leaf0")
    circuit = np.full(len(topology.links), -1)
    circuit[[link, topology.links.reverse[link]]] = spine
    patched = replace(topology, circuit=column(circuit, np.int32))
    length = run_lengths(plan, loaded, "main", patched)[link]
    assert length == pytest.approx(plan.length_m("h0", "main/spine0") + plan.length_m("main/spine0", "main/leaf0"))


def test_a_room_without_nodes_or_geometry_has_no_plan(tmp_path: Path) -> None:
    """The former is said."""
    scenario = room()
    scenario["nodes"] = []
    scenario["fabrics"]["main"]["topology"] = {"kind": "fat-tree", "radix": 4, "speed": "100G"}
    from fabric.pipeline.network import build_network

    loaded = loaded_room(tmp_path, scenario)
    assert build_network(loaded).site is None
    assert any("lists no nodes" in text for text in loaded.said)
    plain = room()
    del plain["site"]["rows"]
    assert build_network(loaded_room(tmp_path, plain)).site is None
