"""Rates of parts: published, overridden, refused; and what they give for clusters that were written about."""

import pytest
from scipy.stats import poisson

from fabric.failures.rates import PartRate, Rates
from fabric.scenario.failure_rates import BUILT_IN, RATED_KINDS
from fabric.scenario.failure_schema import PART_KINDS
from fabric.scenario.load import load_scenario
from fabric.scenario.reliability_schema import ReliabilitySpec
from topologies.errors import FabricError
from topologies.units import HOURS_PER_MONTH, parse_failures_per_month

SCENARIO = """\
version: 1
name: rates
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 2, host_speed: 400G, uplink_speed: 400G}
reliability:
  rates:
    %s
"""


def rates_of(**rows):
    return Rates.of(ReliabilitySpec(rates={key.replace("_", " "): row for key, row in rows.items()}))


def test_every_kind_of_part_may_have_a_rate():
    """And hosts' GPUs, and the software of jobs."""
    assert set(PART_KINDS) <= set(RATED_KINDS)
    assert {row.key for row in BUILT_IN} <= set(RATED_KINDS)


def test_every_built_in_row_names_its_source():
    """A paper and where in it; repair times are estimates and say so."""
    for row in BUILT_IN:
        assert "20" in row.source and ("table" in row.source or "section" in row.source)
        assert row.repair_s is None or row.repair_source == "estimate"


def test_a_row_of_kind_and_role_goes_before_one_of_the_kind_and_that_before_the_built_in():
    """Key by key: the rate of one row, the repair of another."""
    rates = rates_of(link={"rate": "1 %/month"}, link_leaf={"repair": "2 h"})
    assert rates.rate("link", "leaf") == PartRate(0.01, 7200, "the scenario")
    assert rates.rate("link", "spine") == PartRate(0.01, 14_400, "the scenario")
    assert rates.rate("switch").per_month == pytest.approx(0.00051)
    assert rates.rate("power-feed") is None


@pytest.mark.parametrize(
    ("text", "per_month"),
    [
        ("0.057 %/month", 5.7e-4),
        ("12 %/year", 0.01),
        ("0.3/year", 0.025),
        ("1000 FIT", 1000e-9 * HOURS_PER_MONTH),
        ("MTBF 50000 h", HOURS_PER_MONTH / 50_000),
        ("MTTF 2 years", 1 / 24),
        ("1/day", HOURS_PER_MONTH / 24),
        ("0 %/month", 0.0),
    ],
)
def test_rates_are_read_with_their_unit(text, per_month):
    """Failures of one part in a month of 730.5 hours."""
    assert parse_failures_per_month(text) == pytest.approx(per_month)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("swich: {rate: 1 %/month}", "'swich' is not a kind of part that fails; did you mean 'switch'"),
        ("switch: {rate: 0.05}", "0.05 does not say in what time; write for example '0.057 %/month'"),
        ("switch: {rate: 5 %}", "'5 %' does not say in what time"),
        ("switch: {rate: 120 %/month}", "not a probability: more than all of them; .* 1.2 times are 1.2/month"),
        ("switch: {rate: -1 %/month}", "negative; a part that never fails has 0 %/month"),
        ("switch: {rate: 1 %/fortnight}", "unknown unit 'fortnight'"),
        ("switch: {rate: MTBF 0 h}", "no time between failures"),
        ("switch: {repair: 0 h}", "a repair takes time"),
        ("switch: {repair: 6}", "6 has no unit"),
        ("switch: {}", "neither rate nor repair"),
        ("power-feed: {rate: 1 %/year}", "'power-feed' has no repair, and no built-in one"),
        ("rack: {repair: 1 h}", "'rack' has no rate, and no built-in one"),
        ("software: {repair: 1 h}", "'software' needs no repair"),
    ],
)
def test_what_is_no_rate_is_refused_with_a_way_out(row, message, tmp_path):
    """At its line."""
    path = tmp_path / "rates.yaml"
    path.write_text(SCENARIO % row)
    with pytest.raises(FabricError, match=message):
        load_scenario(path)


def test_the_network_of_llama_3_fails_as_often_as_one_rate_says():
    """16,384 NICs with a link each and a link up for each, a ToR to 16 GPUs: 35 in 54 days lies within 95 % of it."""
    rates, months = Rates.of(ReliabilitySpec()), 54 / 30.4375
    links, switches = 2 * 16_384, 16_384 // 16
    mean = (links * rates.rate("link").per_month + switches * rates.rate("switch").per_month) * months
    low, high = poisson.interval(0.95, mean)
    assert low <= 35 <= high
    assert mean == pytest.approx(34, abs=1)


def test_the_causes_of_llama_3_add_up():
    """Its 419 interruptions in 54 days, less the 35 of the network: GPUs, hosts, NICs and software of 16,384 GPUs."""
    months = 54 / 30.4375
    parts = {"gpu": 16_384, "host": 2_048, "nic": 16_384, "software": 16_384}
    rates = Rates.of(ReliabilitySpec())
    assert sum(rates.rate(kind).per_month * count for kind, count in parts.items()) * months == pytest.approx(384)


def test_availability_of_a_part_is_mtbf_over_mtbf_plus_mttr():
    """MTBF 90 h, repair 10 h: down a tenth of the time."""
    rate = rates_of(switch={"rate": "MTBF 90 h", "repair": "10 h"}).rate("switch")
    assert rate.down == pytest.approx(0.1)
    assert rate.failures_per_month == pytest.approx(HOURS_PER_MONTH / 100)
