"""The claims of a certificate file against what follows from its links, demand, splits and prices.

A claim *holds*, is *refuted*, or is *not checked* where the file has nothing to check it by: loads without a routing, a
bound over a path policy or for an objective that prices over all paths do not prove. Nothing is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabric.certificate_check.bound import utilisation_bound
from fabric.certificate_check.columns import ADMITTING, MIN_MAX, CertificateFile, Floats, PhaseColumns, SplitColumns
from fabric.certificate_check.demand import PointDemand, point_demand, unequal_members, without_way
from fabric.certificate_check.finding import HOLDS, NOT_CHECKED, REFUTED, TOLERANCE, Finding
from fabric.certificate_check.flows import conserved, walk_flows, walk_via
from fabric.certificate_check.given_paths import off_list, wrong_lists
from fabric.certificate_check.network import Network, build_network
from fabric.certificate_check.objective import NO_FIGURES, Figures, check_objective
from fabric.certificate_check.policy import edges_by_destination, knows_policy, least_prices, off_policy
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


def check_certificate(file: CertificateFile) -> list[PhaseVerdict]:
    """Check every phase of a file.

    Parameters
    ----------
    file : CertificateFile

    Returns
    -------
    list of PhaseVerdict
        In the order of the file.
    """
    return [check_phase(phase) for phase in file.phases]


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
    findings += [*_cut_demand(phase, network, demand), *_lists(phase, network, demand)]
    access, _ = _fullest_access(phase, network, demand.sent_gbps, demand.received_gbps)
    walked = _walked(phase, network, demand)
    highest, hottest = None, ""
    if walked is not None:
        highest, hottest = _fullest(network, walked.edge_gbps, phase.usable_part)
        crossed = (demand.sent_gbps, demand.received_gbps)
        if phase.objective in ADMITTING:
            crossed = (demand.sent_part_gbps, demand.received_part_gbps)
        ends, access_link = _fullest_access(phase, network, *crossed)
        if ends > highest:
            highest, hottest = ends, access_link
        findings += _about_routing(walked)
    elif phase.load_gbps is not None:
        findings += [Finding("routing", REFUTED, words) for words in conserved(network, demand, phase.load_gbps)]
    findings.append(_utilisation(phase, highest, hottest))
    bound, about_bound = _bound(phase, network, demand, access)
    gap, about_gap = _gap(phase, highest, bound)
    figures, about_objective = check_objective(phase, network, demand, None if walked is None else walked.edge_gbps)
    return replace(
        verdict,
        found_utilisation=highest,
        hottest_link=hottest,
        found_bound=bound,
        found_gap=gap,
        findings=(*findings, *about_bound, *about_gap, *about_objective),
        figures=figures,
    )


def _cut_demand(phase: PhaseColumns, network: Network, demand: PointDemand) -> list[Finding]:
    """Only some objectives admit demand in part; else only what has no allowed path is left out."""
    if phase.objective in ADMITTING or not (demand.part < 1).any():
        return []
    cut = (demand.part < 1) & np.isfinite(least_prices(network, phase, demand, network.weight))
    if not cut.any() or not knows_policy(phase):
        return []
    entry = int(np.argmax(cut))
    name = f"{network.point_name(int(demand.src[entry]))} to {network.point_name(int(demand.dest_of_entry[entry]))}"
    return [Finding("demand", REFUTED, f"{demand.part[entry]:.6g} of what goes from {name} is admitted, it has a path")]


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


def _fullest_access(phase: PhaseColumns, network: Network, sent: Floats, received: Floats) -> tuple[float, str]:
    """Highest utilisation of the access links of endpoints that have no choice, and the link; Gbps by node."""
    fabric, best, name = phase.fabric, 0.0, ""
    for at, near, far, gbps in (
        (phase.send_point, fabric.link_src, fabric.link_dst, sent),
        (phase.receive_point, fabric.link_dst, fabric.link_src, received),
    ):
        single = ~fabric.node_forwards & (at >= 0) & (network.members[at] == 0)
        links = np.flatnonzero(single[near] & fabric.node_forwards[far] & (fabric.capacity_gbps > 0))
        if len(links):
            utilisation = gbps[near[links]] / fabric.capacity_gbps[links]
            worst = int(np.argmax(utilisation))
            if utilisation[worst] > best:
                best, name = float(utilisation[worst]), fabric.link_name(int(links[worst]))
    return best, name


def _fullest(network: Network, edge_gbps: Floats, usable_part: Floats | None) -> tuple[float, str]:
    """Highest utilisation of the edges, and the first link of that edge; infinite for load on a dead one."""
    loaded = np.flatnonzero(edge_gbps > 0)
    if not len(loaded):
        return 0.0, ""
    room_gbps = network.capacity_gbps if usable_part is None else network.capacity_gbps * usable_part
    with np.errstate(divide="ignore"):
        utilisation = edge_gbps[loaded] / room_gbps[loaded]
    worst = int(np.argmax(utilisation))
    return float(utilisation[worst]), network.edge_name(int(loaded[worst]))


def _walked(phase: PhaseColumns, network: Network, demand: PointDemand) -> Walked | None:
    """Loads that follow from the file's routing; None when it has none."""
    if phase.routing == "ecmp":
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


