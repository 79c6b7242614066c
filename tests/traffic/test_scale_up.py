"""Traffic inside hosts and scale-up domains: closed forms, published bus bandwidth, and domains of several hosts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import cluster, context, phase, run

from topologies.catalogue import ScaleUpModel, builtin
from topologies.errors import TrafficError
from traffic.bare_collective import bus_factor
from traffic.collective import COLLECTIVES, GroupLayout
from traffic.scale_up import inside_domains, inside_time, scale_up_assumptions
from traffic.seats import run as collective
from traffic.workload import WORKLOADS

MODEL = {"layers": 8, "hidden": 64, "ffn_hidden": 128, "heads": 16, "kv_heads": 16, "vocab": 96}
HOPPER = {"speed": "450 GB/s", "domain": 8, "efficiency": 0.8}
POWERS = {"halving-doubling-reduce-scatter", "halving-doubling-all-gather", "halving-doubling-all-reduce"}


def links(**keys):
    return ScaleUpModel.model_validate(HOPPER | keys)


def joined(hosts, *, gpus=8, **keys):
    """A cluster whose GPU hosts have scale-up links."""
    inventory = cluster(hosts, gpus=gpus)
    group = replace(inventory.groups["gpu"], scale_up=links(domain=gpus) if not keys else links(**keys))
    return replace(inventory, groups={**inventory.groups, "gpu": group})


def job(hosts, *, gpus=8, links=None, **keys):
    given = {"model": MODEL, "batch": {"global": 48 * hosts, "sequence": 1024}, "collectives": {"algorithm": "ring"}}
    return run("training", joined(hosts, gpus=gpus, **(links or {})), **given | keys)


def inside(name, layout, **keys):
    ranks = len(layout.host)
    traffic = collective(name, ranks, 1.0, layout, **keys)
    return traffic, inside_domains([(traffic, np.arange(ranks)[None, :])], layout.host)


# ---- bytes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ring-all-reduce", 2 * 31 / 32 * 7 / 8),
        ("ring-all-gather", 31 / 32 * 7 / 8),
        ("ring-reduce-scatter", 31 / 32 * 7 / 8),
        ("hierarchical-all-reduce", 2 * 7 / 8),
        ("hierarchical-all-gather", 7 / 8),
        ("hierarchical-reduce-scatter", 7 / 8),
        ("in-network-all-reduce", 2 * 7 / 8),
        ("tree-all-reduce", 2 * 7 / 8),
        ("nvls-all-reduce", 9 / 8),
        ("nvls-tree-all-reduce", 9 / 8),
        ("all-to-all", 7 / 32),
        ("pxn-all-to-all", 7 / 8),
    ],
)
def test_four_hosts_of_eight_hand_on_inside(name, expected):
    """Rings pass 7 of 8 parts on inside; PXN gives 7 of 8 rails' parts to their GPUs; NVLS reads all and writes 1/8."""
    _, near = inside(name, GroupLayout.of(32, 8))
    assert near.bytes_per_rank == pytest.approx(expected)
    assert near.mean_bytes_per_rank == pytest.approx(expected)
    assert near.by_switches == name.startswith("nvls")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ring-all-reduce", 1.75), ("ring-all-gather", 0.875), ("all-to-all", 0.875), ("nvls-all-reduce", 1.125),
     ("pxn-all-to-all", 0.875), ("node-deduplicated-all-to-all", 0.875), ("halving-doubling-all-reduce", 1.75)],
)  # fmt: skip
def test_all_of_a_collective_in_one_host_is_inside(name, expected):
    """Eight ranks: the closed forms of nccl-tests, and S (n+1)/n by switches."""
    traffic, near = inside(name, GroupLayout.of(8, 8))
    assert near.bytes_per_rank == pytest.approx(expected)
    assert near.bytes_per_rank == pytest.approx(traffic.sent_bytes_per_rank)


