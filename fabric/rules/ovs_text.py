"""Flows and groups in the words of ``ovs-ofctl``: written one line each, and read back, from our files or from dumps.

Groups name ``dp_hash`` with the switch's basis, so that tiers do not hash alike; that is OpenFlow 1.5 syntax, and
``ovs-ofctl -O OpenFlow15`` loads it while flows stay 1.3. Every bucket watches its port: a dead link is left at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network

from fabric.rules.errors import RuleError
from fabric.rules.table import LOCAL, UDP, Action, Bucket, Group, Match, Rule

_STATISTICS = frozenset(
    ("duration", "n_packets", "n_bytes", "idle_age", "hard_age", "idle_timeout", "hard_timeout", "importance", "flags")
)


# ---- writing ---------------------------------------------------------------------------------------------------------


def format_rule(rule: Rule) -> str:
    """A rule as ``ovs-ofctl add-flows`` reads it.

    Examples
    --------
    >>> format_rule(Rule(126, Match(4, 0x0A400000, 26), Action("group", 7), 0xFA01))
    'cookie=0xfa01,priority=126,ip,nw_dst=10.64.0.0/26,actions=group:7'
    """
    return (
        f"cookie={rule.cookie:#x},priority={rule.priority},{_match_text(rule.match)}actions={_action_text(rule.action)}"
    )


def format_group(group: Group, basis: int) -> str:
    """A select group as ``ovs-ofctl -O OpenFlow15 add-groups`` reads it.

    Examples
    --------
    >>> format_group(Group(7, (Bucket(1, 3), Bucket(2, 1))), 5)  # doctest: +NORMALIZE_WHITESPACE
    'group_id=7,type=select,selection_method=dp_hash,selection_method_param=5,bucket=bucket_id:0,weight:3,watch_port:1,actions=output:1,bucket=bucket_id:1,weight:1,watch_port:2,actions=output:2'
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


@lru_cache(maxsize=65_536)
def _prefix_text(family: int, address: int, bits: int) -> str:
    text = str(IPv4Address(address)) if family == 4 else str(IPv6Address(address))
    return text if bits == (32 if family == 4 else 128) else f"{text}/{bits}"


@lru_cache(maxsize=65_536)
def _match_text(match: Match) -> str:
    if not match.family:
        return ""
    parts = ["ip" if match.family == 4 else "ipv6"]
    if match.protocol == UDP:
        parts = ["udp" if match.family == 4 else "udp6"]
    elif match.protocol:
        parts.append(f"nw_proto={match.protocol}")
    dst, src = ("nw_dst", "nw_src") if match.family == 4 else ("ipv6_dst", "ipv6_src")
    if match.src_bits:
        parts.append(f"{src}={_prefix_text(match.family, match.src, match.src_bits)}")
    if match.dst_bits:
        parts.append(f"{dst}={_prefix_text(match.family, match.dst, match.dst_bits)}")
    if match.src_port:
        parts.append(f"tp_src={match.src_port}")
    if match.dst_port:
        parts.append(f"tp_dst={match.dst_port}")
    return ",".join(parts) + ","


def _action_text(action: Action) -> str:
    if action.kind == "drop":
        return "drop"
    if action.kind == "group":
        return f"group:{action.value}"
    return "LOCAL" if action.value == LOCAL else f"output:{action.value}"


# ---- reading ---------------------------------------------------------------------------------------------------------


def parse_rules(text: str, file: str) -> list[Rule]:
    """Rules of a flows file or of ``dump-flows``.

    Raises
    ------
    RuleError
        With file and line, for everything that is not a rule of ours: nothing is guessed, nothing left out.
    """
    return [_rule(line, file, number) for number, line in _lines(text, "OFPST_FLOW", "NXST_FLOW")]


def parse_groups(text: str, file: str) -> list[Group]:
    """Select groups of a groups file or of ``dump-groups``, by id; RuleError as for rules."""
    return sorted(_group(line, file, number) for number, line in _lines(text, "OFPST_GROUP", "NXST_GROUP"))


