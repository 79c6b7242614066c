"""Ceph background traffic, checkpoints and dataset reads as workloads of their own."""

from __future__ import annotations

import numpy as np
import pytest
from traffic_clusters import cluster, phase, plain, run

from topologies.errors import TrafficError
from traffic.storage.spread import between, replicas


def test_ceph_writes_are_replicated_and_reads_are_not():
    """80 Gbps in from 2 clients, 160 between 4 servers, 40 out."""
    job = run("ceph", cluster(2), servers="ceph", clients="gpu", fabric="storage", write="80 Gb/s", read="5 GB/s")
    assert [(found.name, found.rate_gbps, found.steady) for found in job.phases] == [
        ("ceph.write", pytest.approx(80), True),
        ("ceph.replicate", pytest.approx(160), True),
        ("ceph.read", pytest.approx(40), True),
    ]
    np.testing.assert_allclose(phase(job, "ceph.write").flows.sent(6)[:2], 40)
    np.testing.assert_allclose(phase(job, "ceph.replicate").flows.sent(6)[2:], 40)
    np.testing.assert_allclose(phase(job, "ceph.read").flows.received(6)[:2], 20)


def test_recovery_alone_is_traffic_between_servers():
    """The example of the guide: 20 GB/s of an OSD of ceph0; the three others send, and its other OSDs take most.

    Each of three copies tries its own host beside 3, 2 and 1 others that hold none: it keeps 3/4, 2/3 and 1/2.
    """
    keys = {"system": "ceph", "servers": "ceph", "clients": "gpu", "fabric": "storage", "replication": 3}
    job = run("storage", cluster(2), **keys, recovery={"rate": "20 GB/s", "when": "osd-loss"})
    found = phase(job, "ceph.recovery")
    assert (len(job.phases), found.rate_gbps, found.steady) == (1, pytest.approx(160), True)
    np.testing.assert_allclose(found.flows.sent(6)[2:], [0, 160 / 3, 160 / 3, 160 / 3])
    home = (3 / 4 + 2 / 3 + 1 / 2) / 3
    np.testing.assert_allclose(found.flows.received(6)[2:], 160 * np.array([home, *[(1 - home) / 3] * 3]), rtol=1e-4)


def test_storage_without_rates_says_that_nothing_is_sent():
    """No write, no read, no recovery."""
    job = run("storage", cluster(2), servers="ceph", clients="gpu", fabric="storage")
    assert job.phases == ()
    assert job.warnings == ("job has no write and no read rate: nothing is sent",)


def test_one_copy_means_no_replicas():
    """replication 1."""
    job = run("storage", cluster(2), servers="ceph", clients="gpu", replication=1, write="8 Gb/s")
    assert [found.name for found in job.phases] == ["ceph.write"]


def test_the_fabric_both_sides_share_is_the_default():
    """``gpu`` is on two fabrics, ``ceph`` on one."""
    job = run("storage", cluster(2), servers="ceph", clients="gpu", read="8 Gb/s")
    assert job.phases[0].fabric == "storage"


def test_replicas_between_servers_with_several_endpoints_leave_the_server():
    """Three servers of two endpoints: four pairs to each other server, none inside; (r−1)·S in all."""
    servers = np.array([[0, 1], [2, 3], [4, 5]])
    flows = replicas(servers, 60.0, 2)
    assert flows.total == pytest.approx(60)
    assert flows.pairs == 3 * 2 * 4
    assert not np.any(flows.src // 2 == flows.dst // 2)


def test_a_host_that_is_client_and_server_keeps_its_own_share():
    """Hyperconverged: two hosts of 10, half of each stays."""
    nodes = np.array([[0], [1]])
    assert between(nodes, nodes, np.array([10.0, 10.0])).total == 10.0


def test_a_checkpoint_of_a_given_size():
    """100 GB from 2 hosts, three copies on 4 servers: 300 GB on the wire."""
    job = run("checkpoint", cluster(2), clients="gpu", target="ceph", size="100 GB", deadline="10 s")
    assert job.phases[0].total_bytes == pytest.approx(300e9)
    assert job.phases[0].sent_bytes_per_rank == pytest.approx(50e9)
    assert [(limit.word, limit.max_s) for limit in job.time_limits] == [("deadline", 10)]
    np.testing.assert_allclose(job.phases[0].flows.received(6)[2:], 75e9)


@pytest.mark.parametrize(("per", "total"), [("gpu", 16 * 8), ("host", 2 * 8), ("total", 8)])
def test_a_dataset_rate_counts_by_gpu_host_or_in_total(per, total):
    """1 GB/s = 8 Gbps on 2 hosts of 8 GPUs."""
    job = run("dataset", cluster(2), clients="gpu", source="ceph", read="1 GB/s", per=per)
    assert job.phases[0].rate_gbps == pytest.approx(total)


def test_storage_works_where_the_scenario_lists_no_nodes():
    """``all`` reads from ``all``: a quarter of the reads of four hosts is local."""
    job = run("dataset", plain(4), clients="all", source="all", read="4 Gb/s", per="host")
    assert job.phases[0].rate_gbps == pytest.approx(12)


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("storage", {"servers": "cph", "clients": "gpu"}, "servers: unknown node group 'cph'"),
        ("storage", {"servers": "ceph", "clients": "gpus"}, "clients: unknown node group 'gpus'"),
        ("storage", {"servers": "gpu", "clients": "gpu"}, "'gpu' and 'gpu' share 2 fabrics: backend, storage"),
        (
            "storage",
            {"servers": "ceph", "clients": "gpu", "replication": 5},
            "5 copies need as many servers or failure domains; there are 4",
        ),
        (
            "storage",
            {"servers": "ceph", "clients": "gpu", "fabric": "backend"},
            "'ceph' has no NIC on fabric 'backend'",
        ),
        ("dataset", {"clients": "ceph", "source": "ceph", "read": "1 GB/s"}, "hosts of 'ceph' have none"),
    ],
)
def test_storage_that_makes_no_sense_is_refused(kind, keys, message):
    """With the key at fault."""
    with pytest.raises(TrafficError, match=message):
        run(kind, cluster(2), **keys)
