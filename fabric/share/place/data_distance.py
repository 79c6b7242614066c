"""How far hosts are from the storage that a job reads from and writes to."""

from __future__ import annotations

import numpy as np

from fabric.share.place.setting import PlaceSetting
from fabric.share.schedulers.switch_tree import switch_tree
from topologies.columns import Floats, column
from traffic.workload import Phase


def data_distance(setting: PlaceSetting) -> Floats | None:
    """Mean level at which every host meets its servers, over the bytes it exchanges with each, shape (H,).

    None where the job reads and writes nothing, or on the fabric of its collectives alone.
    """
    found: Floats | None = None
    for phase in setting.workload.phases:
        if phase.fabric is None or (phase.every_step and not phase.steady) or not phase.flows.pairs:
            continue
        one = _levels_to(setting, phase)
        found = one if found is None else column(found + one, np.float64)
    return found


def _levels_to(setting: PlaceSetting, phase: Phase) -> Floats:
    fabric = phase.fabric or ""
    inventory = setting.network.inventory
    tree = switch_tree(inventory, fabric)
    weight = _servers(setting, phase, tree.hosts)
    rows = {name: row for row, name in enumerate(tree.hosts)}
    mine = np.array([rows.get(name, -1) for name in setting.hosts], dtype=np.int64)
    if (mine < 0).any() or not weight.any():
        return column(np.zeros(len(setting.hosts)), np.float64)
    far = np.full(len(setting.hosts), float(len(tree.levels)))
    for of_host in tree.group_at:
        of_group = np.bincount(of_host[of_host >= 0], weight[of_host >= 0], int(of_host.max(initial=-1)) + 1)
        far -= np.where(of_host[mine] >= 0, of_group[of_host[mine]], 0.0)
    return column(far, np.float64)


def _servers(setting: PlaceSetting, phase: Phase, hosts: tuple[str, ...]) -> Floats:
    """Part of the bytes at every host of the fabric that is not one of the job's, shape (hosts,)."""
    fabric, inventory = phase.fabric or "", setting.network.inventory
    topology = inventory.topologies[fabric]
    amount = phase.flows.sent(len(topology.nodes)) + phase.flows.received(len(topology.nodes))
    of_host = np.zeros(len(hosts))
    rows = {name: row for row, name in enumerate(hosts)}
    for name, group in inventory.groups.items():
        if name == setting.group or fabric not in group.nics:
            continue
        ends = inventory.host_endpoints(fabric, name)
        for host, nodes in zip(group.hosts, ends, strict=True):
            of_host[rows[host]] = amount[nodes].sum()
    return column(of_host / max(of_host.sum(), 1e-300), np.float64)
