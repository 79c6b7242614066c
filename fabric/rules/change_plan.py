"""From the tables that run to those that shall: adds, changes and removals in rounds that lose no packet.

Make before break. (1) New groups, which nothing uses yet; ids are hashes of the content, so no group ever changes. (2)
Single flows that go or take another path leave their rules, source side first: what falls back to the prefixes and
meets a rule still in place follows it to the end. (3) For addresses whose order matters (``transitions``), rules of
high priority with the new way, destination side first, a round per step. (4) All other rules are added or changed, then
those that are no more removed; first at switches that begin to have ways, last at those that cease to. (5) The rules of
(3) are removed: below them is the same way by now. (6) Single flows get their new rules, destination side first. (7)
Groups that nothing uses are removed. Rules at the ports of tenants are set before (1) and removed after (7), so that
in between both those of before and those of after hold. A barrier ends every round. The way back is the plan with the
ends exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from fabric.rules.address_line import Line, deciding_rules, on_line
from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.table import DROP, Action, Group, Match, Rule, SwitchTable, cookie_of
from fabric.rules.transitions import Detour, transition
from fabric.rules.verify.behaviour import Parts
from fabric.rules.verify.check import walk_all
from fabric.rules.verify.rows import cut_rows
from fabric.rules.verify.tables import ReadTables
from topologies.columns import Ints, column

DENY, LET = "keep tenants apart", "let go of former tenants"  # the first and the last round
DETOUR_PRIORITY = 600  # plus the prefix length: above every prefix, below single flows

Verb = Literal["add", "modify", "delete"]


class Step(NamedTuple):
    """One message to one switch."""

    switch: str
    verb: Verb
    what: Rule | Group


@dataclass(frozen=True)
class Round:
    """Steps that may be taken in any order; the next round begins when every switch has confirmed this one."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class ChangePlan:
    """Rounds without the empty ones, and figures for people."""

    rounds: tuple[Round, ...]
    affected: int  # sets of addresses that some switch treats otherwise than before
    ordered: int  # of them, those whose switches have to change in an order

    def count(self, verb: Verb, kind: type[Rule] | type[Group]) -> int:
        """Steps of one sort."""
        return sum(step.verb == verb and isinstance(step.what, kind) for part in self.rounds for step in part.steps)

    @property
    def switches(self) -> int:
        """Switches whose tables change."""
        return len({step.switch for part in self.rounds for step in part.steps})


def plan_change(
    plan: AddressPlan,
    old: Mapping[str, SwitchTable],
    new: Mapping[str, SwitchTable],
    *,
    families: Sequence[int],
    parts: Parts,
    unread: Sequence[str] = (),
) -> ChangePlan:
    """Rounds from ``old`` to ``new`` tables, by name of the switch.

    Parameters
    ----------
    plan : AddressPlan
        Of the fabric that both are for; links that are down need not be distinguished.
    parts : callable
        How switches turn weights into parts.
    unread : sequence of str
        Switches whose tables are not known and are not changed (``transitions``).

    Raises
    ------
    RuleError
        For switches that the fabric does not have.
    """
    unknown = [name for name in (*old, *new) if not plan.topology.has_node(name)]
    if unknown:
        raise RuleError(
            f"switch {unknown[0]!r} is of another fabric", hint="compare exports of one scenario", code="FP8050"
        )
    before, after = read_by_name(plan, old, families, parts), read_by_name(plan, new, families, parts)
    outside = [plan.topology.node(name) for name in unread]
    sources = _sources(plan, {*before.nodes, *after.nodes}, outside)
    temporary: list[dict[str, list[Rule]]] = []
    affected = ordered = 0
    first: set[int] = set()
    last: set[int] = set()
    for index, family in enumerate(families):
        found = transition(before, after, index, sources, outside)
        affected += found.affected
        ordered += len(found.detours)
        first |= found.first
        last |= found.last
        for (step, name), spans in _led_around(plan, family, found.detours, new).items():
            while len(temporary) <= step:
                temporary.append({})
            rules = (rule for low, high, action in spans for rule in _temporary(plan, family, low, high, action))
            temporary[step].setdefault(name, []).extend(rules)
    names = plan.topology.nodes.name
    stages = ({names[node] for node in first - last}, {names[node] for node in last})
    flows = (_flow_rounds(before, after, old, names), _flow_rounds(after, before, new, names))
    return ChangePlan(_rounds(old, new, temporary, stages, flows), affected, ordered)


