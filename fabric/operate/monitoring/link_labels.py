"""Which counter of which device tells the load of a link, and the labels of its series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric.cables.devices import Devices, devices_of
from fabric.cables.models import node_models
from fabric.cables.ports import link_ends
from fabric.operate.monitoring.names_file import GivenNames
from fabric.operate.monitoring.profiles import Profile
from fabric.scenario.load import LoadedScenario
from topologies.topology import Topology


@dataclass(frozen=True)
class PortEnd:
    """A port as an exporter calls it."""

    instance: str
    port: str


@dataclass(frozen=True, eq=False)
class MeasuredLinks:
    """Directed links of a fabric that an exporter reports on.

    Attributes
    ----------
    sent, received : mapping
        Link -> the port that sends it, that receives it; only ports that report.
    """

    fabric: str
    topology: Topology
    sent: Mapping[int, PortEnd]
    received: Mapping[int, PortEnd]

    @property
    def links(self) -> tuple[int, ...]:
        """Links of which one end reports, in order."""
        return tuple(sorted({*self.sent, *self.received}))

    def end(self, link: int) -> tuple[PortEnd, str]:
        """The port that tells a link's load, the sending one where it reports; and whether it is sent or received."""
        sender = self.sent.get(link)
        return (sender, "sent") if sender is not None else (self.received[link], "received")

    def labels(self, link: int) -> dict[str, str]:
        """Labels of the link's series; planes and rails where there are any."""
        net, links, nodes = self.topology, self.topology.links, self.topology.nodes
        src, dst = int(links.src[link]), int(links.dst[link])
        port, end = self.end(link)
        turn = int(net.direction[link])
        between = bool(net.is_switch[src] and net.is_switch[dst])
        labels = {
            "fabric": self.fabric,
            "link": net.link_name(link),
            "tier": net.tiers[links.tier[link]],
            "direction": "up" if turn > 0 else "down" if turn < 0 else "level",
            "between": "switches" if between else "host",
            "src": nodes.name[src],
            "dst": nodes.name[dst],
            "instance": port.instance,
            "port": port.port,
            "end": end,
            "planned": "up" if net.up[link] else "down",
        }
        for name, column in (("plane", nodes.plane), ("rail", nodes.rail)):
            value = max(int(column[src]), int(column[dst]))
            labels |= {name: str(value)} if value >= 0 else {}
        return labels


def measured_links(
    loaded: LoadedScenario,
    topologies: Mapping[str, Topology],
    fabrics: Sequence[str],
    profile: Profile,
    names: GivenNames,
) -> dict[str, MeasuredLinks]:
    """Links of every fabric that is named.

    Parameters
    ----------
    names : GivenNames
        What devices and their ports are called, where that is not as in the plan.
    """
    devices = devices_of(loaded, topologies)
    names.check({name for one in devices.values() for name in one.name})
    return {name: _of_fabric(loaded, topologies[name], devices[name], profile, names) for name in fabrics}


def _of_fabric(
    loaded: LoadedScenario, topology: Topology, devices: Devices, profile: Profile, names: GivenNames
) -> MeasuredLinks:
    models = node_models(topology, loaded.scenario.fabrics[devices.fabric].topology)
    ends = link_ends(topology, models, devices)
    sent: dict[int, PortEnd] = {}
    received: dict[int, PortEnd] = {}
    switch = topology.is_switch.tolist()

    def named(node: int, port: str) -> PortEnd | None:
        device = devices.name[node]
        if not names.reports(device, profile.switches if switch[node] else profile.hosts):
            return None
        return PortEnd(*names.of(device, port, profile.interface(port)))

    backwards = topology.links.reverse.tolist()
    src = topology.links.src.tolist()
    for row, link in enumerate(ends.link.tolist()):
        pair = {ends.node[side][row]: named(int(ends.node[side][row]), ends.names[side][row]) for side in (0, 1)}
        for one in (link, backwards[link]):
            if one < 0:
                continue
            here = pair.get(src[one])
            there = next((end for node, end in pair.items() if node != src[one]), None)
            sent |= {one: here} if here is not None else {}
            received |= {one: there} if there is not None else {}
    return MeasuredLinks(devices.fabric, topology, sent, received)
