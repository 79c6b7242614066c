"""Routes of a Linux kernel, read from ``ip -j route`` (and ``ip -j -6 route``): what is done with each prefix."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Literal, NamedTuple

from fabric.rules.errors import RuleError
from topologies.errors import FormatError
from topologies.reading.json_value import parse_json

_DROPS = frozenset(("blackhole", "unreachable", "prohibit", "throw"))
_SKIPPED = frozenset(("local", "broadcast", "multicast", "anycast"))
_DEAD = frozenset(("dead", "linkdown"))


class KernelHop(NamedTuple):
    """One next hop: the neighbour's address (empty: directly connected), the device, the weight."""

    via: str
    dev: str
    weight: int


@dataclass(frozen=True)
class KernelRoute:
    """A prefix and its next hops; none: packets are dropped."""

    family: Literal[4, 6]
    address: int
    bits: int
    metric: int
    hops: tuple[KernelHop, ...]


def parse_routes(text: str, file: str, family: Literal[4, 6] = 4) -> tuple[KernelRoute, ...]:
    """Unicast and dropping routes of a JSON document, in its order; next hops that are dead are left out.

    Parameters
    ----------
    family : int
        Of the ``default`` route, whose text does not say.

    Raises
    ------
    RuleError
        For what is not a list of routes as ``ip`` writes it (FP8022).
    """
    try:
        entries = parse_json(text, file).value
    except FormatError as error:
        raise _bad(error.problems[0].message, file, error.problems[0].line) from None
    if not isinstance(entries, list):
        raise _bad(f"a list of routes is expected, not {type(entries).__name__}", file)
    found = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise _bad(f"route {number} is not an object", file)
        kind = entry.get("type", "unicast")
        if not isinstance(kind, str):
            raise _bad(f"route {number} is of type {kind!r}", file)
        if entry and kind not in _SKIPPED:  # ``ip`` ends some lists with an empty object
            found.append(_route(entry, f"route {number}", file, family))
    return tuple(found)


def _bad(words: str, file: str, line: int | None = None) -> RuleError:
    return RuleError(words, file=file, line=line, hint="write it by `ip -j route` or `ip -j -6 route`", code="FP8022")


def _route(entry: dict[str, Any], what: str, file: str, family: Literal[4, 6]) -> KernelRoute:
    dst = _text(entry, "dst", what, file)
    network: IPv4Network | IPv6Network
    try:
        network = ip_network(("0.0.0.0/0" if family == 4 else "::/0") if dst == "default" else dst)
    except ValueError as error:
        raise _bad(f"{what}: {error}", file) from None
    kind = entry.get("type", "unicast")
    if kind not in _DROPS and kind != "unicast":
        raise _bad(f"{what} is of type {kind!r}", file)
    hops: tuple[KernelHop, ...] = ()
    if kind == "unicast":
        listed = entry.get("nexthops", [entry])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise _bad(f"{what}: nexthops is not a list of objects", file)
        hops = tuple(_hop(one, what, file) for one in listed if not _is_dead(one, what, file))
    address = int(network.network_address)
    return KernelRoute(network.version, address, network.prefixlen, _count(entry, "metric", 0, what, file), hops)


def _is_dead(entry: dict[str, Any], what: str, file: str) -> bool:
    flags = entry.get("flags", [])
    if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
        raise _bad(f"{what}: flags is not a list of words", file)
    return not _DEAD.isdisjoint(flags)


def _hop(entry: dict[str, Any], what: str, file: str) -> KernelHop:
    via = entry.get("gateway", "")
    if "via" in entry:  # a next hop of the other IP version (RFC 5549)
        via = entry["via"].get("host", "") if isinstance(entry["via"], dict) else None
    if via != "":
        try:
            if not isinstance(via, str):
                raise ValueError(f"gateway {via!r} is not an address")
            via = str(ip_address(via))
        except ValueError as error:
            raise _bad(f"{what}: {error}", file) from None
    dev = _text(entry, "dev", what, file)
    weight = _count(entry, "weight", 1, what, file)
    if weight < 1:
        raise _bad(f"{what}: weight {weight}", file)
    return KernelHop(via, dev, weight)


def _text(entry: dict[str, Any], key: str, what: str, file: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise _bad(f"{what} has no {key}", file)
    return value


def _count(entry: dict[str, Any], key: str, default: int, what: str, file: str) -> int:
    value = entry.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _bad(f"{what}: {key} {value!r} is not a number", file)
    return value
