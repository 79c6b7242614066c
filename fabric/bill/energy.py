"""Energy of the network in a step: its power times the time of the step, and what of it a job answers for.

Power is the typical draw of the bill: switches, NICs, optics and cables, whether they are up or down, without servers.
Catalogues state a typical and a largest draw and none of a device that idles, so that the draw is taken as constant:
energy does not fall with less traffic, only with a shorter step. A job's share of the network is its ranks over the
GPUs of the scenario (over its endpoints where it lists no GPUs), or over the ranks of all timed jobs where those are
more. A network with a part of which no watts are known has no energy: a sum without it would look whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric.bill.count import bill_of
from fabric.result import JobTime
from fabric.scenario.load import LoadedScenario
from topologies.errors import FabricError
from topologies.topology import Topology


@dataclass(frozen=True)
class NetworkPower:
    """What the network draws.

    Attributes
    ----------
    typical_w, largest_w : float, optional
        As the bill has them; None where a part has no watts.
    heads : int
        GPUs, or endpoints, that jobs are shares of.
    missing : tuple of str
        What has no watts.
    why : str
        Why there is no bill.
    """

    typical_w: float | None
    largest_w: float | None
    heads: int
    missing: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class StepEnergy:
    """Energy of the network in one step of a job.

    Attributes
    ----------
    share : float
        Of the network that the job answers for, 0 to 1.
    typical_j, largest_j : float
        Joules of that share in a step, at typical draw and at the largest.
    """

    job: str
    ranks: int
    share: float
    step_time_s: float
    typical_j: float
    largest_j: float


def network_power(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> NetworkPower:
    """What all fabrics of a scenario draw together."""
    try:
        totals = bill_of(loaded, topologies).totals
    except FabricError as error:
        return NetworkPower(None, None, 0, why=error.problems[0].message)
    heads = totals.gpus or totals.endpoints
    if totals.missing_watts:
        return NetworkPower(None, None, heads, totals.missing_watts)
    return NetworkPower(totals.typical_w, totals.max_w, heads)


def step_energies(jobs: Sequence[JobTime], power: NetworkPower) -> tuple[StepEnergy, ...]:
    """Energy of a step of every job that has a step which ends, in their order; none where the power is not known.

    >>> power = NetworkPower(10_000.0, 14_000.0, 512)
    >>> job = JobTime("llm", "training", 128, (), None, 2.0, 3.0, None)
    >>> step_energies([job], power)[0].typical_j
    7500.0
    """
    if power.typical_w is None or power.largest_w is None or not power.heads:
        return ()
    timed = [job for job in jobs if job.ranks and job.step_time_s is not None]
    heads = max(power.heads, sum(job.ranks for job in timed))
    found = []
    for job in timed:
        share, seconds = job.ranks / heads, job.step_time_s or 0.0
        joules = (watts * share * seconds for watts in (power.typical_w, power.largest_w))
        found.append(StepEnergy(job.id, job.ranks, share, seconds, *joules))
    return tuple(found)
