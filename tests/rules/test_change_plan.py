"""Changes of tables: all rounds give the new tables, and no packet is lost or loops on the way."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rule_cases import exported, planned_rules

from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.change_plan import Round, plan_change
from fabric.rules.changes import bundle_line, read_tables_of
from fabric.rules.errors import RuleError
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.rules.table import Group, Rule
from fabric.rules.trace import Tracer
from fabric.rules.verify.check import first_tables, walk_all
from fabric.rules.verify.rows import cut_rows
from fabric.rules.verify.tables import ReadTables
from fabric.scenario.load import load_scenario
from topologies.columns import column

ROOT = Path(__file__).resolve().parents[2]


def equal_parts(weights):
    return [weight / sum(weights) for weight in weights]


def apply_round(tables, part, only=None):
    """Tables after a round, or after some switches have taken it."""
    found = dict(tables)
    by_switch = {}
    for step in part.steps:
        if only is None or step.switch in only:
            by_switch.setdefault(step.switch, []).append(step)
    for name, steps in by_switch.items():
        table = found[name]
        rules = {(rule.priority, rule.match): rule for rule in table.rules}
        groups = {group.id: group for group in table.groups}
        for step in steps:
            if isinstance(step.what, Rule):
                key = (step.what.priority, step.what.match)
                if step.verb == "delete":
                    rules.pop(key, None)
                else:
                    rules[key] = step.what
            elif step.verb == "delete":
                groups.pop(step.what.id, None)
            else:
                groups[step.what.id] = step.what
        ordered = sorted(rules.values(), key=lambda rule: (-rule.priority, rule.match))
        found[name] = replace(table, rules=tuple(ordered), groups=tuple(sorted(groups.values())))
    return found


def tables_of(planned):
    return {table.name: table for table in planned.rules.tables()}


def wan(router, *down):
    """Tables of Abilene: no tree, so orders matter."""
    loaded = load_scenario(str(ROOT / "examples" / "abilene.fabric.yaml"), overrides=[])
    return plan_tables(prepare(loaded, RouteRequest(router=router, down=down)), TablesRequest())[0]


def intact(plan):
    """The plan of the fabric without failures: what is down in old or new tables is only not used by them."""
    up = column(np.ones(len(plan.topology.up)), np.bool_)
    return replace(plan, topology=replace(plan.topology, up=up))


def broken(plan, tables):
    """Endpoints that some source does not reach, or reaches in cycles."""
    read = ReadTables(plan)
    for name, table in tables.items():
        read.add(plan.topology.node(name), (4,), table.rules, table.groups, equal_parts)
    rows, _ = cut_rows(read, 0)
    _, _, loops, lost = walk_all(read, rows, first_tables(read), ())
    bad = [row for row in range(len(rows.pieces)) if loops[row] or lost[row]]
    return [piece.endpoint for row in bad for piece in rows.pieces[row] if loops[row] or piece.endpoint >= 0]


def two_failures():
    """One cable of the wide area is repaired while another one fails: ways turn round."""
    return wan("ecmp", "link=Houston:Atlanta"), wan("ecmp", "link=Indianapolis:Chicago")


PAIRS = {
    "one cable is repaired, another fails": lambda _: two_failures(),
    "a link fails": lambda tmp: (
        planned_rules(tmp, "leaf-spine", "ecmp"),
        planned_rules(tmp, "leaf-spine", "wcmp", down=("link=leaf0:spine0#1",)),
    ),
    "a switch leaves": lambda tmp: (
        planned_rules(tmp, "fat-tree", "ecmp"),
        planned_rules(tmp, "fat-tree", "ecmp", down=("pod0/agg0",)),
    ),
    "another router": lambda tmp: (
        planned_rules(tmp, "fat-tree", "single-path"),
        planned_rules(tmp, "fat-tree", "optimal"),
    ),
    "the wide area is optimised": lambda _: (wan("single-path"), wan("optimal")),
    "a cable of the wide area fails": lambda _: (wan("ecmp"), wan("ecmp", "link=Denver:KansasCity")),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("forth", [True, False])
def test_all_rounds_give_the_new_tables_and_nothing_is_lost_between(tmp_path, name, forth):
    """Inside every round switches take their steps in a random order; after each, all sources reach all endpoints."""
    first, second = PAIRS[name](tmp_path)
    plan = intact(first.plan)
    old, new = (tables_of(first), tables_of(second)) if forth else (tables_of(second), tables_of(first))
    change = plan_change(plan, old, new, families=(4,), parts=equal_parts)
    rng = random.Random(1)
    ends = set(broken(plan, old)) | set(broken(plan, new))
    tables = dict(old)
    for part in change.rounds:
        switches = sorted({step.switch for step in part.steps})
        rng.shuffle(switches)
        for switch in switches:
            tables = apply_round(tables, part, {switch})
            assert set(broken(plan, tables)) <= ends, (part.title, switch)
    assert {key: (table.rules, table.groups) for key, table in tables.items()} == {
        key: (table.rules, table.groups) for key, table in new.items()
    }


def test_the_wide_area_needs_an_order():
    """Old and new ways to some destination make a cycle, so there is leading around; without it some order of the
    switches loses packets."""
    first, second = two_failures()
    old, new = tables_of(first), tables_of(second)
    change = plan_change(first.plan, old, new, families=(4,), parts=equal_parts)
    assert change.ordered > 0
    assert any(part.title.startswith("lead around") for part in change.rounds)
    plain = [part for part in change.rounds if "around" not in part.title]
    lost = False
    for seed in range(30):
        tables, rng = dict(old), random.Random(seed)
        for part in plain:
            switches = sorted({step.switch for step in part.steps})
            rng.shuffle(switches)
            for switch in switches:
                tables = apply_round(tables, part, {switch})
                lost = lost or bool(broken(intact(first.plan), tables))
    assert lost


def test_a_tree_needs_none(tmp_path):
    """Old and new next hops of a Clos are both upwards, then downwards."""
    first, second = PAIRS["a link fails"](tmp_path)
    change = plan_change(first.plan, tables_of(first), tables_of(second), families=(4,), parts=equal_parts)
    assert change.affected > 0
    assert change.ordered == 0


def test_a_switch_that_leaves_changes_last(tmp_path):
    """An aggregation switch of a fat tree goes: its own rules go after all others', and the way back tells it first.

    Only towards its own pod is there an order: its core switches must turn back to aggregation switches that still
    send up to them.
    """
    first, second = PAIRS["a switch leaves"](tmp_path)
    old, new = tables_of(first), tables_of(second)
    forth = plan_change(first.plan, old, new, families=(4,), parts=equal_parts)
    assert forth.ordered == 2
    ceasing = [part for part in forth.rounds if part.title.endswith("that cease")]
    assert {step.switch for part in ceasing for step in part.steps} == {"pod0/agg0"}
    back = plan_change(first.plan, new, old, families=(4,), parts=equal_parts)
    plain = [part.title for part in back.rounds if "around" not in part.title]
    assert plain[:2] == ["add groups", "add and change rules of switches that begin"]


def test_single_flows_leave_source_side_first_and_are_led_destination_side_first(tmp_path):
    """Pinned paths before and after a failure. At every moment every flow of either plan reaches its destination."""
    first = planned_rules(tmp_path, "leaf-spine", "pinned")
    second = planned_rules(tmp_path, "leaf-spine", "pinned", down=("link=leaf0:spine0#1", "link=leaf1:spine1#2"))
    old, new = tables_of(first), tables_of(second)
    change = plan_change(first.plan, old, new, families=(4,), parts=equal_parts)
    titles = [part.title for part in change.rounds]
    assert "leave single flows, step 1" in titles
    assert "lead single flows, step 1" in titles
    plan, tables, rng = intact(first.plan), dict(old), random.Random(2)
    flows = random.Random(3).sample([*first.flows, *second.flows], 60)
    for part in change.rounds:
        switches = sorted({step.switch for step in part.steps})
        rng.shuffle(switches)
        for at, switch in enumerate(switches):
            tables = apply_round(tables, part, {switch})
            if at % 2 and len(switches) > 2:
                continue
            tracer = Tracer(tables, plan, equal_parts)
            names = plan.topology.nodes.name
            for flow in flows:
                packet = tracer.packet(names[flow.src], names[flow.dst], src_port=flow.match.src_port)
                for entry in tracer.entries(names[flow.src]):
                    assert {one.end for one in tracer.trace_all(packet, entry).paths} == {"delivered"}, part.title
    assert {key: table.rules for key, table in tables.items()} == {key: table.rules for key, table in new.items()}


def test_equal_tables_need_nothing(tmp_path):
    """No round at all."""
    made = planned_rules(tmp_path, "fat-tree", "ecmp")
    assert plan_change(made.plan, tables_of(made), tables_of(made), families=(4,), parts=equal_parts).rounds == ()


def test_the_command_writes_rounds_that_read_back_as_the_steps(tmp_path):
    """``export --diff``: groups first, removals last; the way back beside it."""
    _, old = exported(tmp_path, "leaf-spine", out="old")
    _, new = exported(
        tmp_path, "leaf-spine", "--router", "wcmp", "--down", "link=leaf0:spine0#1", "--diff", str(old), out="new"
    )
    rounds = sorted(path.name for path in (new / "change" / "forth").iterdir() if path.is_dir())
    assert rounds[0] == "01-add-groups"
    assert rounds[-1].endswith("remove-groups")
    before, after = read_tables_of(old), read_tables_of(new)
    for name, table in before.items():
        rules = {(rule.priority, rule.match): rule for rule in table.rules}
        groups = {group.id: group for group in table.groups}
        for part in rounds:
            path = new / "change" / "forth" / part / f"{name}.bundle"
            for line in path.read_text().splitlines() if path.exists() else ():
                what, verb, rest = line.split(" ", 2)
                if what == "group" and verb == "delete":
                    groups.pop(int(rest.removeprefix("group_id=")))
                elif what == "group":
                    (group,) = parse_groups(rest, "x")
                    groups[group.id] = group
                elif verb == "delete_strict":
                    (rule,) = parse_rules(f"{rest},actions=drop", "x")
                    rules.pop((rule.priority, rule.match))
                else:
                    (rule,) = parse_rules(rest, "x")
                    rules[rule.priority, rule.match] = rule
        assert set(rules.values()) == set(after[name].rules)
        assert sorted(groups.values()) == list(after[name].groups)


def test_exports_of_different_fabrics_are_refused(tmp_path):
    """A switch that the fabric does not have."""
    made, other = planned_rules(tmp_path, "fat-tree", "ecmp"), planned_rules(tmp_path, "leaf-spine", "ecmp")
    with pytest.raises(RuleError, match="another fabric"):
        plan_change(made.plan, tables_of(other), tables_of(made), families=(4,), parts=equal_parts)


def test_an_order_of_rounds_is_needed():
    """A group is never removed before the rules that use it, nor used before it is there."""
    first, second = two_failures()
    change = plan_change(first.plan, tables_of(first), tables_of(second), families=(4,), parts=equal_parts)
    titles = [part.title for part in change.rounds]
    if titles[0] == "add groups":
        assert all(isinstance(step.what, Group) for step in change.rounds[0].steps)
    assert titles.index("add and change rules") < titles.index("remove rules") < titles.index("end leading around")
    assert isinstance(change.rounds[0], Round)
    assert all(bundle_line(step, 1).split()[0] in ("flow", "group") for part in change.rounds for step in part.steps)
