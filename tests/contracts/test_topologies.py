"""What every registered topology builder promises, on its own example; a new builder is covered unasked."""

from __future__ import annotations

import inspect

import networkx as nx
import numpy as np
import pytest

from topologies import fabric_size
from topologies.builder import TOPOLOGIES
from topologies.networkx_adapter import from_networkx, to_networkx
from topologies.validate import validate

ENTRIES = list(TOPOLOGIES)
EVERY = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
NODE_COLUMNS = ("role", "level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards")
LINK_COLUMNS = ("src", "dst", "capacity_gbps", "weight", "tier", "reverse", "src_ports", "length_m", "delay_us")


def built(entry):
    return entry(dict(entry.example))


def facts_of(entry):
    """The closed form for the example, with the keys as the builder's schema reads them."""
    return fabric_size.facts_of(entry, entry.model.model_validate({"kind": entry.name, **entry.example}))


def cables_of(net, tier):
    """Cables of a tier, counted from both directions so that a lost one shows."""
    return np.count_nonzero(net.links.tier == net.tiers.index(tier)) / 2


@EVERY
def test_the_example_is_valid_and_the_docstring_says_what_it_builds(entry):
    """What the docs show is accepted by the schema, and the summary is a sentence."""
    entry.model.model_validate({"kind": entry.name, **entry.example})
    assert entry.summary.endswith(".")
    assert entry.facts is not None


@EVERY
def test_every_parameter_is_described(entry):
    """A scenario key without a description would be blank in ``--help`` and the docs."""
    fields = {name: field for name, field in entry.model.model_fields.items() if name != "kind"}
    assert [name for name, field in fields.items() if not field.description] == []


@EVERY
def test_endpoints_and_switches_equal_the_closed_form(entry):
    """Counts by columns: NIC ports of endpoints, and nodes that forward."""
    net, facts = built(entry), facts_of(entry)
    assert int(net.nodes.nics.sum()) == facts.endpoints
    assert int(net.is_switch.sum()) == facts.switches
    assert len(net.nodes) == facts.switches + len(net.endpoint_nodes) + facts.other_nodes


@EVERY
def test_cables_and_gbps_of_every_tier_equal_the_closed_form(entry):
    """Right counts at wrong speeds are caught by the Gbps, in both directions."""
    net, facts = built(entry), facts_of(entry)
    assert set(net.tiers) == set(facts.cables_by_tier) == set(facts.tier_gbps)
    level, links = net.nodes.level, net.links
    for tier in net.tiers:
        assert cables_of(net, tier) == facts.cables_by_tier[tier]
        mine = links.tier == net.tiers.index(tier)
        if (level[links.dst[mine]] == level[links.src[mine]]).all():
            assert links.capacity_gbps[mine].sum() == pytest.approx(2 * facts.tier_gbps[tier])
            continue
        for way in (level[links.dst] > level[links.src], level[links.dst] < level[links.src]):
            assert links.capacity_gbps[mine & way].sum() == pytest.approx(facts.tier_gbps[tier])


@EVERY
def test_ports_stay_within_the_radix_of_every_switch(entry):
    """Counted from the links, half ports of breakouts included; the maximum equals the closed form."""
    net, facts = built(entry), facts_of(entry)
    used = np.zeros(len(net.nodes))
    np.add.at(used, net.links.src, net.links.src_ports)
    known = net.nodes.radix > 0
    assert (used[known] <= net.nodes.radix[known]).all()
    if facts.ports_used_max is not None:
        assert used[net.is_switch].max() == facts.ports_used_max


@EVERY
def test_every_link_has_its_other_direction(entry):
    """Same cable, same ends swapped, same capacity, and back again."""
    links = built(entry).links
    assert (links.reverse >= 0).all()
    np.testing.assert_array_equal(links.src, links.dst[links.reverse])
    np.testing.assert_array_equal(links.capacity_gbps, links.capacity_gbps[links.reverse])
    np.testing.assert_array_equal(links.tier, links.tier[links.reverse])
    np.testing.assert_array_equal(links.reverse[links.reverse], np.arange(len(links)))


@EVERY
def test_endpoints_do_not_forward_and_are_attached_to_switches(entry):
    """Traffic of others never crosses a host, but in server-centric networks, where hosts may be cabled to hosts."""
    net = built(entry)
    ends = net.nodes.nics > 0
    forward = facts_of(entry).hosts_forward
    assert (net.nodes.forwards[ends] == forward).all()
    assert forward or net.is_switch[net.links.dst[ends[net.links.src]]].all()
    assert (np.bincount(net.links.src, minlength=len(net.nodes))[ends] == net.nodes.nics[ends]).all()


