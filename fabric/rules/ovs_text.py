"""Flows and groups in the words of ``ovs-ofctl``: written one line each, and read back, from our files or from dumps.

Groups name ``dp_hash`` with the switch's basis: OpenFlow 1.5 syntax, which ``ovs-ofctl -O OpenFlow15`` loads while
flows stay 1.3. Measured on Open vSwitch 3.1, userspace datapath, two switches in a row over veth, groups of weights
1:1, 4,000 UDP flows of one pair of hosts that differ in their source port:

- no method named, as OpenFlow 1.3 has it: 4000 : 0, for the symmetric hash it takes leaves UDP ports out;
- ``dp_hash``, one basis on both: 1980 : 2020 on the first switch, then 1980 : 0 on the second (polarisation);
- ``dp_hash``, a basis each: 1991 : 2009, then 994 : 997.

Every bucket watches its port, so that the switch leaves a dead link at once.

Reading refuses whatever our tables cannot hold, with file and line; statistics of dumps are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import NoReturn, TypeVar

from fabric.rules.errors import RuleError
from fabric.rules.table import LOCAL, Action, Bucket, Group, Match, Rule

T = TypeVar("T")
_CACHED = 1 << 17  # prefixes are shared by all switches of a fabric
_TRANSPORTS = (6, 17, 132)  # protocols that have ports
_KINDS = {
    "ip": (4, 0), "icmp": (4, 1), "tcp": (4, 6), "udp": (4, 17), "sctp": (4, 132),
    "ipv6": (6, 0), "icmp6": (6, 58), "tcp6": (6, 6), "udp6": (6, 17), "sctp6": (6, 132),
}  # fmt: skip
_WORDS = {kind: word for word, kind in _KINDS.items()}


# ---- writing ---------------------------------------------------------------------------------------------------------


def format_rule(rule: Rule) -> str:
    """A rule as ``ovs-ofctl add-flows`` reads it.

    Examples
    --------
    >>> format_rule(Rule(126, Match(4, 0x0A400000, 26), Action("group", 7), 0xFA01))
    'cookie=0xfa01,priority=126,ip,nw_dst=10.64.0.0/26,actions=group:7'
    """
    return f"cookie={rule.cookie:#x},priority={rule.priority},{_match_text(rule.match)}{_action_text(rule.action)}"


def format_group(group: Group, basis: int) -> str:
    """A select group as ``ovs-ofctl -O OpenFlow15 add-groups`` reads it.

    Parameters
    ----------
    basis : int
        Of the switch's hash, 32 bits; two tiers of one basis send everything one way.

    Examples
    --------
    >>> format_group(Group(7, (Bucket(1, 3),)), 5)[:63]
    'group_id=7,type=select,selection_method=dp_hash,selection_metho'
    >>> format_group(Group(7, (Bucket(1, 3),)), 5)[63:]
    'd_param=5,bucket=bucket_id:0,weight:3,watch_port:1,actions=output:1'
    """
    head = f"group_id={group.id},type=select,selection_method=dp_hash,selection_method_param={basis}"
    buckets = (
        f"bucket=bucket_id:{index},weight:{bucket.weight},watch_port:{_port_text(bucket.port)},"
        f"actions=output:{_port_text(bucket.port)}"
        for index, bucket in enumerate(group.buckets)
    )
    return ",".join((head, *buckets))


def _port_text(port: int) -> str:
    return "LOCAL" if port == LOCAL else str(port)


def _prefix_text(family: int, address: int, bits: int) -> str:
    text = str(IPv4Address(address)) if family == 4 else str(IPv6Address(address))
    return text if bits == (32 if family == 4 else 128) else f"{text}/{bits}"


@lru_cache(maxsize=_CACHED)
def _match_text(match: Match) -> str:
    if not match.family:
        return f"in_port={_port_text(match.in_port)}," if match.in_port else ""
    if (match.src_port or match.dst_port) and match.protocol not in _TRANSPORTS:
        raise ValueError(f"{match} asks for ports of protocol {match.protocol}, which has none")  # ours, not the user's
    word = _WORDS.get((match.family, match.protocol))
    parts = [word] if word else [_WORDS[match.family, 0], f"nw_proto={match.protocol}"]
    dst, src = ("nw_dst", "nw_src") if match.family == 4 else ("ipv6_dst", "ipv6_src")
    if match.in_port:
        parts.append(f"in_port={_port_text(match.in_port)}")
    if match.src_bits:
        parts.append(f"{src}={_prefix_text(match.family, match.src, match.src_bits)}")
    if match.dst_bits:
        parts.append(f"{dst}={_prefix_text(match.family, match.dst, match.dst_bits)}")
    if match.src_port:
        parts.append(f"tp_src={match.src_port}")
    if match.dst_port:
        parts.append(f"tp_dst={match.dst_port}")
    return ",".join(parts) + ","


@lru_cache(maxsize=_CACHED)
def _action_text(action: Action) -> str:
    if action.kind == "drop":
        return "actions=drop"
    if action.kind == "group":
        return f"actions=group:{action.value}"
    return "actions=LOCAL" if action.value == LOCAL else f"actions=output:{action.value}"


# ---- reading ---------------------------------------------------------------------------------------------------------


class _UnreadError(ValueError):
    """Why a line is none of ours, and what to do about it."""

    hint = "only what fabric's tables can say is read; dump with ovs-ofctl --no-names"


def parse_rules(text: str, file: str) -> list[Rule]:
    """Rules of a flows file or of ``dump-flows``, in the order of the lines.

    Parameters
    ----------
    text : str
        Our own file, or what ``ovs-ofctl --no-names dump-flows`` prints, OpenFlow 1.3 or 1.5, with statistics or not.
    file : str
        Where it comes from, for messages.

    Raises
    ------
    RuleError
        FP8020 with file and line, for everything that is not a rule of ours: nothing is guessed, nothing left out.

    Examples
    --------
    >>> parse_rules("priority=0,actions=drop", "leaf1.flows")[0].action.kind
    'drop'
    """
    rules = _read(text, file, _rule, "OFPST_FLOW", "NXST_FLOW")
    if len({(rule.priority, rule.match) for rule in rules}) < len(rules):
        first: dict[tuple[int, Match], int] = {}
        for number, line in _lines(text, "OFPST_FLOW", "NXST_FLOW"):
            rule = _rule(line)
            if (before := first.setdefault((rule.priority, rule.match), number)) != number:
                _fail("the match and priority of line {}: only one of the two can be installed", before, file, number)
    return rules


def parse_groups(text: str, file: str) -> list[Group]:
    """Select groups of a groups file or of ``dump-groups``, by id; RuleError as for rules."""
    groups = sorted(_read(text, file, _group, "OFPST_GROUP", "NXST_GROUP"))
    for one, other in pairwise(groups):
        if one.id == other.id:
            raise RuleError(f"group {one.id} is there twice", file=file, hint=_UnreadError.hint, code="FP8020")
    return groups


_BASIS = re.compile(r"\bselection_method_param=(0x[0-9a-fA-F]+|[0-9]+)\b")


def parse_bases(text: str) -> list[int]:
    """Basis of the hash that every group of a groups file names, 0 where it names none."""
    lines = [line for _, line in _lines(text)]
    return [int(match[1], 0) & 0xFFFFFFFF if (match := _BASIS.search(line)) else 0 for line in lines]


def _fail(words: str, given: object, file: str, line: int) -> NoReturn:
    raise RuleError(words.format(given), file=file, line=line, hint=_UnreadError.hint, code="FP8020")


def _read(text: str, file: str, one: Callable[[str], T], *headers: str) -> list[T]:
    found, number = [], 0
    try:
        for number, line in _lines(text, *headers):  # noqa: B007
            found.append(one(line))
    except _UnreadError as error:
        raise RuleError(str(error), file=file, line=number, hint=_UnreadError.hint, code="FP8020") from None
    return found


def _lines(text: str, *headers: str) -> Iterator[tuple[int, str]]:
    skipped = ("#", *headers)
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line and not line.startswith(skipped):
            yield number, line


_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,19}")


def _number(text: str, what: str, most: int, least: int = 0) -> int:
    # A leading 0 is octal to ovs-ofctl, so it is not a number here.
    if not _NUMBER.fullmatch(text):
        raise _UnreadError(f"{what} {text!r} is not a number")
    value = int(text, 0)
    if not least <= value <= most:
        raise _UnreadError(f"{what} {text} is not in {least} to {most}")
    return value


_HEAD = re.compile(r"cookie=(0x[0-9a-f]{1,16}),priority=([1-9][0-9]{0,3}|0),(.*)")
_COUNTED = frozenset(("duration", "n_packets", "n_bytes", "idle_age", "hard_age", "importance"))
_FLAGS = frozenset(("reset_counts", "send_flow_rem", "check_overlap"))


def _rule(line: str) -> Rule:
    head, found, tail = line.partition("actions=")
    if not found:
        raise _UnreadError("a flow without actions")
    if ours := _HEAD.fullmatch(head):  # the lines we write ourselves, a million at a time
        return Rule(int(ours[2]), _match(ours[3]), _action(tail), int(ours[1], 16))
    rest: list[str] = []
    given: dict[str, str] = {}
    for word in filter(None, re.split(r"[,\s]+", head)):
        key, equals, value = word.partition("=")
        if key in ("priority", "cookie", "table", "idle_timeout", "hard_timeout"):
            if key in given:
                raise _UnreadError(f"{key} twice")
            given[key] = value
        elif not (key in _COUNTED and equals) and word not in _FLAGS:
            rest.append(word)
    if given.get("table", "0") != "0":
        raise _UnreadError(f"a flow of table {given['table']}; fabric's are in table 0")
    for key in ("idle_timeout", "hard_timeout"):
        if given.get(key, "0") != "0":
            raise _UnreadError(f"a flow that ends ({key}={given[key]}); fabric's stay")
    priority = _number(given.get("priority", "32768"), "priority", 0xFFFF)
    cookie = _number(given.get("cookie", "0"), "cookie", (1 << 64) - 1)
    return Rule(priority, _match(",".join(rest)), _action(tail.strip()), cookie)


@lru_cache(maxsize=_CACHED)
def _match(text: str) -> Match:
    fields: dict[str, str] = {}
    for word in text.removesuffix(",").split(",") if text else ():
        key, _, value = word.partition("=")
        if key in fields:
            raise _UnreadError(f"{key} twice")
        fields[key] = value
    in_port = _port(fields.pop("in_port")) if "in_port" in fields else 0
    if not fields:
        return Match(0, in_port=in_port)
    kinds = [key for key in fields if key in _KINDS]
    if len(kinds) != 1 or fields.pop(kinds[0]):
        raise _UnreadError(f"a match on {text.removesuffix(',')}; fabric's begin with one of {', '.join(_KINDS)}")
    family, protocol = _KINDS[kinds[0]]
    dst_key, src_key = ("nw_dst", "nw_src") if family == 4 else ("ipv6_dst", "ipv6_src")
    dst, dst_bits = _prefix(fields.pop(dst_key, None), family)
    src, src_bits = _prefix(fields.pop(src_key, None), family)
    if "nw_proto" in fields and not protocol:
        protocol = _number(fields.pop("nw_proto"), "nw_proto", 255, 1)
    ports = [0, 0]
    if protocol in _TRANSPORTS:
        ports = [_number(fields.pop(key), key, 65_535, 1) if key in fields else 0 for key in ("tp_src", "tp_dst")]
    if fields:
        raise _UnreadError(f"a match on {', '.join(fields)}, which fabric's tables do not have")
    return Match(4 if family == 4 else 6, dst, dst_bits, src, src_bits, protocol, ports[0], ports[1], in_port)


def _prefix(text: str | None, family: int) -> tuple[int, int]:
    """Address and length; masks that are not a prefix length are refused, also those ``ipaddress`` accepts."""
    if text is None:
        return 0, 0
    width = 32 if family == 4 else 128
    address, slash, length = text.partition("/")
    bits = _number(length, "prefix length", width) if slash else width
    try:
        value = int(IPv4Address(address)) if family == 4 else int(IPv6Address(address))
    except ValueError:
        raise _UnreadError(f"{text} is not an IPv{family} prefix") from None
    if value & ((1 << (width - bits)) - 1) or "%" in address:
        raise _UnreadError(f"{text} is not an IPv{family} prefix: it has host bits")
    return value, bits


def _port(text: str) -> int:
    return LOCAL if text.upper() == "LOCAL" else _number(text, "port", 0xFFFFFEFF, 1)


@lru_cache(maxsize=_CACHED)
def _action(text: str) -> Action:
    kind, found, value = text.partition(":")
    if text == "drop":
        return Action("drop")
    if text == "LOCAL":
        return Action("output", LOCAL)
    if found and kind in ("group", "output") and "," not in value:
        return Action("group", _number(value, kind, 0xFFFFFF00)) if kind == "group" else Action("output", _port(value))
    raise _UnreadError(f"actions {text!r}; fabric's are drop, output:PORT and group:ID")


_GROUP_KEYS = frozenset(("group_id", "type", "selection_method", "selection_method_param", "fields"))


def _group(line: str) -> Group:
    head, *buckets = line.split("bucket=")
    keys: dict[str, str] = {}
    for word in filter(None, re.split(r"[,\s]+", head)):
        key, _, value = word.partition("=")
        if key not in _GROUP_KEYS or key in keys:
            raise _UnreadError(f"a group with {word}" if key not in keys else f"{key} twice")
        keys[key] = value
    if keys.get("type", "all") != "select":
        raise _UnreadError(f"a group of type {keys.get('type', 'all')}; fabric's are of type select")
    if keys.get("selection_method", "dp_hash") != "dp_hash" or "fields" in keys:
        raise _UnreadError(
            f"selection_method {keys.get('selection_method', '')} by fields, which does not follow weights"
        )
    return Group(_number(keys.get("group_id", ""), "group_id", 0xFFFFFF00), tuple(map(_bucket, buckets)))


@lru_cache(maxsize=_CACHED)
def _bucket(text: str) -> Bucket:
    head, found, action = text.strip(" ,").partition("actions=")
    if not found:
        raise _UnreadError("a bucket without actions")
    keys: dict[str, str] = {}
    for word in filter(None, head.split(",")):
        key, _, value = word.partition(":")
        if key not in ("bucket_id", "weight", "watch_port") or key in keys:
            raise _UnreadError(f"a bucket with {word}" if key not in keys else f"{key} twice")
        keys[key] = value
    made = _action(action)
    if made.kind != "output":
        raise _UnreadError(f"a bucket that does {action!r}; fabric's send out of a port")
    if "watch_port" in keys and _port(keys["watch_port"]) != made.value:
        raise _UnreadError(f"a bucket to port {made.value} that watches port {keys['watch_port']}")
    return Bucket(made.value, _number(keys.get("weight", "1"), "weight", 0xFFFF))
