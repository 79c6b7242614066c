"""Why nothing meets a requirement: the smallest set of wishes that conflict, and of each the nearest that fits.

Wishes are taken away one after another; one without which there is still no design is left out of the set (a deletion
filter: Chinneck and Dravnieks, 1991), so that taking away any one that is left gives a design.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isinf

from fabric.design.counted import Counted
from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from fabric.design.objective import MEASURES, Objective
from fabric.design.requirement import Requirement, needs_of
from fabric.design.result import Conflict
from fabric.design.search import Search
from topologies.budget import counted
from topologies.catalogue import Catalogue
from topologies.units import precise_gbps, to_one

MOST_TIERS = 4
_LISTED = 4  # choices that a sentence names
_HALVINGS = 24
_NIC_PORTS = (2, 4)  # tried where a leaf may fail
_ANY = Objective.of("ports")


@dataclass(frozen=True)
class Wish:
    """One wish of a need: where it stands, in words, without it, and the nearest of it that fits."""

    key: str
    text: str
    without: Callable[[FabricNeed], FabricNeed]
    nearest: Callable[[_Trial, FabricNeed], str | None]  # None: none fits


@dataclass(frozen=True)
class _Trial:
    """Whether a need has a design."""

    catalogue: Catalogue

    def __call__(self, need: FabricNeed) -> Counted | None:
        return Search(need, self.catalogue, _ANY).any()


def conflict_of(requirement: Requirement) -> tuple[Conflict, ...]:
    """The wishes that conflict, of the first fabric that has no design; empty where all have one."""
    trial = _Trial(requirement.catalogue)
    for need in needs_of(requirement).values():
        if trial(need) is None:
            return _conflict(requirement, need, trial)
    return ()


def _conflict(requirement: Requirement, need: FabricNeed, trial: _Trial) -> tuple[Conflict, ...]:
    wishes = wishes_of(requirement, need)
    kept = list(wishes)
    for wish in wishes:
        rest = [other for other in kept if other is not wish]
        if trial(_without(need, wishes, rest)) is None:
            kept = rest
    if not kept:
        return (_speed(requirement, need, trial),)
    basis = _without(need, wishes, kept)
    return tuple(Conflict(wish.key, wish.text, _nearest(wish, trial, need, basis)) for wish in kept)


def _nearest(wish: Wish, trial: _Trial, need: FabricNeed, basis: FabricNeed) -> str:
    """What fits with all others kept; where nothing does, with those of the set alone."""
    if (text := wish.nearest(trial, need)) is not None:
        return text
    text = wish.nearest(trial, basis)
    return "no other value would do by itself" if text is None else f"{text}, were it not for wishes outside this set"


def _without(need: FabricNeed, wishes: Sequence[Wish], kept: Sequence[Wish]) -> FabricNeed:
    """The need with some wishes alone."""
    for wish in wishes:
        if wish not in kept:
            need = wish.without(need)
    return need


def wishes_of(requirement: Requirement, need: FabricNeed) -> list[Wish]:
    """What a need wishes, what is given up most readily first."""
    own = requirement.spec.fabrics[need.name]
    place = f"require.fabrics.{need.name}" if requirement.spec.require.fabrics else "require"
    budget = f"{place if own.budget.model_fields_set else 'require'}.budget"
    wishes = [_cap(budget, measure, most) for measure, most in need.most]
    if need.reserve_hosts:
        wishes.append(_reserve(need))
    wishes += [
        _survival(f"{place if own.survive is not None else 'require'}.survive", one) for one in need.single_failures
    ]
    if need.switches or need.leaf_switches or need.upper_switches:
        wishes.append(_models(need))
    wishes.append(_tiers(f"{place if own.max_tiers else 'candidates'}.max_tiers", need))
    if need.kinds:
        wishes.append(_kinds(f"{place if own.kinds else 'candidates'}.kinds", need))
    if not isinf(need.oversubscription):
        wishes.append(_ceiling(f"{place if own.oversubscription is not None else 'require'}.oversubscription", need))
    unit = "gpus" if requirement.spec.require.gpus is not None else "hosts"
    return [*wishes, _size(f"require.{unit}", need)]


def _survival(key: str, part: str) -> Wish:
    def without(need: FabricNeed) -> FabricNeed:
        return replace(need, single_failures=tuple(one for one in need.single_failures if one != part))

    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        if trial(without(basis)) is None:
            return None
        if part == "leaf" and max(basis.nic_ports) == 1:
            for ports in _NIC_PORTS:
                if trial(replace(basis, nic_ports=(ports,))) is not None:
                    return (
                        f"NICs of {ports} ports, on {ports} leaves, would do (nic.ports: [{ports}]); or go without it"
                    )
        return "without it the rest fits"

    return Wish(key, f"any single {part} may fail", without, nearest)


def _ceiling(key: str, need: FabricNeed) -> Wish:
    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        design = trial(replace(basis, oversubscription=inf))
        least = _ratio(design) if design is not None else inf
        low = need.oversubscription
        for _ in range(_HALVINGS):
            if least - low <= 1e-3 * low:
                break
            middle = (low + least) / 2
            design = trial(replace(basis, oversubscription=middle))
            low, least = (middle, least) if design is None else (low, min(_ratio(design), least))
        return None if isinf(least) else f"{to_one(least)} would do"

    text = f"at most {to_one(need.oversubscription)}"
    return Wish(key, text, lambda one: replace(one, oversubscription=inf), nearest)


def _ratio(counted: Counted) -> float:
    return max(counted.oversubscription.values(), default=1.0)


def _size(key: str, need: FabricNeed) -> Wish:
    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        most = _largest(lambda hosts: trial(replace(basis, hosts=hosts)) is not None, need.hosts)
        if not most:
            return None
        gpus = f" ({most * need.gpus_per_host:,} GPUs)" if need.gpus_per_host else ""
        return f"{most:,} hosts{gpus} would do, {need.hosts - most:,} fewer"

    gpus = f", {need.hosts * need.gpus_per_host:,} GPUs" if need.gpus_per_host else ""
    text = f"{need.hosts:,} hosts{gpus}, {need.nics} x {precise_gbps(need.nic_gbps)} each"
    return Wish(key, text, lambda one: replace(one, hosts=min(2, one.hosts)), nearest)


def _largest(fits: Callable[[int], bool], above: int) -> int:
    """The largest number below ``above`` that fits, by halving; 0 for none."""
    low, high = 0, above
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _reserve(need: FabricNeed) -> Wish:
    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        most = _largest(lambda hosts: trial(replace(basis, reserve_hosts=hosts)) is not None, need.reserve_hosts)
        return f"room for {most:,} more hosts would do" if most else None

    text = f"room for {need.reserve_hosts:,} more hosts without touching a leaf"
    return Wish("require.growth", text, lambda one: replace(one, reserve_hosts=0), nearest)


def _tiers(key: str, need: FabricNeed) -> Wish:
    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        fitting = (tiers for tiers in range(need.max_tiers + 1, MOST_TIERS + 1) if _fits_tiers(trial, basis, tiers))
        tiers = next(fitting, None)
        return None if tiers is None else f"{tiers} would do"

    def without(one: FabricNeed) -> FabricNeed:
        return replace(one, max_tiers=max(MOST_TIERS, one.max_tiers))

    return Wish(key, f"at most {counted(need.max_tiers, 'tiers')}", without, nearest)


def _fits_tiers(trial: _Trial, basis: FabricNeed, tiers: int) -> bool:
    return trial(replace(basis, max_tiers=tiers)) is not None


def _kinds(key: str, need: FabricNeed) -> Wish:
    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        others = [kind for kind in FAMILIES if kind not in need.kinds]
        return _would([kind for kind in others if trial(replace(basis, kinds=(kind,))) is not None])

    return Wish(key, ", ".join(need.kinds), lambda one: replace(one, kinds=()), nearest)


def _models(need: FabricNeed) -> Wish:
    def without(one: FabricNeed) -> FabricNeed:
        return replace(one, switches=(), leaf_switches=(), upper_switches=())

    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        allowed = {*need.switches, *need.leaf_switches, *need.upper_switches}
        others = sorted(set(trial.catalogue.switches) - allowed)
        alone = [model for model in others if trial(replace(without(basis), switches=(model,))) is not None]
        return _would(alone, " alone")

    rules = {"": need.switches, "leaf ": need.leaf_switches, "spine ": need.upper_switches}
    text = "; ".join(f"{role}{', '.join(models)}" for role, models in rules.items() if models)
    return Wish("candidates.switches", text, without, nearest)


def _cap(budget: str, measure: str, most: float) -> Wish:
    def without(one: FabricNeed) -> FabricNeed:
        return replace(one, most=tuple(cap for cap in one.most if cap[0] != measure))

    def nearest(trial: _Trial, basis: FabricNeed) -> str | None:
        search = Search(without(basis), trial.catalogue, Objective.of(measure))
        best = search.next()
        if best is None:
            return f"it cannot be counted: {search.left_out[0]}" if search.left_out else None
        return f"{amount(measure, search.value_of(best))} is the least that the rest needs"

    key = {"cost": "cost_usd", "power": "power_w"}.get(measure, measure)
    return Wish(f"{budget}.{key}", f"at most {amount(measure, most)}", without, nearest)


def amount(measure: str, value: float) -> str:
    """A figure of a measure for people.

    >>> amount("cost", 1478784.0), amount("power", 2500.0)
    ('US$ 1,478,784', '2,500 W')
    """
    unit = MEASURES[measure]
    return f"{unit} {value:,.0f}" if measure == "cost" else f"{value:,.0f} {unit}"


def _would(names: Sequence[str], how: str = "") -> str | None:
    if not names:
        return None
    more = len(names) - _LISTED
    listed = " or ".join(names[:_LISTED]) if more <= 0 else f"{', '.join(names[:_LISTED])} or {more} more"
    return f"{listed}{how} would do"


def _speed(requirement: Requirement, need: FabricNeed, trial: _Trial) -> Conflict:
    """Nothing connects even two hosts: no switch or no cable takes the NICs."""
    key = f"require.fabrics.{need.name}.nic" if requirement.spec.fabrics[need.name].nic else "require.nic"
    bare = replace(
        need, hosts=min(need.hosts, 2), kinds=(), switches=(), leaf_switches=(), upper_switches=(), single_failures=(),
        most=(), reserve_hosts=0, oversubscription=inf, max_tiers=MOST_TIERS,
    )  # fmt: skip
    speeds = sorted({row.speed for row in requirement.catalogue.switches.values()})
    fitting = [f"{gbps:g}G" for gbps in speeds if gbps != need.nic_gbps and trial(replace(bare, nic_gbps=gbps))]
    ports = " or ".join(map(str, need.nic_ports))
    split = "" if need.nic_ports == (1,) else f", each split into {ports} ports"
    text = f"{counted(need.nics, 'NICs')} of {precise_gbps(need.nic_gbps)} a host{split}"
    missing = Search(bare, requirement.catalogue, _ANY).left_out[:1]
    why = f"no switch and cable of the catalogue take them{f' ({missing[0]})' if missing else ''}"
    return Conflict(key, text, f"{why}; {_would(fitting) or 'nor those of other speeds'}")
