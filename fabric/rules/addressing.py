"""Addresses of everything on a fabric, hierarchical so that prefixes aggregate.

Endpoints that are attached to the same switches form a *site*; a site gets one block, a power of two of addresses that
starts with the network address and a gateway and ends with the broadcast address. Blocks of a unit lie together in an
aligned block of the unit, those of leaves with the same switches above them (a pod, a rail of a pod) in one of theirs,
as long as the underlay has room for the padding; else they are packed. Addresses follow the fabric as built: a failure
moves none. Links between switches get a /31 or /127 each (RFC 3021, RFC 6164), from the upper half of the underlay
unless ``links`` says otherwise. Every switch has a loopback and an AS number of its own, so that BGP finds any shortest
path.

An address is kept as an *offset* into the underlay. IPv4 adds it to the first address. IPv6 keeps the low bits, as many
as the largest site needs, as interface identifier and puts the rest above bit 64, so that sites of that size are a /64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from zlib import crc32

import numpy as np

from fabric.rules.errors import RuleError
from topologies.columns import Bools, Ints, Longs, column
from topologies.topology import Topology

RESERVED_HEAD = 2  # network address and gateway
RESERVED = RESERVED_HEAD + 1  # and the broadcast address
FIRST_ASN = 4_200_000_000  # RFC 6996: 4200000000 to 4294967294 are private
LAST_ASN = 4_294_967_294
ASN_PER_LEVEL = 10_000_000


@dataclass(frozen=True)
class AddressOptions:
    """What the scenario says about addresses; None: the default of the fabric's number."""

    underlay: IPv4Network | None = None
    underlay6: IPv6Network | None = None
    links: IPv4Network | None = None
    loopback: IPv4Network | None = None
    link_prefix: int = 31
    asn: Mapping[str, int] | None = None  # first AS number by role


