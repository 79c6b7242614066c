"""The bill of a built scenario: what it buys, what that draws, and what it weighs on the climate.

The totals are of the network: GPU servers are left out unless they are asked for, NICs are in. Typical power is that of
switches, NICs and what is plugged into both. The largest power of a switch has its optics in it as data sheets state it:
what is plugged into its cages adds to it only what exceeds the room between both; what is plugged into NICs adds all. All
power turns to heat. Spares cost money and carbon, not power.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fabric.bill.bill import HOURS_PER_YEAR, ITEMS, Bill, BillRow, BillTotals, Factor
from fabric.bill.device_rows import Priced, inside_nodes, nic_rows, node_rows, switch_rows
from fabric.bill.ends import groups_of
from fabric.bill.link_rows import fabric_parts, part_rows
from fabric.scenario.cost_schema import (
    SURVEY_PUE,
    SURVEY_PUE_SOURCE,
    WORLD_GRID_KG,
    WORLD_GRID_SOURCE,
    YEARS,
    YEARS_SOURCE,
    CostsSpec,
    spare_count,
)
from fabric.scenario.load import LoadedScenario
from topologies.catalogue import Catalogue, CatalogueRow
from topologies.errors import TopologyError, nearest_hint
from topologies.topology import Topology

_SPARED = {"switches": "switch", "nics": "nic", "optics": "optic", "cables": "cable"}
_SAID = "the scenario"


def bill_of(loaded: LoadedScenario, topologies: Mapping[str, Topology], *, nodes: bool = False) -> Bill:
    """Everything a scenario buys, priced, with its power and carbon.

    Parameters
    ----------
    topologies : mapping
        The built networks by fabric; what is down or degraded is bought all the same.
    nodes : bool
        Whether the servers are part of it.

    Returns
    -------
    Bill
        US$, W, kg of CO2 equivalent; rows by item, fabric and model, so that the order of a catalogue shows nowhere.

    Raises
    ------
    TopologyError
        When ``costs`` names a tier that no fabric has (FP2105).
    """
    scenario = loaded.scenario
    costs = scenario.costs
    _check_tiers(costs, topologies)
    catalogue = _priced(loaded.catalogue, costs.prices)
    rows: list[BillRow] = []
    notes: list[str] = []
    for fabric, topology in topologies.items():
        spec, groups = scenario.fabrics[fabric], groups_of(scenario.attached(fabric), fabric)
        parts = fabric_parts(fabric, topology.whole, spec, groups, catalogue, costs.run_lengths)
        own = [*switch_rows(fabric, topology, spec, catalogue, costs.prices)]
        own += nic_rows(fabric, topology, groups, catalogue, costs.prices)
        own += part_rows(parts, catalogue, costs.prices)
        rows += inside_nodes(own, fabric, groups, catalogue) if nodes else own
        notes += parts.notes
    rows += spare_rows(rows, costs)
    notes.append(_spares_said(costs))
    if nodes:
        rows += node_rows(scenario.nodes, catalogue, costs.prices)
    rows.sort(key=lambda row: (ITEMS.index(row.item), row.fabric is None, row.fabric or "", row.model, row.source))
    gpus = sum(node.count * node.gpus_per_node for node in scenario.nodes) or None
    endpoints = sum(int(topology.nodes.nics.sum()) for topology in topologies.values())
    factors = carbon_factors(costs)
    totals = total(rows, factors, gpus=gpus, endpoints=endpoints)
    return Bill(tuple(rows), totals, (*notes, *_power_said(rows, nodes=nodes)), factors)


def _check_tiers(costs: CostsSpec, topologies: Mapping[str, Topology]) -> None:
    """Lengths are of tiers that there are."""
    known = sorted({tier for topology in topologies.values() for tier in topology.tiers})
    for tier in costs.run_lengths:
        if tier not in known:
            raise TopologyError(
                f"no fabric has a tier {tier!r}",
                where=("costs", "run_lengths", tier),
                hint=nearest_hint(tier, known, "tiers"),
                code="FP2105",
            )


def _priced(catalogue: Catalogue, prices: Priced) -> Catalogue:
    """The catalogue at the scenario's prices, which decide how links are made."""
    for section in ("switches", "nics", "nodes", "optics", "cables"):
        rows: Mapping[str, CatalogueRow] = getattr(catalogue, section)
        changed = {name: row.model_copy(update={"usd": prices[name]}) for name, row in rows.items() if name in prices}
        catalogue = catalogue.with_rows(section, changed) if changed else catalogue
    return catalogue


