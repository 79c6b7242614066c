"""The plan's ends: both ends of every cable, by the names that the cable schedule prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.cables.devices import Devices, devices_of
from fabric.cables.models import node_models
from fabric.cables.ports import link_ends
from fabric.cables.runs import Standing, standing
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.catalogue import SwitchModel
from topologies.columns import Bools, Floats, Ints, column
from topologies.topology import Topology


@dataclass(frozen=True)
class Port:
    """A port of a device, and where that stands; of a port that the plan does not have, as it was told."""

    device: str
    port: str
    rack: str = ""
    unit: int | None = None

    def __str__(self) -> str:
        return f"{self.device}:{self.port}"


@dataclass(frozen=True, eq=False)
class PlannedEnds:
    """Both ends of every cable of every fabric: those of cable c are 2c and 2c + 1, the lower one first; shape (E,).

    A link is a cable here, also one of several that share a splitter, and one that passes an optical switch, which
    no neighbour sees.

    Attributes
    ----------
    fabric : ndarray
        Row of ``fabrics``.
    device : ndarray
        Row of ``devices``, which are those of all fabrics.
    node, link : ndarray
        Node and directed link (the cable's lower id) of the fabric's topology.
    ordinal : ndarray
        Number of the port on its device, from 0, in the order of the plan.
    of_node : ndarray
        The same on its node, where a device has several, such as a host with its NICs.
    gbps : ndarray
        Speed of the port, Gbps.
    models : tuple
        The catalogue's row of every device, shape (D,); None where the scenario does not say.
    """

    topologies: Mapping[str, Topology]
    fabrics: tuple[str, ...]
    devices: tuple[str, ...]
    fabric: Ints
    device: Ints
    node: Ints
    link: Ints
    ordinal: Ints
    of_node: Ints
    gbps: Floats
    is_switch: Bools
    port: tuple[str, ...]
    where: tuple[Standing, ...]
    models: tuple[SwitchModel | None, ...]

    def __len__(self) -> int:
        return len(self.port)

    def topology(self, end: int) -> Topology:
        """The fabric that an end is of."""
        return self.topologies[self.fabrics[int(self.fabric[end])]]

    def node_name(self, end: int) -> str:
        """The node that an end is of."""
        return self.topology(end).nodes.name[int(self.node[end])]

    def at(self, end: int) -> Port:
        """An end as people know it."""
        stands, node = self.where[int(self.fabric[end])], int(self.node[end])
        rack = int(stands.rack[node])
        unit = int(stands.unit[node]) if rack >= 0 and stands.placed[node] else None
        return Port(self.devices[int(self.device[end])], self.port[end], stands.racks[rack] if rack >= 0 else "", unit)

    @cached_property
    def degree(self) -> Ints:
        """Ends on every device, shape (D,)."""
        return column(np.bincount(self.device, minlength=len(self.devices)), np.int32)

    @cached_property
    def first(self) -> Ints:
        """First end of every device, shape (D,)."""
        return column(np.unique(self.device, return_index=True)[1], np.int32)


def planned_ends(loaded: LoadedScenario, network: Network) -> PlannedEnds:
    """Ends of all cables of a scenario, whether they are up or down.

    Raises
    ------
    FormatError, TopologyError
        As reading the network did.
    """
    known = devices_of(loaded, network.topologies)
    codes: dict[str, int] = {}
    rows: dict[int, SwitchModel] = {}
    parts = [
        _of_fabric(loaded, network, fabric, at, known[fabric], codes, rows)
        for at, fabric in enumerate(network.topologies)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    device = columns["device"]
    return PlannedEnds(
        dict(network.topologies),
        tuple(network.topologies),
        tuple(codes),
        column(columns["fabric"], np.int32),
        column(device, np.int32),
        column(columns["node"], np.int32),
        column(columns["link"], np.int32),
        column(_numbered(columns), np.int32),
        column(columns["rank"], np.int32),
        column(columns["gbps"], np.float64),
        column(columns["is_switch"], np.bool_),
        tuple(columns["port"].tolist()),
        tuple(standing(loaded, network.site, known[fabric]) for fabric in network.topologies),
        tuple(rows.get(device) for device in range(len(codes))),
    )


def _of_fabric(
    loaded: LoadedScenario,
    network: Network,
    fabric: str,
    at: int,
    devices: Devices,
    codes: dict[str, int],
    rows: dict[int, SwitchModel],
) -> dict[str, np.ndarray]:
    """Columns of one fabric; ``codes`` numbers devices in the order that they are met, ``rows`` has their models."""
    topology = network.topologies[fabric]
    models = node_models(topology, loaded.scenario.fabrics[fabric].topology)
    ends = link_ends(topology, models, devices)
    count, links = len(ends), topology.links
    code = np.array([codes.setdefault(name, len(codes)) for name in devices.name], dtype=np.int64)
    for own in np.flatnonzero(models.of_node >= 0).tolist():
        switch = models.at(own)
        if switch is not None and switch.row is not None:
            rows[int(code[own])] = switch.row
    node = np.stack(ends.node, axis=1).ravel()
    back = links.reverse[ends.link]
    whole = links.capacity_gbps
    gbps = np.maximum(whole[ends.link], np.where(back < 0, 0.0, whole[np.maximum(back, 0)]))
    return {
        "fabric": np.full(2 * count, at),
        "device": code[node],
        "node": node,
        "link": np.repeat(ends.link, 2),
        "rank": np.stack(ends.port, axis=1).ravel(),
        "gbps": np.repeat(gbps, 2),
        "is_switch": topology.is_switch[node],
        "port": np.array([name for pair in zip(*ends.names, strict=True) for name in pair], dtype=object),
    }


def _numbered(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Number of every end among those of its device: fabric by fabric, node by node, port by port."""
    device = columns["device"]
    order = np.lexsort((columns["rank"], columns["node"], columns["fabric"], device))
    number = np.empty(len(device), dtype=np.int64)
    number[order] = np.arange(len(device)) - np.searchsorted(device[order], device[order])
    return number
