"""What a switch has before a push: read over a session of its own, and kept as a table where it can be followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from fabric.rules.errors import RuleError
from fabric.rules.openflow13 import hash_basis
from fabric.rules.openflow13.folder import Target
from fabric.rules.openflow13.push import Difference, check_datapath, compare, foreign_entries
from fabric.rules.openflow13.readback import InstalledFlow, InstalledGroup
from fabric.rules.openflow13.session import Session
from fabric.rules.table import SwitchTable


class Way(NamedTuple):
    """How a push speaks to its switches."""

    timeout_s: float = 10.0
    plain_groups: bool = False  # groups of OpenFlow 1.3, without a hash basis, even if the switch speaks 1.5
    take_over: bool = False  # entries of others may be removed
    settle_s: float = 0.0  # between rounds: a switch may confirm a rule before its packets follow it


@dataclass(frozen=True)
class SwitchReading:
    """A switch as it was found.

    Attributes
    ----------
    before : Difference or None
        What it has against its table; None: it could not be read.
    running : SwitchTable or None
        What it has, as a table; None where it could not be read, or has what no table of ours can say.
    with_basis : bool
        Whether its groups go by OpenFlow 1.5, with a hash basis.
    failure : RuleError or None
        Why it may not be changed.
    """

    target: Target
    table: SwitchTable
    before: Difference | None = None
    running: SwitchTable | None = None
    with_basis: bool = True
    failure: RuleError | None = None

    @property
    def address(self) -> str:
        """Where it listens; empty for one that is taken to be empty."""
        return "" if self.target.endpoint is None else str(self.target.endpoint)


@contextmanager
def sessions(target: Target, table: SwitchTable, way: Way) -> Iterator[tuple[Session, Session | None]]:
    """A session with a switch, and one of OpenFlow 1.5 for its groups where it speaks that; both with the one meant."""
    assert target.endpoint is not None
    with ExitStack() as stack:
        session = stack.enter_context(Session(target.endpoint, timeout_s=way.timeout_s))
        check_datapath(table, session)
        groups_by = None
        if not way.plain_groups and table.groups and hash_basis.VERSION in session.offers:
            made = Session(target.endpoint, timeout_s=way.timeout_s, version=hash_basis.VERSION)
            groups_by = stack.enter_context(made)
            check_datapath(table, groups_by)
        yield session, groups_by


def read_switch(target: Target, table: SwitchTable, way: Way) -> SwitchReading:
    """Read a switch; what goes wrong is in the reading."""
    if target.endpoint is None:
        empty = SwitchTable(table.name, table.datapath, table.hash_basis, (), ())
        return SwitchReading(target, table, compare(table, [], []), empty)
    try:
        with sessions(target, table, way) as (session, groups_by):
            flows, groups = session.flows(), (groups_by or session).groups()
    except RuleError as error:
        return SwitchReading(target, table, failure=error)
    before = compare(table, flows, groups)
    failure = foreign_entries(table, before) if before.foreign and not way.take_over else None
    running = _running(table, flows, groups)
    return SwitchReading(target, table, before, running, groups_by is not None, failure)


def _running(
    table: SwitchTable, flows: Sequence[InstalledFlow], groups: Sequence[InstalledGroup]
) -> SwitchTable | None:
    """What is installed as a table; None where it holds what no table of ours can say."""
    rules = [flow.rule for flow in flows if flow.rule is not None]
    known = [group.group for group in groups if group.group is not None]
    if len(rules) < len(flows) or len(known) < len(groups):
        return None
    rules.sort(key=lambda rule: (-rule.priority, rule.match))
    return SwitchTable(table.name, table.datapath, table.hash_basis, tuple(sorted(known)), tuple(rules))
