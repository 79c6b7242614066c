"""``fabric convert``: a topology from one file format, or a scenario, into another."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from fabric.cli.answer import load, located, output_path, remember, remember_said
from fabric.cli.options import SCENARIO, FabricCommand, RareOption, Settings, listed, refuse_flags
from fabric.cli.topology_input import TopologyFlags, format_of, parsed_flags, read_topology_input, topology_flags
from topologies.errors import FormatError
from topologies.format_registry import FORMATS, find_format, write_topology
from topologies.topology import Topology

SUMMARY = "Convert topologies between file formats."
ORDER = 60


@click.command("convert", cls=FabricCommand, takes=("output", "force", *SCENARIO), epilog=listed("Formats", FORMATS))
@click.argument("source", metavar="INPUT")
@click.option("--to", "target", metavar="FORMAT", help="Format of the output; default: by the suffix of -o.")
@click.option("--fabric", metavar="NAME", help="Of a scenario: which fabric; default: the only one.")
@click.option(
    "--max-nodes",
    cls=RareOption,
    type=click.IntRange(min=1),
    metavar="N",
    help="Write up to N nodes where few are usual.",
)
@topology_flags
def command(
    source: str, settings: Settings, target: str | None, fabric: str | None, max_nodes: int | None, **flags: Any
) -> None:
    """Convert INPUT, a topology file or folder or a scenario, to the file of -o.

    '-' as INPUT is standard input (with --from, or a scenario), and as -o standard output (with --to). Wrong elements
    of a file are listed and left out, and the exit code is 6, unless --strict.
    """
    if settings.output == "-":
        if target is None:
            raise click.UsageError("-o FILE says where the topology goes, or --to FORMAT how it is printed")
        path = None
    else:
        path = output_path(settings)
    topology = _topology(source, settings, fabric, parsed_flags(**flags))
    if path is None:
        _print(topology, str(target), max_nodes)
    else:
        write_topology(topology, path, target, max_nodes=max_nodes)
    if not settings.quiet:
        name = find_format(path or Path("-"), target).name
        cables = int(topology.is_cable.sum())
        click.echo(f"{path or '-'}: {len(topology.nodes):,} nodes, {cables:,} cables, {name}", err=True)


def _print(topology: Topology, target: str, max_nodes: int | None) -> None:
    """A topology file on standard output, whole or not at all."""
    with TemporaryDirectory(prefix="fabric-") as folder:
        path = Path(folder) / "topology"
        write_topology(topology, path, target, max_nodes=max_nodes)
        click.echo(path.read_bytes(), nl=False)


def _topology(source: str, settings: Settings, fabric: str | None, flags: TopologyFlags) -> Topology:
    form = format_of(source, flags.form)
    if form is None and (source == "-" or source.endswith((".yaml", ".yml"))):
        return _of_scenario(source, settings, fabric, flags)
    refuse_flags("it is of a scenario; a topology file has one fabric, as it is", "fabric", groups=("scenario",))
    if form is None:
        if not Path(source).exists():
            raise FormatError("no such file", file=source, hint=f"formats: {', '.join(FORMATS)}", code="FP6001")
        form = find_format(Path(source)).name
    found = read_topology_input(source, form, flags, strict=settings.strict)
    remember(list(found.problems))
    remember_said(list(found.notes))
    return found.topology


def _of_scenario(source: str, settings: Settings, fabric: str | None, flags: TopologyFlags) -> Topology:
    from fabric.pipeline.prepared import build, check_fabric

    if flags.given:
        raise click.UsageError(f"{flags.given[0]} is of a topology file; a scenario tells its speeds")
    _refuse_catalogue(source)
    loaded = load(source, settings, routed=False)
    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)
        check_fabric(fabric, network)
    if fabric is None and len(network.topologies) > 1:
        raise click.UsageError(f"--fabric: which of {', '.join(network.topologies)}?")
    name = fabric or next(iter(network.topologies))
    if loaded.scenario.fabrics[name].encryption.left < 1:
        remember_said(
            [f"{name}: line rates are written; a topology file has no encryption, a scenario that reads it may"]
        )
    return network.topologies[name].at_line_rate.with_left_capacity


def _refuse_catalogue(source: str) -> None:
    from fabric.scenario.catalogue_file import is_catalogue
    from fabric.scenario.positions import decode, read_yaml

    if source == "-" or not Path(source).is_file():
        return
    if is_catalogue(read_yaml(decode(Path(source).read_bytes(), source), source)):
        hint = "fabric validate checks it, fabric catalog add makes rows of it"
        raise FormatError("a catalogue is no topology", file=source, hint=hint, code="FP6002")
