"""Rail-only: one network per rail, which never meet; GPUs of different rails talk inside their domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.builder import TOPOLOGIES, Hosts, check_nic_speed
from topologies.clos_cabling import add_leaves, add_upper_tiers
from topologies.clos_counts import ClosPlan
from topologies.clos_keys import ClosKeys
from topologies.clos_plan import plan
from topologies.columns import Ints
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import AttachOrder, HostGroup, attached_per_leaf
from topologies.node_names import node_names
from topologies.rails import check_rails_per_switch
from topologies.switches import Switch, SwitchPorts, switch_ports
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(
    gpus: int | None,
    domain_size: int,
    radix: int | None,
    speed: float | None,
    switch: SwitchPorts | None = None,
    rails_per_switch: int = 1,
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """One smallest non-blocking Clos for every ``rails_per_switch`` of domain_size rails of gpus/domain_size ends."""
    ports, speed = switch_ports(switch, radix, speed)
    gpus = gpus or sum(len(group.hosts) * group.nics for group in hosts)
    networks = domain_size // rails_per_switch
    sizes = _network(gpus // networks, ports)
    cables = {"host-leaf": gpus}
    if sizes is not None:
        cables |= {tier: networks * count for tier, count in sizes.cables_by_tier.items()}
    return Facts(
        endpoints=gpus,
        switches=networks * (sizes.switches if sizes else 1),
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        parts=networks,
    )


@TOPOLOGIES.register("rail-only", facts=facts, example={"gpus": 64, "domain_size": 4, "radix": 8, "speed": "400G"})
def rail_only(
    domain_size: Annotated[Count, Field(description="GPUs of a high-bandwidth domain, and so rails")],
    radix: Annotated[Count | None, Field(description="Ports per switch", ge=4, examples=[64])] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link", examples=["400G"])] = None,
    switch: Switch = None,
    gpus: Annotated[Count | None, Field(description="GPUs; those of the nodes if absent")] = None,
    rails_per_switch: Annotated[
        Count, Field(description="Neighbouring rails that share switches, and so meet", examples=[2])
    ] = 1,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Rail-only: GPU i of every high-bandwidth domain is on rail i, each rail a Clos of its own, as small as can be.

    A rail that fits one switch is one switch; with ``rails_per_switch`` so many neighbouring rails share a Clos, or one
    switch, which is numbered after the first of them. Nodes with fewer NICs than the domain has GPUs make a domain
    together, in their order. Rails that share no switch never meet, so that collectives must keep to them; what crosses
    rails goes over NVLink first.

    References
    ----------
    Wang et al., "Rail-only: a low-cost high-performance network for training LLMs", arXiv 2307.12169, section 3.
    """
    ports, gbps = switch_ports(switch, radix, speed)
    attached = sum(len(group.hosts) * group.nics for group in hosts)
    count = gpus or attached
    _check(count, attached, domain_size, hosts)
    check_rails_per_switch(rails_per_switch, domain_size, key="domain_size")
    together = count // domain_size * rails_per_switch
    sizes = _network(together, ports)
    net = assemble(f"rail-only({count} GPUs, {domain_size} rails)", "rail-only")
    ends = _endpoints(net, count, domain_size, hosts, gbps)
    for rail in range(0, domain_size, rails_per_switch):
        own = ends[:, rail : rail + rails_per_switch].ravel()
        prefix = f"rail{rail}/"
        if sizes is None:
            leaf = net.switches("leaf", node_names("leaf", [0], rail=rail), level=1, radix=ports, rail=rail)
            net.cables(own, np.repeat(leaf, len(own)), gbps)
            continue
        leaf, _ = add_leaves(net, sizes, ports, prefix=prefix, rail=rail)
        per_leaf = attached_per_leaf(together, sizes.leaves, sizes.host_ports, attach_order)
        net.cables(own, np.repeat(leaf, per_leaf), gbps)
        add_upper_tiers(net, sizes, leaf, ports, gbps, prefix=prefix, rail=rail)
    return net.freeze()


def _network(endpoints: int, radix: int) -> ClosPlan | None:
    """The Clos of one rail, or of those that share switches; None where one switch has the ports."""
    return None if endpoints <= radix else plan(ClosKeys(radix, speed=1.0).design, endpoints, None)


def _check(count: int, attached: int, domain_size: int, hosts: Sequence[HostGroup]) -> None:
    if not count:
        raise TopologyError("neither gpus nor nodes say how many GPUs there are", where="gpus", hint="add gpus")
    if hosts and count != attached:
        raise TopologyError(
            f"gpus is {count:,} but the nodes have {attached:,} NICs",
            where="gpus",
            hint="leave gpus out to follow the nodes",
            code="FP3032",
        )
    bad = next((group for group in hosts if domain_size % group.nics), None)
    if count % domain_size or bad is not None:
        what = f"{bad.name} has {bad.nics} NICs a node, which do not" if bad else f"{count:,} GPUs do not"
        raise TopologyError(
            f"{what} make whole domains of {domain_size}",
            where="domain_size",
            hint=f"gpus: {count // domain_size * domain_size or domain_size}" if not bad else "a multiple of the NICs",
            code="FP3028",
        )


def _endpoints(net: Assembler, count: int, domain_size: int, hosts: Sequence[HostGroup], speed: float) -> Ints:
    """Endpoints by domain and rail, shape (domains, domain_size); every NIC is one."""
    groups = hosts or (
        HostGroup("domain", tuple(node_names("host", range(count // domain_size))), domain_size, speed, "per-gpu"),
    )
    ids = []
    for group in groups:
        check_nic_speed(group, speed, where="speed")
        if group.rail != "per-gpu" and group.nics > 1:
            raise TopologyError(
                f"{group.name} shares its NICs; on a rail-only fabric every GPU has its own",
                where="domain_size",
                hint=f"set rail: per-gpu for the NICs of {group.name}",
                code="FP3028",
            )
        names = [group.nic_name(host, nic) for host in group.hosts for nic in range(group.nics)]
        ids.append(net.hosts(names, rail=np.arange(len(names)) % domain_size))
    return np.concatenate(ids).reshape(-1, domain_size)
