"""A review of a scenario that was routed."""

from __future__ import annotations

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.pipeline.run import Run
from fabric.review.finding import Finding, ReviewResult, by_severity
from fabric.review.scenario_cheaper import cheaper_findings
from fabric.review.scenario_ports import models_of, port_findings, table_findings
from fabric.review.scenario_single import cut_findings, group_findings, host_findings
from fabric.review.scenario_tiers import limit_findings, tier_findings
from fabric.routing.progress import Progress, Reporter, silent


def review_run(run: Run, progress: Reporter = silent, *, cheaper: bool = True) -> ReviewResult:
    """What a reviewer would say: unused and missing things, single points of failure, tiers against jobs, money.

    Parameters
    ----------
    run : Run
        Routed; a scenario that sends nothing is reviewed without its tiers.
    cheaper : bool
        Whether designs that do the same for less are searched for.
    """
    network, scenario = run.network, run.loaded.scenario
    findings: list[Finding] = [*limit_findings(run), *group_findings(network)]
    for fabric, topology in network.topologies.items():
        progress(Progress(f"reviewing {fabric}"))
        spec = scenario.fabrics[fabric].topology
        findings += port_findings(fabric, topology)
        findings += table_findings(fabric, topology, models_of(spec, run.loaded.catalogue))
        cuts = list(cut_findings(fabric, topology))
        hosts = list(host_findings(fabric, topology, HostsOfFabric(fabric, network.inventory)))
        findings += [*cuts, *hosts, *tier_findings(run, fabric, topology)]
        if cheaper:
            has_cuts = any(finding.kind == "single-point" for finding in cuts)
            survives = () if has_cuts else ("spine",) if hosts else ("spine", "leaf")
            findings += cheaper_findings(run, fabric, survives, progress)
    return ReviewResult(scenario.name, "scenario", by_severity(findings))
