"""What the outages of a history cost jobs, exactly: every interval between two events, by what is to blame for it.

A job stands still while more hosts are gone than it tolerates and while it restarts; it loses what it computed since
its last checkpoint; it runs with a part of its GPUs where it shrinks; and it is slower where its traffic is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.failures.job_reaction import FailingJob
from fabric.failures.outages import merged_by_host
from topologies.columns import Bools, Floats, Ints, Longs


@dataclass(frozen=True, eq=False)
class HostOutages:
    """Hosts of one job that go, and what is to blame; hours from the beginning of a history."""

    host: Longs  # shape (E,); -1 where the job is interrupted without losing a host
    start: Floats
    end: Floats
    fresh: Bools  # whether it happens within the history
    cause: Ints


@dataclass(frozen=True, eq=False)
class NetworkHistory:
    """How much slower the network makes one job, piece by piece."""

    time: Floats  # shape (S,), where each piece begins, ascending, the first at 0
    stretch: Floats  # shape (S,)
    blame: Floats  # shape (S, C), shares of the causes; they add up to 1 where the stretch is above 1


@dataclass(frozen=True, eq=False)
class JobHistory:
    """What a history costs a job."""

    lost: Floats  # shape (months, C), GPU-hours by month and cause
    network_lost: Floats  # shape (C,), of that by a slower network, GPU-hours
    running_h: float  # that it computes, at whatever speed
    gaps_h: Floats  # from when it can compute again to the next interruption


@dataclass(frozen=True, eq=False)
class _Stops:
    """When a job stands still or is interrupted."""

    interrupted: Floats  # shape (I,), ascending
    cause: Ints
    again: Bools  # whether the job then starts again, and not just goes on
    resumed: Floats  # when enough hosts are there again
    gone_time: Floats  # steps of the number of hosts that are gone
    gone_step: Ints
    gone_cause: Ints


def job_history(
    job: FailingJob,
    outages: HostOutages,
    network: NetworkHistory,
    months: int,
    month_h: float,
    rng: np.random.Generator,
) -> JobHistory:
    """Losses of a job in every month of a history."""
    causes, hours = network.blame.shape[1], months * month_h
    stops = _stops(job, outages, hours)
    begin, stop_end = _merged(stops, job.restart_h, hours)
    lost = np.zeros((months, causes))
    work, gaps = _lost_work(job, stops, begin, stop_end, rng)
    month = np.minimum((stops.interrupted / month_h).astype(np.int64), months - 1)
    np.add.at(lost, (month, stops.cause), work * job.gpus)

    time = np.unique(
        np.concatenate(
            [np.arange(months) * month_h, stops.gone_time, begin, stop_end, network.time[network.time < hours]]
        )
    )
    time = time[time < hours]
    length = np.diff(time, append=hours)
    gone, by_cause = _counted(stops, time, causes)
    last_stop = np.searchsorted(begin, time, side="right") - 1
    is_stopped = (
        (last_stop >= 0) & (time < stop_end[np.maximum(last_stop, 0)]) if len(begin) else np.zeros(len(time), bool)
    )
    share = np.array([job.lost_share(count) for count in range(int(gone.max(initial=0)) + 1)])[gone]
    piece = np.searchsorted(network.time, time, side="right") - 1
    slower = 1 - 1 / network.stretch[piece]
    blocked = share >= 1
    still = np.where(is_stopped | blocked, 1.0, share)
    blame = by_cause / np.maximum(gone, 1)[:, None]
    restarting = is_stopped & ~blocked
    if restarting.any():
        latest = np.searchsorted(stops.interrupted, time[restarting], side="right") - 1
        blame[restarting] = 0.0
        blame[restarting, stops.cause[latest]] = 1.0
    by_network = (1 - still) * slower
    of_month = np.minimum((time / month_h + 1e-9).astype(np.int64), months - 1)
    network_lost = (by_network * length)[:, None] * network.blame[piece] * job.gpus
    np.add.at(lost, of_month, (still * length)[:, None] * blame * job.gpus + network_lost)
    return JobHistory(lost, network_lost.sum(axis=0), float(((1 - still) * length).sum()), gaps)


def _stops(job: FailingJob, outages: HostOutages, hours: float) -> _Stops:
    """Interruptions in order, and how many hosts are gone when."""
    of_host = outages.host >= 0
    rows = np.flatnonzero(of_host)
    first, end = merged_by_host(outages.host[rows], outages.start[rows], outages.end[rows])
    first = rows[first]
    start, cause = outages.start[first], outages.cause[first]
    gone_time = np.concatenate([start, end])
    gone_step = np.concatenate([np.ones(len(first)), -np.ones(len(first))]).astype(np.int32)
    gone_cause = np.concatenate([cause, cause])
    order = np.lexsort((gone_step, gone_time))  # of one instant repairs first
    gone_time, gone_step, gone_cause = gone_time[order], gone_step[order], gone_cause[order]
    alone = np.flatnonzero(~of_host)
    begins = np.concatenate([start[outages.fresh[first]], outages.start[alone]])
    blames = np.concatenate([cause[outages.fresh[first]], outages.cause[alone]])
    again = np.concatenate([np.full(len(begins) - len(alone), job.restarts), np.ones(len(alone), np.bool_)])
    order = np.argsort(begins, kind="stable")
    begins, blames, again = begins[order], blames[order], again[order]
    resumed = begins.copy()
    if len(gone_time) and len(begins):
        count = np.cumsum(gone_step)
        blocked = np.concatenate([[False], count > job.tolerated])
        # Of each step the time of the first step from it on after which the job is not blocked.
        free = np.where(~blocked[1:], gone_time, np.inf)
        next_free = np.minimum.accumulate(free[::-1])[::-1]
        at = np.searchsorted(gone_time, begins, side="right")  # steps done
        waits = blocked[at]
        later = np.append(next_free, np.inf)[np.minimum(at, len(next_free))]
        resumed = np.where(waits, np.minimum(later, hours), begins)
    return _Stops(begins, blames.astype(np.int32), again, resumed, gone_time, gone_step, gone_cause.astype(np.int32))


def _merged(stops: _Stops, restart_h: float, hours: float) -> tuple[Floats, Floats]:
    """Times that a job stands still or restarts after interruptions, as intervals that do not overlap."""
    if not len(stops.interrupted):
        return np.empty(0), np.empty(0)
    end = np.minimum(np.maximum.accumulate(stops.resumed + restart_h * stops.again), hours)
    is_first = np.concatenate([[True], stops.interrupted[1:] > end[:-1]])
    rows = np.flatnonzero(is_first)
    last = np.append(rows[1:], len(end)) - 1
    return stops.interrupted[rows], end[last]


def _lost_work(
    job: FailingJob, stops: _Stops, begin: Floats, end: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Hours computed in vain at every interruption; and from each restart to the next interruption."""
    count = len(stops.interrupted)
    work = np.zeros(count)
    if not count:
        return work, np.empty(0)
    gaps = begin[1:] - end[:-1]
    if job.checkpoint_h:
        stop = np.searchsorted(begin, stops.interrupted, side="right") - 1
        leads = np.flatnonzero(np.diff(stop, prepend=-1) > 0)  # the interruption that begins each stop
        since = np.concatenate([[rng.random() * job.checkpoint_h], gaps % job.checkpoint_h])
        work[leads] = np.minimum(since, np.concatenate([[begin[0]], gaps])) * stops.again[leads]
    return work, gaps


def _counted(stops: _Stops, time: Floats, causes: int) -> tuple[Longs, Floats]:
    """Hosts that are gone from each time on, shape (T,), and by cause, shape (T, C)."""
    done = np.searchsorted(stops.gone_time, time, side="right")
    total = np.concatenate([[0], np.cumsum(stops.gone_step)])[done].astype(np.int64)
    by_cause = np.zeros((len(time), causes))
    for cause in np.unique(stops.gone_cause).tolist():
        steps = np.where(stops.gone_cause == cause, stops.gone_step, 0)
        by_cause[:, cause] = np.concatenate([[0], np.cumsum(steps)])[done]
    return total, by_cause
