"""CRUSH rules: read as ``ceph osd crush rule dump -f json`` prints them, and drawn over a tree by weighted straws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import FormatError, TrafficError
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, parse_json
from traffic.storage.osd_tree import OsdTree

WAY = "write it by: ceph osd crush rule dump -f json"
_OTHER = "places groups in a way that is not drawn; give crush_map, the output of ceph osd getcrushmap"
FIELDS = DeclaredFields(
    "storage",
    "crush rules",
    "CrushWrapper::dump_rule and crush_do_rule of Ceph; ceph osd crush rule dump",
    [
        Field("rule_id", MODELLED, "the number that a pool's crush_rule, or the key, names"),
        Field("steps", MODELLED, "the operations below"),
        Field("take", MODELLED, "the part of the tree, by item_name: NAME, or NAME~CLASS for one device class"),
        Field("choose_firstn", MODELLED, "num buckets of a type, by weight, each once"),
        Field("choose_indep", MODELLED, "num buckets of a type, by weight, each once"),
        Field("chooseleaf_firstn", MODELLED, "num buckets of a type, and an OSD in each"),
        Field("chooseleaf_indep", MODELLED, "num buckets of a type, and an OSD in each"),
        Field("emit", MODELLED, "what was chosen is kept, in order: the first is the primary"),
        Field("item", MODELLED, "the bucket's number where item_name is absent"),
        Field("item_name", MODELLED, "the bucket, with its device class"),
        Field("num", MODELLED, "how many: 0 as many as the pool's size, below 0 so many fewer"),
        Field("type", MODELLED, "of a step: type of the buckets, osd for OSDs"),
        Field("choose_msr", REFUSED, _OTHER),
        Field("choosemsr*", REFUSED, _OTHER),
        Field("opcode", REFUSED, _OTHER),
        Field("set_msr_*", REFUSED, _OTHER),
        Field("rule_name", HARMLESS, "a name"),
        Field("ruleset", HARMLESS, "the number in old releases, equal to rule_id since"),
        Field("min_size", HARMLESS, "which pools may use it"),
        Field("max_size", HARMLESS, "which pools may use it"),
        Field("op", HARMLESS, "names the operation"),
        Field("noop", HARMLESS, "nothing"),
        Field("set_choose_*", HARMLESS, "how often CRUSH tries again"),
        Field("set_chooseleaf_*", HARMLESS, "how often CRUSH tries again"),
    ],
)
_NONE = 2**31 - 1  # CRUSH_ITEM_NONE
_CHUNK = 4_000_000  # straws drawn at a time
_CHOICES = ("choose_firstn", "choose_indep", "chooseleaf_firstn", "chooseleaf_indep")


@dataclass(frozen=True)
class Step:
    """One step of a rule."""

    op: Literal["take", "choose", "emit"]
    bucket: str = ""  # take: name
    number: int = 0  # take: id, where there is no name
    device_class: str = ""  # take: '' for any
    count: int = 0  # choose
    kind: str = ""  # choose
    leaf: bool = False  # choose: also an OSD in each


@dataclass(frozen=True)
class Rule:
    """Where a pool's placement groups go."""

    number: int
    steps: tuple[Step, ...]

    @property
    def failure_domain(self) -> str:
        """Type of bucket that no two members share; '' where the rule chooses in several steps."""
        chosen = [step.kind for step in self.steps if step.op == "choose"]
        return chosen[0] if len(chosen) == 1 else ""


def simple_rule(number: int, device_class: str, domain: str) -> Rule:
    """Members in different buckets of a type, of one class or any."""
    return Rule(
        0,
        (
            Step("take", number=number, device_class=device_class),
            Step("choose", kind=domain, leaf=True),
            Step("emit"),
        ),
    )


