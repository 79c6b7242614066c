"""``fabric schema``: JSON Schemas of what people write, for editors."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from fabric.cli.answer import write
from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Print the JSON Schema of scenario or catalogue files, or of counts."
ORDER = 180

NAMES = ("scenario", "catalog", "counts")


@click.command("schema", cls=FabricCommand, takes=("output", "force"))
@click.argument("name", type=click.Choice(NAMES), default="scenario")
def command(name: str, settings: Settings) -> None:
    """Print the JSON Schema called NAME, for editors and other programs."""
    from fabric.review.claims import counts_schema
    from fabric.scenario.catalogue_file import catalogue_schema
    from fabric.scenario.json_schema import scenario_schema

    schema = {"catalog": catalogue_schema, "counts": counts_schema}.get(name, scenario_schema)()
    write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", replace(settings, format="json"))
