"""Experts that are not visited alike: the histogram's file, the choice it stands for, and the bytes that follow."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import FabricError
from traffic.collective import GroupLayout
from traffic.expert_choice import ExpertChoice
from traffic.expert_hosts import visited_hosts
from traffic.expert_load import ExpertLoad
from traffic.seats import run as collective

MODEL = {
    "layers": 4, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 8, "vocab": 96,
    "experts": {"count": 32, "top_k": 4, "ffn_hidden": 32, "first_dense": 1},
}  # fmt: skip
BATCH = {"global": 32, "sequence": 128}


def skewed(layers, experts, top_k, seed=0):
    """Probabilities of visits that add up to top_k in every layer, none above 1."""
    load = np.random.default_rng(seed).gamma(2.0, size=(layers, experts))
    return top_k * load / load.sum(axis=1, keepdims=True)


# ---- the choice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("groups", "limit"), [(1, 1), (4, 2), (3, 2), (2, 1)])
def test_the_choice_is_that_of_counting_all_choices(groups, limit):
    """3 of 12 experts by weights: loads and visits of hosts by the sum over all choices; the weights come back."""
    weight, place, k = np.random.default_rng(1).gamma(1.0, size=12), np.arange(12) // 4, 3
    total, loads, hosts = 0.0, np.zeros(12), np.zeros(3)
    for chosen in itertools.combinations(range(groups), limit):
        open_to = [one for one in range(12) if one // (12 // groups) in chosen]
        for picked in itertools.combinations(open_to, k):
            chance = float(np.prod(weight[list(picked)]))
            total += chance
            loads[list(picked)] += chance
            hosts[sorted({int(place[one]) for one in picked})] += chance
    choice = ExpertChoice((loads / total)[None], k, groups, limit)
    np.testing.assert_allclose(choice.weights[0] / choice.weights[0].sum(), weight / weight.sum(), atol=1e-6)
    np.testing.assert_allclose(choice.visits(place)[0], hosts / total, atol=1e-6)


@pytest.mark.parametrize(("groups", "limit"), [(1, 1), (8, 4), (8, 3), (4, 2)])
def test_equal_loads_are_the_hypergeometric_distribution(groups, limit):
    """H·(1 − C(E−E/H, k)/C(E, k)) without a limit; with one, the sum over choices of groups."""
    choice = ExpertChoice(np.full((1, 256), 8 / 256), 8, groups, limit)
    expected = visited_hosts(np.arange(64) // 8, 8, 256, groups, limit)
    np.testing.assert_allclose(choice.visits(np.arange(256) // 32)[0], expected, rtol=1e-9)


def test_visits_are_those_of_a_simulation():
    """Experts drawn one by one by their odds and thrown away unless there are k: 20,000 tokens, 5 standard errors."""
    visited, place, rng = skewed(1, 64, 6), np.arange(64) // 8, np.random.default_rng(3)
    choice = ExpertChoice(visited, 6)
    odds = choice.weights[0] / choice.weights[0].mean() * 6 / 58
    draws = rng.random((400_000, 64)) < odds / (1 + odds)
    tokens = draws[draws.sum(axis=1) == 6][:20_000]
    assert len(tokens) == 20_000
    for expected, sample in (
        (visited[0], tokens),
        (choice.visits(place)[0], tokens @ np.eye(8, dtype=int)[place] > 0),
    ):
        error = np.sqrt(expected * (1 - expected) / len(tokens))
        assert (np.abs(sample.mean(axis=0) - expected) < 5 * error).all()


def test_successive_sampling_visits_almost_as_many_hosts():
    """Gumbel top-k (one expert after another, by weight): with the loads it has, our hosts differ by less than 2 %."""
    place, rng = np.arange(64) // 8, np.random.default_rng(5)
    score = np.log(skewed(1, 64, 6, seed=2)[0]) + rng.gumbel(size=(50_000, 64))
    picked = np.argpartition(-score, 6, axis=1)[:, :6]
    hosts = np.mean([len(np.unique(row)) for row in place[picked[:10_000]]])
    load = np.bincount(picked.ravel(), minlength=64) / len(picked)
    assert ExpertChoice(load[None], 6).visits(place).sum() == pytest.approx(hosts, rel=0.02)


def test_uniform_routing_is_that_of_a_simulation():
    """8 of 256 experts in 4 of 8 groups on 8 hosts: 3.629 hosts, by 20,000 random tokens within 5 standard errors."""
    rng = np.random.default_rng(4)
    groups = np.argsort(rng.random((20_000, 8)), axis=1)[:, :4]
    picked = np.argsort(rng.random((20_000, 128)), axis=1)[:, :8]
    hosts = np.array([len(np.unique(row)) for row in np.take_along_axis(groups, picked // 32, axis=1)])
    expected = float(visited_hosts(np.arange(64) // 8, 8, 256, 8, 4).sum())
    assert abs(hosts.mean() - expected) < 5 * hosts.std() / np.sqrt(len(hosts))
    assert hosts.max() == 4  # the worst case


def test_loads_that_no_routing_within_the_limit_has_are_refused():
    """With 1 of 4 groups an expert cannot be visited more often than its group is chosen."""
    visited = np.full((1, 16), 0.02)
    visited[0, :2] = (0.9, 2 - 0.9 - 14 * 0.02)
    visited[0, [1, 4]] = visited[0, [4, 1]]
    with pytest.raises(FabricError, match="no routing to 2 experts in 1 of 4 groups has these loads"):
        ExpertChoice(visited, 2, 4, 1).weights  # noqa: B018


# ---- who sends how much to whom --------------------------------------------------------------------------------------


def _bytes(name, load, *, back=False, ranks=16, **keys):
    """What every rank sends to every other, shape (ranks, ranks)."""
    layout = GroupLayout.of(ranks, 4)
    loads = load.of_layers(load.layers, back=back)
    traffic = collective(name, ranks, 4.0, layout, loads, copies=4, experts=32, **keys)
    table = np.zeros((ranks, ranks))
    np.add.at(table, (traffic.src, traffic.dst), traffic.sent_bytes)
    assert traffic.sent_by(ranks).max() == pytest.approx(traffic.sent.value)
    return table, traffic


@pytest.fixture
def load():
    """Two layers of 32 experts, 4 a token, on 16 ranks."""
    return ExpertLoad(skewed(2, 32, 4), (1, 2), 4)


def test_a_direct_exchange_follows_the_ranks_of_the_experts(load):
    """Rank j gets S/k times the visits to its two experts from every other rank; results are the transpose."""
    out, _ = _bytes("all-to-all", load)
    expected = load.visited.mean(axis=0).reshape(16, 2).sum(axis=1)
    np.testing.assert_allclose(out, np.where(np.eye(16), 0, expected))
    back, _ = _bytes("all-to-all", load, back=True)
    np.testing.assert_allclose(back, out.T)


def test_rails_carry_what_the_host_has_for_them(load):
    """PXN: the sums over a pair of hosts are those of the direct exchange, and a rail carries its expert's ranks'."""
    direct, _ = _bytes("all-to-all", load)
    for back in (False, True):
        plain, _ = _bytes("all-to-all", load, back=back)
        rails, _ = _bytes("pxn-all-to-all", load, back=back)
        hosts = np.arange(16) // 4
        pairs = [
            np.add.reduceat(np.add.reduceat(one, range(0, 16, 4), 0), range(0, 16, 4), 1) for one in (plain, rails)
        ]
        off = ~np.eye(4, dtype=bool)
        np.testing.assert_allclose(pairs[0][off], pairs[1][off])
        assert rails[(np.arange(16)[:, None] % 4) != (np.arange(16) % 4)].sum() == 0
        if not back:
            apart = hosts[:, None] != hosts
            np.testing.assert_allclose(rails.sum(axis=0), (direct * apart).sum(axis=0))


@pytest.mark.parametrize("keys", [{}, {"groups": 4, "group_limit": 2}, {"node_limit": 2}], ids=str)
def test_a_copy_goes_to_each_host_that_is_visited(load, keys):
    """S/k times the probability that the host has an expert of the token, on the sender's rail, both ways."""
    out, _ = _bytes("node-deduplicated-all-to-all", load, **keys)
    limits = (4, 2) if keys else (1, 1)
    visits = ExpertChoice(load.visited, 4, *limits).visits(np.arange(32) // 8).mean(axis=0)
    for rank, other in itertools.product(range(16), repeat=2):
        apart = rank // 4 != other // 4 and rank % 4 == other % 4
        assert out[rank, other] == pytest.approx(visits[other // 4] if apart else 0)
    np.testing.assert_allclose(_bytes("node-deduplicated-all-to-all", load, back=True, **keys)[0], out.T)


@pytest.mark.parametrize("name", ["all-to-all", "pxn-all-to-all", "node-deduplicated-all-to-all"])
def test_equal_loads_send_what_no_histogram_sends(name):
    """The same table of bytes as without a load, and nothing uneven."""
    even = ExpertLoad(np.full((1, 32), 4 / 32), (0,), 4)
    _, traffic = _bytes(name, even)
    plain = collective(name, 16, 4.0, GroupLayout.of(16, 4), copies=4, experts=32)
    np.testing.assert_allclose(traffic.sent_by(16), plain.sent_by(16))
    np.testing.assert_allclose(traffic.received_by(16), plain.received_by(16))
    assert traffic.uneven == pytest.approx(1)


def test_each_layer_waits_for_its_own_busiest_rank():
    """Layer 0 has all visits on the first rank of four, layer 1 on the last: together 1/2 each, one by one 1 each."""
    visited = np.zeros((2, 4))
    visited[0, 0] = visited[1, 3] = 1
    loads = ExpertLoad(visited, (0, 1), 1).of_layers((0, 1), back=False)
    traffic = collective("all-to-all", 4, 1.0, GroupLayout.of(4), loads)
    assert traffic.received_by(4).max() == pytest.approx(1.5)
    assert traffic.uneven * traffic.received_by(4).max() == pytest.approx(3)


# ---- whole jobs ------------------------------------------------------------------------------------------------------


def _job(tmp_path, text, name="load.csv", *, kind="training", hosts=4, **keys):
    (tmp_path / name).write_text(text)
    load = {"path": name, **keys.pop("expert_load", {})}
    values = {"model": MODEL, "batch": BATCH, "parallelism": {"ep": 32}} | keys
    return run(kind, cluster(hosts), tmp_path, expert_load=load, **values)


def _csv(counts):
    return "expert,tokens\n" + "".join(f"{one},{count}\n" for one, count in enumerate(counts))


COUNTS = [76, 40, *[12] * 29, 536 - 116 - 348]  # 536 = 4 x 134 tokens, at most 134 each


@pytest.mark.parametrize("algorithm", ["direct", "pxn", "node-deduplicated"])
def test_the_busiest_expert_has_the_busiest_nic(tmp_path, algorithm):
    """Dispatch: what GPUs receive follows their experts; combine: what they send. The bytes of all are as before."""
    job = _job(tmp_path, _csv(COUNTS), collectives={"all_to_all": algorithm})
    even = run("training", cluster(4), model=MODEL, batch=BATCH, parallelism={"ep": 32},
               collectives={"all_to_all": algorithm})  # fmt: skip
    for name, side in (("ep.dispatch", "received"), ("ep.combine", "sent")):
        ends = getattr(phase(job, name).flows, side)(200)
        plain = getattr(phase(even, name).flows, side)(200)
        assert ends.max() > 1.02 * plain.max()
        if algorithm != "node-deduplicated":
            assert phase(job, name).total_bytes == pytest.approx(phase(even, name).total_bytes, rel=0.02)
    imbalance = 76 / (536 / 32)
    assert job.model.expert_imbalance == pytest.approx(imbalance)
    assert even.model.expert_imbalance == 1
    assert any("the busiest of 32 ranks has 354 % more than the mean" in text for text in job.assumptions)
    assert any(text == "tokens go to all experts evenly (expert_load)" for text in even.assumptions)


def test_every_way_to_write_a_histogram_says_the_same(tmp_path):
    """Counts, shares, percentages; CSV and JSON; for all layers or for each of the three with experts."""
    total = sum(COUNTS)
    shares = [count / total for count in COUNTS]
    texts = {
        "a.csv": _csv(COUNTS),
        "b.csv": "expert,share\n" + "".join(f"{one},{share:.9%}\n" for one, share in enumerate(shares)),
        "c.csv": "layer,expert,tokens\n"
        + "".join(f"{layer},{one},{count}\n" for layer in (1, 2, 3) for one, count in enumerate(COUNTS)),
        "d.json": json.dumps(COUNTS),
        "e.json": json.dumps({"share": shares}),
        "f.json": json.dumps({"tokens": [COUNTS] * 3}),
    }
    jobs = [_job(tmp_path, text, name) for name, text in texts.items()]
    sent = [phase(job, "ep.dispatch").flows.received(200) for job in jobs]
    for other in sent[1:]:
        np.testing.assert_allclose(other, sent[0], rtol=1e-6)


def test_stages_have_the_loads_of_their_layers(tmp_path):
    """pp 2: layer 1 is on the first stage, 2 and 3 on the second; each stage's ranks receive by their own layers."""
    rows = {1: [8] * 16 + [24] * 16, 2: [24] * 16 + [8] * 16, 3: [24] * 16 + [8] * 16}
    text = "layer,expert,tokens\n" + "".join(
        f"{layer},{one},{count}\n" for layer, counts in rows.items() for one, count in enumerate(counts)
    )
    layout = {"pp": 2, "ep": 16, "order": "tp-cp-ep-dp-pp"}
    job = _job(tmp_path, text, parallelism=layout, collectives={"all_to_all": "direct"})
    got = phase(job, "ep.dispatch").flows.received(200)[:32].reshape(4, 8).sum(axis=1)
    assert got[1] / got[0] == pytest.approx(3)
    assert got[2] / got[3] == pytest.approx(3)
    assert phase(job, "ep.dispatch").sent.value == pytest.approx(phase(job, "ep.dispatch").sent_bytes_per_rank)


def test_serving_follows_the_histogram_too(tmp_path):
    """Decode: the first host has the popular experts and receives more."""
    serve = {
        "requests_per_s": 100, "prompt": {"mean": 1000}, "output": {"mean": 100},
        "prefill": {"gpus": 32, "tp": 8}, "decode": {"gpus": 32, "ep": 32},
    }  # fmt: skip
    (tmp_path / "load.csv").write_text(_csv(COUNTS))
    job = run("inference", cluster(8), tmp_path, model=MODEL, expert_load={"path": "load.csv"}, **serve)
    got = phase(job, "decode.dispatch").flows.received(200)
    assert got.argmax() == 32
    assert got[32] == pytest.approx(got[34] * 76 / 12)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (_csv(COUNTS[:-1]), "x.csv", r"1 of 32 experts are missing, the first is 31"),
        (_csv([*COUNTS, 4]), "x.csv", r"'32' is not an expert of the model, which has 32"),
        (_csv(COUNTS) + "3,4\n", "x.csv", r"expert 3 appears twice"),
        (_csv([-1, *COUNTS[1:]]), "x.csv", r"'-1' is not a number of tokens"),
        (_csv([0] * 32), "x.csv", r"no expert got a token"),
        (_csv([*COUNTS[:-1], COUNTS[-1] + 1]), "x.csv", r"537 visits are not a multiple of top_k 4"),
        (_csv([400, *[12] * 31]), "x.csv", r"expert 0 has 400 of 772 visits; a token visits it once, so that 1/4"),
        (_csv(COUNTS).replace("tokens", "share"), "x.csv", r"the shares add up to 536, not to 1"),
        ("expert,share\n" + "".join(f"{one},3%\n" for one in range(32)), "x.csv", r"the shares add up to 0\.96, not"),
        ("layer,expert,tokens\n0,0,4\n", "x.csv", r"'0' is not a layer with experts.*1 to 3, counted from 0"),
        (
            "layer,expert,tokens\n" + "".join(f"1,{one},4\n" for one in range(32)),
            "x.csv",
            r"2 of 3 layers with experts",
        ),
        (
            "layer,expert,tokens\n"
            + "".join(f"{layer},{one},{4 * layer}\n" for layer in (1, 2, 3) for one in range(32)),
            "x.csv",
            r"layer 1 has 128 visits and layer 3 384; every layer sees the same tokens",
        ),
        ("expert;tokens\n0;4\n", "x.csv", r"separate the columns with commas"),
        ("", "x.csv", r"expected the header expert,tokens"),
        ("expert,tokens\n", "x.csv", r"the file has no rows"),
        ("[1, 2]", "x.json", r"2 numbers for 32 experts"),
        (json.dumps([COUNTS] * 2), "x.json", r"2 lists for 3 layers with experts"),
        (json.dumps({"load": COUNTS}), "x.json", r"load is not known"),
        (json.dumps({"tokens": COUNTS, "share": COUNTS}), "x.json", r"tokens and share are both given"),
        ("{", "x.json", r"not JSON"),
        ("[" + "NaN," * 31 + "4]", "x.json", r"NaN is not JSON"),
    ],
)
def test_histograms_that_are_none_are_refused(tmp_path, text, name, message):
    """Each with what is wrong and a way out."""
    with pytest.raises(FabricError, match=message):
        _job(tmp_path, text, name)


def test_the_tokens_that_were_counted_are_checked(tmp_path):
    """536 visits are those of 134 tokens, not of 100."""
    _job(tmp_path, _csv(COUNTS), expert_load={"tokens": 134})
    with pytest.raises(FabricError, match="536 visits are not top_k 4 x 100 tokens = 400"):
        _job(tmp_path, _csv(COUNTS), expert_load={"tokens": 100})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"model": MODEL | {"experts": None}, "parallelism": {}}, "expert_load: the model is dense"),
        (
            {"collectives": {"dispatch_hosts": "worst", "all_to_all": "node-deduplicated"}},
            "the worst case has no loads",
        ),
        ({"collectives": {"dispatch_hosts": "worst"}}, "all_to_all pxn sends every copy of a token"),
    ],
)
def test_keys_that_do_not_go_with_it_are_refused(tmp_path, keys, message):
    """With a way out."""
    with pytest.raises(FabricError, match=message):
        _job(tmp_path, _csv(COUNTS), **keys)


