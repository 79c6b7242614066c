"""What counters measured beside the plan: drift by tier and job, the links furthest off, and what explains it."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.loads import explanation_table, load_table, sums_table
from fabric.faces.views.row_kinds import LOADS

_HOW = (
    "Both are means over many steps: counters know no peaks and no phases. Predicted is the bytes of a step over its "
    "time, and steady traffic; where flows are hashed the mean over draws, with the band that a hash may leave. Every "
    "explanation is a change of the plan, worked out anew; it explains the part of the squared difference that it "
    "takes away."
)


def measured_section(source: ReportSource) -> Section | None:
    """The comparison; nothing where nothing was read."""
    result = source.load_check
    if result is None:
        return None
    known = sum(int(fabric.rates.known.sum()) for fabric in result.fabrics)
    off = sum(int(fabric.outside.sum()) for fabric in result.fabrics)
    words = f"{off:,} of {known:,} measured links are outside of their band."
    blocks: list[Block] = [
        Words(words, "" if result.holds else "bad"),
        sums_table([one for fabric in result.fabrics for one in fabric.sums]).titled("Tiers and jobs"),
        load_table(result).only(*LOADS.shown).first(LOADS.most or 20).titled("Links furthest off"),
    ]
    reasons = [(fabric.plan.fabric, one) for fabric in result.fabrics for one in fabric.explanations]
    if reasons:
        blocks.append(explanation_table(reasons).titled("What explains it"))
    blocks += [Words(f"{text}.") for text in result.notes]
    return Section("measured", "Measured beside predicted", _HOW, tuple(blocks))


SUMMARY = "what counters said beside the plan (with --measured)"
ORDER = 75
SECTION = ReportSection(measured_section, needs_measured=True)
