"""OpenFlow 1.3 messages, one file per switch: ``ovs-ofctl ofp-parse`` prints them, a session can send them as they are.

Groups, a barrier, rules, a barrier. OpenFlow 1.3 cannot say a switch's hash basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.openflow13.encode import table_messages
from fabric.rules.openflow13.readback import read_messages
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import Group, Rule


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.of13`` of every switch."""
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, table in zip(stems, rules.tables(), strict=True):
        yield File(f"switches/{stem}.of13", b"".join(table_messages(table)))


def read(folder: Path, stem: str) -> tuple[list[Rule], list[Group]]:
    """Rules and groups of one switch."""
    path = folder / "switches" / f"{stem}.of13"
    try:
        return read_messages(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RuleError(f"{path} cannot be read: {error}", hint="export again", code="FP8020") from None


SUMMARY = "OpenFlow 1.3 messages per switch, ready for a session"
DIALECT = Dialect(
    name="of13-binary",
    format="openflow",
    proof="Open vSwitch 3.1, which takes them over a session",
    carrier="slots",
    write=write,
    loses="the hash basis of switches: tiers with the same hash basis polarise",
    read=read,
    failover="next-slot",
    tenants="rules",
)
