"""Counters for tests of rules: series that a healthy fabric would show, and what faults do to them, by the minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fabric.operate.monitoring.plan_series import BYTES, MonitoredFabric
from fabric.operate.monitoring.profiles import Profile
from fabric.operate.monitoring.rule_text import series

MINUTE = 60
ERRORS_PER_S = 5.0


@dataclass(frozen=True)
class State:
    """What differs from the plan at a time: rates by link, links that are down, with errors, or not seen."""

    gbps: Mapping[int, float] = field(default_factory=dict)
    down: frozenset[int] = frozenset()
    errors: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Slot:
    """A state and how many minutes it lasts."""

    state: State
    minutes: int


def counter_series(fabric: MonitoredFabric, profile: Profile, slots: list[Slot]) -> Iterator[tuple[str, str]]:
    """Every series that the rules read, and its values in the notation of promtool."""
    plan, measured = fabric.plan, fabric.measured
    for link in measured.links:
        end, side = measured.end(link)
        counter = profile.sent if side == "sent" else profile.received
        rates = [
            None if link in slot.state.silent
            else 0.0 if link in slot.state.down
            else slot.state.gbps.get(link, float(plan.mean_gbps[link])) * BYTES
            for slot in slots
        ]  # fmt: skip
        yield series(counter, profile.labels(end.instance, end.port)), counted(rates, slots)
        receiver = measured.received.get(link)
        if receiver is not None:
            failing = [ERRORS_PER_S if link in slot.state.errors else 0.0 for slot in slots]
            labels = profile.labels(receiver.instance, receiver.port)
            yield series(profile.errors, labels), counted(list(failing), slots)
    yield from _up_series(fabric, profile, slots)


def _up_series(fabric: MonitoredFabric, profile: Profile, slots: list[Slot]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for link in fabric.measured.links:
        end, _ = fabric.measured.end(link)
        if (end.instance, end.port) in seen:
            continue
        seen.add((end.instance, end.port))
        down = [link in slot.state.down or not fabric.plan.topology.up[link] for slot in slots]
        name = profile.up_series(True)[0]
        levels = [profile.up_series(not one)[1] for one in down]
        yield series(name, profile.labels(end.instance, end.port)), held(levels, slots)


def counted(rates: list[float | None], slots: list[Slot]) -> str:
    """A counter that grows at these rates per second; None: it is not seen.

    >>> counted([1.0, None, 2.0], [Slot(State(), 3), Slot(State(), 2), Slot(State(), 1)])
    '0+60x2 _x2 240+120x0'
    """
    words: list[str] = []
    value = 0
    for rate, minutes in _merged(rates, slots):
        if rate is None:
            words.append(f"_x{minutes}")
            continue
        step = round(rate * MINUTE)
        first = value if not words else value + step
        words.append(f"{first}+{step}x{minutes - 1}")
        value = first + step * (minutes - 1)
    return " ".join(words)


def held(levels: list[float], slots: list[Slot]) -> str:
    """A gauge that has these values.

    >>> held([1.0, 2.0, 2.0], [Slot(State(), 3), Slot(State(), 2), Slot(State(), 1)])
    '1+0x2 2+0x2'
    """
    return " ".join(f"{level:g}+0x{minutes - 1}" for level, minutes in _merged(levels, slots) if level is not None)


def _merged(values: list[float | None] | list[float], slots: list[Slot]) -> Iterator[tuple[float | None, int]]:
    """Equal values that follow each other as one."""
    last: float | None = None
    minutes = 0
    for value, slot in zip(values, slots, strict=True):
        if minutes and value == last:
            minutes += slot.minutes
            continue
        if minutes:
            yield last, minutes
        last, minutes = value, slot.minutes
    yield last, minutes
