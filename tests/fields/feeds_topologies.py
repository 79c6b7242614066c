"""Fields of json, sndlib and repetita topologies, and of NetBox device types."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from feeding import Feed, Outcome, ReaderFeeds
from feeds_graphs import outcome

from fabric.scenario.catalogue_file import read_catalogue
from topologies.assemble import assemble
from topologies.catalogue import Catalogue
from topologies.format_registry import FORMATS
from topologies.formats.json import write
from topologies.reading.asked import NOTHING_ASKED, Asked, CapacityAttribute
from topologies.reading.fields import DECLARED

# ---- json -----------------------------------------------------------------------------------------------------------


def network(folder: Path) -> dict[str, Any]:
    """Two leaves and a spine, as json has them."""
    net = assemble("net", "test")
    leaves, spine = net.switches("leaf", ["l0", "l1"], level=1), net.switches("spine", ["s0"], level=2)
    net.cables(leaves, spine[[0, 0]], 100.0)
    path = folder / "plain.json"
    write(net.freeze(), path)
    return dict(json.loads(path.read_text()))


def changed(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The columns with another value in one of them."""
    data = copy.deepcopy(data)
    section, _, key = name.rpartition(".")
    part = data[section] if section else data
    part[key] = OTHER[name](part.get(key))
    return data


OTHER: dict[str, Any] = {
    "schema": lambda old: "fabric-planner/topology/v0",
    "name": lambda old: "other", "kind": lambda old: "other",
    "roles": lambda old: ["edge", *old[1:]], "tiers": lambda old: ["wire", *old[1:]],
    "nodes.name": lambda old: ["zero", *old[1:]], "nodes.role": lambda old: [1, *old[1:]],
    **{f"nodes.{key}": lambda old: [7, *old[1:]]
       for key in ("level", "pod", "unit", "rail", "plane", "radix", "nics")},
    "nodes.forwards": lambda old: [not old[0], *old[1:]],
    "links.src": lambda old: [99, *old[1:]], "links.dst": lambda old: [99, *old[1:]],
    "links.tier": lambda old: [1, *old[1:]],
    "links.reverse": lambda old: [-1] * len(old),
    **{f"links.{key}": lambda old: [7.5, *old[1:]]
       for key in ("capacity_gbps", "weight", "src_ports", "length_m", "delay_us")},
    "up": lambda old: [False, False, *old[2:]],
    "circuit": lambda old: [0, 0, 2, 2], "src_port_names": lambda old: ["p1", "p2", "p3", "p4"],
    "zz_unheard_of": lambda old: 1,
}  # fmt: skip
RAISES = ("schema", "links.src", "links.dst", "links.tier")


def read_columns(name: str | None, folder: Path) -> Outcome:
    """What json makes of the network with one column changed."""
    data = network(folder)
    text = json.dumps(data if name is None else changed(data, name))
    found = outcome("json", text, NOTHING_ASKED, folder)
    net = FORMATS["json"].read(folder / "net.txt")  # type: ignore[misc]
    return Outcome((found.answer, net.src_port_names, None if net.circuit is None else net.circuit.tolist()))


# ---- sndlib and repetita --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """A file, and what is said beside it."""

    text: str
    asked: Asked = NOTHING_ASKED


SNDLIB = """<network><meta><granularity>5min</granularity><time>now</time><unit>MBITPERSEC</unit><origin>us</origin>
</meta><networkStructure><nodes>
<node id="A"><coordinates><x>1</x><y>2</y></coordinates></node><node id="B"/><node id="C"/></nodes><links>
<link id="L1"><source>A</source><target>B</target><preInstalledModule><capacity>1000</capacity><cost>1</cost>
</preInstalledModule><routingCost>0</routingCost><setupCost>1</setupCost></link>
<link id="L2"><source>B</source><target>C</target><additionalModules><addModule><capacity>40000</capacity></addModule>
</additionalModules></link></links></networkStructure>
<demands><demand id="d"><source>A</source><target>B</target><demandValue>1</demandValue></demand></demands></network>"""
MBPS = Asked(CapacityAttribute(attribute="capacity", unit="Mbps"))


def swapped(text: str, old: str, new: str) -> Feed:
    """A text with one part replaced."""
    assert old in text
    return Feed(Text(text), Text(text.replace(old, new, 1)))


