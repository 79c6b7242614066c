"""Random histories of failures and repairs against closed forms."""

import numpy as np
import pytest

from fabric.failures.outages import merged_by_host, random_outages


@pytest.mark.parametrize(("mtbf_h", "mttr_h"), [(100.0, 50.0), (1000.0, 4.0), (3.0, 9.0)])
def test_one_part_is_up_mtbf_over_mtbf_plus_mttr_of_the_time(mtbf_h, mttr_h):
    """Renewal: up for MTBF, down for MTTR; within four standard errors of some 20,000 cycles."""
    hours = 20_000 * (mtbf_h + mttr_h)
    outages = random_outages(np.array([1 / mtbf_h]), np.array([mttr_h]), hours, np.random.default_rng(1))
    down = (np.minimum(outages.end, hours) - outages.start).sum() / hours
    expected = mttr_h / (mtbf_h + mttr_h)
    assert down == pytest.approx(expected, abs=4 * expected * (1 - expected) * np.sqrt(2 / 20_000))
    assert len(outages) == pytest.approx(20_000, abs=4 * np.sqrt(20_000))


def test_a_part_fails_only_while_it_works():
    """Outages of a part never overlap, however often it fails; dropped ones are decided one by one."""
    outages = random_outages(np.full(5, 0.5), np.full(5, 4.0), 5_000.0, np.random.default_rng(2))
    for part in range(5):
        own = outages.part == part
        assert own.sum() > 500
        assert (outages.start[own][1:] >= outages.end[own][:-1]).all()


def test_dropped_failures_are_those_of_a_plain_loop():
    """The same events, one part after the other."""
    from fabric.failures.outages import _while_working

    rng = np.random.default_rng(3)
    part = np.sort(rng.integers(0, 20, 2_000)).astype(np.int32)
    start = rng.random(2_000) * 100
    order = np.lexsort((start, part))
    part, start = part[order], start[order]
    end = start + rng.exponential(3.0, 2_000)
    until: dict[int, float] = {}
    wanted = []
    for one, begin, over in zip(part.tolist(), start.tolist(), end.tolist(), strict=True):
        wanted.append(begin >= until.get(one, 0.0))
        if wanted[-1]:
            until[one] = over
    assert _while_working(part, start, end).tolist() == wanted


def test_published_rates_give_1_75_link_failures_a_month_on_3072_links():
    """HPN: 0.057 % of 3,072 links a month is 1.751; over 4,000 months within four standard errors."""
    from fabric.failures.rates import Rates
    from fabric.scenario.reliability_schema import ReliabilitySpec
    from topologies.units import HOURS_PER_MONTH

    rate = Rates.of(ReliabilitySpec()).rate("link", "host-leaf")
    assert 3072 * rate.per_month == pytest.approx(1.751, abs=0.001)
    months = 4_000
    outages = random_outages(
        np.full(3072, rate.per_month / HOURS_PER_MONTH),
        np.full(3072, rate.repair_s / 3600),
        months * HOURS_PER_MONTH,
        np.random.default_rng(4),
    )
    assert outages.fresh.sum() / months == pytest.approx(1.751, abs=4 * np.sqrt(1.751 / months))


def test_outages_of_a_host_that_overlap_are_one():
    """Host 0: 1 to 5 with 2 to 3 in it, then 6 to 7; host 1: 2 to 4 and 4.5 to 9."""
    host = np.array([0, 1, 0, 0, 1])
    start, end = np.array([1.0, 2.0, 2.0, 6.0, 4.5]), np.array([5.0, 4.0, 3.0, 7.0, 9.0])
    first, until = merged_by_host(host, start, end)
    assert first.tolist() == [0, 3, 1, 4]
    np.testing.assert_allclose(until, [5.0, 7.0, 4.0, 9.0])
