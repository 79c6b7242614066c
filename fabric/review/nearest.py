"""The fabric next to what was claimed that can really be built: a small constraint programme.

Sets: the claims that are counts of a folded Clos. Variables: the counts, and for every claim whether it is kept.
Constraints: ports, even spread over the switches above, pods, rails, oversubscription. Objective: first keep what
people are surest of, then be as near as possible to the rest, then the fewest switches. One thread, fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from fabric.review.claims import Claims
from fabric.review.counts import TRUST, CountsChecked
from fabric.review.shape import ROLES, model_of, ways

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel

_MOST = 2_000_000
_EFFORT = 20.0  # of the solver, deterministic seconds
_FAR = 1000  # parts of a claim that distances are counted in
_PLAIN = (
    "gpus", "hosts", "gpus_per_host", "nics", "nics_per_host", "nic_ports", "pods", "rails", "leaves", "spines", "cores",
    "switches", "leaves_per_pod", "spines_per_pod", "host_ports", "uplinks", "spine_down", "spine_uplinks", "core_down",
    "leaf_radix", "spine_radix", "core_radix", "host_cables", "leaf_spine_cables", "spine_core_cables", "fabric_cables",
)  # fmt: skip


_HOSTS = {"gpus", "hosts", "nics", "host_cables"}
_MOST_PORTS = 2048  # of a switch, chassis among them
_USUAL_RADIX = (64, 128, 32)  # of switches whose ports nobody says, the first that does


@dataclass(frozen=True)
class Nearest:
    """Counts of a fabric that can be built, by name."""

    tiers: int
    counts: dict[str, int]


def nearest(checked: CountsChecked, tiers: int, *, like: dict[str, int] | None = None) -> Nearest | None:
    """The counts that can be built with so many tiers nearest to the claims; None where there are none.

    Parameters
    ----------
    like : dict, optional
        Counts that must not all come again: those of an answer that the builder refused.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    counts = _counts(model, checked, tiers)
    kept, distance = _wishes(model, checked, counts)
    kept |= _radix_wishes(model, counts, checked.claims, tiers) | _ratio_wishes(model, counts, checked, tiers)
    if like is not None:
        differ = [model.new_bool_var(f"other {name}") for name in like]
        for name, flag in zip(like, differ, strict=True):
            model.add(counts[name] != like[name]).only_enforce_if(flag)
        model.add_bool_or(differ)
    first = f" {_USUAL_RADIX[0]}"
    weights = {name: TRUST.get(name, 3) if name in checked.claims else 1 + name.endswith(first) for name in kept}
    wanted = sum(4 * weights[name] * flag for name, flag in kept.items())
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = _EFFORT
    if kept:
        model.maximize(wanted)
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        model.add(wanted >= round(solver.objective_value))
    switches = sum(counts[name] for name in ("leaves", "spines", "cores")[:tiers])
    model.minimize(distance * 1000 + switches)
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return Nearest(tiers, {name: int(solver.value(count)) for name, count in counts.items()})


def _counts(model: CpModel, checked: CountsChecked, tiers: int) -> dict[str, Any]:
    """Variables of all counts and what holds between them in every fabric that is built."""
    claims, shape = checked.claims, checked.shape
    counts: dict[str, Any] = {name: model.new_int_var(1, _MOST, name) for name in _PLAIN}
    for name in ("spines", "uplinks", "leaf_spine_cables", "spine_down") if tiers < 2 else ():
        model.add(counts[name] == 1)
    for name in ("cores", "spine_uplinks", "core_down", "spine_core_cables", "pods") if tiers < 3 else ():
        model.add(counts[name] == 1)
    _product(model, counts["gpus"], counts["hosts"], counts["gpus_per_host"])
    _product(model, counts["nics"], counts["hosts"], counts["nics_per_host"])
    _product(model, counts["host_cables"], counts["nics"], counts["nic_ports"])
    if "nics" not in claims and "nics_per_host" not in claims:
        model.add(counts["nics_per_host"] == counts["gpus_per_host"])
    if "nic_ports" not in claims:
        model.add(counts["nic_ports"] == 1)
    if "gpus_per_host" not in claims and "hosts" not in claims:
        gpus = claims.value("gpus")
        model.add(counts["gpus_per_host"] == (8 if gpus is not None and gpus % 8 == 0 else 1))
    elif "gpus" not in claims and "gpus_per_host" not in claims:
        model.add(counts["gpus_per_host"] == counts["nics_per_host"])
    slots = _product_of(model, counts["leaves"], counts["host_ports"], "slots")
    model.add(counts["host_cables"] <= slots)
    if not _HOSTS & set(claims.keys):
        model.add(counts["host_cables"] == slots)
    elif "leaves" not in claims:
        model.add(slots < counts["host_cables"] + counts["host_ports"] * counts_of_units(claims))
    down, _ = ways(claims, "leaf", shape.host)
    up, _ = ways(claims, "leaf", shape.leaf)
    model.add(up * counts["host_ports"] + down * counts["uplinks"] * (tiers > 1) <= down * up * counts["leaf_radix"])
    if tiers == 1:
        model.add(counts["leaves"] == 1)
        model.add(counts["switches"] == 1)
    else:
        _upper(model, counts, checked, tiers)
    _hosts_of_leaves(model, counts, claims)
    if claims.words.get("kind") == "fat-tree":
        model.add(2 * counts["host_ports"] == counts["leaf_radix"])
        model.add(2 * counts["uplinks"] == counts["leaf_radix"])
    return counts


