"""A review of counts: each smallest set of claims that cannot all be true, with the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from fabric.review.bounds import Bound, Conflict, Contradiction, Intervals, minimal_conflicts, narrow
from fabric.review.claims import Claims
from fabric.review.names import NAMES, RATES, shown
from fabric.review.relations import intervals_of, relations_of
from fabric.review.shape import Shape, shape_of

_MOST_CONFLICTS = 12
# How sure people are of what they write: what is counted before what is worked out from it.
TRUST = {
    **dict.fromkeys(("gpus", "hosts", "gpus_per_host", "nics_per_host", "nics", "kind"), 12),
    **dict.fromkeys(("speed", "nic_speed", "uplink_speed", "core_speed", "port_speed", "tiers"), 10),
    **dict.fromkeys(("radix", "leaf_radix", "spine_radix", "core_radix", "model", "leaf_model", "spine_model"), 10),
    **dict.fromkeys(("core_model", "nic_ports", "rails", "planes"), 10),
    **dict.fromkeys(("leaves", "host_ports", "uplinks"), 6),
    **dict.fromkeys(("spines", "cores", "pods"), 5),
    **dict.fromkeys(("oversubscription", "spine_oversubscription"), 3),
    **dict.fromkeys(("switches", "fabric_cables", "cables", "host_cables", "ports"), 2),
    **dict.fromkeys(("bisection", "host_bandwidth", "switch_capacity", "optics"), 1),
}


@dataclass(frozen=True, eq=False)
class CountsChecked:
    """Conflicts between claims under one structure, and what follows from those that agree."""

    claims: Claims
    shape: Shape
    conflicts: tuple[Conflict, ...]
    assumptions: tuple[str, ...]

    def known_without(self, *keys: str) -> Intervals:
        """What the other claims say."""
        return narrowed(self.claims.without(*keys), self.claims, self.shape)[0]

    @property
    def doubted(self) -> tuple[str, ...]:
        """The fewest claims without which the others agree; of equals those that are most easily wrong."""
        sets = [conflict.claims for conflict in self.conflicts]
        keys = sorted({key for each in sets for key in each}, key=self.claims.keys.index)
        best: tuple[str, ...] = ()
        for size in range(len(keys) + 1):
            hits = [each for each in combinations(keys, size) if all(set(each) & one for one in sets)]
            if hits:
                best = min(hits, key=lambda each: sum(TRUST.get(key, 3) for key in each))
                break
        return best


def narrowed(claims: Claims, whole: Claims, shape: Shape) -> tuple[Intervals, Conflict | None]:
    """What claims say of all counts, and the first contradiction on the way."""
    try:
        known = intervals_of(claims, shape)
    except Contradiction as found:
        return Intervals(), found.conflict
    _assume(known, claims, whole, shape)
    return known, narrow(relations_of(claims, whole, shape), known)


def _assume(known: Intervals, claims: Claims, whole: Claims, shape: Shape) -> None:
    """What holds where nobody says otherwise: 1:1 at spines where a fabric is 1:1."""
    ratio = claims.numbers.get("oversubscription")
    if ratio is not None and ratio.value == 1 and "spine_oversubscription" not in whole and shape.tiers > 2:
        for take in (known.at_least, known.at_most):
            take("spine_oversubscription", Bound(Fraction(1), "", (), frozenset({"oversubscription"})), "claims")


def check_counts(claims: Claims) -> CountsChecked:
    """Weigh claims against each other.

    The number of tiers that explains most of them is taken where none is claimed; the fewest of equals.
    """
    candidates = _tiers(claims)
    checked = [_checked(claims, shape_of(claims, tiers)) for tiers in candidates]
    # Where none reaches, the one that reaches furthest says most.
    best = min(
        checked, key=lambda each: (len(each.conflicts), _is_reach(each), each.shape.tiers * (-1) ** _is_reach(each))
    )
    said = list(best.assumptions)
    for each in checked:
        if each.shape.tiers < best.shape.tiers and each.conflicts:
            said.append(f"{each.shape.tiers} tiers do not do: {each.conflicts[0].text}")
    return CountsChecked(best.claims, best.shape, best.conflicts, tuple(said))


def _is_reach(checked: CountsChecked) -> bool:
    return any(conflict.kind == "reach" for conflict in checked.conflicts)


def _tiers(claims: Claims) -> tuple[int, ...]:
    tiers = claims.value("tiers")
    if tiers is not None:
        return (int(tiers),)
    if claims.words.get("kind") == "single-switch":
        return (1,)
    above = ("cores", "spine_uplinks", "core_down", "spine_core_cables", "core_radix", "core_model", "core_speed")
    if any(claims.value(key) or key in claims.words for key in (*above, "spine_oversubscription")):
        return (3,)
    if claims.value("cores") == 0 and claims.value("spines") != 0:
        return (2,)
    if claims.value("spines") == 0:
        return (1,)
    if claims.words.get("kind") == "fat-tree" and not {"spines", "leaves", "uplinks"} & set(claims.keys):
        return (3,)
    if "pods" in claims or "spines_per_pod" in claims:
        return (2, 3)
    if {"spines", "spine_down", "leaf_spine_cables", "rails"} & set(claims.keys):
        return (2,)
    if claims.value("switches") == 1 and not {"leaves", "uplinks", "pods"} & set(claims.keys):
        return (1,)
    return (2, 3)


def _checked(claims: Claims, shape: Shape) -> CountsChecked:
    def conflict_of(keys: frozenset[str]) -> Conflict | None:
        return narrowed(claims.only(keys), claims, shape)[1]

    conflicts = tuple(minimal_conflicts(frozenset(claims.keys), conflict_of, _MOST_CONFLICTS))
    return CountsChecked(claims, shape, conflicts, shape.assumptions)


_AT_LEAST = ("leaves", "spines", "cores", "switches", "leaf_radix", "spine_radix", "core_radix")


def derived(known: Intervals, claims: Claims) -> tuple[tuple[str, str, str], ...]:
    """Counts that follow from the claims, with their last step; of those that were not claimed.

    Ends of intervals are named where they say how many switches or ports are needed at least.
    """
    rows = []
    for name in (*NAMES, *RATES):
        low, high = known.low.get(name), known.high.get(name)
        if name in claims:
            continue
        if low is not None and high is not None and low.value == high.value:
            step = (low.step or high.step).replace("= at least ", "= ").replace("= at most ", "= ")
            if step:
                rows.append((name, shown(name, low.value), step))
        elif name == "bisection" and high is not None and low is None and high.claims:
            rows.append((name, f"at most {shown(name, high.value)}", high.step))
        elif name in _AT_LEAST and low is not None and low.step and low.claims and high is None:
            rows.append((name, f"at least {shown(name, low.value)}", low.step))
    return tuple(rows)
