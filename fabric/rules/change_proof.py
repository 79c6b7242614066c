"""Whether a change keeps tenants apart all the way: in every round, whichever of its steps are done.

While a round is under way a switch treats a packet as before the round or as after it (``change_plan``). So the proof
is made with both at every switch: its states lead where either of them leads, which covers every order of the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric.rules.addressing import AddressPlan
from fabric.rules.change_plan import DENY, ChangePlan, take_steps
from fabric.rules.errors import RuleError
from fabric.rules.table import SwitchTable
from fabric.rules.tenancy import Tenancy
from fabric.rules.verify.findings import Finding
from fabric.rules.verify.isolation import prove_isolation


def first_crossing(
    plan: AddressPlan,
    tenancy: Tenancy,
    old: Mapping[str, SwitchTable],
    change: ChangePlan,
    families: Sequence[int],
) -> tuple[str, Finding] | None:
    """The first round in which a packet may come from one tenant to another, and that packet; None where none may.

    The round that sets the rules of tenants is looked at when it is done: what ran before it need not have known them.
    """
    names = [node for node in old if plan.topology.has_node(node)]
    before = {name: old[name] for name in names}
    for part in change.rounds:
        by_switch: dict[str, list[object]] = {}
        for step in part.steps:
            by_switch.setdefault(step.switch, []).append(step)
        after = dict(before)
        for name, steps in by_switch.items():
            empty = SwitchTable(name, 0, 0, (), ())
            after[name] = take_steps(before.get(name, empty), steps)  # type: ignore[arg-type]
        while_it_runs = [after] if part.title == DENY else [before, after]
        tables = {
            plan.topology.node(name): [
                (state[name].rules, state[name].groups)
                for state in (while_it_runs if name in by_switch else [after])
                if name in state
            ]
            for name in after
        }
        found = prove_isolation(plan, tables, tenancy, families)
        wrong = next((one for one in found.findings if one.kind in ("crossing", "ambiguous")), None)
        if wrong is not None:
            return part.title, wrong
        before = after
    return None


def refuse_crossing(origin: str, found: tuple[str, Finding] | None) -> None:
    """Raise FP8068 for a change in which tenants would meet."""
    if found is None:
        return
    title, wrong = found
    raise RuleError(
        f"the change from {origin} would not keep tenants apart in round {title!r}: {wrong.text}",
        notes=wrong.trace,
        hint="export without --diff, and load the tables of all switches at once while no tenant sends",
        code="FP8068",
    )
