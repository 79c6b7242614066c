"""Which rule a pool's placement groups follow: read, said by keys, or clear from a tree that is of one kind."""

from __future__ import annotations

from dataclasses import dataclass

from topologies.errors import TrafficError, nearest_hint
from traffic.files import read_beside
from traffic.storage.crush_rules import Rule, by_number, read_crush_rules, simple_rule
from traffic.storage.osd_tree import OsdTree
from traffic.storage.pools import PoolDetail
from traffic.workload import WorkloadContext

ANY = "any"
# Types of buckets that are above or below a failure domain in nearly every cluster; others are parts of a site.
_COMMON = ("root", "host", "rack", "chassis", "osd")


@dataclass(frozen=True)
class RuleKeys:
    """Keys of the scenario about where a pool's members lie."""

    osd_tree: str | None
    crush_rules: str | None
    crush_root: str | None
    device_class: str | None
    failure_domain: str | None
    crush_map: str | None
    crush_rule: int | None

    def number(self, detail: PoolDetail | None) -> int | None:
        """Number of the rule: the key's, or the pool's."""
        return self.crush_rule if self.crush_rule is not None else detail.rule if detail else None

    def refuse_beside_map(self) -> None:
        """Raise where keys say again what a CRUSH map says (FP4059)."""
        self._refuse(("osd_tree", "crush_rules", "crush_root", "device_class", "failure_domain"), "crush_map says it")

    def refuse_beside_rules(self) -> None:
        """Raise where keys say again what rules say (FP4059)."""
        self._refuse(("crush_root", "device_class", "failure_domain"), "crush_rules says it")

    def refuse_without_tree(self) -> None:
        """Raise where keys are about a tree that is not given (FP4059)."""
        self._refuse(("crush_rules", "crush_root", "device_class"), "it is about osd_tree, which is not given")

    def _refuse(self, keys: tuple[str, ...], why: str) -> None:
        given = [key for key in keys if getattr(self, key) is not None]
        if given:
            raise TrafficError(f"{given[0]} cannot be here: {why}", where=given[0], hint="leave one out", code="FP4059")


def pool_rule(tree: OsdTree, keys: RuleKeys, detail: PoolDetail | None, context: WorkloadContext) -> Rule:
    """The rule of a pool.

    Raises
    ------
    TrafficError
        When the tree has several roots, classes or sites and nothing says which are used (FP4058), or has not what the
        keys name (FP4052).
    """
    number = keys.number(detail)
    if keys.crush_rules is not None:
        keys.refuse_beside_rules()
        text = read_beside(context.directory, keys.crush_rules, "crush_rules")
        rules, notes = read_crush_rules(text, keys.crush_rules)
        context.say(*(f"{keys.crush_rules}: {text}" for text in notes))
        rule = by_number(rules, number)
        _check_kept(tree, rule)
        return rule
    root = _root(tree, keys, number)
    device_class = _class(tree, keys, root)
    domain = keys.failure_domain or "host"
    part = tree.nodes[root].name + (f"~{device_class}" if device_class else "")
    if domain != "osd" and not tree.buckets(root, domain):
        kinds = dict.fromkeys(tree.nodes[one].kind for one in tree.nodes if one < 0 and one != root)
        raise TrafficError(
            f"no OSD is in a {domain}",
            where="failure_domain",
            hint=f"there is: {', '.join(kinds)}",
            code="FP4052",
        )
    rule = simple_rule(root, device_class, domain)
    if number is not None:
        context.say(
            f"crush_rule {number} is not read: it is taken to choose by {domain} in all of {part} (crush_rules)"
        )
    _check_kept(tree, rule)
    return rule


def _root(tree: OsdTree, keys: RuleKeys, number: int | None) -> int:
    if keys.crush_root is not None:
        return tree.named(keys.crush_root, where="crush_root")
    names = [tree.nodes[one].name for one in tree.roots]
    if len(names) != 1:
        raise _unclear(f"{tree.path} has {len(names)} roots: {', '.join(names)}", f"crush_root: {(names or [''])[0]}")
    sites = [one for one in tree.nodes if one < 0 and tree.nodes[one].kind not in _COMMON]
    kinds = [kind for kind in dict.fromkeys(tree.nodes[one].kind for one in sites)
             if sum(tree.nodes[one].kind == kind for one in sites) > 1]  # fmt: skip
    if kinds and number:
        raise _unclear(
            f"{tree.path} has more than one {kinds[0]}, and crush_rule {number} may take a part of it",
            f"crush_root: {names[0]} for all of it",
        )
    return tree.roots[0]


def _class(tree: OsdTree, keys: RuleKeys, root: int) -> str:
    classes = tree.classes(tree.under(root))
    if keys.device_class == ANY:
        return ""
    if keys.device_class is not None:
        if keys.device_class not in classes:
            raise TrafficError(
                f"no OSD in {tree.nodes[root].name} is of class {keys.device_class!r}",
                where="device_class",
                hint=nearest_hint(keys.device_class, [*filter(None, classes), ANY], "classes"),
                code="FP4052",
            )
        return keys.device_class
    if len(classes) > 1:
        named = ", ".join(name or "none" for name in classes)
        raise _unclear(
            f"{tree.path} has OSDs of {len(classes)} classes: {named}",
            f"device_class: {next(filter(None, classes))}, or any",
        )
    return ""


def _unclear(what: str, key: str) -> TrafficError:
    return TrafficError(
        f"which OSDs does the pool use? {what}",
        where="osd_tree",
        hint=f"crush_rules: RULES.json, from ceph osd crush rule dump -f json; or {key}",
        code="FP4058",
    )


def _check_kept(tree: OsdTree, rule: Rule) -> None:
    """Raise where a rule chooses by what the tree has not, or takes a part in which no OSD keeps anything."""
    kinds = dict.fromkeys(node.kind for node in tree.nodes.values())
    for step in rule.steps:
        if step.op == "choose" and step.kind not in kinds:
            raise TrafficError(
                f"rule {rule.number} chooses by type {step.kind!r}, of which {tree.path} has none",
                where="osd_tree",
                hint=f"there is: {', '.join(kinds)}",
                code="FP4052",
            )
        if step.op != "take":
            continue
        number = tree.named(step.bucket, where="crush_rules") if step.bucket else step.number
        taken = tree.nodes[number].name if number in tree.nodes else str(number)
        name = f"{taken}~{step.device_class}" if step.device_class else taken
        own = [row for row in tree.under(number).tolist() if step.device_class in ("", tree.device_class[row])]
        if not own:
            raise TrafficError(
                f"rule {rule.number} takes {name}, in which there is no OSD",
                where="osd_tree",
                hint=f"classes: {', '.join(filter(None, tree.classes(range(len(tree.number))))) or 'none'}",
                code="FP4052",
            )
        if not (tree.weight[own] * tree.live[own]).any():
            raise TrafficError(
                f"all {len(own):,} OSDs in {name} are down or out, by {tree.path}",
                where="osd_tree",
                hint="take the tree while OSDs are up and in",
                code="FP4052",
            )
