"""Switches and cables that carry nothing though they should, and cables at half their speed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.operate.load_check.plan_change import Case, PlanChange
from fabric.operate.load_check.result import ABOVE_LINE, Explanation
from topologies.columns import Bools, Ints

_MOST_DOWN = 6  # candidates that are routed
_MOST_SLOW = 6
_ALIKE = 2  # of cables that carry the same


def down_causes(case: Case) -> Iterator[Explanation]:
    """Each switch, bundle and single cable that is silent or says that its port is down, taken down."""
    for selector, words in list(_dead(case))[:_MOST_DOWN]:
        other = case.change(PlanChange(down=(selector,)))
        if other is not None:
            yield Explanation("down", words, case.fit(other), f"--down '{selector}'")


def _dead(case: Case) -> Iterator[tuple[str, str]]:
    plan, rates, net = case.plan, case.rates, case.plan.topology
    names, links = net.nodes.name, net.links
    silent = case.silent | (rates.down & net.up)
    expected = rates.known & (plan.mean_gbps > 0)
    covered: set[int] = set()
    for node in np.flatnonzero(net.is_switch).tolist():
        mine = expected & ((links.src == node) | (links.dst == node))
        if mine.sum() > 1 and silent[mine].all():
            covered.add(node)
            yield (
                _selector(case, names[node]),
                f"{names[node]} is down: none of its {int(mine.sum()):,} links carries anything",
            )
    dead = [
        link for link in np.flatnonzero(silent & net.is_cable).tolist()
        if not covered & {int(links.src[link]), int(links.dst[link])} and _both(case, silent, link)
    ]  # fmt: skip
    yield from _bundles(case, dead)
    for link in dead:
        yield _selector(case, net.link_name(link)), f"the cable of {net.link_name(link)} is down"


def _both(case: Case, silent: Bools, link: int) -> bool:
    back = int(case.plan.topology.links.reverse[link])
    return back < 0 or bool(silent[back]) or not case.rates.known[back]


def _bundles(case: Case, dead: list[int]) -> Iterator[tuple[str, str]]:
    """Parallel cables of which every one is dead."""
    net = case.plan.topology
    ends: dict[tuple[int, int], int] = {}
    for link in dead:
        pair = int(net.links.src[link]), int(net.links.dst[link])
        ends[pair] = ends.get(pair, 0) + 1
        if ends[pair] == net.parallel_count[link] > 1:
            src, dst = (net.nodes.name[node] for node in pair)
            yield _selector(case, f"{src} -> {dst}"), f"all {ends[pair]} cables of {src} -> {dst} are down"


def _selector(case: Case, name: str) -> str:
    """Text of a node or link for ``--down``, with its fabric where there are several."""
    several = len(case.run.network.topologies) > 1
    return f"fabric={case.plan.fabric} {name}" if several else name


def slow_causes(case: Case) -> Iterator[Explanation]:
    """Cables at half their speed: those that jobs wait for and that carry no more than that, the fullest first.

    Cables that carry the same cannot be told apart by what they carry: a few of them are routed, the best is named.
    """
    net, best = case.plan.topology, dict[tuple[float, ...], Explanation]()
    for link, alike, key in _half_speed(case)[:_MOST_SLOW]:
        selector = f"{_selector(case, net.link_name(link))}=50%"
        other = case.change(PlanChange(slow=(selector,)))
        if other is None:
            continue
        words = f"the cable of {net.link_name(link)} runs at half its speed"
        words += f" (or one of {alike - 1:,} others that carry the same)" if alike > 1 else ""
        found = Explanation("slow", words, case.fit(other), f"--slow '{selector}'")
        if key not in best or found.fit > best[key].fit + 1e-6:
            best[key] = found
    yield from best.values()


def _half_speed(case: Case) -> list[tuple[int, int, tuple[float, ...]]]:
    """Cables that may run at half speed, how many carry the same, and what that is; one of each kind first."""
    plan, net = case.plan, case.plan.topology
    capacity = net.links.capacity_gbps
    used = np.divide(case.rates.gbps, capacity, out=np.full(len(capacity), np.nan), where=capacity > 0)
    cables = np.flatnonzero(net.is_cable & net.up)
    back = np.where(net.links.reverse[cables] >= 0, net.links.reverse[cables], cables)
    crossed = np.maximum(plan.mean_gbps[cables], plan.mean_gbps[back]) > 0
    fullest = np.fmax(used[cables], used[back])
    with np.errstate(invalid="ignore"):
        fitting = crossed & (fullest <= 0.5 * ABOVE_LINE) & (fullest > 0.01)
    kinds: dict[tuple[float, ...], list[int]] = {}
    for at in np.flatnonzero(fitting)[np.argsort(-fullest[fitting], kind="stable")].tolist():
        kinds.setdefault(_kind(case, cables[at], back[at]), []).append(int(cables[at]))
    rows = [
        (turn, links[turn], len(links), key) for key, links in kinds.items() for turn in range(min(len(links), _ALIKE))
    ]
    return [(link, alike, key) for _, link, alike, key in sorted(rows, key=lambda row: row[0])]


def _kind(case: Case, link: Ints, back: Ints) -> tuple[float, ...]:
    """What a cable carries and should, to three digits."""
    net = case.plan.topology
    both = [float(f"{values[at]:.3g}") for values in (case.rates.gbps, case.plan.mean_gbps) for at in (link, back)]
    known = [-1.0 if np.isnan(value) else value for value in both]
    return (float(net.links.tier[link]), float(net.links.capacity_gbps[link]), *known)
