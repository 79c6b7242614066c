"""What exported tables do when links die: against every pair followed through the tables, and closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.failures.exported import ExportedEngine
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import EXPORTED
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import run_scenario
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.routing.tables.slot_table import slot_parts
from fabric.rules.dialect import DIALECTS
from fabric.rules.errors import RuleError
from fabric.rules.packet import Packet, find_rule
from fabric.rules.ports import Ports
from fabric.rules.table import LOCAL
from fabric.scenario.load import load_scenario
from topologies.columns import column
from topologies.errors import FabricError

FAT_TREE = "{kind: fat-tree, radix: 4, speed: 100G}"
SPINES = """
      kind: leaf-spine
      leaf: {count: 4, radix: 12, speed: 100G, down: 4, up: 8}
      spine: {count: 4, radix: 12, speed: 100G}"""
HPN = """
      kind: dual-plane
      segments: 2
      hosts_per_segment: 2
      gpus_per_host: 2
      port_speed: 200G
      tor_uplinks: 4
      uplink_speed: 400G
      aggs_per_plane: 4"""
SCENARIO = """
version: 1
name: small
fabrics:
  main:
    topology: {topology}
    routing: {{router: {router}}}
{nodes}workloads:
  - {{id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}}
"""
SECOND = "  - {id: near, kind: stride, fabric: main, step: 3, rate: 50 Gb/s}\n"
NODES = "nodes:\n  - {group: hosts, count: 16, nics: {main: {speed: 100G}}}\n"


def scenario(folder: Path, topology: str, router: str, *, second: bool = False) -> Path:
    """A scenario of one job or two as a file."""
    path = folder / "small.fabric.yaml"
    nodes = NODES if topology == SPINES else ""
    text = SCENARIO.format(topology=topology, router=router, nodes=nodes) + (SECOND if second else "")
    path.write_text(text, encoding="utf-8")
    return path


def phases(path: Path) -> tuple[SweepPhase, ...]:
    """Its phases, routed intact."""
    return sweep_phases(run_scenario(load_scenario(str(path)), RouteRequest(draws=1)))


def parts_of(topology) -> tuple[Part, ...]:
    """Every cable and every switch."""
    links = topology.links
    parts = []
    for link in np.flatnonzero(topology.is_cable).tolist():
        both = column(sorted({link, int(links.reverse[link])} - {-1}), np.int32)
        parts.append(Part("link", topology.link_name(link), {"main": both}))
    for node in np.flatnonzero(topology.is_switch).tolist():
        own = column(np.flatnonzero((links.src == node) | (links.dst == node)), np.int32)
        parts.append(Part("switch", topology.nodes.name[node], {"main": own}))
    return tuple(parts)


class Follower:
    """Follows every pair of endpoints through the tables of all switches, packet by packet."""

    def __init__(self, path: Path, dialect: str, dead: np.ndarray) -> None:
        entry = DIALECTS[dialect]
        loaded = load_scenario(str(path))
        tables = TablesRequest(carrier=entry.carrier, hash_seeds=entry.seeds)
        (made,) = plan_tables(prepare(loaded, RouteRequest()), tables)
        self.plan, self.failover, self.carrier = made.plan, entry.failover, entry.carrier
        self.topology = made.plan.topology
        self.ports = Ports(self.topology)
        self.tables = {node: made.rules.make(node) for node in made.rules.nodes}
        self.up = self.topology.up.copy()
        self.up[dead] = False

    def _buckets(self, node: int, packet: Packet) -> list[tuple[int, float]]:
        """(port, part) of a switch for a packet."""
        rule = find_rule(self.tables[node].rules, packet)
        if rule is None or rule.action.kind == "drop":
            return []
        if rule.action.kind == "output":
            return [(rule.action.value, 1.0)]
        (group,) = [one for one in self.tables[node].groups if one.id == rule.action.value]
        weights = [bucket.weight for bucket in group.buckets]
        live = [bool(self.up[self.ports.link(node, bucket.port)]) for bucket in group.buckets]
        if self.failover == "lost" or not any(live):
            live = [True] * len(weights)
        if self.carrier == "slots":
            parts = slot_parts(weights, live=live)
        else:
            total = sum(weight for weight, alive in zip(weights, live, strict=True) if alive)
            parts = tuple(weight / total if alive else 0.0 for weight, alive in zip(weights, live, strict=True))
        return [(bucket.port, part) for bucket, part in zip(group.buckets, parts, strict=True)]

    def follow(self, src: int, dst: int) -> tuple[dict[int, float], float]:
        """Part of a pair's traffic on every link, and what of it arrives."""
        topology, links = self.topology, self.topology.links
        ways = [int(link) for link in self.ports.links(src) if self.up[link]]
        back = [int(links.reverse[link]) for link in self.ports.links(dst)]
        loads: dict[int, float] = {}
        if not ways or not self.up[back].any():
            return loads, 0.0
        packet = Packet(4, self.plan.address(4, src), self.plan.address(4, dst), src_port=49152, dst_port=4791)
        arrived = 0.0
        stack = [(link, 1 / len(ways)) for link in ways]
        while stack:
            link, part = stack.pop()
            if not self.up[link] or part == 0:
                continue
            loads[link] = loads.get(link, 0.0) + part
            node = int(links.dst[link])
            if not topology.nodes.forwards[node]:
                assert node == dst
                arrived += part
                continue
            for port, share in self._buckets(node, packet):
                assert port != LOCAL
                stack.append((self.ports.link(node, port), part * share))
        return loads, arrived

    def carried(self, phase: SweepPhase) -> tuple[np.ndarray, int]:
        """Load of every link, Gbps, and pairs of which something is lost."""
        total, hit = np.zeros(len(self.topology.links)), 0
        for pair in phase.intact.routed.pairs:
            for src, dst, amount in zip(*pair.flows.rows(), strict=True):
                loads, arrived = self.follow(int(src), int(dst))
                hit += arrived < 1 - 1e-9
                for link, part in loads.items():
                    total[link] += part * amount * pair.gbps_per_unit
        return total, hit


