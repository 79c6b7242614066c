"""The rounds of a change plan sent to switches: all of a round at once, the next when every switch has confirmed it.

Each switch gets a session of its own for each round, so that none falls silent while others work. A switch that fails
stops the plan: what the others have by then is a state of the plan, in which nothing circles (``change_plan``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, TypeVar

from fabric.rules.change_plan import Round
from fabric.rules.change_plan import Step as PlanStep
from fabric.rules.errors import RuleError
from fabric.rules.openflow13.push import BATCH, Step, Verb, batches, group_step, rule_step, send_batch
from fabric.rules.openflow13.reading import SwitchReading, Way, sessions
from fabric.rules.table import Group, Match

AT_ONCE = 32  # sessions that are open side by side
_VERBS: Mapping[str, Verb] = {"add": "add", "modify": "change", "delete": "remove"}
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class RoundResult:
    """A round and what became of it."""

    title: str
    switches: int
    messages: int
    state: Literal["done", "stopped", "not begun", "planned"]
    failed: tuple[str, ...] = ()  # switches that stopped it


@dataclass
class Sent:
    """Messages of the rounds to one switch: behind a barrier, perhaps done, and of all rounds together."""

    confirmed: int = 0
    unsure: int = 0
    total: int = 0
    failure: RuleError | None = None
    steps: list[PlanStep] = field(default_factory=list)  # those confirmed
    perhaps: list[PlanStep] = field(default_factory=list)  # those unsure

    @property
    def tables(self) -> Literal["old", "new", "between"]:
        """Which table it has by what was sent; a switch that nothing was to be sent to has its new one."""
        if self.confirmed == self.total:
            return "new"
        return "between" if self.confirmed or self.unsure else "old"


def in_parallel(work: Callable[[_T], _R], things: Iterable[_T]) -> list[_R]:
    """Results of work that waits for switches, in order."""
    given = list(things)
    if not given:
        return []
    with ThreadPoolExecutor(min(AT_ONCE, len(given))) as pool:
        return list(pool.map(work, given))


def run_rounds(
    rounds: Sequence[Round], readings: Mapping[str, SwitchReading], way: Way, *,
    batch: int = BATCH, report: Callable[[str], None] = lambda text: None,
) -> tuple[list[RoundResult], dict[str, Sent]]:  # fmt: skip
    """Send the rounds in order until one fails.

    Returns
    -------
    results : list of RoundResult
    sent : dict
        By name of the switch, for all in ``readings``.
    """
    sent = {name: Sent() for name in readings}
    for part in rounds:
        for step in part.steps:
            sent[step.switch].total += 1
    results: list[RoundResult] = []
    stopped = False
    for number, part in enumerate(rounds, 1):
        by_switch: dict[str, list[PlanStep]] = {}
        for step in part.steps:
            by_switch.setdefault(step.switch, []).append(step)
        if stopped:
            results.append(RoundResult(part.title, len(by_switch), len(part.steps), "not begun"))
            continue
        if number > 1:
            time.sleep(way.settle_s)
        report(f"round {number} of {len(rounds)}: {part.title}, {len(by_switch):,} switches")
        in_parallel(
            lambda name, by=by_switch: _take(readings[name], by[name], sent[name], way, batch),  # type: ignore[misc]
            by_switch,
        )
        failed = tuple(name for name in by_switch if sent[name].failure is not None)
        stopped = bool(failed)
        state: Literal["done", "stopped"] = "stopped" if stopped else "done"
        results.append(RoundResult(part.title, len(by_switch), len(part.steps), state, failed))
    return results, sent


def _take(reading: SwitchReading, steps: Sequence[PlanStep], sent: Sent, way: Way, batch: int) -> None:
    """One switch's part of one round; counts and what went wrong go into ``sent``."""
    cookies = {(rule.priority, rule.match): rule.cookie for rule in reading.running.rules} if reading.running else {}
    messages = [_message(step, reading.table.hash_basis, cookies) for step in steps]
    done = 0
    part: Sequence[Step] = ()
    try:
        with sessions(reading.target, reading.table, way) as (session, groups_by):
            stages = [list(some) for _, some in groupby(messages, key=lambda step: step.kind)]
            for part in batches(stages, batch):
                by = (groups_by or session) if part[0].kind == "group" else session
                sent.failure = send_batch(reading.table.name, by, part)
                if sent.failure is not None:
                    break
                done += len(part)
                part = ()
    except RuleError as error:
        sent.failure = error
    sent.confirmed += done
    sent.unsure += len(part) if sent.failure is not None else 0
    sent.steps += steps[:done]
    sent.perhaps += steps[done : done + len(part)] if sent.failure is not None else ()


def _message(step: PlanStep, basis: int, cookies: Mapping[tuple[int, Match], int]) -> Step:
    verb = _VERBS[step.verb]
    if isinstance(step.what, Group):
        return group_step(step.what, basis, verb)
    keeps = verb == "change" and cookies.get((step.what.priority, step.what.match)) == step.what.cookie
    return rule_step(step.what, verb, keeps_cookie=keeps)
