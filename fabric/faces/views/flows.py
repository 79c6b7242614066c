"""Tables of flows: who loads a link, what an endpoint, a switch or a job sends, and the path of one pair."""

from __future__ import annotations

import numpy as np

from fabric.evaluation.link_flows import LinkFlows
from fabric.faces.views.row_kinds import PAIRS
from fabric.output.columns import count_text, counts, from_records, named, rates, ratios
from fabric.output.table import Table
from fabric.result import HotLink, PhaseRoute
from fabric.routing.utilisation import descending
from topologies.columns import Longs
from topologies.units import percent


class _Names:
    """Names of nodes by row."""

    def __init__(self, names: tuple[str, ...], nodes: Longs) -> None:
        self._names, self._nodes = names, nodes

    def __getitem__(self, row: int) -> str:
        return self._names[int(self._nodes[row])]


class _OfClass:
    """A text of the traffic class of every row."""

    def __init__(self, texts: list[str], code: Longs) -> None:
        self._texts, self._code = texts, code

    def __getitem__(self, row: int) -> str:
        return self._texts[int(self._code[row])]


def link_flow_table(route: PhaseRoute, flows: LinkFlows) -> Table:
    """Pairs that cross a link, largest first."""
    names, classes = route.topology.nodes.name, route.classes
    offered = flows.offered_gbps or 1.0
    code = flows.code
    columns = (
        named("job", "job", _OfClass([entry.job for entry in classes], code), width=12, priority=2),
        named("phase", "phase", _OfClass([entry.phase for entry in classes], code), width=16, priority=4),
        named("collective", "collective", _OfClass([entry.collective for entry in classes], code), width=18),
        named("src", "from", _Names(names, flows.src), width=14),
        named("dst", "to", _Names(names, flows.dst), width=14),
        rates("offered_gbps", "Gb/s", flows.gbps),
        ratios("share", "share", flows.gbps / offered, width=7, priority=1),
        counts("subflows", "sub-flows", flows.subflows, text=_some, width=9, priority=1),
        counts("pairs", "pairs", flows.pairs, text=_some, priority=3),
    )
    return Table.of(columns, len(flows), title="pairs on it")


def no_flows() -> Table:
    """The pairs of what is not a link: none."""
    return Table.of(from_records((), PAIRS.names, {}), 0)


def _some(value: int) -> str:
    """A count; ``-`` for none."""
    return count_text(value) if value else "-"


def share_table(link: HotLink) -> Table:
    """The jobs and collectives that load a link, largest first."""
    shares = link.shares
    columns = (
        named("job", "job", [share.job for share in shares], width=12),
        named("phase", "phase", [share.phase for share in shares], width=16),
        named("collective", "collective", [share.collective for share in shares], width=18),
        rates("offered_gbps", "Gb/s", [share.offered_gbps for share in shares]),
        ratios("share", "share", [share.share for share in shares], width=7),
    )
    return Table.of(columns, len(shares), title="who loads it")


def demand_table(route: PhaseRoute, *, job: str = "", node: int = -1) -> Table:
    """What is sent between pairs in a phase: all of it, a job's, or what a host sends and receives.

    Blocks of all-to-all stand as one row each. Rates are what is offered; nothing of a saved result without demand.
    """
    codes, src, dst, pairs, gbps = [], [], [], [], []
    routed = route.routed
    for code, (entry, traffic) in enumerate(zip(route.classes, routed.pairs if routed else (), strict=False)):
        if job and entry.job != job:
            continue
        flows, unit = traffic.flows, traffic.gbps_per_unit
        keep = np.ones(len(flows.src), np.bool_) if node < 0 else (flows.src == node) | (flows.dst == node)
        codes.append(np.full(int(keep.sum()), code))
        src.append(flows.src[keep])
        dst.append(flows.dst[keep])
        pairs.append(np.ones(int(keep.sum()), np.int64))
        gbps.append(flows.amount[keep] * unit)
        for block in flows.blocks:
            inside = node < 0 or node in block.members
            if not inside or len(block.members) < 2:
                continue
            count = block.pairs if node < 0 else 2 * (len(block.members) - 1)
            codes.append(np.array([code]))
            src.append(np.array([block.members[0]]))
            dst.append(np.array([block.members[-1]]))
            pairs.append(np.array([count]))
            gbps.append(np.array([block.amount * unit * count]))
    joined = [np.concatenate(part) if part else np.empty(0) for part in (codes, src, dst, pairs, gbps)]
    rate = joined[4]
    order = descending(rate)
    names = route.topology.nodes.name
    row_code, one, other, of_row = (np.asarray(part[order], np.int64) for part in joined[:4])
    classes = route.classes
    columns = (
        named("job", "job", _OfClass([entry.job for entry in classes], row_code), width=12, priority=1),
        named("collective", "collective", _OfClass([entry.collective for entry in classes], row_code), width=18),
        named("src", "from", _Names(names, one), width=14),
        named("dst", "to", _Names(names, other), width=14),
        rates("offered_gbps", "Gb/s", rate[order], width=10),
        counts("pairs", "pairs", of_row, text=_some, width=12, priority=1),
    )
    return Table.of(columns, len(order), title=f"demand of {route.fabric} {route.phase}")


def crossing_words(route: PhaseRoute, flows: LinkFlows) -> str:
    """How many pairs and single flows cross a link, against its like."""
    topology, link = route.topology, flows.link
    tier = topology.links.tier[link]
    direction = topology.direction
    like = (topology.links.tier == tier) & (direction == direction[link]) & topology.up
    mean = float(route.utilisation[like & np.isfinite(route.utilisation)].mean()) if like.any() else 0.0
    here = float(route.utilisation[link])
    words = f"{flows.total_pairs:,} pairs"
    if flows.total_subflows:
        words += f", {flows.total_subflows:,} hashed flows"
    ratio = f", {here / mean:.1f} times the mean of its {int(like.sum()):,} like ({percent(mean)})" if mean > 0 else ""
    return f"{percent(here)}: {words}{ratio}"
