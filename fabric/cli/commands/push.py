"""``fabric push``: exported tables installed in running switches over OpenFlow 1.3, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, note, output_path
from fabric.cli.exit_codes import ANSWER_IS_NO, MISSING_PROGRAM, OK, PARTIAL
from fabric.cli.options import ANSWER, FabricCommand, Settings
from fabric.faces.views.row_kinds import SWITCHES
from topologies.errors import FabricError

if TYPE_CHECKING:
    from fabric.output.document import Document, Line
    from fabric.output.table import Table
    from fabric.rules.manifest import Manifest
    from fabric.rules.openflow13.result import FabricPush, SwitchResult

SUMMARY = "Install exported tables over OpenFlow 1.3 and read them back."
ORDER = 140

NOT_DONE = MISSING_PROGRAM  # exit code: a session was refused or broke


@click.command("push", cls=FabricCommand, takes=ANSWER, rows=(SWITCHES,))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--switch", "switches", multiple=True, required=True, metavar="NAME=ADDRESS",
    help="A switch of the export and where it listens: HOST:PORT, [IPV6]:PORT or unix:PATH. Repeat for each.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read the switches, print what would be sent, and change nothing.")
@click.option("--partial", is_flag=True, help="Change what can be when a switch is missing, and say what is left out.")
@click.option("--take-over", is_flag=True, help="Remove flows and groups that fabric did not write.")
@click.option("--plain-groups", is_flag=True, help="Groups of OpenFlow 1.3, without a hash basis of each switch.")
@click.option(
    "--settle", "settle_s", type=click.FloatRange(min=0, max=60), default=0.0, show_default=True, metavar="SECONDS",
    help="How long to wait between rounds: switches confirm rules before their packets follow them.",
)  # fmt: skip
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.1, max=3600), default=10.0, show_default=True,
    metavar="SECONDS", help="How long each whole answer of a switch may take.",
)  # fmt: skip
def command(
    folder: Path,
    switches: tuple[str, ...],
    dry_run: bool,
    partial: bool,
    take_over: bool,
    plain_groups: bool,
    settle_s: float,
    timeout_s: float,
    settings: Settings,
) -> int:
    """Install the tables in FOLDER, an export of dialect ovs that fabric verify rules has passed.

    Only the switches named by --switch are contacted. All of them are reached and read before any is changed, and
    nothing is changed when one is missing. Changes over several switches go in rounds, in which no packet is lost or
    loops whatever the switches do in between: all of a round at once, the next when every switch has confirmed it.
    Then the tables are read back and compared. A switch that fails stops the change, and the answer lists
    what each switch has; the same push again goes on from there.

    --partial: a missing switch keeps the table that it has, which is not known, and so do those whose new tables would
    lead packets to it that did not go there before. The others are changed.

    Where a switch speaks OpenFlow 1.5 too, its groups go by that, with the hash basis of the switch: switches of one
    basis hash alike, and a tier sends all it gets from another out of one port.

    --dry-run --switch NAME, without an address, prints what an empty switch would get.

    Exit code 0: every switch has its table; 1: a switch was read back and differs; 3: files that cannot be used; 5: a
    session was refused or broke; 6: --partial, and some were left out.
    """
    from fabric.cli.watch import watching
    from fabric.faces.views.exports import push_table
    from fabric.routing.progress import Progress
    from fabric.rules.manifest import read_manifest
    from fabric.rules.openflow13.fabric_push import push_fabric, read_export
    from fabric.rules.openflow13.folder import find_targets
    from fabric.rules.openflow13.reading import Way

    if settings.output != "-":
        output_path(settings)  # refused before a switch is changed
    exported = read_export(folder, find_targets(folder, switches, dry_run=dry_run))
    with watching(settings) as report:
        done = push_fabric(
            exported,
            Way(timeout_s, plain_groups, take_over, settle_s),
            dry_run=dry_run,
            partial=partial,
            report=lambda text: report(Progress(text)),
        )
    if not settings.quiet:
        for result in done.switches:
            if result.failure is not None:
                _explain(result.failure, settings)
    for text in done.notes:
        note(text, settings)
    answer = Answer(
        lambda: _record(folder, done, dry_run=dry_run),
        lambda: _document(read_manifest(folder), done, plain_groups=plain_groups),
        lambda: push_table(done.switches, SWITCHES.columns),
        SWITCHES,
        lambda row: _entry(done.switches, row, dry_run=dry_run),
    )
    emit(answer, settings)
    return _exit_code(done, dry_run=dry_run, partial=partial)


def _exit_code(done: FabricPush, *, dry_run: bool, partial: bool) -> int:
    if any(part.state == "stopped" for part in done.rounds):
        return NOT_DONE
    if any(result.failure is not None for result in done.switches):
        # What was missing from the start is left out; a session that broke later is not.
        late = [result for result in done.switches if result.failure is not None and result.tables == "between"]
        some = done.in_state("done", "planned")
        return PARTIAL if partial and some and not late else NOT_DONE
    return OK if dry_run or all(result.state == "done" for result in done.switches) else ANSWER_IS_NO


def _explain(error: FabricError, settings: Settings) -> None:
    from fabric.scenario.diagnostics import render

    text = render(error.problems, {}, exit_code=NOT_DONE, max_errors=settings.max_errors)
    click.echo(text, err=True, nl=False)


def _record(folder: Path, done: FabricPush, *, dry_run: bool) -> dict[str, Any]:
    from fabric.scenario.provenance import SCHEMA, version

    return {
        "schema": SCHEMA,
        "kind": "RulesPush",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": folder.name,
        "dry_run": dry_run,
        "done": all(result.state == "done" for result in done.switches),
        "summary": list(done.words),
        "assumptions": list(done.notes),
        "rounds": [
            {
                "round": number,
                "title": part.title,
                "state": part.state,
                "switches": part.switches,
                "messages": part.messages,
                "failed": list(part.failed),
            }
            for number, part in enumerate(done.rounds, 1)
        ],
    }


def _entry(results: Sequence[SwitchResult], row: int, *, dry_run: bool) -> dict[str, Any]:
    """A switch, with what differs, or in a dry run with every step."""
    from fabric.faces.views.exports import push_table

    result = results[row]
    stages = result.before.steps if dry_run and result.before is not None else ()
    return {
        **push_table([result], SWITCHES.columns).only(*SWITCHES.columns).entry(0),
        "differs": list(result.after.examples) if result.after is not None and not dry_run else [],
        "steps": [{"verb": step.verb, "kind": step.kind, "words": step.words} for stage in stages for step in stage],
    }


def _alike_words(manifest: Manifest) -> str:
    """What a shared hash does to the fullest link, as the export says it."""
    from topologies.units import percent

    apart, alike = manifest.separate_utilisation, manifest.alike_utilisation
    if apart is None or alike is None:
        return ""
    return f"; if all switches do, the fullest link gets {percent(alike)} of its capacity instead of {percent(apart)}"


def _document(manifest: Manifest, done: FabricPush, *, plain_groups: bool) -> Document:
    """Tables of the switches and the rounds, and lines for what differs or, in a dry run, for what would be sent."""
    from fabric.faces.views.exports import push_table, round_table
    from fabric.output.document import Line

    parts: list[Table | Line] = [push_table(done.switches, SWITCHES.columns).only(*SWITCHES.shown).titled("").as_rows()]
    if done.rounds:
        parts.append(round_table(done.rounds))
    stopped = any(part.state == "stopped" for part in done.rounds)
    parts += [Line(words, "bad" if stopped or not done.rounds else "warn") for words in done.words]
    for result in done.switches:
        parts += _switch_lines(result)
    written = [result for result in done.switches if result.state in ("done", "planned")]
    alike = [result.switch for result in written if result.shared_hash or plain_groups]
    if alike:
        more = f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
        words = "groups without a hash basis: all tiers hash alike and polarise; OpenFlow 1.5 avoids it"
        parts.append(Line(f"{alike[0]}{more}: {words}{_alike_words(manifest)}", "warn"))
    return parts


def _switch_lines(result: SwitchResult) -> list[Table | Line]:
    """What is to be said of one switch."""
    from fabric.output.document import Line

    parts: list[Table | Line] = []
    if result.state == "planned" and result.before is not None:
        parts.append(Line(f"{result.switch}, what differs:"))
        for stage in result.before.steps:
            shown = stage[:20]
            parts += [Line(f"    {step.verb} {step.kind} {step.words}") for step in shown]
            if len(stage) > len(shown):
                parts.append(Line(f"    and {len(stage) - len(shown):,} more; --json has them"))
            parts.append(Line("    barrier"))
        parts += [Line(f"    not of fabric: {words}", "warn") for words in result.before.foreign[:20]]
    elif result.state in ("refused", "broken", "differs"):  # the others are in the summary
        parts.append(Line(f"{result.switch}: {result.words}", "bad"))
        if result.after is not None:
            parts += [Line(f"    still to {words}") for words in result.after.examples]
    return parts
