"""What was modelled: assumptions with the keys that override them, inputs with their hashes, versions, seed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from fabric.faces.report.content import Block, Section, Words, as_table
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
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
        as_table(
            "Assumptions, and the key that overrides each",
            (("id", "id"), ("assumption", "text"), ("override", "override")),
            [(entry.id, entry.text, entry.override) for entry in result.assumptions],
        )
    ]
    ignored = [*not_yet_modelled(loaded.scenario), *result.not_modelled]
    if ignored:
        blocks.append(Words(f"Given, and not yet modelled: {', '.join(ignored)}.", "warn"))
    blocks.append(
        as_table(
            "Files, and the hash of what was read",
            (("file", "path"), ("SHA-256", "sha256")),
            [(file.path, file.sha256) for file in loaded.inputs],
        )
    )
    changed = [(f"--set {entry['set']}", str(entry["value"])) for entry in head["overrides"]]
    changed += [("--down", text) for text in source.request.down] + [("--up", text) for text in source.request.up]
    if changed:
        blocks.append(as_table("Changed on the command line", (("what", "what"), ("value", "value")), changed))
    versions = [
        ("seed", str(loaded.scenario.seed)),
        ("model", f"{MODEL['name']} v{MODEL['version']}"),
        (head["tool"]["name"], head["tool"]["version"]),
        ("Python", python_version()),
        *((name, _version(name)) for name in _LIBRARIES),
    ]
    blocks.append(as_table("Seed and versions", (("what", "what"), ("is", "is")), versions))
    return Section("model", "What was modelled", _HOW, tuple(blocks))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


SUMMARY = "what was modelled: assumptions, inputs, versions, seed"
ORDER = 20
SECTION = ReportSection(model_section)
