"""What a fabric would come to, by the closed form of its builder, and whether that fits the memory.

Every builder says its numbers before it builds (``facts``), from the same keys. They are checked here for all of them;
what a builder added later does not say is caught by the assembler, a tier at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pydantic import BaseModel

from topologies.budget import MOST_ROWS, Counts, check_memory, network_counts, short_number
from topologies.errors import FabricError, TopologyError, Where
from topologies.facts import Facts
from topologies.hosts import HostGroup

_DRAWN = ("seed",)  # keys that count nothing
_MOST_TRIED = 50
_UNSAID = (FabricError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, StopIteration)


class HasFacts(Protocol):
    """A builder, as the registry keeps it."""

    @property
    def facts(self) -> Callable[..., Any] | None:
        """Its closed form."""


def facts_of(entry: HasFacts, spec: BaseModel, hosts: Sequence[HostGroup] = ()) -> Facts:
    """The closed form of a builder for its keys, with the cables as ``cabling`` says.

    Raises
    ------
    ValueError
        When the builder has none.
    FabricError
        When the keys do not make a fabric.
    """
    if entry.facts is None:
        raise ValueError("there is no closed form")
    wanted = inspect.signature(entry.facts).parameters
    values = {name: getattr(spec, name) for name in type(spec).model_fields if name in wanted}
    if "hosts" in wanted:
        values["hosts"] = hosts
    facts: Facts = entry.facts(**values)
    times = {tier: wanted.parallel or 1 for tier, wanted in getattr(spec, "cabling", {}).items()}
    return replace(
        facts,
        cables_by_tier={tier: count * times.get(tier, 1) for tier, count in facts.cables_by_tier.items()},
        tier_gbps={tier: gbps * times.get(tier, 1) for tier, gbps in facts.tier_gbps.items()},
    )


def fabric_counts(facts: Facts, hosts: Sequence[HostGroup] = ()) -> Counts:
    """Nodes and cables of a fabric; listed hosts take the places of those the builder would make up."""
    cables = dict(facts.cables_by_tier)
    ports = facts.endpoints
    nodes = -(-ports // facts.ports_per_endpoint)
    if hosts and not facts.hosts_forward:
        cables = {tier: count for tier, count in cables.items() if not tier.startswith("host-")}
        ports = sum(len(group.hosts) * group.nics * group.ports for group in hosts)
        cables["host"] = ports
        nodes = sum(len(group.hosts) * (group.nics if group.rail == "per-gpu" else 1) for group in hosts)
    total = sum(cables.values())
    named = [("switches", facts.switches), ("host ports", ports), ("other nodes", facts.other_nodes), ("cables", total)]
    return network_counts(facts.switches + facts.other_nodes + nodes, total, named)


def counts_of(entry: HasFacts, spec: BaseModel, hosts: Sequence[HostGroup] = ()) -> Counts | None:
    """Counts of the fabric that a builder makes of its keys; None where they make none, or it cannot say."""
    try:
        counts = fabric_counts(facts_of(entry, spec, hosts), hosts)
        return counts if all(number >= 0 for _, number in counts.of) else None
    except _UNSAID:  # the builder itself says better what is wrong with its keys
        return None


def check_size(entry: HasFacts, spec: BaseModel, injected: Mapping[str, Any], times: float = 1.0) -> None:
    """Refuse a fabric that does not fit the memory, or whose numbers are beyond any network's, before it is built.

    Parameters
    ----------
    times : float
        How often its bytes are needed, by what is done with it.

    Raises
    ------
    TopologyError
        With the counts, at the key that asks for most (FP3050, FP3051).
    """
    hosts = injected.get("hosts", ())
    where, largest = max(_numbers(spec, ()), key=lambda found: found[1], default=((), 0))
    beyond = largest > MOST_ROWS
    asked = _within(spec) if beyond else spec
    counts = counts_of(entry, asked, hosts)
    if counts is not None:
        what = "at the very least" if beyond else "this fabric"
        try:
            check_memory(counts, what, times=times)
        except TopologyError:
            where = _heaviest(entry, asked, hosts)
            check_memory(counts, what, times=times, where=where, smaller=_lower(where))
    if beyond:
        raise TopologyError(
            f"{_key(where)} is {short_number(largest)}; no more than {MOST_ROWS:,} of anything can be numbered",
            where=where,
            hint=_lower(where),
            code="FP3051",
        )


def _heaviest(entry: HasFacts, spec: BaseModel, hosts: Sequence[HostGroup]) -> Where:
    """The number without which the fabric would be smallest; of several the largest."""
    rest: list[tuple[float, int, Where]] = []
    for where, number in sorted(_numbers(spec, ()), key=lambda found: -found[1])[:_MOST_TRIED]:
        counts = counts_of(entry, _with_one(spec, where), hosts)
        if number > 1 and counts is not None:
            rest.append((counts.size_bytes, len(rest), where))
    return min(rest)[2] if rest else ()


def _with_one(value: Any, where: Where) -> Any:
    """The same keys with 1 at a place."""
    if not where:
        return 1
    if isinstance(value, BaseModel):
        return value.model_copy(update={str(where[0]): _with_one(getattr(value, str(where[0])), where[1:])})
    if isinstance(value, Mapping):
        return {**value, where[0]: _with_one(value[where[0]], where[1:])}
    return tuple(_with_one(below, where[1:]) if index == where[0] else below for index, below in enumerate(value))


def _lower(where: Where) -> str:
    return f"a smaller number for {_key(where)}" if where else ""


def _key(where: Where) -> str:
    """The name of a key, without the positions in its lists."""
    return next((str(part) for part in reversed(where) if not str(part).isdigit()), "number")


def _numbers(value: object, where: Where) -> Iterator[tuple[Where, int]]:
    """Whole numbers of a builder's keys and of what is below them, with their places."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield where, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in _DRAWN:
                yield from _numbers(getattr(value, name), (*where, name))
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield from _numbers(below, (*where, str(name)))
    elif isinstance(value, tuple | list):
        for index, below in enumerate(value):
            yield from _numbers(below, (*where, index))


def _within(value: Any) -> Any:
    """The same keys with numbers no larger than ids can be, so that closed forms stay cheap."""
    if isinstance(value, int) and not isinstance(value, bool):
        return min(value, MOST_ROWS)
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _within(getattr(value, name)) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return {name: _within(below) for name, below in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_within(below) for below in value)
    return value