@dataclass(frozen=True, eq=False)
class Sites:
    """Blocks of endpoints that are attached to the same switches, in the order of their addresses."""

    start: Longs  # shape (S,), offset of every block
    size: Longs  # shape (S,), addresses in it, a power of two
    switch_start: Ints  # shape (S + 1,), switches of site s: switch[switch_start[s]:switch_start[s + 1]]
    switch: Ints  # topology nodes; for an endpoint that forwards, itself

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, eq=False)
class AddressPlan:
    """Addresses of one fabric; ids are those of its topology."""

    topology: Topology
    fabric: str
    underlay: IPv4Network
    underlay6: IPv6Network
    links: IPv4Network
    loopback: IPv4Network
    link_prefix: int  # 30 or 31
    offset: Longs  # shape (N,), of every endpoint in the underlay, -1 for the rest
    site_of: Ints  # shape (N,), -1 where there is no endpoint
    sites: Sites
    span_bits: int  # host blocks fill the first 2 ** span_bits offsets
    site_bits: int  # of the largest site
    asn: Longs  # shape (N,), 0 for nodes that do not forward
    number: int  # of the fabric in its scenario, from 0

    # ---- endpoints ------------------------------------------------------------------------------------------------

    def prefix(self, family: int, offset: int, bits: int) -> tuple[int, int]:
        """Address and prefix length of 2 ** ``bits`` offsets from an aligned ``offset``."""
        if family == 4:
            return int(self.underlay.network_address) + offset, 32 - bits
        return self._six(offset), 128 - bits if bits < self.site_bits else 64 - (bits - self.site_bits)

    def _six(self, offset: int) -> int:
        low = offset & ((1 << self.site_bits) - 1)
        return int(self.underlay6.network_address) + ((offset >> self.site_bits) << 64) + low

    def offset_of(self, family: int, address: int) -> int:
        """Inverse of ``address``: offset into the host blocks, -1 outside of them."""
        if family == 4:
            found = address - int(self.underlay.network_address)
        else:
            rest = address - int(self.underlay6.network_address)
            site, low = rest >> 64, rest & ((1 << 64) - 1)
            found = site << self.site_bits | low if rest >= 0 and low < 1 << self.site_bits else -1
        return found if 0 <= found < 1 << self.span_bits else -1

    def address(self, family: int, node: int) -> int:
        """Address of an endpoint as a number."""
        return self.prefix(family, int(self.offset[node]), 0)[0]

    def ipv4(self, node: int) -> IPv4Address:
        """IPv4 address of an endpoint."""
        return IPv4Address(self.address(4, node))

    def ipv6(self, node: int) -> IPv6Address:
        """IPv6 address of an endpoint."""
        return IPv6Address(self.address(6, node))

    def site_prefix(self, family: int, site: int) -> tuple[int, int]:
        """Address and prefix length of a site's block."""
        return self.prefix(family, int(self.sites.start[site]), int(self.sites.size[site]).bit_length() - 1)

    def gateway(self, family: int, site: int) -> int:
        """Address of a site's gateway, the same on all its switches."""
        return self.prefix(family, int(self.sites.start[site]) + 1, 0)[0]

    @cached_property
    def node_at(self) -> Longs:
        """Endpoints in the order of their offsets."""
        ends = np.flatnonzero(self.offset >= 0)
        return column(ends[np.argsort(self.offset[ends], kind="stable")], np.int64)

    def endpoint_at(self, offset: int) -> int:
        """Endpoint that has an offset, -1 when none has."""
        offsets = self.offset[self.node_at]
        at = int(np.searchsorted(offsets, offset))
        return int(self.node_at[at]) if at < len(offsets) and offsets[at] == offset else -1

    def mac(self, node: int) -> str:
        """Locally administered MAC address of an endpoint or a switch: 02, the fabric's number, the node's id."""
        rest = self.number << 32 | int(node)
        return ":".join(f"{byte:02x}" for byte in (0x02, *rest.to_bytes(5, "big")))

    # ---- switches -------------------------------------------------------------------------------------------------

    @cached_property
    def switches(self) -> Ints:
        """Nodes that forward, in order: the rows of loopbacks and datapath ids."""
        return column(np.flatnonzero(self.topology.nodes.forwards), np.int32)

    @cached_property
    def switch_index(self) -> Ints:
        """Place of every node among ``switches``, shape (N,), -1 for the rest."""
        index = np.full(len(self.topology.nodes), -1, dtype=np.int32)
        index[self.switches] = np.arange(len(self.switches))
        return column(index, np.int32)

    def loopback4(self, node: int) -> IPv4Address:
        """Loopback of a switch; its router id."""
        return self.loopback.network_address + 1 + int(self.switch_index[node])

    def loopback6(self, node: int) -> IPv6Address:
        """IPv6 loopback of a switch, in the last but one 16-bit subnet of the underlay."""
        base = int(self.underlay6.network_address) + (0xFFFE << (128 - self.underlay6.prefixlen - 16))
        return IPv6Address(base + 1 + int(self.switch_index[node]))

    def region(self, family: int, address: int, bits: int) -> tuple[int, int]:
        """First offset of a prefix and the one after its last, inside the host blocks; (0, 0) when it is outside."""
        end = 1 << self.span_bits
        if family == 4:
            first = address - int(self.underlay.network_address)
            last = first + (1 << (32 - bits))
        else:
            base = int(self.underlay6.network_address)
            size = 1 << (128 - bits)
            if address + size <= base or address >= base + (1 << (128 - self.underlay6.prefixlen)):
                return 0, 0
            first, last = self._at_or_after(address - base), self._at_or_after(address - base + size)
        first, last = max(first, 0), min(last, end)
        return (first, last) if first < last else (0, 0)

    def _at_or_after(self, rest: int) -> int:
        """Number of offsets whose IPv6 addresses lie below ``rest`` from the underlay's first address."""
        if rest <= 0:
            return 0
        site, low = rest >> 64, rest & ((1 << 64) - 1)
        return (site << self.site_bits) + min(low, 1 << self.site_bits)

    def datapath(self, node: int) -> int:
        """OpenFlow datapath id of a switch: the fabric's number from bit 32, the switch's index + 1 below."""
        return self.number << 32 | int(self.switch_index[node]) + 1

    # ---- links between switches -----------------------------------------------------------------------------------

    @cached_property
    def _wire_of(self) -> Longs:
        topology, links = self.topology, self.topology.links
        wires = switch_wires(topology)
        found = np.full(len(links), -1, dtype=np.int64)
        found[wires] = np.arange(len(wires))
        back = links.reverse[wires]
        found[back[back >= 0]] = np.flatnonzero(back >= 0)
        return found

    def link4(self, link: int) -> IPv4Address | None:
        """Address of the source's port of a directed link between switches; None for links to hosts."""
        wire = int(self._wire_of[link])
        if wire < 0:
            return None
        far = 0 if self.topology.is_cable[link] else 1
        first = 0 if self.link_prefix == 31 else 1
        return self.links.network_address + (wire << (32 - self.link_prefix)) + first + far

    def link6(self, link: int) -> IPv6Address | None:
        """IPv6 address of the source's port of a directed link between switches, one of a /127."""
        wire = int(self._wire_of[link])
        if wire < 0:
            return None
        far = 0 if self.topology.is_cable[link] else 1
        base = int(self.underlay6.network_address) + (0xFFFF << (128 - self.underlay6.prefixlen - 16))
        return IPv6Address(base + (wire << 1) + far)


