"""Every phase of every workload says where its bytes are from."""

from __future__ import annotations

import pytest
from key_scenarios import BASES
from key_walk import loaded_from

from fabric.pipeline.network import build_network
from fabric.pipeline.prepared import derive_traffic
from fabric.scenario.load import load_scenario


def check(workloads):
    """A formula for every phase, with a source and terms that come to what the phase moves."""
    for workload in workloads:
        for phase in workload.phases:
            label = f"{workload.kind} {phase.name}"
            formulae = [part.formula for part in phase.payloads] + ([phase.sent] if phase.sent else [])
            assert formulae, f"{label} has no formula"
            assert all(each.source and each.terms for each in formulae), label
            if phase.steady and formulae[0].unit == "Gbps":  # what stays on a host is not on the fabric
                assert formulae[0].value >= phase.rate_gbps * (1 - 1e-9), label
            elif phase.payloads and not phase.steady:
                ranks = sum(part.ranks for part in phase.payloads)
                mean = sum(part.ranks * part.formula.value for part in phase.payloads) / ranks
                assert mean == pytest.approx(phase.payload_bytes_per_rank), label


@pytest.mark.parametrize("number", range(len(BASES)))
def test_every_phase_of_every_workload_has_a_formula(number, tmp_path):
    """Over the scenarios that between them set every key of the schema."""
    loaded = loaded_from(BASES[number], tmp_path)
    check(derive_traffic(loaded, build_network(loaded)))


@pytest.mark.parametrize("path", ["quickstart", "train-2k", "abilene"])
def test_every_phase_of_the_examples_has_a_formula(path):
    """Those that are built at once."""
    loaded = load_scenario(f"examples/{path}.fabric.yaml")
    check(derive_traffic(loaded, build_network(loaded)))
