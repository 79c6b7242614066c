"""``containerlab``: one lab of all fabrics, a container a device, with the label of every cable on its link.

Switches' interfaces are numbered as their ports are, ``eth1`` on; hosts' from ``eth1`` on, fabric after fabric. Optical
switches pass light and are left out: what they join is joined. Speeds and lengths are not in a lab.

References
----------
containerlab.dev, manual, "Topology definition"; schemas/clab.schema.json.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from fabric.cables.cable_rows import CableEnd
from fabric.cables.profile import CableExport, Profile
from topologies.errors import FormatError
from topologies.topology import Topology

SUMMARY = "a lab of containerlab: a container for every device, links with the labels of their cables"
ORDER = 50

_IMAGE = "alpine:3"


def _write(export: CableExport) -> Iterator[str]:
    names = _Names()
    yield f"name: {_text(re.sub(r'[^A-Za-z0-9_-]', '-', export.name))}\n"
    yield f"topology:\n  kinds: {{linux: {{image: {_text(_IMAGE)}}}}}\n  defaults: {{kind: linux}}\n  nodes:\n"
    links = list(_links(export, names))
    for name, group in names.groups.items():
        yield f"    {_text(name)}: {{group: {_text(group)}}}\n"
    yield "  links:\n" if links else "  links: []\n"
    for a, b, label in links:
        yield f"    - {{endpoints: [{_text(a)}, {_text(b)}], labels: {{cable: {_text(label)}}}}}\n"


def _text(text: str) -> str:
    """A word of YAML."""
    return json.dumps(text)


class _Names:
    """Containers of devices, and interfaces that are free."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()
        self._device: dict[str, str] = {}
        self.groups: dict[str, str] = {}

    def container(self, device: str, group: str) -> str:
        """Name of the container of a device."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", device)
        if self._device.setdefault(name, device) != device:
            raise FormatError(
                f"containerlab cannot tell {device} from {self._device[name]}: both become {name}",
                hint="names of letters, digits, dots and dashes stay as they are; --fabric writes one fabric",
                code="FP3305",
            )
        self.groups.setdefault(name, group)
        return name

    def interface(self, end: CableEnd, group: str, port: int) -> str:
        """Container and interface of an end: of a switch by its port, of a host the next."""
        name = self.container(end.node, group if end.is_switch else "host")
        if not end.is_switch:
            port = self._used[name]
            self._used[name] += 1
        return f"{name}:eth{port + 1}"


def _links(export: CableExport, names: _Names) -> Iterator[tuple[str, str, str]]:
    """Interfaces at both ends of every link, and the label of its cable, in the order of the networks."""
    columns = export.schedule.columns
    ends: dict[tuple[str, int], list[tuple[CableEnd, CableEnd, str]]] = {}
    for row, link in enumerate(columns.link):
        stretch = (columns.a.at(row), columns.b.at(row), columns.label[row])
        ends.setdefault((columns.fabric[row], link), []).append(stretch)
    order = {fabric: place for place, fabric in enumerate(export.topologies)}
    for fabric, link in sorted(ends, key=lambda key: (order[key[0]], key[1])):
        topology = export.topologies[fabric]
        low, high, labels = _joined(topology, ends[fabric, link])
        back = int(topology.links.reverse[link])
        if back < 0:
            raise FormatError(
                f"containerlab cannot say that {topology.link_name(link)} is a link in one direction only",
                hint="its cables join both ways",
                code="FP6010",
            )
        ports = [int(topology.src_port[one]) for one in (link, back)]
        roles = [topology.roles[topology.nodes.role[topology.links.src[one]]] for one in (link, back)]
        level = topology.nodes.level
        if level[topology.links.src[link]] > level[topology.links.dst[link]]:
            ports, roles = ports[::-1], roles[::-1]
        yield names.interface(low, roles[0], ports[0]), names.interface(high, roles[1], ports[1]), labels


def _joined(topology: Topology, stretches: list[tuple[CableEnd, CableEnd, str]]) -> tuple[CableEnd, CableEnd, str]:
    """Ends of a link that takes two fibres through an optical switch, or of one cable."""
    if len(stretches) == 1 or topology.circuit is None:
        return stretches[0]
    optical = {topology.nodes.name[node] for node in set(topology.circuit.tolist()) if node >= 0}
    (a, _, one), *_ = [stretch for stretch in stretches if stretch[1].node in optical]
    (_, b, other), *_ = [stretch for stretch in stretches if stretch[0].node in optical]
    return a, b, f"{one} {other}"


PROFILE = Profile((".clab.yml", ".clab.yaml", ".yml", ".yaml"), _write, "containerlab; fabric convert reads it back")
