"""What an objective can be counted by: measures that a catalogue has no figures for are left out of it, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabric.design.need import FabricNeed
from fabric.design.objective import STEP_TIME, Objective
from fabric.design.requirement import Requirement
from fabric.design.search import Search
from topologies.catalogue import Catalogue

_LISTED = 4  # models that a sentence names
_LINK = "no cable or optic"  # how the want of a link begins


def with_what_can_be_counted(
    requirement: Requirement, needs: Mapping[str, FabricNeed]
) -> tuple[Requirement, tuple[str, ...]]:
    """The requirement with the measures alone that some design can be counted by, and what is to be said of that.

    Without any such measure it is ports of switches. The same requirement where nothing is to be left out, or where
    there is no design whatever is counted.
    """
    missing: dict[str, Sequence[str]] = {}
    for measure in {name: None for terms in requirement.objective.counted.order for name, _ in terms}:
        for need in needs.values():
            reasons = _uncountable(need, requirement.catalogue, measure)
            if reasons and measure not in missing:
                missing[measure] = reasons
    if not missing:
        return requirement, ()
    objective = _without(requirement.objective, missing)
    spec = requirement.spec.model_copy(update={"objective": objective})
    notes = [
        f"no design can be counted by {measure}: {_listed(reasons)}; designs are counted by {objective.counted.text}"
        for measure, reasons in missing.items()
    ]
    return replace(requirement, spec=spec), tuple(notes)


def _uncountable(need: FabricNeed, catalogue: Catalogue, measure: str) -> Sequence[str]:
    """Figures for want of which no design can be counted by a measure; empty where one can, or where there is none."""
    bare = replace(need, most=())
    search = Search(bare, catalogue, Objective.of(measure))
    figures = [text for text in search.left_out if not text.startswith(_LINK)]
    if not figures or search.any() is not None or Search(bare, catalogue, Objective.of("ports")).any() is None:
        return ()
    return figures


def _without(objective: Objective, missing: Mapping[str, object]) -> Objective:
    """The objective without some measures; ports where nothing that is counted is left."""
    order = [tuple(term for term in terms if term[0] not in missing) for terms in objective.order]
    kept = Objective(tuple(terms for terms in order if terms))
    if not any(name != STEP_TIME for terms in kept.order for name, _ in terms):
        kept = Objective((*kept.order, (("ports", 1.0),)))
    return kept


def left_out_notes(left_out: Sequence[str]) -> list[str]:
    """What a search could not count, in a sentence; links that nothing makes are no designs.

    >>> left_out_notes(["a has no price", "no cable or optic of the catalogue makes a link of 400G over 20 m"])
    ['left out: a has no price']
    """
    unmade = [text for text in left_out if text.startswith(_LINK)]
    figures = [text for text in left_out if " has no " in text]
    undecided = [text for text in left_out if text not in unmade and text not in figures]
    return [f"left out: {_listed(texts)}" for texts in (figures, undecided) if texts]


def _listed(texts: Sequence[str]) -> str:
    """Some of many: ``a has no price, b has no price and 3 more``."""
    more = len(texts) - _LISTED
    return ", ".join(texts[:_LISTED]) + (f" and {more} more" if more > 0 else "")
