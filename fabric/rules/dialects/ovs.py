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
from fabric.rules.shell_names import find_switch
from fabric.rules.table import Group, Rule

_LOAD = """\
#!/bin/sh
# Load the tables of this folder by ovs-ofctl:
#   load.sh [SWITCH=TARGET ...]     default: every switch, into the bridge named like its files
# SWITCH is a name as for fabric push --switch; TARGET a bridge of this machine, HOST:PORT, [IPV6]:PORT or unix:PATH.
#
# A switch with groups has to speak OpenFlow 1.5 (-O OpenFlow15): groups name the basis of their hash, which 1.3 cannot
# say. For others 1.3 will do (-O OpenFlow13). All switches are asked before the first is changed.
#
# Switches change one after the other. At each of them no packet is lost: groups are added, flows replaced in one atomic
# bundle, and groups that no flow uses any more removed; it is left with these flows only, in all its tables. Over the
# fabric packets can be lost or circle in between, where some switches have the old tables and some the new. Neither
# happens with fabric push, nor with the rounds of a change plan: fabric export openflow SCENARIO --diff RUNNING writes
# them to change/forth/apply.sh.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
"""
_LOAD_EACH = """\
find_files() {
    find_switch "$1"
    groups=$here/switches/$stem.groups
    flows=$here/switches/$stem.flows
    [ -f "$groups" ] && [ -f "$flows" ] || { echo "load.sh: no files of $stem in $here/switches" >&2; exit 2; }
    versions=OpenFlow13,OpenFlow14,OpenFlow15
    if [ -s "$groups" ]; then versions=OpenFlow15; fi
}
ofctl() { ovs-ofctl -O "$versions" --bundle "$@"; }
check() {
    find_files "$1"
    ovs-ofctl -O "$versions" --timeout=10 show "$target" >/dev/null && return
    echo "load.sh: nothing was changed: $target does not answer in $versions, which ${1%"=$target"} needs" >&2
    echo "load.sh: ovs-vsctl set bridge NAME protocols=OpenFlow13,OpenFlow15 allows both" >&2
    exit 2
}
load() {
    find_files "$1"
    ofctl --may-create mod-group "$target" - <"$groups"
    ofctl replace-flows "$target" "$flows"
    ofctl dump-groups "$target" | awk -F '[=,]' '
        FILENAME == ARGV[1] { keep[$2]; next }
        /^ *group_id=/ && !($2 in keep) { print "group delete group_id=" $2 }
    ' "$groups" - | ofctl bundle "$target" -
}
"""


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.flows`` and ``NAME.groups`` of every switch, and ``load.sh``."""
    names = [rules.topology.nodes.name[node] for node in rules.nodes]
    stems = safe_names(names)
    for stem, table in zip(stems, rules.tables(), strict=True):
        groups = "".join(format_group(group, table.hash_basis) + "\n" for group in table.groups)
        yield File(f"switches/{stem}.groups", groups)
        yield File(f"switches/{stem}.flows", "".join(format_rule(rule) + "\n" for rule in table.rules))
    everything = " \\\n    ".join(shlex.quote(f"{stem}={stem}") for stem in stems)
    run = (
        f'[ "$#" -gt 0 ] || set -- \\\n    {everything}\n'
        'for pair in "$@"; do check "$pair"; done\nfor pair in "$@"; do load "$pair"; done\n'
    )
    yield File("load.sh", "".join((_LOAD, find_switch(names, stems), _LOAD_EACH, run)))


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
    failover="next-slot",
    tenants="rules",
)
