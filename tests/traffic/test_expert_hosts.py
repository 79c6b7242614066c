"""Different hosts that the experts of a token are on: closed forms, counted choices, and whole jobs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.bare_collective import bare_collective
from traffic.collective import GroupLayout
from traffic.expert_hosts import visited_hosts
from traffic.seats import run as collective

MODEL = {"layers": 8, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 8, "vocab": 96}


def counted(host, top_k, experts, groups=1, limit=1):
    """Mean number of different hosts over all choices of groups and of experts in them."""
    size, place = experts // groups, [host[one * len(host) // experts] for one in range(experts)]
    hits, choices = np.zeros(max(host) + 1), 0
    for chosen in itertools.combinations(range(groups), limit):
        open_to = [one for one in range(experts) if one // size in chosen]
        for picked in itertools.combinations(open_to, top_k):
            hits[list({place[one] for one in picked})] += 1
            choices += 1
    return hits / choices


@pytest.mark.parametrize(
    ("host", "top_k", "experts", "groups", "limit"),
    [
        ([0, 1, 2, 3], 2, 8, 1, 1),  # no limit
        ([0, 1, 2, 3], 2, 8, 4, 2),  # a group is a host
        ([0, 1, 2, 3], 2, 8, 2, 1),  # a group spans two hosts
        ([0, 0, 1, 1], 2, 8, 4, 2),  # two groups on a host
        ([0, 1, 0, 1], 3, 8, 4, 2),  # a host's ranks are not neighbours
        ([0, 0, 0, 1], 2, 8, 2, 1),  # hosts differ
        ([0, 1, 2], 2, 12, 4, 3),  # three hosts cut four groups
    ],
)
def test_probabilities_are_those_of_counting_all_choices(host, top_k, experts, groups, limit):
    """Every choice of groups, then of experts in them, is as likely as the others."""
    found = visited_hosts(np.array(host), top_k, experts, groups, limit)
    np.testing.assert_allclose(found, counted(host, top_k, experts, groups, limit))


def test_eight_of_384_experts_are_on_5_28_of_eight_hosts():
    """8·(1 − C(336,8)/C(384,8)): each host has 48 of 384."""
    assert visited_hosts(np.arange(64) // 8, 8, 384).sum() == pytest.approx(5.2800, abs=1e-4)


def test_deepseek_v3_goes_to_3_6_hosts_of_the_four_it_may_go_to():
    """4·(1 − C(96,8)/C(128,8)) when its 8 groups are the 8 hosts: some tokens have all experts on fewer."""
    assert visited_hosts(np.arange(64) // 8, 8, 256, 8, 4).sum() == pytest.approx(3.6290, abs=1e-4)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"groups": 8, "group_limit": 4},
        {"groups": 4, "group_limit": 2},
        {"groups": 16, "group_limit": 4},
        {"node_limit": 3},
        {"groups": 1, "group_limit": 1},
    ],
    ids=str,
)
def test_the_formula_shown_is_what_is_sent(keys):
    """64 ranks on 8 hosts: written out or with the mean put in, the closed form is the sum over pairs."""
    layout = GroupLayout.of(64, 8)
    traffic = collective("node-deduplicated-all-to-all", 64, 8.0, layout, copies=8, experts=256, **keys)
    np.testing.assert_allclose(traffic.sent_by(64), traffic.sent.value)
    limits = {"groups": 8, "group_limit": keys["node_limit"]} if "node_limit" in keys else keys
    expected = visited_hosts(layout.host, 8, 256, limits.get("groups"), limits.get("group_limit")).sum()
    assert traffic.sent.value == pytest.approx(expected * 7 / 8)


def test_hosts_of_different_size_get_what_their_experts_draw():
    """12 ranks on hosts of 8 and 4, 1 of 12 experts: 4/12 of a rank's copies leave the first host, 8/12 the second."""
    layout = GroupLayout(np.array([0] * 8 + [1] * 4), np.array([*range(8), *range(4)]))
    traffic = collective("node-deduplicated-all-to-all", 12, 12.0, layout, copies=1, experts=12)
    np.testing.assert_allclose(traffic.sent_by(12), [4.0] * 8 + [8.0] * 4)
    assert traffic.sent.value == pytest.approx(8.0)


def test_one_collective_with_its_experts():
    """As case 07: 4.62 of a copy's 8 leave the host."""
    found = bare_collective("all-to-all", "node-deduplicated", 64, 56.4, ranks_per_host=8, copies=8, experts=384)
    assert found.sent_bytes_per_rank == pytest.approx(32.57, abs=0.01)


def _sent(hosts=8, **experts):
    model = MODEL | {"experts": {"count": 384, "top_k": 8, "ffn_hidden": 32, **experts}}
    job = run("training", cluster(hosts), model=model, batch={"global": 8 * hosts, "sequence": 128},
              parallelism={"ep": 8 * hosts}, collectives={"all_to_all": "node-deduplicated"})  # fmt: skip
    return phase(job, "ep.dispatch").sent_bytes_per_rank / phase(job, "ep.dispatch").payload_bytes_per_rank * 8


def test_one_group_is_no_limit():
    """Kimi K2 has n_group 1 and topk_group 1: 5.28 hosts, 7/8 of them others."""
    assert _sent(groups=1, group_limit=1) == _sent() == pytest.approx(4.620, abs=1e-3)


def test_eight_groups_on_four_hosts():
    """Two groups of 48 on every host: a token that chooses 4 of 8 groups reaches 2.9 of 4 hosts."""
    expected = visited_hosts(np.arange(32) // 8, 8, 384, 8, 4).sum()
    assert _sent(4, groups=8, group_limit=4) == pytest.approx(expected * 3 / 4)
    assert expected == pytest.approx(2.9223, abs=1e-4)


@pytest.mark.parametrize(
    ("experts", "message"),
    [
        ({"group_limit": 4}, r"model\.experts\.group_limit: group_limit 4 is a limit of groups, but there are none"),
        ({"groups": 7, "group_limit": 2}, r"384 experts do not split into 7 groups"),
        ({"groups": 8, "group_limit": 9}, r"chooses 9 groups, but there are 8"),
        ({"groups": 96, "group_limit": 1}, r"visits 8 experts, but 1 of 96 groups have 4"),
        ({"groups": 8, "group_limit": 4, "node_limit": 4}, r"node_limit and group_limit both limit"),
    ],
)
def test_limits_that_make_no_sense_are_refused(experts, message):
    """Each with its key."""
    with pytest.raises(TrafficError, match=message):
        _sent(**experts)
