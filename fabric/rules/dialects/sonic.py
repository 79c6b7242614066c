"""SONiC: ``config_db.json`` per switch: ports, addresses, a VLAN per site, and BGP that announces it.

BGP is configured by the tables of SONiC's FRR management framework (``frr_mgmt_framework_config``), which name what is
announced: the loopback, and the prefix of every site whose hosts are on the switch. A site is a VLAN with the gateway's
address, so that the switch answers ARP and neighbour discovery. Ports are ``Ethernet0``, ``Ethernet4`` and on, four
lanes each, in the order of our port numbers; the hardware SKU is left out and decides on a real switch. Tables and
their constraints: SONiC's public YANG models (sonic-buildimage, ``src/sonic-yang-models``). The device type decides the
hash seed (``dockers/docker-orchagent/switch.json.j2``): 0, 10 and 25 from the hosts up.

With tenants every switch has a VRF for each (``fabric.rules.tenants.vrfs``): sub-interfaces of every link in it, a VLAN
for its hosts at every site, and BGP over them. Services that are shared by design are refused: a host in a VLAN has no
route of its own that another VRF could have.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from fabric.routing.traits import Rule
from fabric.rules.bgp import EQUAL, bgp_rule, check_bgp
from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.next_hops import host_interfaces, link_interfaces, sites_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import prefix_text
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.vrf_config_db import read_config_db
from fabric.rules.tenants.vrfs import LONGEST, Vrf, check_sessions, vrfs_of
from fabric.rules.tiers import tiers

LANES = 4
FIRST_VLAN = 100
FIRST_TENANT_VLAN = 2001  # of hosts, where sub-interfaces have VLANs of their own
DEFAULT = "default"  # the VRF of the switches themselves
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
    vrfs = vrfs_of(rules.tenancy, prefix="Vrf-") if rules.tenancy is not None else []
    if rules.tenancy is not None:
        _check_shared(rules.tenancy)
    check_sessions(rules, vrfs)
    names = rules.topology.nodes.name
    stems = dict(zip(rules.nodes, safe_names(names[node] for node in rules.nodes), strict=True))
    types = device_types(rules)
    for node, stem in stems.items():
        _check_hosts(rules, node)
        text = json.dumps(_config(rules, node, stems, types, vrfs), indent=2) + "\n"
        yield File(f"switches/{stem}.config_db.json", text)


def _check_shared(tenancy: Tenancy) -> None:
    """Refuse services that hosts of other VRFs would have to reach."""
    sizes = tenancy.sizes
    for tenant, others in enumerate(tenancy.shared_with):
        served = [other for other in others if sizes[other]]
        if sizes[tenant] and served:
            raise RuleError(
                f"tenant {tenancy.names[tenant]} is shared with {tenancy.names[served[0]]}; in SONiC its hosts are in "
                "a VLAN of its own VRF, which has no route per host for another",
                hint="dialect frr carries it; or a fabric of its own for the service",
                code="FP8059",
            )


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


def _config(rules: RuleSet, node: int, stems: dict[int, str], types: dict[int, str], vrfs: list[Vrf]) -> Table:
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
    sites = _vlans(rules, node, vrfs)
    tables["VRF"] = {vrf.name: {} for vrf in vrfs}
    tables |= (
        _links(rules, node, stems, types, vrfs) | _sites(rules, node, sites) | _announced(rules, node, sites, vrfs)
    )
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


def _links(
    rules: RuleSet, node: int, stems: dict[int, str], types: dict[int, str], vrfs: list[Vrf]
) -> dict[str, Table]:
    """Addresses and sessions of the links to switches, and who is at their other ends."""
    plan, topology = rules.plan, rules.topology
    tables: dict[str, Table] = {
        name: {}
        for name in (
            "INTERFACE",
            "VLAN_SUB_INTERFACE",
            "BGP_NEIGHBOR",
            "BGP_NEIGHBOR_AF",
            "DEVICE_NEIGHBOR",
            "DEVICE_NEIGHBOR_METADATA",
        )
    }
    for port, link, four, six in link_interfaces(rules, node):
        name, far, back = port_name(port), int(topology.links.dst[link]), int(topology.links.reverse[link])
        addresses = [four, six] if 6 in rules.families else [four]
        tables["INTERFACE"] |= {name: {}, **{f"{name}|{address}": {} for address in addresses}}
        for vrf in vrfs:
            sub = sub_interface(port, vrf)
            row = {"admin_status": "up", "vlan": str(vrf.vlan), "vrf_name": vrf.name}
            tables["VLAN_SUB_INTERFACE"] |= {sub: row, **{f"{sub}|{address}": {} for address in addresses}}
        if back < 0:
            continue
        far_port = port_name(int(rules.ports.of_link[back]))
        tables["DEVICE_NEIGHBOR"][name] = {"name": stems[far], "port": far_port, "local_port": name, "type": types[far]}
        tables["DEVICE_NEIGHBOR_METADATA"][stems[far]] = {"type": types[far], "lo_addr": f"{plan.loopback4(far)}/32"}
        if topology.up[link] and topology.up[back]:
            for in_vrf in (DEFAULT, *(vrf.name for vrf in vrfs)):
                _session(rules, link, stems[far], in_vrf, tables)
    return tables


def _session(rules: RuleSet, link: int, far: str, vrf: str, tables: dict[str, Table]) -> None:
    """Neighbours of a VRF at the other end of a link, one per IP version."""
    plan, back = rules.plan, int(rules.topology.links.reverse[link])
    asn = int(plan.asn[int(rules.topology.links.dst[link])])
    for family, ours, theirs in ((4, plan.link4(link), plan.link4(back)), (6, plan.link6(link), plan.link6(back))):
        if family in rules.families:
            tables["BGP_NEIGHBOR"][f"{vrf}|{theirs}"] = {
                "asn": str(asn),
                "local_addr": str(ours),
                "name": far,
                "admin_status": "up",
            }
            tables["BGP_NEIGHBOR_AF"][f"{vrf}|{theirs}|ipv{family}_unicast"] = {
                "admin_status": "up",
                "route_map_in": [_PERMIT],
                "route_map_out": [_PERMIT],
            }


def sub_interface(port: int, vrf: Vrf) -> str:
    """Name of a port's sub-interface in a VRF; the short form where the long one is no name of an interface."""
    name = f"{port_name(port)}.{vrf.vlan}"
    return name if len(name) <= LONGEST else name.replace("Ethernet", "Eth")


