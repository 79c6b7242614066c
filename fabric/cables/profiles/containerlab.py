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
    names = _Names(export)
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

    def __init__(self, export: CableExport) -> None:
        roles = {
            fabric: {
                name: (topology.roles[role], is_switch)
                for name, role, is_switch in zip(
                    topology.nodes.name, topology.nodes.role.tolist(), topology.is_switch.tolist(), strict=True
                )
            }
            for fabric, topology in export.topologies.items()
        }
        often = Counter(name for of in roles.values() for name, (_, is_switch) in of.items() if is_switch)
        self._roles, self._often = roles, often
        self._used: Counter[str] = Counter()
        self._of: dict[tuple[str, str], str] = {}
        self.groups: dict[str, str] = {}

    def container(self, fabric: str, device: str) -> str:
        """Name of the container of a device."""
        role, is_switch = self._roles[fabric].get(device, ("host", False))
        key = (fabric if is_switch else "", device)
        if key not in self._of:
            own = f"{fabric}-{device}" if is_switch and self._often[device] > 1 else device
            name = re.sub(r"[^A-Za-z0-9_.-]", "-", own)
            if name in self.groups:
                raise FormatError(
                    f"containerlab cannot tell {device} from another device: both become {name}",
                    hint="names of letters, digits, dots and dashes stay as they are; --fabric writes one fabric",
                    code="FP3305",
                )
            self._of[key] = name
            self.groups[name] = role if is_switch else "host"
        return self._of[key]

    def interface(self, fabric: str, device: str, port: int) -> str:
        """Container and interface of an end: of a switch by its port, of a host the next."""
        name = self.container(fabric, device)
        if not self._roles[fabric].get(device, ("host", False))[1]:
            port = self._used[name]
            self._used[name] += 1
        return f"{name}:eth{port + 1}"


def _links(export: CableExport, names: _Names) -> Iterator[tuple[str, str, str]]:
    """Interfaces at both ends of every link, and the label of its cable, in the order of the networks."""
    columns = export.schedule.columns
    ends: dict[tuple[str, int], list[tuple[CableEnd, CableEnd, str]]] = {}
    for row, link, a, b in columns.each_link():
        ends.setdefault((columns.fabric[row], link), []).append((a, b, columns.label[row]))
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
        first, second = int(topology.src_port[link]), int(topology.src_port[back])
        level = topology.nodes.level
        if level[topology.links.src[link]] > level[topology.links.dst[link]]:
            first, second = second, first
        yield names.interface(fabric, low.node, first), names.interface(fabric, high.node, second), labels


def _joined(topology: Topology, stretches: list[tuple[CableEnd, CableEnd, str]]) -> tuple[CableEnd, CableEnd, str]:
    """Ends of a link that takes two fibres through an optical switch, or of one cable."""
    if len(stretches) == 1 or topology.circuit is None:
        return stretches[0]
    optical = {topology.nodes.name[node] for node in set(topology.circuit.tolist()) if node >= 0}
    (a, _, one), *_ = [stretch for stretch in stretches if stretch[1].node in optical]
    (_, b, other), *_ = [stretch for stretch in stretches if stretch[0].node in optical]
    return a, b, f"{one} {other}"


PROFILE = Profile((".clab.yml", ".clab.yaml", ".yml", ".yaml"), _write, "containerlab; fabric convert reads it back")
