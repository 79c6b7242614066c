"""Dashboards of Grafana over what the rules record: a heat map, tiers, jobs and alerts, measured and planned.

They are made by Grafana's published SDK (package ``grafana-foundation-sdk``), which comes with the extra ``grafana``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from topologies.errors import MissingProgramError
from topologies.reading.json_value import parse_json

if TYPE_CHECKING:
    from fabric.operate.monitoring.files import Monitoring

MOST_SHOWN = 60  # links and switches of a panel: those that matter most
_WIDTH, _HEIGHT = 12, 9


@dataclass(frozen=True)
class PanelQuery:
    """What a panel shows: expressions of PromQL by their legend."""

    title: str
    kind: str  # timeseries, heat or table
    unit: str  # as Grafana names it
    queries: Mapping[str, str]
    description: str = ""


def fabric_panels(fabric: str) -> dict[str, tuple[PanelQuery, ...]]:
    """Panels of one fabric by the heading they stand under."""
    here = f'fabric="{fabric}"'
    return {"Fabric": _links(here), "Tiers": _tiers(here), "Jobs": _jobs(here), "Alerts": _alerts(here)}


def _links(here: str) -> tuple[PanelQuery, ...]:
    """Links and switches; ``here`` selects the fabric, as in all of these."""
    links = f'fabric_link_utilisation_ratio{{{here},between="switches"}}'
    return (
        PanelQuery(
            "Fullest links between switches", "heat", "percentunit",
            {"{{link}}": f"topk({MOST_SHOWN}, {links})"},
            "Measured over capacity, as a mean over the rules' window.",
        ),
        PanelQuery(
            "Furthest from the plan", "table", "percentunit",
            {"{{link}}": f"topk({MOST_SHOWN}, abs(fabric_link_drift_ratio{{{here}}}))"},
            "Measured over predicted, less one, whichever way.",
        ),
        PanelQuery(
            "Shares of switches", "timeseries", "percentunit",
            {"{{switch}}": f"bottomk({MOST_SHOWN}, fabric_switch_share_ratio{{{here}}})"},
            "What a switch gets from below, over its share of what its tier carries.",
        ),
        PanelQuery(
            "Skew of links up", "timeseries", "none",
            {"{{switch}}": f"topk({MOST_SHOWN}, fabric_switch_skew_ratio{{{here}}})"},
            "Fullest link up of a switch over their mean.",
        ),
    )  # fmt: skip


def _tiers(here: str) -> tuple[PanelQuery, ...]:
    """Tiers, measured beside predicted."""
    return tuple(
        PanelQuery(
            title, "timeseries", unit,
            {
                "{{tier}} {{direction}} measured": f"fabric_tier_measured_{what}{{{here}}}",
                "{{tier}} {{direction}} predicted": f"fabric_tier_predicted_{what}{{{here}}}",
            },
        )
        for title, unit, what in (
            ("Utilisation, measured and predicted", "percentunit", "utilisation_ratio"),
            ("Rates, measured and predicted", "Bps", "bytes_per_second"),
        )
    )  # fmt: skip


def _jobs(here: str) -> tuple[PanelQuery, ...]:
    """Jobs and their phases."""
    return (
        PanelQuery(
            "What jobs send", "timeseries", "Bps",
            {
                "{{job}} measured": f"fabric_job_measured_bytes_per_second{{{here}}}",
                "{{job}} predicted": f"fabric_job_predicted_bytes_per_second{{{here}}}",
            },
        ),
        PanelQuery(
            "Drift of jobs", "timeseries", "percentunit", {"{{job}}": f"fabric_job_drift_ratio{{{here}}}"}
        ),
        PanelQuery(
            "Phases of jobs", "timeseries", "Bps",
            {
                "{{job}} {{phase}} attributed": f"fabric_phase_attributed_bytes_per_second{{{here}}}",
                "{{job}} {{phase}} predicted": f"fabric_phase_predicted_bytes_per_second{{{here}}}",
            },
            "Counters know no phases: what a job sends is shared out by the bytes of its phases in the plan.",
        ),
    )  # fmt: skip


def _alerts(here: str) -> tuple[PanelQuery, ...]:
    """What fires, and how much of the fabric is seen."""
    return (
        PanelQuery(
            "Alerts that fire", "timeseries", "none",
            {"firing": f'count(ALERTS{{alertstate="firing",alertname=~"Fabric.*",{here}}}) or vector(0)'},
        ),
        PanelQuery(
            "What fires, and what waits", "table", "none",
            {"{{alertname}} {{link}}{{switch}}": f'ALERTS{{alertname=~"Fabric.*",{here}}}'},
        ),
        PanelQuery(
            "Links that report", "timeseries", "none",
            {
                "measured": f"count(fabric_link_measured_bytes_per_second{{{here}}})",
                "of": f"count(fabric_link_capacity_bytes_per_second{{{here}}})",
            },
        ),
    )  # fmt: skip


def dashboard_text(name: str, fabric: str) -> str:
    """The dashboard of a fabric as JSON, read back by the SDK before it is given out.

    Raises
    ------
    MissingProgramError
        Without the SDK (FP7010).
    """
    try:
        from grafana_foundation_sdk.builders import dashboard
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.models.dashboard import Dashboard
    except ImportError:
        raise MissingProgramError(
            "dashboards are made by grafana-foundation-sdk, which is not installed",
            hint="pip install 'fabric-planner[grafana]'", code="FP7010",
        ) from None  # fmt: skip
    made = dashboard.Dashboard(f"{name}: {fabric}").uid(f"fabric-{name}-{fabric}"[:40]).refresh("1m")
    made = made.time("now-6h", "now").tags(["fabric-planner"])
    made = made.with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    for heading, panels in fabric_panels(fabric).items():
        made = made.with_row(dashboard.Row(heading))
        for panel in panels:
            made = made.with_panel(_panel(panel))
    built = made.build()
    text = JSONEncoder(indent=1).encode(built)
    written = parse_json(text, fabric).value
    again = JSONEncoder(indent=1).encode(Dashboard.from_json(written))
    if parse_json(again, fabric).value != written:
        raise AssertionError(f"the SDK reads another dashboard of {fabric} back than it wrote")
    return str(text) + "\n"


def _panel(panel: PanelQuery) -> Any:
    """A panel of the SDK with its queries."""
    from grafana_foundation_sdk.builders import prometheus, statushistory, table, timeseries
    from grafana_foundation_sdk.models.dashboard import DataSourceRef

    kinds: dict[str, Any] = {"timeseries": timeseries.Panel, "heat": statushistory.Panel, "table": table.Panel}
    made = kinds[panel.kind]().title(panel.title).unit(panel.unit).span(_WIDTH).height(_HEIGHT)
    made = made.description(panel.description) if panel.description else made
    made = made.datasource(DataSourceRef(type_val="prometheus", uid="${datasource}"))
    for at, (legend, expression) in enumerate(panel.queries.items()):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + at))
        made = made.with_target(query.instant() if panel.kind == "table" else query.range())
    return made


def dashboard_files(made: Monitoring, about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A dashboard for every fabric, and what they were made from."""
    for fabric in made.fabrics:
        yield f"{fabric.name}.dashboard.json", dashboard_text(str(about["scenario"]), fabric.name)
    record = {
        "kind": "Dashboards",
        **about,
        "profile": made.profile.name,
        "fabrics": {fabric.name: {"links": len(fabric.plan.topology.links)} for fabric in made.fabrics},
        "notes": ["panels show what the rules of fabric export prometheus record", *made.notes],
    }
    yield "manifest.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n"
