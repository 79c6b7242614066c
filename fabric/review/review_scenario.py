"""A review of a scenario that was routed."""

from __future__ import annotations

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.pipeline.run import Run
from fabric.review.finding import Finding, ReviewResult, by_severity
from fabric.review.scenario_ports import models_of, port_findings, table_findings
from fabric.review.scenario_single import cut_findings, group_findings, host_findings
from fabric.review.scenario_tiers import limit_findings, tier_findings
from fabric.routing.progress import Progress, Reporter, silent


def review_run(run: Run, progress: Reporter = silent) -> ReviewResult:
    """What a reviewer would say: unused and missing things, single points of failure, tiers against jobs, money.

    Parameters
    ----------
    run : Run
        Routed; a scenario that sends nothing is reviewed without its tiers.
    """
    network, scenario = run.network, run.loaded.scenario
    findings: list[Finding] = [*limit_findings(run), *group_findings(network)]
    for fabric, topology in network.topologies.items():
        progress(Progress(f"reviewing {fabric}"))
        spec = scenario.fabrics[fabric].topology
        findings += port_findings(fabric, topology)
        findings += table_findings(fabric, topology, models_of(spec, run.loaded.catalogue))
        findings += cut_findings(fabric, topology)
        findings += host_findings(fabric, topology, HostsOfFabric(fabric, network.inventory))
        findings += tier_findings(run, fabric, topology)
    return ReviewResult(scenario.name, "scenario", by_severity(findings))
