"""Keys and flags of routing that the router at hand does not read: they are said, as they change nothing."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.optimise.objective import OBJECTIVES
from fabric.request import RouteRequest
from fabric.routing.names import FLOWLETS, GIVEN_PATHS, PACKETS, WHOLE_FLOWS
from fabric.routing.router import ROUTERS, traits_of
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.routing_schema import RoutingSpec
from topologies.registry import Spec

_ONLY_SOMETIMES = {"adaptive.flowlet"}  # keys of a group that is read, which are not always
_FLAGS = {"paths": "--paths", "objective": "--objective", "replicas": "--replicas"}
# Keys that hold keys of their own.
_GROUPS = tuple(name for name, field in RoutingSpec.model_fields.items() if isinstance(field.default, Spec))
_WITHOUT_CHOICE = ("router", *_GROUPS)  # the first decides


def options_read(router: str, paths: str, objective: str, granularity: str = PACKETS) -> frozenset[str]:
    """Keys of ``routing`` that a router reads under a path policy, an objective and a granularity of adaptive routing.

    >>> sorted(options_read("optimal", "k-shortest", "min-cost"))
    ['k_paths', 'objective', 'paths', 'target_utilisation']
    >>> sorted(options_read("ecmp", "any", "min-max-utilisation"))
    []
    """
    traits = traits_of(router)
    read = set(traits.options)
    if traits.takes_objective:
        read |= {"objective", "paths", *OBJECTIVES[objective].traits.options}
        if paths == GIVEN_PATHS:
            read.add("k_paths")
    if traits.takes_granularity:
        read -= {PACKETS: {"hash"}, WHOLE_FLOWS: {"spray_efficiency"}}.get(granularity, set())
        read |= {"adaptive.granularity", *(["adaptive.flowlet"] if granularity == FLOWLETS else [])}
    return frozenset(read)


def unused_options(fabrics: Mapping[str, FabricSpec], request: RouteRequest) -> list[tuple[str, str]]:
    """What was set about routing and changes nothing: a sentence, and the key or flag that would have to change.

    Keys that say what holds anyway are not named.
    """
    found = []
    for name, spec in fabrics.items():
        if request.fabric not in (None, name):
            continue
        routing = spec.routing
        router = request.router or routing.router
        if not ROUTERS.known(router):
            continue
        objective = request.objective or routing.objective
        granularity = routing.adaptive.granularity
        read = options_read(router, request.paths or routing.paths, objective, granularity)
        under = f"router {router}" + (f" with objective {objective}" if "objective" in read else "")
        under += f" with granularity {granularity}" if "adaptive.granularity" in read else ""
        where = f"fabrics.{name}.routing"
        found += [(f"{where}.{key} changes nothing under {under}", f"{where}.router") for key in _set(routing, read)]
        flags = [flag for key, flag in _FLAGS.items() if getattr(request, key) is not None]
        unread = [flag for key, flag in _FLAGS.items() if flag in flags and _key_of(key) not in read]
        found += [(f"{flag} changes nothing on {name} under {under}", f"{where}.router") for flag in unread]
    return found


def _key_of(field: str) -> str:
    return "hash" if field == "replicas" else field


def _set(routing: RoutingSpec, read: frozenset[str]) -> list[str]:
    """Keys that are set, differ from their defaults, and are not read."""
    plain = RoutingSpec()
    unread = [key for key in RoutingSpec.model_fields if key not in read]
    keys = [key for key in unread if key not in _WITHOUT_CHOICE and getattr(routing, key) != getattr(plain, key)]
    for group in _GROUPS:
        given, usual = getattr(routing, group), getattr(plain, group)
        unread = [
            key for key in type(given).model_fields if group not in read or f"{group}.{key}" in _ONLY_SOMETIMES - read
        ]
        keys += [f"{group}.{key}" for key in unread if getattr(given, key) != getattr(usual, key)]
    return keys
