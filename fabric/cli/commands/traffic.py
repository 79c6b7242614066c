"""``fabric traffic``: what the workloads send, as phases, as a matrix, as formulae; or one collective by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, load, located, output_path
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, RareOption, Settings, refuse_flags
from fabric.faces.views.row_kinds import CELLS, COLLECTIVE, FORMULAE, PHASES

if TYPE_CHECKING:
    from fabric.output.row_kind import RowKind

SUMMARY = "Derive the traffic: phases and bytes of every workload."
ORDER = 40


def _row_kind(values: Mapping[str, Any]) -> RowKind:
    if values["collective"] is not None:
        return COLLECTIVE
    if values["explained"] is not None:
        return FORMULAE
    return CELLS if values["level"] is not None else PHASES


@click.command(
    "traffic",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "phase"),
    rows=(PHASES, CELLS, FORMULAE, COLLECTIVE),
    row_kind=_row_kind,
)
@click.argument("scenario", required=False)
@click.option("--fabric", metavar="NAME", help="Of --matrix: which fabric; default: all.")
@click.option(
    "--matrix", "level", type=click.Choice(["leaf", "rack", "unit", "host"]), help="Who sends how much to whom."
)
@click.option("--explain", "explained", metavar="PHASE", help="Formulae with their numbers; a phase, flops or all.")
@click.option("--collective", metavar="NAME", help="One collective by itself, without a scenario: all-reduce, ...")
@click.option("--algorithm", metavar="NAME", help="Of --collective: ring, tree, halving-doubling, ...")
@click.option("--ranks", type=click.IntRange(min=1), metavar="N", help="Of --collective.")
@click.option(
    "--ranks-per-host",
    cls=RareOption,
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of --collective.",
)
@click.option("--size", metavar="VOLUME", help="Of --collective: the full buffer of a rank, such as 1GB.")
@click.option("--speed", metavar="SPEED", help="Of --collective: a NIC's, one direction, such as 400G.")
@click.option(
    "--copies", cls=RareOption, type=click.IntRange(min=1), help="Of node-deduplicated all-to-all: experts of a token."
)
@click.option(
    "--experts", cls=RareOption, type=click.IntRange(min=1), help="Of node-deduplicated all-to-all: experts of a layer."
)
@click.option(
    "--node-limit",
    cls=RareOption,
    type=click.IntRange(min=1),
    help="Of node-deduplicated all-to-all: most hosts of a token.",
)
@click.option(
    "--dispatch-hosts",
    "hosts",
    cls=RareOption,
    type=click.Choice(["expected", "worst"]),
    help="Of node-deduplicated all-to-all: hosts of a token on average, or in the worst case.",
)
def command(
    scenario: str | None,
    settings: Settings,
    fabric: str | None,
    level: str | None,
    explained: str | None,
    collective: str | None,
    **bare: Any,
) -> None:
    """Derive what the workloads of SCENARIO send: phases, bytes per rank and direction, pairs, what must be hidden.

    --matrix adds up who sends how much to whom, as a table, CSV, or a picture (-o FILE.svg). --explain shows the
    formula of a phase, its numbers and its source. --collective answers for one collective, without a scenario.
    """
    if level is not None and explained is not None:
        raise click.UsageError("--matrix and --explain are different answers; give one of them")
    if collective is not None:
        if scenario is not None or level is not None or explained is not None:
            raise click.UsageError("--collective is worked out without a scenario, a matrix or a phase")
        refuse_flags("--collective reads no scenario", "fabric", groups=("scenario", "files", "phase"))
        _bare(collective, settings, **bare)
        return
    idle = [
        f"--{'dispatch-hosts' if name == 'hosts' else name.replace('_', '-')}"
        for name, value in bare.items()
        if value not in (None, 1)
    ]
    if scenario is not None and idle:
        raise click.UsageError(f"{', '.join(idle)}: only with --collective")
    if scenario is None:
        raise click.UsageError("give a SCENARIO, or --collective NAME --ranks N --size VOLUME")
    if level is None:
        refuse_flags("it is of --matrix; --where keeps the rows of a phase or a fabric", "fabric", "phase")
    _of_scenario(scenario, settings, fabric, level, explained)


def _of_scenario(
    scenario: str, settings: Settings, fabric: str | None, level: str | None, explained: str | None
) -> None:
    from fabric.faces.answers.traffic_report import traffic_document
    from fabric.faces.views.traffic import sent_table
    from fabric.pipeline.prepared import prepare
    from fabric.pipeline.stages import schedules
    from fabric.request import RouteRequest

    loaded = load(scenario, settings, routed=False)
    with located(loaded, settings):
        prepared = prepare(loaded, RouteRequest(down=settings.down, up=settings.up, slow=settings.slow))
        network, workloads = prepared.network, prepared.traffic
        timed = schedules(prepared)
        if level is not None:
            _matrix(loaded, network, workloads, settings, fabric, level)
            return
        if explained is not None:
            _explain(loaded, workloads, timed, settings, explained)
            return

    def record() -> dict[str, Any]:
        from fabric.faces.answers.records import traffic_record  # with all that routes: not for a table

        return traffic_record(loaded, network, workloads, timed)

    emit(
        Answer(
            record,
            lambda: traffic_document(workloads, timed),
            lambda: sent_table(workloads, timed),
            PHASES,
        ),
        settings,
    )


def _matrix(loaded: Any, network: Any, workloads: Any, settings: Settings, fabric: str | None, level: str) -> None:
    from fabric.faces.views.demand_matrix import demand_matrix, fullest, has_units, matrix_table
    from fabric.output.document import Line
    from fabric.pipeline.prepared import check_fabric
    from fabric.pipeline.stages import assumptions
    from fabric.scenario.provenance import envelope
    from fabric.scenario.racks import host_racks

    check_fabric(fabric, network)
    racks = {host: rack.name for rack in host_racks(loaded.scenario) for host in rack.hosts}
    phase = "all" if settings.phase == "worst" else settings.phase
    _check_phase(phase, workloads)
    shown = network.topologies if fabric is None else {fabric: network.topologies[fabric]}
    if fabric is None and level == "unit":
        shown = {name: topology for name, topology in shown.items() if has_units(topology)} or shown
    matrices = [
        demand_matrix(topology, name, workloads, level, phase=phase, rack_of_host=racks)
        for name, topology in shown.items()
    ]
    if settings.output.endswith(".svg"):
        from fabric.cli.answer import write
        from fabric.faces.drawing.svg.demand import demand_svg

        if len(matrices) > 1:
            busy = [matrix for matrix in matrices if matrix.volume_bytes.any() or matrix.rate_gbps.any()]
            matrices = busy[:1] or matrices[:1]
        heading = (f"{loaded.scenario.name}: {matrices[0].fabric}", f"phase {phase}")
        output_path(settings)
        write(demand_svg(matrices[0], heading), settings)
        if not settings.quiet:
            others = "" if len(shown) == 1 else f", fabric {matrices[0].fabric}; --fabric draws another"
            click.echo(f"wrote {settings.output}{others}", err=True)
        return
    table = fullest(matrix_table(matrices))
    warnings = [text for workload in workloads for text in workload.warnings]
    loaded.say(*(f"{workload.id}: {text}" for workload in workloads for text in workload.warnings))

    def document() -> Any:
        shown = table.first(CELLS.most)
        title = f"{level} to {level}, phase {phase}, one direction: {len(table):,} cells, the {len(shown)} fullest"
        return [Line(title), shown.titled("").as_rows()]

    def record() -> dict[str, Any]:
        answer = {"level": level, "phase": phase, "warnings": warnings}
        return {**envelope("DemandMatrix", loaded), **answer, "assumptions": [entry.__dict__ for entry in found]}

    found = assumptions(loaded, network, workloads)
    emit(Answer(record, document, lambda: table, CELLS), settings)


def _check_phase(phase: str, workloads: Any) -> None:
    from topologies.errors import ScenarioError, nearest_hint

    names = list(dict.fromkeys(entry.name for workload in workloads for entry in workload.phases))
    if phase != "all" and phase not in names:
        raise ScenarioError(
            f"{phase!r} is not the name of a phase",
            hint=nearest_hint(phase, names, "phases"),
            code="FP2105",
        )


def _explain(loaded: Any, workloads: Any, timed: Any, settings: Settings, target: str) -> None:
    from fabric.faces.answers.traffic_report import explain_document, formula_lines
    from fabric.faces.views.traffic import formula_table
    from fabric.output.document import Line
    from fabric.scenario.provenance import envelope

    flops = [(entry.id, entry.model.flops) for entry in workloads if entry.model and entry.model.flops]
    job, _, name = target.rpartition(":")
    if target not in ("all", "flops"):
        _check_phase(name, [entry for entry in workloads if job in ("", entry.id)])
    chosen = [
        (entry, phase, timing)
        for entry, schedule in zip(workloads, timed, strict=True)
        for phase, timing in zip(entry.phases, schedule.timings, strict=True)
        if target == "all" or (phase.name == name and job in ("", entry.id))
    ]
    shown = flops if target in ("all", "flops") else []
    figures = [(job, None, "flops_per_step", None, formula) for job, formula in shown]
    for entry, phase, _ in chosen:
        parts = [
            ("rate_gbps" if part.formula.unit == "Gbps" else "payload_bytes_per_rank", part.ranks, part.formula)
            for part in phase.payloads
        ]
        if phase.sent is not None:
            parts.append(("sent_bytes_per_rank", phase.senders, phase.sent))
        parts += [
            (figure, phase.senders, formula)
            for figure, formula in (("handed_on_bytes_per_rank", phase.handed_on), ("inside_s", phase.inside))
            if formula is not None
        ]
        figures += [(entry.id, phase.name, figure, ranks, formula) for figure, ranks, formula in parts]
    table = formula_table(figures)

    def document() -> Any:
        lines: list[Any] = []
        for job, found in shown:
            lines += [Line(f"{job} FLOP per step"), *formula_lines("flops", found)]
        return [*lines, *explain_document(chosen)]

    emit(
        Answer(lambda: envelope("TrafficExplanation", loaded), document, lambda: table, FORMULAE, table.entry), settings
    )


def _bare(operation: str, settings: Settings, **keys: Any) -> None:
    from fabric.faces.answers.traffic_report import collective_document, formula_record
    from fabric.faces.views.traffic import collective_table
    from fabric.scenario.provenance import tool_envelope
    from topologies.units import parse_bytes, parse_speed_gbps
    from traffic.bare_collective import bare_collective

    if keys["ranks"] is None or keys["size"] is None:
        raise click.UsageError("--collective needs --ranks N and --size VOLUME")
    try:
        size = parse_bytes(keys["size"])
        speed = None if keys["speed"] is None else parse_speed_gbps(keys["speed"])
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    found = bare_collective(
        operation,
        keys["algorithm"],
        keys["ranks"],
        size,
        ranks_per_host=keys["ranks_per_host"],
        speed_gbps=speed,
        copies=keys["copies"],
        experts=keys["experts"],
        node_limit=keys["node_limit"],
        hosts=keys["hosts"],
    )
    table = collective_table(found)
    record = lambda: {**tool_envelope("CollectiveResult"), **table.record(0), "formula": formula_record(found.sent)}  # noqa: E731
    emit(Answer(record, lambda: collective_document(found), lambda: table, COLLECTIVE), settings)
