"""The claims of a certificate file against what follows from its links, demand, splits and prices.

A claim *holds*, is *refuted*, or is *not checked* where the file has nothing to check it by: loads without a routing, a
bound over a path policy or for an objective that prices over all paths do not prove. Nothing is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabric.certificate_check.columns import (
    ADMITTING,
    EQUAL_SPLITS,
    MIN_MAX,
    CertificateFile,
    PhaseColumns,
    SplitColumns,
)
from fabric.certificate_check.demand import PointDemand, point_demand, unequal_members, without_way
from fabric.certificate_check.finding import HOLDS, NOT_CHECKED, REFUTED, TOLERANCE, Finding
from fabric.certificate_check.flows import conserved, walk_flows, walk_via
from fabric.certificate_check.given import Given, check_given
from fabric.certificate_check.given_paths import off_list, wrong_lists
from fabric.certificate_check.network import Network, build_network
from fabric.certificate_check.objective import NO_FIGURES, Figures, check_objective
from fabric.certificate_check.policy import edges_by_destination, knows_policy, least_prices, off_policy
from fabric.certificate_check.utilisation import about_bound, about_gap, about_utilisation, fullest, fullest_access
from fabric.certificate_check.walk import Walked, walk_equal_splits, walk_paths, walk_splits

_SHOWN = 5


@dataclass(frozen=True)
class PhaseVerdict:
    """What became of the claims of one phase; None where nothing could be computed."""

    fabric: str
    phase: str
    router: str
    claimed_utilisation: float | None
    found_utilisation: float | None
    hottest_link: str
    claimed_bound: float | None
    found_bound: float | None
    claimed_gap: float | None
    found_gap: float | None
    findings: tuple[Finding, ...]
    objective: str = MIN_MAX
    figures: Figures = NO_FIGURES  # of other objectives

    @property
    def refuted(self) -> tuple[Finding, ...]:
        """Claims that are wrong."""
        return tuple(found for found in self.findings if found.verdict == REFUTED)

    @property
    def open(self) -> tuple[Finding, ...]:
        """Claims that the file does not let anyone check."""
        return tuple(found for found in self.findings if found.verdict == NOT_CHECKED)

    @property
    def verdict(self) -> str:
        """In one or two words."""
        if self.refuted:
            return REFUTED
        return HOLDS if not self.open else f"{HOLDS} in part"


def check_certificate(
    file: CertificateFile, given: Mapping[tuple[str, str], Given] | None = None
) -> list[PhaseVerdict]:
    """Check every phase of a file.

    Parameters
    ----------
    file : CertificateFile
    given : mapping, optional
        (fabric, phase) -> network and demand of the scenario that the file should be about.

    Returns
    -------
    list of PhaseVerdict
        In the order of the file.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # sums that overflow prove nothing, and say nothing
        verdicts = [check_phase(phase) for phase in file.phases]
    if given is None:
        return verdicts
    return [
        replace(found, findings=(*found.findings, *check_given(phase, given.get((phase.fabric.name, phase.phase)))))
        for found, phase in zip(verdicts, file.phases, strict=True)
    ]


def check_phase(phase: PhaseColumns) -> PhaseVerdict:
    """Check the claims of one phase."""
    network, wrong = build_network(phase)
    findings = [Finding("links", REFUTED, words) for words in wrong] or [Finding("links", HOLDS)]
    cut_off = without_way(phase)
    findings += [Finding("demand", REFUTED, words) for words in cut_off]
    findings += _offered(phase)
    verdict = PhaseVerdict(
        fabric=phase.fabric.name,
        phase=phase.phase,
        router=phase.router,
        claimed_utilisation=phase.claims.max_utilisation,
        found_utilisation=None,
        hottest_link="",
        claimed_bound=phase.claims.lower_bound,
        found_bound=None,
        claimed_gap=phase.claims.gap,
        found_gap=None,
        findings=tuple(findings),
        objective=phase.objective,
    )
    if network is None or cut_off:
        return verdict
    findings += [Finding("demand", REFUTED, words) for words in unequal_members(phase, network)]
    demand = point_demand(phase, network)
    findings += [*_admitted(phase, demand), *_cut_demand(phase, network, demand), *_lists(phase, network, demand)]
    access, _ = fullest_access(phase, network, demand.sent_gbps, demand.received_gbps)
    walked = _walked(phase, network, demand)
    highest, hottest = (None, "") if walked is None else _highest(phase, network, demand, walked)
    if walked is not None:
        findings += _about_routing(walked)
    elif phase.load_gbps is not None:
        findings += [Finding("routing", REFUTED, words) for words in conserved(network, demand, phase.load_gbps)]
    findings.append(about_utilisation(phase, highest, hottest))
    bound, of_bound = about_bound(phase, network, demand, access)
    gap, of_gap = about_gap(phase, highest, bound)
    figures, of_objective = check_objective(phase, network, demand, None if walked is None else walked.edge_gbps)
    return replace(
        verdict,
        found_utilisation=highest,
        hottest_link=hottest,
        found_bound=bound,
        found_gap=gap,
        findings=(*findings, *of_bound, *of_gap, *of_objective, *_access_within(phase, network, demand)),
        figures=figures,
    )