def _flow_rounds(
    before: ReadTables, after: ReadTables, tables: Mapping[str, SwitchTable], names: Sequence[str]
) -> list[list[Step]]:
    """Rules of ``tables`` for single flows that ``after`` does not have like that, those of the source side first."""
    links = before.plan.topology.links
    paths: dict[Match, dict[int, int]] = {}
    for node, flows in before.flows.items():
        for match, port in flows.items():
            paths.setdefault(match, {})[node] = port
    later: dict[Match, dict[int, int]] = {}
    for node, flows in after.flows.items():
        for match, port in flows.items():
            later.setdefault(match, {})[node] = port
    rules = {(name, rule.match): rule for name, table in tables.items() for rule in table.rules if rule.match.is_flow}
    rounds: list[list[Step]] = []
    for match, ports in paths.items():
        if later.get(match) == ports:
            continue
        heads = {node: int(links.dst[before.ports.link(node, port)]) for node, port in ports.items()}
        begins = [node for node in ports if node not in heads.values()]
        place, met = 0, set[int]()
        node = begins[0] if begins else next(iter(ports))
        while node in ports and node not in met:
            met.add(node)
            while len(rounds) <= place:
                rounds.append([])
            rounds[place].append(Step(names[node], "delete", rules[names[node], match]))
            node, place = heads[node], place + 1
    return rounds


def read_by_name(
    plan: AddressPlan, tables: Mapping[str, SwitchTable], families: Sequence[int], parts: Parts
) -> ReadTables:
    """What tables do, given by name of the switch."""
    found = ReadTables(plan)
    for name, table in tables.items():
        found.add(plan.topology.node(name), families, table.rules, table.groups, parts)
    return found


def _sources(plan: AddressPlan, nodes: set[int], unread: Sequence[int]) -> Ints:
    """Switches with tables that packets come to from elsewhere: from an endpoint, or from a switch outside of these."""
    topology = plan.topology
    links, begins = topology.links, topology.nodes.nics > 0
    begins[list(unread)] = True
    held = np.zeros(len(topology.nodes), dtype=np.bool_)
    held[list(nodes)] = True
    outside = ~topology.nodes.forwards | ~held
    found = np.concatenate([links.dst[begins[links.src] & outside[links.src]], np.flatnonzero(begins)])
    return column(np.unique(found[held[found]]), np.int32)


def _led_around(
    plan: AddressPlan, family: int, detours: Sequence[Detour], new: Mapping[str, SwitchTable]
) -> dict[tuple[int, str], list[tuple[int, int, Action]]]:
    """By step and switch: intervals of addresses and what is to be done with them, neighbours of one action joined."""
    lines: dict[str, Line[Rule | None]] = {}
    found: dict[tuple[int, str], list[tuple[int, int, Action]]] = {}
    for detour in sorted(detours, key=lambda one: one.first):
        place = on_line(family, plan.prefix(family, detour.first, 0)[0])
        for node, step in detour.step.items():
            name = plan.topology.nodes.name[node]
            if name not in new:
                continue
            if name not in lines:
                lines[name] = deciding_rules([rule for rule in new[name].rules if rule.match.family in (0, family)])
            rule = lines[name].at(place)
            spans = found.setdefault((step, name), [])
            action = rule.action if rule is not None else DROP
            if spans and spans[-1][1:] == (detour.first, action):
                spans[-1] = (spans[-1][0], detour.last, action)
            else:
                spans.append((detour.first, detour.last, action))
    return found


def _temporary(plan: AddressPlan, family: int, first: int, last: int, action: Action) -> Iterator[Rule]:
    """Rules with the new way of some addresses, of a priority above all prefixes."""
    for offset, bits in _aligned(first, last, plan.span_bits):
        match = Match(family, *plan.prefix(family, offset, bits))  # type: ignore[arg-type]
        yield Rule(DETOUR_PRIORITY + match.dst_bits, match, action, cookie_of(match))


def _aligned(first: int, last: int, span: int) -> list[tuple[int, int]]:
    """An interval as aligned powers of two."""
    found = []
    while first < last:
        bits = 0
        while bits < span and first >> bits & 1 == 0 and first + (2 << bits) <= last:
            bits += 1
        found.append((first, bits))
        first += 1 << bits
    return found


@dataclass
class _Changes:
    """What changes on switches, by what a round does; three stages: switches that begin, others, those that cease."""

    groups_in: list[Step] = field(default_factory=list)
    groups_out: list[Step] = field(default_factory=list)
    denies_in: list[Step] = field(default_factory=list)  # at the ports of tenants: set first
    denies_out: list[Step] = field(default_factory=list)  # removed last
    rules_in: tuple[list[Step], ...] = field(default_factory=lambda: ([], [], []))
    rules_out: tuple[list[Step], ...] = field(default_factory=lambda: ([], [], []))

    def add(self, name: str, was: SwitchTable | None, will: SwitchTable | None, stage: int, moved: set[object]) -> None:
        """Steps of one switch; ``moved`` are its rules that change in rounds of their own."""
        old_groups = {group.id: group for group in was.groups} if was else {}
        new_groups = {group.id: group for group in will.groups} if will else {}
        old_rules = {(rule.priority, rule.match): rule for rule in was.rules} if was else {}
        new_rules = {(rule.priority, rule.match): rule for rule in will.rules} if will else {}
        for key, group in new_groups.items():
            if key not in old_groups:
                self.groups_in.append(Step(name, "add", group))
            elif old_groups[key] != group:  # not an export of ours, whose ids are hashes of the content
                self.rules_in[stage].append(Step(name, "modify", group))
        for match, rule in new_rules.items():
            if (name, rule) in moved or (match in old_rules and old_rules[match].action == rule.action):
                continue
            into = self.denies_in if rule.match.in_port else self.rules_in[stage]
            into.append(Step(name, "add" if match not in old_rules else "modify", rule))
        gone = [rule for match, rule in old_rules.items() if match not in new_rules and (name, rule) not in moved]
        self.rules_out[stage].extend(Step(name, "delete", rule) for rule in gone if not rule.match.in_port)
        self.denies_out.extend(Step(name, "delete", rule) for rule in gone if rule.match.in_port)
        self.groups_out += [Step(name, "delete", group) for key, group in old_groups.items() if key not in new_groups]


