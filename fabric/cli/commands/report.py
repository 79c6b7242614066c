"""``fabric report``: one file that says everything, for those who were not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import open_run, output_path, write
from fabric.cli.exit_codes import OK, PARTIAL
from fabric.cli.failure_options import asked_failures, check_failures, failures_options, flags_of
from fabric.cli.load_check import measured_beside
from fabric.cli.options import SCENARIO, WATCHED, FabricCommand, OneOf, Settings, listed
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.report.section import SECTIONS
from fabric.routing.names import router_names
from topologies.printable import json_text

if TYPE_CHECKING:
    from fabric.faces.report.content import Content
    from fabric.faces.report.source import ReportSource
    from fabric.request import RouteRequest
    from fabric.saved.design_file import SavedDesign

SUMMARY = "Write a report: one HTML page that needs no network, Markdown or JSON."
ORDER = 100

_BY_SUFFIX = {".md": "md", ".json": "json"}


@click.command(
    "report",
    cls=FabricCommand,
    epilog=listed("Sections", SECTIONS),
    takes=("output", "force", "format", *SCENARIO, "phase", *WATCHED),
)
@click.argument("scenario")
@click.option("--base", metavar="SCENARIO", help="Say what differs from this one.")
@click.option("--sections", metavar="A,B", help="Only these; they are listed below.")
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--top", type=click.IntRange(min=0), default=20, show_default=True, help="Links listed per phase.")
@failures_options("Say what failures do")
@click.option(
    "--measured",
    metavar="SOURCE",
    help="Say what counters said: prometheus:URL, csv:FILE, or scenario (its measured:).",
)
@click.option("--design", metavar="FILE", help="Say what it was chosen from: what fabric design wrote as JSON.")
@timings_option
def command(
    scenario: str,
    settings: Settings,
    base: str | None,
    sections: str | None,
    fabric: str | None,
    router: str | None,
    top: int,
    failures: bool,
    failures_from: str | None,
    measured: str | None,
    design: str | None,
    timings: str | None,
) -> int:
    """Write a report of SCENARIO (or of a saved result): verdict, model, bill, heat maps, hottest links, step times.

    HTML goes to -o FILE (default: NAME.html in the working folder), Markdown (-f md) and JSON (-f json) to standard
    output unless -o says otherwise. The exit code says whether the report was written, not whether limits hold.
    """
    from fabric.faces.report.make import check_sections, make_report
    from fabric.request import RouteRequest

    if settings.format not in (None, "md", "json"):
        raise click.UsageError(f"a report is HTML, or -f md or -f json, not -f {settings.format}")
    kind = settings.format or _BY_SUFFIX.get(Path(settings.output).suffix.lower(), "html")
    check_timings(timings, settings)
    names = None if sections is None else [word.strip() for word in sections.split(",") if word.strip()]
    check_failures(failures, failures_from)
    asked = flags_of(failures, failures_from)
    if names is not None:
        given = {"based": base is not None, "designed": design is not None, "measured": measured is not None}
        check_sections(names, swept=bool(asked), **given)
    request = RouteRequest(
        router=router,
        fabric=fabric,
        phase=settings.phase,
        top=top,
        down=settings.down,
        up=settings.up,
        slow=settings.slow,
    )
    chosen = None if design is None else _opened_design(design)
    source = replace(_source(scenario, settings, request), design=chosen)
    if asked:
        with watching(settings) as report:
            sweep = asked_failures(source.run, failures, failures_from, report)
        source = replace(source, failures=sweep, failures_given=asked)
    if measured is not None:
        source = replace(source, load_check=measured_beside(source.run, measured, settings))
    if base is not None:
        plain = replace(settings, sets=(), seed=None, down=(), up=(), slow=())
        source = replace(source, base=_source(base, plain, replace(request, router=None, down=(), up=(), slow=())))
    routes = (*source.result.routes, *(source.base.result.routes if source.base is not None else ()))
    say_timings(timings, routes, settings)
    text = _text(kind, source, make_report(source, names))
    target = settings
    if kind == "html" and settings.output == "-":
        target = replace(settings, output=f"{source.loaded.scenario.name}.html")
    write(text, target)
    if target.output != "-" and not settings.quiet:
        click.echo(f"wrote {output_path(replace(target, force=True))}", err=True)
    stopped = source.result.partial or (source.failures is not None and source.failures.partial)
    return PARTIAL if stopped else OK


def _text(kind: str, source: ReportSource, content: Content) -> str:
    """The report as it is written: ``html``, ``md`` or ``json``."""
    from fabric.faces.report.markdown import to_markdown
    from fabric.faces.report.page import to_page
    from fabric.faces.report.record import report_record

    if kind == "json":
        return json_text(report_record(source, content), indent=2) + "\n"
    return to_markdown(content) if kind == "md" else to_page(content)


def _opened_design(path: str) -> SavedDesign:
    from fabric.saved.design_file import open_design

    return open_design(path)


def _source(path: str, settings: Settings, request: RouteRequest) -> ReportSource:
    """Read a saved result, or load and route a scenario."""
    from fabric.faces.report.source import ReportSource

    with watching(settings) as report:
        run = open_run(path, settings, request, report, idle=True)
    return ReportSource(run)
