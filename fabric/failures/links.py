"""Links with the failures that fill them most, over the phases of their fabric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fabric.failures.engine import CAUSES, LinkWorst, SweepPhase
from fabric.failures.result import Cause, WorstLink
from fabric.routing.utilisation import SAME, over_capacity, ranks
from topologies.columns import Floats, Longs


def worst_links(
    phases: Sequence[SweepPhase], worst: Sequence[LinkWorst], cause: Callable[[int, float], Cause]
) -> tuple[WorstLink, ...]:
    """All links that are loaded intact or in a case, the fullest in its worst case first.

    Parameters
    ----------
    worst : sequence of LinkWorst
        One per phase.
    cause : callable
        A case by its number, with the utilisation that it comes to.
    """
    fabrics = dict.fromkeys(phase.fabric for phase in phases)
    found: list[tuple[float, bool, WorstLink]] = []
    for fabric in fabrics:
        mine = [at for at, phase in enumerate(phases) if phase.fabric == fabric]
        found += _of_fabric([phases[at] for at in mine], [worst[at] for at in mine], cause)
    if not found:
        return ()
    order = np.lexsort((np.array([full for _, full, _ in found]), ranks(np.array([peak for peak, _, _ in found]))))
    return tuple(found[row][2] for row in order.tolist())


def _of_fabric(
    phases: Sequence[SweepPhase], worst: Sequence[LinkWorst], cause: Callable[[int, float], Cause]
) -> list[tuple[float, bool, WorstLink]]:
    topology = phases[0].topology
    intact = np.array([phase.intact.utilisation for phase in phases])  # (P, L)
    peak = np.maximum(intact, np.array([each.utilisation[:, 0] for each in worst]))
    phase_of, before, highest = peak.argmax(axis=0), intact.max(axis=0), peak.max(axis=0)
    values = np.concatenate([each.utilisation for each in worst], axis=1)
    cases = np.concatenate([each.case for each in worst], axis=1)
    order = np.lexsort((cases, -values), axis=1)
    forwards, links = topology.nodes.forwards, topology.links
    merely_full = (~forwards[links.src] | ~forwards[links.dst]) & ~over_capacity(highest)
    return [
        (
            float(highest[link]),
            bool(merely_full[link]),
            WorstLink(
                fabric=phases[0].fabric,
                phase=phases[int(phase_of[link])].phase,
                link=topology.link_name(link),
                tier=topology.tiers[topology.links.tier[link]],
                capacity_gbps=float(topology.capacity_gbps[link]),
                intact_utilisation=float(before[link]),
                worst_utilisation=float(highest[link]),
                causes=_causes(values[link, order[link]], cases[link, order[link]], float(before[link]), cause),
            ),
        )
        for link in np.flatnonzero(highest > 0).tolist()
    ]


def _causes(values: Floats, cases: Longs, intact: float, cause: Callable[[int, float], Cause]) -> tuple[Cause, ...]:
    """The cases that fill a link more than it is intact, each once, in the phase in which it fills it most."""
    causes: dict[int, Cause] = {}
    for value, case in zip(values.tolist(), cases.tolist(), strict=True):
        if case < 0 or value <= intact * (1 + SAME) or len(causes) == CAUSES:
            break
        if case not in causes:
            causes[case] = cause(case, value)
    return tuple(causes.values())
