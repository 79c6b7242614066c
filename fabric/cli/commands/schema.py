"""``fabric schema``: JSON Schema of our files, for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from fabric.cli.answer import write
from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Print the JSON Schema of scenario, requirement, catalogue or work files, or of counts."
ORDER = 180

NAMES = ("scenario", "requirement", "catalog", "counts", "work")


@click.command("schema", cls=FabricCommand, takes=("output", "force"))
@click.argument("name", type=click.Choice(NAMES), default="scenario")
def command(name: str, settings: Settings) -> None:
    """Print the JSON Schema called NAME, for editors and other programs."""
    from fabric.design.requirement_schema import requirement_schema
    from fabric.operate.drain.work_file import work_schema
    from fabric.review.claims import counts_schema
    from fabric.scenario.catalogue_file import catalogue_schema
    from fabric.scenario.json_schema import scenario_schema

    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "scenario": scenario_schema,
        "requirement": requirement_schema,
        "catalog": catalogue_schema,
        "counts": counts_schema,
        "work": work_schema,
    }
    schema = makers[name]()
    write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", replace(settings, format="json"))