@EVERY
def test_links_join_neighbouring_levels(entry):
    """A tier lies between two levels and all of it between the same two roles, or all of it inside one level."""
    net = built(entry)
    links, nodes = net.links, net.nodes
    step = np.abs(nodes.level[links.src] - nodes.level[links.dst])
    assert (step <= 1).all()
    for tier in range(len(net.tiers)):
        assert len(set(step[links.tier == tier].tolist())) == 1
    for tier in range(len(net.tiers)):
        mine = (links.tier == tier) & (nodes.level[links.src] < nodes.level[links.dst])
        ends = {
            (net.roles[nodes.role[a]], net.roles[nodes.role[b]])
            for a, b in zip(links.src[mine], links.dst[mine], strict=True)
        }
        if ends:
            assert ends == {tuple(net.tiers[tier].split("-"))}


@EVERY
def test_links_between_the_same_two_roles_spread_evenly(entry):
    """Every switch has the same number of cables to every switch of the level above that it reaches."""
    net = built(entry)
    rising = net.nodes.level[net.links.src] < net.nodes.level[net.links.dst]
    parallel = net.parallel_count[rising & net.is_switch[net.links.src]]
    lower = net.links.src[rising & net.is_switch[net.links.src]]
    for switch in np.unique(lower):
        assert len(set(parallel[lower == switch].tolist())) == 1


@EVERY
def test_two_builds_are_the_same_to_the_byte(entry):
    """Names, order and columns; what a report is compared by."""
    one, other = built(entry), built(entry)
    assert one.nodes.name == other.nodes.name
    assert len(set(one.nodes.name)) == len(one.nodes)
    assert (one.roles, one.tiers, one.name, one.kind) == (other.roles, other.tiers, other.name, other.kind)
    for key in NODE_COLUMNS:
        assert getattr(one.nodes, key).tobytes() == getattr(other.nodes, key).tobytes()
    for key in LINK_COLUMNS:
        assert getattr(one.links, key).tobytes() == getattr(other.links, key).tobytes()


@EVERY
def test_the_checks_find_nothing(entry):
    """Neither errors nor warnings, but for parts that are meant not to meet."""
    found, parts = validate(built(entry)), facts_of(entry).parts
    assert [problem.code for problem in found] == ([] if parts == 1 else ["FP3015"])
    assert parts == 1 or f"falls into {parts} parts" in found[0].message


@EVERY
def test_the_columns_cannot_be_written_to(entry):
    """A stage returns a new value; it never changes the topology."""
    net = built(entry)
    with pytest.raises(ValueError, match="read-only"):
        net.links.capacity_gbps[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        net.nodes.nics[0] = 1


@EVERY
def test_two_far_endpoints_reach_each_other_at_the_rate_of_their_access(entry):
    """NetworkX's maximum flow from the first endpoint to the last is the lesser of their access rates."""
    net = built(entry)
    graph = nx.DiGraph()
    for tail, head, gbps in zip(
        net.links.src.tolist(), net.links.dst.tolist(), net.links.capacity_gbps.tolist(), strict=True
    ):
        graph.add_edge(tail, head, capacity=graph.get_edge_data(tail, head, {"capacity": 0.0})["capacity"] + gbps)
    src = int(net.endpoint_nodes[0])
    dst = max(nx.descendants(graph, src) & set(net.endpoint_nodes.tolist()))
    access = [net.links.capacity_gbps[net.links.src == end].sum() for end in (src, dst)]
    assert nx.maximum_flow_value(graph, src, dst) == pytest.approx(min(access))


@EVERY
def test_networkx_and_back_keeps_everything(entry):
    """The adapter loses no column."""
    net = built(entry)
    back = from_networkx(to_networkx(net), name=net.name, kind=net.kind)
    assert back.nodes.name == net.nodes.name
    for key in NODE_COLUMNS:
        np.testing.assert_array_equal(getattr(back.nodes, key), getattr(net.nodes, key))
    for key in LINK_COLUMNS:
        np.testing.assert_array_equal(getattr(back.links, key), getattr(net.links, key))


@EVERY
def test_the_closed_form_takes_keys_of_the_builder(entry):
    """Parameters of ``facts`` are parameters of the builder, so that the two cannot drift apart."""
    ours = set(inspect.signature(entry.function).parameters)
    assert set(inspect.signature(entry.facts).parameters) <= ours
