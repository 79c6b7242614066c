"""The proof that nothing passes between tenants, against packets that are simulated one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rule_cases import SCENARIOS, verdict_on
from tenant_cases import SHARED, Simulator, entries_of, packets_of, proof_of, tenant_file, tenant_rules

from fabric.cli.main import run
from fabric.rules.table import DROP, Action, Bucket, Match, Rule


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Three leaves of two hosts, two spines; two tenants across them, a service of both, and a host of none."""
    return tenant_rules(tmp_path_factory.mktemp("tenants"))


def test_exported_tables_keep_tenants_apart_and_their_own_together(planned):
    """6 access ports; 6 + 6 cables of 2 and 4 per leaf and 5 switches are the single failures covered."""
    proof = proof_of(planned, entries_of(planned))
    assert proof.holds, proof.findings
    assert (proof.tenants, proof.access_ports) == (("hospital", "bank", "storage", "unassigned"), 6)
    assert proof.failures == 6 + 3 * 4 + 5
    assert proof.shared == (("storage", ("hospital", "bank")),)


def test_without_the_rules_at_ports_every_pair_of_tenants_crosses(planned):
    """4 tenants; hospital-storage and bank-storage meet by design, so 4 of 6 pairs, both ways, are crossings."""
    bare = {
        node: ([rule for rule in rules if not rule.match.in_port], groups)
        for node, (rules, groups) in entries_of(planned).items()
    }
    proof = proof_of(planned, bare)
    pairs = {(one.src_tenant, one.dst_tenant) for one in proof.crossings}
    assert pairs == {
        (one, other)
        for one in ("hospital", "bank", "storage", "unassigned")
        for other in ("hospital", "bank", "storage", "unassigned")
        if one != other and {one, other} not in ({"hospital", "storage"}, {"bank", "storage"})
    }


def reproduced(planned, tables, crossing) -> bool:
    """Whether the simulator hands the packet of a counter-example to the host it names, along the hops it names."""
    topology = planned.plan.topology
    first = crossing.hops[0]
    simulator = Simulator(planned.plan, tables)
    got = simulator.receivers(crossing.packet, topology.node(first.switch), first.in_port)
    joined = all(one.to == two.switch for one, two in zip(crossing.hops, crossing.hops[1:], strict=False))
    return topology.node(crossing.dst) in got and joined and crossing.hops[-1].to == crossing.dst


def edited(tables, rng):
    """One random edit of one entry of one switch."""
    node = list(tables)[int(rng.integers(len(tables)))]
    rules, groups = tables[node]
    at = int(rng.integers(len(rules)))
    rule = rules[at]
    port = int(rng.integers(1, 7))
    kind = int(rng.integers(8))
    if kind == 0:
        del rules[at]
    elif kind == 1:
        rules[at] = rule._replace(action=Action("output", port))
    elif kind == 2:
        rules[at] = rule._replace(match=rule.match._replace(in_port=port))
    elif kind == 3 and rule.match.dst_bits > 26:
        bits = rule.match.dst_bits - 1
        rules[at] = rule._replace(
            match=rule.match._replace(dst_bits=bits, dst=rule.match.dst >> 32 - bits << 32 - bits)
        )
    elif kind == 4 and groups:
        group = groups[int(rng.integers(len(groups)))]
        changed = group._replace(buckets=(*group.buckets[:-1], Bucket(port, 1)))
        groups[groups.index(group)] = changed
    elif kind == 5:
        source = planned_source(rng)
        match = Match(4, 0, 0, *source, in_port=int(rng.integers(0, 3)))
        rules.insert(0, Rule(3000, match, Action("output", port), 1))
    elif kind == 6:
        rules[at] = rule._replace(action=DROP)
    else:
        rules[at] = rule._replace(priority=int(rng.integers(0, 3000)))


def planned_source(rng):
    """A source prefix and a protocol, to be matched by a rule."""
    bits = int(rng.integers(0, 33))
    address = int(rng.integers(0, 1 << 32)) >> (32 - bits) << (32 - bits)
    return address, bits, int(rng.choice([0, 6, 17]))


