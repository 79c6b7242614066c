"""Names in ``failures``, ``risk_groups`` and ``limits.when`` that a network has to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from fabric.scenario.failure_schema import PART_KINDS, built_in_set
from fabric.scenario.load import LoadedScenario
from topologies.errors import Problem, ScenarioError, TopologyError, Where, nearest_hint
from topologies.named_parts import NamedSets, nothing_named, select, switch_nodes
from topologies.topology import Topology, role_nodes

MOST_NAMED = 12  # names that a hint lists
Word = tuple[Literal["kind", "role", "tier"], str]


def built_in_words(topologies: Mapping[str, Topology]) -> dict[str, Word]:
    """What may follow ``any-single-`` and ``any-two-``: kinds of part, roles of switches, tiers; and their plurals."""
    words: dict[str, Word] = {kind: ("kind", kind) for kind in ("link", "switch", "host")}
    for topology in topologies.values():
        switches = switch_nodes(topology)
        for role in topology.roles:
            if switches[role_nodes(topology, role)].any():
                words.setdefault(role, ("role", role))
        for tier in topology.tiers:
            words.setdefault(f"{tier}-link", ("tier", tier))
    words |= {kind: ("kind", kind) for kind in PART_KINDS}
    for word, meaning in list(words.items()):
        words.setdefault(_plural(word), meaning)
    return words


def _plural(word: str) -> str:
    """
    >>> [_plural(word) for word in ("leaf", "switch", "spine", "optics-batch")]
    ['leaves', 'switches', 'spines', 'optics-batches']
    """
    if word.endswith("leaf"):
        return f"{word[:-1]}ves"
    return f"{word}es" if word.endswith(("ch", "s", "x")) else f"{word}s"


def unknown_set(loaded: LoadedScenario, topologies: Mapping[str, Topology], name: str) -> ScenarioError:
    """The refusal of a name that no set of failures has, with the nearest that one has."""
    entries = [entry.name for entry in loaded.scenario.failures if entry.name != name]
    words = built_in_words(topologies)
    singular = [word for word, (_, one) in words.items() if one in (word, word.removesuffix("-link"))]
    single = [f"any-single-{word}" for word in singular]
    every = [*entries, *single, *(f"any-two-{word}" for word in words if word not in singular)]
    shown = ", ".join([*entries, *single][:MOST_NAMED])
    return ScenarioError(
        f"no set of failures is called {name!r}",
        hint=nearest_hint(name, every, otherwise=f"sets: {shown}"),
        code="FP2105",
    )


def check_failure_names(loaded: LoadedScenario, topologies: Mapping[str, Topology], sets: NamedSets) -> None:
    """Refuse selectors of failures and groups that select nothing, and limits whose ``when`` names no set.

    Raises
    ------
    ScenarioError
        With all of them, located.
    """
    scenario, problems = loaded.scenario, list[Problem]()
    for where, text in _selectors(loaded):
        try:
            if not any(any(select(topology, fabric, text, sets)) for fabric, topology in topologies.items()):
                raise nothing_named(text, topologies.values(), sets)
        except TopologyError as error:
            problems += error.under(*where).problems
    words = built_in_words(topologies)
    for index, entry in enumerate(scenario.failures):
        if entry.is_built_in and (built_in_set(entry.name) or (1, ""))[1] not in words:
            problems += unknown_set(loaded, topologies, entry.name).under("failures", index, "name").problems
    for index, limit in enumerate(scenario.limits):
        if limit.when is None or any(entry.name == limit.when for entry in scenario.failures):
            continue
        built_in = built_in_set(limit.when)
        if built_in is None or built_in[1] not in words:
            problems += unknown_set(loaded, topologies, limit.when).under("limits", index, "when").problems
    if problems:
        raise loaded.locate(ScenarioError(problems))


def _selectors(loaded: LoadedScenario) -> Iterator[tuple[Where, str]]:
    """Every selector, and its place."""
    for index, group in enumerate(loaded.scenario.risk_groups):
        yield from _each(("risk_groups", index, "members"), group.members)
    for index, entry in enumerate(loaded.scenario.failures):
        for key, texts in (("select", entry.select), ("down", entry.down), ("drain", entry.drain)):
            yield from _each(("failures", index, key), texts or ())
        for at, members in enumerate(entry.any_of or ()):
            yield from _each(("failures", index, "any_of", at), members)
        for key, parts in (("slow", entry.slow), ("flap", entry.flap)):
            yield from ((("failures", index, key, text), text) for text in (parts if isinstance(parts, dict) else ()))


def _each(where: Where, texts: tuple[str, ...]) -> Iterator[tuple[Where, str]]:
    yield from (((*where, at), text) for at, text in enumerate(texts))
