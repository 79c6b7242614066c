"""One report of a routed scenario: a page that needs no network, Markdown, JSON."""

from fabric.faces.report.content import Content, Section
from fabric.faces.report.make import SECTIONS, make_report
from fabric.faces.report.markdown import to_markdown
from fabric.faces.report.page import to_page
from fabric.faces.report.record import report_record
from fabric.faces.report.source import ReportSource

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
