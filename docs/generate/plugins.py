"""``docs/plugins.md``: every plug-in there is, by kind, with what it says of itself in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from fabric.cables.profile import PROFILES
from fabric.cli.main import COMMANDS, cli
from fabric.faces.drawing.view import VIEWS
from fabric.faces.report.section import SECTIONS
from fabric.operate.observed.format import NEIGHBOUR_FORMATS
from fabric.optimise.objective import OBJECTIVES
from fabric.routing.router import ROUTERS
from fabric.rules.dialect import DIALECTS
from topologies.builder import TOPOLOGIES
from topologies.format_registry import FORMATS
from topologies.plugin_folder import PluginFolder
from topologies.registry import Registry
from traffic.collective import COLLECTIVES
from traffic.workload import DEMAND_FORMATS, PATTERNS, PLACEMENTS, WORKLOADS
from tui.views import SCREENS

Rows = Iterator[tuple[str, str]]

HEAD = """# Plug-ins

<!-- Written by make docs; edit the summaries in the source. -->

All there is, by kind. What a scenario names is an entry of a registry; what a command names is a file of a folder;
commands of packages above `fabric` come by entry point. [How to add one](extending/README.md).
"""


def page(_: str) -> str:
    """The whole page."""
    kinds: list[tuple[str, str, str, Rows]] = [
        ("Topologies", "topologies/builders", "topology.md", _registered(TOPOLOGIES)),
        ("Workloads", "traffic/workloads", "workload.md", _registered(WORKLOADS)),
        ("Synthetic patterns", "traffic/patterns", "workload.md", _registered(PATTERNS)),
        ("Placements", "traffic/placements", "workload.md", _registered(PLACEMENTS)),
        ("Demand formats", "traffic/formats", "format.md", _registered(DEMAND_FORMATS)),
        ("Collectives", "traffic/collectives", "collective.md", _registered(COLLECTIVES)),
        ("Routers", "fabric/routers", "router.md", _registered(ROUTERS)),
        ("Objectives", "fabric/optimise/objectives", "objective.md", _registered(OBJECTIVES)),
        ("Topology formats", "topologies/formats", "format.md", _declared(FORMATS)),
        ("Dialects", "fabric/rules/dialects", "dialect.md", _declared(DIALECTS)),
        ("Cable profiles", "fabric/cables/profiles", "cable-profile.md", _declared(PROFILES)),
        (
            "Formats of neighbours",
            "fabric/operate/observed/formats",
            "neighbour-format.md",
            _declared(NEIGHBOUR_FORMATS),
        ),
        ("Drawings", "fabric/faces/drawing/views", "drawing.md", _declared(VIEWS)),
        ("Report sections", "fabric/faces/report/sections", "report-section.md", _declared(SECTIONS)),
        ("Screens", "tui/screens", "screen.md", _declared(SCREENS)),
        ("Commands", "fabric/cli/commands", "command.md", _declared(COMMANDS)),
        ("Commands of other packages", "", "command.md", _plugged()),
    ]
    parts = [HEAD]
    for title, folder, how, rows in kinds:
        place = f"`{folder}/`, " if folder else ""
        parts.append(f"\n## {title}\n\n{place}[how to add one](extending/{how})\n\n| name | |\n| --- | --- |\n")
        parts += [f"| `{name}` | {summary.replace('``', '`').replace('|', '&#124;')} |\n" for name, summary in rows]
    return "".join(parts)


def _registered(registry: Registry[Any]) -> Rows:
    for entry in registry:
        yield "`, `".join([entry.name, *entry.aliases]), entry.summary


def _declared(folder: PluginFolder[Any]) -> Rows:
    for name in folder:
        yield name, folder.summary(name)


def _plugged() -> Rows:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if name not in COMMANDS and command is not None:
            yield name, command.short_help or ""
