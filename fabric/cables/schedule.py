"""The cable schedule of a scenario: every link made of something, cut, bundled, labelled and put in order.

A cable with its ends on may carry several links, a fibre carries one; a link through an optical switch takes two
fibres. Runs are those of the site plan, of the topology where it gives lengths, else assumed and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabric.cables.cable_rows import (
    CableColumns,
    CableEnd,
    CableRow,
    CableSchedule,
    EndColumns,
    TrayFill,
    label_fields,
    totals,
)
from fabric.cables.colours import ColourBy
from fabric.cables.devices import devices_of
from fabric.cables.fabric_cables import FabricCables, fabric_cables
from fabric.cables.labels import BY_NAME, BY_PLACE, LabelFormat, repeated
from fabric.cables.order import pulled
from fabric.cables.runs import check_run_lengths
from fabric.scenario.load import LoadedScenario
from fabric.site.plan import plan_site
from topologies.errors import Problem, TopologyError
from topologies.topology import Topology

__all__ = ["CableColumns", "CableEnd", "CableRow", "CableSchedule", "EndColumns", "TrayFill", "cable_schedule"]


def cable_schedule(
    loaded: LoadedScenario,
    topologies: Mapping[str, Topology],
    *,
    label_format: str | None = None,
    colour_by: ColourBy | None = None,
) -> CableSchedule:
    """All cables of a scenario.

    Parameters
    ----------
    topologies : mapping
        Built fabrics by name; cables that are down are cables too.
    label_format : str, optional
        Template of labels; default: rack, unit and port of both ends, or their names where racks are not known.
    colour_by : str, optional
        What gives a cable its colour; default: its rail where it has one, else its tier.

    Raises
    ------
    TopologyError
        Located at the tier: a medium that does not reach or cannot be plugged (FP3301), a run that nothing reaches
        (FP3302), two links on one port (FP3303).
    ScenarioError
        A label format that is none (FP3304).
    """
    form = None if label_format is None else LabelFormat.parse(label_format)
    check_run_lengths(loaded, topologies)
    plan = plan_site(loaded, topologies)
    devices = devices_of(loaded, topologies)
    problems: list[Problem] = []
    notes: list[str] = []
    parts: list[FabricCables] = []
    tiers = 0
    for fabric, topology in topologies.items():
        made = fabric_cables(loaded, plan, topology, devices[fabric], colour_by, tiers)
        problems += made.problems
        notes += made.notes
        parts.append(made)
        tiers += len(topology.tiers)
    if problems:
        raise loaded.locate(TopologyError(problems))
    columns, trays = pulled(parts, plan)
    columns, form, more = _labelled(columns, form, list(topologies))
    total, bought = totals(columns)
    bound = None if plan is None else lambda: plan.bound_m
    if plan is None:
        notes.append(
            "the scenario has no floor plan (site.rows and site.racks_per_row, and nodes): no trays, bundles or bound"
        )
    return CableSchedule(columns, total, bought, bound, trays, (*notes, *more), form)


def _labelled(
    columns: CableColumns, form: LabelFormat | None, fabrics: Sequence[str]
) -> tuple[CableColumns, LabelFormat, list[str]]:
    """With labels on; their template, and what is to be said of them."""
    given = form is not None
    if form is None:
        placed = all(unit is not None for end in (columns.a, columns.b) for unit in end.unit)
        text = BY_PLACE if placed and len(columns) else BY_NAME
        form = LabelFormat.parse(text)
        if len(fabrics) > 1 and repeated(form.labels(label_fields(columns), len(columns))):
            form = LabelFormat.parse("{fabric}:" + text)
    labels = form.labels(label_fields(columns), len(columns))
    twice = repeated(labels)
    notes = [f"{twice[1]:,} cables have the label {twice[0]!r}; {{number}} tells them apart"] if twice and given else []
    return replace(columns, label=tuple(labels)), form, notes