@given(st.integers(1, 5), st.integers(1, 8), st.booleans(), st.sampled_from(sorted(set(COLLECTIVES.names()) - POWERS)))
def test_bytes_inside_and_on_the_fabric_are_all_that_is_sent(hosts, per_host, spans, name):
    """Any even layout, domains of one host or of several: inside + between = sent, with what is handed on beside it."""
    ranks = hosts * per_host
    layout = GroupLayout.of(ranks, per_host)
    if spans and per_host % 2 == 0:
        layout = GroupLayout(layout.host, layout.gpu, per_host // 2)
    traffic, near = inside(name, layout)
    handed = traffic.handed_on.value if traffic.handed_on else 0.0
    apart = float(traffic.sent_bytes[layout.host[traffic.src] != layout.host[traffic.dst]].sum())
    for block in traffic.blocks:
        own = np.bincount(layout.host[block.members])
        apart += block.sent_bytes * (len(block.members) ** 2 - float((own**2).sum()))
    assert near.mean_bytes_per_rank * ranks == pytest.approx(traffic.total_bytes - apart + handed * ranks)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.sampled_from(["ring", "hierarchical"]))
def test_a_ring_over_unequal_domains_uses_as_many_ways_out_as_the_smallest_has(sizes, algorithm):
    """Every rank sends 2 S (n-1)/n; the busiest NIC a part of it for each rank of the smallest domain."""
    domain = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    place = np.concatenate([np.arange(size) for size in sizes]).astype(np.int32)
    traffic, near = inside(f"{algorithm}-all-reduce", GroupLayout(domain, place, 4))
    ranks = sum(sizes)
    amount = 2 * (ranks - 1) / ranks
    if algorithm == "hierarchical" and len(set(sizes)) == 1:
        return  # even: two levels, tested above
    assert traffic.sent_bytes_per_rank == pytest.approx(amount)
    np.testing.assert_allclose(traffic.sent_by(ranks), amount)
    crosses = domain[traffic.src] != domain[traffic.dst]
    out = np.bincount(traffic.src[crosses], traffic.sent_bytes[crosses], ranks)
    assert out.max() == pytest.approx(amount / min(sizes))
    assert near.bytes_per_rank <= amount * (1 + 1e-9)


