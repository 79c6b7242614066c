"""Demand that is cut, moved or left out, under every objective and router: refuted, or said to be open."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import certified, forged, members, save
from oracle_fabrics import Case

from fabric.certificate_check import check_certificate, read_certificate
from topologies.assemble import assemble

ROUTED = [
    ("ecmp", {}), ("wcmp", {}), ("valiant", {}), ("ecmp-hash", {}), ("optimal", {}),
    ("optimal", {"objective": "min-cost", "target_utilisation": 3.0}),
]  # fmt: skip
ADMITTING = ["max-throughput", "max-min-fair"]


def _ring() -> Case:
    """Four switches in a ring of 100G with a chord of 40G; a host on r0 that sends 90 over its 100G access link."""
    net = assemble("ring", "random")
    ids = net.nodes("router", [f"r{each}" for each in range(4)], level=1, nics=1)
    for low, high, gbps in ((0, 1, 100.0), (1, 2, 100.0), (2, 3, 100.0), (3, 0, 100.0), (0, 2, 40.0)):
        net.cables([ids[low]], [ids[high]], gbps)
    host = net.hosts(["h"])
    net.cables(host, [ids[0]], 100.0)
    demands = ((0, 2, 150.0), (1, 3, 80.0), (1, 2, 60.0), (3, 2, 70.0))
    rows = [(int(ids[src]), int(ids[dst]), gbps) for src, dst, gbps in demands]
    return Case(net.freeze(), (*rows, (int(host[0]), int(ids[2]), 90.0)))


def _refuted(verdict):
    return {finding.claim for finding in verdict.refuted}


def _serve(part, entries=1):
    """A forgery that admits a part of the first entries, with offered and admitted Gbps to match."""

    def forge(phase, _, entry, columns):
        pairs = [
            (int(phase.send_point[src]), int(phase.receive_point[dst]), gbps)
            for src, dst, gbps in zip(phase.demand_src, phase.demand_dst, phase.demand_gbps, strict=True)
        ]
        cut = list(dict.fromkeys((src, dst) for src, dst, _ in pairs))[:entries]
        entry["served"] = "parts"
        columns["served_src"] = np.array([src for src, _ in cut], dtype=np.int32)
        columns["served_dst"] = np.array([dst for _, dst in cut], dtype=np.int32)
        columns["served_part"] = np.full(len(cut), part)
        lost = sum(gbps * (1 - part) for src, dst, gbps in pairs if (src, dst) in cut)
        entry["claims"]["admitted_gbps"] = entry["claims"]["offered_gbps"] - lost

    return forge


@pytest.mark.parametrize(("router", "options"), ROUTED)
@pytest.mark.parametrize("part", [0.0, 0.5, 1 - 1e-9])
def test_demand_served_in_part_is_refuted_where_all_of_it_counts(router, options, part, tmp_path):
    """Every pair has a path, so none may be left out, not even a billionth of one."""
    path = tmp_path / "c.zip"
    assert certified(path, _ring(), router, **options)[1].verdict == "holds"
    assert "demand" in _refuted(forged(path, _serve(part)))


@pytest.mark.parametrize(("router", "options"), ROUTED)
def test_a_file_of_less_demand_contradicts_itself(router, options, tmp_path):
    """A row halved: the sums of what is offered and admitted, whichever of them is forged too."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), router, **options)

    def forge(keys):
        def change(phase, _, entry, __):
            lost = phase.demand_gbps[0] / 2
            phase.demand_gbps[0] /= 2
            for key in keys:
                entry["claims"][key] -= lost

        return change

    found = members(path)
    for keys in ((), ("offered_gbps",), ("admitted_gbps",)):
        assert "demand" in _refuted(forged(save(path, found), forge(keys))), keys
    # With both sums forged, the routing, which carries what was demanded, or θ does not fit.
    assert _refuted(forged(save(path, found), forge(("offered_gbps", "admitted_gbps"))))


