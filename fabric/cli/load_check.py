"""``fabric verify load``: what counters said beside what the plan says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.monitoring import EXPORTERS
from fabric.cli.options import ANSWER, SCENARIO, Duration, FabricCommand, OneOf, Settings, Share, flags_given
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import LOADS
from fabric.routing.names import router_names

if TYPE_CHECKING:
    from fabric.operate.load_check.result import LoadCheckResult
    from fabric.operate.load_check.sources import LoadSource
    from fabric.pipeline.run import Run
    from fabric.scenario.load import LoadedScenario


@click.command("load", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(LOADS,))
@click.argument("scenario")
@click.option(
    "--measured", metavar="prometheus:URL|csv:FILE|perfquery:BEFORE,AFTER",
    help="Where from; default: measured: of the scenario. A CSV has link,gbps or time,node,port,tx_bytes,rx_bytes.",
)  # fmt: skip
@click.option("--profile", type=OneOf(lambda: EXPORTERS), help="Whose names the series of a Prometheus have; snmp.")
@click.option("--window", type=Duration(), metavar="TIME", help="Over which rates are means; 15 min.")
@click.option(
    "--tolerance", type=Share(), default="10%", show_default=True, metavar="X", help="Of rates beside their band."
)
@click.option(
    "--names", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="CSV with node,instance or node,instance,port,interface, as what was measured calls them.",
)  # fmt: skip
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--no-explain", is_flag=True, help="Do not look for what explains a difference.")
def load_command(
    scenario: str,
    measured: str | None,
    profile: str | None,
    window: float | None,
    tolerance: float,
    names: Path | None,
    fabric: str | None,
    router: str | None,
    no_explain: bool,
    settings: Settings,
) -> int:
    """Compare measured mean rates with those of SCENARIO, by link, tier and job, and explain the drift.

    Both are means over many steps. A link is off where its rate is outside of what the plan, its hash and the tolerance
    allow; a rate above the line rate is reported as impossible. Explanations are changes of the plan, each worked out
    again: demand scaled, steps that take longer, a switch or cable down, a cable at half its speed, another router, a
    job placed elsewhere. Exit code 0: every measured link is in its band; 1: some are not, or ports are down;
    3: what was measured cannot be read, or is of another fabric.
    """
    from fabric.operate.load_check.check import check_loads
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest

    loaded = load(scenario, settings)
    source = _source(loaded, measured, profile, window, names)
    if measured is None:
        _say_unread(loaded, source, settings)
    request = RouteRequest(router=router, fabric=fabric, down=settings.down, up=settings.up, slow=settings.slow)
    with located(loaded, settings), watching(settings) as report:
        run = run_scenario(loaded, request, progress=report)
        result = check_loads(run, source, tolerance=tolerance, explained=not no_explain)
    for text in result.notes:
        note(text, settings)
    _emit(loaded, result, settings)
    return OK if result.holds else ANSWER_IS_NO


def measured_beside(run: Run, measured: str, settings: Settings) -> LoadCheckResult:
    """Measurements beside a run that was routed now; ``scenario`` takes the source that the scenario names."""
    from fabric.operate.load_check.check import check_loads

    if run.saved:
        raise click.UsageError("--measured needs the scenario: a saved result has no draws of its own")
    source = _source(run.loaded, None if measured == "scenario" else measured, None, None, None)
    with located(run.loaded, settings), watching(settings):
        result = check_loads(run, source)
    for text in result.notes:
        note(text, settings)
    return result


def _source(
    loaded: LoadedScenario, measured: str | None, profile: str | None, window_s: float | None, names: Path | None
) -> LoadSource:
    """What the command line says, over what the scenario says."""
    from fabric.operate.load_check.sources import source_of_text, sources_of
    from fabric.operate.monitoring.names_file import read_names

    if window_s is not None and window_s < 1:
        raise click.UsageError("--window: 1 s or more")
    given = None if names is None else read_names(names)
    if measured is None:
        found = next(iter(sources_of(loaded)), None)
        if found is None:
            raise click.UsageError("--measured says where counters come from, or measured: in the scenario")
        keys: dict[str, Any] = {"profile": profile, "window_s": window_s, "names": given}
        return replace(found, **{key: value for key, value in keys.items() if value is not None})
    try:
        source = source_of_text(measured, profile=profile, window_s=window_s, names=given)
    except ValueError as error:
        raise click.UsageError(f"--measured {error}") from None
    if source.kind != "prometheus" and "profile" in flags_given(click.get_current_context()):
        raise click.UsageError(f"--profile is of a Prometheus, not of {source.kind}")
    return source


def _say_unread(loaded: LoadedScenario, source: LoadSource, settings: Settings) -> None:
    """Sources of the scenario besides the one that is taken, and who reads them."""
    from fabric.operate.load_check.sources import sources_of

    for other in sources_of(loaded):
        if (other.kind, other.place) != (source.kind, source.place):
            note(f"measured: {other.kind}:{other.place} is not read: --measured {other.kind}:{other.place}", settings)
    for spec in loaded.scenario.measured:
        if spec.kind == "nccl-tests":
            note(
                f"measured: {spec.path} has no loads of links: fabric expect --check reads logs of nccl-tests", settings
            )


def _emit(loaded: LoadedScenario, result: LoadCheckResult, settings: Settings) -> None:
    from fabric.faces.answers.load_report import load_document, load_record
    from fabric.faces.views.loads import load_table

    emit(
        Answer(
            lambda: load_record(loaded, result),
            lambda: load_document(result),
            lambda: load_table(result),
            LOADS,
        ),
        settings,
    )
