"""Broadcast and reduce over hosts of several GPUs: a host sends the buffer once, over all of its NICs."""

from __future__ import annotations

import numpy as np
import pytest

from traffic.collective import GroupLayout
from traffic.seats import run


@pytest.mark.parametrize("name", ["pipelined-broadcast", "pipelined-reduce"])
@pytest.mark.parametrize(("hosts", "gpus"), [(2, 8), (16, 8), (3, 4), (4, 1)])
def test_every_nic_carries_its_part_of_the_buffer(name: str, hosts: int, gpus: int) -> None:
    """S/g leaves by each NIC of a host and comes in by each of the next; at one end of the chain nothing leaves."""
    layout = GroupLayout.of(hosts * gpus, gpus)
    traffic = run(name, hosts * gpus, 8e9, layout)
    apart = layout.host[traffic.src] != layout.host[traffic.dst]
    left = np.bincount(traffic.src[apart], traffic.sent_bytes[apart], hosts * gpus)
    end = hosts - 1 if name.endswith("broadcast") else 0
    for rank in range(hosts * gpus):
        assert left[rank] == pytest.approx(0.0 if layout.host[rank] == end else 8e9 / gpus)
    assert (layout.gpu[traffic.src[apart]] == layout.gpu[traffic.dst[apart]]).all()
    assert traffic.sent_by(hosts * gpus).max() == pytest.approx(traffic.sent_bytes_per_rank)


@pytest.mark.parametrize("name", ["pipelined-broadcast", "pipelined-reduce"])
def test_in_one_host_it_is_the_chain_of_its_ranks(name: str) -> None:
    """Seven sends of the whole buffer among eight GPUs."""
    traffic = run(name, 8, 1e9, GroupLayout.of(8, 8))
    steps = np.asarray(traffic.dst) - traffic.src
    assert (steps == (1 if name.endswith("broadcast") else -1)).all()
    assert traffic.total_bytes == pytest.approx(7e9)
