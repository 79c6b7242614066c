"""A match as a mapping of field names, which ``ofctl_rest`` and Faucet share."""

from __future__ import annotations

from typing import Any

from fabric.rules.openflow13.encode import ETHER_IPV4, ETHER_IPV6, PORT_NAMES, check_ports, wire_port
from fabric.rules.table import Match


def match_fields(match: Match) -> dict[str, Any]:
    """Fields by name, in the order of the protocol stack; empty where every packet matches.

    Examples
    --------
    >>> match_fields(Match(4, 0x0A400000, 26, protocol=17, dst_port=4791))
    {'eth_type': 2048, 'ip_proto': 17, 'ipv4_dst': '10.64.0.0/26', 'udp_dst': 4791}
    """
    check_ports(match)
    fields: dict[str, Any] = {"in_port": wire_port(match.in_port)} if match.in_port else {}
    if not match.family:
        return fields
    fields |= {"eth_type": ETHER_IPV4 if match.family == 4 else ETHER_IPV6}
    if match.protocol:
        fields["ip_proto"] = match.protocol
    if match.src_bits:
        fields[f"ipv{match.family}_src"] = match.src_text
    if match.dst_bits:
        fields[f"ipv{match.family}_dst"] = match.dst_text
    for side, port in (("src", match.src_port), ("dst", match.dst_port)):
        if port:
            fields[f"{PORT_NAMES[match.protocol]}_{side}"] = port
    return fields
