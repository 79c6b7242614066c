"""``fabric schema``: the scenario's JSON Schema, for editors."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from fabric.cli.answer import write
from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Print the JSON Schema of scenario or catalogue files."
ORDER = 180

NAMES = ("scenario", "catalog")


@click.command("schema", cls=FabricCommand, takes=("output", "force"))
@click.argument("name", type=click.Choice(NAMES), default="scenario")
def command(name: str, settings: Settings) -> None:
    """Print the JSON Schema called NAME, for editors and other programs."""
    from fabric.scenario.catalogue_file import catalogue_schema
    from fabric.scenario.json_schema import scenario_schema

    schema = catalogue_schema() if name == "catalog" else scenario_schema()
    write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", replace(settings, format="json"))
