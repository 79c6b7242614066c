"""Rows of a bill for what is between ports: optics and cables, as the cable schedule makes every link.

A pluggable fills a whole cage: there is one for every cage that has a link in it, also where a twin-port cage has one
link, and a cable that splits is bought whole. Cables are paid at the length they are bought.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fabric.bill.bill import BillRow
from fabric.bill.device_rows import Priced, model_row, without_model
from fabric.cables.fabric_cables import FabricCables
from fabric.cables.models import NodeModels
from topologies.catalogue import CableModel, Catalogue, OpticModel
from topologies.columns import Floats, column
from topologies.link_kits import FIBRES
from topologies.units import format_gbps


@dataclass(eq=False)
class LinkParts:
    """What the links of a fabric are made of.

    Attributes
    ----------
    cables, metres : Counter
        Cables of a model, and how long they are together.
    plugs : dict
        Optics, and ends of cables that have theirs on, by model and node, shape (N,).
    unmade : Counter
        Links by tier and speed, Gbps, that the catalogue has nothing for.
    """

    cables: Counter[str] = field(default_factory=Counter)
    metres: dict[str, float] = field(default_factory=dict)
    plugs: dict[str, np.ndarray] = field(default_factory=dict)
    unmade: Counter[tuple[str, float]] = field(default_factory=Counter)


def link_parts(made: FabricCables) -> LinkParts:
    """Count the parts of all cables of a fabric."""
    parts = LinkParts()
    _, first = np.unique(made.cable, return_index=True)
    for row in first.tolist():
        model = made.model[row]
        if model:
            parts.cables[model] += 1
            parts.metres[model] = parts.metres.get(model, 0.0) + float(made.bought_m[row])
    links = made.ends.topology.links
    for row in np.flatnonzero(made.chosen.kit < 0).tolist():
        link = made.ends.link[row]
        parts.unmade[made.ends.topology.tiers[links.tier[link]], float(links.capacity_gbps[link])] += 1
    nodes = len(made.ends.topology.nodes)
    for number, kit in enumerate(made.chosen.kits):
        rows = np.flatnonzero(made.chosen.kit == number)
        if not len(rows):
            continue
        for end in (0, 1):
            cage, at = np.unique(made.ends.cage[end][rows], return_index=True)
            model = kit.parts[1 + end][0] if kit.medium in FIBRES else kit.parts[0][0]
            _add_plugs(parts, model, cage, made.ends.node[end][rows][at], nodes)
    return _cages_once(parts, nodes)


def _add_plugs(parts: LinkParts, model: str, cages: np.ndarray, node: np.ndarray, nodes: int) -> None:
    """Note the cages of a model, with their nodes; a cage may hold links of several kits."""
    seen = parts.plugs.setdefault(model, np.zeros((0, 2), np.int64))
    parts.plugs[model] = np.concatenate([seen, np.stack([cages.astype(np.int64), node.astype(np.int64)], axis=1)])


def _cages_once(parts: LinkParts, nodes: int) -> LinkParts:
    """Plugs by node: every cage counts once."""
    for model, seen in parts.plugs.items():
        cages = np.unique(seen, axis=0)
        parts.plugs[model] = np.bincount(cages[:, 1], minlength=nodes)
    return parts


def room_w(models: NodeModels) -> Floats:
    """By node: watts of what is plugged in that a switch's largest power has in it, above its typical; shape (N,)."""
    room = []
    for switch in models.switches:
        row = switch.row
        if row is None or row.max_w is None or not row.optics_in_max_w:
            room.append(0.0)
        else:
            room.append(np.inf if row.typical_w is None else max(row.max_w - row.typical_w, 0.0))
    return column(np.array([*room, 0.0])[models.of_node], np.float64)


def absorbed_w(parts: LinkParts, room: Floats, catalogue: Catalogue) -> dict[str, float]:
    """By model: watts of all of its plugs that the largest power of their switches has in it."""
    plugged = {model: count * (_plug(catalogue, model).max_w or 0.0) for model, count in parts.plugs.items()}
    together = sum(plugged.values(), np.zeros(len(room)))
    share = np.divide(np.minimum(together, room), together, out=np.zeros_like(together), where=together > 0)
    return {model: float((watts * share).sum()) for model, watts in plugged.items()}


def _plug(catalogue: Catalogue, model: str) -> CableModel | OpticModel:
    return catalogue.optics[model] if model in catalogue.optics else catalogue.cables[model]


def link_rows(made: FabricCables, catalogue: Catalogue, priced: Priced) -> Iterator[BillRow]:
    """Rows of optics and cables of a fabric."""
    parts = link_parts(made)
    absorbed = absorbed_w(parts, room_w(made.models), catalogue)
    for model, modules in sorted(parts.plugs.items()):
        if model not in catalogue.optics:
            continue
        row = catalogue.optics[model]
        yield model_row(
            "optic", row, int(modules.sum()), priced, fabric=made.fabric, absorbed_w=absorbed[model],
            typical_w=_typical(row.typical_w, row.max_w),
        )  # fmt: skip
    for model, count in sorted(parts.cables.items()):
        cable = catalogue.cables[model]
        ends = 0.0 if cable.medium in FIBRES else float(parts.plugs[model].sum()) / count
        yield model_row(
            "cable", cable, count, priced, fabric=made.fabric, metres=parts.metres[model], usd_per_m=cable.usd_per_m,
            typical_w=_of_ends(_typical(cable.typical_w, cable.max_w), ends), max_w=_of_ends(cable.max_w, ends),
            absorbed_w=absorbed.get(model, 0.0),
        )  # fmt: skip
    for (tier, gbps), links in sorted(parts.unmade.items()):
        what, why = f"{format_gbps(gbps)} link of {tier}", "no cable or optics of the catalogue make it"
        yield without_model("cable", what, links, made.fabric, why)


def _typical(typical_w: float | None, max_w: float | None) -> float | None:
    """Typical power; the largest where nothing says."""
    return max_w if typical_w is None else typical_w


def _of_ends(watts: float | None, ends: float) -> float | None:
    """Power of the ends of a cable that are plugged in; fibres draw nothing."""
    return 0.0 if not ends else None if watts is None else watts * ends
