"""Dual-ToR planes, counted (Alibaba HPN): ``p`` ports of every NIC on ``p`` ToRs, whose planes meet in the core only.

Segments of ``d`` hosts have a ToR for every rail and port. In a plane of a pod ``m n`` ToRs meet at ``A`` aggregation
switches, ``u = A q``; their uplinks to the core, ``A v`` of a plane of a pod, spread over ``c`` cores that divide them,
of ``e = A v / c`` cables from each of the ``k p`` planes of all pods. The builder takes the fewest cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.leaf_rows import LeafRow, fullest, leaf_rows
from fabric.design.counting.port_options import PortOption, equal_options
from fabric.design.counting.shares import Share, uplink_ratio
from fabric.design.counting.three_tiers import PodLimits, PodVariables, limits_of, pod_variables
from fabric.design.counting.two_tiers import TwoTierCounts, TwoTiers
from fabric.design.family import Formulation, Variant
from topologies.catalogue import Catalogue
from topologies.divisors import divisors
from topologies.oversubscription import gbps_fraction

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, IntVar

_MOST_PORTS = 8  # of a NIC, that the builder spreads over ToRs


def dual_plane_variants(share: Share, catalogue: Catalogue) -> Iterator[Variant]:
    """One pod without cores, and several that meet in the core; one model in every tier."""
    need = share.need
    if not 2 <= share.nic_ports <= _MOST_PORTS:
        return
    for option in equal_options(need, catalogue, share.gbps):
        ways = int(option.gbps // share.gbps)
        if ways > 1 and all(ways != split for split, _ in option.splits):
            continue  # the builder breaks host ports out as far as their speed goes
        tiers = (host_link(share, option, ways, "host-tor"), link_between(option, option, "tor-agg"))
        ratio = uplink_ratio(need, share.gbps, option.gbps)
        rows = leaf_rows(share, option.ports, 1, ways, ratio)
        if need.max_tiers >= 2:
            layout = Layout("dual-plane", share, ("tor", "agg"), (option,) * 2, tiers, "dual-plane", own_planes=True)
            plan = TwoTiers(layout, rows, 1, share.nics, partial(_one_pod, share, option))
            if (variant := plan.variant()) is not None:
                yield variant
        if need.max_tiers >= 3 and rows:
            wires = (*tiers, link_between(option, option, "agg-core"))
            roles = ("tor", "agg", "core")
            layout = Layout(
                "dual-plane", share, roles, (option,) * 3, wires, "dual-plane", own_planes=True, counts_all=True
            )
            if (variant := DualPods(layout, rows, limits_of(layout)).variant()) is not None:
                yield variant


def _keys(share: Share, option: PortOption, hosts: int, up: int, aggs: int) -> dict[str, Any]:
    """Keys that designs of one pod and of several have."""
    return {
        "hosts_per_segment": hosts,
        "gpus_per_host": share.nics,
        "nic_ports": share.nic_ports,
        "port_speed": f"{share.gbps:g}G",
        "tor_uplinks": up,
        "uplink_speed": f"{option.gbps:g}G",
        "aggs_per_plane": aggs,
        "switch": option.spec(),
    }


def _one_pod(share: Share, option: PortOption, counts: TwoTierCounts) -> dict[str, Any]:
    keys = _keys(share, option, counts.row.hosts, counts.up, counts.spines)
    return {"segments": counts.row.leaves, **keys}


def fewest_cores(planes: int, uplinks: int, ports: int) -> int | None:
    """Fewest cores that ``uplinks`` of each of so many planes spread over evenly; None where none do."""
    return next((count for count in divisors(uplinks) if planes * uplinks // count <= ports), None)


@dataclass(frozen=True)
class DualPods:
    """Pods of segments whose planes meet in the core."""

    layout: Layout
    rows: tuple[LeafRow, ...]
    limits: PodLimits

    def variant(self) -> Variant | None:
        """The variant; None where pods and cores do not reach all segments."""
        share, limits = self.layout.share, self.limits
        most_pods = limits.core_ports // share.planes
        reach = limits.most_leaves // share.nics * most_pods
        rows = tuple(row for row in self.rows if row.leaves <= reach)
        if not rows or most_pods < 2:
            return None
        times = share.nics * share.planes
        tors = min(row.leaves for row in rows) * times
        cables = min(row.leaves * row.least_up for row in rows) * times
        upper = max(-(-cables * limits.up_per_link.numerator // limits.up_per_link.denominator), 1)
        aggs = max(-(-(cables + upper) // limits.spine_ports), share.planes)
        cores = max(-(-upper // limits.core_ports), 1)
        floor = self.layout.floor((tors, aggs, cores), (cables, upper))
        return self.layout.variant(floor, lambda model: self._formulate(model, rows), "pods")

    def _formulate(self, model: CpModel, rows: tuple[LeafRow, ...]) -> Formulation:
        """Variables of a plane of a pod, pods, cores, and the products that are counted."""
        limits, share = self.limits, self.layout.share
        by_units = {row.leaves: row for row in rows}
        units, pod = pod_variables(model, limits, rows, share.nics)
        most_up = max(row.most_up for row in rows)
        most_pods = min(limits.core_ports // share.planes, max(max(by_units), 2))
        pods = model.new_int_var(2, most_pods, "pods")
        segments = model.new_int_var(1, max(by_units) + limits.most_leaves, "segments")
        model.add_multiplication_equality(segments, [pods, pod.leaves])
        model.add(segments >= units)
        model.add(segments < units + pod.leaves)
        aggs = model.new_int_var(1, most_pods * most_up, "aggregation switches of a plane")
        model.add_multiplication_equality(aggs, [pods, pod.spines])
        cables = model.new_int_var(1, (max(by_units) + limits.most_leaves) * most_up, "tor-agg of a rail")
        model.add_multiplication_equality(cables, [segments, pod.up])
        upper, cores = self._cores(model, pods, most_pods, pod, most_up)
        model.add(cables * share.nics + upper <= limits.spine_ports * aggs)

        def sizes(value: Callable[[Any], int]) -> Sizes:
            row = by_units[value(units)]
            keys = _keys(share, self.layout.options[0], row.hosts, value(pod.up), value(pod.spines))
            more = {"pods": value(pods), "segments": value(pod.leaves), "agg_uplinks": value(pod.spine_up)}
            return self._sizes(row, {**more, **keys})

        planes, tors = share.planes, share.nics * share.planes
        decides = (units, pods, pod.leaves, pod.up, pod.spines, pod.spine_up)
        return self.layout.formulation(
            (segments * tors, aggs * planes, cores), (cables * tors, upper * planes), decides, sizes
        )

    def _cores(
        self, model: CpModel, pods: IntVar, most_pods: int, pod: PodVariables, most_up: int
    ) -> tuple[IntVar, IntVar]:
        """Cables to the core of a plane of all pods, and cores."""
        limits, planes = self.limits, self.layout.share.planes
        most = most_up * limits.spine_ports
        pod_up = model.new_int_var(1, most, "uplinks of a plane of a pod")
        model.add_multiplication_equality(pod_up, [pod.spines, pod.spine_up])
        upper = model.new_int_var(1, most_pods * most, "agg-core of a plane")
        model.add_multiplication_equality(upper, [pods, pod_up])
        cores = model.new_int_var(limits.fewest_cores, most, "cores")
        each = model.new_int_var(1, limits.core_ports // planes, "cables of a plane of a pod to each core")
        model.add_multiplication_equality(pod_up, [cores, each])
        core_down = model.new_int_var(1, limits.core_ports // planes, "cables of a core from a plane")
        model.add_multiplication_equality(core_down, [pods, each])
        model.add(upper * planes <= limits.core_ports * cores)
        return upper, cores

    def _sizes(self, row: LeafRow, keys: dict[str, Any]) -> Sizes:
        """What the builder makes of the counts."""
        share, option = self.layout.share, self.layout.options[0]
        pods, up, aggs, spine_up = keys["pods"], keys["tor_uplinks"], keys["aggs_per_plane"], keys["agg_uplinks"]
        cores = fewest_cores(pods * share.planes, aggs * spine_up, self.limits.core_ports)
        if cores is None:
            raise AssertionError("the programme has cores that suffice")
        links, ways = fullest(share, row.hosts), int(option.gbps // share.gbps)
        tors = pods * keys["segments"] * share.nics * share.planes
        down = keys["segments"] * share.nics * (up // aggs)
        upper = pods * share.planes * aggs * spine_up
        host_gbps, gbps = gbps_fraction(share.gbps), gbps_fraction(option.gbps)
        return Sizes(
            keys,
            (tors, pods * share.planes * aggs, cores),
            (tors * up, upper),
            (-(-links // ways) + up, down + spine_up, upper // cores),
            {"tor": float(links * host_gbps / (up * gbps)), "agg": down / spine_up},
        )