def test_a_token_is_handed_on_to_each_gpu_that_has_one_of_its_experts():
    """64 ranks on 8 hosts, 8 of 256 experts: drawn 20,000 times, the receiver on the sender's rail."""
    layout, copies, experts = GroupLayout.of(64, 8), 8, 256
    traffic = collective("node-deduplicated-all-to-all", 64, 1.0, layout, copies=copies, experts=experts)
    rng = np.random.default_rng(3)
    handed = []
    for _ in range(20_000):
        visited = np.unique(rng.choice(experts, copies, replace=False) // 4)
        sender = rng.integers(64)
        receivers = visited // 8 * 8 + sender % 8
        handed.append((visited != receivers).sum())
    assert traffic.handed_on.value * copies == pytest.approx(np.mean(handed), rel=0.01)


@pytest.mark.parametrize("experts", [None, 256])
def test_a_limit_in_hosts_holds_where_a_domain_spans_several(experts):
    """32 ranks on 8 hosts of 4, domains of two hosts, at most 3 hosts: domains visited, drawn 20,000 times."""
    layout = GroupLayout(np.arange(32) // 8, np.arange(32) % 8, 4)
    assert layout.own_host.tolist() == (np.arange(32) // 4).tolist()
    keys = {"copies": 8, "node_limit": 3} | ({"experts": experts} if experts else {})
    traffic = collective("node-deduplicated-all-to-all", 32, 1.0, layout, **keys)
    rng = np.random.default_rng(4)
    others = []
    for _ in range(20_000):
        hosts = rng.choice(8, 3, replace=False)
        if experts:
            held = (hosts[:, None] * (experts // 8) + np.arange(experts // 8)).ravel()
            chosen = rng.choice(held, 8, replace=False) // (experts // 8)
        else:
            chosen = rng.choice(hosts, 8)
        domains = np.unique(chosen // 2)
        others.append(len(domains) - float((domains == rng.integers(4)).any()))
    assert traffic.sent_bytes_per_rank * 8 == pytest.approx(np.mean(others), rel=0.01)
    np.testing.assert_allclose(traffic.sent_by(32), traffic.sent_bytes_per_rank)


# ---- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "algorithm", "operation", "ranks", "measured", "within"),
    [
        ("hgx-h100-8", "ring", "all-reduce", 8, 370, 0.02),  # NVIDIA/nccl-tests issue 212: NCCL_ALGO=RING
        ("hgx-h100-8", "nvls", "all-reduce", 8, 480, 0.03),  # the same: NVLink SHARP
        ("hgx-h200-8", "nvls", "all-reduce", 8, 475, 0.04),  # NVIDIA/nccl-tests issue 272
        ("gb200-nvl72-tray", "nvls", "all-reduce", 8, 811, 0.03),  # lixueduan.com 2025: two trays over NVLink
        ("mi300x-8", "ring", "all-reduce", 8, 7 * 48, 0.01),  # ROCm blog 2025: 48 GB/s of each of seven links
    ],
)
def test_bus_bandwidth_inside_a_domain_is_as_published(model, algorithm, operation, ranks, measured, within):
    """GB/s as nccl-tests prints it for large buffers."""
    _, near = inside(f"{algorithm}-{operation}", GroupLayout.of(ranks, ranks))
    seconds = inside_time(near, builtin().nodes[model].scale_up).value
    assert bus_factor(operation, ranks) / seconds / 1e9 == pytest.approx(measured, rel=within)


def test_the_busiest_rank_of_a_phase_sets_its_time():
    """tp 8 in a host: 2 x 7/8 of the payload at 450 GB/s x 0.8."""
    found = phase(job(2, parallelism={"tp": 8}), "tp.all_reduce")
    assert found.fabric is None
    assert found.sent_bytes_inside_per_rank == pytest.approx(found.payload_bytes_per_rank * 1.75)
    assert found.inside_s == pytest.approx(found.payload_bytes_per_rank * 1.75 / (450e9 * 0.8))
    assert found.inside.value == found.inside_s
    assert found.inside.unit == "s"


def test_switches_that_add_up_shorten_an_all_reduce_of_large_buffers():
    """S (n+1)/n at 70 % instead of 2 S (n-1)/n at 80 %; the library chooses."""
    given = {"parallelism": {"tp": 8}, "batch": {"global": 64, "micro": 32, "sequence": 65536}, "collectives": {}}
    reduced = phase(job(2, links=HOPPER | {"reduces": True}, **given), "tp.all_reduce")
    around = phase(job(2, links=HOPPER, **given), "tp.all_reduce")
    assert (reduced.collective, around.collective) == ("nvls-all-reduce", "ring-all-reduce")
    assert reduced.inside_s == pytest.approx(reduced.payload_bytes_per_rank * 9 / 8 / (450e9 * 0.7))
    assert around.inside_s == pytest.approx(around.payload_bytes_per_rank * 14 / 8 / (450e9 * 0.8))


@pytest.mark.parametrize(("ranks", "of_links"), [(2, 1), (4, 3), (8, 7)])
def test_in_a_mesh_few_ranks_use_few_links(ranks, of_links):
    """Eight GPUs with seven links each: a pair has one of them."""
    _, near = inside("ring-all-reduce", GroupLayout.of(ranks, 8))
    time = inside_time(near, links(mesh=True))
    assert time.value == pytest.approx(2 * (ranks - 1) / ranks / (450e9 * 0.8 * of_links / 7))


def test_messages_from_point_to_point_use_the_link_of_their_pair():
    """pp 4 x tp 2 in a host that is a mesh: a middle stage has two links for its two directions."""
    found = phase(job(2, links=HOPPER | {"mesh": True}, parallelism={"tp": 2, "pp": 4}), "pp.send_recv")
    assert found.inside_s == pytest.approx(found.sent_bytes_per_rank / (450e9 * 0.8 * 2 / 7))


def test_without_links_nothing_is_charged_and_it_is_said():
    """Bytes are counted all the same; where every rank has a host of its own there is nothing to say."""
    for parallelism, notes in (({"tp": 8}, 1), ({"tp": 1, "dp": 2}, 0)):
        given = context(cluster(2))
        keys = {"model": MODEL, "batch": {"global": 64, "sequence": 1024}, "parallelism": parallelism}
        ranks = {} if parallelism["tp"] == 8 else {"gpus": 2, "placement": {"order": "spread"}}
        traffic = WORKLOADS["training"]({"kind": "training", **keys, **ranks}, context=given)
        assert len([text for text in given.said if "takes no time" in text and "scale_up: " in text]) == notes
        assert all((found.inside_s, found.inside) == (0.0, None) for found in traffic.phases)
        assert any(found.sent_bytes_inside_per_rank > 0 for found in traffic.phases) == bool(notes)


# ---- domains of several hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["packed", "scattered", "spread", "rail-aligned"])
@pytest.mark.parametrize("layout", [{"tp": 4}, {"tp": 2, "pp": 2}, {"cp": 2}], ids=str)
def test_a_domain_of_one_host_is_the_host(order, layout):
    """The same links, written as the host's or as a domain of that size."""
    placed = {"parallelism": layout, "placement": {"order": order}}
    one, other = job(4, **placed), job(4, links=HOPPER | {"domain": 8}, **placed)
    for left, right in zip(one.phases, other.phases, strict=True):
        assert left.inside_s == right.inside_s
        np.testing.assert_array_equal(left.flows.amount, right.flows.amount)


@pytest.mark.parametrize("algorithm", ["ring", "hierarchical", "tree"])
def test_two_hosts_of_four_in_a_domain_are_a_host_of_eight(algorithm):
    """The same ranks on the same NICs: bytes, pairs and times are equal, phase by phase."""
    keys = {"parallelism": {"tp": 8, "pp": 2}, "collectives": {"algorithm": algorithm}}
    pairs = job(8, gpus=4, links=HOPPER, batch={"global": 192, "sequence": 1024}, **keys)
    eights = job(4, gpus=8, links=HOPPER, batch={"global": 192, "sequence": 1024}, **keys)
    assert phase(pairs, "tp.all_reduce").fabric is None
    for left, right in zip(pairs.phases, eights.phases, strict=True):
        assert (left.name, left.fabric, left.pairs) == (right.name, right.fabric, right.pairs)
        assert left.inside_s == pytest.approx(right.inside_s)
        assert left.sent_bytes_per_rank == pytest.approx(right.sent_bytes_per_rank)
        np.testing.assert_allclose(np.sort(left.flows.amount), np.sort(right.flows.amount))


def test_experts_over_one_domain_cross_no_fabric():
    """18 trays of 4: ep 72 is direct inside; the copies of an expert meet on the fabric, rail by rail."""
    model = MODEL | {"experts": {"count": 144, "top_k": 8, "ffn_hidden": 32}}
    traffic = job(36, gpus=4, links=HOPPER | {"domain": 72}, model=model, parallelism={"ep": 72},
                  batch={"global": 288, "sequence": 1024})  # fmt: skip
    assert phase(traffic, "ep.dispatch").fabric is None
    shared = phase(traffic, "edp.all_reduce")
    assert shared.fabric == "backend"
    np.testing.assert_array_equal(shared.flows.src % 4, shared.flows.dst % 4)
    assert any("every 18 hosts of gpu, in order, are one scale-up domain of 72" in text for text in traffic.assumptions)


def test_tensor_groups_wider_than_a_host_are_placed_inside_a_domain():
    """tp 8 on hosts of 4, domains of 16: every group is in one domain, whatever the order."""
    for order in ("packed", "rail-aligned", "spread"):
        found = job(8, gpus=4, links=HOPPER | {"domain": 16}, parallelism={"tp": 8}, placement={"order": order})
        assert phase(found, "tp.all_reduce").fabric is None
    with pytest.raises(TrafficError, match="inside a scale-up domain, but tp 8 does not divide 12 GPUs"):
        job(6, gpus=4, links=HOPPER | {"domain": 12}, parallelism={"tp": 8}, placement={"order": "rail-aligned"})


@pytest.mark.parametrize(
    ("hosts", "said"),
    [(18, []), (20, ["the last domain of gpu has 2 of 18 hosts"]),
     (6, ["a domain would hold 18 hosts, gpu has 6: one that is not full"])],
)  # fmt: skip
def test_a_domain_that_is_not_full_is_said(hosts, said):
    """72 GPUs of 4 a host."""
    stated = scale_up_assumptions(links(domain=72), "gpu", 4, hosts)
    assert [text for text in stated if "18 hosts" in text and "every" not in text] == said


def test_a_job_inside_one_domain_says_that_no_fabric_carries_it():
    """16 GPUs of a domain of 72."""
    traffic = run("training", joined(18, gpus=4, **HOPPER | {"domain": 72}), model=MODEL,
                  batch={"global": 64, "sequence": 1024}, gpus=16)  # fmt: skip
    assert any("all 16 GPUs are in one scale-up domain" in text for text in traffic.assumptions)
    assert all(entry.fabric is None for entry in traffic.phases)
