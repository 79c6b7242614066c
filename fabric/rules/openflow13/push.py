"""Install a switch's table over a session and read it back: only what differs, groups first, deletions last.

The export is the whole table of its switch: flows with a cookie of fabric that it does not have are removed at the end.
What others wrote stops the push before anything is changed, unless it may be taken over. After every batch a barrier
makes sure of what is done, so that a session that breaks leaves a state that can be described.

Deleting a group of OpenFlow 1.3 deletes the flows that use it; so groups go after the flows, and only those that no
remaining flow names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fabric.rules.errors import RuleError
from fabric.rules.openflow13 import encode, hash_basis
from fabric.rules.openflow13.readback import InstalledFlow, InstalledGroup
from fabric.rules.openflow13.session import Session
from fabric.rules.ovs_text import format_rule
from fabric.rules.table import MISS_PRIORITY, Group, Rule, SwitchTable

BATCH = 500  # messages before a barrier

Report = Callable[[int, int], None]
Verb = Literal["add", "change", "remove"]


class Step(NamedTuple):
    """One message of a push: what it does, in words, and how it is built for a version and a transaction id."""

    verb: str  # add, change, remove
    kind: str  # rule or group
    words: str
    build: Callable[[int, int], bytes]
    priority: int = 0  # of a rule; between rules of several there is a barrier


@dataclass(frozen=True)
class Difference:
    """What a switch has against what it should have.

    Attributes
    ----------
    steps : tuple of tuple of Step
        Messages that make the switch equal to the table, in stages with a barrier after each.
    foreign : tuple of str
        What others wrote, in words; it would be removed or replaced.
    installed, missing, unexpected : int
        Rules and groups that are as they should be; that are not there or different; that should not be there.
    """

    steps: tuple[tuple[Step, ...], ...]
    foreign: tuple[str, ...]
    installed: int
    missing: int
    unexpected: int
    examples: tuple[str, ...]  # of what is missing or unexpected

    @property
    def is_empty(self) -> bool:
        """Whether the switch has exactly the table."""
        return not self.missing and not self.unexpected

    def count(self, verb: str, kind: str) -> int:
        """Steps of one sort."""
        return sum(step.verb == verb and step.kind == kind for stage in self.steps for step in stage)


@dataclass(frozen=True)
class PushOutcome:
    """How a push ended.

    Attributes
    ----------
    before, after : Difference or None
        What the switch had; what it has now (None: it could not be asked).
    confirmed, unsure, unsent : int
        Messages behind a barrier; sent, but the session broke before their barrier; never sent.
    failure : RuleError or None
        Why it stopped.
    """

    switch: str
    datapath: int
    before: Difference
    after: Difference | None
    confirmed: int
    unsure: int
    unsent: int
    failure: RuleError | None = None

    @property
    def done(self) -> bool:
        """Whether the switch was read back and has exactly the table."""
        return self.failure is None and self.after is not None and self.after.is_empty


def push(
    table: SwitchTable, session: Session, *, groups_by: Session | None = None, take_over: bool = False,
    batch: int = BATCH, report: Report = lambda done, total: None,
) -> PushOutcome:  # fmt: skip
    """Make a switch's tables equal to ``table`` and read them back.

    The same push again installs only what is missing; on a switch that has the table it changes nothing.

    Parameters
    ----------
    groups_by : Session or None
        A session of OpenFlow 1.5 with the same switch, which gives groups the table's hash basis; without one, groups
        are of 1.3 and the switch distributes by a hash it shares with others.
    take_over : bool
        Remove what others wrote instead of refusing.
    batch : int
        Messages before each barrier.
    report : callable
        Gets messages confirmed and in all, after each barrier.

    Raises
    ------
    RuleError
        Before anything is changed: FP8043 when it is another switch or has flows of others; FP8040 and FP8041 of the
        session. What goes wrong later is in the outcome.
    """
    groups = groups_by or session
    for one in {session, groups}:
        check_datapath(table, one)
    before = compare(table, session.flows(), groups.groups())
    if before.foreign and not take_over:
        raise foreign_entries(table, before)
    total = sum(map(len, before.steps))
    confirmed, sent, failure = 0, 0, None
    try:
        for part in batches(before.steps, batch):
            sent = confirmed + len(part)
            failure = send_batch(table.name, groups if part[0].kind == "group" else session, part)
            if failure is not None:
                break
            confirmed = sent
            report(confirmed, total)
    except RuleError as broken:
        return PushOutcome(table.name, table.datapath, before, None, confirmed, sent - confirmed, total - sent, broken)
    if not total:
        return PushOutcome(table.name, table.datapath, before, before, 0, 0, 0)
    try:
        after = compare(table, session.flows(), groups.groups())
    except RuleError as broken:
        failure = failure or broken
        return PushOutcome(table.name, table.datapath, before, None, confirmed, sent - confirmed, total - sent, failure)
    return PushOutcome(table.name, table.datapath, before, after, confirmed, sent - confirmed, total - sent, failure)


def check_datapath(table: SwitchTable, session: Session) -> None:
    """Refuse a session with another switch than the one meant."""
    if session.datapath != table.datapath:
        raise RuleError(
            f"{session.endpoint} is datapath {session.datapath:016x}; {table.name} is {table.datapath:016x}",
            hint=f"give {table.name} the address of its own switch, or that switch its id; Open vSwitch: ovs-vsctl set "
            f"bridge NAME other_config:datapath-id={table.datapath:016x}",
            code="FP8043",
        )


def foreign_entries(table: SwitchTable, found: Difference) -> RuleError:
    """The refusal to remove what others wrote."""
    count = len(found.foreign)
    return RuleError(
        f"{table.name} has {count:,} {'entry' if count == 1 else 'entries'} that fabric did not write; nothing was "
        "changed",
        notes=found.foreign[:5],
        hint="make sure it is the right switch; --take-over removes them",
        code="FP8043",
    )


def batches(stages: Sequence[Sequence[Step]], size: int) -> Iterator[Sequence[Step]]:
    """Steps in order, each part within one stage."""
    for stage in stages:
        for start in range(0, len(stage), size):
            yield stage[start : start + size]


def send_batch(switch: str, session: Session, part: Sequence[Step]) -> RuleError | None:
    """Send one batch and its barrier; an error when the switch refused some of it.

    Between rules of different priority stands a barrier too, which is not waited for: a switch may take messages in any
    order up to the next barrier, and what it does in between depends on the order. The drop at the end needs none: a
    packet that no rule matches is dropped all the same.
    """
    by_xid: dict[int, Step] = {}
    messages = bytearray()
    priority = part[0].priority
    for step in part:
        if step.priority not in (priority, MISS_PRIORITY):
            priority = step.priority
            messages += encode.barrier_request(xid=session.next_xid())
        xid = session.next_xid()
        by_xid[xid] = step
        messages += step.build(session.version, xid)
    session.send(bytes(messages))
    refused = session.barrier()
    if not refused:
        return None
    notes = []
    for error in refused[:5]:
        failed = by_xid.get(error.xid)
        notes.append(f"{failed.verb} {failed.kind} {failed.words}: {error.words}" if failed else error.words)
    return RuleError(
        f"{switch} refused {len(refused):,} of {len(part):,} messages of a batch; the push stopped after it",
        notes=notes,
        hint="the same push again tries only what is missing",
        code="FP8040",
    )


# ---- comparing -------------------------------------------------------------------------------------------------------


def compare(table: SwitchTable, flows: Sequence[InstalledFlow], groups: Sequence[InstalledGroup]) -> Difference:
    """What a switch has against its table, and the steps from one to the other.

    Rules are the same when priority, match, action and cookie are; groups when id and buckets are, in order: the order
    decides which flows take which bucket; and the basis of the hash, where the switch reported it.
    """
    wanted = {(rule.priority, rule.match): rule for rule in table.rules}
    wanted_groups = {group.id: group for group in table.groups}
    there = {(flow.priority, flow.asks): flow for flow in flows if flow.asks is not None}
    there_groups = {group.id: group for group in groups}

    change_groups: list[Step] = []
    add_rules: list[Step] = []
    remove: list[Step] = []
    foreign: list[str] = []
    same = 0
    for group in table.groups:
        old = there_groups.get(group.id)
        if old is not None and old.group == group and old.basis in (None, table.hash_basis):
            same += 1
        else:
            change_groups.append(group_step(group, table.hash_basis, "add" if old is None else "change"))
    for rule in table.rules:
        found = there.get((rule.priority, rule.match))
        if found is not None and found.rule == rule:
            same += 1
            continue
        add_rules.append(_rule_step(rule, found))
        if found is not None and not found.ours:
            foreign.append(found.words)
    # A flow with the match of a rule is replaced by it, whatever it does; removing it would remove the rule.
    extra = [flow for flow in flows if flow.asks is None or (flow.priority, flow.asks) not in wanted]
    foreign += [flow.words for flow in extra if not flow.ours]
    remove += [_removal(flow) for flow in sorted(extra, key=lambda flow: flow.priority)]
    stale = [group for number, group in there_groups.items() if number not in wanted_groups]
    theirs = {number for flow in extra if not flow.ours for number in flow.groups}
    foreign += [f"group {one.id}" for one in stale if one.id in theirs or one.group is None]
    missing = len(add_rules) + len(change_groups)
    stages = [change_groups, add_rules, remove, [_group_removal(one) for one in stale]]
    return Difference(
        tuple(tuple(stage) for stage in stages if stage),
        tuple(foreign),
        same,
        missing,
        len(extra) + len(stale),
        tuple(f"{step.verb} {step.kind} {step.words}" for stage in stages for step in stage[:3]),
    )


def group_step(group: Group, basis: int, verb: Verb) -> Step:
    """The message about one group."""
    words = f"{group.id} of {len(group.buckets)} buckets" if verb != "remove" else str(group.id)
    return Step(verb, "group", words, _build_group(group, basis, verb))


def _build_group(group: Group, basis: int, verb: Verb) -> Callable[[int, int], bytes]:
    commands: dict[str, encode.GroupCommand] = {"add": "add", "change": "modify", "remove": "delete"}

    def build(version: int, xid: int) -> bytes:
        if version == hash_basis.VERSION:
            return hash_basis.group_mod(group, basis, commands[verb], xid=xid)
        return encode.group_mod(group, commands[verb], xid=xid)

    return build


def _rule_step(rule: Rule, found: InstalledFlow | None) -> Step:
    keeps = found is not None and found.rule is not None and found.cookie == rule.cookie
    return rule_step(rule, "add" if found is None else "change", keeps_cookie=keeps)


def rule_step(rule: Rule, verb: Verb, *, keeps_cookie: bool = False) -> Step:
    """The message about one rule; ``keeps_cookie``: the rule that is changed has the cookie already."""
    # MODIFY keeps the counters but also the old cookie; ADD replaces the flow and its cookie.
    command: encode.FlowCommand = "delete_strict" if verb == "remove" else "modify_strict" if keeps_cookie else "add"
    return Step(
        verb, "rule", format_rule(rule), lambda _, xid: encode.flow_mod(rule, command, xid=xid), rule.priority
    )  # fmt: skip


def _removal(flow: InstalledFlow) -> Step:
    return Step(
        "remove", "rule", flow.words,
        lambda _, xid: encode.flow_delete_exactly(flow.table, flow.priority, flow.match, xid=xid), flow.priority,
    )  # fmt: skip


def _group_removal(found: InstalledGroup) -> Step:
    return group_step(Group(found.id, ()), 0, "remove")