def spare_rows(rows: Sequence[BillRow], costs: CostsSpec) -> list[BillRow]:
    """Spares by the scenario's rule, of every model over all fabrics together."""
    spares = []
    for key, rule in costs.spares.items():
        of_item = [row for row in rows if row.item == _SPARED[key]]
        for model in sorted({row.model for row in of_item}):
            alike = [row for row in of_item if row.model == model]
            count = spare_count(rule, sum(row.count for row in alike))
            if not count:
                continue
            length = sum(row.metres for row in alike) / sum(row.count for row in alike)
            spares.append(
                replace(
                    alike[0], item="spare", count=count, fabric=None, draws=False, absorbed_w=0.0,
                    metres=length * count, source=f"{rule} of {key}; {alike[0].source}",
                )
            )  # fmt: skip
    return spares


def _spares_said(costs: CostsSpec) -> str:
    if not costs.spares:
        return "no spares are counted; costs.spares says how many, such as optics: 2%"
    rules = ", ".join(f"{key} {rule}" for key, rule in costs.spares.items())
    return f"spares: {rules}, a share rounded up for every model"


def carbon_factors(costs: CostsSpec) -> tuple[Factor, ...]:
    """What carbon depends on: the scenario's numbers, else published ones."""

    def factor(name: str, value: float | None, default: float, unit: str, source: str) -> Factor:
        return Factor(name, default, unit, source) if value is None else Factor(name, value, unit, _SAID)

    return (
        factor("grid", costs.grid_kg_per_kwh, WORLD_GRID_KG, "kg/kWh", WORLD_GRID_SOURCE),
        factor("PUE", costs.pue, SURVEY_PUE, "", SURVEY_PUE_SOURCE),
        factor("years", costs.years, YEARS, "", YEARS_SOURCE),
    )


def total(rows: Iterable[BillRow], factors: Sequence[Factor], *, gpus: int | None, endpoints: int) -> BillTotals:
    """Sums of rows, and what of them is missing."""
    rows = tuple(rows)
    grid, pue, years = (factor.value for factor in factors)

    def added(name: str) -> float:
        return float(sum(getattr(row, name) or 0.0 for row in rows))

    def without(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.model for row in rows if getattr(row, name) is None))

    typical = added("power_w")
    lead = max((row for row in rows if row.lead_days is not None), key=lambda row: row.lead_days or 0, default=None)
    prices, watts, carbon = without("cost_usd"), without("power_w"), without("embodied_kg")
    watts = tuple(dict.fromkeys((*watts, *without("max_power_w"))))
    return BillTotals(
        cost_usd=added("cost_usd"),
        estimated_usd=float(sum(row.cost_usd or 0.0 for row in rows if row.usd_estimate)),
        typical_w=typical,
        max_w=added("max_power_w"),
        estimated_w=float(sum(row.max_power_w or 0.0 for row in rows if row.estimate)),
        heat_w=typical,
        carbon_kg=added("embodied_kg"),
        gpus=gpus,
        missing=tuple(dict.fromkeys((*prices, *watts, *carbon))),
        facility_w=typical * pue,
        operation_kg=typical / 1000 * pue * HOURS_PER_YEAR * years * grid,
        lead_days=None if lead is None else lead.lead_days,
        lead_model="" if lead is None else lead.model,
        endpoints=endpoints,
        cable_m=float(sum(row.metres for row in rows if row.item == "cable")),
        missing_prices=prices,
        missing_watts=watts,
        missing_carbon=carbon,
        missing_leads=tuple(
            dict.fromkeys(row.model for row in rows if row.lead_days is None and row.item != "licence")
        ),
    )


def _power_said(rows: Sequence[BillRow], *, nodes: bool) -> list[str]:
    """How power was added up."""
    notes = []
    if any(row.absorbed_w for row in rows):
        notes.append(
            "the largest power of a switch has what is plugged into it in it: optics and cables add theirs at NICs, and "
            "where a switch has no room left for them"
        )
    if not nodes:
        notes.append("servers are left out, their NICs are in; --nodes counts both")
    return notes
