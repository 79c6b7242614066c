"""Leaves and spines, counted: ``L`` leaves of ``u`` uplinks, ``q`` to each of ``s`` spines, so that ``u = s q``.

A spine takes ``L q`` cables, which are at most its ports; hosts on a leaf and ``u`` are at most a leaf's ports, and
``u`` at least what the oversubscription asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes, host_link, link_between
from fabric.design.counting.leaf_rows import LeafRow, fullest, leaf_rows
from fabric.design.counting.port_options import PortOption, host_options, host_splits, upper_options
from fabric.design.counting.shares import Share, uplink_ratio
from fabric.design.family import Formulation, Variant
from topologies.catalogue import Catalogue
from topologies.oversubscription import gbps_fraction

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel


@dataclass(frozen=True)
class TwoTierCounts:
    """Counts of a two-tier design: ``row`` says how hosts fill leaves or units."""

    row: LeafRow
    leaves: int
    up: int
    spines: int


@dataclass(frozen=True)
class TwoTiers:
    """Leaves of hosts under spines.

    Attributes
    ----------
    links_per_host : int
        Links of a host to one leaf.
    columns : int
        Leaves of a unit: 1 where hosts fill leaves, not units.
    """

    layout: Layout
    rows: tuple[LeafRow, ...]
    links_per_host: int
    columns: int
    topology: Callable[[TwoTierCounts], dict[str, Any]]
    choices: tuple[str, ...] = ()

    def variant(self) -> Variant | None:
        """The variant; None where the spines do not reach all leaves."""
        spine, share = self.layout.options[1], self.layout.share
        rows = tuple(row for row in self.rows if row.leaves * self.columns <= spine.ports)
        if not rows:
            return None
        leaves = min(row.leaves for row in rows) * self.columns
        cables = min(row.leaves * row.least_up for row in rows) * self.columns
        spines = max(-(-cables // spine.ports), share.fewest("spine"))
        floor = self.layout.floor((leaves, spines), (cables,))
        return self.layout.variant(floor, lambda model: self._formulate(model, rows), *self.choices)

    def _formulate(self, model: CpModel, rows: tuple[LeafRow, ...]) -> Formulation:
        """Variables: leaves (or units) with what they need, spines, cables to each, uplinks."""
        spine, share = self.layout.options[1], self.layout.share
        by_leaves = {row.leaves: row for row in rows}
        most_up = max(row.most_up for row in rows)
        most = max(by_leaves)
        filled = model.new_int_var(min(by_leaves), most, "filled")
        least = model.new_int_var(0, most_up, "least uplinks")
        room = model.new_int_var(0, most_up, "most uplinks")
        model.add_allowed_assignments([filled, least, room], [(r.leaves, r.least_up, r.most_up) for r in rows])
        up = model.new_int_var(min(row.least_up for row in rows), most_up, "uplinks")
        model.add(up >= least)
        model.add(up <= room)
        spines = model.new_int_var(share.fewest("spine"), most_up, "spines")
        each = model.new_int_var(1, spine.ports // (min(by_leaves) * self.columns), "cables to each spine")
        model.add_multiplication_equality(up, [spines, each])
        below = model.new_int_var(1, spine.ports // self.columns, "spine ports of a column")
        model.add_multiplication_equality(below, [filled, each])
        cables = model.new_int_var(1, most * most_up, "uplinks of a column")
        model.add_multiplication_equality(cables, [filled, up])
        model.add(cables <= spine.ports // self.columns * spines)

        def sizes(value: Callable[[Any], int]) -> Sizes:
            row = by_leaves[value(filled)]
            return self._sizes(TwoTierCounts(row, row.leaves * self.columns, value(up), value(spines)))

        return self.layout.formulation(
            (filled * self.columns, spines), (cables * self.columns,), (filled, up, spines), sizes
        )

    def _sizes(self, counts: TwoTierCounts) -> Sizes:
        """What the builder makes of the counts."""
        share, leaf = self.layout.share, self.layout.options[0]
        links = fullest(share, counts.row.hosts) * self.links_per_host
        ways = self.layout.wires[0].upper.links // leaf.end().links
        down_gbps, up_gbps = (gbps_fraction(wire.gbps) for wire in self.layout.wires)
        return Sizes(
            self.topology(counts),
            (counts.leaves, counts.spines),
            (counts.leaves * counts.up,),
            (-(-links // ways) + counts.up, counts.leaves * counts.up // counts.spines),
            {self.layout.roles[0]: float(links * down_gbps / (counts.up * up_gbps))},
        )


def leaf_spines(family: str, share: Share, catalogue: Catalogue) -> Iterator[Variant]:
    """Leaf-spines of whole hosts on leaves; host ports of a leaf may be broken out further than its uplinks."""
    if not share.leaf_may_die() or share.need.max_tiers < 2:
        return
    need = share.need
    for leaf in host_options(need, catalogue, share.gbps):
        for ways, split in host_splits(leaf, share.gbps):
            for spine in upper_options(need, catalogue, leaf):
                wires = (host_link(share, leaf, ways), link_between(leaf, spine, "leaf-spine"))
                ratio = uplink_ratio(need, share.gbps, wires[1].gbps)
                rows = leaf_rows(share, leaf.ports, share.nics, ways, ratio)
                layout = Layout(family, share, ("leaf", "spine"), (leaf, spine), wires, "leaf-spine")
                topology = _leaf_spine(leaf, spine, split)
                choices = (f"hosts on {split}",) if split else ()
                plan = TwoTiers(layout, rows, share.nics, 1, topology, choices)
                if (variant := plan.variant()) is not None:
                    yield variant


def _leaf_spine(leaf: PortOption, spine: PortOption, split: str | None) -> Callable[[TwoTierCounts], dict[str, Any]]:
    """The topology of a leaf-spine, but for its kind."""

    def topology(counts: TwoTierCounts) -> dict[str, Any]:
        broken = {"down_breakout": split} if split else {}
        return {
            "leaf": leaf.spec(count=counts.leaves, down=counts.row.down_ports, up=counts.up, **broken),
            "spine": spine.spec(count=counts.spines),
        }

    return topology


def two_tier_rails(family: str, share: Share, catalogue: Catalogue, rails_per_switch: int) -> Iterator[Variant]:
    """Rail-optimised fabrics of two tiers: a leaf per unit and rail, or per neighbouring rails that share it."""
    need, columns = share.need, share.nics // rails_per_switch
    for leaf in host_options(need, catalogue, share.gbps):
        for spine in upper_options(need, catalogue, leaf):
            wires = (host_link(share, leaf), link_between(leaf, spine, "leaf-spine"))
            ratio = uplink_ratio(need, share.gbps, wires[1].gbps)
            rows = leaf_rows(share, leaf.ports, rails_per_switch, 1, ratio)
            layout = Layout(family, share, ("leaf", "spine"), (leaf, spine), wires, "rail-optimised")
            topology = _rails(leaf, spine, rails_per_switch)
            plan = TwoTiers(layout, rows, rails_per_switch, columns, topology, (f"rails x{rails_per_switch}",))
            if (variant := plan.variant()) is not None:
                yield variant


def _rails(leaf: PortOption, spine: PortOption, shared: int) -> Callable[[TwoTierCounts], dict[str, Any]]:
    """The topology of a rail-optimised fabric of two tiers, but for its kind."""

    def topology(counts: TwoTierCounts) -> dict[str, Any]:
        return {
            "units": counts.row.leaves,
            "nodes_per_unit": counts.row.hosts,
            **({"rails_per_switch": shared} if shared > 1 else {}),
            "leaf": leaf.spec(down=counts.row.down_ports, up=counts.up),
            "spine": spine.spec(count=counts.spines),
        }

    return topology
