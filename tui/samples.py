"""Samples in dialogues: in the scenario's own names, so that what is offered is taken."""

from __future__ import annotations

from tui.session import Session


def down_samples(session: Session) -> tuple[str, ...]:
    """What can fail on the fabric looked at: a switch, a link between switches, a role, a unit or pod."""
    entry = session.entry
    if entry is None:
        return ()
    topology = entry.topology
    names, links, nodes = topology.nodes.name, topology.links, topology.nodes
    switches = topology.is_switch.nonzero()[0].tolist()
    samples = [names[node] for node in switches[:1]]
    between = (topology.is_switch[links.src] & topology.is_switch[links.dst]).nonzero()[0].tolist()
    samples += [f"link={names[links.src[link]]}:{names[links.dst[link]]}" for link in between[:1]]
    samples += [f"role={topology.roles[nodes.role[node]]}" for node in switches[-1:]]
    for kind, column in (("unit", nodes.unit), ("pod", nodes.pod)):
        numbers = column[topology.is_switch]
        samples += [f"{kind}={number}" for number in numbers[numbers >= 0].tolist()[:1]]
    return tuple(samples)


def set_sample(session: Session) -> str:
    """A key that every scenario has, with another value than its own."""
    return f"seed={session.loaded.scenario.seed + 1}"
