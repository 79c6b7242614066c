"""Pods of leaves and spines under cores, counted.

``k`` pods of ``m`` leaves; a leaf has ``u = s q`` uplinks, ``q`` to each of the pod's ``s`` spines; a spine has ``m q``
cables down and ``v`` up. The uplinks of a pod's spines, ``s v``, spread evenly over ``c`` cores where ``c`` divides
them: cores are in planes, as many as ``gcd(s, c)``, so that each spine of a pod reaches a part of them. A core then has
``e = s v / c`` cables from every pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, gcd
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.leaf_rows import LeafRow, fullest, leaf_rows
from fabric.design.counting.port_options import host_options, upper_options
from fabric.design.counting.shares import Share, uplink_ratio
from fabric.design.family import Formulation, Variant
from topologies.catalogue import Catalogue
from topologies.oversubscription import gbps_fraction

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, IntVar


@dataclass(frozen=True)
class PodLimits:
    """What ports allow of a pod, and what is asked of it.

    Attributes
    ----------
    up_per_link : Fraction
        Uplinks of a spine for every link down, by the oversubscription allowed.
    """

    spine_ports: int
    core_ports: int
    up_per_link: Fraction
    fewest_spines: int
    fewest_cores: int

    @cached_property
    def most_leaves(self) -> int:
        """Of a pod, with one cable from each to each spine: ``d`` with ``d + d · up_per_link`` within the ports."""
        ratio = self.up_per_link
        most = self.spine_ports * ratio.denominator // (ratio.denominator + ratio.numerator)
        return min(most, self.spine_ports - 1)


def limits_of(layout: Layout) -> PodLimits:
    """Limits of the spines and cores of a layout."""
    share, (_, spine, core) = layout.share, layout.options
    ratio = uplink_ratio(share.need, layout.wires[1].gbps, layout.wires[2].gbps)
    return PodLimits(spine.ports, core.ports, ratio, share.fewest("spine"), share.fewest("core"))


@dataclass(frozen=True)
class PodVariables:
    """Variables of one pod: of its leaves' uplinks, its spines, and their uplinks."""

    leaves: IntVar  # or units, with one leaf of a column each
    up: IntVar
    spines: IntVar
    down: IntVar  # cables of a spine to one column of leaves
    spine_up: IntVar


def pod_variables(
    model: CpModel, limits: PodLimits, rows: tuple[LeafRow, ...], columns: int = 1
) -> tuple[IntVar, PodVariables]:
    """Leaves that the hosts fill, and a pod: ``u = s q``, ``m q + v`` within the ports, ``v`` as is asked for.

    With ``columns`` every leaf is so many, all under the same spines.
    """
    most_down = limits.most_leaves // columns
    most_up = max(row.most_up for row in rows)
    filled = model.new_int_var(min(row.leaves for row in rows), max(row.leaves for row in rows), "filled")
    least = model.new_int_var(0, most_up, "least uplinks")
    room = model.new_int_var(0, most_up, "most uplinks")
    model.add_allowed_assignments([filled, least, room], [(row.leaves, row.least_up, row.most_up) for row in rows])
    up = model.new_int_var(min(row.least_up for row in rows), most_up, "uplinks")
    model.add(up >= least)
    model.add(up <= room)
    spines = model.new_int_var(limits.fewest_spines, most_up, "spines of a pod")
    each = model.new_int_var(1, most_down, "cables to each spine")
    model.add_multiplication_equality(up, [spines, each])
    leaves = model.new_int_var(1, most_down, "leaves of a pod")
    down = model.new_int_var(1, most_down, "cables down of a spine")
    model.add_multiplication_equality(down, [leaves, each])
    spine_up = model.new_int_var(1, limits.spine_ports - 1, "uplinks of a spine")
    model.add(columns * down + spine_up <= limits.spine_ports)
    ratio = limits.up_per_link
    model.add(columns * down * ratio.numerator <= spine_up * ratio.denominator)
    return filled, PodVariables(leaves, up, spines, down, spine_up)


@dataclass(frozen=True)
class ThreeTierCounts:
    """Counts of a design of three tiers."""

    row: LeafRow
    pods: int
    pod_leaves: int
    up: int
    spines: int  # of a pod
    spine_up: int
    cores: int