def _utilisation(phase: PhaseColumns, found: float | None, hottest: str) -> Finding:
    claimed = phase.claims.max_utilisation
    if found is None:
        words = f"the file has loads of {phase.router} but no routing to walk"
        if phase.load_gbps is not None:
            words = f"{phase.router} is too large to write by destination; only that loads are conserved was checked"
        return Finding("max_utilisation", NOT_CHECKED, words)
    if claimed is None or not np.isfinite(found):
        if claimed is None and not np.isfinite(found):
            return Finding("max_utilisation", HOLDS)
    elif abs(claimed - found) <= TOLERANCE * max(claimed, found):
        return Finding("max_utilisation", HOLDS)
    shown = "no finite number" if claimed is None else f"{claimed:.9g}"
    return Finding("max_utilisation", REFUTED, f"{shown} is claimed, {hottest or 'the fullest link'} has {found:.9g}")


def _bound(
    phase: PhaseColumns, network: Network, demand: PointDemand, access: float
) -> tuple[float | None, list[Finding]]:
    """The bound that the file proves, and what that says of the claim."""
    claimed = phase.claims.lower_bound
    if claimed is None:
        return None, []
    if phase.proof == "none":
        return None, [Finding("lower_bound", NOT_CHECKED, "the file has no prices for it")]
    if phase.price is None:
        found = access
    else:
        far = least_prices(network, phase, demand, phase.price)
        found = utilisation_bound(network, demand, phase.price, far)
    if found >= claimed * (1 - TOLERANCE):
        return found, [Finding("lower_bound", HOLDS)]
    words = (
        f"{claimed:.9g} is claimed, {'prices prove' if phase.price is not None else 'access links have'} {found:.9g}"
    )
    if knows_policy(phase):
        return found, [Finding("lower_bound", REFUTED, words)]
    return found, [
        Finding("lower_bound", NOT_CHECKED, f"{words} over all paths; {phase.path_policy} paths may prove more")
    ]


def _gap(phase: PhaseColumns, highest: float | None, bound: float | None) -> tuple[float | None, list[Finding]]:
    """θ / bound - 1 of what was found, against what is claimed."""
    found = max(highest / bound - 1, 0.0) if highest is not None and bound else None
    claims = phase.claims
    if claims.gap is None or claims.max_utilisation is None or not claims.lower_bound:
        return found, []
    gap = max(claims.max_utilisation / claims.lower_bound - 1, 0.0)
    if abs(gap - claims.gap) <= TOLERANCE * (1 + gap):
        return found, []
    return found, [Finding("gap", REFUTED, f"{claims.gap:.9g} is claimed, the claimed numbers are {gap:.9g} apart")]
