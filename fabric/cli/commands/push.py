"""``fabric push``: exported tables installed in running switches over OpenFlow 1.3, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit
from fabric.cli.exit_codes import ANSWER_IS_NO, MISSING_PROGRAM, OK
from fabric.cli.options import FabricCommand, Settings
from topologies.errors import FabricError

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.rules.manifest import Manifest
    from fabric.rules.openflow13.result import SwitchResult

SUMMARY = "Install exported tables over OpenFlow 1.3 and read them back."
ORDER = 140

NOT_DONE = MISSING_PROGRAM  # exit code: a session was refused or broke
COLUMNS = (
    "switch",
    "address",
    "datapath",
    "state",
    "groups_to_add",
    "groups_to_change",
    "groups_to_remove",
    "rules_to_add",
    "rules_to_change",
    "rules_to_remove",
    "confirmed",
    "unsure",
    "unsent",
    "installed",
    "missing",
    "unexpected",
    "shared_hash",
    "words",
)


@click.command("push", cls=FabricCommand)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--switch", "switches", multiple=True, required=True, metavar="NAME=ADDRESS",
    help="A switch of the export and where it listens: HOST:PORT, [IPV6]:PORT or unix:PATH. Repeat for each.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read the switches, print what would be sent, and change nothing.")
@click.option("--take-over", is_flag=True, help="Remove flows and groups that fabric did not write.")
@click.option("--plain-groups", is_flag=True, help="Groups of OpenFlow 1.3, without a hash basis of each switch.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.1, max=3600), default=10.0, show_default=True,
    metavar="SECONDS", help="How long each whole answer of a switch may take.",
)  # fmt: skip
def command(
    folder: Path,
    switches: tuple[str, ...],
    dry_run: bool,
    take_over: bool,
    plain_groups: bool,
    timeout_s: float,
    settings: Settings,
) -> int:
    """Install the tables in FOLDER, an export of dialect ovs that fabric verify rules has passed.

    Only the switches named by --switch are spoken to. Groups come first, then rules, then what fabric wrote earlier and
    the export no longer has is removed; the tables are read back and compared. The same push again installs only what
    is missing. Where a switch speaks OpenFlow 1.5 too, its groups go by that, with the hash basis of the switch:
    switches of one basis hash alike, and a tier sends all it gets from another out of one port.

    --dry-run --switch NAME, without an address, prints what an empty switch would get.

    Exit code 0: every switch has its table; 1: a switch was read back and differs; 3: files that cannot be used; 5: a
    session was refused or broke.
    """
    from fabric.faces.views.exports import push_table
    from fabric.rules.manifest import read_manifest
    from fabric.rules.openflow13.folder import find_targets, read_table
    from fabric.rules.openflow13.result import push_switch

    targets = find_targets(folder, switches, dry_run=dry_run)
    # All files are checked before the first switch is touched.
    tables = [read_table(folder, target) for target in targets]
    results = []
    for target, table in zip(targets, tables, strict=True):
        done = push_switch(
            target, table, dry_run=dry_run, take_over=take_over, plain_groups=plain_groups, timeout_s=timeout_s
        )
        results.append(done)
        if results[-1].failure is not None and not settings.quiet:
            _explain(results[-1].failure, settings)
    emit(
        Answer(
            lambda: _record(folder, results, dry_run=dry_run),
            lambda: _document(read_manifest(folder), results, plain_groups=plain_groups),
            lambda: push_table(results, COLUMNS),
            COLUMNS,
        ),
        settings,
    )
    if any(result.failure is not None for result in results):
        return NOT_DONE
    return OK if dry_run or all(result.state == "done" for result in results) else ANSWER_IS_NO


def _explain(error: FabricError, settings: Settings) -> None:
    from fabric.scenario.diagnostics import render

    text = render(error.problems, {}, exit_code=NOT_DONE, max_errors=settings.max_errors)
    click.echo(text, err=True, nl=False)


def _record(folder: Path, results: list[SwitchResult], *, dry_run: bool) -> dict[str, Any]:
    from fabric.faces.views.exports import push_table
    from fabric.scenario.provenance import SCHEMA, version

    return {
        "schema": SCHEMA,
        "kind": "RulesPush",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": folder.name,
        "dry_run": dry_run,
        "done": all(result.state == "done" for result in results),
        "items": [
            {
                **row,
                "differs": list(result.after.examples) if result.after is not None and not dry_run else [],
                "steps": [
                    {"verb": step.verb, "kind": step.kind, "words": step.words}
                    for stage in (result.before.steps if dry_run and result.before is not None else ())
                    for step in stage
                ],
            }
            for row, result in zip(push_table(results, COLUMNS).only(*COLUMNS).records(), results, strict=True)
        ],
    }


def _alike_words(manifest: Manifest) -> str:
    """What a shared hash does to the fullest link, as the export says it."""
    from topologies.units import percent

    apart, alike = manifest.separate_utilisation, manifest.alike_utilisation
    if apart is None or alike is None:
        return ""
    return f"; if all switches do, the fullest link gets {percent(alike)} of its capacity instead of {percent(apart)}"


def _document(manifest: Manifest, results: list[SwitchResult], *, plain_groups: bool) -> Document:
    """The table, and lines for what differs or, in a dry run, for what would be sent."""
    from fabric.faces.views.exports import PUSH_SHOWN, push_table
    from fabric.output.document import Line
    from fabric.output.table import Table

    parts: list[Table | Line] = [push_table(results, COLUMNS).only(*PUSH_SHOWN).titled("")]
    for result in results:
        if result.state == "planned" and result.before is not None:
            parts.append(Line(f"{result.switch}, in this order:"))
            for stage in result.before.steps:
                shown = stage[:20]
                parts += [Line(f"    {step.verb} {step.kind} {step.words}") for step in shown]
                if len(stage) > len(shown):
                    parts.append(Line(f"    and {len(stage) - len(shown):,} more; --json has them"))
                parts.append(Line("    barrier"))
            parts += [Line(f"    not of fabric: {words}", "warn") for words in result.before.foreign[:20]]
        elif result.state != "done":
            parts.append(Line(f"{result.switch}: {result.words}", "bad"))
            if result.after is not None:
                parts += [Line(f"    still to {words}") for words in result.after.examples]
    written = [result for result in results if result.state in ("done", "planned")]
    alike = [result.switch for result in written if result.shared_hash or plain_groups]
    if alike:
        more = f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
        words = "groups without a hash basis: all tiers hash alike and polarise; OpenFlow 1.5 avoids it"
        parts.append(Line(f"{alike[0]}{more}: {words}{_alike_words(manifest)}", "warn"))
    return parts
