"""The tables that screens and reports share: tiers, links, jobs, limits of a routed scenario, as columns."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from fabric.evaluation.hottest import hottest_links, port_name
from fabric.evaluation.limits import limit_text
from fabric.output.column_table import ColumnTable, TableColumn
from fabric.output.numbers import percent
from fabric.result import PhaseRoute, RouteResult
from topologies.columns import Floats
from topologies.topology import Topology
from topologies.units import format_seconds

Metric = Literal["offered", "carried"]
METRICS: tuple[Metric, ...] = ("offered", "carried")


def metric_values(entry: PhaseRoute, metric: Metric) -> Floats:
    """Per link, shape (L,): offered over capacity, or what the link carries over capacity, which is at most 1."""
    return entry.utilisation if metric == "offered" else np.minimum(entry.utilisation, 1.0)


def _ratio(value: Any) -> str:
    return "-" if value is None or np.isnan(value) else percent(float(value))


def _count(value: Any) -> str:
    return f"{value:,}"


def _gbps(value: Any) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _seconds(value: Any) -> str:
    return "-" if value is None else format_seconds(value)


def tier_table(entry: PhaseRoute) -> ColumnTable:
    """Load by tier and direction."""
    tiers = entry.tiers
    return ColumnTable.of(
        (
            TableColumn("tier", "tier", [tier.tier for tier in tiers], width=12),
            TableColumn("direction", "dir", [tier.direction for tier in tiers], width=4),
            TableColumn("links", "links", [tier.links for tier in tiers], _count, True, 7, 3),
            TableColumn("p50", "p50", [tier.p50 for tier in tiers], _ratio, True, 7, 2),
            TableColumn("p99", "p99", [tier.p99 for tier in tiers], _ratio, True, 7, 1),
            TableColumn("max", "max", [tier.max for tier in tiers], _ratio, True, 7),
            TableColumn("over_capacity", ">100%", [tier.over_capacity for tier in tiers], _count, True, 6),
        ),
        len(tiers),
    )


def hottest_table(entry: PhaseRoute, count: int = 200) -> ColumnTable:
    """The hottest links of a phase with what loads them most."""
    links = hottest_links(entry, count)
    causes = [", ".join(f"{share.job} {share.collective}" for share in link.shares[:2]) for link in links]
    return ColumnTable.of(
        (
            TableColumn("link", "link", [link.link for link in links], width=22),
            TableColumn("utilisation", "offered", [link.utilisation for link in links], _inf_ratio, True, 8),
            TableColumn("offered_gbps", "Gb/s", [link.offered_gbps for link in links], _gbps, True, 8, 2),
            TableColumn("capacity_gbps", "of", [link.capacity_gbps for link in links], _gbps, True, 6, 3),
            TableColumn("cause", "cause", causes, width=16, priority=1),
        ),
        len(links),
    )


def _inf_ratio(value: Any) -> str:
    return percent(float("inf") if value is None else value)


def job_table(result: RouteResult) -> ColumnTable:
    """Jobs with their step times."""
    jobs = result.jobs
    slowest = [max((phase for phase in job.phases if phase.stretch), key=_stretch, default=None) for job in jobs]
    return ColumnTable.of(
        (
            TableColumn("job", "job", [job.id for job in jobs], width=14),
            TableColumn("ranks", "ranks", [job.ranks for job in jobs], _count, True, 7, 2),
            TableColumn("step_time_s", "step", [job.step_time_s for job in jobs], _seconds, True, 8),
            TableColumn("step_time_ideal_s", "ideal", [job.step_time_ideal_s for job in jobs], _seconds, True, 8, 1),
            TableColumn("stretch", "stretch", [job.stretch for job in jobs], _times, True, 7),
            TableColumn("slowest", "most stretched", [p.name if p else "-" for p in slowest], width=16, priority=3),
        ),
        len(jobs),
    )


def _stretch(phase: Any) -> float:
    return float(phase.stretch or 0.0)


def _times(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}x"


def limit_table(result: RouteResult) -> ColumnTable:
    """Limits and whether they hold."""
    limits = result.limits
    words = {True: "ok", False: "FAIL", None: "open"}
    return ColumnTable.of(
        (
            TableColumn("ok", "", [words[limit.ok] for limit in limits], width=4),
            TableColumn("text", "limit", [limit.text for limit in limits], width=26),
            TableColumn("value", "value", [limit_text(limit.value, limit.unit) for limit in limits], str, True, 9),
            TableColumn("max", "allowed", [limit_text(limit.max, limit.unit) for limit in limits], str, True, 9),
            TableColumn("detail", "detail", [limit.detail for limit in limits], width=24, priority=2),
        ),
        len(limits),
    )


class _LinkNames:
    """Names of links, made when asked for."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def __getitem__(self, link: int) -> str:
        return self._topology.link_name(link)


class _NodeNames:
    """Names of the nodes at one end of links."""

    def __init__(self, topology: Topology, ends: Any) -> None:
        self._names, self._ends = topology.nodes.name, ends

    def __getitem__(self, link: int) -> str:
        return str(self._names[self._ends[link]])


class _Codes:
    """Texts by code per row."""

    def __init__(self, texts: tuple[str, ...], codes: Any) -> None:
        self._texts, self._codes = texts, codes

    def __getitem__(self, row: int) -> str:
        return str(self._texts[self._codes[row]])


class _Ports:
    """Port names at the source of links."""

    def __init__(self, topology: Topology) -> None:
        self._port = topology.src_port

    def __getitem__(self, link: int) -> str:
        return port_name(int(self._port[link]))


def link_table(entry: PhaseRoute, metric: Metric = "offered") -> ColumnTable:
    """All directed links of the fabric in a phase, hottest first; nothing is made per row before it is looked at."""
    topology = entry.topology
    links = topology.links
    offered = entry.link_gbps.sum(axis=1)
    carried = np.minimum(offered, topology.capacity_gbps)
    columns = (
        TableColumn("link", "link", _LinkNames(topology), width=24),
        TableColumn("utilisation", metric, metric_values(entry, metric), _ratio, True, 9),
        TableColumn("offered_gbps", "offered Gb/s", offered, _gbps, True, 12, 1),
        TableColumn("carried_gbps", "carried Gb/s", carried, _gbps, True, 12, 3),
        TableColumn("capacity_gbps", "of Gb/s", topology.capacity_gbps, _gbps, True, 8, 2),
        TableColumn("tier", "tier", _Codes(topology.tiers, links.tier), width=12, priority=2),
        TableColumn("direction", "dir", _Codes(("down", "same", "up"), topology.direction + 1), width=5, priority=3),
        TableColumn("state", "state", _Codes(("down", "up"), topology.up.astype(np.int64)), width=5, priority=4),
        TableColumn("a", "from", _NodeNames(topology, links.src), width=16, priority=6),
        TableColumn("a_port", "port", _Ports(topology), width=8, priority=5),
        TableColumn("b", "to", _NodeNames(topology, links.dst), width=16, priority=6),
    )
    return ColumnTable.of(columns, len(links)).sorted_by("utilisation", reverse=True)
