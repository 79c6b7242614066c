"""SONiC: ``config_db.json`` per switch with ports, interfaces, loopback and BGP neighbours.

Ports are ``Ethernet0``, ``Ethernet4`` and on, four lanes each, in the order of our port numbers; the hardware SKU is
left out and decides on a real switch. Routes come from BGP, as in dialect ``frr``. SONiC's own models are not to be had
offline; the files are checked with a schema of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from fabric.rules.bgp import check_bgp
from fabric.rules.dialect import Dialect, File
from fabric.rules.next_hops import host_interfaces, link_interfaces
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names

LANES = 4


def port_name(port: int) -> str:
    """SONiC's name of our port number, from 1."""
    return f"Ethernet{(port - 1) * LANES}"


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.config_db.json`` of every switch."""
    check_bgp(rules)
    names = rules.topology.nodes.name
    stems = dict(zip(rules.nodes, safe_names(names[node] for node in rules.nodes), strict=True))
    for node, stem in stems.items():
        text = json.dumps(_config(rules, node, stems), indent=2) + "\n"
        yield File(f"switches/{stem}.config_db.json", text)


def _config(rules: RuleSet, node: int, stems: dict[int, str]) -> dict[str, Any]:
    plan, topology = rules.plan, rules.topology
    links = rules.ports.links(node).tolist()
    interfaces: dict[str, dict[str, str]] = {}
    neighbours: dict[str, dict[str, str]] = {}
    for port, link, four, six in link_interfaces(rules, node):
        interfaces[port_name(port)] = {}
        interfaces[f"{port_name(port)}|{four}"] = {}
        if 6 in rules.families:
            interfaces[f"{port_name(port)}|{six}"] = {}
        far, back = int(topology.links.dst[link]), int(topology.links.reverse[link])
        if back >= 0 and topology.up[link] and topology.up[back]:
            pairs = [(str(plan.link4(back)), str(plan.link4(link)))]
            pairs += [(str(plan.link6(back)), str(plan.link6(link)))] if 6 in rules.families else []
            for theirs, ours in pairs:
                entry = {"asn": str(plan.asn[far]), "local_addr": ours, "name": stems[far], "admin_status": "up"}
                neighbours[theirs] = entry
    for port, endpoint in host_interfaces(rules, node):
        site = int(plan.site_of[endpoint])
        interfaces[port_name(port)] = {}
        interfaces[f"{port_name(port)}|{ip_address(plan.gateway(4, site))}/32"] = {}
    loopbacks: dict[str, dict[str, str]] = {"Loopback0": {}, f"Loopback0|{plan.loopback4(node)}/32": {}}
    if 6 in rules.families:
        loopbacks[f"Loopback0|{plan.loopback6(node)}/128"] = {}
    kind = "ToRRouter" if any(True for _ in host_interfaces(rules, node)) else "LeafRouter"
    return {
        "DEVICE_METADATA": {
            "localhost": {
                "hostname": stems[node],
                "type": kind,
                "bgp_asn": str(plan.asn[node]),
                "mac": plan.mac(node),
                "docker_routing_config_mode": "unified",
            }
        },
        "PORT": {
            port_name(port): {
                "alias": f"port{port}",
                "lanes": ",".join(str((port - 1) * LANES + lane) for lane in range(LANES)),
                "speed": str(int(topology.links.capacity_gbps[link] * 1000)),
                "mtu": "9100",
                "admin_status": "up" if topology.up[link] else "down",
            }
            for port, link in enumerate(links, 1)
        },
        "INTERFACE": interfaces,
        "LOOPBACK_INTERFACE": loopbacks,
        "BGP_NEIGHBOR": neighbours,
    }


SUMMARY = "config_db.json per switch: ports, interfaces, loopback, BGP neighbours"
DIALECT = Dialect(
    name="sonic",
    format="routes",
    proof="",
    carrier="exact",
    write=write,
    loses="host routes, weights, splits that shortest paths do not give, and the hash seed of switches",
)
