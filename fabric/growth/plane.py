"""One plane of several equal ones, as a fabric of its own."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from fabric.growth.rule import BuiltFabric
from topologies.columns import column
from topologies.elements import Links, Nodes
from topologies.topology import Topology


def as_plane(present: BuiltFabric) -> BuiltFabric:
    """Plane 0 of a multi-plane fabric: its switches, the endpoints on it, and their cables."""
    whole = present.topology
    mine = (~whole.is_switch) | (whole.nodes.plane == 0)
    inside = mine[whole.links.src] & mine[whole.links.dst]
    used = np.zeros(len(whole.nodes), dtype=np.bool_)
    used[whole.links.src[inside]] = True
    place, row = np.cumsum(used) - 1, np.cumsum(inside) - 1
    nodes = {field.name: getattr(whole.nodes, field.name)[used] for field in fields(Nodes) if field.name != "name"}
    links = {field.name: getattr(whole.links, field.name)[inside] for field in fields(Links)}
    links["src"], links["dst"] = place[links["src"]], place[links["dst"]]
    links["reverse"] = np.where(links["reverse"] < 0, -1, row[links["reverse"]])
    kinds = whole.nodes, whole.links
    names = tuple(name for name, there in zip(whole.nodes.name, used.tolist(), strict=True) if there)
    topology = Topology(
        name="plane 0",
        kind=str(present.keys["plane"]["kind"]),
        roles=whole.roles,
        tiers=whole.tiers,
        nodes=Nodes(name=names, **{key: column(value, getattr(kinds[0], key).dtype) for key, value in nodes.items()}),
        links=Links(**{key: column(value, getattr(kinds[1], key).dtype) for key, value in links.items()}),
        up=column(whole.up[inside], np.bool_),
    )
    return replace(present, keys=present.keys["plane"], topology=topology)