class SiteVlan(NamedTuple):
    """The VLAN of a site's hosts, or of those of one tenant."""

    name: str
    site: int
    vrf: str
    tenant: int  # -1: everybody


def _vlans(rules: RuleSet, node: int, vrfs: list[Vrf]) -> list[SiteVlan]:
    """VLANs of a switch's hosts."""
    sites = sites_of(rules, node)
    if rules.tenancy is None:
        return [SiteVlan(f"Vlan{FIRST_VLAN + index}", site, DEFAULT, -1) for index, site in enumerate(sites)]
    here = {
        (int(rules.plan.site_of[endpoint]), int(rules.tenancy.of[endpoint]))
        for _, endpoint in host_interfaces(rules, node)
    }
    found = [(site, vrf) for site in sites for vrf in vrfs if (site, vrf.tenant) in here]
    return [
        SiteVlan(f"Vlan{FIRST_TENANT_VLAN + index}", site, vrf.name, vrf.tenant)
        for index, (site, vrf) in enumerate(found)
    ]


def _sites(rules: RuleSet, node: int, vlans: list[SiteVlan]) -> dict[str, Table]:
    """A VLAN for every site, of every tenant: its hosts' ports, and the gateway's address."""
    plan = rules.plan
    addresses: Table = {}
    for one in vlans:
        addresses[one.name] = {} if one.vrf == DEFAULT else {"vrf_name": one.vrf}
        for family in rules.families:
            length = plan.site_prefix(family, one.site)[1]
            addresses[f"{one.name}|{ip_address(plan.gateway(family, one.site))}/{length}"] = {}
    place = {(one.site, one.tenant): one.name for one in vlans}
    of = rules.tenancy.of if rules.tenancy is not None else None
    return {
        "VLAN": {one.name: {"vlanid": one.name.removeprefix("Vlan"), "admin_status": "up"} for one in vlans},
        "VLAN_MEMBER": {
            f"{place[int(plan.site_of[end]), int(of[end]) if of is not None else -1]}|{port_name(port)}": {
                "tagging_mode": "untagged"
            }
            for port, end in host_interfaces(rules, node)
        },
        "VLAN_INTERFACE": addresses,
    }


def _announced(rules: RuleSet, node: int, vlans: list[SiteVlan], vrfs: list[Vrf]) -> dict[str, Table]:
    """BGP of every VRF, and the prefixes that it announces: the loopback in that of the switches, and its VLANs."""
    plan = rules.plan
    names = [DEFAULT, *(vrf.name for vrf in vrfs)]
    networks: Table = {}
    for family in rules.families:
        loopback = f"{plan.loopback4(node)}/32" if family == 4 else f"{plan.loopback6(node)}/128"
        networks[f"{DEFAULT}|ipv{family}_unicast|{loopback}"] = {}
        for one in vlans:
            prefix = prefix_text(family, *plan.site_prefix(family, one.site))
            networks[f"{one.vrf}|ipv{family}_unicast|{prefix}"] = {}
    process = {
        "local_asn": str(plan.asn[node]),
        "router_id": str(plan.loopback4(node)),
        "load_balance_mp_relax": "true",
    }
    return {
        "BGP_GLOBALS": {name: dict(process) for name in names},
        "BGP_GLOBALS_AF": {
            f"{name}|ipv{family}_unicast": {"max_ebgp_paths": str(MOST_PATHS)}
            for name in names
            for family in rules.families
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
    tenants="vrfs",
    read_vrfs=read_config_db,
)
