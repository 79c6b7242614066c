"""A part of a fabric for tests of rules: the links of some switches, with what is known of them.

Switches are drawn tier by tier, with a seed that the files say; of planes and rails each has its turn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from fabric.operate.forecast import uplinks
from fabric.operate.monitoring.plan_series import MonitoredFabric

SEED = 0
_MOST_NAMED = 12


def some_links(fabric: MonitoredFabric, most: int, *, whole_groups: bool = False) -> MonitoredFabric:
    """The links of some lower switches, tier by tier, both ways; all where there are no more than ``most``.

    Parameters
    ----------
    whole_groups : bool
        Without limits of switches whose links are not all there.
    """
    net, all_links = fabric.plan.topology, fabric.measured.links
    if len(all_links) <= most:
        return fabric
    rising = [link for link in all_links if net.direction[link] >= 0]
    tiers = sorted({int(net.links.tier[link]) for link in rising})
    room = most // (2 * max(len(tiers), 1))
    chosen: set[int] = set()
    for tier in tiers:
        taken = 0
        for mine in _drawn(fabric, [link for link in rising if net.links.tier[link] == tier]):
            if taken >= room:
                break
            taken += len(mine)
            chosen |= {end for link in mine for end in (link, int(net.links.reverse[link]))}
    kept = {link for link in all_links if link in chosen}
    measured = replace(
        fabric.measured,
        sent={link: end for link, end in fabric.measured.sent.items() if link in kept},
        received={link: end for link, end in fabric.measured.received.items() if link in kept},
    )
    part = replace(fabric, measured=measured)
    return _of_whole_groups(part, kept) if whole_groups else part


def _drawn(fabric: MonitoredFabric, links: list[int]) -> list[list[int]]:
    """Links of every lower switch, in an order drawn at random; planes and rails take turns."""
    groups: dict[int, list[int]] = {}
    for link in links:
        groups.setdefault(int(fabric.plan.topology.links.src[link]), []).append(link)
    every = list(groups.values())
    drawn = [every[at] for at in np.random.default_rng(SEED).permutation(len(every)).tolist()]
    before: Counter[tuple[str | None, ...]] = Counter()
    turn: list[int] = []
    for mine in drawn:
        labels = fabric.measured.labels(mine[0])
        part = labels.get("plane"), labels.get("rail")
        turn.append(before[part])
        before[part] += 1
    return [drawn[at] for at in np.argsort(turn, kind="stable").tolist()]


def sample_words(fabric: MonitoredFabric, part: MonitoredFabric) -> list[str]:
    """Which links a part has, in lines for its file; none where it has all."""
    net, kept = fabric.plan.topology, part.measured.links
    if len(kept) == len(fabric.measured.links):
        return []
    lines = [
        f"{len(kept):,} of {len(fabric.measured.links):,} measured links; switches of each tier drawn with seed {SEED}:"
    ]
    for code, tier in enumerate(net.tiers):
        mine, whole = (
            {int(net.links.src[link]) for link in links if net.links.tier[link] == code and net.direction[link] >= 0}
            for links in (kept, fabric.measured.links)
        )
        if whole:
            names = [net.nodes.name[node] for node in sorted(mine)]
            some = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
            lines.append(f"{tier}: {len(mine):,} of {len(whole):,} below: {some}")
    return lines


def _of_whole_groups(part: MonitoredFabric, kept: set[int]) -> MonitoredFabric:
    net = part.plan.topology
    missing = [link for link in np.flatnonzero(uplinks(net)).tolist() if link not in kept]
    cut = {int(net.links.src[link]) for link in missing}
    least = {} if missing else part.limits.least_share
    skew = {node: limit for node, limit in part.limits.skew.items() if node not in cut}
    return replace(part, limits=replace(part.limits, least_share=least, skew=skew))
