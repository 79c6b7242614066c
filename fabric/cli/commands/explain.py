"""``fabric explain``: why a link, switch, job, phase or limit is as it is, and what would help; or an error code."""

from __future__ import annotations

import re

import click

from fabric.cli.answer import Answer, emit, open_run
from fabric.cli.failure_options import asked_failures, check_failures, failures_options
from fabric.cli.options import ANSWER, GROUPS, SCENARIO, FabricCommand, OneOf, Settings, refuse_flags
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import PAIRS
from fabric.routing.names import router_names

SUMMARY = "Why a link, switch, job, phase or limit is as it is, and which changes would help."
ORDER = 80

_CODE = re.compile(r"FP\d{4}")


@click.command(
    "explain",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "phase", "progress"),
    rows=(PAIRS,),
    row_kind=lambda values: PAIRS if values["target"] is not None else None,
)
@click.argument("scenario")
@click.argument("target", required=False)
@click.option("--fabric", metavar="NAME", help="Where the target is, if several fabrics have one of its name.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@failures_options("Of a link: say which failures fill it most")
def command(
    scenario: str,
    target: str | None,
    settings: Settings,
    fabric: str | None,
    router: str | None,
    failures: bool,
    failures_from: str | None,
) -> int:
    """Explain TARGET of SCENARIO (or of a saved result): demand on it by job, collective and pair, hash imbalance or
    structure, the cut that bounds it, and the single changes that would help, each routed.

    TARGET is a link (leaf3->spine1, 'leaf3 -> spine1 #2', leaf3:port5), a switch, a job, a phase (phase:NAME) or a
    limit (L1). An error code alone (fabric explain FP3011) prints what it means.
    """
    if target is None:
        every = [group for group in GROUPS if group not in ("rows", "always")]
        own = ("fabric", "router", "failures", "failures_from")
        refuse_flags("the meaning of a code is one text", *own, groups=every)
        return _code(scenario)
    from fabric.faces.answers.records import suggestion_records
    from fabric.faces.explain.explain import explain, find_target, with_failures
    from fabric.request import RouteRequest
    from fabric.scenario.provenance import envelope

    check_failures(failures, failures_from)
    request = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    with watching(settings) as report:
        opened = open_run(scenario, settings, request, report)
        place = find_target(opened.result, target, fabric=fabric, phase=settings.phase)
        if place.kind != "link":
            refuse_flags(f"a {place.kind} has no rows; those of a link are the pairs on it", groups=("rows",))
            refuse_flags(f"failures fill links, and {place.name} is a {place.kind}", "failures", "failures_from")
        found = explain(opened, place, progress=report)
        sweep = asked_failures(opened, failures, failures_from, report)
        if sweep is not None:
            found = with_failures(found, sweep)
    answer = Answer(
        lambda: {
            **envelope("ExplainResult", opened.loaded),
            "target": {"kind": place.kind, "name": place.name},
            **found.facts,
            **suggestion_records(found.suggestions),
        },
        lambda: found.document,
        lambda: found.pairs,
        PAIRS,
    )
    emit(answer, settings)
    return 0


def _code(text: str) -> int:
    if not _CODE.fullmatch(text):
        raise click.UsageError("explain what? name a link, switch, job, phase or limit after the scenario, or a code")
    from fabric.faces.explain.codes import meaning

    found = meaning(text)
    if found is None:
        raise click.UsageError(f"no code {text}; docs/errors.md lists them")
    click.echo(f"{text}: {found[0]}\n  what to do: {found[1]}")
    return 0
