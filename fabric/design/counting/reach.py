"""How many NICs a family reaches with the switches of a catalogue, without oversubscription."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.port_options import PortOption, host_options, host_splits, upper_options
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue


def one_switch_reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """NICs on the ports of the widest switch."""
    return max((leaf.ports for leaf in host_options(need, catalogue, need.nic_gbps)), default=0)


def two_tier_reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """Half the ports of a leaf for hosts, at its speeds, times the ports of a spine."""
    return max((down * spine.ports for down, _, spine in _leaves(need, catalogue)), default=0)


def three_tier_reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """The same with pods of leaves under spines, half of whose ports point up to cores."""
    if need.max_tiers < 3:
        return two_tier_reach(need, catalogue)
    return max(
        (
            down * _down_ports(spine.ports, min(leaf.gbps, spine.gbps), min(spine.gbps, core.gbps)) * core.ports
            for down, leaf, spine in _leaves(need, catalogue)
            for core in upper_options(need, catalogue, spine)
        ),
        default=0,
    )


def _leaves(need: FabricNeed, catalogue: Catalogue) -> Iterator[tuple[int, PortOption, PortOption]]:
    """Links for hosts on a leaf without oversubscription, with every leaf and spine."""
    for leaf in host_options(need, catalogue, need.nic_gbps):
        for ways, _ in host_splits(leaf, need.nic_gbps):
            for spine in upper_options(need, catalogue, leaf):
                down = _down_ports(leaf.ports, need.nic_gbps * ways, min(leaf.gbps, spine.gbps))
                yield down * ways, leaf, spine


def _down_ports(ports: int, down_gbps: float, up_gbps: float) -> int:
    """Most ports down that as much bandwidth up is left for."""
    down = int(ports * up_gbps / (down_gbps + up_gbps))
    return max(down, 0)


def equal_switch_reach(need: FabricNeed, catalogue: Catalogue) -> int:
    """Ends of a fat tree of equal switches: ``k²/2`` in two tiers, ``k³/4`` in three."""
    tiers = min(need.max_tiers, 3)
    options = host_options(need, catalogue, need.nic_gbps)
    return max((2 * (option.ports // 2) ** tiers for option in options), default=0)