def counts_of_units(claims: Claims) -> int:
    """Leaves of a unit: as many as there are rails."""
    rails = claims.value("rails") or claims.value("nics_per_host") or claims.value("gpus_per_host") or 1
    return int(rails) if claims.words.get("kind", "").startswith("rail") else 1


def _hosts_of_leaves(model: CpModel, counts: dict[str, Any], claims: Claims) -> None:
    """NIC i of a unit's hosts on its leaf i where there are rails, else all NICs of a host on one leaf."""
    per_leaf = model.new_int_var(1, _MOST, "hosts of a leaf")
    if not claims.words.get("kind", "").startswith("rail") and "rails" not in claims:
        links = _product_of(model, counts["nics_per_host"], counts["nic_ports"], "links of a host")
        model.add(_product_of(model, per_leaf, links, "links of hosts") <= counts["host_ports"])
        model.add(counts["hosts"] <= _product_of(model, per_leaf, counts["leaves"], "places"))
        return
    units = model.new_int_var(1, _MOST, "units")
    model.add(counts["rails"] == counts["nics_per_host"])
    _product(model, counts["leaves"], units, counts["rails"])
    model.add(counts["hosts"] <= _product_of(model, units, counts["host_ports"], "places"))


def _radix_wishes(model: CpModel, counts: dict[str, Any], claims: Claims, tiers: int) -> dict[str, Any]:
    """Ports of switches: a model has what it has, a claim is kept where it can be, else what is usual."""
    wishes: dict[str, Any] = {}
    common = model.new_int_var(1, _MOST_PORTS, "radix")
    for role in ROLES[:tiers]:
        name = f"{role}_radix"
        row, _ = model_of(claims, role)
        model.add(counts[name] <= _MOST_PORTS)
        if row is not None:
            model.add(counts[name] == row.ports)
        elif name not in claims and "radix" in claims:
            model.add(counts[name] == common)
        elif name not in claims:
            for most in _USUAL_RADIX:
                wishes[f"{name} {most}"] = model.new_bool_var(f"{name} {most}")
                model.add(counts[name] == most).only_enforce_if(wishes[f"{name} {most}"])
    if "radix" in claims:
        wishes["radix"] = model.new_bool_var("keep radix")
        model.add(common == int(claims.value("radix") or 0)).only_enforce_if(wishes["radix"])
    if tiers > 1 and "spines" not in claims:
        wishes["two spines"] = model.new_bool_var("two spines")
        model.add(counts["spines"] >= 2).only_enforce_if(wishes["two spines"])
    return wishes


def _ratio_wishes(model: CpModel, counts: dict[str, Any], checked: CountsChecked, tiers: int) -> dict[str, Any]:
    """The oversubscription that is claimed; as much bandwidth up as down where nothing claimed says otherwise."""
    claims, shape = checked.claims, checked.shape
    wishes: dict[str, Any] = {}
    pairs = [("oversubscription", "host_ports", "uplinks", shape.ratio(shape.host, shape.leaf)),
             ("spine_oversubscription", "spine_down", "spine_uplinks", shape.ratio(shape.leaf, shape.spine))]  # fmt: skip
    for key, down, up, speed in pairs[: tiers - 1]:
        if key in claims:
            wishes |= _ratio(model, claims, key, counts[down], counts[up], speed)
        else:
            flag = wishes[f"even {up}"] = model.new_bool_var(f"even {up}")
            scale = speed[0]
            model.add(scale.numerator * counts[down] <= scale.denominator * counts[up]).only_enforce_if(flag)
    return wishes


