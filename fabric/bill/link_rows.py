"""Rows of a bill for what is between ports: optics and cables, in the cheapest way that reaches, or as scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.bill.bill import BillRow
from fabric.bill.device_rows import Priced, model_row, without_model
from fabric.bill.ends import CableEnds, cable_ends
from fabric.bill.link_parts import LinkParts, absorbed_w, cable_classes, count_parts, over_full, run_lengths
from fabric.scenario.node_schema import NicSpec, NodeSpec
from fabric.scenario.schema import FabricSpec
from topologies.catalogue import Catalogue
from topologies.topology import Topology

HOST_RUN_M = 2.0  # assumed length of a cable to a host: its rack has the switch
RUN_M = 20.0  # and of one between switches


@dataclass(frozen=True, eq=False)
class FabricParts:
    """Parts of one fabric's cables, and what is to be said of how they were counted."""

    fabric: str
    parts: LinkParts
    absorbed_w: Mapping[str, float]  # by model, within the largest power of switches
    notes: tuple[str, ...]


def fabric_parts(
    fabric: str,
    topology: Topology,
    spec: FabricSpec,
    groups: Sequence[tuple[NodeSpec, NicSpec]],
    catalogue: Catalogue,
    given: Mapping[str, float],
) -> FabricParts:
    """Count what the cables of a fabric are made of; lengths that nothing gives are assumed, and said.

    Parameters
    ----------
    given : mapping
        Lengths by tier that the scenario states, metres.
    """
    ends = cable_ends(topology, spec, groups, catalogue)
    assumed = {tier: given.get(tier, _default_run(ends, code, topology)) for code, tier in enumerate(topology.tiers)}
    metres = run_lengths(ends, topology.tiers, assumed)
    parts = count_parts(ends, cable_classes(ends, metres, catalogue), catalogue)
    unknown = np.unique(ends.tier[np.isnan(ends.length_m)]).tolist()
    guesses = [
        f"{topology.tiers[code]} {assumed[topology.tiers[code]]:g} m"
        for code in unknown
        if topology.tiers[code] not in given
    ]
    notes = (
        [f"{fabric}: lengths of cables are assumed, {', '.join(guesses)}; costs.run_lengths or a floor plan gives them"]
        if guesses
        else []
    )
    notes += _full_switches(fabric, topology, ends, parts, catalogue)
    return FabricParts(fabric, parts, absorbed_w(parts, ends, catalogue), tuple(notes))


def _default_run(ends: CableEnds, tier: int, topology: Topology) -> float:
    """Length of the cables of a tier that nothing gives."""
    rows = ends.link[ends.tier == tier]
    level = topology.nodes.level
    lowest = np.minimum(level[topology.links.src[rows]], level[topology.links.dst[rows]])
    return HOST_RUN_M if len(lowest) and lowest.max() == 0 else RUN_M


def _full_switches(
    fabric: str, topology: Topology, ends: CableEnds, parts: LinkParts, catalogue: Catalogue
) -> Iterator[str]:
    """Say which switches have fewer cages than the parts chosen for their links fill."""
    over = over_full(parts, ends, catalogue)
    for code, role in enumerate(topology.roles):
        members = np.flatnonzero((topology.nodes.role == code) & (over > 0))
        if len(members):
            first = members[0]
            yield (
                f"{fabric}: {len(members):,} {role} switches ({topology.nodes.name[first]}, …) have "
                f"{ends.cages[first]:,} cages, and what the catalogue has for their links fills "
                f"{ends.cages[first] + over[first]:,}"
            )


def part_rows(counted: FabricParts, catalogue: Catalogue, priced: Priced) -> Iterator[BillRow]:
    """Rows of optics and cables of a fabric."""
    for model, modules in sorted(counted.parts.modules(catalogue).items()):
        row = catalogue.optics[model]
        yield model_row(
            "optic", row, int(modules.sum()), priced, fabric=counted.fabric, typical_w=_typical(row.typical_w, row.max_w),
            absorbed_w=counted.absorbed_w[model],
        )  # fmt: skip
    for model, count in sorted(counted.parts.cables.items()):
        cable = catalogue.cables[model]
        has_ends = 0 if cable.medium in ("mmf", "smf") else 1 + cable.ends
        typical = _typical(cable.typical_w, cable.max_w)
        yield model_row(
            "cable", cable, count, priced, fabric=counted.fabric, metres=counted.parts.metres[model],
            usd_per_m=cable.usd_per_m,
            typical_w=_ends_w(typical, has_ends), max_w=_ends_w(cable.max_w, has_ends),
            absorbed_w=counted.absorbed_w.get(model, 0.0),
        )  # fmt: skip
    for why, links in sorted(counted.parts.unmade.items()):
        yield without_model("cable", why.partition(":")[0], links, counted.fabric, why.partition(": ")[2])


def _typical(typical_w: float | None, max_w: float | None) -> float | None:
    """Typical power; the largest where nothing says."""
    return max_w if typical_w is None else typical_w


def _ends_w(watts: float | None, ends: int) -> float | None:
    """Power of all ends of a cable; fibres draw nothing."""
    return 0.0 if not ends else None if watts is None else watts * ends
