"""The model of select groups against the switch itself, asked by ``ofproto/trace``: no packet, no sampling of slots."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.routing.tables.slot_table import slot_parts, slots
from fabric.rules.addressing import plan_addresses
from fabric.rules.ovs_text import format_group
from fabric.rules.table import Bucket, Group
from topologies.builder import TOPOLOGIES

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ethtool")
pytestmark = pytest.mark.real_ovs

PORTS = 4
NAMED = [
    [1, 1], [3, 1], [1, 3], [1, 2, 3, 4], [5, 3, 3, 1], [1, 15], [1] * 12, [21] * 11 + [20, 1], [43, 43, 42], [7, 9],
    [255, 1], [1, 100], [128, 64, 32, 16, 8, 4, 2, 1], [10, 20, 30, 40, 50], [1] * 16, [1] * 17, [6, 5, 5], [13, 11, 8],
    [1] * 64, [1] * 65, [2] * 200, [65_535, 65_535], [65_535, 300], [1, 0, 1], [3, 9, 27, 81], [1, 1, 254], [7],
]  # fmt: skip
NO_SLOTS = [[1, 256], [1, 300], [2, 999, 999], [1, 100, 200], [1, 2, 3, 600], [3, 500, 700, 900]]


def random_weights() -> list[list[int]]:
    """60 vectors: small and large weights, few and many buckets."""
    rng = np.random.default_rng(7)
    found: list[list[int]] = []
    while len(found) < 60:
        weights = rng.integers(1, rng.choice([4, 40, 400]), rng.integers(2, 30)).tolist()
        if slots(weights) is not None:
            found.append(weights)
    return found


class Switch:
    """One bridge with one group per weight vector; buckets go round ``PORTS`` wired ports."""

    def __init__(self, lab: OvsLab) -> None:
        self.lab = lab
        self.node = int(lab.plan.switches[0])
        self._ids: dict[tuple[tuple[int, ...], int], int] = {}

    def add(self, vectors: Sequence[Sequence[int]], basis: int = 9) -> None:
        """Groups, each reached by a destination of its own."""
        groups, flows = [], []
        for weights in vectors:
            number = self._ids.setdefault((tuple(weights), basis), len(self._ids) + 1)
            buckets = tuple(Bucket(index % PORTS + 1, weight) for index, weight in enumerate(weights))
            groups.append(format_group(Group(number, buckets), basis))
            flows.append(f"priority=9,ip,nw_dst=10.9.{number >> 8}.{number & 255},actions=group:{number}")
        files = (self.lab.folder / "more.groups", self.lab.folder / "more.flows")
        for path, lines in zip(files, (groups, flows), strict=True):
            path.write_text("\n".join(lines) + "\n")
        self.lab.load_files(self.lab.bridge(self.node), *files)

    def target(self, weights: Sequence[int], basis: int = 9) -> str:
        """Address that leads to the group of a vector."""
        number = self._ids[tuple(weights), basis]
        return f"10.9.{number >> 8}.{number & 255}"

    def table(self, weights: Sequence[int], size: int) -> list[int]:
        """Bucket of every slot, as the switch deals. A hash of 0 means none to the switch, so slot 0 is asked as n."""
        flow = f"in_port={PORTS + 1},ip,nw_dst={self.target(weights)}"
        return [self.lab.traced_bucket(self.node, f"{flow},dp_hash={slot or size}") for slot in range(size)]


@pytest.fixture(scope="module")
def switch():
    """The first leaf of two, six wired ports of which buckets use four, and all groups."""
    topology = TOPOLOGIES["leaf-spine"](
        {
            "leaf": {"count": 2, "radix": 8, "speed": "100G", "down": 2, "up": 4},
            "spine": {"count": 2, "radix": 8, "speed": "100G"},
        }
    )
    with OvsLab(plan_addresses(topology, "main")) as lab:
        made = Switch(lab)
        made.add([*NAMED, *random_weights(), *NO_SLOTS])
        yield made


def test_every_slot_of_many_groups_is_the_switchs(switch):
    """87 weight vectors, named and random, every slot of each: about 6,000 traces."""
    for weights in [*NAMED, *random_weights()]:
        modelled = slots(weights)
        assert modelled is not None, weights
        assert switch.table(weights, len(modelled)) == list(modelled), weights


def test_a_hash_beyond_the_slots_wraps(switch):
    """Slot = hash mod n, also for large hashes: n is neither larger nor smaller than the model's."""
    rng = np.random.default_rng(3)
    for weights in ([3, 1], [21] * 11 + [20, 1], [3, 9, 27, 81]):
        modelled = slots(weights)
        assert modelled is not None
        for hashed in rng.integers(1, 2**32, 100).tolist():
            flow = f"in_port={PORTS + 1},ip,nw_dst={switch.target(weights)},dp_hash={hashed}"
            assert switch.lab.traced_bucket(switch.node, flow) == modelled[hashed % len(modelled)]