def _rounds(
    old: Mapping[str, SwitchTable],
    new: Mapping[str, SwitchTable],
    temporary: Sequence[Mapping[str, Sequence[Rule]]],
    stages: tuple[set[str], set[str]],
    flows: tuple[list[list[Step]], list[list[Step]]],
) -> tuple[Round, ...]:
    """All rounds; ``stages`` are the switches to change first and last, ``flows`` single flows to leave and to lead."""
    moved: set[object] = {(step.switch, step.what) for part in (*flows[0], *flows[1]) for step in part}
    changes = _Changes()
    for name in dict.fromkeys((*new, *old)):
        stage = 0 if name in stages[0] else 2 if name in stages[1] else 1
        changes.add(name, old.get(name), new.get(name), stage, moved)
    steps = [[Step(name, "add", rule) for name, rules in part.items() for rule in rules] for part in temporary]
    back = [step._replace(verb="delete") for part in steps for step in part]
    where = (" of switches that begin", "", " of switches that cease")
    rounds = [
        Round(DENY, tuple(changes.denies_in)),
        Round("add groups", tuple(changes.groups_in)),
        *(Round(f"leave single flows, step {number}", tuple(part)) for number, part in enumerate(flows[0], 1)),
        *(Round(f"lead around, step {number}", tuple(part)) for number, part in enumerate(steps, 1)),
    ]
    for stage, words in enumerate(where):
        rounds.append(Round(f"add and change rules{words}", tuple(changes.rules_in[stage])))
        rounds.append(Round(f"remove rules{words}", tuple(changes.rules_out[stage])))
    leads = [[step._replace(verb="add") for step in part] for part in reversed(flows[1])]
    rounds += [
        Round("end leading around", tuple(back)),
        *(Round(f"lead single flows, step {number}", tuple(part)) for number, part in enumerate(leads, 1)),
        Round("remove groups", tuple(changes.groups_out)),
        Round(LET, tuple(changes.denies_out)),
    ]
    return tuple(replace(part, steps=tuple(sorted(part.steps, key=_place))) for part in rounds if part.steps)


def _place(step: Step) -> tuple[bool, int]:
    """Where a step stands among those of its switch in a round: groups, then rules.

    A rule that is set decides at once where none above it does, so the highest priority goes first; one that is removed
    leaves what lies below it, so the lowest does. At every moment an address is then treated as before or as after.
    """
    if isinstance(step.what, Group):
        return False, 0
    return True, step.what.priority if step.verb == "delete" else -step.what.priority


def take_steps(table: SwitchTable, steps: Iterable[Step]) -> SwitchTable:
    """A switch's table after some steps."""
    rules = {(rule.priority, rule.match): rule for rule in table.rules}
    groups = {group.id: group for group in table.groups}
    for step in steps:
        if isinstance(step.what, Group):
            if step.verb == "delete":
                groups.pop(step.what.id, None)
            else:
                groups[step.what.id] = step.what
        elif step.verb == "delete":
            rules.pop((step.what.priority, step.what.match), None)
        else:
            rules[step.what.priority, step.what.match] = step.what
    ordered = sorted(rules.values(), key=lambda rule: (-rule.priority, rule.match))
    return replace(table, rules=tuple(ordered), groups=tuple(groups[key] for key in sorted(groups)))


def circling(
    plan: AddressPlan, tables: Mapping[str, SwitchTable], *, families: Sequence[int], parts: Parts
) -> tuple[str, ...]:
    """Endpoints whose packets can come back to a switch they have passed, under tables that may be mixed."""
    read = read_by_name(plan, tables, families, parts)
    found: dict[str, None] = {}
    for index in range(len(families)):
        rows, _ = cut_rows(read, index)
        _, _, loops, _ = walk_all(read, rows, np.arange(len(read.nodes), dtype=np.int32), ())
        for row in np.flatnonzero(loops).tolist():
            found |= {
                plan.topology.nodes.name[piece.endpoint]: None for piece in rows.pieces[row] if piece.endpoint >= 0
            }
    return tuple(found)
