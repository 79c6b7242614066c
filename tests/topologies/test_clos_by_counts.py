"""A Clos by counts and ratios: what was asked for is there, counted in NetworkX, or it is refused with the nearest."""

from __future__ import annotations

import re
from fractions import Fraction

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies import fabric_size
from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.networkx_adapter import to_networkx
from topologies.oversubscription import agrees, exact
from topologies.summary import summarise
from topologies.validate import validate

PLENTY = settings(max_examples=120, deadline=None, derandomize=True, database=None)
RATIOS = ["1:1", "2:1", "3:1", "7:1", "3:2", "1:1.125", "1:2", "48:7", "2.5:1", 0.888, 6.857]


def clos(hosts=(), **keys):
    return TOPOLOGIES["clos"]({"radix": 64, "speed": "400G", **keys}, hosts=hosts)


def ratios_by_role(net):
    """Bandwidth down over bandwidth up of every switch, summed over the edges of the NetworkX graph."""
    graph = to_networkx(net)
    level = {name: data["level"] for name, data in graph.nodes(data=True)}
    found = {}
    for name, data in graph.nodes(data=True):
        sides = {True: 0.0, False: 0.0}
        for _, other, edge in graph.out_edges(name, data=True):
            sides[level[other] > level[name]] += edge["capacity_gbps"]
        if level[name] > 0 and sides[True]:
            found.setdefault(data["role"], set()).add(Fraction(sides[False]) / Fraction(sides[True]))
    return found


@st.composite
def counted(draw):
    """Counts of three tiers, and what is asked of the leaves and spines."""
    number = st.integers(1, 6)
    return {
        "tiers": 3,
        "pods": draw(number),
        "leaves_per_pod": draw(st.integers(1, 12)),
        "hosts_per_leaf": draw(st.integers(1, 16)),
        "oversubscription": {key: draw(st.sampled_from(RATIOS)) for key in ("leaf", "spine")},
        **({"spines_per_pod": draw(number)} if draw(st.booleans()) else {}),
        **({"cores": draw(number)} if draw(st.booleans()) else {}),
        **({"speeds": {"host": draw(st.sampled_from(["100G", "200G"]))}} if draw(st.booleans()) else {}),
    }


@PLENTY
@given(counted())
def test_counts_and_ratios_are_as_asked_for_or_refused(keys):
    """Switches by the counts; every leaf and spine at its ratio, by the edges of the graph; the closed form agrees."""
    try:
        net = clos(**keys)
    except TopologyError as error:
        assert error.problems[0].code in {"FP3011", "FP3024", "FP3026", "FP3037"}  # noqa: PT017 - only these are right
        assert error.problems[0].hint  # noqa: PT017 - with a way out
        return
    assert validate(net) == []
    by_role = summarise(net).nodes_by_role
    assert by_role["leaf"] == keys["pods"] * keys["leaves_per_pod"]
    assert by_role["host"] == by_role["leaf"] * keys["hosts_per_leaf"]
    if "spines_per_pod" in keys:
        assert by_role["spine"] == keys["pods"] * keys["spines_per_pod"]
    if "cores" in keys:
        assert by_role["core"] == keys["cores"]
    spec = TOPOLOGIES["clos"].model.model_validate({"kind": "clos", "radix": 64, "speed": "400G", **keys})
    for role, there in ratios_by_role(net).items():
        assert len(there) == 1
        assert agrees(getattr(spec.oversubscription, role), there.pop())
    facts = fabric_size.facts_of(TOPOLOGIES["clos"], spec)
    assert facts.switches == int(net.is_switch.sum())
    assert dict(facts.cables_by_tier) == summarise(net).cables_by_tier


