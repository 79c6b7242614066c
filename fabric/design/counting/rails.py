"""Rail-optimised fabrics, counted; with three tiers spines are of one rail in one pod.

``U`` units of ``d`` nodes have a leaf for every rail, or for ``t`` neighbouring rails on it: ``U n / t`` leaves. With
three tiers ``k = ceil(U / m)`` pods of ``m`` units, of which the last may have fewer, have ``s`` spines for every
column of leaves. Above spine ``i`` of all groups are ``r`` cores, each with ``b`` cables from every one: ``v = r b``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.leaf_rows import LeafRow, fullest, leaf_rows
from fabric.design.counting.port_options import host_options, upper_options
from fabric.design.counting.shares import Share, uplink_ratio
from fabric.design.counting.three_tiers import PodLimits, ThreeTierCounts, clos_floor, limits_of, pod_variables
from fabric.design.counting.two_tiers import two_tier_rails
from fabric.design.family import Formulation, Variant
from topologies.catalogue import Catalogue
from topologies.divisors import divisors
from topologies.oversubscription import gbps_fraction

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel


def rail_variants(
    family: str, share: Share, catalogue: Catalogue, *, leaf_spines_too: bool = False
) -> Iterator[Variant]:
    """Two and three tiers, with every number of rails that may share a leaf.

    In two tiers all rails on one leaf are a leaf-spine, which is left out where those are there already.
    """
    shared_endpoint = share.need.rail == "shared"
    for together in divisors(share.nics):
        if share.leaf_may_die(share.nics // together if shared_endpoint else 1):
            if share.need.max_tiers >= 2 and not (leaf_spines_too and together == share.nics):
                yield from two_tier_rails(family, share, catalogue, together)
            if share.need.max_tiers >= 3:
                yield from _three_tier_rails(family, share, catalogue, together)


def _three_tier_rails(family: str, share: Share, catalogue: Catalogue, together: int) -> Iterator[Variant]:
    """Three tiers, every model in every tier."""
    need = share.need
    for leaf in host_options(need, catalogue, share.gbps):
        for spine in upper_options(need, catalogue, leaf):
            first = link_between(leaf, spine, "leaf-spine")
            ratio = uplink_ratio(need, share.gbps, first.gbps)
            rows = leaf_rows(share, leaf.ports, together, 1, ratio)
            for core in upper_options(need, catalogue, spine) if rows else ():
                wires = (host_link(share, leaf), first, link_between(spine, core, "spine-core"))
                layout = Layout(family, share, ("leaf", "spine", "core"), (leaf, spine, core), wires, "rail-optimised")
                if (variant := RailPods(layout, rows, together, limits_of(layout)).variant()) is not None:
                    yield variant


@dataclass(frozen=True)
class RailPods:
    """Three tiers of one layout; ``together`` rails share a leaf."""

    layout: Layout
    rows: tuple[LeafRow, ...]
    together: int
    limits: PodLimits

    @property
    def columns(self) -> int:
        """Leaves of a unit."""
        return self.layout.share.nics // self.together

    def variant(self) -> Variant | None:
        """The variant; None where pods and cores do not reach all units."""
        reach = self.limits.most_leaves * (self.limits.core_ports // self.columns)
        rows = tuple(row for row in self.rows if row.leaves <= reach)
        if not rows:
            return None
        floor = self.layout.floor(*clos_floor(self.layout, rows, self.limits, self.columns))
        return self.layout.variant(floor, lambda model: self._formulate(model, rows), f"rails x{self.together}")

    def _formulate(self, model: CpModel, rows: tuple[LeafRow, ...]) -> Formulation:
        """Variables of a pod and column, pods, cores of a plane, and the products that are counted."""
        limits, columns = self.limits, self.columns
        by_units = {row.leaves: row for row in rows}
        units, pod = pod_variables(model, limits, rows)
        most_up = max(row.most_up for row in rows)
        most_pods = min(limits.core_ports // columns, max(by_units))
        pods = model.new_int_var(1, most_pods, "pods")
        places = model.new_int_var(1, max(by_units) + limits.most_leaves, "units that pods have room for")
        model.add_multiplication_equality(places, [pods, pod.leaves])
        model.add(places >= units)
        model.add(places < units + pod.leaves)
        spines = model.new_int_var(1, most_pods * most_up, "spines of a column")
        model.add_multiplication_equality(spines, [pods, pod.spines])
        cables = model.new_int_var(1, max(by_units) * most_up, "leaf-spine of a column")
        model.add_multiplication_equality(cables, [units, pod.up])
        upper = model.new_int_var(1, most_pods * most_up * limits.spine_ports, "spine-core of a column")
        model.add_multiplication_equality(upper, [spines, pod.spine_up])
        plane = model.new_int_var(1, limits.spine_ports, "cores of a plane")
        each = model.new_int_var(1, limits.core_ports // columns, "cables of a spine to each core")
        model.add_multiplication_equality(pod.spine_up, [plane, each])
        core_down = model.new_int_var(1, limits.core_ports // columns, "cables of a core from a column")
        model.add_multiplication_equality(core_down, [pods, each])
        cores = model.new_int_var(limits.fewest_cores, most_up * limits.spine_ports, "cores")
        model.add_multiplication_equality(cores, [pod.spines, plane])
        model.add(cables + upper <= limits.spine_ports * spines)
        model.add(upper <= limits.core_ports // columns * cores)

        def sizes(value: Callable[[Any], int]) -> Sizes:
            counts = ThreeTierCounts(
                by_units[value(units)], value(pods), value(pod.leaves), value(pod.up), value(pod.spines),
                value(pod.spine_up), value(cores),
            )  # fmt: skip
            return self._sizes(counts)

        decides = (units, pod.leaves, pod.up, pod.spines, pod.spine_up, plane)
        return self.layout.formulation(
            (units * columns, spines * columns, cores), (cables * columns, upper * columns), decides, sizes
        )

    def _sizes(self, counts: ThreeTierCounts) -> Sizes:
        """What the builder makes of the counts."""
        share, (leaf, spine, core) = self.layout.share, self.layout.options
        links = fullest(share, counts.row.hosts) * self.together
        down_gbps, up_gbps, core_gbps = (gbps_fraction(wire.gbps) for wire in self.layout.wires)
        units, groups = counts.row.leaves, counts.pods * self.columns
        spine_down = min(counts.pod_leaves, units) * counts.up // counts.spines
        upper = groups * counts.spines * counts.spine_up
        topology = {
            "tiers": 3,
            "units": units,
            "nodes_per_unit": counts.row.hosts,
            "units_per_pod": counts.pod_leaves,
            **({"rails_per_switch": self.together} if self.together > 1 else {}),
            "leaf": leaf.spec(down=counts.row.down_ports, up=counts.up),
            "spine": spine.spec(count=counts.spines, up=counts.spine_up),
            "core": core.spec(count=counts.cores),
        }
        return Sizes(
            topology,
            (units * self.columns, groups * counts.spines, counts.cores),
            (units * self.columns * counts.up, upper),
            (links + counts.up, spine_down + counts.spine_up, upper // counts.cores),
            {
                "leaf": float(links * down_gbps / (counts.up * up_gbps)),
                "spine": float(spine_down * up_gbps / (counts.spine_up * core_gbps)),
            },
        )
