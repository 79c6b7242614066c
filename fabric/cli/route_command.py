"""``fabric route``: the front door."""

from __future__ import annotations

import click

from fabric.cli.answer import Answer, clear_progress, emit, load, located, progress, say_not_modelled
from fabric.cli.main import ANSWER_IS_NO, NO_ANSWER, OK, PARTIAL
from fabric.cli.options import FabricCommand, Settings
from fabric.routing.names import OBJECTIVES, PATH_POLICIES, ROUTERS

COLUMNS = (
    "fabric",
    "phase",
    "link",
    "a",
    "a_port",
    "b",
    "b_port",
    "tier",
    "capacity_gbps",
    "offered_gbps",
    "carried_gbps",
    "utilisation",
    "shares",
)


@click.command("route", cls=FabricCommand, short_help="Route a scenario: congested links, causes, job times.")
@click.argument("scenario")
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", type=click.Choice(ROUTERS), help="Instead of the scenario's router.")
@click.option("--paths", type=click.Choice(PATH_POLICIES), help="Paths that router optimal may use.")
@click.option("--objective", type=click.Choice(OBJECTIVES), help="What router optimal is best at.")
@click.option("--replicas", type=click.IntRange(min=1), help="Draws of the hash seeds that percentiles are over.")
@click.option("--top", type=click.IntRange(min=0), default=20, show_default=True, help="Links listed per phase.")
@click.option("--time-limit", type=click.FloatRange(min=0), default=600.0, show_default=True, help="Seconds per solve.")
@click.option("--gap", type=click.FloatRange(min=0), default=1e-4, show_default=True, help="Relative gap to stop at.")
@click.option("--allow-unreachable", is_flag=True, help="Demand without a path is no failure.")
def command(
    scenario: str,
    settings: Settings,
    fabric: str | None,
    router: str | None,
    paths: str | None,
    objective: str | None,
    replicas: int | None,
    top: int,
    time_limit: float,
    gap: float,
    allow_unreachable: bool,
) -> int:
    """Route SCENARIO: which links are congested in which phase, why, and what it costs each job.

    Exit code 0: all limits hold; 1: one does not; 3: bad input; 4: demand has no path; 6: a limit stopped a solve.
    """
    from fabric.export.records import link_record, route_record
    from fabric.export.route_report import route_document
    from fabric.pipeline import RouteRequest, route

    loaded = load(scenario, settings)
    request = RouteRequest(
        router=router,
        paths=paths,
        objective=objective,
        replicas=replicas,
        fabric=fabric,
        phase=settings.phase,
        top=top,
        time_limit_s=time_limit,
        gap=gap,
        down=settings.down,
        up=settings.up,
    )
    with located(loaded, settings):
        result = route(loaded, request, progress=progress(settings))
    clear_progress(settings)
    say_not_modelled(result.not_modelled, settings)
    emit(
        Answer(
            lambda: route_record(loaded, result),
            lambda: route_document(loaded, result),
            lambda: [link_record(link) for link in result.items],
            COLUMNS,
        ),
        settings,
    )
    if result.unreachable_pairs and not allow_unreachable:
        return NO_ANSWER
    if result.partial:
        return PARTIAL
    return OK if result.limits_ok else ANSWER_IS_NO
