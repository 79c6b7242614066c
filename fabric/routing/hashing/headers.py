"""Headers of flows, their hashes, and the seeds of one draw.

A flow is a RoCEv2 queue pair: UDP (protocol 17) to port 4791. Addresses are 10.0.0.0 plus the endpoint's index among
the endpoints of its fabric. The source port is what carries entropy; it is drawn per queue pair from 49152 to 65535, as
drivers do (0xC000 upwards, ``rdma_flow_label_to_udp_sport`` of Linux), and stays for the life of the flow.

A draw is one set of source ports and switch seeds, decided by one number: replica r of a scenario with seed s is what a
run with seed s + r draws alone. Runs whose seeds are less than their replicas apart therefore share draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled
from fabric.routing.graph import RoutingGraph
from fabric.routing.hashing.functions import BITS, Bytes, crc16, crc32, mix, xor8
from fabric.routing.hashing.slices import on_threads
from fabric.routing.names import HASH_FIELDS
from fabric.routing.router import HashOptions
from topologies.columns import Ints
from topologies.topology import Topology

Hashes = NDArray[np.uint64]

FIRST_ADDRESS = 10 << 24
UDP = 17
ROCE_PORT = 4791
FIRST_PORT = 49152
_MOST_BYTES = 13
_SRC_IP, _DST_IP, _PROTO, _SRC_PORT, _DST_PORT = (1 << bit for bit in range(len(HASH_FIELDS)))
_RANDOM, _CRC16, _CRC32 = 64, 16, 32  # functions by the width of their hash
_PORTS, _SWITCHES, _COMMON = (np.uint64(number) for number in (1, 2, 3))  # keep draws for different ends apart


def hashed(values: NDArray[np.generic]) -> Hashes:
    """``mix`` of every value of an array."""
    z = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def addresses(topology: Topology) -> NDArray[np.uint32]:
    """IPv4 address of every endpoint by topology node, shape (N,); 0 for other nodes."""
    ends = topology.endpoint_nodes
    found = np.zeros(len(topology.nodes), dtype=np.uint32)
    found[ends] = FIRST_ADDRESS + np.arange(len(ends))
    return found


def field_mask(fields: tuple[str, ...]) -> int:
    """The selected header fields as bits in the order of ``HASH_FIELDS``.

    >>> field_mask(("src_ip", "src_port"))
    9
    """
    return sum(1 << HASH_FIELDS.index(field) for field in set(fields))


@compiled
def _put(data: Bytes, at: int, value: int | np.int64, width: int) -> int:
    """Write a number of ``width`` bytes in network order; returns where the next one goes."""
    for byte in range(width):
        data[at + byte] = (value >> (8 * (width - 1 - byte))) & 0xFF
    return at + width


@compiled
def header_bytes(fields: int, src_ip: np.int64, dst_ip: np.int64, src_port: np.int64, data: Bytes) -> int:
    """Write the selected fields of a RoCEv2 header, in network order, into ``data``; returns their length."""
    length = 0
    if fields & _SRC_IP:
        length = _put(data, length, src_ip, 4)
    if fields & _DST_IP:
        length = _put(data, length, dst_ip, 4)
    if fields & _PROTO:
        length = _put(data, length, UDP, 1)
    if fields & _SRC_PORT:
        length = _put(data, length, src_port, 2)
    if fields & _DST_PORT:
        length = _put(data, length, ROCE_PORT, 2)
    return length


@compiled
def source_port(name: np.uint64, seed: np.uint64) -> np.int64:
    """UDP source port of a flow, 49152 to 65535."""
    return FIRST_PORT + np.int64(mix(name ^ seed) >> np.uint64(50))


@compiled
def hash_headers(
    bits: int,
    fields: int,
    address: NDArray[np.uint32],
    src_endpoint: Ints,
    dst_endpoint: Ints,
    name: Hashes,
    port_seed: np.uint64,
    keys: Hashes,
) -> None:
    """Hash the selected fields of every flow's header into ``keys``, by the function whose hash has ``bits``."""
    data = np.zeros(_MOST_BYTES, dtype=np.uint8)
    for flow in range(len(keys)):
        src_ip, dst_ip = np.int64(address[src_endpoint[flow]]), np.int64(address[dst_endpoint[flow]])
        length = header_bytes(fields, src_ip, dst_ip, source_port(name[flow], port_seed), data)
        if bits == _RANDOM:
            key = np.uint64(0)
            for index in range(length):
                key = mix(key ^ np.uint64(data[index]))
            keys[flow] = key
        elif bits == _CRC16:
            keys[flow] = crc16(data, length)
        elif bits == _CRC32:
            keys[flow] = crc32(data, length)
        else:
            keys[flow] = xor8(data, length)


