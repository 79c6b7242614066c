"""``fabric route``: the front door."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note, output_path
from fabric.cli.exit_codes import ANSWER_IS_NO, NO_ANSWER, OK, PARTIAL
from fabric.cli.options import (
    ANSWER,
    SCENARIO,
    FabricCommand,
    OneOf,
    RareOption,
    Settings,
    Share,
    check_scale,
    refuse_flags,
)
from fabric.cli.spread_flags import saying_how_to_go_on, spread_flags, spread_options
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import LINKS, LINKS_SHOWN, ROUTERS
from fabric.routing.names import PATH_POLICIES, objective_names, router_names
from topologies.errors import nearest_hint

if TYPE_CHECKING:
    from fabric.evaluation.router_comparison import RouterComparison
    from fabric.pipeline.run import Run
    from fabric.request import RouteRequest
    from fabric.result import RouteResult
    from fabric.routing.progress import Reporter
    from fabric.scenario.load import LoadedScenario
    from fabric.spread.run import SpreadOptions
    from fabric.whatif.suggestions import Suggestion

SUMMARY = "Route a scenario: which links are congested, why, and what it costs each job."
ORDER = 10

ALL = ("all",)


def _names(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Routers in the order given, each once; ``all`` alone."""
    names = tuple(dict.fromkeys(word.strip() for word in text.split(","))) if text is not None else ()
    for name in names if names != ALL else ():
        if name not in (known := router_names()):
            hint = nearest_hint(name, known, otherwise=f"routers: {', '.join(known)}; all compares them")
            raise click.BadParameter(f"{name!r} is not a router; {hint}")
    return names


class _Routers(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4
    """Names of routers with commas between them, or ``all``."""

    name = "routers"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """``[A|B|C|all|A,B,...]``."""
        return f"[{'|'.join(router_names())}|all|A,B,...]"


def _several(routers: tuple[str, ...]) -> bool:
    return routers == ALL or len(routers) > 1


@click.command(
    "route",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "phase", "progress"),
    rows=(LINKS, ROUTERS),
    row_kind=lambda values: ROUTERS if _several(values["routers"]) else LINKS,
)
@click.argument("scenario")
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option(
    "--router",
    "routers",
    type=_Routers(),
    callback=_names,
    help="Instead of the scenario's router. Several, or all: a comparison that says what hashing costs.",
)
@click.option("--paths", type=click.Choice(PATH_POLICIES), help="Paths that router optimal may use.")
@click.option("--objective", type=OneOf(objective_names), help="What router optimal is best at.")
@click.option(
    "--replicas", cls=RareOption, type=click.IntRange(min=1), help="Draws of the hash seeds that percentiles are over."
)
@click.option(
    "--top",
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N links of each phase; default: 20, all in csv and JSON.",
)
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Seconds per solve.",
)
@click.option(
    "--gap",
    cls=RareOption,
    type=Share(),
    default=1e-4,
    show_default=True,
    help="Relative gap to stop at.",
)
@click.option("--scale", type=float, default=1.0, help="Factor on all demand: volumes take longer, rates load more.")
@click.option(
    "--suggest",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Route single changes that may relieve congestion; auto: where that is quick.",
)
@click.option("--certificate", metavar="FILE", help="Write routing and proof for fabric check-certificate.")
@click.option("--save", metavar="FILE", help="Keep the whole result, for tui, report, compare and draw (*.fpr).")
@timings_option
@spread_flags
@click.option("--allow-unreachable", cls=RareOption, is_flag=True, help="Demand without a path is not a failure.")
def command(
    scenario: str,
    settings: Settings,
    fabric: str | None,
    routers: tuple[str, ...],
    paths: str | None,
    objective: str | None,
    replicas: int | None,
    top: int | None,
    time_limit: float,
    gap: float,
    scale: float,
    suggest: str,
    certificate: str | None,
    save: str | None,
    timings: str | None,
    backend: str,
    scheduler: str | None,
    workers: int | None,
    checkpoint: str | None,
    resume: bool,
    allow_unreachable: bool,
) -> int:
    """Route SCENARIO: which links are congested in which phase, why, and what it costs each job.

    Exit code 0: all limits hold; 1: one does not; 3: bad input; 4: demand has no path; 6: a limit stopped a solve.
    """
    from fabric.request import RouteRequest

    check_scale(scale)
    several = _several(routers)
    spread = spread_options(settings, backend, scheduler, workers, checkpoint, resume)
    if several:
        _check_several(objective)
    # Checked before the work, not after it.
    proof = None if certificate is None else output_path(replace(settings, output=certificate), "--certificate")
    kept = None if save is None else _place_to_save(settings, save)
    check_timings(timings, settings)
    loaded = load(scenario, settings)
    request = RouteRequest(
        router=routers[0] if routers else None,
        paths=paths,
        objective=objective,
        replicas=replicas,
        fabric=fabric,
        phase=settings.phase,
        top=LINKS_SHOWN if top is None else top,
        time_limit_s=time_limit,
        gap=gap,
        down=settings.down,
        up=settings.up,
        slow=settings.slow,
        scale=scale,
    )
    if several:
        return _compare(loaded, settings, request, routers, timings, allow_unreachable=allow_unreachable)
    if spread.is_asked:
        refuse_flags("it is of work that is spread, draw by draw", "suggest")
        suggest = "never"
    return _route(
        loaded, settings, request, proof, kept, suggest, timings, top, spread, allow_unreachable=allow_unreachable
    )


