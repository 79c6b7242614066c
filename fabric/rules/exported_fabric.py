"""The fabric of an export as its own files have it: nodes, cables with their ports, addresses.

What is pushed has to be followed over several switches, and whoever pushes need not have the scenario. Names, ports,
addresses and who forwards are those of the export; levels, pods and speeds of the scenario are not in its files and are
left at nothing. Every link counts as up: tables do not use those that are down.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import numpy as np

from fabric.rules.addressing import AddressPlan, Sites
from fabric.rules.errors import RuleError
from fabric.rules.manifest import ADDRESS_COLUMNS, ADDRESSES, ADDRESSES_JSON, LINK_COLUMNS, LINKS, Manifest
from fabric.rules.own_files import Row, read_record, read_rows
from topologies.columns import column
from topologies.elements import Links, Nodes
from topologies.errors import FormatError
from topologies.topology import Topology


def exported_plan(folder: Path, manifest: Manifest) -> AddressPlan:
    """Addresses and cables of an export.

    Raises
    ------
    RuleError
        FP8023 for files that cannot be read, and for rows that contradict each other.
    """
    underlay, underlay6 = _underlays(folder / ADDRESSES_JSON)
    rows = list(read_rows(folder / ADDRESSES, ADDRESS_COLUMNS))
    ends = [row for row in rows if row.text("kind") == "endpoint"]
    switches = [row.text("node") for row in rows if row.text("kind") == "loopback"]
    topology = _topology(folder / LINKS, manifest.fabric, switches, [row.text("node") for row in ends])
    offset = np.full(len(topology.nodes), -1, dtype=np.int64)
    site_of = np.full(len(topology.nodes), -1, dtype=np.int32)
    blocks: dict[tuple[int, int], int] = {}
    for row in ends:
        node = topology.node(row.text("node"))
        block = row.prefix("site")
        first = int(block.network_address) - int(underlay.network_address)
        offset[node] = int(row.address("ipv4")) - int(underlay.network_address)
        site_of[node] = blocks.setdefault((first, block.num_addresses), len(blocks))
        if block.version != 4 or first < 0 or offset[node] < first:
            raise _wrong(row, f"{row.text('ipv4')} is not an address of its site in underlay {underlay}")
    start = column([first for first, _ in blocks], np.int64)
    size = column([count for _, count in blocks], np.int64)
    site_bits = int(size.max(initial=1)).bit_length() - 1
    used = int((start + size).max(initial=0))
    return AddressPlan(
        topology=topology,
        fabric=manifest.fabric,
        underlay=underlay,
        underlay6=underlay6,
        links=underlay,
        loopback=underlay,
        link_prefix=31,
        offset=column(offset, np.int64),
        site_of=column(site_of, np.int32),
        sites=Sites(start, size, column(np.zeros(len(start) + 1), np.int32), column([], np.int32)),
        span_bits=max(int(max(used - 1, 0)).bit_length(), site_bits),
        site_bits=site_bits,
        asn=column(np.zeros(len(topology.nodes)), np.int64),
        number=manifest.number,
    )


def _underlays(path: Path) -> tuple[IPv4Network, IPv6Network]:
    """The address ranges that offsets are counted from."""
    record = read_record(path)
    try:
        return IPv4Network(record.need("underlay").text()), IPv6Network(record.need("underlay6").text())
    except (ValueError, FormatError) as error:
        words = error.problems[0].message if isinstance(error, FormatError) else str(error)
        raise RuleError(f"{path}: {words}", hint="export again", code="FP8023") from None


def _topology(path: Path, name: str, switches: Sequence[str], ends: Sequence[str]) -> Topology:
    """Nodes and directed links, each link at the port that its row names."""
    names = list(dict.fromkeys((*switches, *ends)))
    node = {name: at for at, name in enumerate(names)}
    rows = sorted(read_rows(path, LINK_COLUMNS), key=lambda row: row.whole("a_port"))
    place: dict[tuple[str, int], int] = {}
    for at, row in enumerate(rows):
        for unknown in {row.text("a"), row.text("b")} - set(node):
            node[unknown] = len(names)
            names.append(unknown)
        place[row.text("a"), row.whole("a_port")] = at
    taken: dict[str, int] = {}
    for row in rows:
        taken[row.text("a")] = taken.get(row.text("a"), 0) + 1
        if row.whole("a_port") != taken[row.text("a")]:
            raise _wrong(row, f"port {row.whole('a_port')} of {row.text('a')} is there twice or follows a gap")
    count, total = len(names), len(rows)
    back = [place.get((row.text("b"), row.whole("b_port")), -1) if row.text("b_port") else -1 for row in rows]
    forwards, nics = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int32)
    forwards[: len(switches)] = True
    nics[[node[end] for end in ends]] = 1
    none, nothing = column(np.full(count, -1), np.int32), column(np.zeros(count), np.int32)
    unknown_length = column(np.full(total, np.nan), np.float64)
    return Topology(
        name=name,
        kind="export",
        roles=("node",),
        tiers=("link",),
        nodes=Nodes(
            tuple(names), nothing, nothing, none, none, none, none, nothing, column(nics, np.int32),
            column(forwards, np.bool_),
        ),
        links=Links(
            src=column([node[row.text("a")] for row in rows], np.int32),
            dst=column([node[row.text("b")] for row in rows], np.int32),
            capacity_gbps=column([row.number("capacity_gbps") for row in rows], np.float64),
            weight=column(np.ones(total), np.float64),
            tier=column(np.zeros(total), np.int32),
            reverse=column(back, np.int32),
            src_ports=column(np.ones(total), np.float64),
            length_m=unknown_length,
            delay_us=unknown_length,
        ),
        up=column(np.ones(total), np.bool_),
    )  # fmt: skip


def _wrong(row: Row, words: str) -> RuleError:
    return RuleError(words, file=str(row.path), line=row.line, hint="export again", code="FP8023")
