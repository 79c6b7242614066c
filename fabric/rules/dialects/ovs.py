"""Open vSwitch: flows and groups per switch in the words of ``ovs-ofctl``, and a script that loads them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.ovs_text import format_group, format_rule, parse_bases, parse_groups, parse_rules
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import Group, Rule

_LOAD = """\
#!/bin/sh
# Load the tables of this folder into bridges of this machine:
#   load.sh [SWITCH=BRIDGE ...]     default: every switch into the bridge of its own name
# No packet is lost on the way: groups are added, flows replaced in one atomic bundle, and groups that no flow uses any
# more removed. A bridge is left with these flows only, in all its tables.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ofctl() { ovs-ofctl -O OpenFlow15 --bundle "$@"; }
load() {
    groups=$here/switches/$1.groups
    flows=$here/switches/$1.flows
    [ -f "$groups" ] && [ -f "$flows" ] || { echo "load.sh: no switch $1 in $here/switches" >&2; exit 2; }
    ofctl --may-create mod-group "$2" - <"$groups"
    ofctl replace-flows "$2" "$flows"
    ofctl dump-groups "$2" | awk -F '[=,]' '
        FILENAME == ARGV[1] { keep[$2]; next }
        /^ *group_id=/ && !($2 in keep) { print "group delete group_id=" $2 }
    ' "$groups" - | ofctl bundle "$2" -
}
if [ "$#" -gt 0 ]; then
    for pair in "$@"; do load "${pair%%=*}" "${pair#*=}"; done
    exit
fi
"""


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.flows`` and ``NAME.groups`` of every switch, and ``load.sh``."""
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    script = [_LOAD]
    for stem, table in zip(stems, rules.tables(), strict=True):
        groups = "".join(format_group(group, table.hash_basis) + "\n" for group in table.groups)
        yield File(f"switches/{stem}.groups", groups)
        yield File(f"switches/{stem}.flows", "".join(format_rule(rule) + "\n" for rule in table.rules))
        script.append(f"load {shlex.quote(stem)} {shlex.quote(stem)}\n")
    yield File("load.sh", "".join(script))


def read(folder: Path, stem: str) -> tuple[list[Rule], list[Group]]:
    """Rules and groups of one switch."""
    found = []
    for suffix in ("flows", "groups"):
        path = folder / "switches" / f"{stem}.{suffix}"
        try:
            found.append((path.read_text(encoding="utf-8"), str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"{path} cannot be read: {error}", hint="export again", code="FP8020") from None
    return parse_rules(*found[0]), parse_groups(*found[1])


def read_seed(folder: Path, stem: str) -> int | None:
    """Basis of the hash that the groups of one switch name; None where they name none, or not the same."""
    text = (folder / "switches" / f"{stem}.groups").read_text(encoding="utf-8")
    found = set(parse_bases(text))
    return found.pop() if len(found) == 1 else None


SUMMARY = "ovs-ofctl flows and groups files per switch"
DIALECT = Dialect(
    name="ovs",
    format="openflow",
    proof="Open vSwitch 3.1, userspace datapath",
    carrier="slots",
    write=write,
    read=read,
    seeds="tables",
    read_seed=read_seed,
)
