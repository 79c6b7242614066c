"""A push to several switches: all read first, then changed in the rounds of the change plan, then read back.

Nothing is changed unless every switch named was reached, is the one meant, and may be changed. With ``partial`` those
that are missing are left as they are, and so are those whose new tables would lead packets into what is not known
(``partial_change``). Switches of the export that are not named are taken to have their tables of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.change_plan import ChangePlan, circling, plan_change, take_steps
from fabric.rules.dialect import DIALECTS
from fabric.rules.errors import RuleError
from fabric.rules.manifest import read_manifest
from fabric.rules.openflow13 import encode
from fabric.rules.openflow13.folder import Target, read_fabric, read_tables
from fabric.rules.openflow13.reading import SwitchReading, Way, read_switch
from fabric.rules.openflow13.result import FabricPush, Held, SwitchResult, planned, push_switch, state_of
from fabric.rules.openflow13.rounds import RoundResult, Sent, in_parallel, run_rounds
from fabric.rules.partial_change import switches_that_keep
from fabric.rules.table import SwitchTable
from fabric.rules.verify.behaviour import Parts
from fabric.rules.verify.tables import parts_of
from topologies.host_roles import some

Tables = Mapping[str, SwitchTable]


@dataclass(frozen=True, eq=False)
class Exported:
    """What a push sends, and what it has to know of the fabric around: all from verified files."""

    plan: AddressPlan | None  # None: one switch is pushed, and nothing has to be followed
    targets: tuple[Target, ...]
    tables: Tables  # of the targets
    others: Tables  # of the switches of the export that are not named
    families: tuple[int, ...]
    parts: Parts


@dataclass(frozen=True, eq=False)
class _Change:
    """What is to be changed: rounds, who keeps its table, and the tables before and after."""

    plan: ChangePlan | None
    kept: frozenset[str]
    old: Tables
    missing: tuple[str, ...]  # switches whose tables are not known


def read_export(folder: Path, targets: Sequence[Target]) -> Exported:
    """Everything that is pushed, read, checked and built once before the first connection.

    Raises
    ------
    RuleError
        FP8042 when files are not those the verifier passed; FP8030 for what OpenFlow 1.3 cannot say.
    """
    tables = read_tables(folder, [target.entry for target in targets])
    for table in tables.values():
        encode.rehearse(table)
    parts = parts_of(DIALECTS.find("ovs"))
    if len(targets) < 2:
        return Exported(None, tuple(targets), tables, {}, (), parts)
    manifest = read_manifest(folder)
    others = read_tables(folder, [entry for entry in manifest.switches if entry.name not in tables])
    return Exported(read_fabric(folder, manifest), tuple(targets), tables, others, manifest.families, parts)


def push_fabric(
    exported: Exported, way: Way, *, dry_run: bool = False, partial: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> FabricPush:  # fmt: skip
    """Push an export to its targets, or see what would be sent; what goes wrong is in the result."""
    report(f"reading {len(exported.targets):,} switches")
    readings = {
        reading.table.name: reading
        for reading in in_parallel(
            lambda target: read_switch(target, exported.tables[target.entry.name], way), exported.targets
        )
    }
    missing = [name for name, reading in readings.items() if reading.failure is not None]
    if missing and not partial and not dry_run:
        return _unchanged(readings, missing)
    if missing and partial:
        _refuse_tenants(exported, missing)
    change = _plan(exported, readings)
    notes = _notes(exported, readings, change)
    rounds = change.plan.rounds if change.plan is not None else ()
    if dry_run:
        shown = tuple(
            RoundResult(part.title, len({step.switch for step in part.steps}), len(part.steps), "planned")
            for part in rounds
        )
        words = _left_out(missing, change) if missing else ()
        results = tuple(_planned(reading, change) for reading in readings.values())
        return FabricPush(results, shown, words, notes)
    done, sent = run_rounds(rounds, readings, way, report=report)
    left = _left_out(missing, change) if missing else ()
    if any(one.failure is not None for one in sent.values()):
        words = (*_where_it_stopped(exported, change, done, sent), *left)
        results = tuple(in_parallel(lambda one: _stopped(one, sent[one.table.name], change, way), readings.values()))
        return FabricPush(results, tuple(done), words, notes)
    report(f"reading back {len(readings) - len(missing) - len(change.kept):,} switches")
    results = tuple(in_parallel(lambda reading: _finish(reading, sent, change, way), readings.values()))
    return FabricPush(results, tuple(done), left, notes)


def _plan(exported: Exported, readings: Mapping[str, SwitchReading]) -> _Change:
    """Rounds for the switches that may change, and who has to keep its table."""
    if exported.plan is None:
        return _Change(None, frozenset(), {}, ())
    # What cannot be followed counts as not known; it is changed last, with the read-back, where it may be removed.
    known = {name: one.running for name, one in readings.items() if one.running is not None}
    missing = tuple(name for name in readings if name not in known)
    changeable = [name for name in known if readings[name].failure is None]
    fixed = {name: table for name, table in known.items() if name not in changeable}
    old: dict[str, SwitchTable] = {**exported.others, **known}
    new: dict[str, SwitchTable] = {**exported.others, **exported.tables, **fixed}
    families = sorted({*exported.families, *(r.match.family for t in known.values() for r in t.rules)} - {0})
    kept: frozenset[str] = frozenset()
    unread = tuple(name for name in missing if readings[name].failure is not None)
    if unread or fixed:
        kept = switches_that_keep(
            exported.plan, old, {**exported.others, **exported.tables}, changeable=changeable, unread=unread,
            families=families, parts=exported.parts,
        )  # fmt: skip
    target = {name: old[name] if name in kept else new[name] for name in old}
    plan = plan_change(
        exported.plan, old, target, families=families, parts=exported.parts, unread=missing
    )  # fmt: skip
    return _Change(plan, kept, old, missing)


def _refuse_tenants(exported: Exported, missing: Sequence[str]) -> None:
    """Raise where tables keep tenants apart and some stay with tables that are not known."""
    if any(rule.match.in_port for table in exported.tables.values() for rule in table.rules):
        raise RuleError(
            f"{missing[0]} is missing, and these tables keep tenants apart: what its ports let through is not known",
            hint="without --partial nothing is changed until all switches are there",
            code="FP8067",
        )


def _finish(reading: SwitchReading, sent: Mapping[str, Sent], change: _Change, way: Way) -> SwitchResult:
    name = reading.table.name
    if reading.failure is not None:
        return _missing(reading)
    if name in change.kept:
        return _kept(reading)
    result = push_switch(
        reading.target, reading.table, take_over=way.take_over, plain_groups=way.plain_groups,
        timeout_s=way.timeout_s, sent=sent[name],
    )  # fmt: skip
    return replace(result, before=reading.before)


# ---- results of single switches --------------------------------------------------------------------------------------


def _missing(reading: SwitchReading) -> SwitchResult:
    assert reading.failure is not None
    words = f"nothing was changed; {reading.failure.problems[0].message}"
    tables: Held = "old" if reading.running is not None else "unknown"
    return SwitchResult(
        reading.table.name, reading.address, reading.table.datapath, state_of(reading.failure), words,
        before=reading.before, failure=reading.failure, tables=tables,
    )  # fmt: skip


def _kept(reading: SwitchReading) -> SwitchResult:
    words = "keeps its table: its new one leads packets to switches whose tables are not known, or that keep theirs"
    unsent = sum(map(len, reading.before.steps)) if reading.before is not None else 0
    return SwitchResult(
        reading.table.name, reading.address, reading.table.datapath, "kept", words, before=reading.before,
        unsent=unsent, tables="old",
    )  # fmt: skip


def _planned(reading: SwitchReading, change: _Change) -> SwitchResult:
    if reading.failure is not None:
        return _missing(reading)
    if reading.table.name in change.kept:
        return _kept(reading)
    return planned(reading.table, reading.address, reading.before, with_basis=reading.with_basis)


def _stopped(reading: SwitchReading, sent: Sent, change: _Change, way: Way) -> SwitchResult:
    """A switch of a change that stopped; one that refused is read once more."""
    name = reading.table.name
    if reading.failure is not None:
        return _missing(reading)
    if name in change.kept:
        return _kept(reading)
    unsent = sent.total - sent.confirmed - sent.unsure
    counts = f"{sent.confirmed:,} messages are done, {sent.unsure:,} may be, {unsent:,} were not sent"
    words = {
        "new": "has its new table, which was not read back",
        "old": "has its old table",
        "between": f"has rules of both: {counts}",
    }[sent.tables]
    after = None
    if sent.failure is not None:
        refused = state_of(sent.failure) == "refused"
        after = read_switch(reading.target, reading.table, way).before if refused else None
        words = f"{counts}; the same push again sends only what is missing"
    return SwitchResult(
        name, reading.address, reading.table.datapath, "broken" if sent.failure is not None else "stopped", words,
        before=reading.before, after=after, confirmed=sent.confirmed, unsure=sent.unsure, unsent=unsent,
        failure=sent.failure, tables=sent.tables,
    )  # fmt: skip


def _unchanged(readings: Mapping[str, SwitchReading], missing: Sequence[str]) -> FabricPush:
    """Nothing was sent to any switch, as some are missing."""
    names = some(missing)
    results = tuple(
        _missing(reading)
        if reading.failure is not None
        else SwitchResult(
            name, reading.address, reading.table.datapath, "unchanged", f"nothing was changed, as {names} is missing",
            before=reading.before, unsent=sum(map(len, reading.before.steps)) if reading.before else 0, tables="old",
        )
        for name, reading in readings.items()
    )  # fmt: skip
    if len(readings) < 2:
        return FabricPush(results)
    words = (
        f"nothing was changed on any of the {len(readings):,} switches: {names} cannot be changed",
        "--partial changes those whose new tables lead nowhere that is not known, and names the others",
    )
    return FabricPush(results, words=words)


# ---- words -----------------------------------------------------------------------------------------------------------


def _left_out(missing: Sequence[str], change: _Change) -> tuple[str, ...]:
    lines = [f"left out: {some(missing)}"]
    if change.kept:
        lines.append(
            f"{some(sorted(change.kept))} {'keeps its' if len(change.kept) == 1 else 'keep their'} old tables: "
            "the new ones lead packets where it is not known how they go on; an export with --down for the missing "
            "switch leads around it"
        )
    else:
        lines.append("no packet that was delivered before is led to a switch whose table is not known")
    return tuple(lines)


def _where_it_stopped(
    exported: Exported, change: _Change, rounds: Sequence[RoundResult], sent: Mapping[str, Sent]
) -> tuple[str, ...]:
    """The state that a change stopped in: rounds, switches, and whether packets circle under what they have."""
    number = next(at for at, part in enumerate(rounds, 1) if part.state == "stopped")
    part = rounds[number - 1]
    earlier = "" if number == 1 else f"; rounds 1 to {number - 1} are done" if number > 2 else "; round 1 is done"
    lines = [f"stopped in round {number} of {len(rounds)} ({part.title}) at {some(part.failed)}{earlier}"]
    for held, words in (("new", "new tables"), ("between", "rules of old and new"), ("old", "old tables")):
        names = [name for name, one in sent.items() if one.total and one.tables == held]
        if names:
            lines.append(f"{words}: {some(names)}")
    assert exported.plan is not None
    circles: set[str] = set()
    for perhaps in (False, True):
        mixed = dict(change.old)
        for name, one in sent.items():
            if name in mixed:
                mixed[name] = take_steps(mixed[name], (*one.steps, *(one.perhaps if perhaps else ())))
        families = exported.families
        circles |= set(circling(exported.plan, mixed, families=families, parts=exported.parts))
    lines.append(
        f"packets to {some(sorted(circles))} can come back to a switch that they have passed"
        if circles
        else "followed as they are now: no packet comes back to a switch that it has passed"
    )
    return tuple(lines)


def _notes(exported: Exported, readings: Mapping[str, SwitchReading], change: _Change) -> tuple[str, ...]:
    notes = []
    if exported.others:
        notes.append(
            f"{some(list(exported.others))} of the export {'is' if len(exported.others) == 1 else 'are'} not "
            "named: taken to have the tables of it"
        )
    strange = [name for name in change.missing if readings[name].failure is None]
    if strange:
        notes.append(
            f"{some(strange)} {'has' if len(strange) == 1 else 'have'} entries that fabric does not write: they "
            "are removed last, and the order of the change does not count them"
        )
    return tuple(notes)
