"""A change in which a switch is missing: who keeps its table, and that no moment of it loses what was delivered."""

from __future__ import annotations

import random

import pytest
from rule_cases import SCENARIOS, exported, planned_rules
from test_change_plan import PAIRS, apply_round, broken, equal_parts, intact, tables_of

from fabric.rules.change_plan import circling, plan_change, take_steps
from fabric.rules.changes import read_tables_of
from fabric.rules.exported_fabric import exported_plan
from fabric.rules.manifest import read_manifest
from fabric.rules.partial_change import switches_that_keep

DIAMOND = "a link fails"  # 4 leaves, 2 spines: old and new tables lead through all of them


def partial_rounds(plan, old, new, missing):
    """Rounds with one switch missing, the switches that keep their tables, and the tables to be had at the end."""
    known = {name: table for name, table in old.items() if name != missing}
    kept = switches_that_keep(
        plan, known, new, changeable=list(known), unread=[missing], families=(4,), parts=equal_parts
    )
    target = {name: table if name in kept else new[name] for name, table in known.items()}
    change = plan_change(plan, known, target, families=(4,), parts=equal_parts, unread=[missing])
    return change.rounds, kept, {**target, missing: old[missing]}


@pytest.mark.parametrize("name", ["a link fails", "a switch leaves", "one cable is repaired, another fails"])
@pytest.mark.parametrize("forth", [True, False])
def test_with_any_switch_missing_no_moment_loses_what_was_delivered(tmp_path, name, forth):
    """The missing switch keeps its old table, which the change does not know; the others take steps in random order."""
    first, second = PAIRS[name](tmp_path)
    plan = intact(first.plan)
    old, new = (tables_of(first), tables_of(second)) if forth else (tables_of(second), tables_of(first))
    rng = random.Random(5)
    before = set(broken(plan, old))
    for missing in rng.sample(sorted(old), min(len(old), 6)):
        rounds, kept, target = partial_rounds(plan, old, new, missing)
        assert missing not in kept
        tables = dict(old)
        for part in rounds:
            switches = sorted({step.switch for step in part.steps})
            assert missing not in switches
            rng.shuffle(switches)
            for switch in switches:
                tables = apply_round(tables, part, {switch})
                assert set(broken(plan, tables)) <= before, (missing, part.title, switch)
        assert {key: table.rules for key, table in tables.items()} == {
            key: table.rules for key, table in target.items()
        }


def test_changing_all_that_answer_loses_packets_and_keeping_tables_does_not(tmp_path):
    """A repaired link: leaves would send to spine0 for leaf0 again, and spine0 would still send that back to a leaf."""
    failed = tables_of(planned_rules(tmp_path, "leaf-spine", "wcmp", down=("link=leaf0:spine0",)))
    whole = planned_rules(tmp_path, "leaf-spine", "wcmp")
    plan, new = intact(whole.plan), tables_of(whole)
    assert broken(plan, failed) == []
    naive = {**new, "spine0": failed["spine0"]}
    assert broken(plan, naive) != []
    assert circling(plan, naive, families=(4,), parts=equal_parts) != ()
    _, kept, target = partial_rounds(plan, failed, new, "spine0")
    assert {"leaf1", "leaf2", "leaf3"} <= kept
    assert broken(plan, target) == []


def test_a_missing_leaf_holds_back_only_what_its_own_packets_would_cross(tmp_path):
    """Everything about leaf1's own hosts ends at leaf1 whatever it has: the spines and the other leaves change."""
    failed = tables_of(planned_rules(tmp_path, "leaf-spine", "wcmp", down=("link=leaf0:spine0",)))
    whole = planned_rules(tmp_path, "leaf-spine", "wcmp")
    assert partial_rounds(intact(whole.plan), failed, tables_of(whole), "leaf1")[1] == frozenset()


def test_switches_that_dropped_everything_may_be_filled_while_one_is_missing(tmp_path):
    """First tables of empty switches: what they lead to the missing one was lost before."""
    whole = planned_rules(tmp_path, "leaf-spine", "ecmp")
    new = tables_of(whole)
    empty = {name: take_steps(table, ()) for name, table in new.items()}
    empty = {name: type(table)(name, table.datapath, 0, (), ()) for name, table in empty.items()}
    assert partial_rounds(intact(whole.plan), empty, new, "spine0")[1] == frozenset()


@pytest.mark.parametrize("name", ["a link fails", "one cable is repaired, another fails"])
def test_nothing_circles_at_any_prefix_of_the_steps_of_any_switch(tmp_path, name):
    """Rounds done, one switch half way through its messages of the next, the others before or after theirs."""
    first, second = PAIRS[name](tmp_path)
    plan, old, new = intact(first.plan), tables_of(first), tables_of(second)
    change = plan_change(plan, old, new, families=(4,), parts=equal_parts)
    rng = random.Random(11)
    tables = dict(old)
    for part in change.rounds:
        by_switch = {}
        for step in part.steps:
            by_switch.setdefault(step.switch, []).append(step)
        for half, steps in by_switch.items():
            mixed = dict(tables)
            for name_, others in by_switch.items():
                if name_ != half and rng.random() < 0.5:
                    mixed[name_] = take_steps(mixed[name_], others)
            for count in sorted(rng.sample(range(len(steps) + 1), min(4, len(steps) + 1))):
                mixed[half] = take_steps(tables[half], steps[:count])
                assert circling(plan, mixed, families=(4,), parts=equal_parts) == (), (part.title, half, count)
        for name_, steps in by_switch.items():
            tables[name_] = take_steps(tables[name_], steps)
    assert {key: (table.groups, table.rules) for key, table in tables.items()} == {
        key: (table.groups, table.rules) for key, table in new.items()
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fabric_of_an_export_is_the_one_of_the_scenario(tmp_path, name):
    """Ports, neighbours, offsets, prefixes and regions from the files of the folder, against the scenario's own."""
    planned = planned_rules(tmp_path, name, "ecmp", families=(4, 6))
    _, folder = exported(tmp_path, name, "--router", "ecmp", "--family", "both")
    found, plan = exported_plan(folder, read_manifest(folder)), planned.plan
    mine, theirs = found.topology, plan.topology
    assert sorted(mine.nodes.name) == sorted(theirs.nodes.name)
    rows = lambda one, ports: {  # noqa: E731
        (one.nodes.name[one.links.src[link]], int(ports.of_link[link])): one.nodes.name[one.links.dst[link]]
        for link in range(len(one.links))
    }
    from fabric.rules.ports import Ports

    assert rows(mine, Ports(mine)) == rows(theirs, Ports(theirs))
    for node, label in enumerate(theirs.nodes.name):
        other = mine.node(label)
        assert found.offset[other] == plan.offset[node]
        assert mine.nodes.forwards[other] == theirs.nodes.forwards[node]
    for family in (4, 6):
        for node in plan.node_at.tolist():
            address = plan.address(family, node)
            assert found.region(family, address, 32 if family == 4 else 128)[0] == plan.offset[node]
    tables = read_tables_of(folder)
    half = {key: tables[key] for key in list(tables)[::2]}
    empty = {key: type(table)(key, table.datapath, 0, (), ()) for key, table in half.items()}
    changes = [
        plan_change(one, {**tables, **empty}, tables, families=(4, 6), parts=equal_parts) for one in (found, plan)
    ]
    assert [(part.title, set(part.steps)) for part in changes[0].rounds] == [
        (part.title, set(part.steps)) for part in changes[1].rounds
    ]
