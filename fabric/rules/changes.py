"""The change from one export to another as files: a bundle per round and switch, and the way back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fabric.rules.change_plan import ChangePlan, Step, plan_change
from fabric.rules.change_proof import first_crossing, refuse_crossing
from fabric.rules.dialect import DIALECTS, Dialect, File, read_switch
from fabric.rules.errors import RuleError
from fabric.rules.manifest import SCHEMA, read_manifest
from fabric.rules.ovs_text import format_group, format_rule
from fabric.rules.planned import PlannedRules
from fabric.rules.safe_names import safe_names
from fabric.rules.shell_names import find_switch
from fabric.rules.table import Group, Rule, SwitchTable
from fabric.rules.verify.tables import parts_of

_APPLY = """\
#!/bin/sh
# Apply the rounds of this folder in order by ovs-ofctl:
#   apply.sh [SWITCH=TARGET ...]    default for a switch that is not named: the bridge named like its files
# SWITCH is a name as for fabric push --switch; TARGET a bridge of this machine, HOST:PORT, [IPV6]:PORT or unix:PATH.
#
# Every switch has to speak OpenFlow 1.5 (-O OpenFlow15), and all are asked before the first is changed. A bundle is
# atomic; those of a round go side by side, and the next round begins when every switch has confirmed. A round that
# fails stops the change: no packet circles in what there is then, and the same command again goes on.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
"""
_APPLY_EACH = """\
wanted=
find_target() {
    wanted=$1; shift
    for pair in "$@"; do
        find_switch "$pair"
        [ "$stem" != "$wanted" ] || return 0
    done
    target=$wanted
}
for pair in "$@"; do find_switch "$pair"; done
for file in "$here"/[0-9]*/*.bundle; do
    name=$(basename "$file" .bundle)
    case " ${asked-} " in *" $name "*) continue ;; esac
    asked="${asked-} $name"
    find_target "$name" "$@"
    ovs-ofctl -O OpenFlow15 --timeout=10 show "$target" >/dev/null || {
        echo "apply.sh: nothing was changed: $target does not answer in OpenFlow15, which $name needs" >&2
        exit 2
    }
done
for round in "$here"/[0-9]*; do
    running=
    for file in "$round"/*.bundle; do
        name=$(basename "$file" .bundle)
        find_target "$name" "$@"
        ovs-ofctl -O OpenFlow15 bundle "$target" "$file" &
        running="$running $!:$name"
    done
    failed=
    for one in $running; do
        wait "${one%%:*}" || failed="$failed ${one#*:}"
    done
    [ -z "$failed" ] || {
        echo "apply.sh: stopped in round $(basename "$round") at$failed; the rounds before it are done" >&2
        exit 1
    }
done
"""


def read_tables_of(folder: Path) -> dict[str, SwitchTable]:
    """Tables of an export folder by name of the switch."""
    manifest = read_manifest(folder)
    written = DIALECTS.find(manifest.dialect)
    if written.read is None:
        raise RuleError(
            f"{folder} is of dialect {manifest.dialect}, whose files cannot be read back",
            hint="compare with an export of --dialect ovs",
            code="FP8024",
        )
    found = {}
    for entry in manifest.switches:
        rules, groups = read_switch(written, folder, entry.file)
        found[entry.name] = SwitchTable(entry.name, entry.datapath, 0, tuple(groups), tuple(rules))
    return found


def change_files(old: Path, planned: PlannedRules, chosen: Dialect) -> Iterator[File]:
    """Rounds from the export in ``old`` to the tables in hand, and back.

    Raises
    ------
    RuleError
        When the two are of different fabrics, or speak different dialects' weights; FP8068 when tenants would meet in
        between.
    """
    manifest = read_manifest(old)
    if manifest.fabric != planned.plan.fabric or set(manifest.families) != set(planned.rules.families):
        raise RuleError(
            f"{old} is of fabric {manifest.fabric}, IPv{' and '.join(map(str, manifest.families))}; the new tables are "
            f"of {planned.plan.fabric}, IPv{' and '.join(map(str, planned.rules.families))}",
            hint="compare exports of one fabric",
            code="FP8050",
        )
    change = change_to(planned, before=read_tables_of(old), chosen=chosen, origin=str(old))
    yield from change.files(old.name)


@dataclass(frozen=True, eq=False)
class Change:
    """From tables that run to others, and back."""

    forth: ChangePlan
    back: ChangePlan
    before: Mapping[str, SwitchTable]
    after: Mapping[str, SwitchTable]
    back_keeps_apart: bool | None = None  # whether tenants meet in no round of the way back; None: no tenants

    def files(self, origin: str) -> Iterator[File]:
        """A bundle per round and switch, both ways, a script that takes them, and figures in ``change.json``.

        Parameters
        ----------
        origin : str
            What people call the tables that run.
        """
        record = _record(self.forth, self.back, origin)
        if self.back_keeps_apart is not None:
            record["tenants_apart"] = {"forth": True, "back": self.back_keeps_apart}
        yield File("change.json", json.dumps(record, indent=1) + "\n")
        names = [*self.after, *(name for name in self.before if name not in self.after)]
        stems = safe_names(names)
        basis = {name: table.hash_basis for name, table in self.after.items()}
        script = "".join((_APPLY, find_switch(names, stems), _APPLY_EACH))
        for folder, change in (("forth", self.forth), ("back", self.back)):
            yield from _bundles(folder, change, basis, dict(zip(names, stems, strict=True)))
            yield File(f"{folder}/apply.sh", script)


def change_to(
    planned: PlannedRules, *, before: Mapping[str, SwitchTable], chosen: Dialect, origin: str = "what runs"
) -> Change:
    """How tables that run come to be the tables in hand.

    Parameters
    ----------
    origin : str
        What people call the tables that run.

    Raises
    ------
    RuleError
        For tables of switches that the fabric does not have; FP8068 when tenants would meet on the way forth.
    """
    after = {table.name: table for table in planned.rules.tables()}
    families, parts = planned.rules.families, parts_of(chosen)
    forth = plan_change(planned.plan, before, after, families=families, parts=parts)
    back = plan_change(planned.plan, after, before, families=families, parts=parts)
    tenancy, apart = planned.rules.tenancy, None
    if tenancy is not None:
        refuse_crossing(origin, first_crossing(planned.plan, tenancy, before, forth, families))
        apart = first_crossing(planned.plan, tenancy, after, back, families) is None
    return Change(forth, back, before, after, apart)


def _bundles(folder: str, change: ChangePlan, basis: Mapping[str, int], stem: Mapping[str, str]) -> Iterator[File]:
    width = max(2, len(str(len(change.rounds))))  # the script takes rounds in the order of their names
    for number, part in enumerate(change.rounds, 1):
        title = part.title.replace(",", "").replace(" ", "-")
        by_switch: dict[str, list[Step]] = {}
        for step in part.steps:
            by_switch.setdefault(step.switch, []).append(step)
        for name, steps in by_switch.items():
            lines = (bundle_line(step, basis.get(name, 0)) for step in steps)
            yield File(
                f"{folder}/{number:0{width}d}-{title}/{stem[name]}.bundle", "".join(f"{line}\n" for line in lines)
            )


def bundle_line(step: Step, basis: int) -> str:
    """A step in the words of ``ovs-ofctl bundle``.

    Examples
    --------
    >>> from fabric.rules.table import Action, Match
    >>> rule = Rule(126, Match(4, 0x0A400000, 26), Action("output", 7), 0xFA01)
    >>> bundle_line(Step("leaf0", "add", rule), 0)
    'flow add cookie=0xfa01,priority=126,ip,nw_dst=10.64.0.0/26,actions=output:7'
    >>> bundle_line(Step("leaf0", "delete", rule), 0)
    'flow delete_strict priority=126,ip,nw_dst=10.64.0.0/26'
    """
    if isinstance(step.what, Group):
        if step.verb == "delete":
            return f"group delete group_id={step.what.id}"
        # A round that is taken again finds the group there.
        return f"group add_or_mod {format_group(step.what, basis)}"
    text = format_rule(step.what)
    if step.verb == "delete":
        match = text.split(",", 1)[1].rsplit("actions=", 1)[0].rstrip(",")
        return f"flow delete_strict {match}"
    # An add with the match and priority of a rule replaces it, cookie and all, which modify_strict would not.
    return f"flow add {text}"


def _record(forth: ChangePlan, back: ChangePlan, origin: str) -> dict[str, object]:
    def figures(change: ChangePlan) -> dict[str, object]:
        return {
            "rounds": [{"title": part.title, "steps": len(part.steps)} for part in change.rounds],
            "switches": change.switches,
            "affected": change.affected,
            "ordered": change.ordered,
            **{
                f"{kind.__name__.lower()}s_{verb}": change.count(verb, kind)
                for kind in (Rule, Group)
                for verb in ("add", "modify", "delete")
            },
        }

    return {
        "schema": SCHEMA,
        "kind": "ChangePlan",
        "from": shlex.quote(origin),
        "forth": figures(forth),
        "back": figures(back),
    }
