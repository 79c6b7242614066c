"""What routing assumes where the scenario does not say: what packets lose, spraying costs and pieces of flows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric.pipeline.unused_options import options_read
from fabric.routing.names import DEFAULT_OBJECTIVE
from fabric.routing.router import ROUTERS, traits_of
from fabric.scenario.fabric_schema import FabricSpec
from topologies.units import format_bytes, percent


def routing_assumptions(
    fabrics: Mapping[str, FabricSpec], routers: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    """Sentences and the keys that decide, of the routers that each fabric is routed by."""
    found = []
    for name, names in routers.items():
        routing = fabrics[name].routing
        granularity = routing.adaptive.granularity
        read = {key for router in names for key in _read(router, routing.router, granularity)}
        where = f"fabrics.{name}.routing"
        if "hash" in read and "packet_slowdown" not in routing.hash.model_fields_set:
            lost = percent(routing.hash.packet_slowdown - 1, 0)
            text = f"hashed flows that collide finish up to {lost} later than max-min fair sharing says on {name}"
            found.append((f"{text} (packet simulations of RoCE and HPCC: 10 to 20 %)", f"{where}.hash.packet_slowdown"))
        if "spray_efficiency" in read and "spray_efficiency" not in routing.model_fields_set:
            filled = percent(routing.spray_efficiency, 0)
            text = f"sprayed traffic fills at most {filled} of a link between switches on {name}"
            found.append(
                (f"{text} (packet simulation: the worst flow takes 1.09 of its ideal)", f"{where}.spray_efficiency")
            )
        if "adaptive.granularity" in read and "granularity" not in routing.adaptive.model_fields_set:
            text = f"adaptive routing on {name} chooses for every {granularity}"
            found.append((text, f"{where}.adaptive.granularity"))
        if "adaptive.flowlet" in read and "flowlet" not in routing.adaptive.model_fields_set:
            size = format_bytes(routing.adaptive.flowlet)
            text = f"{size} of a flow on {name} are a flowlet (CONGA, SIGCOMM 2014, section 2.6.1)"
            found.append((text, f"{where}.adaptive.flowlet"))
    return found


def _read(router: str, own: str, granularity: str) -> frozenset[str]:
    """Keys of ``routing`` that a router reads; one that is based on the scenario's own, that one's."""
    if not ROUTERS.known(router):
        return frozenset()
    if traits_of(router).takes_base and own != router and ROUTERS.known(own):
        return _read(traits_of(own).mean_router or own, own, granularity)
    return options_read(router, "any", DEFAULT_OBJECTIVE, granularity)
