"""Loads where switches hash alike: against every hash value followed by hand, in reports, limits and exit codes."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from rule_cases import SCENARIOS, verdict_on

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.routing.tables.shared_hash import OWN, buckets_by_hash, choices_by_hash, sets_alike
from fabric.routing.tables.slot_table import slots
from fabric.rules.dialect import DIALECTS, read_switch
from fabric.rules.manifest import read_manifest
from fabric.rules.packet import Packet, find_rule
from fabric.rules.planned import PlannedRules
from fabric.scenario.load import load_scenario

FAT_TREE = """\
version: 1
name: ft4
fabrics:
  net:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: a2a, kind: all-to-all, fabric: net, size: 1 GB}
limits:
  - {fabric: net, metric: utilisation, max: 120 %}
  - {fabric: net, metric: links_over_capacity, tier: edge-aggregation, max: 0}
"""
PARALLEL = """\
version: 1
name: parallel
nodes:
  - {group: hosts, count: 6, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {count: 3, radix: 8, speed: 100G, down: 2, up: 6}
      spine: {count: 2, radix: 9, speed: 100G}
    routing: {router: wcmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""


def export(folder: Path, text: str, form: str, dialect: str, *words: str, code: int = 0) -> tuple[Path, Path]:
    """Scenario and folder of an export."""
    scenario, out = folder / "case.fabric.yaml", folder / dialect
    scenario.write_text(text, encoding="utf-8")
    command = ["export", form, str(scenario), "--dialect", dialect, "-o", str(out), "--force", *words]
    assert run(command) == code
    return scenario, out


def plan(folder: Path, text: str, **tables: object) -> PlannedRules:
    """Tables of a scenario's fabric."""
    scenario = folder / "plan.fabric.yaml"
    scenario.write_text(text, encoding="utf-8")
    request = TablesRequest(**tables)  # type: ignore[arg-type]
    return plan_tables(prepare(load_scenario(str(scenario)), RouteRequest()), request)[0]


def followed(made: PlannedRules, folder: Path) -> np.ndarray:
    """Gbps of links when every pair's traffic takes each value of one hash in turn, shape (L,)."""
    plan, ports, topology = made.plan, made.rules.ports, made.plan.topology
    tables = {}
    for entry in read_manifest(folder).switches:
        rules, groups = read_switch(DIALECTS[read_manifest(folder).dialect], folder, entry.file)
        tables[topology.node(entry.name)] = rules, {group.id: group.buckets for group in groups}
    loads = np.zeros(len(topology.links))
    every = [slots([one.weight for one in buckets]) for _, groups in tables.values() for buckets in groups.values()]
    values = max(len(table) for table in every)

    @cache
    def out_of(node: int, dst: int, value: int) -> int:
        rules, groups = tables[node]
        packet = Packet(4, plan.address(4, dst), plan.address(4, dst), src_port=50_000, dst_port=4791)
        action = find_rule(rules, packet).action
        if action.kind == "group":
            table = slots([bucket.weight for bucket in groups[action.value]])
            return ports.link(node, groups[action.value][table[value % len(table)]].port)
        return ports.link(node, action.value)

    for pair in made.pairs:
        for src, dst, amount in zip(*(row.tolist() for row in pair.flows.rows()), strict=True):
            for value in range(values):
                node = int(topology.links.dst[ports.link(src, 1)])
                while node != dst:
                    link = out_of(node, dst, value)
                    loads[link] += amount * pair.gbps_per_unit / values
                    node = int(topology.links.dst[link])
    return loads


@pytest.mark.parametrize("down", [(), ("--down", "link=pod1/agg0:core0")], ids=["whole", "damaged"])
def test_loads_are_those_of_every_hash_value_followed_by_hand(tmp_path, down):
    """A fat tree of radix 4, whose second tier chooses as the first did; rules and groups are read from the files."""
    text = FAT_TREE.partition("limits:")[0]
    _, out = export(tmp_path, text, "openflow", "of13-json", "-q", *down)
    with (out / "links.csv").open(newline="", encoding="utf-8") as file:
        said = np.array([float(row["programmed_gbps"]) for row in csv.DictReader(file)])
    made = plan(tmp_path, text)
    loads = followed(made, out)
    forwards = made.plan.topology.nodes.forwards
    inner = forwards[made.plan.topology.links.src] & forwards[made.plan.topology.links.dst]
    np.testing.assert_allclose(said[inner], loads[inner], atol=1e-6)
    assert said.max() == pytest.approx(160.0)


def test_parallel_links_behind_a_choice_of_spines_carry_what_is_followed_by_hand(tmp_path):
    """Six uplinks to two spines, three links from a spine to each leaf: 6 ways and then 3, by one hash."""
    _, out = export(tmp_path, PARALLEL, "openflow", "of13-binary", "-q")
    made = plan(tmp_path, PARALLEL, hash_seeds="nobody")
    forwards = made.plan.topology.nodes.forwards
    inner = forwards[made.plan.topology.links.src] & forwards[made.plan.topology.links.dst]
    np.testing.assert_allclose(made.programmed_gbps[inner], followed(made, out)[inner], atol=1e-6)
    assert made.alike.gbps[inner].max() > made.separate_gbps[inner].max() * 1.2


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_methods_agree_on_every_fabric(tmp_path, name):
    """The decisions of the plan, and the rules in the files: hosts of several NICs, rails, parallel links, failures."""
    for dialect in ("of13-json", "of13-binary"):
        scenario, out = export(tmp_path, SCENARIOS[name], "openflow", dialect, "-q", "--family", "both")
        verdict = verdict_on(scenario, out)
        assert verdict.holds, verdict.findings
        assert verdict.found_max_utilisation == pytest.approx(verdict.programmed_max_utilisation)


def test_hosts_that_choose_make_the_tier_behind_them_polarise_only_where_switches_choose_twice(tmp_path):
    """Dual-homed storage: leaves choose a spine, and spines one of the two leaves of a host, by the same hash."""
    made = plan(tmp_path, SCENARIOS["dual-homed"].replace("[osd]", "[osd], attach_order: spread"))
    assert made.separate_utilisation == pytest.approx(1.2)
    assert made.alike_utilisation == pytest.approx(26 / 15)


def test_dialects_say_what_their_switches_will_have(tmp_path, capsys):
    """A limit of 120 %: 100 % with a basis each, 160 % without, in summary, manifest, verdict and exit code."""
    for form, dialect, seeds, worst, code in (
        ("openflow", "ovs", "tables", 1.0, 0),
        ("openflow", "of13-json", "nobody", 1.6, 1),
        ("openflow", "of13-binary", "nobody", 1.6, 1),
        ("openflow", "onos", "nobody", 1.6, 1),
        ("routes", "static", "files", 1.0, 0),
        ("routes", "frr", "files", 1.0, 0),
        ("routes", "sonic", "tiers", 1.0, 0),
    ):
        scenario, out = export(tmp_path, FAT_TREE, form, dialect, "--json", code=code)
        said = capsys.readouterr()
        (item,) = json.loads(said.out)["items"]
        assert item["programmed_max_utilisation"] == pytest.approx(worst)
        assert item["hash_seeds"] == seeds
        assert [limit["ok"] for limit in item["limits"]] == [code == 0, True]
        assert ("all switches hash alike" in said.err) is (code == 1)
        record = json.loads((out / "manifest.json").read_text())
        assert record["programmed_max_utilisation"] == pytest.approx(worst)
        assert record["hash"]["alike_max_utilisation"] == pytest.approx(1.6)
        assert record["hash"]["separate_max_utilisation"] == pytest.approx(1.0)
        if DIALECTS[dialect].read is not None:
            assert run(["verify", "rules", str(scenario), str(out), "--json"]) == code
            verdict = json.loads(capsys.readouterr().out)
            assert verdict["found_max_utilisation"] == pytest.approx(worst)
            assert verdict["planned_max_utilisation"] == pytest.approx(item["planned_max_utilisation"])
            assert [limit["ok"] for limit in verdict["limits"]] == [code == 0, True]


def test_draws_over_pairs_are_those_of_twelve_values(tmp_path):
    """Twelve differences of addresses decide a link to the core: k of them on it give 2 k / 12 of 160 Gbps.

    P(max(k, 12 - k) = 6) is 22.6 %, of 7 38.7 %, of 8 24.2 %, of 9 10.7 %.
    """
    made = plan(tmp_path, FAT_TREE, hash_seeds="nobody")
    k = made.alike.drawn / 1.6 * 6
    np.testing.assert_allclose(k, k.round(), atol=1e-9)
    assert np.median(k) == pytest.approx(7)
    assert 6 <= k.min() <= k.max() <= 12
    assert 10 <= (k.round() == 6).sum() <= 36  # of 100; five standard deviations would be 2 to 43


def test_seeds_that_are_gone_or_alike_are_what_verify_rules_goes_by(tmp_path, capsys):
    """Linux without its settings, and Open vSwitch with one basis in all groups: the loads are those of one hash."""
    scenario, out = export(tmp_path, FAT_TREE, "routes", "static", "-q")
    for path in (out / "sysctl").iterdir():
        path.write_text(re.sub(r"hash_seed = \d+", "hash_seed = 5", path.read_text()))
    assert verdict_on(scenario, out).found_max_utilisation == pytest.approx(1.6)
    for path in (out / "sysctl").iterdir():
        path.unlink()
    assert verdict_on(scenario, out).found_max_utilisation == pytest.approx(1.6)
    scenario, out = export(tmp_path, FAT_TREE, "openflow", "ovs", "-q")
    for path in (out / "switches").glob("*.groups"):
        path.write_text(re.sub(r"selection_method_param=\d+", "selection_method_param=5", path.read_text()))
    verdict = verdict_on(scenario, out)
    assert verdict.found_max_utilisation == pytest.approx(1.6)
    assert {finding.kind for finding in verdict.findings} == {"load"}
    capsys.readouterr()
    assert run(["verify", "rules", str(scenario), str(out)]) == 1
    assert "switches hash alike" in capsys.readouterr().out


def test_every_switch_gets_a_seed_of_its_own(tmp_path):
    """The sysctl files of 20 switches: 20 seeds, none 0; the basis of Open vSwitch's groups is the same number."""
    _, routes = export(tmp_path, FAT_TREE, "routes", "static", "-q")
    _, tables = export(tmp_path, FAT_TREE, "openflow", "ovs", "-q")
    seeds = {}
    for entry in read_manifest(routes).switches:
        seeds[entry.name] = DIALECTS["static"].read_seed(routes, entry.file)
    assert len(set(seeds.values())) == 20
    assert None not in seeds.values()
    for entry in read_manifest(tables).switches:
        assert DIALECTS["ovs"].read_seed(tables, entry.file) in (None, seeds[entry.name])


def test_a_push_without_bases_says_what_the_links_will_carry(tmp_path, capsys):
    """``--plain-groups --dry-run`` on an export of dialect ovs, whose own figure is that of separate bases."""
    _, out = export(tmp_path, FAT_TREE, "openflow", "ovs", "-q")
    capsys.readouterr()
    assert run(["push", str(out), "--switch", "pod0/edge0", "--dry-run", "--plain-groups"]) == 0
    assert "160.0 % of its capacity instead of 100.0 %" in capsys.readouterr().out


def test_sets_that_hash_alike_within_themselves_are_independent_of_each_other():
    """Four switches of two ways in two sets: the second of a set follows the first, whatever the other set does."""
    ways = [buckets_by_hash((1, 1), "slots")] * 4
    choice = choices_by_hash(np.arange(0, 9, 2), ways, [0, 0, 1, 1], "slots") - np.array([[0], [2], [4], [6]])
    assert (choice[0] == choice[1]).all()
    assert (choice[2] == choice[3]).all()
    assert (choice[0] == choice[2]).mean() == pytest.approx(0.5, abs=0.08)
    assert sets_alike([0, 0, 3, None]) == [0, 0, OWN, OWN]
