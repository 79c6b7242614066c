"""Bus bandwidths that people published: what is expected of the hosts they name, behind one switch."""

from __future__ import annotations

from statistics import median

import pytest
from generate.bandwidths import PublishedBandwidth, bandwidths, expected

ROWS = list(bandwidths())


def off(run: PublishedBandwidth) -> float:
    """Expected over measured bandwidth, less 1."""
    return expected(run).expected.busbw_gbytes_per_s / run.busbw - 1


@pytest.fixture(scope="module")
def misses() -> dict[str, float]:
    """How far every row is off."""
    return {f"{run.source} {run.hosts} {run.size} {run.algorithm}": off(run) for run in ROWS}


def test_half_of_the_bandwidths_come_out_within_six_per_cent(misses):
    assert median(map(abs, misses.values())) < 0.06


def test_no_bandwidth_is_farther_off_than_the_page_says(misses):
    assert max(map(abs, misses.values())) < 0.16, misses


@pytest.mark.parametrize(
    "run", [run for run in ROWS if run.hosts == 4 or run.algorithm == "ring"], ids=lambda run: run.source
)
def test_networks_of_sound_hosts_are_met(run):
    """Where NICs, or a ring inside the host, decide: 24 GB/s of a NIC of 200 Gb/s, 46 to 48 of one of 400."""
    assert abs(off(run)) < 0.07
