"""One switch of ``fabric push`` from its session to what is said about it: no failure of one stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fabric.rules.errors import RuleError
from fabric.rules.openflow13.folder import Target
from fabric.rules.openflow13.push import Difference, PushOutcome, check_datapath, compare, push
from fabric.rules.openflow13.session import Session
from fabric.rules.table import SwitchTable


@dataclass(frozen=True)
class SwitchResult:
    """What happened at one switch; counts of messages are those of ``PushOutcome``.

    Attributes
    ----------
    state : str
        ``done``; ``differs``: all was sent, and what was read back is not the table; ``planned``: a dry run;
        ``refused``: nothing was changed; ``broken``: it stopped on the way.
    words : str
        The state in words, with what is installed and how to go on.
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


def push_switch(
    target: Target, table: SwitchTable, *, dry_run: bool = False, take_over: bool = False, timeout_s: float = 10.0
) -> SwitchResult:
    """Push a table to one switch, or see what would be sent; errors of the session are in the result."""
    address = "" if target.endpoint is None else str(target.endpoint)
    try:
        if target.endpoint is None:
            return _planned(table, address, compare(table, [], []))
        with Session(target.endpoint, timeout_s=timeout_s) as session:
            if dry_run:
                check_datapath(table, session)
                return _planned(table, address, compare(table, session.flows(), session.groups()))
            return _result(address, push(table, session, take_over=take_over))
    except RuleError as error:
        words = f"nothing was changed; {error.problems[0].message}"
        return SwitchResult(table.name, address, table.datapath, "refused", words, failure=error)


def _planned(table: SwitchTable, address: str, difference: Difference) -> SwitchResult:
    total = sum(map(len, difference.steps))
    words = f"{total:,} messages would be sent" if total else "has its table; nothing would be sent"
    return SwitchResult(
        table.name, address, table.datapath, "planned", words, before=difference, after=difference, unsent=total
    )


def _result(address: str, outcome: PushOutcome) -> SwitchResult:
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
        outcome.unsure, outcome.unsent, outcome.failure,
    )  # fmt: skip
