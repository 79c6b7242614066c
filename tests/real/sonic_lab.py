"""What SONiC makes of ``config_db.json``, on namespaces: VLANs as bridges, addresses, and BGP in FRR.

The lines of FRR are those that SONiC's management framework writes for the same tables (sonic-buildimage,
``src/sonic-frr-mgmt-framework``); FRR runs with its traditional defaults, which drop routes without a policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from router_lab import RouterLab

from fabric.rules.manifest import read_manifest

Config = dict[str, Any]


class SonicLab(RouterLab):
    """A context manager as ``RouterLab``, whose routers are set up from an export of dialect sonic."""

    def start_sonic(self, folder: Path) -> None:
        """Bring up ports, VLANs and addresses of every switch, then FRR."""
        for entry in read_manifest(folder).switches:
            node = self.plan.topology.node(entry.name)
            text = (folder / "switches" / f"{entry.file}.config_db.json").read_text(encoding="utf-8")
            config = json.loads(text)
            self.run(node, "ip", "-batch", "-", text="".join(f"{line}\n" for line in kernel_lines(config)))
            self.start_routing(node, "".join(f"{line}\n" for line in frr_lines(config)))


def _device(config: Config, name: str) -> str:
    """The lab's name of a port, a VLAN or the loopback."""
    if name in config["PORT"]:
        return f"eth{config['PORT'][name]['index']}"
    return "lo" if name.startswith("Loopback") else name


def kernel_lines(config: Config) -> Iterator[str]:
    """Lines of ``ip -batch``."""
    for vlan in config.get("VLAN", {}):
        yield f"link add {vlan} type bridge"
        yield f"link set {vlan} up"
    for key, row in config.get("VLAN_MEMBER", {}).items():
        vlan, port = key.split("|")
        assert row["tagging_mode"] == "untagged"
        yield f"link set {_device(config, port)} master {vlan}"
    for table in ("INTERFACE", "VLAN_INTERFACE", "LOOPBACK_INTERFACE"):
        for key in config.get(table, {}):
            name, _, address = key.partition("|")
            if address:
                yield f"address add {address} dev {_device(config, name)}{' nodad' if ':' in address else ''}"


def frr_lines(config: Config) -> Iterator[str]:
    """The configuration of FRR for the tables of BGP."""
    for key, row in config["ROUTE_MAP"].items():
        name, number = key.split("|")
        yield f"route-map {name} {row['route_operation']} {number}"
    for vrf, one in config["BGP_GLOBALS"].items():
        yield f"router bgp {one['local_asn']}{'' if vrf == 'default' else f' vrf {vrf}'}"
        yield from _process_lines(config, vrf, one)


def _process_lines(config: Config, vrf: str, one: dict[str, str]) -> Iterator[str]:
    """What stands below ``router bgp`` of a VRF."""
    yield f" bgp router-id {one['router_id']}"
    yield " no bgp default ipv4-unicast"
    if one["load_balance_mp_relax"] == "true":
        yield " bgp bestpath as-path multipath-relax"
    for key, row in config["BGP_NEIGHBOR"].items():
        its, address = key.split("|")
        if its == vrf:
            assert row["admin_status"] == "up"
            yield f" neighbor {address} remote-as {row['asn']}"
            yield f" neighbor {address} update-source {row['local_addr']}"
    for key, row in config["BGP_GLOBALS_AF"].items():
        its, family = key.split("|")
        if its != vrf:
            continue
        yield f" address-family {family.replace('_', ' ')}"
        yield f"  maximum-paths {row['max_ebgp_paths']}"
        for network in config["BGP_GLOBALS_AF_NETWORK"]:
            its, of, prefix = network.split("|")
            if (its, of) == (vrf, family):
                yield f"  network {prefix}"
        for neighbour, policy in config["BGP_NEIGHBOR_AF"].items():
            its, address, of = neighbour.split("|")
            if (its, of) == (vrf, family) and policy["admin_status"] == "up":
                yield f"  neighbor {address} activate"
                yield f"  neighbor {address} route-map {policy['route_map_in'][0]} in"
                yield f"  neighbor {address} route-map {policy['route_map_out'][0]} out"
        yield " exit-address-family"
