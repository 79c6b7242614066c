"""A measurement held against the plan: drift of links, tiers and jobs, and what explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fabric.operate.forecast import LinkForecast, forecast
from fabric.operate.load_check.csv_file import has_rates, read_counters, read_rates
from fabric.operate.load_check.explain import explain
from fabric.operate.load_check.perfquery import read_perfquery
from fabric.operate.load_check.plan_change import again
from fabric.operate.load_check.port_readings import PortReadings, rates_of
from fabric.operate.load_check.prometheus_api import read_prometheus
from fabric.operate.load_check.result import (
    FabricDrift,
    LoadCheckResult,
    MeasuredRates,
    Measurement,
    SumDrift,
    above_line_words,
)
from fabric.operate.monitoring.link_labels import measured_links
from fabric.operate.monitoring.names_file import GivenNames, read_names
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import Run
from fabric.scenario.load import LoadedScenario
from topologies.errors import RoutingError

KINDS = ("prometheus", "csv", "perfquery")


@dataclass(frozen=True)
class LoadSource:
    """Where counters come from: kind, and an address or files.

    Attributes
    ----------
    kind : str
        prometheus, csv or perfquery.
    place : str
        URL or file; of perfquery both files with a comma between them.
    """

    kind: str
    place: str
    profile: str = "snmp"
    window_s: float = 900.0
    names: GivenNames = field(default_factory=GivenNames)


def sources_of(loaded: LoadedScenario) -> tuple[LoadSource, ...]:
    """The sources of a scenario that counters come from, in its order; files beside the scenario.

    Raises
    ------
    FabricError
        When a file of names cannot be read.
    """
    base = loaded.directory
    found = []
    for spec in loaded.scenario.measured:
        if spec.kind in KINDS:
            place = spec.url or ",".join(str(base / part.strip()) for part in (spec.path or "").split(","))
            names = GivenNames() if spec.names is None else read_names(base / spec.names)
            found.append(LoadSource(spec.kind, place, spec.profile, spec.window, names))
    return tuple(found)


def check_loads(
    run: Run, source: LoadSource, *, tolerance: float, load: Callable[[tuple[str, ...]], Run], explained: bool = True
) -> LoadCheckResult:
    """Predicted beside measured.

    Parameters
    ----------
    tolerance : float
        Relative; of a link's band.
    load : callable
        Routes the scenario with more overrides, as the run was.

    Raises
    ------
    FormatError
        What was measured cannot be read, or is of another fabric.
    RoutingError
        Nothing is sent (FP9851).
    """
    plans = forecast(run)
    if not plans:
        raise RoutingError("nothing is sent: there is nothing to compare with", code="FP9851", hint="add workloads")
    measurement = _measured(run, plans, source)
    by_name = {rates.fabric: rates for rates in measurement.rates}
    fabrics = []
    for plan in plans:
        rates = by_name[plan.fabric]
        drift = FabricDrift(plan, rates, tolerance, tuple(_sums(plan, rates)), ())
        off = bool(drift.outside.any()) or bool((rates.down & plan.topology.up).any())
        reasons = explain(plan, rates, run, again(load, run, plan.fabric)) if off and explained else ()
        fabrics.append(FabricDrift(plan, rates, tolerance, drift.sums, reasons))
    impossible = [above_line_words(one.plan, one.rates) for one in fabrics if one.impossible.any()]
    notes = dict.fromkeys((*impossible, *measurement.notes, *(text for plan in plans for text in plan.notes)))
    return LoadCheckResult(measurement, tuple(fabrics), tuple(notes), explained)


def _measured(run: Run, plans: tuple[LinkForecast, ...], source: LoadSource) -> Measurement:
    names = [plan.fabric for plan in plans]
    topologies = {plan.fabric: plan.topology for plan in plans}
    if source.kind == "csv" and has_rates(Path(source.place)):
        return read_rates(Path(source.place), topologies)
    profile = PROFILES[source.profile]
    given = source.names if source.kind == "prometheus" else _everyone(source.names, run)
    reporting = measured_links(run.loaded, run.network.topologies, names, profile, given)
    return rates_of(_readings(source), reporting)


def _everyone(names: GivenNames, run: Run) -> GivenNames:
    """Hosts and switches alike: a file has the counters of whatever was read."""
    from fabric.cables.devices import devices_of

    devices = devices_of(run.loaded, run.network.topologies)
    known = {name: name for one in devices.values() for name in one.name}
    return GivenNames(names.file, known | dict(names.instance), names.interface, names.line)


def _readings(source: LoadSource) -> PortReadings:
    if source.kind == "prometheus":
        profile = PROFILES[source.profile]
        return read_prometheus(source.place, profile, source.window_s)
    if source.kind == "csv":
        return read_counters(Path(source.place))
    before, _, after = source.place.partition(",")
    return read_perfquery(Path(before), Path(after), source.window_s)


def _sums(plan: LinkForecast, rates: MeasuredRates) -> Iterator[SumDrift]:
    """Tiers by direction, then jobs by what leaves their hosts."""
    net = plan.topology
    known = rates.known
    for code, tier in enumerate(net.tiers):
        for words, sign in (("up", 1), ("down", -1), ("level", 0)):
            mine = (net.links.tier == code) & (net.direction == sign)
            if mine.any():
                yield _sum(plan.fabric, "tier", f"{tier} {words}", mine, known, plan.mean_gbps, rates.gbps)
    out = ~net.is_switch[net.links.src]
    whole = np.maximum(plan.part_gbps.sum(axis=0), 1e-12)
    for job in plan.jobs:
        own = plan.job_gbps(job)
        share = own / whole  # what several send over a link is shared out as the plan has it
        yield _sum(plan.fabric, "job", job, out & (own > 0), known, own, rates.gbps * share)


def _sum(
    fabric: str, kind: str, name: str, mine: np.ndarray, known: np.ndarray, plan: np.ndarray, rates: np.ndarray
) -> SumDrift:
    seen = mine & known
    return SumDrift(
        fabric, kind, name, int(mine.sum()), int(seen.sum()), float(plan[seen].sum()), float(rates[seen].sum())
    )
