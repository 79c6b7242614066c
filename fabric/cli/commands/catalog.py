"""``fabric catalog``: the models that scenarios may name, and NetBox device types made into such rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fabric.cli.answer import Answer, emit, remember_said, write
from fabric.cli.options import ANSWER, FabricCommand, Settings
from fabric.faces.views.row_kinds import MODELS
from topologies.catalogue import SECTIONS, Catalogue, CatalogueRow, builtin
from topologies.errors import TopologyError

SUMMARY = "List and show models of switches, NICs, nodes, optics and cables; import NetBox device types."
ORDER = 150

ROLES = {"switch": "switches", "nic": "nics", "node": "nodes", "optic": "optics", "cable": "cables"}
_RENAMED = {
    "speed": "speed_gbps",
    "length": "length_m",
    "stock": "stock_m",
    "depth": "depth_m",
    "memory": "memory_bytes",
    "memory_rate": "memory_rate_gbps",
}
_UNITS = {"speed": "G", "length": " m", "reach_m": " m", "depth": " m", "stock": " m"}  # of a row as one writes it
_INNER_UNITS = {"speed": " Gb/s", "memory": " B", "memory_rate": " Gb/s"}  # of its GPU and scale-up links
_FILES = click.option(
    "--catalog", "files", multiple=True, metavar="FILE", help="A catalogue of your own, laid over ours; may repeat."
)


@click.group("catalog")
def command() -> None:
    """Look up the models that scenarios name: switches, NICs, nodes, optics, cables. add imports NetBox types."""


def _catalogue(files: Sequence[str]) -> Catalogue:
    from fabric.scenario.catalogue_file import read_catalogue

    found = builtin()
    for file in files:
        found = read_catalogue(file, found)
    remember_said(list(found.said))
    return found


def _record(section: str, row: CatalogueRow) -> dict[str, Any]:
    role = next(name for name, plural in ROLES.items() if plural == section)
    return {"role": role, **_with_units(row.model_dump())}


def _with_units(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _RENAMED.get(key, key): _with_units(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
    }


def _answer(records: Sequence[Mapping[str, Any]], kind: str) -> Answer:
    from fabric.faces.views.catalogue import model_table
    from fabric.scenario.provenance import tool_envelope

    return Answer(
        lambda: tool_envelope(kind),
        lambda: [model_table(records, MODELS.columns).only(*MODELS.shown).as_rows()],
        lambda: model_table(records, MODELS.columns),
        MODELS,
        lambda row: records[row],
    )


@command.command("list", cls=FabricCommand, takes=ANSWER, rows=(MODELS,))
@click.option("--role", type=click.Choice(list(ROLES)), help="Only models of this kind.")
@_FILES
def list_models(role: str | None, files: tuple[str, ...], settings: Settings) -> None:
    """List the models: ports, speed, power, price, and whether figures are estimates."""
    catalogue = _catalogue(files)
    sections = [ROLES[role]] if role else list(SECTIONS)
    records = [_record(section, row) for section in sections for row in getattr(catalogue, section).values()]
    emit(_answer(records, "CatalogResult"), settings)


@command.command("show", cls=FabricCommand, takes=ANSWER, rows=(MODELS,))
@click.argument("model")
@_FILES
def show_model(model: str, files: tuple[str, ...], settings: Settings) -> None:
    """Show all that is known of MODEL, by its name or its product's, with the source."""
    from fabric.faces.views.catalogue import detail_table

    section, row = _catalogue(files).find(model)
    record = _record(section, row)
    answer = _answer([record], "CatalogResult")
    emit(replace(answer, document=lambda: [detail_table(record).as_rows()]), settings)


@command.command("add", cls=FabricCommand, takes=("output",))
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--replace", "replaces", is_flag=True, help="Take the new row of a model that -o FILE has already.")
def add_models(files: tuple[str, ...], replaces: bool, settings: Settings) -> None:
    """Make rows of a catalogue from NetBox device types (or other catalogues) in FILE.

    With -o they are added to that catalogue file, which is made if there is none; a model it has already is refused
    unless --replace. Without -o the catalogue is printed.
    """
    import yaml

    from fabric.scenario.catalogue_file import read_catalogue

    there = Catalogue()
    target = None if settings.output == "-" else Path(settings.output)
    if target is not None and target.exists():
        there = read_catalogue(target, there)
    fresh = Catalogue()
    for file in files:
        fresh = read_catalogue(file, fresh)
    remember_said(list(fresh.said))
    document: dict[str, list[dict[str, Any]]] = {}
    for section in SECTIONS:
        old, new = getattr(there, section), getattr(fresh, section)
        twice = sorted(set(old) & set(new))
        if twice and not replaces:
            raise TopologyError(
                f"{target} has {twice[0]!r} already", hint="--replace takes the new row in its place", code="FP2111"
            )
        rows = {**old, **new}
        if rows:
            document[section] = [_yaml_row(row) for row in rows.values()]
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    if target is None:
        write(text, settings)
        return
    write(text, replace(settings, force=True))  # rows that are there were kept


def _yaml_row(row: CatalogueRow) -> dict[str, Any]:
    """A row as one writes it, speeds and lengths with their units."""
    return _yaml_values(row.model_dump(mode="json", exclude_none=True, exclude_defaults=True), _UNITS)


def _without_noise(value: Any) -> Any:
    """0.82 for the 0.8200000000000001 that 82% is read as."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _yaml_values(values: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    def written(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return _yaml_values(value, _INNER_UNITS)
        if isinstance(value, list):
            return [written(key, one) for one in value]
        return f"{value:.12g}{units[key]}" if key in units else _without_noise(value)

    return {key: written(key, value) for key, value in values.items()}
