"""The bound and the search, against all placements of tiny jobs."""

from __future__ import annotations

import pytest
from place_cases import cluster, collective, every_placement, setting_of, training

from fabric.share.place.bound import step_bound
from fabric.share.place.place import PlaceRequest, place_job
from fabric.share.place.trial import Trials

TINY = {
    "all-to-all, fits no leaf": cluster(collective("job", "all-to-all", 4)),
    "all-reduce, fits a leaf": cluster(collective("job", "all-reduce", 3)),
    "all-reduce, fits no leaf": cluster(collective("job", "all-reduce", 4)),
    "two GPUs a host": cluster(collective("job", "all-gather", 4), gpus=2, down=2),
    "tensor and data": cluster(training("job", 4, "{tp: 2, dp: 2}"), gpus=2, down=2),
    "pipeline and data": cluster(training("job", 4, "{pp: 2, dp: 2}")),
    "pipeline and data, kept off a leaf": cluster(training("job", 4, "{pp: 2, dp: 2}"), leaves=3, down=2),
    "all demand scaled": "scale: 0.3\n" + cluster(collective("job", "all-to-all", 4)),
    "by MFU": cluster(training("job", 4, "{pp: 2, dp: 2}", compute="{peak: 989 TFLOP/s, mfu: 0.2}")),
    "a domain over two leaves": cluster(collective("job", "all-gather", 4), leaves=4, down=1, gpus=1, domain=2),
    "domains across leaves": cluster(collective("job", "all-reduce", 4), leaves=3, down=2, domain=3),
    "domains across leaves, data parallel": cluster(training("job", 4, "{dp: 4}"), leaves=3, down=2, domain=3),
    "domains across leaves, all-to-all": cluster(collective("job", "all-to-all", 5), leaves=2, down=3, domain=2),
    "all leaves in one domain": cluster(collective("job", "all-gather", 4), leaves=2, down=2, gpus=2, domain=8),
    "other jobs beside it": cluster(
        f"{collective('other', 'all-reduce', 2)}\n{training('job', 4, '{pp: 2, dp: 2}')}", down=4
    ),
}


@pytest.mark.parametrize("case", TINY)
def test_no_placement_is_below_the_bound_and_the_search_finds_the_best(case):
    """Every choice of hosts and every order of ranks is routed."""
    setting = setting_of(TINY[case], "job")
    bound = step_bound(setting)
    trials = Trials(setting)
    steps = {}
    for placed in every_placement(setting):
        host = placed[:, 0]
        key = setting.groups.of_host[0][host].tobytes() + setting.domain_of_host[host].tobytes() + _shape(placed)
        if key not in steps:
            steps[key] = trials.route("one", placed).score.step_s
    result = place_job(setting, PlaceRequest())
    best = min(steps.values())
    assert bound.step_s <= best * (1 + 1e-9)
    assert result.chosen.score.step_s <= best * (1 + 1e-4)  # a few messages more or fewer may cross
    assert result.chosen.score.step_s >= best * (1 - 1e-9)


def _shape(placed):
    """Which ranks share hosts, whatever the hosts' names."""
    names: dict[int, int] = {}
    return bytes(names.setdefault(host, len(names)) for host in placed[:, 0].tolist()) + placed[:, 1].tobytes()


def test_the_bound_is_reached_where_the_fabric_has_bandwidth_enough():
    """Four hosts of one leaf all-reduce 1 GB at 100 Gbps x 0.95: 2 x 3/4 x 8 Gbit / 95 Gbps, and calls beside it."""
    setting = setting_of(cluster(collective("job", "all-reduce", 4), down=4), "job")
    efficiency = setting.loaded.scenario.fabrics["backend"].payload_efficiency
    assert step_bound(setting).step_s >= 1.5 * 8 / (100 * efficiency)
    result = place_job(setting, PlaceRequest())
    assert result.gap < 0.01


def test_the_bound_rests_on_a_cut_where_a_leaf_is_too_small():
    """Four ranks all-to-all over leaves of 3 hosts with one uplink of 100G: 1 GB x (4 - 3) over 2 links at least."""
    setting = setting_of(cluster(collective("job", "all-to-all", 6, more=""), up=1), "job")
    bound = step_bound(setting)
    efficiency = setting.loaded.scenario.fabrics["backend"].payload_efficiency
    assert bound.by_cut == ("all_to_all",)
    assert bound.step_s == pytest.approx((6 - 3) * 8 / (2 * 100 * efficiency), rel=1e-9)
