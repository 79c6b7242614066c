"""Whatever is changed in a file: when the check says that it holds, a plain programme says so too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certificate_files import members, save, write
from oracle_fabrics import Case, PairFlows, larger_case, ours, reachable

from fabric.certificate_check import check_certificate, read_certificate
from topologies.errors import FormatError

COLUMNS = (
    "fabric0/link_capacity_gbps", "fabric0/link_up", "fabric0/link_dst", "phase0/demand_gbps", "phase0/demand_dst",
    "phase0/price", "phase0/splits_edge", "phase0/splits_part", "phase0/link_edge", "phase0/send_point",
)  # fmt: skip


def one_changed(found, rng):
    """The members of a file with one entry of one column as another one, doubled, or turned round."""
    present = [f"{name}.npy" for name in COLUMNS if f"{name}.npy" in found]
    name = str(rng.choice(present))
    values = found[name].copy()
    at, other = rng.integers(len(values), size=2)
    if values.dtype == np.bool_:
        values[at] = not values[at]
    else:
        values[at] = values[other] if values[at] != values[other] else 2 * values[at]
    return found | {name: values}


def case_of(net, fabric, demand):
    """The links and the demand that a file speaks of, for the programme."""
    links = replace(
        net.links,
        dst=fabric.link_dst.astype(np.int32),
        capacity_gbps=fabric.link_capacity_gbps,
    )
    rows = zip(demand.src.tolist(), demand.dst.tolist(), demand.gbps.tolist(), strict=True)
    return Case(replace(net, links=links, up=fabric.link_up), tuple(rows))


@pytest.mark.parametrize(("router", "seed"), [("ecmp", 1), ("optimal", 4), ("optimal", 5), ("ecmp-hash", 2)])
def test_no_file_that_holds_is_false(router, seed, tmp_path):
    """40 files with one changed entry: those that hold have bound ≤ least θ by pairs and links ≤ claimed θ."""
    case = larger_case(seed)
    found = members(write(tmp_path / "c.zip", ours(case, router)))
    rng = np.random.default_rng(seed)
    verdicts = {"holds": 0, "refuted": 0}
    for _ in range(40):
        try:
            file = read_certificate(save(tmp_path / "c.zip", one_changed(found, rng)))
        except FormatError:
            continue
        (verdict,) = check_certificate(file)
        verdicts[verdict.verdict] += 1
        if not verdict.refuted:
            (phase,) = file.phases
            changed = case_of(case.net, phase.fabric, phase.demand)
            assert not reachable(changed)[1]
            least = PairFlows(changed).least_theta()
            assert phase.claims.lower_bound <= least * (1 + 2e-6) <= phase.claims.max_utilisation * (1 + 4e-6)
    assert verdicts["refuted"] > 5
