"""Hosts in blocks: what a scheduler keeps whole, the scale-up domain of the hosts or the lowest group of the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.share.schedulers.switch_tree import SwitchTree, hosts_per_domain
from topologies.columns import Ints, column
from topologies.errors import ScenarioError
from traffic.inventory import Inventory

DOMAIN, UNIT = "nvl-domain", "unit"
BLOCKS_BY = (DOMAIN, UNIT)


@dataclass(frozen=True, eq=False)
class HostBlocks:
    """Blocks of the hosts of a tree."""

    by: str
    names: tuple[str, ...]
    of_host: Ints  # shape (H,), -1 for hosts in no block

    @property
    def sizes(self) -> Ints:
        """Hosts of every block, shape (blocks,)."""
        return column(np.bincount(self.of_host[self.of_host >= 0], minlength=len(self.names)), np.int32)


def host_blocks(inventory: Inventory, tree: SwitchTree, by: str) -> HostBlocks:
    """Blocks of the hosts of a fabric.

    Parameters
    ----------
    by : str
        ``nvl-domain``: scale-up domains of more than one host, such as NVL72; ``unit``: lowest groups of the tree.

    Raises
    ------
    ScenarioError
        When no scale-up domain joins hosts (FP8070).
    """
    if by == UNIT:
        return HostBlocks(by, tree.levels[0].names if tree.levels else (), tree.group)
    place = {host: number for number, host in enumerate(tree.hosts)}
    of_host = np.full(len(tree.hosts), -1, dtype=np.int64)
    names: list[str] = []
    for name, group in inventory.groups.items():
        spanned = hosts_per_domain(inventory, name)
        if spanned <= 1 or tree.fabric not in group.nics:
            continue
        rows = np.array([place[host] for host in group.hosts], dtype=np.int64)
        domain = np.arange(len(rows)) // spanned
        of_host[rows] = len(names) + domain
        names += [f"{name}-domain{number}" for number in range(int(domain.max(initial=-1)) + 1)]
    if not names:
        raise ScenarioError(
            f"no scale-up domain joins hosts of {tree.fabric}: each GPU domain is within a host",
            hint=f"--block-by {UNIT} takes the hosts of the same switches as a block",
            code="FP8070",
        )
    return HostBlocks(by, tuple(names), column(of_host, np.int32))
