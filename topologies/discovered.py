"""A topology from devices and the cables between their named ports: what discovery tools and lab files tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from topologies.columns import column
from topologies.host_roles import LEVEL_ROLES, distances
from topologies.reading.text_input import Findings
from topologies.tables import ENDPOINT_ROLES, ROUTER, pair_directions, role_level, topology_of_tables
from topologies.topology import Topology

MANAGEMENT = "management"


@dataclass(frozen=True)
class Device:
    """A node of a file."""

    name: str
    host: bool | None = None  # whether it ends traffic; None: the file does not say
    idle: bool = False  # a host of the network's own, such as of its management: it sends nothing that a job sends
    role: str | None = None
    ports: int = 0  # 0: not known


@dataclass(frozen=True)
class PortCable:
    """A cable between two ports, and where the file says so."""

    one: tuple[str, str]  # device and port
    other: tuple[str, str]
    gbps: float = float("nan")
    line: int | None = None


def sound_cables(cables: Sequence[PortCable], devices: Mapping[str, Device], findings: Findings) -> list[PortCable]:
    """Cables that join two ports of two known devices, each port once; the others go to ``findings``."""
    taken: dict[tuple[str, str], PortCable] = {}
    sound = []
    for cable in cables:
        ends = (cable.one, cable.other)
        lost = next((end for end in ends if end[0] not in devices), None)
        twice = next((end for end in ends if end in taken), None)
        if cable.one[0] == cable.other[0]:
            message = f"{cable.one[0]} is cabled to itself, {cable.one[1]} to {cable.other[1]}"
            findings.add(message, code="FP6007", line=cable.line, hint="a cable has two different ends")
        elif lost is not None:
            findings.add(
                f"a cable leads to {lost[0]}, which is not a node of the file",
                code="FP6006",
                line=cable.line,
                hint="add the node, or remove the cable",
            )
        elif twice is not None:
            before = taken[twice].line
            where = f", first on line {before}" if before else ""
            findings.add(f"two cables on port {twice[1]} of {twice[0]}{where}", code="FP6007", line=cable.line)
        else:
            taken[cable.one] = taken[cable.other] = cable
            sound.append(cable)
    return sound


def topology_of_devices(name: str, devices: Sequence[Device], cables: Sequence[PortCable]) -> Topology:
    """Hosts end traffic, switches forward it; levels by distance from the hosts where roles do not say.

    Where no device is known to be a host, every device is a router: an endpoint that forwards. Idle devices neither end
    traffic nor forward it.
    """
    ids = {device.name: number for number, device in enumerate(devices)}
    one = column([ids[cable.one[0]] for cable in cables], np.int32)
    other = column([ids[cable.other[0]] for cable in cables], np.int32)
    host = np.array([bool(device.host) for device in devices], dtype=np.bool_)
    idle = np.array([device.idle for device in devices], dtype=np.bool_)
    degree = np.bincount(np.concatenate([one, other]), minlength=len(devices))
    if host.any():
        between = ~idle[one] & ~idle[other]
        level = distances(host, one[between], other[between])
        roles = [
            device.role or ("host" if host[number] else LEVEL_ROLES.get(int(level[number]), "switch"))
            for number, device in enumerate(devices)
        ]
        known = [role_level(device.role) if device.role else int(level[n]) for n, device in enumerate(devices)]
        level = column(known, np.int32)
    else:
        roles = [device.role if device.role and device.role not in ENDPOINT_ROLES else ROUTER for device in devices]
        level = column(np.ones(len(devices)), np.int32)
    roles = [MANAGEMENT if idle[number] else role for number, role in enumerate(roles)]
    level = column(np.where(idle, 0, level), np.int32)
    low_first = level[one] > level[other]
    low, high = np.where(low_first, other, one), np.where(low_first, one, other)
    src, dst = np.stack([low, high], axis=1).ravel(), np.stack([high, low], axis=1).ravel()
    names = [
        port
        for cable, turned in zip(cables, low_first.tolist(), strict=True)
        for port in ((cable.other[1], cable.one[1]) if turned else (cable.one[1], cable.other[1]))
    ]
    built = topology_of_tables(
        name,
        "file",
        names=[device.name for device in devices],
        roles=roles,
        nodes={
            "level": level,
            "forwards": ~(host | idle),
            "nics": np.where(host, degree, np.where(idle | host.any(), 0, 1)),
            "radix": [0 if host[n] or idle[n] else device.ports for n, device in enumerate(devices)],
        },
        links={"src": src, "dst": dst, "capacity_gbps": np.repeat([cable.gbps for cable in cables], 2)},
        tiers=[None] * len(src),
        reverse=np.arange(len(src)) ^ 1 if len(src) else pair_directions([], []),
    )
    return replace(built, src_port_names=tuple(names))
