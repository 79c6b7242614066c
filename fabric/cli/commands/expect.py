"""``fabric expect``: the table that nccl-tests would print on a fabric, and the mark to sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, note, output_path, write
from fabric.cli.exit_codes import ANSWER_IS_NO, NO_ANSWER, OK
from fabric.cli.options import (
    ANSWER,
    SCENARIO,
    FabricCommand,
    OneOf,
    RareOption,
    Settings,
    Share,
    flags_given,
    refuse_flags,
)
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import CHECKED, EXPECTED
from fabric.routing.names import router_names

if TYPE_CHECKING:
    from fabric.expect.request import ExpectRequest
    from fabric.expect.result import ExpectResult
    from fabric.routing.progress import Reporter
    from fabric.scenario.load import LoadedScenario

SUMMARY = "Predict what nccl-tests will show on a fabric, with a band and the pass mark to sign."
ORDER = 15
_PICTURES = (".svg", ".png", ".pdf", ".jpg", ".jpeg", ".gif")


def _sizes(_ctx: click.Context, _option: click.Parameter, text: str) -> tuple[float, ...]:
    from fabric.expect.sizes import parse_sizes

    try:
        return parse_sizes(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _percentile(_ctx: click.Context, _option: click.Parameter, text: str) -> float:
    """``p5`` or ``5``: between 0 and 100."""
    try:
        percentile = float(text.strip().lower().removeprefix("p"))
    except ValueError:
        percentile = -1.0
    if not 0 < percentile < 100:
        raise click.BadParameter(f"{text!r} is not a percentile; for example p5, above 0 and below 100")
    return percentile


def _margin(_ctx: click.Context, _option: click.Parameter, ratio: float) -> float:
    if ratio >= 1:
        raise click.BadParameter(f"{ratio:g} leaves nothing of the bandwidth; for example 5% or 0.05")
    return ratio


def _placement(_ctx: click.Context, _option: click.Parameter, text: str | None) -> dict[str, Any]:
    """``ORDER`` or ``ORDER,KEY=VALUE,...`` as keys of a placement."""
    if text is None:
        return {}
    order, *rest = [part.strip() for part in text.split(",")]
    keys: dict[str, Any] = {"order": order}
    for part in rest:
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise click.BadParameter(f"{part!r} is not KEY=VALUE; for example scattered,seed=1")
        keys[name] = int(value) if value.isdecimal() else value
    return keys


@click.command(
    "expect",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "progress"),
    rows=(EXPECTED, CHECKED),
    row_kind=lambda values: EXPECTED if values["log"] is None else CHECKED,
)
@click.argument("scenario")
@click.option(
    "--collective",
    "collectives",
    default="all-reduce",
    show_default=True,
    metavar="NAME,...|all",
    help="Which tests: all-reduce, all_gather_perf, alltoall, ...",
)
@click.option(
    "--sizes",
    default="1M:16G",
    show_default=True,
    callback=_sizes,
    metavar="FROM:TO[:FACTOR],...",
    help="Of messages, as nccl-tests reads them: 1M is 2^20 bytes, 1MB 10^6. :4 multiplies, :+1M steps.",
)
@click.option("--ranks", type=click.IntRange(min=2), metavar="N", help="Default: all GPUs of the group.")
@click.option("--group", metavar="NAME", help="Node group of the ranks; default: the only one with GPUs.")
@click.option("--job", metavar="ID", help="The ranks of a workload, where they are, instead of a group's.")
@click.option(
    "--placement",
    callback=_placement,
    metavar="ORDER[,KEY=VALUE]",
    help="Which GPUs the ranks have: packed (default), scattered,seed=1, file,path=hosts.txt, ...",
)
@click.option("--fabric", metavar="NAME", help="Which fabric; default: the one with a NIC per GPU.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--algorithm", metavar="NAME", help="Of the library, instead of its own choice by size: ring, tree, ...")
@click.option("--protocol", metavar="NAME", help="Of the library, instead of its own choice: simple, ll, ll128.")
@click.option("--draws", type=click.IntRange(min=1), metavar="N", help="Draws of the hash; default: 100 where cheap.")
@click.option(
    "--percentile",
    default="p5",
    show_default=True,
    callback=_percentile,
    metavar="pN",
    help="Of the bandwidth over the draws, from which the pass mark is taken.",
)
@click.option(
    "--margin",
    type=Share(),
    default="5%",
    show_default=True,
    callback=_margin,
    help="By which the pass mark is below it.",
)
@click.option(
    "--check",
    "log",
    type=click.Path(dir_okay=False),
    metavar="LOG",
    help="A log of nccl-tests, text or JSON: its rows beside what is expected, and what explains a shortfall.",
)
@click.option("--beside", is_flag=True, help="With the steady traffic of the scenario's workloads on the wire.")
@click.option(
    "--channels", cls=RareOption, type=click.IntRange(min=1), metavar="N", help="Of a host; default: the library's."
)
@click.option(
    "--qps",
    "qps_per_connection",
    cls=RareOption,
    type=click.IntRange(min=1),
    metavar="N",
    help="Queue pairs of a connection, as NCCL_IB_QPS_PER_CONNECTION; default: the library's.",
)
def command(
    scenario: str,
    settings: Settings,
    collectives: str,
    router: str | None,
    algorithm: str | None,
    protocol: str | None,
    channels: int | None,
    qps_per_connection: int | None,
    sizes: tuple[float, ...],
    log: str | None,
    **asked: Any,
) -> int:
    """Predict what nccl-tests will show on SCENARIO, with a band and the pass mark to sign.

    Sizes, time, algbw and busbw are those of its own table: expected (the median over draws of the hash), 5 and 95 %,
    and ideal (the busiest NIC or scale-up link at line rate, no latency, no contention). -o FILE.svg draws busbw over
    size. Exit code 0; 1: a row of --check misses its mark; 3: bad input; 4: ranks have no path to each other.
    """
    from fabric.expect.request import ExpectRequest, collectives_of
    from fabric.request import RouteRequest

    if asked["job"] is not None:
        refuse_flags("a job has its own group and places", "group", "placement")
    _check_output(settings)
    keys = {
        "algorithm": algorithm, "protocol": protocol, "channels": channels, "qps_per_connection": qps_per_connection,
    }  # fmt: skip
    library = {name: value for name, value in keys.items() if value is not None}
    wanted = ExpectRequest(collectives_of(collectives), sizes, library=library, **asked)
    request = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    if log is not None:
        refuse_flags("the log has the sizes", "sizes")
    loaded = load(scenario, settings)
    return _expect(loaded, settings, wanted, request, log)


def _check_output(settings: Settings) -> None:
    """Refuse, before the work, a picture that is not written."""
    from topologies.errors import FormatError

    suffix = Path(settings.output).suffix.lower()
    if suffix not in _PICTURES:
        return
    output_path(settings)
    if suffix != ".svg":
        raise FormatError(f"the curve is drawn as SVG, not as {suffix}", hint="end the file with .svg", code="FP6243")


def _expect(loaded: LoadedScenario, settings: Settings, wanted: ExpectRequest, request: Any, log: str | None) -> int:
    from fabric.expect.engine import expect
    from fabric.faces.answers.expect_report import expect_document, expect_record
    from fabric.faces.views.expect import expect_table
    from topologies.errors import RoutingError

    try:
        with located(loaded, settings), watching(settings) as report:
            if log is not None:
                result = _checked(loaded, wanted, request, log, report)
            else:
                result = expect(loaded, wanted, request, progress=report)
    except RoutingError as error:
        if error.problems[0].code != "FP5006":
            raise
        from fabric.scenario.diagnostics import render

        click.echo(render(error.problems, {}, exit_code=NO_ANSWER), err=True, nl=False)
        return NO_ANSWER
    if settings.output.endswith(".svg"):
        _draw(loaded, settings, result)
        return OK if result.check is None or result.check.verdict == "pass" else ANSWER_IS_NO
    if result.check is not None:
        return _emit_check(loaded, settings, result)
    answer = Answer(
        lambda: expect_record(loaded, result),
        lambda: expect_document(loaded, result),
        lambda: expect_table(result.tests),
        EXPECTED,
    )
    emit(answer, settings)
    return OK


def _checked(loaded: LoadedScenario, wanted: ExpectRequest, request: Any, log: str, report: Reporter) -> ExpectResult:
    """A log held against what is expected of its runs; of several operations those that --collective names."""
    from fabric.expect.checking import check_log
    from traffic.nccl_tests.operations import operation_named
    from traffic.nccl_tests.read import read_log

    given = "collectives" in flags_given(click.get_current_context())
    named = operation_named(wanted.collectives[0]) if given and len(wanted.collectives) == 1 else None
    return check_log(loaded, wanted, request, read_log(log, named), progress=report)


def _emit_check(loaded: LoadedScenario, settings: Settings, result: ExpectResult) -> int:
    from fabric.faces.answers.check_report import check_document
    from fabric.faces.answers.expect_report import expect_record
    from fabric.faces.views.checked import checked_table

    check = result.check
    assert check is not None
    for text in check.notes:
        note(text, settings)
    answer = Answer(
        lambda: expect_record(loaded, result),
        lambda: check_document(loaded, result),
        lambda: checked_table(check.rows),
        CHECKED,
    )
    emit(answer, settings)
    return OK if check.verdict == "pass" else ANSWER_IS_NO


def _draw(loaded: LoadedScenario, settings: Settings, result: ExpectResult) -> None:
    from fabric.faces.answers.expect_report import mark_rule, test_text
    from fabric.faces.drawing.svg.busbw import busbw_svg

    texts = [test_text(test) for test in result.tests]
    heading = [f"{loaded.scenario.name}: what nccl-tests will show", *texts, f"pass mark: {mark_rule(result)}"]
    write(busbw_svg(result, heading), settings)
    if not settings.quiet:
        click.echo(f"wrote {settings.output}", err=True)