SNDLIB_FEEDS = {
    "node": swapped(SNDLIB, '<node id="C"/>', '<node id="C"/><node id="D"/>'),
    "link": swapped(
        SNDLIB, "</links>",
        '<link id="L3"><source>A</source><target>C</target><preInstalledModule><capacity>5</capacity>'
        "</preInstalledModule></link></links>",
    ),
    "source": swapped(SNDLIB, "<source>A", "<source>C"),
    "target": swapped(SNDLIB, "<target>B", "<target>C"),
    "preInstalledModule": swapped(SNDLIB, ">1000<", ">2000<"),
    "additionalModules": swapped(SNDLIB, ">40000<", ">20000<"),
    "capacity": Feed(
        Text(SNDLIB), Text(SNDLIB.replace("<unit>MBITPERSEC</unit>", "")),
        Text(SNDLIB.replace("<unit>MBITPERSEC</unit>", ""), MBPS),
    ),
    "unit": swapped(SNDLIB, "MBITPERSEC", "GBITPERSEC"),
    "routingCost": swapped(SNDLIB, "<routingCost>0", "<routingCost>4"),
    "setupCost": swapped(SNDLIB, "<setupCost>1", "<setupCost>4"),
    "cost": swapped(SNDLIB, "<cost>1", "<cost>4"),
    "x": swapped(SNDLIB, "<x>1", "<x>4"),
    "y": swapped(SNDLIB, "<y>2", "<y>4"),
    "coordinates": swapped(SNDLIB, "<coordinates><x>1</x><y>2</y></coordinates>", ""),
    "demand": swapped(SNDLIB, "<demandValue>1", "<demandValue>4"),
    "admissiblePath": swapped(
        SNDLIB, "</demandValue>", "</demandValue><admissiblePaths><admissiblePath id='P'/></admissiblePaths>"
    ),
    "granularity": swapped(SNDLIB, "5min", "1h"),
    "time": swapped(SNDLIB, "now", "then"),
    "origin": swapped(SNDLIB, ">us<", ">them<"),
}  # fmt: skip
REPETITA = """NODES 3
label x y
a 0 0
b 1 1
c 2 2
EDGES 4
label src dest weight bw delay
e0 0 1 1 1000000 10
e1 1 0 1 1000000 10
e2 1 2 1 1000000 10
e3 2 1 1 1000000 10
"""
REPETITA_FEEDS = {
    "node label": swapped(REPETITA, "a 0", "z 0"),
    "node x": swapped(REPETITA, "a 0 0", "a 5 0"),
    "node y": swapped(REPETITA, "a 0 0", "a 0 5"),
    "edge label": swapped(REPETITA, "e0", "f0"),
    "edge src": swapped(REPETITA, "e0 0 1", "e0 2 1"),
    "edge dest": swapped(REPETITA, "e0 0 1", "e0 0 2"),
    "edge weight": swapped(REPETITA, "e0 0 1 1", "e0 0 1 3"),
    "edge bw": swapped(REPETITA, "1000000", "2000000"),
    "edge delay": swapped(REPETITA, "1000000 10", "1000000 30"),
}

# ---- device types ---------------------------------------------------------------------------------------------------

DEVICE: dict[str, Any] = {
    "manufacturer": "A", "model": "X", "slug": "a-x", "u_height": 1, "is_full_depth": True,
    "interfaces": [
        {"name": "m", "type": "1000base-t", "mgmt_only": True},
        {"name": "e1", "type": "400gbase-x-qsfpdd"},
        {"name": "e2", "type": "400gbase-x-qsfpdd"},
    ],
    "power-ports": [{"name": "p1", "type": "iec-60320-c14", "maximum_draw": 500}, {"name": "p2", "maximum_draw": 500}],
    "module-bays": [{"name": "PSU 1", "position": "1"}],
}  # fmt: skip
ENTRIES: dict[str, Any] = {
    "interfaces.type": "100gbase-x-qsfp28", "interfaces.mgmt_only": True, "interfaces.enabled": False,
    "interfaces.lag": "Port-Channel1", "power-ports.maximum_draw": 700, "power-ports.allocated_draw": 300,
    "module-bays.name": "PSU 2", "module-bays.position": "9",
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "manufacturer": "B", "model": "X2", "slug": "b-y", "is_powered": False, "u_height": 4, "is_full_depth": False,
    "interfaces": DEVICE["interfaces"][:2], "power-ports": [], "subdevice_role": "child", "weight": 3.5,
    "module-bays": [{"name": "Line card 1", "position": "1"}], "device-bays": [{"name": "blade 1"}],
    "front-ports": [{"name": "f", "type": "lc"}], "rear-ports": [{"name": "r", "type": "lc"}], "module-types": ["X"],
}  # fmt: skip


def device_feed(name: str) -> Feed:
    """A device type with one field changed or added."""
    section, _, key = name.partition(".")
    device = copy.deepcopy(DEVICE)
    if name == "module-bays.zz":
        return Feed(DEVICE, device)
    if key.startswith("type "):
        kind = key.removeprefix("type ").replace("*", "sonet-oc3")
        device["interfaces"].append({"name": "v", "type": kind})
    elif key:
        device[section][-1][key] = ENTRIES.get(name, "words")
    else:
        device[name] = WHOLE.get(name, [{"name": "x"}] if name.endswith(("-ports", "-outlets", "-items")) else "words")
    return Feed(DEVICE, device)


def read_device(device: Any, folder: Path) -> Outcome:
    """The row of a device type."""
    path = folder / "device.yaml"
    path.write_text(yaml.safe_dump(device))
    found = read_catalogue(path, Catalogue())
    return Outcome([row.model_dump() for row in found.switches.values()], found.said)


FORMATS["sndlib"], FORMATS["repetita"], FORMATS["json"]  # declares the fields
READERS = [
    ReaderFeeds(
        "topology format", "json", read_columns,
        {
            name: Feed(None, name, raises=name in RAISES)
            for name in OTHER if name in DECLARED["topology format", "json"]
        },
        Feed(None, "zz_unheard_of"),
    ),
    ReaderFeeds(
        "topology format", "sndlib", lambda document, folder: outcome("sndlib", document.text, document.asked, folder),
        SNDLIB_FEEDS, swapped(SNDLIB, "<origin>", "<zz_unheard_of/><origin>"),
    ),
    ReaderFeeds(
        "topology format", "repetita",
        lambda document, folder: outcome("repetita", document.text, document.asked, folder),
        REPETITA_FEEDS, swapped(REPETITA, "bw delay", "bw delay zz_unheard_of"),
    ),
    ReaderFeeds(
        "device type", "netbox", read_device,
        {entry.name: device_feed(entry.name) for entry in DECLARED["device type", "netbox"]},
        Feed(DEVICE, {**DEVICE, "zz_unheard_of": 1}),
    ),
]  # fmt: skip