@pytest.mark.parametrize(
    ("topology", "router", "dialect"),
    [
        (FAT_TREE, "ecmp", "ovs"),
        (FAT_TREE, "wcmp", "static"),
        (FAT_TREE, "single-path", "faucet"),
        (FAT_TREE, "ftree", "opensm"),
        (SPINES, "wcmp", "ovs"),
        (SPINES, "ecmp", "static"),
        (HPN, "ecmp", "ovs"),
        (HPN, "wcmp", "static"),
    ],
)
def test_loads_and_losses_are_those_of_every_pair_followed_through_the_tables(topology, router, dialect, tmp_path):
    """Random cases of one to three parts, every phase: all links to rounding, and the pairs that lose something."""
    path = scenario(tmp_path, topology, router, second=True)
    rng = np.random.default_rng(3)
    for phase in phases(path):
        engine = engine_of(phase, EXPORTED, dialect)
        assert isinstance(engine, ExportedEngine)
        parts = parts_of(phase.topology)
        chosen = [rng.choice(len(parts), size, replace=False) for size in (1, 1, 2, 2, 3)]
        start = np.cumsum([0, *(len(one) for one in chosen)])
        cases = Cases("some", parts, column(start, np.int64), column(np.concatenate(chosen), np.int32), 5, 0)
        damage = damage_of(cases, "main")
        answers = engine.outcomes(damage, LinkWorst.empty(len(phase.topology.links)))
        for case in range(len(cases)):
            loads, hit = Follower(path, dialect, damage.of(case)[0]).carried(phase)
            _, carried = engine.carried(damage, case)
            np.testing.assert_allclose(carried.link_gbps.sum(axis=1), loads, atol=1e-9)
            assert answers.unreachable_pairs[case] == hit
            assert answers.cut[case].any() == (hit > 0)


@pytest.mark.parametrize(("dialect", "factor"), [("static", 8 / 7), ("ovs", 2.0)])
def test_an_uplink_of_eight_takes_its_part_or_all_of_it_to_its_neighbour(dialect, factor, tmp_path):
    """Linux divides what is left by the weights, 8 / 7; Open vSwitch gives the slots of a dead bucket to the next."""
    (phase, *_) = phases(scenario(tmp_path, SPINES, "ecmp"))
    engine, topology = engine_of(phase, EXPORTED, dialect), phase.topology
    leaf = topology.node("leaf0")
    up = np.flatnonzero((topology.links.src == leaf) & (topology.direction > 0))
    dead = Part("link", "uplink", {"main": column(np.sort([up[0], topology.links.reverse[up[0]]]), np.int32)})
    after = engine.utilisation(damage_of(Cases.single((dead,)), "main"), 0)[up]
    before = engine.phase.intact.utilisation[up]
    assert after.max() == pytest.approx(factor * before.max())
    assert after[0] == 0


def test_what_comes_down_to_a_dead_link_is_lost_where_bgp_would_go_round(tmp_path):
    """An edge switch of two hosts loses one of two uplinks: from 12 hosts of other pods and 2 of its own a half is
    lost at the aggregation switch, 28 pairs; converged none."""
    phase = phases(scenario(tmp_path, FAT_TREE, "ecmp"))[0]
    topology = phase.topology
    link = int(
        np.flatnonzero(
            (topology.links.src == topology.node("pod0/edge0")) & (topology.links.dst == topology.node("pod0/agg0"))
        )[0]
    )
    cut = Part("link", "uplink", {"main": column(sorted([link, int(topology.links.reverse[link])]), np.int32)})
    damage = damage_of(Cases.single((cut,)), "main")
    for dialect, lost in (("ovs", 28), ("static", 28), ("onos", 56), ("frr", 0), ("sonic", 0)):
        engine = engine_of(phase, EXPORTED, dialect)
        answers = engine.outcomes(damage, LinkWorst.empty(len(topology.links)))
        assert answers.unreachable_pairs[0] == lost, dialect
        assert answers.cut[0].any() == (lost > 0)


