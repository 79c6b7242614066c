"""``fabric review``: what contradicts itself in counts of a slide, and what a reviewer would say of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fabric.cli.answer import Answer, emit, note, remember_said
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import ANSWER, SCENARIO, FabricCommand, RareOption, Settings, refuse_flags
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import REVIEWED

if TYPE_CHECKING:
    from fabric.review.finding import ReviewResult

SUMMARY = "Review counts of a slide, or a scenario: every contradiction, risk and waste, with arithmetic."
ORDER = 16
F = TypeVar("F", bound=Callable[..., Any])

# Counts as flags, those that every slide has first; the others are listed by --help-all.
_COMMON = {
    "gpus": "GPUs in all.", "hosts": "Hosts (servers) in all.", "leaves": "Leaves (ToRs) in all.",
    "uplinks": "Links up of a leaf.", "spines": "Spines in all.", "cores": "Cores (super-spines) in all.",
    "radix": "Ports of every switch.", "cables": "Cables in all.", "host_ports": "Links to hosts of a leaf.",
}  # fmt: skip
_RARE = {
    "gpus_per_host": "GPUs of a host.", "nics": "NICs in all.", "nics_per_host": "NICs of a host.",
    "nic_ports": "Ports of a NIC.", "tiers": "Tiers of switches.", "planes": "Planes.", "pods": "Pods.",
    "rails": "Rails.", "switches": "Switches of all roles.", "leaves_per_pod": "Leaves of a pod.",
    "spines_per_pod": "Spines of a pod.", "hosts_per_pod": "Hosts of a pod.", "gpus_per_pod": "GPUs of a pod.",
    "racks": "Racks of hosts.", "hosts_per_rack": "Hosts of a rack.", "spine_down": "Links down of a spine.",
    "spine_uplinks": "Links up of a spine.", "core_down": "Links down of a core.", "leaf_radix": "Ports of a leaf.",
    "spine_radix": "Ports of a spine.", "core_radix": "Ports of a core.", "ports": "Ports of all switches.",
    "host_cables": "Cables to hosts.", "leaf_spine_cables": "Cables between leaves and spines.",
    "spine_core_cables": "Cables between spines and cores.", "fabric_cables": "Cables between switches.",
    "optics": "Pluggable optics.", "hops": "Switches on the longest way.",
}  # fmt: skip
_TEXTS = {
    "speed": "Speed of every link, such as 400G.",
    "oversubscription": "Of leaves, down over up: 3:1, or non-blocking.",
    "bisection": "Bisection bandwidth: 25.6 Tb/s.",
    "model": "Switch model of the catalogue.",
    "kind": "leaf-spine, fat-tree, clos, rail-optimised, rail-only or single-switch.",
}
_RARE_TEXTS = {
    "nic_speed": "Speed of a NIC.", "uplink_speed": "Speed of leaf-spine links.",
    "core_speed": "Speed of spine-core links.", "port_speed": "Speed of a switch port, before breakout.",
    "leaf_model": "Model of the leaves.", "spine_model": "Model of the spines.", "core_model": "Model of the cores.",
    "spine_oversubscription": "Of spines, down over up.", "host_bandwidth": "Of all NICs: 204.8 Tb/s.",
    "switch_capacity": "Of a switch: 25.6 Tb/s.",
}  # fmt: skip
_FIGURES = {"cost": "Cost of the network, US$."}
_RARE_FIGURES = {
    "switch_price": "Price of a switch, US$.", "cable_price": "Price of a cable, US$.",
    "optic_price": "Price of an optic, US$.", "power": "Power of the network, W.", "switch_power": "Of a switch, W.",
}  # fmt: skip
_COUNTS = (*_COMMON, *_RARE, *_TEXTS, *_RARE_TEXTS, *_FIGURES, *_RARE_FIGURES)


def _count_flags(command: F) -> F:
    """A flag per count of a slide."""
    groups: list[tuple[Mapping[str, str], type, str, type[click.Option]]] = [
        (_COMMON, int, "N", click.Option), (_TEXTS, str, "TEXT", click.Option), (_FIGURES, float, "N", click.Option),
        (_RARE, int, "N", RareOption), (_RARE_TEXTS, str, "TEXT", RareOption), (_RARE_FIGURES, float, "N", RareOption),
    ]  # fmt: skip
    options = [
        click.option(f"--{name.replace('_', '-')}", name, type=kind, metavar=metavar, help=text, cls=option)
        for names, kind, metavar, option in groups
        for name, text in names.items()
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("review", cls=FabricCommand, takes=(*ANSWER, *SCENARIO, "progress"), rows=(REVIEWED,))
@click.argument("file", required=False)
@_count_flags
@click.option("--write", "scenario", metavar="FILE", help="Write the scenario of what can be built there.")
@click.option("--cheaper/--no-cheaper", default=True, help="Of a scenario: search for what does the same for less.")
@click.option("--catalog", metavar="FILE", help="Models of your own, for counts that name them.", cls=RareOption)
def command(
    file: str | None, settings: Settings, scenario: str | None, cheaper: bool, catalog: str | None, **counts: Any
) -> int:
    """Hold the counts of a slide, or a scenario, against arithmetic.

    FILE is a YAML file of counts (gpus, leaves, uplinks, spines, radix, bisection, cables, cost, ...), a scenario, or a
    saved result; counts can be flags, too, and go over those of the file. Counts: which of them cannot all be true, and
    what can be built. Scenario: unused ports, single points of failure, tiers against what the jobs send, what is near
    its limits, and the same need for less.

    Exit code 0; 1: a contradiction or a warning; 3: bad input.
    """
    given = {name: counts[name] for name in _COUNTS if counts[name] is not None}
    if file is None and not given:
        raise click.UsageError("nothing to review: give a FILE, or counts as flags, such as --gpus 512 --leaves 16")
    tree = None
    if file is not None:
        from fabric.review.claims import is_scenario, read_tree

        is_other = file != "-" and (Path(file).is_dir() or Path(file).suffix == ".fpr")
        tree, text = (None, "") if is_other else read_tree(file)
        if tree is None or is_scenario(tree.plain()):
            return _of_scenario(file, settings, scenario, catalog, cheaper=cheaper)
        return _of_counts(given, settings, scenario, catalog, (file, tree, text))
    return _of_counts(given, settings, scenario, catalog, None)


def _of_scenario(file: str, settings: Settings, scenario: str | None, catalog: str | None, *, cheaper: bool) -> int:
    from fabric.review.review_scenario import review_run

    refuse_flags("counts are those of a slide, and a scenario has its own", *_COUNTS)
    if scenario is not None or catalog is not None:
        refuse_flags("only counts are built and priced from outside", "scenario", "catalog")
    from fabric.cli.answer import open_run
    from fabric.request import RouteRequest
    from fabric.scenario.provenance import envelope

    request = RouteRequest(down=settings.down, up=settings.up, slow=settings.slow)
    with watching(settings) as report:
        run = open_run(file, settings, request, report, idle=True)
        result = review_run(run, report, cheaper=cheaper)
    return _emit(result, envelope("ReviewResult", run.loaded), settings)


def _of_counts(
    given: Mapping[str, Any], settings: Settings, scenario: str | None, catalog: str | None, document: Any
) -> int:
    """Counts of a file, of flags, or flags over those of a file."""
    import hashlib

    from fabric.review.claims import flag_claims, read_claims
    from fabric.review.review_counts import review_counts
    from fabric.scenario.catalogue_file import read_catalogue
    from fabric.scenario.provenance import tool_envelope
    from topologies.catalogue import builtin
    from topologies.errors import FabricError

    refuse_flags("counts are no scenario", "cheaper", groups=("scenario", "files"))
    catalogue = builtin() if catalog is None else read_catalogue(catalog, builtin())
    remember_said(list(catalogue.said))
    inputs = []
    claims = flag_claims(given, catalogue)
    if document is not None:
        file, tree, text = document
        try:
            below = read_claims(tree, catalogue)
        except FabricError as error:
            error.sources = {tree.place.file or file: text}  # type: ignore[attr-defined]
            error.max_errors = settings.max_errors  # type: ignore[attr-defined]
            raise
        claims = below.with_others(claims)
        inputs = [{"path": file, "sha256": hashlib.sha256(text.encode()).hexdigest()}]
    result = review_counts(claims)
    if scenario is not None:
        _write(scenario, result, settings)
    record = {**tool_envelope("ReviewResult"), "name": claims.name, "inputs": inputs}
    return _emit(result, record, settings)


def _write(path: str, result: ReviewResult, settings: Settings) -> None:
    """The scenario of what can be built, to a file."""
    from dataclasses import replace

    from fabric.cli.answer import write

    if result.buildable is None:
        note(f"{path} is not written: {result.unbuildable}", settings)
        return
    write(result.buildable.text, replace(settings, output=path, format=None))
    note(f"wrote {path}", settings)


def _emit(result: ReviewResult, record: dict[str, Any], settings: Settings) -> int:
    from fabric.faces.answers.review_report import finding_record, review_document, review_record
    from fabric.faces.views.review import finding_table

    answer = Answer(
        lambda: review_record(result, record),
        lambda: review_document(result),
        lambda: finding_table(result.findings),
        REVIEWED,
        lambda row: finding_record(result.findings[row]),
    )
    emit(answer, settings)
    return OK if result.worst in (None, "note") else ANSWER_IS_NO