# ---- the worst case --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "hosts"),
    [
        ({}, 7),  # 8 copies, 7 other hosts
        ({"node_limit": 4}, 4),
        ({"groups": 8, "group_limit": 3}, 3),
        ({"groups": 4, "group_limit": 1}, 2),  # a group spans two hosts
        ({"groups": 16, "group_limit": 2}, 2),
    ],
)
def test_the_worst_case_is_all_hosts_that_the_limits_leave(limits, hosts):
    """64 ranks on 8 hosts, 8 of 256 experts: S/k for each of min(k, hosts, others), never less than the expectation."""
    layout = GroupLayout.of(64, 8)
    keys = {"copies": 8, "experts": 256, **limits}
    worst = collective("node-deduplicated-all-to-all", 64, 8.0, layout, hosts="worst", **keys)
    np.testing.assert_allclose(worst.sent_by(64), hosts)
    assert worst.sent.value == hosts
    assert collective("node-deduplicated-all-to-all", 64, 8.0, layout, **keys).sent.value < hosts


def test_a_job_says_both_numbers_of_hosts():
    """The expectation, with the worst case beside it by its name."""
    keys = {"model": MODEL, "batch": BATCH, "parallelism": {"ep": 32}}
    expected = visited_hosts(np.arange(32) // 8, 4, 32).sum()
    jobs = [
        run("training", cluster(4), collectives={"all_to_all": "node-deduplicated", **more}, **keys)
        for more in ({}, {"dispatch_hosts": "worst"})
    ]
    said = (
        f"a token goes to {expected:.3g} different hosts on average; 4 is the worst case (collectives.dispatch_hosts)"
    )
    assert said in jobs[0].assumptions
    ratio = phase(jobs[1], "ep.dispatch").sent_bytes_per_rank / phase(jobs[0], "ep.dispatch").sent_bytes_per_rank
    assert ratio == pytest.approx(3 / (expected * 3 / 4))


def test_the_step_waits_for_the_busiest_experts(tmp_path):
    """Kernel by kernel the experts' part of the compute time is as many times longer as the busiest rank's load."""
    keys = {"compute": {"peak": "989 TFLOP/s", "kernel_efficiency": 0.7, "memory_rate": "3.35 TB/s"}}
    steps = [
        _job(tmp_path, _csv(counts), **keys).compute.compute_s for counts in ([12] * 32, COUNTS, [1] * 16 + [47] * 16)
    ]
    loads = [1, 76 / (536 / 32), 47 / 24]
    slope = (steps[1] - steps[0]) / (loads[1] - 1)
    assert slope > 0
    assert steps[2] - steps[0] == pytest.approx(slope * (loads[2] - 1))


def test_a_published_utilisation_has_the_imbalance_in_it(tmp_path):
    """The ideal step stays FLOPs over GPUs x peak x MFU."""
    keys = {"compute": {"peak": "989 TFLOP/s", "mfu": 0.3}}
    even, skew = (_job(tmp_path, _csv(counts), **keys).compute.step_s for counts in ([12] * 32, COUNTS))
    assert even == skew
