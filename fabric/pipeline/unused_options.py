"""Keys and flags of routing that the router at hand does not read: they are said, as they change nothing."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.optimise.objective import OBJECTIVES
from fabric.request import RouteRequest
from fabric.routing.names import GIVEN_PATHS
from fabric.routing.router import ROUTERS, traits_of
from fabric.scenario.schema import FabricSpec, RoutingSpec

_FLAGS = {"paths": "--paths", "objective": "--objective", "replicas": "--replicas"}
_WITHOUT_CHOICE = ("router", "hash")  # the first decides, the second holds keys of its own


def options_read(router: str, paths: str, objective: str) -> frozenset[str]:
    """Keys of ``routing`` that a router reads under a path policy and an objective.

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
        read = options_read(router, request.paths or routing.paths, objective)
        under = f"router {router}" + (f" with objective {objective}" if "objective" in read else "")
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
    if "hash" not in read:
        hashing = type(routing.hash).model_fields
        keys += [f"hash.{key}" for key in hashing if getattr(routing.hash, key) != getattr(plain.hash, key)]
    return keys
