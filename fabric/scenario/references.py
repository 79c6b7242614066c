"""Names in a scenario that have to exist elsewhere in it: node groups, fabrics, workloads.

Works on the plain data, so that unknown names are reported together with whatever else is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from fabric.scenario.tenant_schema import EVERYBODY
from topologies.errors import Problem, Where, nearest_hint
from traffic.inventory import ALL, IMPLICIT

_GROUP_KEYS = ("members", "servers", "clients", "group")


def check_references(data: Any) -> list[Problem]:
    """Unknown and repeated names; a name that is unknown in several places is one problem."""
    if not isinstance(data, dict):
        return []
    fabrics, nodes, workloads = data.get("fabrics"), data.get("nodes"), data.get("workloads")
    names = _Names(
        fabrics=list(fabrics) if isinstance(fabrics, dict) else None,
        groups=_named(nodes, "group"),
        workloads=_named(workloads, "id"),
        tenants=_named(data.get("tenants"), "name"),
    )
    problems = [*_repeated(nodes, "nodes", "group"), *_repeated(workloads, "workloads", "id")]
    problems += [*_repeated(data.get("tenants"), "tenants", "name"), *_repeated_keys(data.get("tenants"))]
    problems += _repeated_sets(data)
    problems += _once(names.check(data), data)
    return problems + list(_without_nics(data, names))


class _Names:
    """The names that exist; None where the list of them is itself malformed."""

    def __init__(
        self,
        *,
        fabrics: list[str] | None,
        groups: list[str] | None,
        workloads: list[str] | None,
        tenants: list[str] | None,
    ) -> None:
        self.fabrics = fabrics
        self.groups = groups
        self.workloads = workloads
        self.tenants = tenants

    def check(self, data: dict[str, Any]) -> Iterator[Problem]:
        for index, node in _items(data.get("nodes")):
            for name in _mapping(node.get("nics")):
                yield from self.fabric(name, ("nodes", index, "nics", name), on_key=True)
        for name, fabric in _mapping(data.get("fabrics")).items():
            yield from self.members(_mapping(fabric).get("attach"), ("fabrics", name, "attach"), implicit=False)
        for index, workload in _items(data.get("workloads")):
            yield from self.workload_keys(workload, ("workloads", index))
        for index, limit in _items(data.get("limits")):
            yield from self.fabric(limit.get("fabric"), ("limits", index, "fabric"))
            yield from self.workload(limit.get("workload"), ("limits", index, "workload"))
        for index, entry in _items(data.get("failures")):
            yield from self.fabric(entry.get("fabric"), ("failures", index, "fabric"))
        for index, tenant in _items(data.get("tenants")):
            yield from self.served(tenant, ("tenants", index))

    def workload_keys(self, value: Any, where: Where) -> Iterator[Problem]:
        """Fabrics and node groups at any depth of a workload."""
        for key, child in _mapping(value).items():
            if key == "fabric":
                yield from self.fabric(child, (*where, key))
            elif key in _GROUP_KEYS:
                yield from self.members(child, (*where, key), implicit=True)
            else:
                yield from self.workload_keys(child, (*where, key))

    def members(self, value: Any, where: Where, *, implicit: bool) -> Iterator[Problem]:
        """One node group, or a list of them."""
        extra = [ALL, *([] if self.groups else [IMPLICIT])] if implicit else []
        for index, name in enumerate(value) if isinstance(value, list) else [(None, value)]:
            place = where if index is None else (*where, index)
            yield from _check("node group", name, self.groups, extra, place)

    def served(self, tenant: dict[str, Any], where: Where) -> Iterator[Problem]:
        """Tenants that one is shared with."""
        value = tenant.get("shared_with")
        known = None if self.tenants is None else [name for name in self.tenants if name != tenant.get("name")]
        for index, name in enumerate(value) if isinstance(value, list) else [(None, value)]:
            place = (*where, "shared_with") if index is None else (*where, "shared_with", index)
            yield from _check("tenant", name, known, [EVERYBODY], place)

    def fabric(self, name: Any, where: Where, *, on_key: bool = False) -> Iterator[Problem]:
        for problem in _check("fabric", name, self.fabrics, [], where):
            yield replace(problem, on_key=on_key)

    def workload(self, name: Any, where: Where) -> Iterator[Problem]:
        yield from _check("workload", name, self.workloads, [], where)


def _check(what: str, name: Any, known: list[str] | None, extra: list[str], where: Where) -> Iterator[Problem]:
    if known is None or not isinstance(name, str) or name in known or name in extra:
        return
    label = nearest_hint(name, [*known, *extra], otherwise="")
    there = ", ".join(known)
    hint = "" if label else f"{what}s: {there}" if there else f"the scenario has no {what}s"
    yield Problem(f"unknown {what} {name!r}", code="FP2105", where=where, label=label, hint=hint)


def _once(problems: Iterable[Problem], data: Any) -> list[Problem]:
    """Report an unknown name where it first occurs, and say where else it does."""
    first: dict[str, Problem] = {}
    for problem in problems:
        known = first.get(problem.message)
        if known is None:
            first[problem.message] = problem
        else:
            note = f"also in {_dotted(problem.where, data)}"
            first[problem.message] = replace(known, notes=(*known.notes, note))
    return [_short(problem) for problem in first.values()]


def _dotted(where: Where, data: Any) -> str:
    """A path as ``--set`` takes it: items of lists by their name where they have one."""
    parts: list[str] = []
    for part in where:
        data = data[part]
        name = _mapping(data).get("group" if parts == ["nodes"] else "id")
        parts.append(name if isinstance(part, int) and isinstance(name, str) else str(part))
    return ".".join(parts)


def _short(problem: Problem) -> Problem:
    more = len(problem.notes) - 2
    return replace(problem, notes=(*problem.notes[:2], f"and in {more} more places")) if more > 0 else problem


def _without_nics(data: dict[str, Any], names: _Names) -> Iterator[Problem]:
    """Groups that a fabric attaches but that have no NIC on it."""
    nics = {node.get("group"): _mapping(node.get("nics")) for _, node in _items(data.get("nodes")) if _hashable(node)}
    for name, fabric in _mapping(data.get("fabrics")).items():
        attach = _mapping(fabric).get("attach")
        for index, group in enumerate(attach if isinstance(attach, list) else []):
            if isinstance(group, str) and group in nics and name not in nics[group]:
                yield Problem(
                    f"node group {group!r} has no NIC on fabric {name!r}",
                    code="FP2106",
                    where=("fabrics", name, "attach", index),
                    hint=f"add nics: {{{name}: {{speed: 400G}}}} to {group}, or take it out of attach",
                )


def _hashable(node: dict[str, Any]) -> bool:
    return isinstance(node.get("group"), str)


def _repeated(items: Any, where: str, key: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, item in _items(items):
        name = item.get(key)
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Problem(
                f"{key} {name!r} is used twice",
                code="FP2107",
                where=(where, index, key),
                notes=(f"first in {where}[{seen[name]}]",),
                hint="names have to differ",
            )
        seen.setdefault(name, index)


def _repeated_keys(tenants: Any) -> Iterator[Problem]:
    """Partition keys that two tenants have, one of them by its place in the list."""
    taken: dict[int, int] = {}
    for index, tenant in _items(tenants):
        key = tenant.get("key")
        given = isinstance(key, int) and not isinstance(key, bool)
        number = int(key) if given and key is not None else index + 1
        if number in taken:
            place = ("tenants", index, "key") if given else ("tenants", index)
            yield Problem(
                f"partition key {number} is that of two tenants",
                code="FP2107",
                where=place,
                notes=(f"the other is tenants[{taken[number]}]",),
                hint="give both a key; without one it is the place in the list, from 1",
            )
        taken.setdefault(number, index)


def _repeated_sets(data: dict[str, Any]) -> Iterator[Problem]:
    """Names of risk groups and of failures, which ``group=NAME`` selects alike."""
    for where in ("risk_groups", "failures"):
        yield from _repeated(data.get(where), where, "name")
    groups = {item.get("name") for _, item in _items(data.get("risk_groups")) if isinstance(item.get("name"), str)}
    for index, item in _items(data.get("failures")):
        if isinstance(item.get("name"), str) and item["name"] in groups:
            yield Problem(
                f"{item['name']!r} is the name of a risk group and of a failure",
                code="FP2107",
                where=("failures", index, "name"),
                hint="names have to differ; the failure may take the group down: down: [group=NAME]",
            )


def _named(items: Any, key: str) -> list[str] | None:
    """Names of the items; None when one is missing its name, for then nothing can be checked."""
    if items is None:
        return []
    if not isinstance(items, list) or any(not isinstance(_mapping(item).get(key), str) for item in items):
        return None
    return [item[key] for item in items]


def _items(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from (
        (index, item) for index, item in enumerate(value if isinstance(value, list) else []) if isinstance(item, dict)
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