def switch_wires(topology: Topology) -> Longs:
    """One directed link per cable between nodes that forward, in order."""
    links, forwards = topology.links, topology.nodes.forwards
    return column(np.flatnonzero(topology.is_cable & forwards[links.src] & forwards[links.dst]), np.int64)


def plan_addresses(
    topology: Topology, fabric: str, options: AddressOptions = AddressOptions(), *, number: int = 0
) -> AddressPlan:
    """The address plan of a fabric.

    Parameters
    ----------
    number : int
        Place of the fabric in its scenario, from 0; decides the defaults, so that fabrics do not overlap.

    Raises
    ------
    RuleError
        When a range has fewer addresses than are needed; with the numbers and a range that would do.
    """
    site_of, members, switches = _find_sites(topology)
    sizes = np.array([_power_of_two(len(nodes) + RESERVED) for nodes in members], dtype=np.int64)
    underlay = options.underlay or _default_underlay(number)
    wires = len(switch_wires(topology))
    per_wire = 1 << (32 - options.link_prefix)
    room = underlay.num_addresses if options.links else underlay.num_addresses // 2
    keys = _places(topology, switches)
    start, used = _lay_out(keys, sizes, padded=True)
    if used > room:
        start, used = _lay_out(keys, sizes, padded=False)
    if used > room:
        prefix = 32 - ((used * (1 if options.links else 2)) - 1).bit_length()
        raise RuleError(
            f"underlay {underlay} has {room:,} addresses for hosts; fabric {fabric} needs {used:,} "
            f"for {int(sum(map(len, members))):,} endpoints at {len(members):,} sites",
            where=("addressing", "underlay"),
            hint=f"a /{prefix} has room, such as 10.0.0.0/{prefix}" if prefix >= 8 else "split the fabric",
            code="FP8001",
        )
    links = options.links or list(underlay.subnets(1))[1]
    if wires * per_wire > links.num_addresses:
        key = "links" if options.links else "underlay"
        prefix = 32 - (wires * per_wire - 1).bit_length()
        raise RuleError(
            f"{links} has {links.num_addresses:,} addresses; the {wires:,} links between the switches of fabric "
            f"{fabric} need {wires * per_wire:,}",
            where=("addressing", key),
            hint=f"links: a /{prefix} of its own" + (", or link_prefix: 31" if options.link_prefix < 31 else ""),
            code="FP8001",
        )
    loopback = options.loopback or _default_loopback(number)
    forwards = int(topology.nodes.forwards.sum())
    if forwards + 2 > loopback.num_addresses:
        raise RuleError(
            f"loopback {loopback} has {loopback.num_addresses - 2:,} addresses; fabric {fabric} has {forwards:,} "
            "switches",
            where=("addressing", "loopback"),
            hint=f"a /{32 - (forwards + 1).bit_length()} has room",
            code="FP8001",
        )
    _check_apart(underlay, links, loopback, given=options)
    offset = np.full(len(topology.nodes), -1, dtype=np.int64)
    for first, nodes in zip(start.tolist(), members, strict=True):
        offset[nodes] = first + RESERVED_HEAD + np.arange(len(nodes))
    order = np.argsort(start, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    site_of = np.where(site_of >= 0, rank[site_of] if len(rank) else -1, -1)
    attached = [switches[site] for site in order.tolist()]
    sites = Sites(
        start=column(start[order], np.int64),
        size=column(sizes[order], np.int64),
        switch_start=column(np.cumsum([0, *map(len, attached)]), np.int32),
        switch=column(np.concatenate([np.empty(0, np.int32), *attached]), np.int32),
    )
    site_bits = int(sizes.max(initial=1)).bit_length() - 1
    span_bits = max(int(used - 1).bit_length(), site_bits) if used else 0
    return AddressPlan(
        topology=topology,
        fabric=fabric,
        underlay=underlay,
        underlay6=_underlay6(options.underlay6, number, fabric, span_bits - site_bits),
        links=links,
        loopback=loopback,
        link_prefix=options.link_prefix,
        offset=column(offset, np.int64),
        site_of=column(site_of, np.int32),
        sites=sites,
        span_bits=span_bits,
        site_bits=site_bits,
        asn=_as_numbers(topology, options.asn),
        number=number,
    )


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _default_underlay(number: int) -> IPv4Network:
    """10.64.0.0/12 and on for the first twelve fabrics of a scenario."""
    if number >= 12:
        raise RuleError(
            "default address ranges end at 12 fabrics", where=("addressing",), hint="give underlay", code="FP8001"
        )
    return list(IPv4Network("10.0.0.0/8").subnets(new_prefix=12))[4 + number]


def _default_loopback(number: int) -> IPv4Network:
    """172.16.0.0/16 and on."""
    return list(IPv4Network("172.16.0.0/12").subnets(new_prefix=16))[number]


def _underlay6(given: IPv6Network | None, number: int, fabric: str, site_count_bits: int) -> IPv6Network:
    """A unique local /48 (RFC 4193) whose global id is a hash of the fabric's name, unless given."""
    if given is None:
        return IPv6Network((0xFD << 120 | crc32(fabric.encode()) << 88 | number << 80, 48))
    if given.prefixlen + site_count_bits + 1 > 64:
        raise RuleError(
            f"underlay6 {given} has {1 << max(64 - given.prefixlen, 0):,} subnets of 64 bits; "
            f"{2 << site_count_bits:,} are needed",
            where=("addressing", "underlay6"),
            hint=f"a /{64 - site_count_bits - 1} or shorter",
            code="FP8001",
        )
    return given


def _check_apart(underlay: IPv4Network, links: IPv4Network, loopback: IPv4Network, *, given: AddressOptions) -> None:
    """Ranges that are used for different things must not overlap."""
    pairs = [("loopback", loopback, "underlay", underlay), ("loopback", loopback, "links", links)]
    if given.links:
        pairs.append(("links", links, "underlay", underlay))
    for one, first, other, second in pairs:
        if first.overlaps(second):
            raise RuleError(
                f"{one} {first} and {other} {second} overlap",
                where=("addressing", one),
                hint=f"give {one} a range of its own",
                code="FP8002",
            )


def _find_sites(topology: Topology) -> tuple[Ints, list[Longs], list[Ints]]:
    """Site of every endpoint, endpoints of every site and the switches of every site, over all links as built."""
    nodes, links = topology.nodes, topology.links
    ends = topology.endpoint_nodes
    access = np.flatnonzero(~nodes.forwards[links.src] & nodes.forwards[links.dst])
    order = access[np.lexsort((links.dst[access], links.src[access]))]
    first = np.searchsorted(links.src[order], np.arange(len(nodes) + 1))
    seen: dict[bytes, int] = {}
    attached: list[Ints] = []
    site_of = np.full(len(nodes), -1, dtype=np.int32)
    for node in ends.tolist():
        if nodes.forwards[node]:
            far = np.array([node], dtype=np.int32)
        else:
            far = np.unique(links.dst[order[first[node] : first[node + 1]]]).astype(np.int32)
        key = far.tobytes()
        if key not in seen:
            seen[key] = len(attached)
            attached.append(far)
        site_of[node] = seen[key]
    by_site = ends[np.argsort(site_of[ends], kind="stable")]
    bounds = np.searchsorted(site_of[by_site], np.arange(1, len(attached)))
    members = [part.astype(np.int64) for part in np.split(by_site, bounds)] if attached else []
    return site_of, members, attached


def _places(topology: Topology, switches: Sequence[Ints]) -> list[tuple[int, int, int]]:
    """Cluster, unit and first switch of every site: what its place in the address space follows.

    Switches that share their upper neighbours are a cluster: what stands above sends to all of them alike. Where
    nothing stands above, the pod is.
    """
    nodes = topology.nodes
    above = _upper_neighbours(topology, sorted({int(far[0]) for far in switches if len(far)}))
    first_of: dict[tuple[int, bytes], int] = {}
    found = []
    for far in switches:
        if not len(far):
            found.append((1 << 30, 0, 0))
            continue
        leaf, pod = int(far[0]), int(nodes.pod[far[0]])
        found.append((first_of.setdefault((pod, above[leaf]), leaf), int(nodes.unit[leaf]), leaf))
    return found


def _upper_neighbours(topology: Topology, switches: Sequence[int]) -> dict[int, bytes]:
    """Neighbours of a higher level of some switches, as built, as keys that can be compared."""
    links = topology.links
    wanted = np.zeros(len(topology.nodes), dtype=np.bool_)
    wanted[list(switches)] = True
    up = np.flatnonzero(wanted[links.src] & (topology.direction > 0))
    pairs = np.unique(np.column_stack([links.src[up], links.dst[up]]), axis=0) if len(up) else np.empty((0, 2), int)
    bounds = np.searchsorted(pairs[:, 0], np.array(switches))
    ends = np.searchsorted(pairs[:, 0], np.array(switches), side="right")
    return {switch: pairs[low:high, 1].tobytes() for switch, low, high in zip(switches, bounds, ends, strict=True)}


def _lay_out(keys: Sequence[tuple[int, int, int]], sizes: Longs, *, padded: bool) -> tuple[Longs, int]:
    """Offset of every site, and the end of the last.

    Padded, sites of a unit fill an aligned block of the unit, and units one of the cluster; else the largest sites come
    first, so that all are aligned without gaps between sites.
    """
    count = len(keys)
    start = np.zeros(count, dtype=np.int64)
    if not padded:
        at = 0
        for site in sorted(range(count), key=lambda one: (-sizes[one], keys[one], one)):
            start[site], at = at, at + int(sizes[site])
        return start, at
    pods: dict[int, dict[int, list[int]]] = {}
    for site in sorted(range(count), key=lambda one: (keys[one], one)):
        pods.setdefault(keys[site][0], {}).setdefault(keys[site][1], []).append(site)
    inside: list[tuple[list[tuple[int, int]], int]] = []
    for units in pods.values():
        blocks = []
        for sites in units.values():
            placed, used = _align(sites, [int(sizes[site]) for site in sites])
            blocks.append((placed, _power_of_two(used)))
        firsts, used = _align(list(range(len(blocks))), [size for _, size in blocks])
        flat = [(site, shift + at) for (block, shift) in firsts for site, at in blocks[block][0]]
        inside.append((flat, _power_of_two(used)))
    firsts, used = _align(list(range(len(inside))), [size for _, size in inside])
    for pod, shift in firsts:
        for site, at in inside[pod][0]:
            start[site] = shift + at
    return start, used


def _align(things: Sequence[int], sizes: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Place things of power-of-two sizes one after the other, each aligned to its size."""
    at, placed = 0, []
    for thing, size in zip(things, sizes, strict=True):
        at = -(-at // size) * size
        placed.append((thing, at))
        at += size
    return placed, at


def _as_numbers(topology: Topology, first: Mapping[str, int] | None) -> Longs:
    """One AS number per switch: the role's first number plus the switch's index within its role."""
    nodes = topology.nodes
    forwards: Bools = nodes.forwards
    found = np.zeros(len(nodes), dtype=np.int64)
    given = dict(first or {})
    for unknown in sorted(set(given) - set(topology.roles)):
        raise RuleError(
            f"asn names role {unknown!r}, which this fabric does not have",
            where=("addressing", "asn", unknown),
            hint=f"roles: {', '.join(topology.roles)}",
            code="FP8003",
        )
    taken: list[tuple[int, int, str]] = []
    for code, role in enumerate(topology.roles):
        mine = np.flatnonzero(forwards & (nodes.role == code))
        if not len(mine):
            continue
        level = max(int(nodes.level[mine[0]]) - 1, 0)
        base = given.get(role, FIRST_ASN + level * ASN_PER_LEVEL + 1_000_000 * (code % 10))
        end = base + len(mine)
        if base < 1 or end > LAST_ASN + 1:
            raise RuleError(
                f"AS numbers {base} to {end - 1} of the {len(mine):,} switches of role {role} leave 1 to {LAST_ASN}",
                where=("addressing", "asn", role),
                hint=f"start at {FIRST_ASN}",
                code="FP8003",
            )
        for low, high, other in taken:
            if base < high and low < end:
                raise RuleError(
                    f"AS numbers of roles {other} and {role} overlap: {max(base, low)} is in both",
                    where=("addressing", "asn", role),
                    hint=f"start at {high} or later",
                    code="FP8003",
                )
        taken.append((base, end, role))
        found[mine] = base + np.arange(len(mine))
    return column(found, np.int64)
