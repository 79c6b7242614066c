"""What was measured and what is plugged, beside the plan: worked out for a state of the session, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fabric.faces.answers.load_report import reasons_of
from fabric.faces.views.load_scatter import LoadPoints, load_points
from fabric.faces.views.loads import explanation_table, load_table, sums_table
from fabric.faces.views.row_kinds import LOADS
from fabric.operate.cabling.result import CablingResult
from fabric.operate.cabling.verify import CablingRequest, verify_cabling
from fabric.operate.load_check.check import check_loads
from fabric.operate.load_check.result import LoadCheckResult
from fabric.operate.load_check.sources import LoadSource, sources_of
from fabric.operate.observed.read import observed_source, read_neighbours
from fabric.output.table import Table
from fabric.pipeline.run import Run
from fabric.routing.progress import Reporter
from fabric.scenario.load import LoadedScenario
from topologies.errors import FabricError


@dataclass(frozen=True, eq=False)
class LoadsShown:
    """Counters beside the plan, with the tables and the cloud that are made of them."""

    result: LoadCheckResult
    links: Table
    sums: Table
    reasons: Table
    points: LoadPoints
    place: Mapping[tuple[str, str], int]  # of fabric and link among the points


@dataclass(frozen=True)
class Measured:
    """What the command line says was measured and observed.

    Attributes
    ----------
    source : LoadSource or None
        Of counters; None: the first that the scenario names.
    observed : str
        ``FORMAT:PATH`` of neighbours; empty for none.
    names : Path or None
        What ports go by for those who observed.
    """

    source: LoadSource | None = None
    observed: str = ""
    names: Path | None = None

    def counters(self, loaded: LoadedScenario) -> LoadSource | None:
        """The source to read.

        Raises
        ------
        FabricError
            When the scenario's file of names cannot be read.
        """
        return self.source or next(iter(sources_of(loaded)), None)


def measured_loads(run: Run, measured: Measured) -> LoadsShown | str | None:
    """Counters beside the plan; why not, in words; None where none are named."""
    try:
        source = measured.counters(run.loaded)
        if source is None:
            return None
        if run.saved:
            return "a saved result has no draws of its own: open the scenario to hold counters against it"
        result = check_loads(run, source)
    except FabricError as error:
        return refusal(error)
    sums = sums_table([one for fabric in result.fabrics for one in fabric.sums])
    links = load_table(result).only(*LOADS.shown)
    points = load_points(result)
    place = {name: at for at, name in enumerate(points.name)}
    return LoadsShown(result, links, sums, explanation_table(reasons_of(result)), points, place)


def observed_cabling(run: Run, measured: Measured, report: Reporter) -> CablingResult | str | None:
    """Cables beside the plan; why not, in words; None where nothing was observed."""
    if not measured.observed:
        return None
    try:
        form, path = observed_source(measured.observed)
        request = CablingRequest(measured.observed, measured.names)
        return verify_cabling(run, read_neighbours(form, path), request, progress=report)
    except FabricError as error:
        return refusal(error)


def refusal(error: FabricError) -> str:
    """What is wrong, and the ways out."""
    return "; ".join(f"{one.message}{f' ({one.hint})' if one.hint else ''}" for one in error.problems)