@pytest.mark.parametrize("radix", [4, 8])
def test_four_tiers_when_full(radix):
    """N = R⁴/8 endpoints: R^t/2^t of a port down in every tier; 2N/R switches in three tiers, N/R cores."""
    net = clos(radix=radix, tiers=4)
    found, n = summarise(net), radix**4 // 8
    roles = ("leaf", "spine", "superspine")
    assert found.nodes_by_role == {"host": n, **dict.fromkeys(roles, 2 * n // radix), "core": n // radix}
    assert set(found.cables_by_tier.values()) == {n}
    assert (net.ports_used[net.is_switch] == radix).all()
    assert ratios_by_role(net) == {role: {Fraction(1)} for role in roles}
    assert nx.is_connected(nx.Graph(to_networkx(net)))


def test_zones_meet_only_at_cores():
    """2 zones of 3 pods of 2 leaves: without its 16 cores the graph falls into its zones."""
    net = clos(radix=8, zones=2, pods=3, leaves_per_pod=2, oversubscription={"superspine": "3:1"})
    assert summarise(net).nodes_by_role["leaf"] == 12
    graph = nx.Graph(to_networkx(net))
    graph.remove_nodes_from([name for name, data in list(graph.nodes(data=True)) if data["role"] == "core"])
    assert nx.number_connected_components(graph) == 2
    assert net.roles.index("superspine") >= 0
    assert ratios_by_role(net)["superspine"] == {Fraction(3)}


@pytest.mark.parametrize(("planes", "reached"), [(8, 2), (4, 4), (1, 16)])
def test_planes_split_the_cores(planes, reached):
    """16 cores in as many planes; a spine of 16 uplinks reaches 16 / planes of them, by as many cables each."""
    net = clos(
        pods=4, leaves_per_pod=24, spines_per_pod=8, cores=16, hosts_per_leaf=16, planes=planes, uplinks={"spine": 16}
    )
    spine = net.node("pod1/spine5")
    up = net.links.dst[(net.links.src == spine) & (net.nodes.level[net.links.dst] == 3)]
    assert len(up) == 16
    assert len(set(up.tolist())) == reached
    assert len({int(net.nodes.plane[core]) for core in up.tolist()}) == 1


def test_uplinks_follow_from_the_switches_above_and_the_cables_to_each():
    """2 cables to each of 8 spines are 16 uplinks, 4 to each of the 2 cores of a plane 8; hosts have the others."""
    net = clos(pods=4, leaves_per_pod=24, spines_per_pod=8, cores=16, parallel={"leaf": 2, "spine": 4})
    assert ratios_by_role(net) == {"leaf": {Fraction(48, 16)}, "spine": {Fraction(48, 8)}}


def test_a_ratio_is_of_bandwidth():
    """3:1 with hosts at 100G on 400G uplinks: 48 hosts for 4 uplinks; the speed of NICs counts where it is known."""
    for net in (
        clos(tiers=2, speeds={"host": "100G"}, oversubscription={"leaf": "3:1"}),
        clos([HostGroup("g", tuple(f"g{i}" for i in range(96)), 1, 100.0)], oversubscription={"leaf": "3:1"}),
    ):
        assert ratios_by_role(net)["leaf"] == {Fraction(3)}


def test_switches_of_tiers_have_ports_and_speeds_of_their_own():
    """Leaves of 36 ports at 200G under spines of 16 at 400G: links between them at 200G, above at 400G."""
    net = clos(leaf={"radix": 36, "speed": "200G"}, spine={"radix": 16}, tiers=3, pods=2, leaves_per_pod=8)
    found = summarise(net)
    assert found.ports_available_by_role == {"leaf": 36, "spine": 16, "core": 64}
    assert found.port_gbps_by_tier == {"host-leaf": 200.0, "leaf-spine": 200.0, "spine-core": 400.0}
    assert ratios_by_role(net)["spine"] == {Fraction(1)}


SAID = {
    "larger pods": (
        {"tiers": 3, "endpoints": 1024, "oversubscription": {"spine": "7:1"}},
        '35 leaves where 32 would do: 7:1 of the spines needs a multiple of 7.*spine: "32:5" needs no more than 32',
    ),
    "hosts that leave ports": (
        {"tiers": 2, "endpoints": 60, "oversubscription": {"leaf": "3:1"}, "attach_order": "spread"},
        "leaves are 1.875:1 by the links that are there; 3:1 was asked for",
    ),
    "nearest below": (
        {"tiers": 3, "leaves_per_pod": 48, "oversubscription": {"spine": "7:1", "at_most": True}},
        "spines are 6.857:1 by the links that are there; at most 7:1 was asked for",
    ),
    "rounded": (
        {"tiers": 2, "hosts_per_leaf": 16, "oversubscription": {"leaf": 0.888}},
        "leaves are 1:1.125 .*1:1.126 was asked for",
    ),
    "cables of a tier": (
        {
            "tiers": 2,
            "endpoints": 96,
            "oversubscription": {"leaf": "3:1"},
            "cabling": {"leaf-spine": {"speed": "200G"}},
        },
        "leaves are 6:1 by the links that are there; 3:1 was asked for",
    ),
    "no third tier": ({"endpoints": 100, "oversubscription": {"spine": "3:1"}}, "oversubscription.spine is not used"),
}


@pytest.mark.parametrize(("keys", "words"), SAID.values(), ids=SAID)
def test_what_differs_from_what_was_asked_for_is_said(keys, words):
    notes = clos(**keys).said
    assert [note for note in notes if re.search(words, note)] == [notes[0]]


def test_nothing_is_said_where_all_is_as_asked_for():
    """48 down and 16 up."""
    assert clos(tiers=2, endpoints=96, oversubscription={"leaf": "3:1"}).said == ()


COUNTS = {"tiers": 3, "pods": 4, "hosts_per_leaf": 16}
REFUSED = {
    "ratio above the leaves": (
        {"tiers": 3, "leaves_per_pod": 48, "oversubscription": {"spine": "7:1"}},
        '7:1 of the spines cannot be built exactly with 48 leaves below: 48 down / 7 up is 6.857:1.*spine: "48:7" to '
        "take 48 down / 7 up.*leaves_per_pod: 49 makes 7:1",
    ),
    "ratio of the ports": (
        {"radix": 14, "oversubscription": {"leaf": 2.7}},
        r'2.7:1 of the leaves cannot be built exactly with 14 ports: 8 down / 3 up is 2.667:1.*leaf: "8:3"',
    ),
    "ratio of the hosts": (
        {"hosts_per_leaf": 16, "oversubscription": {"leaf": "3:1"}},
        'with 16 host ports: 16 down / 5 up is 3.2:1, 16 down / 6 up is 2.667:1.*leaf: "16:5"',
    ),
    "ratio and uplinks": (
        {"hosts_per_leaf": 16, "uplinks": {"leaf": 8}, "oversubscription": {"leaf": "3:1"}},
        '16 down / 8 up is 2:1 .*leaf: "2:1" to take',
    ),
    "spines that do not divide": (
        {**COUNTS, "leaves_per_pod": 8, "spines_per_pod": 6},
        r"spines_per_pod: 16 uplinks of a leaf do not spread evenly over 6 spines "
        r".*1, 2, 4, 8; or uplinks: \{leaf: 18\}",
    ),
    "cores that do not divide": (
        {**COUNTS, "leaves_per_pod": 8, "spines_per_pod": 16, "cores": 24, "planes": 8},
        "cores: 8 uplinks of a spine do not spread evenly over 24 cores",
    ),
    "planes that do not divide": (
        {**COUNTS, "leaves_per_pod": 8, "spines_per_pod": 16, "planes": 3},
        "planes: 16 spines of a pod do not split into 3 planes .*planes: 1, 2, 4, 8, 16 would",
    ),
    "a spine without the ports": (
        {**COUNTS, "leaves_per_pod": 40, "spines_per_pod": 16},
        "leaves_per_pod: a spine needs 40 ports down and 40 up, and has 64.*at most 32 down",
    ),
    "a core without the ports": (
        {"radix": 8, "tiers": 3, "pods": 9, "leaves_per_pod": 4},
        "pods: a core joins 9 pods by 9 ports or more, and has 8.*at most 8 pods fit",
    ),
    "a leaf without the ports": (
        {"hosts_per_leaf": 40, "uplinks": {"leaf": 30}},
        "hosts_per_leaf: a leaf needs 70 ports but has 64",
    ),
    "only uplinks": ({"uplinks": {"leaf": 64}}, "64 uplinks of a leaf leave no port of 64 down"),
    "more hosts than the counts": (
        {**COUNTS, "leaves_per_pod": 2, "endpoints": 1000},
        "the counts asked for hold 8 leaves, 128 endpoints",
    ),
    "keys of other tiers": (
        {"tiers": 2, "oversubscription": {"spine": "3:1"}, "core": {"radix": 8}, "uplinks": {"superspine": 1}},
        "core changes nothing: 2 tiers have no cores.*oversubscription.spine changes nothing",
    ),
    "counts of other tiers": ({"tiers": 3, "zones": 2}, "zones changes nothing: 3 tiers have none.*set tiers: 4"),
    "a link faster than its ports": (
        {"tiers": 2, "speeds": {"leaf": "800G"}},
        "speeds.leaf is 800G but the ports of a leaf run at 400G",
    ),
    "a switch of no known speed": (
        {"speed": None, "leaf": {"radix": 8}, "tiers": 2},
        "leaf.speed: the speed of the switches is not known",
    ),
}


@pytest.mark.parametrize(("keys", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_is_refused_with_the_nearest(keys, message):
    with pytest.raises(TopologyError, match=message):
        clos(**keys)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_hint_taken_is_built(ratio):
    """What a refusal offers for a ratio is accepted, and is what the graph has."""
    keys = {"tiers": 3, "leaves_per_pod": 44, "pods": 2, "oversubscription": {"spine": ratio}}
    try:
        net = clos(**keys)
    except TopologyError as error:
        hint = error.problems[0].hint
        if 'spine: "' not in hint:
            assert "at most" in hint
            return
        offered = hint.split('spine: "')[1].split('"')[0]
        net = clos(**{**keys, "oversubscription": {"spine": offered}})
        ratio = offered
    asked = TOPOLOGIES["clos"].model.model_validate(
        {"kind": "clos", "radix": 64, "speed": "400G", "oversubscription": {"spine": ratio}}
    )
    assert ratios_by_role(net)["spine"] == {exact(asked.oversubscription.spine)}
