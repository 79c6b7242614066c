"""``fabric convert``: a topology from one file format, or a scenario, into another."""

from __future__ import annotations

from pathlib import Path

import click

from fabric.cli.answer import load, located, output_path, remember, remember_said
from fabric.cli.options import FabricCommand, Settings, listed
from topologies.errors import FormatError
from topologies.format_registry import FORMATS, find_format, import_topology, write_topology
from topologies.topology import Topology
from topologies.units import parse_speed_gbps

SUMMARY = "Convert topologies between file formats."
ORDER = 60


@click.command("convert", cls=FabricCommand, epilog=listed("Formats", FORMATS))
@click.argument("source", metavar="INPUT")
@click.option("--from", "form", metavar="FORMAT", help="Format of INPUT; default: by its suffix, or a scenario.")
@click.option("--to", "target", metavar="FORMAT", help="Format of the output; default: by the suffix of -o.")
@click.option("--fabric", metavar="NAME", help="Of a scenario: which fabric; default: the only one.")
@click.option("--speed", metavar="SPEED", help="Of every link, where INPUT does not tell it or tells it wrong: 400G.")
@click.option("--max-nodes", type=click.IntRange(min=1), metavar="N", help="Write up to N nodes where few are usual.")
def command(
    source: str,
    settings: Settings,
    form: str | None,
    target: str | None,
    fabric: str | None,
    speed: str | None,
    max_nodes: int | None,
) -> None:
    """Convert INPUT, a topology file or a scenario, to the file of -o.

    Wrong elements of a file are listed and left out, and the exit code is 6, unless --strict.
    """
    if settings.output == "-":
        raise click.UsageError("-o FILE says where the topology goes")
    path = output_path(settings)
    topology = _topology(source, settings, form, fabric, speed)
    write_topology(topology, path, target, max_nodes=max_nodes)
    if not settings.quiet:
        name = find_format(path, target).name
        cables = int(topology.is_cable.sum())
        click.echo(f"{path}: {len(topology.nodes):,} nodes, {cables:,} cables, {name}", err=True)


def _topology(source: str, settings: Settings, form: str | None, fabric: str | None, speed: str | None) -> Topology:
    is_lab = source.endswith((".clab.yml", ".clab.yaml"))
    if form is None and (source == "-" or (source.endswith((".yaml", ".yml")) and not is_lab)):
        return _of_scenario(source, settings, fabric, speed)
    if fabric is not None:
        raise click.UsageError("--fabric is of a scenario; a topology file has one fabric")
    gbps = None
    if speed is not None:
        try:
            gbps = parse_speed_gbps(speed)
        except ValueError as error:
            raise click.UsageError(f"--speed: {error}") from None
    if not Path(source).exists():
        raise FormatError("no such file", file=source, hint=f"formats: {', '.join(FORMATS)}", code="FP6001")
    found = import_topology(
        source, "containerlab" if form is None and is_lab else form, strict=settings.strict, speed=gbps
    )
    remember(list(found.problems))
    remember_said(list(found.notes))
    return found.topology


def _of_scenario(source: str, settings: Settings, fabric: str | None, speed: str | None) -> Topology:
    from fabric.pipeline.prepared import build, check_fabric

    if speed is not None:
        raise click.UsageError("--speed is of a topology file; a scenario tells its speeds")
    loaded = load(source, settings)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up)
        check_fabric(fabric, network)
    if fabric is None and len(network.topologies) > 1:
        raise click.UsageError(f"--fabric: which of {', '.join(network.topologies)}?")
    return network.topologies[fabric or next(iter(network.topologies))]
