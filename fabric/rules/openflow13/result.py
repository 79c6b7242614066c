"""One switch of ``fabric push`` from its session to what is reported about it: no failure of one stops the others."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from fabric.rules.errors import RuleError
from fabric.rules.openflow13 import hash_basis
from fabric.rules.openflow13.folder import Target
from fabric.rules.openflow13.push import Difference, PushOutcome, check_datapath, compare, push
from fabric.rules.openflow13.session import BROKEN, Session
from fabric.rules.table import SwitchTable


@dataclass(frozen=True)
class SwitchResult:
    """What happened at one switch; counts of messages are those of ``PushOutcome``.

    Attributes
    ----------
    state : str
        ``done``; ``differs``: all was sent, and what was read back is not the table; ``planned``: a dry run;
        ``refused``: nothing was changed; ``broken``: the session stopped on the way, before or after changes.
    words : str
        The state in words, with what is installed and how to go on.
    shared_hash : bool
        Whether its groups have no hash basis of their own, so that it hashes flows as the switches before it do.
    """

    switch: str
    address: str
    datapath: int
    state: Literal["done", "differs", "planned", "refused", "broken"]
    words: str
    before: Difference | None = None
    after: Difference | None = None
    confirmed: int = 0
    unsure: int = 0
    unsent: int = 0
    failure: RuleError | None = None
    shared_hash: bool = False


def push_switch(
    target: Target, table: SwitchTable, *, dry_run: bool = False, take_over: bool = False, plain_groups: bool = False,
    timeout_s: float = 10.0,
) -> SwitchResult:  # fmt: skip
    """Push a table to one switch, or see what would be sent; errors of the session are in the result.

    Parameters
    ----------
    plain_groups : bool
        Groups of OpenFlow 1.3, without a hash basis, even if the switch speaks 1.5.
    """
    address = "" if target.endpoint is None else str(target.endpoint)
    try:
        if target.endpoint is None:
            return _planned(table, address, compare(table, [], []))
        with ExitStack() as stack:
            session = stack.enter_context(Session(target.endpoint, timeout_s=timeout_s))
            groups_by = None
            if not plain_groups and table.groups and hash_basis.VERSION in session.offers:
                made = Session(target.endpoint, timeout_s=timeout_s, version=hash_basis.VERSION)
                groups_by = stack.enter_context(made)
            if dry_run:
                check_datapath(table, session)
                found = compare(table, session.flows(), (groups_by or session).groups())
                return _planned(table, address, found, with_basis=groups_by is not None)
            outcome = push(table, session, groups_by=groups_by, take_over=take_over)
            return _result(address, outcome, shared_hash=bool(table.groups) and groups_by is None)
    except RuleError as error:
        words = f"nothing was changed; {error.problems[0].message}"
        state: Literal["refused", "broken"] = "broken" if error.problems[0].code == BROKEN else "refused"
        return SwitchResult(table.name, address, table.datapath, state, words, failure=error)


def _planned(table: SwitchTable, address: str, difference: Difference, *, with_basis: bool = True) -> SwitchResult:
    total = sum(map(len, difference.steps))
    words = f"{total:,} messages would be sent" if total else "has its table; nothing would be sent"
    return SwitchResult(
        table.name, address, table.datapath, "planned", words, before=difference, after=difference, unsent=total,
        shared_hash=bool(table.groups) and not with_basis,
    )  # fmt: skip


def _result(address: str, outcome: PushOutcome, *, shared_hash: bool) -> SwitchResult:
    after = outcome.after
    state: Literal["done", "differs", "broken"] = "done" if outcome.done else "differs"
    words = f"has its table: {outcome.before.installed:,} entries were there, {outcome.confirmed:,} messages sent"
    if outcome.failure is not None:
        state = "broken"
        words = (
            f"{outcome.confirmed:,} messages are done, {outcome.unsure:,} may be, {outcome.unsent:,} were not sent; "
            "the same push again sends only what is missing"
        )
    elif after is not None and not after.is_empty:
        words = f"read back: {after.missing:,} missing or different, {after.unexpected:,} that should not be there"
    return SwitchResult(
        outcome.switch, address, outcome.datapath, state, words, outcome.before, after, outcome.confirmed,
        outcome.unsure, outcome.unsent, outcome.failure, shared_hash,
    )  # fmt: skip
