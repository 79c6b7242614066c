"""``fabric export``: tables of switches, cables, rules of monitoring, and files for schedulers.

Each family of formats says which of the flags are its own; the others are refused by the name of what it does write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fabric.cables.labels import BY_PLACE
from fabric.cli.export_families import FAMILIES, MONITORED, MOST_FLAGS, ExportCall, find_family
from fabric.cli.export_tables import IP_VERSIONS
from fabric.cli.options import (
    ANSWER,
    SCENARIO,
    Duration,
    FabricCommand,
    OneOf,
    RareOption,
    Settings,
    Share,
)
from fabric.cli.timings import timings_option
from fabric.routing.names import PATH_POLICIES, objective_names, router_names
from topologies.plugin_folder import file_names

SUMMARY = "Write flow tables, routes, cables, rules and files for schedulers; export list names dialects."
ORDER = 110


def profile_names() -> tuple[str, ...]:
    """Profiles of cables, then of monitoring; imports none of them."""
    return (*file_names("fabric.cables.profiles"), *MONITORED)


@click.command(
    "export",
    cls=FabricCommand,
    takes=(*ANSWER, *SCENARIO, "phase", "progress"),
    rows=tuple(dict.fromkeys(family.rows for family in FAMILIES)),
    row_kind=lambda values: find_family(values["form"]).rows,
)
@click.argument("form", metavar="FORMAT", type=click.Choice([form for family in FAMILIES for form in family.forms]))
@click.argument("scenario", required=False)
@click.option("--dialect", "name", metavar="NAME", help="Dialect of the format; export list names them.")
@click.option("--profile", type=OneOf(profile_names), help="What cables are written for; whose counters rules read.")
@click.option("--both-ways", is_flag=True, help="Of cables: list every cable from each of its ends.")
@click.option("--label-format", metavar="TEMPLATE", help=f"Of cables: labels, such as '{BY_PLACE}'.")
@click.option(
    "--color-by",
    "colour_by",
    cls=RareOption,
    type=click.Choice(["rail", "tier", "fabric"]),
    help="Of cables: what gives a cable its colour; default: its rail where it has one, else its tier.",
)
@click.option("--fabric", metavar="NAME", help="Only this fabric.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--paths", type=click.Choice(PATH_POLICIES), help="Paths that router optimal may use.")
@click.option("--objective", type=OneOf(objective_names), help="What router optimal is best at.")
@click.option(
    "--family", type=click.Choice(list(IP_VERSIONS)), default="4", show_default=True, help="IP version of rules."
)
@click.option(
    "--tolerance",
    cls=RareOption,
    type=Share(),
    metavar="X",
    help="Oversubscription above 1 that weights may cost; 0.01.",
)
@click.option(
    "--max-rules", cls=RareOption, type=click.IntRange(min=1), metavar="N", help="Table entries of every switch."
)
@click.option("--max-groups", cls=RareOption, type=click.IntRange(min=0), metavar="N", help="Groups of every switch.")
@click.option(
    "--max-members", cls=RareOption, type=click.IntRange(min=0), metavar="N", help="Group members of every switch."
)
@click.option("--allow-overflow", cls=RareOption, is_flag=True, help="Write tables that do not fit as well.")
@click.option("--diff", "old", metavar="OLD", type=click.Path(path_type=Path), help="Also plan the change from OLD.")
@click.option("--no-verify", cls=RareOption, is_flag=True, help="Do not follow the files before they are put in place.")
@click.option(
    "--time-limit",
    cls=RareOption,
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Seconds per solve.",
)
@click.option("--window", type=Duration(), metavar="TIME", help="Of rules: over which rates are means; 5 min.")
@click.option("--margin", type=Share(), metavar="X", help="Of rules: above the plan's band, before an alert; 10%.")
@click.option(
    "--names",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of rules: CSV with node,instance or node,instance,port,interface, as the exporter calls them.",
)
@click.option(
    "--draws",
    cls=RareOption,
    type=click.IntRange(min=0),
    metavar="N",
    help="Of rules: of the hash, in their tests; 1000.",
)
@click.option(
    "--style",
    type=click.Choice(["tree", "block", "yaml"]),
    help="Of slurm: topology.conf by tree or block, or topology.yaml.",
)
@click.option("--block-by", type=click.Choice(["nvl-domain", "unit"]), help="Of slurm: what hosts form a block.")
@click.option(
    "--labels", metavar="PROFILE", help="Keys of node labels: by-level, topograph-1, topograph-0, kueue, custom:FILE."
)
@click.option("--job", metavar="ID", help="Of rankfile: only this job.")
@click.option(
    "--pci", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Of nccl: CSV with device,busid."
)
@click.option("--workload", metavar="ID", help="Of crush, hdfs, volumes: the storage workload; default: the only one.")
@click.option("--check", is_flag=True, help="Of schedulers: read the folder -o back and compare; writes nothing.")
@timings_option
def command(form: str, scenario: str | None, settings: Settings, **flags: Any) -> int:
    """Write what switches, people and programs need of SCENARIO.

    FORMAT: openflow, routes, lft (InfiniBand): tables for the worst phase, or the one named by --phase, in the folder
    -o DIR; with several fabrics a folder of each in it. They are followed from every source to every destination
    before they are put in place. addresses: the plan of addresses. cables: the schedule by a profile; exit code 1: a
    tray does not hold its cables. prometheus: recording rules, alerts and their tests for --profile snmp, node, gnmi or
    dcgm; grafana: dashboards of them. slurm, kueue, volcano, topograph, labels: the tree of hosts of every fabric, for
    schedulers; rankfile: where ranks run; nccl: the inside of nodes. These are read back before they are put in place;
    crush, hdfs, volumes: a storage workload as a CRUSH map, racks of HDFS, volumes of Kubernetes.
    --check reads a folder again, exit code 1: it is not this scenario's. list: dialects and formats. Exit code 0:
    limits on the phase's load hold with the tables; 1: one does not; 3: tables do not fit, or no table carries the
    router.
    """
    family = find_family(form)
    family.refuse_others(form, MOST_FLAGS)
    if scenario is None and family.needs_scenario:
        raise click.UsageError(f"export {form} needs a SCENARIO")
    return family.write(ExportCall(form, scenario or "", flags, settings))
