"""What a section of the report is: one question, answered from a routed scenario.

One file of ``fabric/faces/report/sections/`` is one section; its name is the anchor, and it declares ``SUMMARY``,
``ORDER`` (the place in the report) and ``SECTION``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from topologies.plugin_folder import PluginFolder

if TYPE_CHECKING:
    from fabric.faces.report.content import Section
    from fabric.faces.report.source import ReportSource


@dataclass(frozen=True)
class ReportSection:
    """How a section is made: ``make`` gives None where there is nothing to say.

    That is so of those with ``needs_base`` without ``--base``, of those with ``needs_failures`` without a sweep, of
    those with ``needs_design`` without ``--design``, and of those with ``needs_measured`` without ``--measured``.
    """

    make: Callable[[ReportSource], Section | None]
    needs_base: bool = False
    needs_failures: bool = False
    needs_design: bool = False
    needs_measured: bool = False


SECTIONS = PluginFolder("section", "fabric.faces.report.sections", "SECTION", ReportSection)