def clos_floor(
    layout: Layout, rows: tuple[LeafRow, ...], limits: PodLimits, columns: int = 1
) -> tuple[list[int], list[int]]:
    """Switches by role and cables by tier that no design is below."""
    leaves = min(row.leaves for row in rows) * columns
    cables = min(row.leaves * row.least_up for row in rows) * columns
    upper = max(ceil(cables * limits.up_per_link), 1)
    spines = max(-(-(cables + upper) // limits.spine_ports), limits.fewest_spines * columns)
    cores = max(-(-upper // limits.core_ports), limits.fewest_cores)
    return [leaves, spines, cores], [cables, upper]


def three_tier_clos(family: str, share: Share, catalogue: Catalogue) -> Iterator[Variant]:
    """Clos of three tiers, every model in every tier."""
    if not share.leaf_may_die() or share.need.max_tiers < 3:
        return
    need = share.need
    for leaf in host_options(need, catalogue, share.gbps):
        for spine in upper_options(need, catalogue, leaf):
            first = link_between(leaf, spine, "leaf-spine")
            ratio = uplink_ratio(need, share.gbps, first.gbps)
            rows = leaf_rows(share, leaf.ports, share.nics, 1, ratio)
            for core in upper_options(need, catalogue, spine) if rows else ():
                wires = (host_link(share, leaf), first, link_between(spine, core, "spine-core"))
                layout = Layout(family, share, ("leaf", "spine", "core"), (leaf, spine, core), wires, "clos")
                if (variant := _clos_variant(layout, rows)) is not None:
                    yield variant


def _clos_variant(layout: Layout, rows: tuple[LeafRow, ...]) -> Variant | None:
    """The variant of a layout; None where pods and cores do not reach all leaves."""
    limits = limits_of(layout)
    reach = limits.most_leaves * limits.core_ports
    fitting = tuple(row for row in rows if row.leaves <= reach)
    if not fitting:
        return None
    floor = layout.floor(*clos_floor(layout, fitting, limits))
    return layout.variant(floor, lambda model: _formulate(model, layout, fitting, limits))


def _formulate(model: CpModel, layout: Layout, rows: tuple[LeafRow, ...], limits: PodLimits) -> Formulation:
    """Variables of a pod, pods, cores, and the products that are counted."""
    by_leaves = {row.leaves: row for row in rows}
    filled, pod = pod_variables(model, limits, rows)
    most_up = max(row.most_up for row in rows)
    most_pods = min(limits.core_ports, max(by_leaves))
    pods = model.new_int_var(1, most_pods, "pods")
    most_leaves = max(by_leaves) + limits.most_leaves
    leaves = model.new_int_var(min(by_leaves), most_leaves, "leaves")
    model.add_multiplication_equality(leaves, [pods, pod.leaves])
    model.add(leaves >= filled)
    model.add(leaves < filled + pod.leaves)  # a pod fewer would not do
    spines = model.new_int_var(1, most_pods * most_up, "spines")
    model.add_multiplication_equality(spines, [pods, pod.spines])
    cables = model.new_int_var(1, most_leaves * most_up, "leaf-spine")
    model.add_multiplication_equality(cables, [leaves, pod.up])
    pod_up = model.new_int_var(1, most_up * limits.spine_ports, "uplinks of a pod's spines")
    model.add_multiplication_equality(pod_up, [pod.spines, pod.spine_up])
    upper = model.new_int_var(1, most_pods * most_up * limits.spine_ports, "spine-core")
    model.add_multiplication_equality(upper, [pods, pod_up])
    cores = model.new_int_var(limits.fewest_cores, most_up * limits.spine_ports, "cores")
    each = model.new_int_var(1, limits.core_ports, "cables of a pod to each core")
    model.add_multiplication_equality(pod_up, [cores, each])
    core_down = model.new_int_var(1, limits.core_ports, "cables of a core")
    model.add_multiplication_equality(core_down, [pods, each])
    model.add(cables + upper <= limits.spine_ports * spines)
    model.add(upper <= limits.core_ports * cores)

    def sizes(value: Callable[[Any], int]) -> Sizes:
        counts = ThreeTierCounts(
            by_leaves[value(filled)], value(pods), value(pod.leaves), value(pod.up), value(pod.spines),
            value(pod.spine_up), value(cores),
        )  # fmt: skip
        return _clos_sizes(layout, counts)

    decides = (filled, pods, pod.leaves, pod.up, pod.spines, pod.spine_up, cores)
    return layout.formulation((leaves, spines, cores), (cables, upper), decides, sizes)


def _clos_sizes(layout: Layout, counts: ThreeTierCounts) -> Sizes:
    """What the builder makes of the counts."""
    share, (leaf, spine, core) = layout.share, layout.options
    links = fullest(share, counts.row.hosts) * share.nics
    down_gbps, up_gbps, core_gbps = (gbps_fraction(wire.gbps) for wire in layout.wires)
    leaves = counts.pods * counts.pod_leaves
    spine_down, pod_up = counts.pod_leaves * counts.up // counts.spines, counts.spines * counts.spine_up
    topology = {
        "tiers": 3,
        "hosts_per_leaf": counts.row.down_ports,
        "leaves_per_pod": counts.pod_leaves,
        "spines_per_pod": counts.spines,
        "pods": counts.pods,
        "cores": counts.cores,
        "planes": gcd(counts.spines, counts.cores),
        "uplinks": {"leaf": counts.up, "spine": counts.spine_up},
        "leaf": leaf.spec(),
        "spine": spine.spec(),
        "core": core.spec(),
    }
    return Sizes(
        topology,
        (leaves, counts.pods * counts.spines, counts.cores),
        (leaves * counts.up, counts.pods * pod_up),
        (links + counts.up, spine_down + counts.spine_up, counts.pods * pod_up // counts.cores),
        {
            "leaf": float(links * down_gbps / (counts.up * up_gbps)),
            "spine": float(spine_down * up_gbps / (counts.spine_up * core_gbps)),
        },
    )
