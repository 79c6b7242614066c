"""The cases of a set: every part by itself, some at once, one case by name; all of them, or a fair sample.

All pairs of many parts are not written out: ``Cases`` then has one row per part, the first failure, and ``choose`` says
that every later part follows it (``Cases.first_failures``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from fabric.failures.cases import Cases
from fabric.failures.part import Part
from fabric.failures.part_finder import PartFinder
from fabric.failures.request import FailureRequest
from fabric.failures.scenario_sets import FailureSet, kinds_there_are, set_of
from fabric.pipeline.run import Run
from topologies.columns import Longs, column
from topologies.errors import ScenarioError

MOST_WRITTEN = 1_000_000  # cases of three parts and more: they are routed one by one
MOST_PAIRS = 1_000_000_000


def case_set(run: Run, request: FailureRequest) -> Cases:
    """The cases of a request: of its kinds of part, or of the one set that it names.

    Raises
    ------
    ScenarioError
        When there is nothing to choose from, too little, or more than can be looked at.
    """
    return case_sets(run, request)[0]


def case_sets(run: Run, request: FailureRequest) -> tuple[Cases, ...]:
    """One set of cases per name that is asked for; without names the one of the kinds.

    Raises
    ------
    ScenarioError
        As ``case_set``.
    """
    finder = PartFinder(run.network)
    if request.named:
        return tuple(named_set(run, name, finder, request) for name in dict.fromkeys(request.named))
    parts = [part for kind in dict.fromkeys(request.kinds) for part in finder.of_kind(kind, request.fabric)]
    if not parts:
        kinds = ", ".join(request.kinds)
        raise ScenarioError(
            f"--kind {kinds}: there is no such part" + (f" on {request.fabric}" if request.fabric else ""),
            hint=f"there are parts of kind {kinds_there_are(finder)}",
            code="FP3110",
        )
    seed = run.loaded.scenario.seed if request.seed is None else request.seed
    return (chosen_cases(f"N-{request.choose}", parts, request.choose, request.sample, seed, flags=True),)


def named_set(run: Run, name: str, finder: PartFinder | None = None, request: FailureRequest | None = None) -> Cases:
    """The cases of an entry of ``failures``, or of a built-in set such as ``any-single-spine``.

    Raises
    ------
    ScenarioError
        When the name is not known, or as ``case_set``; located in the scenario where an entry is wrong.
    """
    asked = request or FailureRequest()
    finder = finder or PartFinder(run.network)
    loaded = run.loaded
    chosen = set_of(loaded, finder, name)
    seed = loaded.scenario.seed if asked.seed is None else asked.seed
    sample = chosen.sample if asked.sample is None else asked.sample
    try:
        return _cases_of(chosen, sample, seed, flags=asked.sample is not None)
    except ScenarioError as error:
        raise error if chosen.index is None else loaded.locate(error.under("failures", chosen.index)) from None


def _cases_of(chosen: FailureSet, sample: int | None, seed: int, *, flags: bool) -> Cases:
    if chosen.choose == 0:
        count = len(chosen.parts)
        start, part = column([0, count], np.int64), column(np.arange(count), np.int32)
        return Cases(chosen.name, chosen.parts, start, part, 1, 0)
    return chosen_cases(chosen.name, chosen.parts, chosen.choose, sample, seed, flags=flags)


def chosen_cases(
    name: str, parts: Sequence[Part], choose: int, sample: int | None, seed: int, *, flags: bool = False
) -> Cases:
    """All ways to choose some of the parts, or a sample of them without repetition.

    Parameters
    ----------
    flags : bool
        Whether a flag of the command line says how many there are to be, and is named in errors.

    Raises
    ------
    ScenarioError
        When fewer parts than are chosen (FP3112), too many cases (FP3113), or fewer than the sample (FP3114).
    """
    count = len(parts)
    if choose > count:
        raise ScenarioError(
            f"{choose} parts cannot fail at once: there {'is' if count == 1 else 'are'} {count:,}",
            where="" if flags else "choose",
            hint=f"choose at most {count:,}" if count > 1 else "choose 1",
            code="FP3112",
        )
    total = comb(count, choose)
    if sample is not None:
        return _sampled(name, parts, choose, sample, total, seed, flags=flags)
    if choose == 1:
        return Cases.single(tuple(parts), name)
    if total > (MOST_PAIRS if choose == 2 else MOST_WRITTEN - 1):
        raise ScenarioError(
            f"{total:,} cases of {choose} of {count:,} parts are more than can be looked at",
            where="" if flags else "choose",
            hint=f"{'--sample 100000' if flags else 'sample: 100000'} looks at a fair sample, "
            f"{'--k' if flags else 'choose:'} {1 if choose == 2 else 2} at all "
            f"{count if choose == 2 else comb(count, 2):,}; or choose among fewer parts",
            code="FP3113",
        )
    if choose == 2:
        single = Cases.single(tuple(parts), name)
        return Cases(name, single.parts, single.start, single.part, total, choose)
    return _written(name, parts, _all_rows(count, choose), total)


def _all_rows(count: int, choose: int) -> Longs:
    """All subsets of numbers below ``count``, sorted, shape (N, choose)."""
    every = np.fromiter(combinations(range(count), choose), dtype=np.dtype((np.int64, choose)))
    return np.asarray(every, dtype=np.int64).reshape(-1, choose)


def _written(name: str, parts: Sequence[Part], rows: Longs, total: int) -> Cases:
    """Cases from the parts of each, shape (N, choose)."""
    choose = rows.shape[1]
    start = column(np.arange(len(rows) + 1) * choose, np.int64)
    return Cases(name, tuple(parts), start, column(rows.ravel(), np.int32), total, choose)


def _sampled(
    name: str, parts: Sequence[Part], choose: int, sample: int, total: int, seed: int, *, flags: bool
) -> Cases:
    if sample > total:
        raise ScenarioError(
            f"a sample of {sample:,} cannot be drawn from {total:,} cases",
            where="" if flags else "sample",
            hint=f"leave {'--sample' if flags else 'sample'} out: all {total:,} are then looked at",
            code="FP3114",
        )
    rng = np.random.default_rng(seed)
    if total <= max(4 * sample, 10_000) and total <= MOST_WRITTEN * 10:
        rows = _all_rows(len(parts), choose)[np.sort(rng.choice(total, sample, replace=False))]
    else:
        rows = _drawn(len(parts), choose, sample, rng)
    return _written(name, parts, rows, total)


def _drawn(count: int, choose: int, sample: int, rng: np.random.Generator) -> Longs:
    """``sample`` different subsets, each as likely as any other, sorted, shape (sample, choose).

    Ordered draws whose numbers differ are equally likely, and so are the subsets they are of; the first ``sample``
    different ones are a sample without replacement.
    """
    rows = np.empty((0, choose), dtype=np.int64)
    while len(rows) < sample:
        drawn = np.sort(rng.integers(count, size=(2 * sample, choose)), axis=1)
        drawn = drawn[(np.diff(drawn, axis=1) > 0).all(axis=1)]
        every = np.concatenate([rows, drawn])
        _, first = np.unique(every, axis=0, return_index=True)
        rows = every[np.sort(first)]
    chosen = rows[:sample]
    return chosen[np.lexsort(chosen.T[::-1])]


def intact_notes(run: Run) -> tuple[str, ...]:
    """What is to be said of the state before anything fails: fabrics that are partitioned already."""
    cut: dict[str, int] = {}
    for route in run.result.routes:
        if route.unreachable_pairs:
            cut[route.fabric] = max(cut.get(route.fabric, 0), route.unreachable_pairs)
    return tuple(
        f"{fabric} is partitioned before anything fails: {pairs:,} pairs have no path; "
        "every case is judged beside that state"
        for fabric, pairs in cut.items()
    )
