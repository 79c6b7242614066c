"""The value of an objective other than least utilisation, added up again, and the bound that prices prove."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.certificate_check.bound import cost_bound, level_bound, throughput_bound
from fabric.certificate_check.columns import (
    ADMITTING,
    MAX_MIN_FAIR,
    MAX_THROUGHPUT,
    MIN_COST,
    MIN_MAX,
    Bools,
    Floats,
    ObjectiveColumns,
    PhaseColumns,
)
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.finding import HOLDS, NOT_CHECKED, REFUTED, TOLERANCE, Finding
from fabric.certificate_check.levels import check_levels
from fabric.certificate_check.network import Network
from fabric.certificate_check.policy import knows_policy, least_prices


@dataclass(frozen=True)
class Figures:
    """Of an objective: claimed and found; None where nothing is claimed or could be computed."""

    figure: str = ""
    unit: str = ""
    value_claimed: float | None = None
    value_found: float | None = None
    bound_claimed: float | None = None
    bound_found: float | None = None
    target: float | None = None  # utilisation that no link may pass, where that is not 1
    levels_gap_claimed: float | None = None
    levels_gap_found: float | None = None


NO_FIGURES = Figures()


def check_objective(
    phase: PhaseColumns, network: Network, demand: PointDemand, edge_gbps: Floats | None
) -> tuple[Figures, list[Finding]]:
    """Figures of the objective and what became of its claims.

    Parameters
    ----------
    edge_gbps : ndarray, shape (E,), or None
        Loads that follow from the file's routing.
    """
    name, claims = phase.objective, phase.proven
    if name == MIN_MAX:
        words = "the file claims a value of another objective than its own"
        return NO_FIGURES, [] if claims is None else [Finding("objective", REFUTED, words)]
    if claims is None or name not in (*ADMITTING, MIN_COST):
        return NO_FIGURES, [Finding("objective", NOT_CHECKED, f"the file proves nothing of {name}")]
    far = least_prices(network, phase, demand, _priced(phase, network, claims))
    has_path = np.isfinite(far)
    value, about = _value(phase, network, demand, claims, edge_gbps, has_path)
    bound = _bound_found(phase, network, demand, claims, far)
    about.append(_about_bound(phase, claims.bound, bound))
    gap = None
    if name == MAX_MIN_FAIR:
        gap, finding = _levels(phase, network, demand, claims, has_path)
        about += finding
    target = None if name in ADMITTING else claims.most_utilisation
    figures = Figures(
        claims.figure, claims.unit, claims.value, value, claims.bound, bound, target, claims.levels_gap, gap
    )
    return figures, about


def _priced(phase: PhaseColumns, network: Network, claims: ObjectiveColumns) -> Floats:
    """Length of every edge that the bound counts distances by, shape (E,)."""
    return network.weight + claims.price if phase.objective == MIN_COST else claims.price


def _value(
    phase: PhaseColumns,
    network: Network,
    demand: PointDemand,
    claims: ObjectiveColumns,
    edge_gbps: Floats | None,
    has_path: Bools,
) -> tuple[float | None, list[Finding]]:
    """The value that follows from loads and admitted parts; within capacity, or what min-cost allows."""
    if edge_gbps is None:
        return None, [Finding("objective", NOT_CHECKED, "the file has no routing to walk")]
    if phase.objective == MAX_THROUGHPUT:
        found = float(demand.gbps.sum())
    elif phase.objective == MAX_MIN_FAIR:
        found = float(demand.part[has_path].min(initial=1.0)) if has_path.any() else 0.0
    else:
        found = float((network.weight * edge_gbps).sum())
    most = 1.0 if claims.most_utilisation is None or phase.objective in ADMITTING else claims.most_utilisation
    over = edge_gbps > most * network.capacity_gbps * (1 + TOLERANCE)
    wrong = []
    if over.any():
        edge = int(np.argmax(over))
        wrong.append(
            f"{network.edge_name(edge)} carries {edge_gbps[edge]:.9g} of {network.capacity_gbps[edge]:.9g} Gbps, "
            f"and may carry {most:.6g} of that"
        )
    if abs(found - claims.value) > TOLERANCE * max(found, claims.value):
        wrong.append(f"{claims.value:.9g} is claimed, {found:.9g} follows from loads and admitted parts")
    return found, [Finding("objective", REFUTED, words) for words in wrong] or [Finding("objective", HOLDS)]


def _bound_found(
    phase: PhaseColumns, network: Network, demand: PointDemand, claims: ObjectiveColumns, far: Floats
) -> float:
    if phase.objective == MAX_THROUGHPUT:
        return throughput_bound(network, demand, claims.price, far)
    if phase.objective == MAX_MIN_FAIR:
        return level_bound(network, demand, claims.price, far)
    most = np.inf if claims.most_utilisation is None else claims.most_utilisation
    return cost_bound(network, demand, claims.price, far, most)


def _about_bound(phase: PhaseColumns, claimed: float, found: float) -> Finding:
    proven = found <= claimed * (1 + TOLERANCE) if phase.objective in ADMITTING else found >= claimed * (1 - TOLERANCE)
    if proven:
        return Finding("objective_bound", HOLDS)
    words = f"{claimed:.9g} is claimed, prices prove {found:.9g}"
    if knows_policy(phase):
        return Finding("objective_bound", REFUTED, words)
    return Finding("objective_bound", NOT_CHECKED, f"{words} over all paths; {phase.path_policy} paths may prove more")


def _levels(
    phase: PhaseColumns, network: Network, demand: PointDemand, claims: ObjectiveColumns, has_path: Bools
) -> tuple[float | None, list[Finding]]:
    """Whether every entry's part is its fair one, or only the lowest is proven."""
    if (demand.part[has_path] == 1).all():
        return 0.0, [Finding("levels", HOLDS, "all demand is admitted whole")]
    if claims.stages is None or not knows_policy(phase):
        return None, [Finding("levels", NOT_CHECKED, "only the lowest level is proven, not those above it")]
    levels = check_levels(network, phase, demand, claims.stages, has_path)
    wrong = list(levels.wrong)
    if claims.levels_gap is not None and levels.gap > claims.levels_gap + TOLERANCE:
        wrong.append(f"{levels.words}: {levels.gap:.9g} above, {claims.levels_gap:.9g} is claimed")
    if wrong:
        return levels.gap, [Finding("levels", REFUTED, words) for words in wrong]
    if claims.levels_gap is None:
        return levels.gap, [Finding("levels", NOT_CHECKED, f"nothing is claimed of them; {levels.words}")]
    return levels.gap, [Finding("levels", HOLDS, levels.words)]
