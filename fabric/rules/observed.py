"""What runs against what was planned: tables dumped from a switch, differences as values.

Tables are compared twice. *Entries*: rules by priority and match, groups by what they do. *Behaviour*: the part of the
packets that leaves by every port, for every address, whatever rules say it; entries may differ and behaviour agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from fabric.routing.tables.slot_table import slot_parts
from fabric.rules.address_line import deciding_rules, line_prefixes, line_span, side_by_side
from fabric.rules.probes import match_text
from fabric.rules.table import LOCAL, Group, Rule, SwitchTable
from topologies.units import percent

SAME = 1e-9
MOST = 1000

Parts = Callable[[Sequence[int]], Sequence[float]]
Shares = Mapping[str, float]  # way out -> part; empty: dropped
Kind = Literal["missing", "unexpected", "different", "behaviour"]


@dataclass(frozen=True)
class Difference:
    """One thing in which a switch is not as planned.

    ``missing``: only we have the rule or group; ``unexpected``: only the switch has it; ``different``: both have it and
    it does something else, or its cookie is another; ``behaviour``: addresses are treated otherwise.
    """

    switch: str
    kind: Kind
    about: str  # prefix, single flow or group
    ours: str
    theirs: str
    cookie: int | None = None  # of our rule, or of theirs when it is unexpected


@dataclass(frozen=True)
class Comparison:
    """All differences of a switch, ``MOST`` of each sort at most."""

    entries: tuple[Difference, ...]
    behaviour: tuple[Difference, ...]

    @property
    def same_behaviour(self) -> bool:
        """Whether every packet is treated as planned."""
        return not self.behaviour


# ---- flow tables -----------------------------------------------------------------------------------------------------


def compare_tables(
    ours: SwitchTable, rules: Sequence[Rule], groups: Sequence[Group], *, parts: Parts = slot_parts
) -> Comparison:
    """A switch's table against what it says it has.

    Parameters
    ----------
    rules, groups
        As parsed from ``dump-flows`` and ``dump-groups`` (``ovs_text``), or read back over OpenFlow.
    parts : callable
        How the switch turns weights into parts.
    """
    mine, others = {group.id: group for group in ours.groups}, {group.id: group for group in groups}
    entries = [*_rule_differences(ours, mine, rules, others), *_group_differences(ours.name, mine, others)]
    behaviour = _behaviour_differences(
        ours.name, (ours.rules, _Meaning(mine, parts)), (rules, _Meaning(others, parts)), SAME
    )
    return Comparison(tuple(entries[:MOST]), tuple(islice(behaviour, MOST)))


class _Meaning:
    """Parts by port of a rule, remembered by action."""

    def __init__(self, groups: Mapping[int, Group], parts: Parts) -> None:
        self.groups, self.parts = groups, parts
        self.known: dict[object, Shares] = {}

    def __call__(self, rule: Rule | None) -> Shares:
        if rule is None or rule.action.kind == "drop":
            return {}
        if rule.action not in self.known:
            self.known[rule.action] = self._shares(rule)
        return self.known[rule.action]

    def _shares(self, rule: Rule) -> Shares:
        if rule.action.kind == "output":
            return {_port(rule.action.value): 1.0}
        group = self.groups.get(rule.action.value)
        if group is None:
            return {}
        found: dict[str, float] = {}
        for bucket, part in zip(group.buckets, self.parts([one.weight for one in group.buckets]), strict=True):
            found[_port(bucket.port)] = found.get(_port(bucket.port), 0.0) + part
        return {way: part for way, part in found.items() if part > 0}


def _port(port: int) -> str:
    return "local" if port == LOCAL else f"port {port}"


def _does(rule: Rule, groups: Mapping[int, Group]) -> str:
    """A rule's action in words, groups by their buckets: ids need not agree."""
    if rule.action.kind != "group":
        return "drop" if rule.action.kind == "drop" else _port(rule.action.value)
    group = groups.get(rule.action.value)
    return f"group {rule.action.value}, not there" if group is None else _buckets(group)