def test_damage_on_top_of_damage_is_both_at_once(tmp_path):
    """The second failure of a pair, after the first has happened."""
    phase = phases(scenario(tmp_path, FAT_TREE, "ecmp"))[0]
    parts = parts_of(phase.topology)
    both = Cases("pair", (parts[20], parts[-1]), column([0, 2], np.int64), column([0, 1], np.int32), 1, 2)
    engine = engine_of(phase, EXPORTED, "ovs")
    together = engine.outcomes(damage_of(both, "main"), LinkWorst.empty(len(phase.topology.links)))
    single = damage_of(Cases.single((parts[20], parts[-1])), "main")
    apart = engine.damaged(single, 1).outcomes(single, LinkWorst.empty(len(phase.topology.links)))
    assert apart.unreachable_pairs[0] == together.unreachable_pairs[0]
    assert apart.max_utilisation[0] == together.max_utilisation[0]
    np.testing.assert_array_equal(
        engine.damaged(single, 1).utilisation(single, 0), engine.utilisation(damage_of(both, "main"), 0)
    )


def test_switches_that_hash_alike_are_polarised_before_and_after(tmp_path):
    """Nobody seeds the hash of OpenFlow 1.3 groups: links to the core carry 160 % or nothing, intact already."""
    phase = phases(scenario(tmp_path, FAT_TREE, "ecmp"))[0]
    engine = engine_of(phase, EXPORTED, "of13-json")
    (made,) = plan_tables(
        prepare(load_scenario(str(tmp_path / "small.fabric.yaml")), RouteRequest(phase=phase.phase)),
        TablesRequest(carrier="slots", hash_seeds="nobody"),
    )
    np.testing.assert_allclose(engine.phase.intact.link_gbps.sum(axis=1), made.programmed_gbps, atol=1e-9)
    none = damage_of(Cases("none", (), column([0, 0], np.int64), column([], np.int32), 1, 0), "main")
    np.testing.assert_array_equal(engine.utilisation(none, 0), engine.phase.intact.utilisation)


def test_a_dead_tor_of_a_dual_tor_pair(tmp_path):
    """Hosts of 8 NICs with 2 ports: one ToR is 1 of their 16 ports, so 1/16 of their bandwidth, and nobody is cut off
    where hosts and routes converge. Exported tables lose what the fabric still sends to that ToR."""
    topology = HPN.replace("gpus_per_host: 2", "gpus_per_host: 8")
    phase = phases(scenario(tmp_path, topology, "ecmp"))[0]
    fabric = phase.topology
    (tor,) = [part for part in parts_of(fabric) if part.name == "unit0/rail0/tor0"]
    damage = damage_of(Cases.single((tor,)), "main")
    links = fabric.links
    host = np.array([name.startswith("unit0/h0.") for name in fabric.nodes.name])
    access = np.flatnonzero(host[links.src])
    assert len(access) == 16
    left = 1 - np.isin(access, damage.of(0)[0]).sum() / len(access)
    assert left == 15 / 16
    worst = LinkWorst.empty(len(links))
    converged = PlainEngine(phase).outcomes(damage, worst)
    assert converged.unreachable_pairs[0] == 0
    assert converged.peak[0].max() == pytest.approx(2.0)  # the port that its NICs have left
    assert engine_of(phase, EXPORTED, "frr").outcomes(damage, worst).unreachable_pairs[0] == 0
    assert engine_of(phase, EXPORTED, "static").outcomes(damage, worst).unreachable_pairs[0] > 0


def test_what_cannot_be_said_is_refused_with_a_way_out(tmp_path, monkeypatch):
    """No dialect, an unknown one, one that does not say, one that cannot carry the router, single flows."""
    phase = phases(scenario(tmp_path, FAT_TREE, "ecmp"))[0]
    with pytest.raises(RuleError, match=r"none is named .*--dialect NAME, one of faucet, frr"):
        engine_of(phase, EXPORTED)
    with pytest.raises(FabricError, match="did you mean 'ovs'"):
        engine_of(phase, EXPORTED, "ovss")
    with pytest.raises(RuleError, match=r"divides traffic over 2 ports.*ftree"):
        engine_of(phase, EXPORTED, "opensm")
    with pytest.raises(RuleError, match="pins single flows"):
        engine_of(replace(phase, router="pinned"), EXPORTED, "ovs")
    with pytest.raises(FabricError, match="adaptive"):
        engine_of(replace(phase, router="adaptive"), EXPORTED, "ovs")
    monkeypatch.setattr(DIALECTS, "find", lambda name: replace(DIALECTS[name], failover=None))
    with pytest.raises(RuleError, match=r"does not say what its tables do .*frr"):
        engine_of(phase, EXPORTED, "ovs")
