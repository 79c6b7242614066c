"""``containerlab``: lab files, in and out; interface names are kept as they are.

Nodes in a group ``host``, ``server`` or ``client`` end traffic; without any, every node is a router. A group of our own
words (leaf, spine, core, …) is the role. Lab files tell no speeds. What we write are ``linux`` nodes; characters that
container names cannot have become dashes, and ``eth0``, the management interface, stays free.

References
----------
containerlab.dev, manual, "Topology definition".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, both_ways, cannot_say
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology

_HOSTS = ("host", "server", "client")
_SPECIAL = ("host", "mgmt-net", "macvlan", "bridge")  # ends that lead out of the lab
_ROLE = re.compile(r"^[a-z][a-z0-9-]*$")
_IMAGE = "alpine:3"
_MOST_NODES = 200


def _read(path: Path, findings: Findings) -> Topology:
    text = read_text(path)
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = {} if mark is None else {"line": mark.line + 1, "column": mark.column + 1}
        message = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise FormatError(message, file=str(path), code="FP6003", **where) from error
    topology = data.get("topology") if isinstance(data, Mapping) else None
    if not isinstance(topology, Mapping) or not isinstance(topology.get("nodes"), Mapping) or not topology["nodes"]:
        hint = "a lab has topology: {nodes: …, links: …}"
        raise FormatError("no topology with nodes in the file", file=str(path), line=1, hint=hint, code="FP6003")
    nodes = {str(name): value if isinstance(value, Mapping) else {} for name, value in topology["nodes"].items()}
    groups = {name: str(value.get("group", "")) for name, value in nodes.items()}
    some_hosts = any(group in _HOSTS for group in groups.values())
    devices = {
        name: Device(
            name,
            host=group in _HOSTS if some_hosts else None,
            role="host" if group in _HOSTS else group if _ROLE.match(group) else None,
        )
        for name, group in groups.items()
    }
    links = topology.get("links") or []
    if not isinstance(links, list):
        raise FormatError("links is not a list", file=str(path), code="FP6003")
    lines = _lines(tree, len(links))
    cables = [
        cable for link, line in zip(links, lines, strict=True) if (cable := _cable(link, line, findings)) is not None
    ]
    name = str(data.get("name") or path.stem)
    return topology_of_devices(name, list(devices.values()), sound_cables(cables, devices, findings))


def _lines(tree: Any, count: int) -> list[int | None]:
    """The line of every link."""

    def child(node: Any, key: str) -> Any:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        return next((value for name, value in pairs if name.value == key), None)

    links = child(child(tree, "topology"), "links")
    rows = links.value if isinstance(links, yaml.SequenceNode) else []
    return [row.start_mark.line + 1 for row in rows] if len(rows) == count else [None] * count


def _cable(link: Any, line: int | None, findings: Findings) -> PortCable | None:
    """Both ends of a link, in the brief or the extended form."""
    ends = link.get("endpoints") if isinstance(link, Mapping) else None
    if isinstance(link, Mapping) and link.get("type") not in (None, "veth"):
        message = f"a link of type {shown(link['type'])} leads out of the lab"
        findings.add(message, code="FP6006", line=line, hint="only veth links join two nodes")
        return None
    if not isinstance(ends, list) or len(ends) != 2:
        hint = 'write endpoints: ["leaf1:eth1", "spine1:eth1"]'
        findings.add("a link has two endpoints", code="FP6004", line=line, hint=hint)
        return None
    found = []
    for end in ends:
        if isinstance(end, Mapping):
            node, port = str(end.get("node") or ""), str(end.get("interface") or "")
        else:
            node, _, port = str(end).partition(":")
        if not node or not port:
            hint = "an endpoint is a node and an interface: leaf1:eth1"
            findings.add(f"endpoint {shown(end)} does not name an interface", code="FP6004", line=line, hint=hint)
            return None
        if node in _SPECIAL:
            message = f"endpoint {shown(end)} leads out of the lab"
            findings.add(message, code="FP6006", line=line, hint="only links between nodes are taken")
            return None
        found.append((node, port))
    return PortCable(found[0], found[1], line=line)


def write(topology: Topology, path: Path) -> None:
    """Write a lab file of ``linux`` nodes.

    Raises
    ------
    FormatError
        When a link has no other direction, or two names become the same.
    """
    nodes, links = topology.nodes, topology.links
    if (links.reverse < 0).any():
        raise cannot_say("containerlab", "a link in one direction only")
    names = [re.sub(r"[^A-Za-z0-9_.-]", "-", name) for name in nodes.name]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise cannot_say("containerlab", f"two nodes that both become {twice}")
    ends = nodes.nics > 0
    lab: dict[str, Any] = {}
    for node, name in enumerate(names):
        role = topology.roles[nodes.role[node]]
        lab[name] = {"group": "host" if ends[node] and not nodes.forwards[node] else role}
    ports = [f"eth{port + 1}" for port in topology.src_port.tolist()]
    if topology.src_port_names is not None:
        ports = list(topology.src_port_names)
    rows = []
    for link in (topology.is_cable & topology.up).nonzero()[0].tolist():
        back = int(links.reverse[link])
        rows.append(
            {"endpoints": [f"{names[links.src[link]]}:{ports[link]}", f"{names[links.dst[link]]}:{ports[back]}"]}
        )
    document = {
        "name": re.sub(r"[^A-Za-z0-9_-]", "-", topology.name),
        "topology": {"kinds": {"linux": {"image": _IMAGE}}, "defaults": {"kind": "linux"}, "nodes": lab, "links": rows},
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120), encoding="utf-8")


read, read_sound = both_ways(_read)
SUMMARY = "Lab files of containerlab"
FORMAT = TopologyFormat("containerlab", (".clab.yml",), read, write, read_sound, most_nodes=_MOST_NODES)