@dataclass(frozen=True, eq=False)
class Draws:
    """Hashed headers and switch seeds of some replicas."""

    bits: int  # width of the hash
    keys: Hashes  # shape (R, F)
    seeds: Hashes  # shape (R, V)

    def of_rows(self, rows: list[int]) -> Draws:
        """Some of the replicas, in this order."""
        if rows == list(range(len(self.keys))):
            return self
        return Draws(self.bits, self.keys[rows], self.seeds[rows])


def switch_seeds(graph: RoutingGraph, lasting: Hashes, seed: int, *, per_switch: bool) -> Hashes:
    """Hash seed of every graph node, shape (V,); terminals are hosts and keep their own in any case.

    A seed belongs to the switch or host by its ``lasting_numbers``: what is down elsewhere changes no other choice.
    """
    start = hashed(np.array([seed % 2**64], dtype=np.uint64))
    own = hashed(lasting ^ hashed(start ^ _SWITCHES))
    return own if per_switch else np.where(graph.is_terminal, own, hashed(start ^ _COMMON))


def lasting_numbers(graph: RoutingGraph) -> Hashes:
    """Number of every graph node that stays whatever is down: switches first, then hosts, out and back; shape (V,)."""
    forwards = graph.topology.nodes.forwards
    rank = np.where(forwards, np.cumsum(forwards) - 1, 2 * (np.cumsum(~forwards) - 1) + int(forwards.sum()))
    receives = graph.is_terminal & (graph.sink[graph.node_of] == np.arange(graph.nodes))
    return np.asarray(rank[graph.node_of] + receives, dtype=np.uint64)


def port_seed(seed: int) -> np.uint64:
    """What decides the source ports of a draw."""
    start = hashed(np.array([seed % 2**64], dtype=np.uint64))
    return np.uint64(hashed(start ^ _PORTS)[0])


def draw(
    graph: RoutingGraph, ends: tuple[Ints, Ints], name: Hashes, options: HashOptions, seeds: Sequence[int]
) -> Draws:
    """Hashes of all flows for the replicas that ``seeds`` stand for.

    Parameters
    ----------
    ends : two ndarrays, shape (F,)
        Source and destination endpoint of every flow, topology nodes.
    name : ndarray, shape (F,)
        64 bits that tell flows apart: class, pair and queue pair.
    """
    own = node_seeds(graph, options, seeds)
    return hashed_flows(addresses(graph.topology), ends, name, options, seeds, own)


def node_seeds(graph: RoutingGraph, options: HashOptions, seeds: Sequence[int]) -> Hashes:
    """Hash seed of every graph node in the replicas that ``seeds`` stand for, shape (R, V)."""
    own = np.empty((len(seeds), graph.nodes), dtype=np.uint64)
    lasting = lasting_numbers(graph)
    for row, seed in enumerate(seeds):
        own[row] = switch_seeds(graph, lasting, seed, per_switch=options.per_switch_seed)
    return own


def hashed_flows(
    address: NDArray[np.uint32],
    ends: tuple[Ints, Ints],
    name: Hashes,
    options: HashOptions,
    seeds: Sequence[int],
    own: Hashes,
) -> Draws:
    """As ``draw``, with the addresses of all endpoints and the seeds ``own`` of all graph nodes at hand."""
    bits, fields = BITS[options.function], field_mask(options.fields)
    keys = np.empty((len(seeds), len(name)), dtype=np.uint64)

    def work(first: int, last: int) -> None:
        for row in range(first, last):
            hash_headers(bits, fields, address, ends[0], ends[1], name, port_seed(seeds[row]), keys[row])

    on_threads(len(seeds), work)
    return Draws(bits, keys, own)