@pytest.mark.parametrize("objective", ADMITTING)
def test_admitting_less_than_is_claimed_is_refuted(objective, tmp_path):
    """Parts of the pairs shrink; value and admitted Gbps are as before."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "optimal", objective=objective)

    def forge(phase, *_):
        phase.served_part *= 0.9

    assert {"demand", "objective"} & _refuted(forged(path, forge))


@pytest.mark.parametrize("objective", ADMITTING)
def test_load_beyond_capacity_is_refuted_whatever_target_the_file_names(objective, tmp_path):
    """The target of min-cost is none of these objectives': twice the traffic may not pass because it says 200 %."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "optimal", objective=objective)

    def forge(phase, fabric, entry, columns):
        entry["objective_claims"]["most_utilisation"] = 2.0
        fabric.link_capacity_gbps[:] *= 0.6

    assert "objective" in _refuted(forged(path, forge))


def test_an_access_link_over_capacity_admits_nothing(tmp_path):
    """The host sends 90 Gbps over an access link of which the file says that it has 45."""
    path = tmp_path / "c.zip"
    case = _ring()
    certified(path, Case(case.net, case.rows[-1:]), "optimal", objective="max-throughput")

    def forge(_, fabric, __, ___):
        host = fabric.node_name.tolist().index("h")
        fabric.link_capacity_gbps[(fabric.link_src == host) | (fabric.link_dst == host)] = 45.0

    words = [found.words for found in forged(path, forge).refuted if found.claim == "objective"]
    assert any(text.startswith("h -> r0 carries ") for text in words)


@pytest.mark.parametrize("objective", ADMITTING)
def test_no_least_utilisation_is_proven_where_demand_may_be_cut(objective, tmp_path):
    """A routing that admits nothing has 0 %."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "optimal", objective=objective)

    def forge(_, __, entry, ___):
        entry["claims"].update(lower_bound=0.5, gap=entry["claims"]["max_utilisation"] / 0.5 - 1)

    assert "lower_bound" in _refuted(forged(path, forge))


def test_a_value_of_an_objective_that_the_file_does_not_have_is_refuted(tmp_path):
    """The words of a max-throughput file, renamed to the objective whose value is θ itself."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "optimal", objective="min-cost", target_utilisation=3.0)

    def forge(_, __, entry, ___):
        entry["objective"] = "min-max-utilisation"

    assert "objective" in _refuted(forged(path, forge))


def test_demand_cut_under_a_policy_that_the_file_does_not_list_is_open(tmp_path):
    """Pairs may have no path that k-shortest allows; without its lists nobody can say."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "ecmp")

    def forge(phase, fabric, entry, columns):
        entry["path_policy"] = "k-shortest"
        _serve(0.5)(phase, fabric, entry, columns)

    verdict = forged(path, forge)
    assert "demand" in {finding.claim for finding in verdict.open}
    assert verdict.verdict != "holds"


def test_files_that_say_no_admitted_sum_are_read(tmp_path):
    """Older files: nothing is claimed, and the rest holds."""
    path = tmp_path / "c.zip"
    certified(path, _ring(), "ecmp")
    found = members(path)
    del found["manifest.json"]["phases"][0]["claims"]["admitted_gbps"]
    (verdict,) = check_certificate(read_certificate(save(path, found)))
    assert verdict.verdict == "holds"


def test_programmed_tables_claim_no_bound_where_their_plan_cuts_demand(tmp_path):
    """The cut around a switch bounds what carries all of its demand, not what admits a part."""
    from fabric.routing.table_options import TableOptions

    options = {"tables": TableOptions(base="optimal"), "objective": "max-throughput"}
    route, verdict = certified(tmp_path / "c.zip", _ring(), "as-programmed", **options)
    assert route.routed.routing.admitted is not None
    assert not verdict.refuted
    assert (verdict.claimed_bound, verdict.found_bound) == (None, None)
