"""Ports and tables of switches: what nothing is on, and what is near its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fabric.review.finding import Finding
from topologies.catalogue import Catalogue, SwitchModel
from topologies.oversubscription import plural
from topologies.topology import Topology
from topologies.units import percent

_NAMED = 3
_NEAR = 0.8  # of a table
_STRANDED = 0.5  # of the ports of a role


def models_of(spec: object, catalogue: Catalogue) -> dict[str, SwitchModel]:
    """Models of a fabric's switches by role, as far as its topology names them."""
    models: dict[str, SwitchModel] = {}
    common = _model(getattr(spec, "switch", None)) or _model(spec)
    for role in ("leaf", "spine", "superspine", "core", "edge", "agg", "switch", "router"):
        name = _model(getattr(spec, role, None)) or common
        if name is not None and name in catalogue.switches:
            models[role] = catalogue.switches[name]
    return models


def _model(keys: Any) -> str | None:
    name = getattr(keys, "model", None)
    return name if isinstance(name, str) else None


def port_findings(fabric: str, topology: Topology) -> Iterator[Finding]:
    """Unused ports by role, switches that nothing is on, and roles without a port to spare."""
    radix, used = topology.nodes.radix, np.ceil(topology.ports_used)
    for code, role in enumerate(topology.roles):
        members = np.flatnonzero((topology.nodes.role == code) & topology.is_switch & (radix > 0))
        if not len(members):
            continue
        have, taken = int(radix[members].sum()), int(used[members].sum())
        free = radix[members] - used[members]
        idle = members[used[members] == 0]
        step = f"{have:,} ports - {taken:,} used = {have - taken:,}"
        if len(idle):
            names = ", ".join(topology.nodes.name[node] for node in idle[:_NAMED])
            text = f"{len(idle):,} {plural(role)} without a cable: {names}{' …' if len(idle) > _NAMED else ''}"
            yield Finding("warning", "unused", role, text, (step,), f"fewer {plural(role)}, or cable them", fabric)
        if have - taken > 0:
            each = f"{int(free.min()):,}" if free.min() == free.max() else f"{int(free.min()):,} to {int(free.max()):,}"
            part = percent((have - taken) / have)
            worst = topology.nodes.name[members[int(np.argmax(free))]]
            unused = f"{have - taken:,} of {have:,} ports of {plural(role)} are unused ({part})"
            text = f"{unused}: {each} each, most on {worst}"
            fix = (
                "smaller switches or fewer of them; or say that they are kept for growth"
                if (have - taken) / have >= _STRANDED
                else "room for growth"
            )
            yield Finding("note", "unused", role, text, (step,), fix, fabric)
        full = int((free <= 0).sum())
        if full:
            text = f"{full:,} of {len(members):,} {plural(role)} have no port to spare"
            fix = "nothing, if the fabric does not grow; else reserve ports, or models with more"
            yield Finding("note", "limit", role, text, (f"radix {int(radix[members].max())}, all used",), fix, fabric)


def table_findings(fabric: str, topology: Topology, models: dict[str, SwitchModel]) -> Iterator[Finding]:
    """Tables of switches against a route per NIC, and ports in ECMP groups."""
    nics = int(topology.nodes.nics.sum())
    rising = topology.direction > 0
    ups = np.bincount(topology.links.src[rising], minlength=len(topology.nodes))
    for code, role in enumerate(topology.roles):
        model = models.get(role)
        members = np.flatnonzero((topology.nodes.role == code) & topology.is_switch)
        if model is None or not len(members):
            continue
        if model.tcam_entries is not None and nics > _NEAR * model.tcam_entries:
            part = percent(nics / model.tcam_entries)
            text = f"a route per NIC fills {part} of the table of {model.model} ({role})"
            steps = (f"{nics:,} NICs / {model.tcam_entries:,} entries = {part}",)
            severity = "warning" if nics > model.tcam_entries else "note"
            yield Finding(
                "warning" if severity == "warning" else "note", "limit", role, text, steps,
                "aggregate addresses by leaf, as fabric export does where it can", fabric,
            )  # fmt: skip
        most = int(ups[members].max(initial=0))
        if model.group_members is not None and most > _NEAR * model.group_members:
            text = f"one ECMP group over {most:,} uplinks of a {role} takes {model.group_members:,} members at most"
            yield Finding("warning", "limit", role, text, (), "fewer uplinks in a group", fabric)
