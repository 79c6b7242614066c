"""Hash functions against the standard library, headers against ``struct``, and walks against plain Python."""

from __future__ import annotations

import binascii
import struct
import zlib
from functools import reduce

import networkx as nx
import numpy as np
import pytest
from scipy.stats import chisquare

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.functions import BITS, crc16, crc32, mix, next_hop, xor8
from fabric.routing.hashing.headers import (
    addresses,
    field_mask,
    hash_headers,
    header_bytes,
    lasting_numbers,
    port_seed,
    source_port,
    switch_seeds,
)
from fabric.routing.names import HASH_FIELDS, HASH_FUNCTIONS
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

WORDS = [b"", b"\x00", b"123456789", bytes(range(256)), *(np.random.default_rng(0).bytes(n) for n in range(1, 14))]


def as_array(data):
    return np.frombuffer(data, dtype=np.uint8).copy()


@pytest.mark.parametrize("data", WORDS, ids=len)
def test_checksums_are_those_of_the_standard_library(data):
    """CRC-32 as zlib's, CRC-16 as ``binascii.crc_hqx`` from 0xFFFF; "123456789" gives 0xCBF43926 and 0x29B1."""
    assert crc32(as_array(data), len(data)) == zlib.crc32(data)
    assert crc16(as_array(data), len(data)) == binascii.crc_hqx(data, 0xFFFF)
    assert xor8(as_array(data), len(data)) == reduce(int.__xor__, data, 0)


def test_the_ideal_hash_is_splitmix():
    """First three outputs of SplitMix64 from state 0, which moves by 0x9E3779B97F4A7C15 (Steele, Lea, Flood)."""
    step = 0x9E3779B97F4A7C15
    found = [int(mix(np.uint64(count * step % 2**64))) for count in range(3)]
    assert found == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("check", [zlib.crc32, binascii.crc_hqx])
def test_another_initial_value_changes_all_headers_by_one_constant(check):
    """Why a seed that only starts a CRC does not part flows that collide: it XORs the same number into every hash."""
    rng = np.random.default_rng(1)
    headers = [rng.bytes(13) for _ in range(50)]
    assert len({check(header, 0) ^ check(header, 0x1234) for header in headers}) == 1


@pytest.mark.parametrize(("bits", "hops"), [(8, 4), (16, 8), (32, 16)])
def test_a_seed_that_is_only_xored_in_keeps_collisions_and_a_rotation_parts_them(bits, hops):
    """With 2ⁿ next hops, flows that agree under one constant agree under all. A rotation by n bits looks at others."""
    keys = np.random.default_rng(2).integers(2**bits, size=4000).astype(np.uint64)
    turn = np.uint64(int(np.log2(hops)) << 32)
    agree = [next_hop(key, np.uint64(5), bits, hops) == next_hop(keys[0], np.uint64(5), bits, hops) for key in keys]
    group = keys[agree]
    assert len(group) > 100
    assert len({next_hop(key, np.uint64(77), bits, hops) for key in group}) == 1
    assert len({next_hop(key, np.uint64(77) + turn, bits, hops) for key in group}) == hops


def test_a_hash_without_a_seed_is_the_checksum_modulo_the_next_hops():
    """0xCBF43926 modulo 12."""
    assert next_hop(np.uint64(0xCBF43926), np.uint64(0), 32, 12) == 0xCBF43926 % 12


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (HASH_FIELDS, struct.pack("!IIBHH", 0x0A000001, 0x0A000102, 17, 50000, 4791)),
        (("src_port", "src_ip"), struct.pack("!IH", 0x0A000001, 50000)),
        (("dst_ip",), struct.pack("!I", 0x0A000102)),
        (("proto", "dst_port"), struct.pack("!BH", 17, 4791)),
    ],
)
def test_selected_fields_are_packed_in_network_order(fields, expected):
    """10.0.0.1 to 10.0.1.2, UDP from 50000 to 4791; the order of the header, whatever the order they are written in."""
    data = np.zeros(13, dtype=np.uint8)
    length = header_bytes(field_mask(fields), 0x0A000001, 0x0A000102, 50000, data)
    assert data[:length].tobytes() == expected


def test_addresses_count_endpoints():
    """Hosts are 10.0.0.0, 10.0.0.1, ...; switches have none."""
    net = TOPOLOGIES["leaf-spine"](
        {"leaves": 2, "spines": 2, "hosts_per_leaf": 3, "host_speed": "100G", "uplink_speed": "100G"}
    )
    found = addresses(net)
    assert found[net.endpoint_nodes].tolist() == [0x0A000000 + index for index in range(6)]
    assert not found[net.nodes.forwards].any()