def _cut_demand(phase: PhaseColumns, network: Network, demand: PointDemand) -> list[Finding]:
    """Only some objectives admit demand in part; else only what has no allowed path is left out."""
    if phase.objective in ADMITTING or not (demand.part < 1).any():
        return []
    cut = (demand.part < 1) & np.isfinite(least_prices(network, phase, demand, network.weight))
    if not cut.any():
        return []
    entry = int(np.argmax(cut))
    name = f"{network.point_name(int(demand.src[entry]))} to {network.point_name(int(demand.dest_of_entry[entry]))}"
    words = f"{demand.part[entry]:.6g} of what goes from {name} is admitted, it has a path"
    if knows_policy(phase):
        return [Finding("demand", REFUTED, words)]
    return [Finding("demand", NOT_CHECKED, f"{words}, perhaps none of {phase.path_policy}")]


def _highest(phase: PhaseColumns, network: Network, demand: PointDemand, walked: Walked) -> tuple[float, str]:
    """Highest utilisation of edges and access links, and the link."""
    cuts = phase.objective in ADMITTING
    crossed = (demand.sent_part_gbps, demand.received_part_gbps) if cuts else (demand.sent_gbps, demand.received_gbps)
    inside = fullest(network, walked.edge_gbps, phase.usable_part)
    ends = fullest_access(phase, network, *crossed)
    return ends if ends[0] > inside[0] else inside


def _access_within(phase: PhaseColumns, network: Network, demand: PointDemand) -> list[Finding]:
    """Demand that may be cut is admitted within capacity, that of access links too."""
    if phase.objective not in ADMITTING:
        return []
    utilisation, link = fullest_access(phase, network, demand.sent_part_gbps, demand.received_part_gbps)
    if utilisation <= 1 + TOLERANCE:
        return []
    return [Finding("objective", REFUTED, f"{link} carries {utilisation:.9g} of its capacity")]


def _lists(phase: PhaseColumns, network: Network, demand: PointDemand) -> list[Finding]:
    """Whether the paths that the policy allows are those that it says."""
    if phase.allowed is None:
        return []
    wrong, left = wrong_lists(network, demand, phase.allowed)
    if wrong or not left:
        return [Finding("paths", REFUTED, words) for words in wrong] or [Finding("paths", HOLDS)]
    return [
        Finding("paths", NOT_CHECKED, f"whether the paths of {left} pairs are the shortest takes too long to search")
    ]


def _about_routing(walked: Walked) -> list[Finding]:
    """What is wrong with a routing; the first few of what may be wrong at every destination."""
    wrong = walked.wrong[:_SHOWN]
    if len(walked.wrong) > _SHOWN:
        wrong.append(f"and {len(walked.wrong) - _SHOWN} more like these")
    return [Finding("routing", REFUTED, words) for words in wrong] or [Finding("routing", HOLDS)]


def _offered(phase: PhaseColumns) -> list[Finding]:
    claimed, found = phase.claims.offered_gbps, phase.demand.offered_gbps
    if abs(claimed - found) <= TOLERANCE * max(claimed, found):
        return [Finding("demand", HOLDS)]
    return [Finding("demand", REFUTED, f"{claimed:.6g} Gbps are claimed in all, the demand has {found:.6g}")]


def _admitted(phase: PhaseColumns, demand: PointDemand) -> list[Finding]:
    """What is admitted of all demand together, where the file says how much."""
    claimed, found = phase.claims.admitted_gbps, float(demand.sent_part_gbps.sum())
    if claimed is None or abs(claimed - found) <= TOLERANCE * max(claimed, found):
        return []
    return [Finding("demand", REFUTED, f"{claimed:.9g} Gbps are claimed to be admitted, {found:.9g} are")]


def _walked(phase: PhaseColumns, network: Network, demand: PointDemand) -> Walked | None:
    """Loads that follow from the file's routing; None when it has none."""
    if phase.routing == EQUAL_SPLITS:
        return walk_equal_splits(network, demand.amounts)
    used: SplitColumns | None = None
    if phase.via is not None:
        walked = walk_via(network, demand, phase.via)
    elif phase.splits is not None:
        walked, used = walk_splits(network, demand, phase.splits), phase.splits
    elif phase.paths is not None:
        walked, used = walk_paths(network, demand, phase.paths), edges_by_destination(phase.paths)
        if phase.allowed is not None:
            walked.wrong += off_list(network, phase.paths, phase.allowed)
    elif phase.flows is not None:
        flows = phase.flows
        walked, used = (
            walk_flows(network, demand, flows),
            SplitColumns(flows.point, flows.start, flows.edge, flows.gbps),
        )
    else:
        return None
    dead = (walked.edge_gbps > 0) & ~network.usable
    walked.wrong += [f"load on {network.edge_name(int(edge))}, which is down" for edge in np.flatnonzero(dead)[:1]]
    if used is not None:
        walked.wrong += off_policy(network, phase, demand, used)
    return walked
