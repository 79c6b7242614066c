"""One switch for all hosts of a plane."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.design.counting.layout import Layout, Sizes, host_link
from fabric.design.counting.port_options import host_options
from fabric.design.counting.shares import Share
from fabric.design.counting.tables import single_variant
from fabric.design.family import Variant
from topologies.catalogue import Catalogue


def single_switches(family: str, share: Share, catalogue: Catalogue) -> Iterator[Variant]:
    """Every model that has the ports; nothing may be asked to survive but with endpoints on other planes."""
    need = share.need
    if need.single_failures and share.homes < 2:
        return
    links = need.hosts * share.nics
    for option in host_options(need, catalogue, share.gbps):
        if share.room * share.nics <= option.ports:
            layout = Layout(
                family, share, ("switch",), (option,), (host_link(share, option, tier="host-switch"),), "single-switch"
            )
            yield single_variant(layout, Sizes({"switch": option.spec()}, (1,), (), (links,), {}))