def many_flows(count):
    """Endpoints, names and addresses of flows between random hosts out of 4,096."""
    rng = np.random.default_rng(3)
    src, dst = rng.integers(4096, size=(2, count)).astype(np.int32)
    address = (0x0A000000 + np.arange(4096)).astype(np.uint32)
    return address, src, dst, rng.integers(2**63, size=count).astype(np.uint64)


def test_source_ports_are_uniform_over_the_dynamic_range():
    """49,152 to 65,535: 60,000 ports in 64 bins of 256; chi-square over one in 10,000."""
    name = many_flows(60_000)[3]
    ports = np.array([source_port(one, port_seed(0)) for one in name])
    assert ports.min() >= 49152
    assert ports.max() <= 65535
    assert chisquare(np.bincount((ports - 49152) // 256, minlength=64)).pvalue > 1e-4


@pytest.mark.parametrize("hops", [2, 3, 8, 12, 16, 64])
@pytest.mark.parametrize("function", HASH_FUNCTIONS)
def test_next_hops_are_as_uniform_as_the_width_of_the_hash_allows(function, hops):
    """20,000 flows at one switch: values of a b-bit hash fall to hop v mod h; chi-square over one in 10,000."""
    count = 20_000
    address, src, dst, name = many_flows(count)
    keys, bits = np.empty(count, dtype=np.uint64), BITS[function]
    hash_headers(bits, field_mask(HASH_FIELDS), address, src, dst, name, port_seed(5), keys)
    seed = np.uint64(0x9E3779B97F4A7C15)
    found = np.bincount([next_hop(key, seed, bits, hops) for key in keys], minlength=hops)
    share = np.full(hops, 1 / hops) if bits > 16 else np.bincount(np.arange(2**bits) % hops) / 2**bits
    assert chisquare(found, share * count).pvalue > 1e-4


# ---- walks ----------------------------------------------------------------------------------------------------------


def plain_hash(function, header):
    if function == "crc32":
        return zlib.crc32(header)
    if function == "crc16":
        return binascii.crc_hqx(header, 0xFFFF)
    return reduce(int.__xor__, header)


def plain_choice(value, seed, bits, hops):
    """XOR the seed in, rotate left by its high half, modulo."""
    value = (value ^ seed) % 2**bits
    text = f"{value:0{bits}b}"
    turn = (seed >> 32) % bits
    return int(text[turn:] + text[:turn], 2) % hops


def plain_walk(graph, flow, seeds, function, fields):
    """Edges that a flow takes, by NetworkX distances and Python integers."""
    src, dst, src_ip, dst_ip, port = flow
    packed = {
        "src_ip": struct.pack("!I", src_ip),
        "dst_ip": struct.pack("!I", dst_ip),
        "proto": b"\x11",
        "src_port": struct.pack("!H", port),
        "dst_port": struct.pack("!H", 4791),
    }
    value = plain_hash(function, b"".join(packed[name] for name in HASH_FIELDS if name in fields))
    backwards = nx.MultiDiGraph(zip(graph.dst.tolist(), graph.src.tolist(), strict=True))
    distance = nx.single_source_shortest_path_length(backwards, dst)
    taken = []
    while src != dst:
        hops = [edge for edge in np.flatnonzero(graph.src == src) if distance[int(graph.dst[edge])] < distance[src]]
        edge = hops[plain_choice(value, int(seeds[src]), BITS[function], len(hops))]
        taken.append(int(edge))
        src = int(graph.dst[edge])
    return taken


@pytest.mark.parametrize("fields", [HASH_FIELDS, ("src_ip", "dst_ip", "src_port")])
@pytest.mark.parametrize("function", ["crc16", "crc32", "xor"])
def test_flows_go_where_their_checksums_send_them(function, fields):
    """Every flow of a shifted permutation on a fat tree of radix 4, two queue pairs, hop by hop."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    ends = net.endpoint_nodes
    flows = Flows.of(ends, np.roll(ends, 5), np.full(len(ends), 10.0))
    graph = build_graph(net, [flows], per_endpoint=True)
    pairs = [PairTraffic(flows, 1.0, 2)]
    options = RoutingOptions(seed=11, hash=HashOptions(fields=fields, function=function))
    demand = phase_demand(graph, [flows], [1.0])
    paths = ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=options).paths
    table, address, seeds = (
        FlowTable.of(graph, pairs),
        addresses(net),
        switch_seeds(graph, lasting_numbers(graph), 11, per_switch=True),
    )
    ports = [source_port(name, port_seed(11)) for name in table.name[table.src != table.dest_of_flow]]
    assert len(paths.gbps) == len(ports) == 32
    for flow, port in enumerate(ports):
        who = paths.src_endpoint[flow], paths.dst_endpoint[flow]
        given = (int(paths.src[flow]), int(paths.dst[flow]), *(int(address[end]) for end in who), int(port))
        edges = paths.edge[paths.start[flow] : paths.start[flow + 1]].tolist()
        assert edges == plain_walk(graph, given, seeds, function, fields)
