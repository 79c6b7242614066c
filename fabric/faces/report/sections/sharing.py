"""Jobs that share links: who slows whom."""

from __future__ import annotations

from fabric.evaluation.shared_links import sharing_warning
from fabric.faces.report.content import Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.interference import MATRIX_MOST, sharing_table, slowdown_matrix
from topologies.errors import FabricError

_TITLE = "Jobs that share links"
_HOW = (
    "A slowdown is a job's step beside others over its step alone, by weighted max-min shares of full links, run event "
    "by event over all phases of the steps against each other. Two jobs: the mean, the slowest and the quickest step; "
    "all others: long runs from phases drawn at random. 1: not slowed."
)


def sharing_section(source: ReportSource) -> Section | None:
    """The matrix and the pairs; nothing where no jobs share links, or the routes are not at hand."""
    if source.saved or not sharing_warning(source.result.routes):
        return None
    jobs = len(source.loaded.scenario.workloads)
    if jobs > MATRIX_MOST:
        return Section("sharing", _TITLE, _HOW, (Words(f"{jobs:,} jobs: fabric interference says who slows whom."),))
    from fabric.share.interference.interference import InterferenceRequest, interference

    try:
        result = interference(source.run, InterferenceRequest(shifts=False))
    except FabricError as error:
        return Section("sharing", _TITLE, _HOW, (Words(error.problems[0].message, "warn"),))
    notes = [Words(f"{note}.") for note in result.notes]
    return Section("sharing", _TITLE, _HOW, (slowdown_matrix(result), sharing_table(result), *notes))


SUMMARY = "who slows whom where jobs share links"
ORDER = 65
SECTION = ReportSection(sharing_section)
