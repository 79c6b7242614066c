"""A measurement held against the plan: drift of links, tiers and jobs, and what explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from fabric.operate.load_check.sources import LoadSource
from fabric.operate.monitoring.link_labels import measured_links
from fabric.operate.monitoring.names_file import GivenNames
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import Run, run_scenario
from fabric.scenario.load import with_overrides
from topologies.errors import RoutingError

TOLERANCE = 0.1  # of a link's band, unless another is asked for


def with_more(run: Run) -> Callable[[tuple[str, ...]], Run]:
    """Routes the scenario of a run with more overrides, as the run was."""
    return lambda overrides: run_scenario(with_overrides(run.loaded, overrides), run.request, like=run)


def check_loads(
    run: Run,
    source: LoadSource,
    *,
    tolerance: float = TOLERANCE,
    load: Callable[[tuple[str, ...]], Run] | None = None,
    explained: bool = True,
) -> LoadCheckResult:
    """Predicted beside measured.

    Parameters
    ----------
    tolerance : float
        Relative; of a link's band.
    load : callable, optional
        Routes the scenario with more overrides; default: ``with_more``.

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
        reasons = (
            explain(plan, rates, run, again(load or with_more(run), run, plan.fabric)) if off and explained else ()
        )
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
