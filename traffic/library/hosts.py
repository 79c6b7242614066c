"""The hosts of a communicator as the library sees them: from the ranks' seats, the node group and the fabric."""

from __future__ import annotations

import re

import numpy as np

from topologies.columns import Ints
from topologies.topology import Topology
from traffic.inventory import Inventory
from traffic.library.constants import Generation
from traffic.library.machine import Machine
from traffic.seats import Seats

_OF_PRODUCT: tuple[tuple[str, Generation], ...] = (
    ("V100", "volta"), ("A100", "ampere"), ("A800", "ampere"), ("A30", "ampere"), ("H100", "hopper"),
    ("H200", "hopper"), ("H800", "hopper"), ("H20", "hopper"), ("GH200", "hopper"), ("B200", "blackwell"),
    ("B300", "blackwell"), ("GB200", "blackwell"), ("GB300", "blackwell"), ("B100", "blackwell"),
)  # fmt: skip
_OF_SPEED: tuple[tuple[float, Generation], ...] = ((800, "blackwell"), (400, "hopper"), (250, "ampere"), (0, "volta"))
DEFAULT_GENERATION: Generation = "hopper"


def generation_of(inventory: Inventory, group: str) -> tuple[Generation, str]:
    """Generation of a group's GPUs, and what it was taken from: its product, its scale-up links, or nothing."""
    node = inventory.groups.get(group)
    product = node.gpu.product if node and node.gpu and node.gpu.product else ""
    words = set(re.split(r"[^A-Z0-9]+", product.upper()))
    for name, generation in _OF_PRODUCT:
        if name in words:
            return generation, product
    if node is not None and node.scale_up is not None:
        speed = node.scale_up.speed / 8
        return next(found for least, found in _OF_SPEED if speed >= least), f"scale-up links of {speed:g} GB/s"
    return DEFAULT_GENERATION, ""


def machine_of(
    inventory: Inventory, seats: Seats, group: str, ranks: Ints, generation: Generation | None, cpu: str
) -> Machine:
    """Hosts, GPUs and NICs of one communicator.

    Parameters
    ----------
    group : str
        Node group of the job.
    ranks : ndarray of int, shape (n,)
        Ranks of the job that are in it.
    generation : str, optional
        Of the GPUs; what the node model says if absent.
    """
    domain = seats.domains[ranks]
    hosts, counts = np.unique(domain, return_counts=True)
    first = seats.endpoints[ranks][domain == hosts[0]]
    ends = np.unique(first)
    node = inventory.groups.get(group)
    topology = inventory.topologies[seats.fabric]
    nics = int(topology.nodes.nics[ends].sum())
    return Machine(
        generation=generation or generation_of(inventory, group)[0],
        hosts=len(hosts),
        ranks_per_host=len(ranks) / len(hosts),
        nics_per_host=max(min(nics, _most_nics(counts, nics)), 1),
        nic_gbytes_per_s=_speed_gbps(topology, int(ends[0])) / 8 / max(int(topology.nodes.nics[ends[0]]), 1),
        scale_up_gbytes_per_s=node.scale_up.speed / 8 if node and node.scale_up else 0.0,
        reduces=bool(node and node.scale_up and node.scale_up.reduces),
        cpu=cpu,
    )


def _most_nics(counts: Ints, nics: int) -> int:
    """NICs that a host's ranks reach: no more than one each where it has fewer ranks than NICs."""
    return min(nics, int(counts.max()))


def _speed_gbps(topology: Topology, endpoint: int) -> float:
    """Line rate of an endpoint, all its links, up or down."""
    return float(topology.links.capacity_gbps[topology.links.src == endpoint].sum())
