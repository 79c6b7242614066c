"""What outages cost a job, by hand and against closed forms."""

import numpy as np
import pytest
from job_of_hosts import job_of

from fabric.failures.month_losses import HostOutages, NetworkHistory, job_history
from fabric.failures.outages import random_outages

QUIET = NetworkHistory(np.array([0.0]), np.array([1.0]), np.zeros((1, 2)))


def outages_of(*rows):
    """Host (-1: none), start, end, cause; all within the history."""
    host, start, end, cause = zip(*rows, strict=True)
    fresh = np.ones(len(rows), dtype=np.bool_)
    return HostOutages(np.array(host), np.array(start, float), np.array(end, float), fresh, np.array(cause, np.int32))


def history(job, outages, network=QUIET, *, months=2, month_h=100.0):
    return job_history(job, outages, network, months, month_h, np.random.default_rng(0))


def test_a_job_that_stalls_loses_all_its_gpus_until_the_repair():
    """32 GPUs: host 0 gone from 10 to 20, host 1 from 15 to 30, over the end of the month 95 to 105."""
    result = history(job_of(), outages_of((0, 10, 20, 0), (1, 15, 30, 1), (2, 95, 105, 0)))
    # 10 to 15 by cause 0, 15 to 20 by both, 20 to 30 by cause 1; then 5 h in each month by cause 0.
    np.testing.assert_allclose(result.lost, [[32 * (5 + 2.5 + 5), 32 * (2.5 + 10)], [32 * 5, 0]])
    assert result.running_h == pytest.approx(200 - 20 - 10)


def test_a_restart_on_a_spare_host_loses_what_was_computed_since_the_checkpoint_and_the_restart():
    """Restart 2 h; checkpoints every 10 h: resumed at 12, the next failure at 75 loses 63 mod 10 = 3 h and 2 h."""
    job = job_of(reaction="restart", spares=1, restart_h=2.0, checkpoint_h=10.0)
    result = history(job, outages_of((0, 10, 40, 0), (1, 75, 90, 1)))
    assert result.lost[0, 1] == pytest.approx(32 * (3 + 2))
    assert 32 * 2 <= result.lost[0, 0] <= 32 * (2 + 10)  # the first checkpoint of a history is at random
    np.testing.assert_allclose(result.gaps_h, [63.0])


def test_without_a_spare_host_left_a_restart_waits_for_a_repair():
    """Host 1 fails at 20 while the only spare stands in for host 0, which is back at 40: 20 h, then the restart."""
    job = job_of(reaction="restart", spares=1, restart_h=2.0, checkpoint_h=None)
    result = history(job, outages_of((0, 10, 40, 0), (1, 20, 60, 1)))
    # 2 h at 10; 20 to 40 half by each; 40 to 42 by the last interruption.
    np.testing.assert_allclose(result.lost[0], [32 * (2 + 10), 32 * (10 + 2)])


def test_a_failure_during_a_restart_begins_it_again_and_loses_no_more_work():
    """Restart 5 h: failures at 10 and 12 cost 2 + 5 h."""
    job = job_of(reaction="restart", spares=4, restart_h=5.0, checkpoint_h=1000.0)
    result = history(job, outages_of((0, 10, 11, 0), (1, 12, 13, 1)))
    assert result.lost[0, 1] == pytest.approx(32 * 5)
    assert result.running_h == pytest.approx(200 - 7)


def test_a_job_that_shrinks_loses_the_share_of_its_hosts():
    """A quarter for each of four hosts, from the restart on until the repair."""
    job = job_of(reaction="shrink", restart_h=1.0)
    result = history(job, outages_of((0, 10, 30, 0)))
    np.testing.assert_allclose(result.lost[0], [32 * (1 + 19 / 4), 0])


def test_software_stops_a_job_without_a_host():
    """Restart 3 h, whatever hosts do."""
    result = history(job_of(reaction="restart", restart_h=3.0), outages_of((-1, 50, 50, 1)))
    np.testing.assert_allclose(result.lost[0], [0, 32 * 3])


def test_a_slower_network_costs_while_the_job_runs():
    """Twice as slow from 20 to 60; the job stalls from 50 on."""
    network = NetworkHistory(
        np.array([0.0, 20.0, 60.0]), np.array([1.0, 2.0, 1.0]), np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    )
    result = history(job_of(), outages_of((0, 50, 80, 0)), network)
    np.testing.assert_allclose(result.lost[0], [32 * 30, 32 * 30 / 2])
    np.testing.assert_allclose(result.network_lost, [0, 32 * 15])


@pytest.mark.parametrize("hosts", [1, 3])
def test_a_job_that_stalls_runs_while_all_its_hosts_are_up(hosts):
    """Availability of n hosts in series: (MTBF / (MTBF + MTTR))^n."""
    months, month_h, rng = 400, 730.5, np.random.default_rng(5)
    drawn = random_outages(np.full(hosts, 1 / 100), np.full(hosts, 20.0), months * month_h, rng)
    cause = np.zeros(len(drawn), np.int32)
    outages = HostOutages(drawn.part.astype(np.int64), drawn.start, drawn.end, drawn.fresh, cause)
    result = history(job_of(hosts), outages, months=months, month_h=month_h)
    assert result.running_h / (months * month_h) == pytest.approx((100 / 120) ** hosts, abs=0.01)
    assert result.lost.sum() == pytest.approx(8 * hosts * (months * month_h - result.running_h))


def test_restarts_lose_half_an_interval_on_average():
    """Failures every 200 h on average, checkpoints every 4 h, restart 1 h: (2 + 1) h each, within four errors."""
    months, month_h, rng = 2_000, 730.5, np.random.default_rng(6)
    drawn = random_outages(np.array([1 / 200]), np.array([1e-3]), months * month_h, rng)
    cause = np.zeros(len(drawn), np.int32)
    outages = HostOutages(drawn.part.astype(np.int64), drawn.start, drawn.end, drawn.fresh, cause)
    job = job_of(1, reaction="restart", spares=1, restart_h=1.0, checkpoint_h=4.0)
    result = history(job, outages, months=months, month_h=month_h)
    each = result.lost.sum() / 8 / drawn.fresh.sum()
    # A gap of mean 200 h ends in its first interval in 2 % of cases: e^x - 1 - x terms are below half a percent.
    exact = 200 - 4 / (np.exp(4 / 200) - 1) + 1
    assert each == pytest.approx(exact, abs=4 * 4 / np.sqrt(12 * drawn.fresh.sum()) + 0.01)