@pytest.mark.parametrize("weights", NO_SLOTS, ids=str)
def test_without_slots_the_switch_scores_as_modelled(switch, weights):
    """12,000 random UDP flows; each bucket's share within five standard errors of the model's."""
    assert slots(weights) is None
    count = 12_000
    rng = np.random.default_rng(5)
    ports = rng.integers(1, 65_536, count).tolist()
    sources = rng.integers(1, 2**24, count).tolist()
    seen = np.zeros(len(weights))
    for port, source in zip(ports, sources, strict=True):
        src = f"11.{source >> 16}.{source >> 8 & 255}.{source & 255}"
        flow = f"in_port={PORTS + 1},udp,nw_src={src},nw_dst={switch.target(weights)},udp_src={port},udp_dst=4791"
        seen[switch.lab.traced_bucket(switch.node, flow)] += 1
    parts = np.array(slot_parts(weights))
    error = 5 * np.sqrt(parts * (1 - parts) / count)
    # A draw of 16 bits is on a grid: ties and rounding move a part by less than 1 / 2**15.
    assert np.all(np.abs(seen / count - parts) <= error + 2**-15)


def test_without_slots_neither_basis_nor_udp_port_matters(switch):
    """200 pairs of hosts: another basis and another source port take the same bucket, other pairs other buckets.

    The hash sees source XOR destination, so the second group, which has another destination, is asked from a source
    that differs by the same bits.
    """
    weights = [1, 300, 300]
    assert slots(weights) is None
    switch.add([weights], basis=9)
    switch.add([weights], basis=77)
    first, second = (IPv4Address(switch.target(weights, basis)) for basis in (9, 77))
    shift = int(first) ^ int(second)
    used = set()
    for source in range(0x0B000001, 0x0B000001 + 200):
        seen = {
            switch.lab.traced_bucket(
                switch.node,
                f"in_port={PORTS + 1},udp,nw_src={IPv4Address(src)},nw_dst={dst},udp_src={port},udp_dst=4791",
            )
            for src, dst, port in ((source, first, 1), (source, first, 2), (source ^ shift, second, 1))
        }
        assert len(seen) == 1
        used |= seen
    assert used >= {1, 2}


def test_a_dead_port_leaves_its_slots_as_modelled(switch):
    """Ports 1 and 3 die: the switch asks slot after slot for a bucket that lives. Last, as it breaks the bridge."""
    lab = switch.lab
    dead = (1, 3)
    for port in dead:
        lab.run("ip", "link", "set", lab.port_name(switch.node, port), "down")
    lab.settle()
    for weights in [*NAMED[:20], *random_weights()[:20]]:
        live = [index % PORTS + 1 not in dead for index in range(len(weights))]
        size = len(slots(weights) or ())
        table = switch.table(weights, size)
        counts = [table.count(bucket) / size for bucket in range(len(weights))]
        assert counts == list(slot_parts(weights, live=live)), weights
