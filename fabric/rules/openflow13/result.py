"""What is reported of a push: each switch, the rounds of the change, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fabric.rules.errors import RuleError
from fabric.rules.openflow13.folder import Target
from fabric.rules.openflow13.push import Difference, PushOutcome, compare, push
from fabric.rules.openflow13.reading import Way, sessions
from fabric.rules.openflow13.rounds import RoundResult, Sent
from fabric.rules.openflow13.session import BROKEN
from fabric.rules.table import SwitchTable

State = Literal["done", "differs", "planned", "refused", "broken", "unchanged", "stopped", "kept"]
Held = Literal["new", "old", "between", "unknown"]


@dataclass(frozen=True)
class SwitchResult:
    """What happened at one switch; counts of messages are those of ``PushOutcome``.

    Attributes
    ----------
    state : str
        ``done``; ``differs``: all was sent, and what was read back is not the table; ``planned``: a dry run;
        ``refused``: it may not be changed, or could not be reached; ``broken``: the session stopped on the way, before
        or after changes; ``unchanged``: nothing was sent, as another is missing; ``stopped``: the change stopped at
        another; ``kept``: it keeps its table, as its new one leads to switches that are missing.
    words : str
        The state in words, with what is installed and how to go on.
    shared_hash : bool
        Whether its groups have no hash basis of their own, so that it hashes flows as the switches before it do.
    tables : str
        Which table it has: ``new``, ``old``, ``between`` (some rules of both) or ``unknown``.
    """

    switch: str
    address: str
    datapath: int
    state: State
    words: str
    before: Difference | None = None
    after: Difference | None = None
    confirmed: int = 0
    unsure: int = 0
    unsent: int = 0
    failure: RuleError | None = None
    shared_hash: bool = False
    tables: Held = "unknown"


@dataclass(frozen=True)
class FabricPush:
    """What happened to all switches named.

    Attributes
    ----------
    rounds : tuple of RoundResult
        Of the change over several switches; empty where one switch is pushed, or nothing changes.
    words : tuple of str
        What stopped it, what was left out, and in which state the fabric is.
    notes : tuple of str
        What was assumed of switches that were not read.
    """

    switches: tuple[SwitchResult, ...]
    rounds: tuple[RoundResult, ...] = ()
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def in_state(self, *states: State) -> list[SwitchResult]:
        """Switches in one of these states."""
        return [result for result in self.switches if result.state in states]


def push_switch(
    target: Target, table: SwitchTable, *, take_over: bool = False, plain_groups: bool = False,
    timeout_s: float = 10.0, sent: Sent | None = None,
) -> SwitchResult:  # fmt: skip
    """Make one switch's tables equal to its export and read them back; errors of the session are in the result.

    Parameters
    ----------
    plain_groups : bool
        Groups of OpenFlow 1.3, without a hash basis, even if the switch speaks 1.5.
    sent : Sent, optional
        What the rounds of a change have sent to it already.
    """
    address = str(target.endpoint)
    earlier = sent or Sent()
    try:
        with sessions(target, table, Way(timeout_s, plain_groups, take_over)) as (session, groups_by):
            outcome = push(table, session, groups_by=groups_by, take_over=take_over)
    except RuleError as error:
        words = "all its messages are done, and it could not be read back" if earlier.total else "nothing was changed"
        tables: Held = "unknown" if not earlier.total else earlier.tables
        return SwitchResult(
            table.name, address, table.datapath, state_of(error), f"{words}; {error.problems[0].message}",
            confirmed=earlier.confirmed, failure=error, tables=tables,
        )  # fmt: skip
    return _result(address, outcome, earlier, shared_hash=bool(table.groups) and groups_by is None)


def state_of(error: RuleError) -> Literal["refused", "broken"]:
    """The state of a switch whose session ended with this error before anything was changed."""
    return "broken" if error.problems[0].code == BROKEN else "refused"


def planned(
    table: SwitchTable, address: str, difference: Difference | None = None, *, with_basis: bool = True
) -> SwitchResult:
    """What would be sent to a switch; to an empty one unless its difference is given."""
    difference = difference or compare(table, [], [])
    total = sum(map(len, difference.steps))
    words = f"{total:,} messages would be sent" if total else "has its table; nothing would be sent"
    return SwitchResult(
        table.name, address, table.datapath, "planned", words, before=difference, after=difference, unsent=total,
        shared_hash=bool(table.groups) and not with_basis, tables="old" if total else "new",
    )  # fmt: skip


def _result(address: str, outcome: PushOutcome, earlier: Sent, *, shared_hash: bool) -> SwitchResult:
    after = outcome.after
    confirmed = earlier.confirmed + outcome.confirmed
    state: State = "done" if outcome.done else "differs"
    tables: Held = "new" if outcome.done else "between"
    words = f"has its table: {outcome.before.installed:,} entries were there, {confirmed:,} messages sent"
    if earlier.total:
        words = f"has its table: {confirmed:,} messages sent"
    if outcome.failure is not None:
        state = "broken"
        words = (
            f"{confirmed:,} messages are done, {outcome.unsure:,} may be, {outcome.unsent:,} were not sent; "
            "the same push again sends only what is missing"
        )
    elif after is not None and not after.is_empty:
        words = f"read back: {after.missing:,} missing or different, {after.unexpected:,} that should not be there"
    return SwitchResult(
        outcome.switch, address, outcome.datapath, state, words, outcome.before, after, confirmed,
        outcome.unsure, outcome.unsent, outcome.failure, shared_hash, tables,
    )  # fmt: skip