@pytest.mark.parametrize("seed", range(60))
def test_a_random_edit_keeps_isolation_or_is_reported_with_a_packet_that_crosses(planned, seed):
    """Brute force: packets to every address where a rule begins or ends, into every port, over every bucket."""
    rng = np.random.default_rng(seed)
    tables = entries_of(planned)
    edited(tables, rng)
    proof = proof_of(planned, tables)
    sources = [
        one._replace(src=rule.match.src, protocol=rule.match.protocol or 17)
        for rules, _ in tables.values()
        for rule in rules
        if rule.match.src_bits
        for one in packets_of(planned.plan, tables)
    ]
    packets = [*packets_of(planned.plan, tables), *sources]
    simulated = Simulator(planned.plan, tables).crossings(planned.rules.tenancy, packets)
    names = planned.rules.tenancy.names
    pairs = {(names.index(one.src_tenant), names.index(one.dst_tenant)) for one in proof.crossings}
    undecided = any(one.kind == "ambiguous" for one in proof.findings)
    assert undecided or simulated <= pairs  # none that exists is missed
    assert undecided or all(reproduced(planned, tables, one) for one in proof.crossings)  # and none is made up


def test_the_edits_of_the_property_both_keep_and_break_isolation(planned):
    """Else the test above would say nothing."""
    outcomes = set()
    for seed in range(60):
        tables = entries_of(planned)
        edited(tables, np.random.default_rng(seed))
        outcomes.add(bool(proof_of(planned, tables).crossings))
    assert outcomes == {True, False}


def test_no_single_failure_adds_a_crossing_to_those_of_the_intact_fabric(planned):
    """The argument of the proof, by brute force: 23 failures, with tables that hold and with tables that do not."""
    for broken in (False, True):
        tables = entries_of(planned)
        if broken:
            edited(tables, np.random.default_rng(7))
        simulator = Simulator(planned.plan, tables)
        packets = packets_of(planned.plan, tables)
        intact = simulator.crossings(planned.rules.tenancy, packets)
        for dead in simulator.failures():
            assert simulator.crossings(planned.rules.tenancy, packets, dead) <= intact
        names = planned.rules.tenancy.names
        said = {
            (names.index(one.src_tenant), names.index(one.dst_tenant)) for one in proof_of(planned, tables).crossings
        }
        assert said == intact


def test_rules_of_one_priority_that_disagree_are_found_and_not_followed(planned):
    """OpenFlow leaves open which of the two decides."""
    tables = entries_of(planned)
    node = next(iter(tables))
    match = Match(4, planned.plan.address(4, int(planned.plan.node_at[0])), 32)
    tables[node][0][:0] = [
        Rule(5000, match, DROP, 1),
        Rule(5000, match._replace(src_bits=0, protocol=17), Action("output", 1), 2),
    ]
    proof = proof_of(planned, tables)
    assert [one.kind for one in proof.findings] == ["ambiguous"]


def test_a_member_that_its_own_port_cuts_off_is_found(planned):
    """Isolation by dropping everything is no isolation of tenants."""
    tables = entries_of(planned)
    node = next(iter(tables))
    tables[node][0].insert(0, Rule(4000, Match(4, in_port=1), DROP, 1))
    assert {one.kind for one in proof_of(planned, tables).findings} == {"cut-off"}


def test_pinned_flows_do_not_pass_the_rules_at_ports(tmp_path):
    """A flow of one tenant has a rule of its own; a host of another that forges its source does not get it through."""
    text = SHARED + "workloads:\n  - {id: w, kind: uniform, members: a, fabric: main, size: 1 GB}\n"
    text = text.replace("a, count: 2", "a, count: 3").replace("b, count: 2", "b, count: 1")
    text = text.replace('"a[0],b[1]"', "a").replace('["a1", "b0"]', "b")
    made = tenant_rules(tmp_path, text, router="pinned")
    tables = entries_of(made)
    assert made.flows
    assert proof_of(made, tables).holds
    low = {
        node: ([rule._replace(priority=900) if rule.match.in_port else rule for rule in rules], groups)
        for node, (rules, groups) in tables.items()
    }
    proof = proof_of(made, low)
    assert not proof.holds
    assert {(one.src_tenant, one.dst_tenant, one.forged) for one in proof.crossings} == {("bank", "hospital", True)}
    assert all(reproduced(made, low, one) for one in proof.crossings)


