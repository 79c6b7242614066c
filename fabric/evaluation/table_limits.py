"""Whether a scenario's limits on a fabric's load hold with the loads that tables give instead of the planned ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.evaluation.limits import check_limits
from fabric.evaluation.phases import tier_loads
from fabric.result import LimitVerdict, PhaseRoute
from fabric.routing.router import Certificate
from fabric.routing.utilisation import fullest, over_capacity
from fabric.scenario.limit_schema import LimitSpec
from topologies.columns import Floats
from topologies.topology import Topology

ON_LOADS = frozenset(("offered", "utilisation", "links_over_capacity"))


def judge_loads(
    limits: Sequence[LimitSpec], topology: Topology, gbps: Floats, *, fabric: str, phase: str, router: str
) -> tuple[LimitVerdict, ...]:
    """Judge the limits on the loads of one fabric; those on anything else are left out.

    Parameters
    ----------
    gbps : ndarray, shape (L,)
        Offered to every directed link.

    Raises
    ------
    ScenarioError
        When a limit names a tier its fabric does not have.
    """
    route = _as_route(topology, gbps, fabric=fabric, phase=phase, router=router)
    verdicts = check_limits(limits, [route], ())
    return tuple(
        verdict
        for limit, verdict in zip(limits, verdicts, strict=True)
        if limit.fabric == fabric and limit.metric in ON_LOADS and verdict.ok is not None
    )


def _as_route(topology: Topology, gbps: Floats, *, fabric: str, phase: str, router: str) -> PhaseRoute:
    with np.errstate(divide="ignore", invalid="ignore"):
        utilisation = np.where(gbps > 0, gbps / topology.capacity_gbps, 0.0)
    hottest = fullest(utilisation)
    return PhaseRoute(
        fabric=fabric,
        phase=phase,
        router=router,
        topology=topology,
        classes=(),
        link_gbps=gbps[:, None],
        utilisation=utilisation,
        max_utilisation=float(utilisation.max(initial=0.0)),
        hottest_link="" if hottest is None else topology.link_name(hottest),
        best_possible=Certificate(0.0, "tables prove nothing"),
        certificate=None,
        links_over_capacity=int(over_capacity(utilisation).sum()),
        unreachable_pairs=0,
        unreachable=(),
        jobs_cut=(),
        tiers=tier_loads(topology, utilisation),
        window_s={},
        solver="",
        solve_time_s=None,
        partial=False,
    )
