"""Rows of a bill for what has ports: switches with their licences, NICs, and the nodes they are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fabric.bill.bill import BillRow, Item
from fabric.bill.ends import roles_by_name
from fabric.scenario.node_schema import NicSpec, NodeSpec
from fabric.scenario.schema import FabricSpec
from topologies.catalogue import Catalogue, CatalogueRow
from topologies.switches import SwitchPorts, switch_of_role
from topologies.topology import Topology
from topologies.units import format_gbps

Priced = Mapping[str, float]  # prices of the scenario by model


def model_row(
    item: Item, row: CatalogueRow, count: int, priced: Priced, *, fabric: str | None = None, **changed: Any
) -> BillRow:
    """A row of one model of the catalogue, at the scenario's price where it has one."""
    known = {name: getattr(row, name, None) for name in ("typical_w", "max_w", "carbon_kg", "lead_days")}
    of_scenario = row.model in priced
    source = f"{row.source}; price: the scenario" if of_scenario else row.source
    usd = priced[row.model] if of_scenario else getattr(row, "usd", None)
    values: dict[str, Any] = {"usd": usd, **known, "source": source, "usd_estimate": row.estimate and not of_scenario}
    return BillRow(item, row.model, count, **{**values, "estimate": row.estimate, "fabric": fabric, **changed})


def without_model(item: Item, what: str, count: int, fabric: str | None, why: str) -> BillRow:
    """A row that only counts: nothing is known of what it costs."""
    return BillRow(
        item, what, count, None, None, None, None, None, estimate=False, source=why, fabric=fabric, has_model=False
    )


def switch_rows(
    fabric: str, topology: Topology, spec: FabricSpec, catalogue: Catalogue, priced: Priced
) -> Iterator[BillRow]:
    """Switches of every role, licences of those that need one, and optical switches."""
    counts: dict[str, int] = {}
    for role, ids in roles_by_name(topology).items():
        switch = switch_of_role(spec.topology, role)
        if switch is not None and switch.model is not None:
            counts[switch.model] = counts.get(switch.model, 0) + len(ids)
        else:
            yield without_model(
                "switch", _bare(role, ids, topology, switch), len(ids), fabric, "the scenario names no model"
            )
    for model, count in sorted(counts.items()):
        row = catalogue.switches[model]
        yield model_row("switch", row, count, priced, fabric=fabric)
        if row.licence_usd:
            yield BillRow(
                "licence", model, count, row.licence_usd, 0.0, 0.0, 0.0, None, row.estimate, row.source, fabric,
                usd_estimate=row.estimate, draws=False,
            )  # fmt: skip
    optical = np.flatnonzero(~topology.nodes.forwards & (topology.nodes.level > 0))
    if len(optical):
        roles = sorted({topology.roles[code] for code in topology.nodes.role[optical].tolist()})
        what = f"optical switch ({', '.join(roles)})"
        yield without_model("switch", what, len(optical), fabric, "the catalogue has no optical switches")


def _bare(role: str, ids: Any, topology: Topology, switch: SwitchPorts | None) -> str:
    """What is known of switches without a model: their ports and speed."""
    radix = int(topology.nodes.radix[ids].max())
    ports = radix or int(np.ceil(topology.ports_used[ids].max()))
    on = np.isin(topology.links.src, ids)
    gbps = (switch.port_gbps if switch else None) or float(topology.links.capacity_gbps[on].max(initial=0.0))
    least = "" if radix else "at least "
    return f"{role} of {least}{ports:,} x {format_gbps(gbps)}"


def nic_rows(
    fabric: str, topology: Topology, groups: Sequence[tuple[NodeSpec, NicSpec]], catalogue: Catalogue, priced: Priced
) -> Iterator[BillRow]:
    """NICs of the node groups on a fabric; endpoints that a builder made up count as NICs of one port."""
    counts: dict[str, int] = {}
    bare: dict[float, int] = {}
    for node, nic in groups:
        if nic.model is not None:
            counts[nic.model] = counts.get(nic.model, 0) + node.count * nic.count
        else:
            bare[nic.gbps] = bare.get(nic.gbps, 0) + node.count * nic.count
    if not groups:
        links = topology.links
        on_host = (topology.nodes.nics[links.src] > 0) & ~topology.is_switch[links.src]
        speeds, ports = np.unique(links.capacity_gbps[on_host], return_counts=True)
        bare = dict(zip(speeds.tolist(), ports.tolist(), strict=True))
    for model, count in sorted(counts.items()):
        yield model_row("nic", catalogue.nics[model], count, priced, fabric=fabric)
    for gbps, count in sorted(bare.items()):
        yield without_model("nic", f"NIC of {format_gbps(gbps)}", count, fabric, "the scenario names no model")


def node_rows(nodes: Sequence[NodeSpec], catalogue: Catalogue, priced: Priced) -> Iterator[BillRow]:
    """The servers themselves."""
    counts: dict[str, int] = {}
    for node in nodes:
        if node.model is not None:
            counts[node.model] = counts.get(node.model, 0) + node.count
        else:
            what = f"node {node.group}, {node.gpus_per_node} GPUs"
            yield without_model("node", what, node.count, None, "the scenario names no model")
    for model, count in sorted(counts.items()):
        yield model_row("node", catalogue.nodes[model], count, priced)


def inside_nodes(
    rows: Sequence[BillRow], fabric: str, groups: Sequence[tuple[NodeSpec, NicSpec]], catalogue: Catalogue
) -> list[BillRow]:
    """NIC rows without the NICs that the price and power of their nodes have in them."""
    left: list[BillRow] = []
    for row in rows:
        within = sum(
            node.count * nic.count
            for node, nic in groups
            if nic.model == row.model and node.model is not None and catalogue.nodes[node.model].with_nics
        )
        if row.item != "nic" or row.fabric != fabric or not row.has_model or not within:
            left.append(row)
            continue
        inside = replace(
            row, count=within, usd=0.0, typical_w=0.0, max_w=0.0, carbon_kg=0.0, estimate=False, usd_estimate=False,
            source="in the price, power and carbon of its node",
        )  # fmt: skip
        left.append(inside)
        if row.count > within:
            left.append(replace(row, count=row.count - within))
    return left
