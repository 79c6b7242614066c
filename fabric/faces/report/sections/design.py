"""What the scenario was chosen from: designs side by side, the proof, prices that would change the choice."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.design import conflict_table, design_table, proof_text
from fabric.faces.views.row_kinds import DESIGNS

_HOW = (
    "Designs of all families are counted exactly and ranked by the objective; the best of every family is built, "
    "checked port for port, routed with the jobs and failed, and none is shown that did not hold. The bound is proved: "
    "no design that meets the requirement is below it. Cost is that of switches, licences, optics and cables; NICs and "
    "servers are the same in all. A flip is the price of one part at which another design costs as little, all other "
    "prices kept."
)


def design_section(source: ReportSource) -> Section | None:
    """The choice; nothing where none was given."""
    saved = source.design
    if saved is None:
        return None
    result = saved.result
    blocks: list[Block] = []
    if result.designs:
        shown = ("name", *(name for name in DESIGNS.shown if name != "name"))
        blocks.append(design_table(result.designs).only(*shown).titled("Designs side by side"))
    blocks.append(Words(f"{proof_text(result, saved.unit)}.", "" if result.designs else "bad"))
    if result.conflict:
        blocks.append(conflict_table(result.conflict).titled("Wishes that conflict"))
    blocks += [Words(f"{design.name}: {design.why_not}.") for design in result.designs if design.why_not]
    blocks += [Words(f"{text}.") for text in result.flips]
    blocks += [Words(f"Not offered: {text}.") for text in result.rejected]
    blocks += [Words(f"{text}.") for text in (*result.notes, *(f"Not said, taken: {one}" for one in result.defaults))]
    return Section("design", "What it was chosen from", _HOW, tuple(blocks))


SUMMARY = "what the scenario was chosen from (with --design)"
ORDER = 25
SECTION = ReportSection(design_section, needs_design=True)
