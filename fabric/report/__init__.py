"""One report of a routed scenario: a page that needs no network, Markdown, JSON."""

from fabric.report.content import Content, Section
from fabric.report.make import SECTIONS, make_report
from fabric.report.markdown import to_markdown
from fabric.report.page import to_page
from fabric.report.record import report_record
from fabric.report.source import ReportSource

__all__ = [
    "SECTIONS",
    "Content",
    "ReportSource",
    "Section",
    "make_report",
    "report_record",
    "to_markdown",
    "to_page",
]