def _check_several(objective: str | None) -> None:
    """Refuse flags that are of one router, where several are compared."""
    refuse_flags("it is of the draws of one router", "backend", "workers", "checkpoint")
    refuse_flags("it is of one router; name it with --router", "certificate", "save", "suggest", "top")
    refuse_flags("all phases are compared; --where 'phase == \"NAME\"' keeps rows", "phase")
    if objective is not None:
        _check_compared(objective)


def _check_compared(objective: str) -> None:
    from fabric.optimise.objective import compared_objective

    if objective != compared_objective():
        raise click.UsageError(f"routers are compared on {compared_objective()}, not on --objective {objective}")


def _place_to_save(settings: Settings, save: str) -> Path:
    """A folder takes the members themselves; anything else becomes one file."""
    if not Path(save).is_dir():
        return output_path(replace(settings, output=save), "--save")
    from fabric.output.whole_folder import check_folder
    from fabric.saved.archive import SAVED_RESULT

    check_folder(Path(save), SAVED_RESULT, force=settings.force, flag="--save")
    return Path(save)


def _route(
    loaded: LoadedScenario,
    settings: Settings,
    request: RouteRequest,
    proof: Path | None,
    kept: Path | None,
    suggest: str,
    timings: str | None,
    top: int | None,
    spread: SpreadOptions,
    *,
    allow_unreachable: bool,
) -> int:
    from fabric.faces.answers.route_report import route_document
    from fabric.faces.views.links import link_rows
    from fabric.failures.verdicts import decided
    from fabric.pipeline.run import run_scenario
    from fabric.pipeline.stages import chosen_phases

    with located(loaded, settings), watching(settings, gap=request.gap) as report:
        run = (
            _spread_run(loaded, request, spread, settings, report)
            if spread.is_asked
            else run_scenario(loaded, request, progress=report)
        )
        run = decided(run, report)
        changes = _suggestions(run, suggest, report)
    result = run.result
    say_timings(timings, result.routes, settings)
    if proof is not None:
        from fabric.saved.certificate_file import write_certificate

        write_certificate(proof, run, force=settings.force)
    if kept is not None:
        from fabric.saved.result_file import save_result

        save_result(kept, run, force=settings.force)

    def record() -> dict[str, Any]:
        from fabric.faces.answers.records import route_record

        return route_record(loaded, result, changes, run.power)

    answer = Answer(
        record,
        lambda: route_document(loaded, result, changes, run.power),
        lambda: link_rows(chosen_phases(result.routes, request.phase)),
        LINKS,
        top=top,
    )
    emit(answer, settings)
    return _exit_code(result, allow_unreachable=allow_unreachable)


def _spread_run(
    loaded: LoadedScenario, request: RouteRequest, options: SpreadOptions, settings: Settings, report: Reporter
) -> Run:
    """The scenario with the draws of its hash made by workers."""
    from fabric.pipeline.spread_draws import Draws

    draws = Draws.of(loaded, request, options, report)
    with saying_how_to_go_on(draws.spread):
        run = draws.run()
    for text in draws.spread.said:
        note(text, settings)
    if draws.spread.stopped is not None:
        note(str(draws.spread.stopped), settings)
    return run


def _suggestions(run: Run, suggest: str, report: Reporter) -> tuple[Suggestion, ...]:
    """Changes that would help, where they are wanted and can be had."""
    from fabric.whatif import suggestions

    if suggest == "never" or not suggestions.needs_help(run.result):
        return ()
    if suggest == "auto" and not suggestions.is_quick(run.result):
        return ()
    return suggestions.suggest(run, progress=report)


def _compare(
    loaded: LoadedScenario,
    settings: Settings,
    request: RouteRequest,
    routers: tuple[str, ...],
    timings: str | None,
    *,
    allow_unreachable: bool,
) -> int:
    from fabric.faces.answers import routers_records as records
    from fabric.faces.answers.routers_report import comparison_document, verdict
    from fabric.faces.views.routers import router_table
    from fabric.pipeline.comparison import compare_routers
    from fabric.pipeline.prepared import prepare

    with located(loaded, settings), watching(settings, gap=request.gap) as report:
        result = compare_routers(
            prepare(loaded, request, progress=report), routers=None if routers == ALL else routers, progress=report
        )
    say_timings(timings, result.figures, settings)
    answer = Answer(
        lambda: records.comparison_record(loaded, result, verdict(result)),
        lambda: comparison_document(loaded, result),
        lambda: router_table(result),
        ROUTERS,
        records.router_entry(result),
    )
    emit(answer, settings)
    return _exit_code(result, allow_unreachable=allow_unreachable)


def _exit_code(result: RouteResult | RouterComparison, *, allow_unreachable: bool) -> int:
    if result.unreachable_pairs and not allow_unreachable:
        return NO_ANSWER
    if result.partial:
        return PARTIAL
    return OK if result.limits_ok else ANSWER_IS_NO