def read_crush_rules(text: str, path: str) -> tuple[dict[int, Rule | JsonValue], tuple[str, ...]]:
    """Rules by number, and what is to be said of their fields; one that cannot be drawn stays as it was read.

    Raises
    ------
    FormatError
        When it is not such a document (FP6212), or has something else at a place (FP6250).
    """
    document = parse_json(text, path, hint=WAY)
    entries = [document] if isinstance(document.value, dict) and "steps" in document.keys else None
    if entries is None and isinstance(document.value, dict) and "rules" in document.keys:  # ceph osd crush dump
        entries = list(document.get("rules").each())
    if entries is None and not isinstance(document.value, list):
        raise document.wrong("no list of rules", hint=WAY, code="FP6212")
    entries = list(document.each()) if entries is None else entries
    rules: dict[int, Rule | JsonValue] = {}
    present: dict[str, None] = {}
    for entry in entries:
        number = entry.need("rule_id").whole()
        present |= dict.fromkeys(entry.keys)
        ops = {step.need("op").text() if "op" in step.keys else "opcode" for step in entry.need("steps").each()}
        present |= {name: None for step in entry.get("steps").each() for name in step.keys}
        if any(FIELDS.treatment(op) == REFUSED or op not in FIELDS for op in ops):
            rules[number] = entry
        else:
            rules[number] = Rule(number, tuple(step for part in entry.get("steps").each() for step in _steps(part)))
            present |= dict.fromkeys(ops)
    if not rules:
        raise document.wrong("no rule in it", hint=WAY, code="FP6212")
    return rules, FIELDS.notes(name for name in present if FIELDS.treatment(name) != REFUSED)


def _refusal(entry: JsonValue) -> FormatError:
    """What a rule has that cannot be drawn."""
    for step in entry.get("steps").each():
        op = step.get("op").text("opcode")
        declared = FIELDS.of(op)
        if declared is None or declared.treatment == REFUSED:
            return step.wrong(f"{op}: {declared.effect if declared else _OTHER}", code="FP6251")
    return entry.wrong(_OTHER, code="FP6251")


def _steps(entry: JsonValue) -> list[Step]:
    op = entry.need("op").text()
    if op == "take":
        name = entry.get("item_name").text("")
        bucket, _, device_class = name.partition("~")
        number = 0 if bucket else entry.need("item").whole(least=-(2**31), most=2**31 - 1)
        return [Step("take", bucket=bucket, number=number, device_class=device_class)]
    if op in _CHOICES:
        kind = entry.need("type").text()
        kind = "osd" if kind == "device" else kind
        return [Step("choose", count=entry.need("num").whole(least=-1000, most=1000), kind=kind, leaf="leaf" in op)]
    return [Step("emit")] if op == "emit" else []


def draw(tree: OsdTree, rule: Rule, groups: int, size: int, rng: np.random.Generator) -> Ints:
    """Placement groups of a rule by weighted straws.

    Every candidate draws ln(u)/weight and the longest straws win, which is sampling by weight without repeats: what
    CRUSH comes to over many groups. A bucket that is chosen with a leaf weighs what its OSDs keep, as CRUSH tries again
    where it meets one that is out; one that is chosen without weighs what its OSDs weigh, as CRUSH does not look into
    it. First choices are dealt out by weight rather than drawn one by one, as a cluster with a balancer has them.

    Returns
    -------
    ndarray of int, shape (groups, size)
        Rows of the tree, the first of each group its primary; -1 where none was found.

    Raises
    ------
    TrafficError
        When the rule takes a bucket that the tree has not (FP4052).

    References
    ----------
    Weil et al., "CRUSH", SC 2006; straw2 and crush_do_rule in ``src/crush/mapper.c`` of Ceph.
    """
    straws = _Straws(tree, rng)
    result = np.full((groups, size), _NONE, dtype=np.int64)
    filled = 0
    current = np.empty((groups, 0), dtype=np.int64)
    for step in rule.steps:
        if step.op == "take":
            number = tree.named(step.bucket, where="crush_rules") if step.bucket else step.number
            current = np.full((groups, 1), number, dtype=np.int64)
            straws.device_class = step.device_class
        elif step.op == "choose":
            count = step.count if step.count > 0 else size + step.count
            parts = [straws.choose(part, count, step.kind, leaf=step.leaf) for part in current.T] if count > 0 else []
            current = np.concatenate(parts, axis=1) if parts else current[:, :0]
        else:
            kept = current[:, : size - filled]
            result[:, filled : filled + kept.shape[1]] = kept
            filled += kept.shape[1]
            current = current[:, :0]
    rows = np.full(max(int(tree.number.max()), 0) + 1, -1, dtype=np.int32)
    rows[tree.number] = np.arange(len(tree.number))
    good = (result >= 0) & (result < len(rows))
    return column(np.where(good, rows[np.where(good, result, 0)], -1), np.int32)


