"""The entries of ``failures:`` as parts, and the sets that need no entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from fabric.failures.part import PART_KINDS, Part
from fabric.failures.part_finder import PartFinder, distinct
from fabric.pipeline.failure_names import Word, built_in_words, unknown_set
from fabric.scenario.failure_schema import FailureSpec, built_in_set
from fabric.scenario.load import LoadedScenario
from topologies.columns import column
from topologies.errors import ScenarioError, TopologyError
from topologies.units import percent, precise_percent


@dataclass(frozen=True, eq=False)
class FailureSet:
    """Parts, and how many of them a case takes; 0: each by itself is a case by name."""

    name: str
    parts: tuple[Part, ...]
    choose: int
    sample: int | None = None
    index: int | None = None  # in ``failures``; None: built in


def set_of(loaded: LoadedScenario, finder: PartFinder, name: str) -> FailureSet:
    """The set of a name.

    Raises
    ------
    ScenarioError
        When nothing is called so (FP2105), an entry names nothing (FP3110) or everything (FP3111).
    """
    for index, entry in enumerate(loaded.scenario.failures):
        if entry.name == name:
            try:
                return replace(_of_entry(finder, entry), index=index)
            except (ScenarioError, TopologyError) as error:
                raise loaded.locate(ScenarioError(error.under("failures", index).problems)) from None
    built_in = built_in_set(name)
    words = built_in_words(finder.topologies)
    if built_in is None or built_in[1] not in words:
        raise unknown_set(loaded, finder.topologies, name)
    return FailureSet(name, _of_word(finder, name, words[built_in[1]]), built_in[0])


def _of_word(finder: PartFinder, name: str, word: Word) -> tuple[Part, ...]:
    """The parts of a built-in set."""
    what, which = word
    kind = next((kind for kind in PART_KINDS if kind == which), None) if what == "kind" else None
    parts = finder.of_kind(kind or ("switch" if what == "role" else "link"))
    chosen = parts if kind else tuple(part for part in parts if part.role == which)
    if not chosen:
        raise ScenarioError(
            f"{name} is empty: there is no {which}",
            hint=f"there are parts of kind {kinds_there_are(finder)}",
            code="FP3110",
        )
    return chosen


def kinds_there_are(finder: PartFinder, fabric: str | None = None) -> str:
    """Kinds of part with how many there are of each, for hints."""
    counts = {kind: len(finder.of_kind(kind, fabric)) for kind in PART_KINDS}
    return ", ".join(f"{kind} ({count:,})" for kind, count in counts.items() if count)


# ---- entries ------------------------------------------------------------------------------------------------------


def _of_entry(finder: PartFinder, entry: FailureSpec) -> FailureSet:
    """The parts of an entry; errors have their places below it."""
    if entry.is_built_in:
        number, word = built_in_set(entry.name) or (1, "")
        known = built_in_words(finder.topologies)
        parts = tuple(_degraded(part, entry.slow, entry.flap) for part in _of_word(finder, entry.name, known[word]))
        return FailureSet(entry.name, parts, entry.choose or number, entry.sample)
    if entry.many:
        parts = distinct(_degraded(part, entry.slow, entry.flap) for part in _each(finder, entry))
        if not parts:
            raise _empty(finder, entry)
        return FailureSet(entry.name, parts, entry.choose or 1, entry.sample)
    parts = tuple(_of_case(finder, entry))
    if _is_everything(finder, parts):
        key = next(key for key in ("down", "drain", "flap") if getattr(entry, key) is not None)
        raise ScenarioError(
            f"{entry.name} takes every link of {', '.join(finder.topologies)} down: nothing is left to look at",
            where=key,
            hint="leave something up, or look at its parts one by one with select or any_of",
            code="FP3111",
        )
    return FailureSet(entry.name, parts, 0)


def _empty(finder: PartFinder, entry: FailureSpec) -> ScenarioError:
    """The refusal of an entry whose kinds there are not, or whose parts are down already."""
    if entry.kinds is None:
        key = "select" if entry.select is not None else "any_of"
        return ScenarioError(
            f"{entry.name} is empty: all that it selects is down before anything fails",
            where=key,
            hint="select something that is up",
            code="FP3110",
        )
    on = f" on {entry.fabric}" if entry.fabric else ""
    return ScenarioError(
        f"{entry.name} is empty: there is no {' or '.join(entry.kinds)}{on}",
        where="kinds",
        hint=f"there are parts of kind {kinds_there_are(finder)}",
        code="FP3110",
    )


def _each(finder: PartFinder, entry: FailureSpec) -> Iterator[Part]:
    """The parts to choose from, before they are degraded."""
    for at, text in enumerate(entry.select or ()):
        with _below("select", at):
            yield from finder.each(text)
    for kind in entry.kinds or ():
        yield from finder.of_kind(kind, entry.fabric)
    for at, texts in enumerate(entry.any_of or ()):
        with _below("any_of", at):
            yield finder.as_one(texts)


def _of_case(finder: PartFinder, entry: FailureSpec) -> Iterator[Part]:
    """The parts of an entry that is one case: what is down, what is drained, and what is degraded."""
    for key, texts in (("down", entry.down), ("drain", entry.drain)):
        if texts:
            name = entry.name if key == "down" or not entry.down else f"{entry.name}, drained"
            yield replace(_together(finder, key, name, texts), drained=key == "drain")
    for key, parts in (("slow", entry.slow), ("flap", entry.flap)):
        for text, part in parts.items() if isinstance(parts, dict) else ():
            with _below(key, text):
                whole = finder.together("group", f"{entry.name}, {text}", (text,))
            yield _degraded(whole, part if key == "slow" else None, part if key == "flap" else None)


def _together(finder: PartFinder, key: str, name: str, texts: Sequence[str]) -> Part:
    for at, text in enumerate(texts):
        with _below(key, at):
            finder.selected(text)
    return finder.together("group", name, texts)


def _degraded(part: Part, left: float | Mapping[str, float] | None, up: float | Mapping[str, float] | None) -> Part:
    """The part with some of its capacity left, or down for some of the time."""
    if isinstance(up, float):
        return replace(part, name=f"{part.name}, flapping", time_down=1 - up)
    if not isinstance(left, float):
        return part
    slowed = {fabric: (links, column(np.full(len(links), left), np.float64)) for fabric, links in part.links.items()}
    texts = tuple(f"{text}={precise_percent(left)}" for text in part.selectors)
    name = f"{part.name} at {percent(left)}"
    return replace(part, name=name, links={}, slowed=slowed, selectors=(), slow_selectors=texts, hosts=())


def _is_everything(finder: PartFinder, parts: Sequence[Part]) -> bool:
    """Whether no link is left up on any fabric."""
    none = column([], np.int32)
    for fabric, topology in finder.topologies.items():
        left = topology.up.copy()
        for part in parts:
            left[part.links.get(fabric, none)] = False
        if left.any():
            return False
    return True


@contextmanager
def _below(*where: str | int) -> Iterator[None]:
    """Errors inside have their place below a key."""
    try:
        yield
    except TopologyError as error:
        raise error.under(*where) from None
