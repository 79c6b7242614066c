"""Highest utilisation, its bound and the gap between them: what a file claims against what was found."""

from __future__ import annotations

import numpy as np

from fabric.certificate_check.bound import utilisation_bound
from fabric.certificate_check.columns import ADMITTING, Floats, PhaseColumns
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.finding import HOLDS, NOT_CHECKED, REFUTED, TOLERANCE, Finding
from fabric.certificate_check.network import Network
from fabric.certificate_check.policy import knows_policy, least_prices


def fullest_access(phase: PhaseColumns, network: Network, sent: Floats, received: Floats) -> tuple[float, str]:
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


def fullest(network: Network, edge_gbps: Floats, usable_part: Floats | None) -> tuple[float, str]:
    """Highest utilisation of the edges, and the first link of that edge; infinite for load on a dead one."""
    loaded = np.flatnonzero(edge_gbps > 0)
    if not len(loaded):
        return 0.0, ""
    room_gbps = network.capacity_gbps if usable_part is None else network.capacity_gbps * usable_part
    with np.errstate(divide="ignore"):
        utilisation = edge_gbps[loaded] / room_gbps[loaded]
    worst = int(np.argmax(utilisation))
    return float(utilisation[worst]), network.edge_name(int(loaded[worst]))


def about_utilisation(phase: PhaseColumns, found: float | None, hottest: str) -> Finding:
    """What the highest utilisation found says of the claim; None: the file has nothing to walk."""
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


def about_bound(
    phase: PhaseColumns, network: Network, demand: PointDemand, access: float
) -> tuple[float | None, list[Finding]]:
    """The bound that the file proves, and what that says of the claim; demand that may be cut proves none."""
    claimed = phase.claims.lower_bound
    if claimed is None:
        return None, []
    if phase.objective in ADMITTING:
        if claimed == 0:
            return 0.0, [Finding("lower_bound", HOLDS)]
        words = f"{claimed:.9g} is claimed of {phase.objective}, under which a routing may admit nothing"
        return 0.0, [Finding("lower_bound", REFUTED, words)]
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


def about_gap(phase: PhaseColumns, highest: float | None, bound: float | None) -> tuple[float | None, list[Finding]]:
    """θ / bound - 1 of what was found, against what is claimed."""
    found = max(highest / bound - 1, 0.0) if highest is not None and bound else None
    claims = phase.claims
    if claims.gap is None or claims.max_utilisation is None or not claims.lower_bound:
        return found, []
    gap = max(claims.max_utilisation / claims.lower_bound - 1, 0.0)
    if abs(gap - claims.gap) <= TOLERANCE * (1 + gap):
        return found, []
    return found, [Finding("gap", REFUTED, f"{claims.gap:.9g} is claimed, the claimed numbers are {gap:.9g} apart")]
