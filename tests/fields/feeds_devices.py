"""Feeds of what comes from devices and labs: ibnetdiscover, LLDP, containerlab; cabling sheets and device types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from feeding import Feed, Outcome, ReaderFeeds

from topologies.format_registry import FORMATS, as_imported
from topologies.formats import containerlab, ibnetdiscover
from topologies.host_nics import settle_hosts


def outcome(name: str, path: Path, *, sound: bool) -> Outcome:
    """What a file reads as; problems count as said."""
    entry = FORMATS[name]
    read = entry.read_sound if sound else entry.read
    assert read is not None
    imported = as_imported(read(path))
    settled = settle_hosts(imported.topology, imported.facts, file=path.name)
    said = [*imported.notes, *settled.notes, *(problem.message for problem in imported.problems)]
    net = settled.topology
    nodes, links = net.nodes, net.links
    columns = [net.roles[code] for code in nodes.role.tolist()], nodes.nics, nodes.forwards, nodes.radix, nodes.level
    rows = (links.src, links.dst, links.capacity_gbps, links.weight, links.length_m, links.delay_us, net.up)
    tiers = [net.tiers[code] for code in links.tier.tolist()]
    answer = (
        net.name,
        nodes.name,
        [list(column) for column in columns],
        [np.nan_to_num(np.asarray(row, float), nan=-1.0).tolist() for row in rows],
        tiers,
        net.src_port_names,
    )
    return Outcome(answer, tuple(said))


# ---- ibnetdiscover ---------------------------------------------------------------------------------------------------


def ib(
    *,
    ports: int = 40,
    rate: str = "4xHDR",
    second: str = "Ca",
    description: str = "node2 mlx5_0",
    head: str = "",
    switch: str = "",
    more: str = "",
    lines: str = "",
    tail: str = "",
    system: str = "a02",
    spine: bool = False,
) -> str:
    """A switch with two adapters, and what a feed adds."""
    adapter = (
        f'[2]\t"H-a02"[1](a02) \t# "{description}" lid 12 {rate}{tail}\n' if second else "",
        f'sysimgguid=0x{system}\n{second} 1 "H-a02"\t# "{description}"\n'
        f'[1](a02) "S-01"[2]\t# lid 2 lmc 0 "leaf1" lid 1 {rate}\n\n'
        if second
        else "",
    )
    other = (
        '[3]\t"S-02"[1]\t# "spine1" lid 9 4xHDR\n' if spine else "",
        'Switch\t40 "S-02"\t# "spine1" base port 0 lid 9 lmc 0\n[1]\t"S-01"[3]\t# "leaf1" lid 1 4xHDR\n\n'
        if spine
        else "",
    )
    return (
        f'# of a test\n{head}sysimgguid=0x100\nSwitch\t{ports} "S-01"\t# "leaf1"{switch}\n'
        f'[1]\t"H-a01"[1](a01) \t# "node1 mlx5_0" lid 11 4xHDR\n{adapter[0]}{other[0]}{lines}\n{other[1]}'
        f'sysimgguid=0xa01\nCa\t1 "H-a01"\t# "node1 mlx5_0"\n[1](a01) "S-01"[1]\t# lid 11 lmc 0 "leaf1" lid 1 4xHDR\n\n'
        f"{adapter[1]}{more}"
    )


def ib_read(document: str, folder: Path) -> Outcome:
    path = folder / "net.ibnet"
    path.write_text(document)
    return outcome("ibnetdiscover", path, sound=False)


ENGINE = ib(
    ports=41,
    lines='[41]\t"H-108"[1](108) \t# "Mellanox Technologies Aggregation Node" lid 5 4xHDR\n',
    more='sysimgguid=0x100\nCa\t1 "H-108"\t# "Mellanox Technologies Aggregation Node"\n'
    '[1](108) "S-01"[41]\t# lid 5 lmc 0 "leaf1" lid 1 4xHDR\n',
)
ROUTER = ib(
    lines='[9]\t"R-09"[1](9) \t# "rt1" lid 9 4xHDR\n',
    more='rtguid=0x9\nRt\t2 "R-09"\t# "rt1"\n[1](9) "S-01"[9]\t# lid 9 lmc 0 "leaf1" lid 1 4xHDR\n',
)
IB_FEEDS: dict[str, Feed] = {
    "Switch": Feed(ib(), ib(spine=True)),
    "Ca": Feed(ib(second=""), ib()),
    "Hca": Feed(ib(second=""), ib(second="Hca")),
    "Rt": Feed(ib(), ROUTER),
    "[port]": Feed(ib(second=""), ib()),
    "description": Feed(ib(), ib(description="node3 mlx5_0")),
    ibnetdiscover.AGGREGATION: Feed(ib(), ENGINE),
    "sysimgguid": Feed(ib(), ib(system="100")),
    ibnetdiscover.APPLIANCE: Feed(ib(), ib(description="ufm1 HCA-1")),
    ibnetdiscover.UNCABLED: Feed(ib(), ib(more='Ca\t1 "H-a03"\t# "node3 mlx5_0"\n')),
    **{
        word: Feed(ib(rate="4xEDR" if word == "HDR" else "4xHDR"), ib(rate=f"4x{word}"))
        for word in ("SDR", "DDR", "QDR", "FDR10", "FDR", "EDR", "HDR", "NDR", "XDR")
    },
    **{
        width: Feed(ib(rate="1xHDR" if width == "4x" else "4xHDR"), ib(rate=f"{width}HDR"))
        for width in ("1x", "2x", "4x", "8x", "12x")
    },
    "??": Feed(ib(), ib(rate="4x??")),
    "lmc": Feed(ib(), ib(switch=" base port 0 lid 1 lmc 2")),
    "lid": Feed(ib(), ib(switch=" base port 0 lid 7 lmc 0")),
    "vendid": Feed(ib(), ib(head="vendid=0x2c9\n")),
    "devid": Feed(ib(), ib(head="devid=0xd2f0\n")),
    "switchguid": Feed(ib(), ib(head="switchguid=0x100(100)\n")),
    "caguid": Feed(ib(), ib(more="caguid=0x5\n")),
    "rtguid": Feed(ib(), ib(more="rtguid=0x5\n")),
    "base port 0": Feed(ib(), ib(switch=" base port 0 lid 1 lmc 0")),
    "enhanced port 0": Feed(ib(), ib(switch=" enhanced port 0 lid 1 lmc 0")),
    "s= w= v=": Feed(ib(), ib(tail=" s=4 w=2 v=5")),
    "[ext]": Feed(ib(), ib().replace('[1]\t"H-a01"', '[1][ext 7]\t"H-a01"')),
    "Chassis": Feed(ib(), ib(head="Chassis 1 (guid 0x5)\n")),
    "Non-Chassis Nodes": Feed(ib(), ib(head="Non-Chassis Nodes\n")),
    "Hostname:": Feed(ib(), ib(head="Hostname: x\n")),
    "(scp), slot": Feed(ib(), ib(tail=" slot 2")),
    "#": Feed(ib(), ib(head="# Initiated from node 1 port 1\n")),
}


# ---- LLDP ------------------------------------------------------------------------------------------------------------


def neighbour(device: str, at: str, *, forwards: bool = True, **more: Any) -> dict[str, Any]:
    """One interface as ``lldpctl -f json0`` prints it; what a feed adds is by the part it goes into."""
    interface = {"name": "swp1", "via": "LLDP"} | more.get("interface", {})
    chassis = {
        "name": [{"value": device}],
        "capability": [{"type": "Bridge", "enabled": forwards}, *more.get("capability", [])],
    } | more.get("chassis", {})
    speed = {"current": [{"value": "100GbaseSR4"}]} | more.get("negotiation", {})
    far = {"id": [{"type": "ifname", "value": at}], "auto-negotiation": [speed]} | more.get("port", {})
    return {
        key: value for key, value in (interface | {"chassis": [chassis], "port": [far]}).items() if value is not None
    }


def lldp_read(document: list[dict[str, Any]], folder: Path) -> Outcome:
    (folder / "fabric").mkdir()
    spine = neighbour("leaf1", "swp9") | {"name": "swp1"}
    uplink = neighbour("spine1", "swp1") | {"name": "swp9"}
    for name, interfaces in {"leaf1": [*document, uplink], "spine1": [spine]}.items():
        (folder / "fabric" / f"{name}.json").write_text(json.dumps({"lldp": [{"interface": interfaces}]}))
    return outcome("lldp", folder / "fabric", sound=True)


def n1(**more: Any) -> list[dict[str, Any]]:
    """The host n1, on swp1 unless told otherwise."""
    return [neighbour("n1", "eth0", forwards=False, **more)]


BARE_PORT = {"id": [{"type": "mac", "value": "00:11"}]}
LLDP_FEEDS: dict[str, Feed] = {
    "interface.name": Feed(n1(), n1(interface={"name": "swp2"})),
    "interface.via": Feed(n1(), [*n1(interface={"via": "CDPv2"}), neighbour("n2", "eth0", forwards=False)]),
    "interface.chassis": Feed(n1(), [neighbour("n2", "eth0", forwards=False)]),
    "interface.port": Feed(n1(), [neighbour("n1", "eth1", forwards=False)]),
    "interface.vlan": Feed(n1(), n1(interface={"vlan": [{"vlan-id": "5"}]})),
    "interface.ppvid": Feed(n1(), n1(interface={"ppvid": [{"supported": True}]})),
    "interface.unknown-tlvs": Feed(n1(), n1(interface={"unknown-tlvs": [{"unknown-tlv": []}]})),
    **{f"interface.{key}": Feed(n1(), n1(interface={key: "1"})) for key in ("rid", "age", "ttl")},
    "interface.pi": Feed(n1(), n1(interface={"pi": [{"value": "x"}]})),
    "interface.lldp-med": Feed(n1(), n1(interface={"lldp-med": [{"device-type": []}]})),
    "chassis.name": Feed(n1(), [neighbour("n2", "eth0", forwards=False)]),
    "chassis.id": Feed(
        n1(chassis={"name": [], "id": [{"value": "00:01"}]}), n1(chassis={"name": [], "id": [{"value": "00:02"}]})
    ),
    "chassis.descr": Feed(
        [neighbour("n1", "eth0")], [neighbour("n1", "eth0", chassis={"descr": [{"value": "Ubuntu 22.04 Linux 5.15"}]})]
    ),
    "chassis.capability": Feed(n1(), [neighbour("n1", "eth0")]),
    "chassis.mgmt-ip": Feed(n1(), n1(chassis={"mgmt-ip": [{"value": "10.0.0.1"}]})),
    "chassis.mgmt-iface": Feed(n1(), n1(chassis={"mgmt-iface": [{"value": "3"}]})),
    "capability Bridge": Feed(n1(), [neighbour("n1", "eth0")]),
    "capability Router": Feed(n1(), n1(capability=[{"type": "Router", "enabled": "on"}])),
    **{
        f"capability {kind}": Feed(n1(), n1(capability=[{"type": kind, "enabled": True}]))
        for kind in ("Other", "Repeater", "Wlan", "Tel", "Docsis", "Station")
    },
    "port.id": Feed(n1(), [neighbour("n1", "eth1", forwards=False)]),
    "port.descr": Feed(
        n1(port=BARE_PORT | {"descr": [{"value": "eth1"}]}), n1(port=BARE_PORT | {"descr": [{"value": "eth2"}]})
    ),
    "port.auto-negotiation": Feed(n1(), n1(port={"auto-negotiation": []})),
    "port.aggregation": Feed(n1(), n1(port={"aggregation": [{"value": "8"}]})),
    "port.mfs": Feed(n1(), n1(port={"mfs": [{"value": "9216"}]})),
    "port.ttl": Feed(n1(), n1(port={"ttl": [{"value": "120"}]})),
    "port.power": Feed(n1(), n1(port={"power": [{"supported": True}]})),
    "auto-negotiation.current": Feed(n1(), n1(negotiation={"current": [{"value": "25GbaseCR"}]})),
    **{f"auto-negotiation.{key}": Feed(n1(), n1(negotiation={key: True})) for key in ("supported", "enabled")},
    "auto-negotiation.advertised": Feed(n1(), n1(negotiation={"advertised": [{"type": "1000Base-T"}]})),
}


# ---- containerlab ----------------------------------------------------------------------------------------------------

LINKS = [["a:eth1", "m:e1"], ["b:eth1", "m:e2"]]


def lab(
    nodes: Mapping[str, Any] | None = None, links: list[Any] | None = None, top: Mapping[str, Any] = {}, **topology: Any
) -> dict[str, Any]:
    """Two Linux containers at a router, and what a feed changes."""
    usual = {"a": {"kind": "linux"}, "b": {"kind": "linux"}, "m": {"kind": "nokia_srlinux"}}
    rows = [{"endpoints": ends} for ends in LINKS] if links is None else links
    return {"name": "lab", **top, "topology": {"nodes": usual | dict(nodes or {}), "links": rows, **topology}}


def lab_read(document: Any, folder: Path) -> Outcome:
    path = folder / "net.clab.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return outcome("containerlab", path, sound=True)


def linked(**more: Any) -> list[Any]:
    """The links, the second with more to it."""
    return [{"endpoints": LINKS[0]}, {"endpoints": LINKS[1], **more}]


ALL_LINUX = lab({"m": {"kind": "linux"}})
TWO_SWITCHES = lab({"b": {"kind": "nokia_srlinux"}})
LAB_FEEDS: dict[str, Feed] = {
    "name": Feed(lab(), lab(top={"name": "other"})),
    "topology.nodes": Feed(lab(), lab({"c": {"kind": "linux"}}, [*linked(), {"endpoints": ["c:eth1", "m:e3"]}])),
    "topology.links": Feed(lab(), lab(links=linked()[:1])),
    "topology.kinds": Feed(ALL_LINUX, lab({"m": {"kind": "linux"}}, kinds={"linux": {"group": "client"}})),
    "topology.groups": Feed(
        lab({"m": {"kind": "linux", "group": "net"}}),
        lab({"m": {"group": "net"}}, groups={"net": {"kind": "arista_ceos"}}),
    ),
    "topology.defaults": Feed(ALL_LINUX, lab({"m": {"kind": "linux"}}, defaults={"group": "client"})),
    "group": Feed(ALL_LINUX, lab({"a": {"kind": "linux", "group": "client"}, "m": {"kind": "linux"}})),
    "kind": Feed(ALL_LINUX, lab()),
    "image": Feed(ALL_LINUX, lab({"m": {"kind": "linux", "image": "quay.io/frrouting/frr"}})),
    **{
        field.name: Feed(ALL_LINUX, lab({"m": {"kind": field.name.removeprefix("kind ").replace("*", "xrv")}}))
        for field in containerlab.FIELDS
        if field.name.startswith("kind ") and field.effect == "forwards"
    },
    **{
        field.name: Feed(TWO_SWITCHES, lab({"b": {"kind": field.name.removeprefix("kind ")}}))
        for field in containerlab.FIELDS
        if field.name.startswith("kind ") and field.effect != "forwards"
    },
    "endpoints": Feed(lab(), lab(links=[{"endpoints": LINKS[0]}, {"endpoints": LINKS[1][:1]}])),
    "link type veth": Feed(
        lab(links=linked()[:1]),
        lab(links=[linked()[0], {"type": "veth", "endpoints": [
            {"node": "b", "interface": "eth1"}, {"node": "m", "interface": "e2"}]}]),
    ),
    **{
        f"link type {kind}": Feed(lab(), lab(links=linked(type=kind)))
        for kind in ("host", "mgmt-net", "macvlan", "vxlan", "vxlan-stitch", "dummy", "bridge")
    },
    "link.vars": Feed(lab(), lab(links=linked(vars={"isis_metric": 10}))),
    "link.mtu": Feed(lab(), lab(links=linked(mtu=1500))),
    "link.labels": Feed(lab(), lab(links=linked(labels={"a": "b"}))),
    "topology.*": Feed(lab(), lab(anything={"a": "b"})),
    **{key: Feed(lab(), lab(top={key: "x"})) for key in ("prefix", "mgmt", "settings", "debug")},
}  # fmt: skip
LAB_FEEDS |= {
    field.name: Feed(lab(), lab({"m": {"kind": "nokia_srlinux", field.name: "x"}}))
    for field in containerlab.FIELDS
    if field.name not in LAB_FEEDS
}


# ---- csv -------------------------------------------------------------------------------------------------------------


def sheet(*rows: str, more: str = "") -> str:
    """A cable list with one more column."""
    head = "a,b,gbps" + (f",{more}" if more else "")
    return "\n".join([head, *(rows or ("x,y,100", "y,z,100"))]) + "\n"


def csv_read(document: str, folder: Path) -> Outcome:
    path = folder / "net.csv"
    path.write_text(document)
    return outcome("csv", path, sound=False)


CSV_VALUES = {
    "back_gbps": "50", "weight": "3", "back_weight": "4", "tier": "x-y", "length_m": "7", "delay_us": "2",
    "a_role": "host", "b_role": "spine", "direction": "one-way", "up": "false",
}  # fmt: skip
CSV_FEEDS: dict[str, Feed] = {
    "a": Feed(sheet(), sheet("w,y,100", "y,z,100")),
    "b": Feed(sheet(), sheet("x,w,100", "y,z,100")),
    "gbps": Feed(sheet(), sheet("x,y,40", "y,z,100")),
    **{
        name: Feed(
            sheet("x,y,100,", more=name) if "role" not in name else sheet("x,y,100,leaf,leaf", more="a_role,b_role"),
            sheet(f"x,y,100,{value}", more=name)
            if "role" not in name
            else sheet(f"x,y,100,{value},leaf" if name == "a_role" else f"x,y,100,leaf,{value}", more="a_role,b_role"),
        )
        for name, value in CSV_VALUES.items()
    },
}


READERS = [
    ReaderFeeds(
        "topology format", "ibnetdiscover", ib_read, IB_FEEDS, Feed(ib(), ib(head="zz_unheard_of=1\n"))
    ),
    ReaderFeeds(
        "topology format", "lldp", lldp_read, LLDP_FEEDS, Feed(n1(), n1(interface={"zz_unheard_of": [{"a": "b"}]}))
    ),
    ReaderFeeds(
        "topology format", "containerlab", lab_read, LAB_FEEDS,
        Feed(lab(), lab({"m": {"kind": "nokia_srlinux", "zz_unheard_of": 1}})),
    ),
    ReaderFeeds(
        "topology format", "csv", csv_read, CSV_FEEDS,
        Feed(sheet(), sheet("x,y,100,1", more="zz_unheard_of")),
    ),
]  # fmt: skip
