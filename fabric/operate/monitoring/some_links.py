"""A part of a fabric for tests of rules: the links of some switches, with what is known of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabric.operate.forecast import uplinks
from fabric.operate.monitoring.plan_series import MonitoredFabric


def some_links(fabric: MonitoredFabric, most: int, *, whole_groups: bool = False) -> MonitoredFabric:
    """The links of the first lower switches, tier by tier, both ways; all where there are no more than ``most``.

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
        mine = [link for link in rising if net.links.tier[link] == tier]
        last = -1
        for count, link in enumerate(sorted(mine, key=lambda one: (int(net.links.src[one]), one))):
            if count >= room and net.links.src[link] != last:
                break
            last = int(net.links.src[link])
            chosen |= {link, int(net.links.reverse[link])}
    kept = {link for link in all_links if link in chosen}
    measured = replace(
        fabric.measured,
        sent={link: end for link, end in fabric.measured.sent.items() if link in kept},
        received={link: end for link, end in fabric.measured.received.items() if link in kept},
    )
    part = replace(fabric, measured=measured)
    return _of_whole_groups(part, kept) if whole_groups else part


def _of_whole_groups(part: MonitoredFabric, kept: set[int]) -> MonitoredFabric:
    net = part.plan.topology
    missing = [link for link in np.flatnonzero(uplinks(net)).tolist() if link not in kept]
    cut = {int(net.links.src[link]) for link in missing}
    least = {} if missing else part.limits.least_share
    skew = {node: limit for node, limit in part.limits.skew.items() if node not in cut}
    return replace(part, limits=replace(part.limits, least_share=least, skew=skew))
