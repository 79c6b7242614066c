"""Open vSwitch: flows and groups per switch in the words of ``ovs-ofctl``, and a script that loads them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.ovs_text import format_group, format_rule, parse_groups, parse_rules
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import Group, Rule

_LOAD = """\
#!/bin/sh
# Load groups, then flows as one bundle, into the bridges of this machine:
#   load.sh [SWITCH=BRIDGE ...]     default: every switch into the bridge of its own name
# Flows that are there already are replaced. Nothing is removed from other tables.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
load() {
    ovs-ofctl -O OpenFlow15 del-flows "$2"
    ovs-ofctl -O OpenFlow15 del-groups "$2"
    ovs-ofctl -O OpenFlow15 add-groups "$2" "$here/switches/$1.groups"
    ovs-ofctl -O OpenFlow15 --bundle add-flows "$2" "$here/switches/$1.flows"
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


DIALECT = Dialect(
    name="ovs",
    format="openflow",
    summary="ovs-ofctl flows and groups files per switch",
    proof="Open vSwitch 3.1, userspace datapath",
    carrier="slots",
    write=write,
    read=read,
)
