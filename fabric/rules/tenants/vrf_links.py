"""VRFs in the kernel of a switch: ``links/NAME.ip`` for ``ip -batch``, before FRR starts; and the list ``vrfs.csv``.

Linux 4.3 and on. A sub-interface has the name of its port and the VLAN, such as ``eth5.101``.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.rules.dialect import File
from fabric.rules.manifest import to_csv
from fabric.rules.next_hops import interface, link_interfaces
from fabric.rules.tenants.vrfs import SwitchVrfs, Vrf

VRFS = "vrfs.csv"
VRF_COLUMNS = ("vrf", "tenant", "vlan", "table")


def sub_interface(port: int, vrf: Vrf) -> str:
    """Name of a port's sub-interface in a VRF."""
    return f"{interface(port)}.{vrf.vlan}"


def link_lines(switch: SwitchVrfs) -> Iterator[str]:
    """VRFs, the hosts' ports in them, and a sub-interface of every link in each."""
    for vrf in switch.vrfs:
        yield f"link add {vrf.name} type vrf table {vrf.table}"
        yield f"link set {vrf.name} up"
    for one in switch.ports:
        yield f"link set {interface(one.port)} master {one.vrf.name}"
        yield f"link set {interface(one.port)} up"
    for port, _, _, _ in link_interfaces(switch.rules, switch.node):
        yield f"link set {interface(port)} up"
        for vrf in switch.vrfs:
            name = sub_interface(port, vrf)
            yield f"link add link {interface(port)} name {name} type vlan id {vrf.vlan}"
            yield f"link set {name} master {vrf.name}"
            yield f"link set {name} up"


def vrf_file(vrfs: list[Vrf], names: list[str]) -> File:
    """``vrfs.csv``: whose VRF has which name, VLAN and table."""
    return File(VRFS, to_csv(VRF_COLUMNS, [(one.name, names[one.tenant], one.vlan, one.table) for one in vrfs]))