class _Straws:
    """Choices in a tree, of one device class."""

    def __init__(self, tree: OsdTree, rng: np.random.Generator) -> None:
        self.tree, self.rng, self.device_class = tree, rng, ""
        self._known: dict[tuple[int, str, bool, str], tuple[np.ndarray, Floats]] = {}

    def choose(self, parents: np.ndarray, count: int, kind: str, *, leaf: bool) -> np.ndarray:
        """Different buckets or OSDs in the bucket of every group, shape (groups, count)."""
        chosen = np.full((len(parents), count), _NONE, dtype=np.int64)
        order = np.argsort(parents, kind="stable")
        every, starts = np.unique(parents[order], return_index=True)
        for parent, rows in zip(every.tolist(), np.split(order, starts[1:]), strict=True):
            ids, weight = self._candidates(parent, kind, leaf or kind == "osd")
            if len(ids):
                chosen[rows, : len(ids)] = self._longest(ids, weight, len(rows), count)
        if leaf and kind != "osd":
            return np.concatenate([self.choose(part, 1, "osd", leaf=False) for part in chosen.T], axis=1)
        return chosen

    def _candidates(self, parent: int, kind: str, keeping: bool) -> tuple[np.ndarray, Floats]:
        """Ids of a type in a bucket and their weights, those above 0."""
        key = (parent, kind, keeping, self.device_class)
        if key not in self._known:
            tree = self.tree
            own = np.array([self.device_class in ("", name) for name in tree.device_class])
            weight = tree.weight * own * (tree.live if keeping else 1.0)
            if parent not in tree.nodes:
                ids, weights = [], []
            elif kind == "osd":
                rows = tree.under(parent)
                ids, weights = tree.number[rows].tolist(), weight[rows].tolist()
            else:
                ids = tree.buckets(parent, kind)
                weights = [float(weight[tree.under(number)].sum()) for number in ids]
            some = [(number, part) for number, part in zip(ids, weights, strict=True) if part > 0]
            self._known[key] = (
                np.array([number for number, _ in some], dtype=np.int64),
                column([part for _, part in some], np.float64),
            )
        return self._known[key]

    def _longest(self, ids: np.ndarray, weight: Floats, groups: int, count: int) -> np.ndarray:
        """The longest straws, shape (groups, at most count); the first is dealt as near to the weights as may be."""
        ladder = np.cumsum(weight)
        points = (np.arange(groups) + self.rng.random()) / groups * ladder[-1]
        dealt = self.rng.permutation(np.minimum(np.searchsorted(ladder, points, side="right"), len(ids) - 1))
        parts = [ids[dealt[:, None]]] if count == 1 else []
        step = max(_CHUNK // len(ids), 1)
        for first in range(0, groups if count > 1 else 0, step):
            winner = dealt[first : first + step]
            with np.errstate(divide="ignore"):
                length = np.log(self.rng.random((len(winner), len(ids)))) / weight
            length[np.arange(len(winner)), winner] = np.inf
            parts.append(ids[np.argsort(-length, axis=1)[:, :count]])
        return np.concatenate(parts)


def check_found(members: Ints, what: str, where: str) -> str:
    """What to say of groups that found too few members; empty if none.

    Raises
    ------
    TrafficError
        When no group finds enough (FP4050).
    """
    found = (members >= 0).sum(axis=1)
    if found.max(initial=0) < members.shape[1]:
        raise TrafficError(
            f"{what} need as many servers or failure domains; there are {found.max(initial=0)}",
            where=where,
            hint=f"at most {found.max(initial=0)}, or another failure domain or rule",
            code="FP4050",
        )
    short = int((found < members.shape[1]).sum())
    return f"{short:,} of {len(members):,} placement groups find too few OSDs for all members" if short else ""


def by_number(rules: Mapping[int, Rule | JsonValue], number: int | None) -> Rule:
    """The rule of a number, or the only one.

    Raises
    ------
    TrafficError
        When there is none, or it is not clear which (FP4058).
    FormatError
        When it cannot be drawn (FP6251).
    """
    if number is None and len(rules) == 1:
        number = next(iter(rules))
    if number is None or number not in rules:
        raise TrafficError(
            "which rule does the pool have?" if number is None else f"crush_rules has no rule {number}",
            where="crush_rule",
            hint=f"crush_rule: one of {', '.join(map(str, rules))}; or pools, which name it",
            code="FP4058",
        )
    rule = rules[number]
    if isinstance(rule, JsonValue):
        raise _refusal(rule)
    return rule