MEMBERS = {
    "fat-tree": ("pod[0-1]/edge[0-1]/h0", "pod[0-3]/edge[0-1]/h1", 16),
    "dual-homed": ("osd[0-3],gpu[0,2,4]", "osd[4-7],gpu[1,3]", 24),
    "rails": ("gpu[0,3]", "gpu[1,2]", 32),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_tenants_hold_on_three_tiers_with_two_links_a_host_and_with_rails(tmp_path, name):
    """8 + 8 links of 16 hosts in a fat tree; 8 hosts of 2 links and 8 of 1; 8 hosts of 4 NICs."""
    one, other, ports = MEMBERS[name]
    text = SCENARIOS[name].split("workloads:")[0]
    text += f"tenants:\n  - {{name: one, members: '{one}'}}\n  - {{name: other, members: '{other}'}}\n"
    made = tenant_rules(tmp_path, text)
    proof = proof_of(made, entries_of(made))
    assert (proof.holds, proof.access_ports) == (True, ports)
    bare = {
        node: ([rule for rule in rules if not rule.match.in_port], groups)
        for node, (rules, groups) in entries_of(made).items()
    }
    assert len(proof_of(made, bare).crossings) == 6  # every two of three tenants, both ways


@pytest.mark.parametrize("dialect", ["ovs", "of13-json", "of13-binary"])
@pytest.mark.parametrize("family", ["4", "6", "both"])
def test_every_dialect_that_carries_tenants_is_proved_from_its_own_files(tmp_path, dialect, family):
    """Written, read back, followed."""
    path = tenant_file(tmp_path)
    out = tmp_path / "out"
    assert run(["export", "openflow", str(path), "--dialect", dialect, "--family", family, "-o", str(out), "-q"]) == 0
    verdict = verdict_on(path, out)
    assert verdict.holds
    assert verdict.isolation is not None
    assert verdict.isolation.access_ports == 6


@pytest.mark.parametrize(
    ("form", "dialect"),
    [("openflow", "onos"), ("openflow", "faucet"), ("routes", "static")],
)
def test_a_dialect_that_cannot_keep_tenants_apart_refuses_them(tmp_path, capsys, form, dialect):
    """Never dropped in silence."""
    path = tenant_file(tmp_path)
    code = run(["export", form, str(path), "--dialect", dialect, "-o", str(tmp_path / "out")])
    assert code == 3
    assert not (tmp_path / "out").exists()
    assert "FP8065" in capsys.readouterr().err


def test_an_edited_file_is_reported_with_the_packet_and_its_hops(tmp_path, capsys):
    """A rule at a port taken away: exit code 1, and the packet hop by hop with the rule at each."""
    path, out = tenant_file(tmp_path), tmp_path / "out"
    assert run(["export", "openflow", str(path), "-o", str(out), "-q"]) == 0
    flows = out / "switches" / "leaf0.flows"
    lines = flows.read_text().splitlines(keepends=True)
    flows.write_text("".join(line for line in lines if "in_port=1" not in line))
    assert run(["verify", "rules", str(path), str(out)]) == 1
    text = capsys.readouterr().out
    assert "crossing at" in text
    assert "leaf0 in by port 1: priority" in text


def test_more_than_63_tenants_are_followed_in_several_words(tmp_path):
    """70 tenants of one host: a crossing between the first and the last is found as any other."""
    text = SHARED.split("nodes:")[0].replace("count: 3", "count: 5").replace("radix: 6", "radix: 40")
    text = text.replace("down: 2, up: 4", "down: 14, up: 4")
    tenants = "".join(f"  - {{name: t{one}, members: h{one}}}\n" for one in range(70))
    text += f"nodes:\n  - {{group: h, count: 70, nics: {{main: {{speed: 100G}}}}}}\ntenants:\n{tenants}"
    made = tenant_rules(tmp_path, text)
    tables = entries_of(made)
    assert proof_of(made, tables).holds
    first, last = made.plan.topology.node("h0"), made.plan.topology.node("h69")
    leaf = next(iter(tables))
    match = Match(4, made.plan.address(4, last), 32, in_port=1)
    rules = tables[leaf][0]
    dst = next(rule for rule in rules if not rule.match.in_port and rule.action.kind == "group")
    rules.insert(0, Rule(5000, match, dst.action, 1))
    proof = proof_of(made, tables)
    assert [(one.src_tenant, one.dst_tenant) for one in proof.crossings] == [("t0", "t69")]
    assert first != last


def test_prefixes_at_ports_hold_all_that_is_denied_and_nothing_else():
    """Against every address of random plans."""
    from fabric.rules.tenants.deny import prefixes_between

    rng = np.random.default_rng(4)
    for _ in range(200):
        offset = np.sort(rng.choice(64, int(rng.integers(1, 30)), replace=False))
        denied = rng.random(len(offset)) < 0.5
        blocks = prefixes_between(offset, denied, 6)
        held = np.array([any(first <= one < first + (1 << bits) for first, bits in blocks) for one in offset])
        assert (held == denied).all()
        assert all(first % (1 << bits) == 0 for first, bits in blocks)


def test_the_tables_of_a_scenario_without_tenants_are_as_before(tmp_path):
    """Cookies and all."""
    text = SHARED.split("tenants:")[0]
    made = tenant_rules(tmp_path, text)
    with_them = tenant_rules(tmp_path)
    for node in made.rules.nodes:
        table = with_them.rules.make(node)
        plain = replace(table, rules=tuple(rule for rule in table.rules if not rule.match.in_port))
        assert plain == made.rules.make(node)


def test_probes_hit_the_rules_at_ports_and_all_others(planned):
    """One probe a rule, into the port that it asks for, or one that no rule asks for."""
    from fabric.rules.packet import find_rule
    from fabric.rules.probes import plan_probes

    for node in planned.rules.nodes:
        table = planned.rules.make(node)
        found = plan_probes(table, planned.plan)
        assert len(found.probes) + len(found.unreachable) == len(table.rules)
        assert not any(rule.match.in_port for rule in found.unreachable)
        for probe in found.probes:
            assert find_rule(table.rules, probe.packet, probe.in_port) == probe.rule


def test_a_trace_stops_at_the_port_of_a_tenant(tmp_path, capsys):
    """hospital to bank is dropped at the first switch; hospital to storage arrives."""
    path, out = tenant_file(tmp_path), tmp_path / "out"
    assert run(["export", "openflow", str(path), "-o", str(out), "-q"]) == 0
    capsys.readouterr()
    run(["rules", "trace", str(path), str(out), "a0", "b0"])
    assert "dropped" in capsys.readouterr().out
    assert run(["rules", "trace", str(path), str(out), "a0", "s0"]) == 0
    assert "delivered" in capsys.readouterr().out


def test_a_push_without_one_of_the_switches_is_refused(tmp_path, capsys):
    """What runs at the ports of a switch that is missing is not known."""
    path, out = tenant_file(tmp_path), tmp_path / "out"
    assert run(["export", "openflow", str(path), "-o", str(out), "-q"]) == 0
    switches = [f"--switch=leaf{at}=unix:{tmp_path}/none{at}" for at in range(3)]
    assert run(["push", str(out), "--partial", *switches]) == 3
    assert "FP8067" in capsys.readouterr().err


def test_tables_with_the_rules_of_tenants_that_do_not_fit_are_refused(tmp_path, capsys):
    """The rules at ports count: leaf0 needs more than without."""
    path = tenant_file(tmp_path)
    most = max(len(tenant_rules(tmp_path).rules.make(node).rules) for node in tenant_rules(tmp_path).rules.nodes)
    code = run(["export", "openflow", str(path), "--max-rules", str(most - 1), "-o", str(tmp_path / "out")])
    assert code == 3
    assert f"needs {most} rules and has {most - 1}" in capsys.readouterr().err
