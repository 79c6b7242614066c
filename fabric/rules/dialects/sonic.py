"""SONiC: ``config_db.json`` per switch: ports, addresses, a VLAN per site, and BGP that announces it.

BGP is configured by the tables of SONiC's FRR management framework (``frr_mgmt_framework_config``), which name what is
announced: the loopback, and the prefix of every site whose hosts are on the switch. A site is a VLAN with the gateway's
address, so that the switch answers ARP and neighbour discovery. Ports are ``Ethernet0``, ``Ethernet4`` and on, four
lanes each, in the order of our port numbers; the hardware SKU is left out and decides on a real switch. Tables and
their constraints: SONiC's public YANG models (sonic-buildimage, ``src/sonic-yang-models``). The device type decides the
hash seed (``dockers/docker-orchagent/switch.json.j2``): 0, 10 and 25 from the hosts up.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from fabric.routing.traits import Rule
from fabric.rules.bgp import EQUAL, bgp_rule, check_bgp
from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.next_hops import host_interfaces, link_interfaces, sites_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import prefix_text
from fabric.rules.tiers import tiers

LANES = 4
FIRST_VLAN = 100
MOST_PATHS = 64
# Roles by the number of links to the nearest switch that has hosts, as SONiC names tiers 0, 1, 2 and above.
DEVICE_TYPES = ("ToRRouter", "LeafRouter", "SpineRouter", "UpperSpineRouter")
_PERMIT = "PERMIT"  # a route map that lets everything pass: FRR drops all routes of external peers without one
Table = dict[str, Any]


def port_name(port: int) -> str:
    """SONiC's name of our port number, from 1."""
    return f"Ethernet{(port - 1) * LANES}"


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.config_db.json`` of every switch."""
    check_bgp(rules)
    _check_equal(bgp_rule(rules), rules)
    names = rules.topology.nodes.name
    stems = dict(zip(rules.nodes, safe_names(names[node] for node in rules.nodes), strict=True))
    types = device_types(rules)
    for node, stem in stems.items():
        _check_hosts(rules, node)
        text = json.dumps(_config(rules, node, stems, types), indent=2) + "\n"
        yield File(f"switches/{stem}.config_db.json", text)


def _check_equal(rule: Rule | None, rules: RuleSet) -> None:
    if rule != EQUAL:
        raise RuleError(
            f"SONiC's tables of BGP cannot send the link bandwidth that router {rules.router} divides by",
            hint="dialect frr sends it; sonic carries router ecmp",
            code="FP8030",
        )


def _check_hosts(rules: RuleSet, node: int) -> None:
    """Refuse what a VLAN of plain ports cannot carry."""
    nodes = rules.topology.nodes
    links = Counter(endpoint for _, endpoint in host_interfaces(rules, node))
    for endpoint, count in links.items():
        if count > 1:
            raise RuleError(
                f"{nodes.name[endpoint]} has {count} links to {nodes.name[node]}, and one address: in a VLAN its "
                "address would jump from port to port",
                hint="dialect frr or static, which route to it over all of them; or a port channel of your own",
                code="FP8030",
            )
    if int(rules.plan.site_of[node]) >= 0:
        raise RuleError(
            f"{nodes.name[node]} forwards and is an endpoint itself; SONiC runs on switches",
            hint="dialect static, for hosts that forward",
            code="FP8030",
        )


def device_types(rules: RuleSet) -> dict[int, str]:
    """Role of every switch, by how many links it is away from the nearest one with hosts."""
    tier = tiers(rules.topology)
    return {node: DEVICE_TYPES[min(max(int(tier[node]), 0), len(DEVICE_TYPES) - 1)] for node in rules.nodes}


def _config(rules: RuleSet, node: int, stems: dict[int, str], types: dict[int, str]) -> Table:
    plan = rules.plan
    tables: dict[str, Table] = {
        "DEVICE_METADATA": {
            "localhost": {
                "hostname": stems[node],
                "type": types[node],
                "bgp_asn": str(plan.asn[node]),
                "bgp_router_id": str(plan.loopback4(node)),
                "mac": plan.mac(node),
                "docker_routing_config_mode": "unified",
                "frr_mgmt_framework_config": "true",
            }
        },
        "PORT": _ports(rules, node),
        "LOOPBACK_INTERFACE": {"Loopback0": {}, f"Loopback0|{plan.loopback4(node)}/32": {}},
        "ROUTE_MAP_SET": {_PERMIT: {}},
        "ROUTE_MAP": {f"{_PERMIT}|10": {"route_operation": "permit"}},
    }
    if 6 in rules.families:
        tables["LOOPBACK_INTERFACE"][f"Loopback0|{plan.loopback6(node)}/128"] = {}
    tables |= _links(rules, node, stems, types) | _sites(rules, node) | _announced(rules, node)
    return {name: table for name, table in tables.items() if table}


def _ports(rules: RuleSet, node: int) -> Table:
    topology = rules.topology
    return {
        port_name(port): {
            "alias": f"port{port}",
            "index": str(port),
            "lanes": ",".join(str((port - 1) * LANES + lane) for lane in range(LANES)),
            "speed": str(int(topology.links.capacity_gbps[link] * 1000)),
            "mtu": "9100",
            "admin_status": "up" if topology.up[link] else "down",
        }
        for port, link in enumerate(rules.ports.links(node).tolist(), 1)
    }


def _links(rules: RuleSet, node: int, stems: dict[int, str], types: dict[int, str]) -> dict[str, Table]:
    """Addresses and sessions of the links to switches, and who is at their other ends."""
    plan, topology = rules.plan, rules.topology
    tables: dict[str, Table] = {
        name: {}
        for name in (
            "INTERFACE",
            "BGP_NEIGHBOR",
            "BGP_NEIGHBOR_AF",
            "DEVICE_NEIGHBOR",
            "DEVICE_NEIGHBOR_METADATA",
        )
    }
    for port, link, four, six in link_interfaces(rules, node):
        name, far, back = port_name(port), int(topology.links.dst[link]), int(topology.links.reverse[link])
        tables["INTERFACE"][name] = {}
        tables["INTERFACE"][f"{name}|{four}"] = {}
        if 6 in rules.families:
            tables["INTERFACE"][f"{name}|{six}"] = {}
        if back < 0:
            continue
        far_port = port_name(int(rules.ports.of_link[back]))
        tables["DEVICE_NEIGHBOR"][name] = {"name": stems[far], "port": far_port, "local_port": name, "type": types[far]}
        tables["DEVICE_NEIGHBOR_METADATA"][stems[far]] = {"type": types[far], "lo_addr": f"{plan.loopback4(far)}/32"}
        if not (topology.up[link] and topology.up[back]):
            continue
        for family, ours, theirs in (
            (4, plan.link4(link), plan.link4(back)),
            (6, plan.link6(link), plan.link6(back)),
        ):
            if family in rules.families:
                tables["BGP_NEIGHBOR"][f"default|{theirs}"] = {
                    "asn": str(plan.asn[far]),
                    "local_addr": str(ours),
                    "name": stems[far],
                    "admin_status": "up",
                }
                tables["BGP_NEIGHBOR_AF"][f"default|{theirs}|ipv{family}_unicast"] = {
                    "admin_status": "up",
                    "route_map_in": [_PERMIT],
                    "route_map_out": [_PERMIT],
                }
    return tables


def _sites(rules: RuleSet, node: int) -> dict[str, Table]:
    """A VLAN for every site: its hosts' ports, and the gateway's address."""
    plan = rules.plan
    vlans = {site: f"Vlan{FIRST_VLAN + index}" for index, site in enumerate(sites_of(rules, node))}
    addresses: Table = {}
    for site, vlan in vlans.items():
        addresses[vlan] = {}
        for family in rules.families:
            length = plan.site_prefix(family, site)[1]
            addresses[f"{vlan}|{ip_address(plan.gateway(family, site))}/{length}"] = {}
    return {
        "VLAN": {vlan: {"vlanid": vlan.removeprefix("Vlan"), "admin_status": "up"} for vlan in vlans.values()},
        "VLAN_MEMBER": {
            f"{vlans[int(plan.site_of[endpoint])]}|{port_name(port)}": {"tagging_mode": "untagged"}
            for port, endpoint in host_interfaces(rules, node)
        },
        "VLAN_INTERFACE": addresses,
    }


def _announced(rules: RuleSet, node: int) -> dict[str, Table]:
    """BGP itself, and the prefixes that it announces."""
    plan = rules.plan
    networks: Table = {}
    for family in rules.families:
        loopback = f"{plan.loopback4(node)}/32" if family == 4 else f"{plan.loopback6(node)}/128"
        prefixes = (prefix_text(family, *plan.site_prefix(family, site)) for site in sites_of(rules, node))
        networks |= {f"default|ipv{family}_unicast|{prefix}": {} for prefix in (loopback, *prefixes)}
    return {
        "BGP_GLOBALS": {
            "default": {
                "local_asn": str(plan.asn[node]),
                "router_id": str(plan.loopback4(node)),
                "load_balance_mp_relax": "true",
            }
        },
        "BGP_GLOBALS_AF": {
            f"default|ipv{family}_unicast": {"max_ebgp_paths": str(MOST_PATHS)} for family in rules.families
        },
        "BGP_GLOBALS_AF_NETWORK": networks,
    }


SUMMARY = "config_db.json per switch: ports, a VLAN per site, and BGP that announces it"
DIALECT = Dialect(
    name="sonic",
    format="routes",
    proof="",
    carrier="exact",
    write=write,
    seeds="tiers",
    loses="host routes, weights, splits that shortest paths do not give, and the hash seed of switches",
    failover="converges",
)