def _upper(model: CpModel, counts: dict[str, Any], checked: CountsChecked, tiers: int) -> None:
    """Spines and cores: as many cables from every switch to each above it."""
    claims, shape = checked.claims, checked.shape
    pods = counts["pods"]
    _product(model, counts["leaves"], pods, counts["leaves_per_pod"])
    _product(model, counts["spines"], pods, counts["spines_per_pod"])
    side = model.new_int_var(1, 4096, "parallel")
    _product(model, counts["uplinks"], side, counts["spines_per_pod"])
    _product(model, counts["spine_down"], side, counts["leaves_per_pod"])
    _product(model, counts["leaf_spine_cables"], counts["leaves"], counts["uplinks"])
    broken, _ = ways(claims, "spine", shape.leaf)
    total = [counts["leaves"], counts["spines"]]
    if tiers == 2:
        model.add(counts["spine_down"] <= broken * counts["spine_radix"])
        model.add(counts["fabric_cables"] == counts["leaf_spine_cables"])
    else:
        upper, _ = ways(claims, "spine", shape.spine)
        model.add(
            upper * counts["spine_down"] + broken * counts["spine_uplinks"] <= broken * upper * counts["spine_radix"]
        )
        above = model.new_int_var(1, 4096, "cores a plane")
        beside = model.new_int_var(1, 4096, "parallel to cores")
        _product(model, counts["cores"], counts["spines_per_pod"], above)
        _product(model, counts["spine_uplinks"], above, beside)
        _product(model, counts["core_down"], pods, beside)
        core, _ = ways(claims, "core", shape.spine)
        model.add(counts["core_down"] <= core * counts["core_radix"])
        _product(model, counts["spine_core_cables"], counts["spines"], counts["spine_uplinks"])
        model.add(counts["fabric_cables"] == counts["leaf_spine_cables"] + counts["spine_core_cables"])
        total.append(counts["cores"])
    model.add(counts["switches"] == sum(total))


def _ratio(
    model: CpModel, claims: Claims, key: str, down: Any, up: Any, speed: tuple[Fraction, frozenset[str]]
) -> dict[str, Any]:
    """Bandwidth down at most so many times the bandwidth up, as it is claimed, where that can be kept."""
    if key not in claims:
        return {}
    most = (claims.numbers[key].high / speed[0]).limit_denominator(10_000)
    flag = model.new_bool_var(f"keep {key} of {down}")
    model.add(most.denominator * down <= most.numerator * up).only_enforce_if(flag)
    return {key: flag}


def _wishes(model: CpModel, checked: CountsChecked, counts: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """For every claim a flag whether it is kept, and how far those are off that are not."""
    claims = checked.claims
    kept: dict[str, Any] = {}
    distances = []
    for name in _PLAIN:
        value = claims.value(name)
        if value is None or not 1 <= value <= _MOST or value.denominator != 1:
            continue
        flag = model.new_bool_var(f"keep {name}")
        model.add(counts[name] == int(value)).only_enforce_if(flag)
        kept[name] = flag
        distances.append(TRUST.get(name, 3) * _off(model, counts[name], int(value), name))
    if "radix" in claims:
        distances.append(TRUST["radix"] * _off(model, counts["leaf_radix"], int(claims.value("radix") or 1), "radix"))
    return kept, sum(distances)


def _off(model: CpModel, count: Any, value: int, name: str) -> Any:
    """How far a count is from its claim, in parts of it."""
    off = model.new_int_var(0, _MOST * _FAR, f"off {name}")
    model.add(off * value >= _FAR * (count - value))
    model.add(off * value >= _FAR * (value - count))
    return off


def _product(model: CpModel, total: Any, first: Any, second: Any) -> None:
    model.add_multiplication_equality(total, [first, second])


def _product_of(model: CpModel, first: Any, second: Any, name: str) -> Any:
    total = model.new_int_var(1, _MOST * 1000, name)
    _product(model, total, first, second)
    return total