def _lines(text: str, *headers: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line and not line.startswith(("#", *headers)):
            yield number, line


def _bad(words: str, file: str, line: int) -> RuleError:
    return RuleError(words, file=file, line=line, hint="only rules that fabric exports are read", code="FP8020")


def _number(text: str, what: str, file: str, line: int) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise _bad(f"{what} {text!r} is no number", file, line) from None


def _rule(text: str, file: str, line: int) -> Rule:
    head, found, tail = text.partition("actions=")
    if not found:
        raise _bad("a flow without actions", file, line)
    priority, cookie = 32768, 0
    fields: dict[str, str] = {}
    for word in filter(None, re.split(r"[,\s]+", head)):
        key, given, value = word.partition("=")
        if key == "priority":
            priority = _number(value, key, file, line)
        elif key == "cookie":
            cookie = _number(value, key, file, line)
        elif key == "table":
            if value != "0":
                raise _bad(f"table {value}; fabric uses table 0", file, line)
        elif key in _STATISTICS or key in ("reset_counts", "send_flow_rem"):
            continue
        elif key in fields:
            raise _bad(f"{key} twice", file, line)
        else:
            fields[key] = value if given else ""
    return Rule(priority, _match(fields, file, line), _action(tail.strip(), file, line), cookie)


_KINDS = {"ip": (4, 0), "ipv6": (6, 0), "udp": (4, UDP), "udp6": (6, UDP)}


def _match(fields: dict[str, str], file: str, line: int) -> Match:
    if not fields:
        return Match(0)
    kinds = [key for key in fields if key in _KINDS]
    if len(kinds) != 1:
        raise _bad(f"a match on {', '.join(fields)}; fabric's name one of {', '.join(_KINDS)}", file, line)
    family, protocol = _KINDS[kinds[0]]
    del fields[kinds[0]]
    dst_key, src_key = ("nw_dst", "nw_src") if family == 4 else ("ipv6_dst", "ipv6_src")
    dst, dst_bits = _prefix(fields.pop(dst_key, None), family, file, line)
    src, src_bits = _prefix(fields.pop(src_key, None), family, file, line)
    if "nw_proto" in fields:
        protocol = _number(fields.pop("nw_proto"), "nw_proto", file, line)
    src_port, dst_port = (_number(fields.pop(key, "0"), key, file, line) for key in ("tp_src", "tp_dst"))
    if fields:
        raise _bad(f"a match on {', '.join(fields)}", file, line)
    return Match(family, dst, dst_bits, src, src_bits, protocol, src_port, dst_port)  # type: ignore[arg-type]


@lru_cache(maxsize=65_536)
def _network(text: str) -> tuple[int, int, int]:
    network = ip_network(text)
    return network.version, int(network.network_address), network.prefixlen


def _prefix(text: str | None, family: int, file: str, line: int) -> tuple[int, int]:
    if text is None:
        return 0, 0
    try:
        version, address, bits = _network(text)
    except ValueError as error:
        raise _bad(f"{error}", file, line) from None
    if version != family:
        raise _bad(f"{text} is no IPv{family} address", file, line)
    return address, bits


def _port(text: str, file: str, line: int) -> int:
    return LOCAL if text.upper() == "LOCAL" else _number(text, "port", file, line)


def _action(text: str, file: str, line: int) -> Action:
    if text == "drop":
        return Action("drop")
    kind, found, value = text.partition(":")
    if found and kind == "group" and "," not in value:
        return Action("group", _number(value, "group", file, line))
    if "," not in text and (kind == "output" or text == "LOCAL"):
        return Action("output", _port(value if found else text, file, line))
    raise _bad(f"actions {text!r}; fabric's are drop, output:PORT and group:ID", file, line)


def _group(text: str, file: str, line: int) -> Group:
    head, *buckets = text.split("bucket=")
    keys = dict(word.partition("=")[::2] for word in head.strip(" ,").split(",") if word)
    if keys.get("type", "all") != "select":
        raise _bad(f"a group of type {keys.get('type', 'all')}; fabric's are of type select", file, line)
    known = {"group_id", "type", "selection_method", "selection_method_param", "fields"}
    if set(keys) - known:
        raise _bad(f"a group with {', '.join(sorted(set(keys) - known))}", file, line)
    if keys.get("selection_method", "dp_hash") != "dp_hash":
        raise _bad(f"selection_method {keys['selection_method']}, which does not follow weights", file, line)
    made = tuple(_bucket(bucket, file, line) for bucket in buckets)
    return Group(_number(keys.get("group_id", ""), "group_id", file, line), made)


def _bucket(text: str, file: str, line: int) -> Bucket:
    head, found, action = text.strip(" ,").partition("actions=")
    if not found:
        raise _bad("a bucket without actions", file, line)
    weight = 1
    for word in filter(None, head.strip(" ,").split(",")):
        key, _, value = word.partition(":")
        if key == "weight":
            weight = _number(value, key, file, line)
        elif key not in ("bucket_id", "watch_port", "watch_group"):
            raise _bad(f"a bucket with {key}", file, line)
    made = _action(action, file, line)
    if made.kind != "output":
        raise _bad(f"a bucket that does {action!r}; fabric's send out of a port", file, line)
    return Bucket(made.value, weight)
