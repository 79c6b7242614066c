"""What was modelled: assumptions with the keys that override them, inputs with their hashes, versions, seed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.provenance import assumption_table, file_table, pair_table
from fabric.scenario.provenance import MODEL, envelope
from fabric.scenario.schema import not_yet_modelled

_HOW = (
    "Loads are offered loads of a fluid model: what sources want to send, spread over the links as the router does, "
    "before congestion control. They may exceed 100 %. The volumes of a phase become rates by its ideal window, the "
    "time that its busiest endpoint needs at line rate. Defaults that the scenario does not set are listed as "
    "assumptions. Same files, same overrides, same seed and same versions give the same numbers."
)
_LIBRARIES = ("numpy", "scipy", "numba", "ortools")


def model_section(source: ReportSource) -> Section:
    """Model, assumptions, inputs and versions."""
    loaded, result = source.loaded, source.result
    head = envelope("Report", loaded)
    blocks: list[Block] = [
        assumption_table(result.assumptions),
    ]
    if loaded.scenario.description:
        blocks.insert(0, Words(loaded.scenario.description))
    ignored = not_yet_modelled(loaded.scenario)
    if ignored:
        blocks.append(Words(f"Given, and not yet modelled: {', '.join(ignored)}.", "warn"))
    blocks.append(file_table(loaded))
    changed = [(f"--set {entry['set']}", str(entry["value"])) for entry in head["overrides"]]
    changed += [("--down", text) for text in source.request.down] + [("--up", text) for text in source.request.up]
    changed += [("--slow", text) for text in source.request.slow]
    if changed:
        blocks.append(pair_table(changed, ("what", "value"), "Changed on the command line"))
    versions = [
        ("seed", str(loaded.scenario.seed)),
        ("model", f"{MODEL['name']} v{MODEL['version']}"),
        (head["tool"]["name"], head["tool"]["version"]),
        ("Python", python_version()),
        *((name, _version(name)) for name in _LIBRARIES),
    ]
    blocks.append(pair_table(versions, ("what", "is"), "Seed and versions"))
    return Section("model", "What was modelled", _HOW, tuple(blocks))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


SUMMARY = "what was modelled: assumptions, inputs, versions, seed"
ORDER = 20
SECTION = ReportSection(model_section)