def _buckets(group: Group) -> str:
    return ", ".join(f"{_port(bucket.port)} x {bucket.weight}" for bucket in group.buckets) or "no buckets"


def _rule_differences(
    ours: SwitchTable, mine: Mapping[int, Group], rules: Sequence[Rule], others: Mapping[int, Group]
) -> Iterator[Difference]:
    theirs = {(rule.priority, rule.match): rule for rule in rules}
    for rule in ours.rules:
        about = f"{match_text(rule.match)} at priority {rule.priority}"
        found = theirs.pop((rule.priority, rule.match), None)
        does = _does(rule, mine)
        if found is None:
            yield Difference(ours.name, "missing", about, does, "", rule.cookie)
        elif _does(found, others) != does:
            yield Difference(ours.name, "different", about, does, _does(found, others), rule.cookie)
        elif found.cookie != rule.cookie:
            yield Difference(
                ours.name, "different", about, f"cookie {rule.cookie:#x}", f"cookie {found.cookie:#x}", rule.cookie
            )
    for rule in theirs.values():
        about = f"{match_text(rule.match)} at priority {rule.priority}"
        yield Difference(ours.name, "unexpected", about, "", _does(rule, others), rule.cookie)


def _group_differences(name: str, mine: Mapping[int, Group], others: Mapping[int, Group]) -> Iterator[Difference]:
    for number, group in mine.items():
        if number not in others:
            yield Difference(name, "missing", f"group {number}", _buckets(group), "")
        elif others[number].buckets != group.buckets:
            yield Difference(name, "different", f"group {number}", _buckets(group), _buckets(others[number]))
    for number, group in others.items():
        if number not in mine:
            yield Difference(name, "unexpected", f"group {number}", "", _buckets(group))


def _behaviour_differences(
    name: str, ours: tuple[Sequence[Rule], _Meaning], theirs: tuple[Sequence[Rule], _Meaning], tolerance: float
) -> Iterator[Difference]:
    """Prefixes and single flows that are treated otherwise."""
    spans: list[tuple[int, int, Shares, Shares]] = []
    lines = deciding_rules(ours[0]), deciding_rules(theirs[0])
    for first, last, one, two in side_by_side(*lines):
        was, now = ours[1](one), theirs[1](two)
        if shares_differ(was, now, tolerance):
            if spans and spans[-1][1] == first and spans[-1][2:] == (was, now):
                first = spans.pop()[0]
            spans.append((first, last, was, now))
    for first, last, was, now in spans:
        for match in line_prefixes(first, last):
            yield Difference(name, "behaviour", match.dst_text, shares_text(was), shares_text(now))
    one_flows, two_flows = (
        {rule.match: rule for rule in sorted(side[0], key=lambda rule: rule.priority) if rule.match.is_flow}
        for side in (ours, theirs)
    )
    for match in sorted({*one_flows, *two_flows}):
        at = line_span(match)[0]
        was = ours[1](one_flows.get(match) or lines[0].at(at))
        now = theirs[1](two_flows.get(match) or lines[1].at(at))
        if shares_differ(was, now, tolerance):
            yield Difference(name, "behaviour", match_text(match), shares_text(was), shares_text(now))


def shares_differ(one: Shares, two: Shares, tolerance: float) -> bool:
    """Whether ways out differ, or a part by more than the tolerance."""
    return one.keys() != two.keys() or any(abs(part - two[way]) > tolerance for way, part in one.items())


def shares_text(shares: Shares) -> str:
    """Ways out and their parts for people.

    >>> shares_text({"port 2": 0.25, "port 1": 0.75})
    'port 1 75.0 %, port 2 25.0 %'
    """
    if not shares:
        return "dropped"
    if len(shares) == 1:
        return next(iter(shares))
    return ", ".join(f"{way} {percent(part)}" for way, part in sorted(shares.items()))
