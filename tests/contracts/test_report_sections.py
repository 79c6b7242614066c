"""What every section of the report promises: HTML, Markdown and JSON with the same title; alone or among the others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chosen_design import write_design
from made_sweep import sweep

from fabric.cli.main import run
from fabric.faces.report.content import Folded
from fabric.faces.report.make import check_sections, make_report
from fabric.faces.report.markdown import escape, to_markdown
from fabric.faces.report.page import to_page
from fabric.faces.report.record import report_record
from fabric.faces.report.section import SECTIONS
from fabric.faces.report.source import ReportSource
from fabric.operate.load_check.check import check_loads
from fabric.operate.load_check.sources import LoadSource
from fabric.output.table import Table
from fabric.pipeline.run import run_scenario
from fabric.saved.design_file import open_design
from fabric.scenario.load import load_scenario
from topologies.errors import ScenarioError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quickstart.fabric.yaml"
TENANTS = "tenants=[{name: all-hosts, members: hosts}]"  # one tenant, so that there is something to say of tenants
# A second job over the links of the first, so that there is something to say of jobs that share them.
JOBS = (
    "workloads=[{id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}, "
    "{id: copy, kind: permutation, members: hosts, size: 1 GiB}]"
)
EVERY = pytest.mark.parametrize("name", SECTIONS.names())


def routed(overrides: list[str]) -> ReportSource:
    """The example, routed."""
    loaded = load_scenario(str(EXAMPLE), overrides=[TENANTS, JOBS, *overrides])
    return ReportSource(run_scenario(loaded, given=str(EXAMPLE)))


def loads_file(folder: Path) -> Path:
    """Two links of the example, far below what the plan says."""
    file = folder / "loads.csv"
    file.write_text("link,gbps\nleaf0 -> spine0 #1,3\nspine0 -> leaf0 #1,4\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ReportSource:
    """With a base that differs from it, a sweep and a design, so that every section has something to say."""
    design = open_design(str(write_design(tmp_path_factory.mktemp("design"))))
    plain, base = routed([]), routed(["workloads.shuffle.size=2 GiB"])
    file = loads_file(tmp_path_factory.mktemp("measured"))
    checked = check_loads(plain.run, LoadSource("csv", str(file)), tolerance=0.1, load=lambda _: plain.run)
    return replace(plain, base=base, failures=sweep(), design=design, load_check=checked)


@EVERY
def test_it_can_be_asked_for_alone(name, source):
    """One section, under the name of its file."""
    (section,) = make_report(source, [name]).sections
    assert section.anchor == name
    assert section.title
    assert section.how.endswith(".")
    assert section.blocks


@EVERY
def test_it_is_in_the_whole_report_at_its_place(name, source):
    """In the order that the files declare."""
    anchors = [section.anchor for section in make_report(source).sections]
    assert name in anchors
    assert anchors == [anchor for anchor in SECTIONS if anchor in anchors]


@EVERY
def test_it_renders_as_page_as_markdown_and_as_record(name, source):
    """The same title in each; every table of the record has the rows that people see."""
    content = make_report(source, [name])
    (section,) = content.sections
    page, markdown, record = to_page(content), to_markdown(content), report_record(source, content)
    assert f'id="{name}"' in page
    assert section.title in page
    assert escape(section.title) in markdown
    json.dumps(record, allow_nan=False)
    (written,) = record["sections"]
    assert (written["anchor"], written["title"], len(written["blocks"])) == (name, section.title, len(section.blocks))
    for block, plain in zip(section.blocks, written["blocks"], strict=True):
        table = block.table if isinstance(block, Folded) else block
        if isinstance(table, Table):
            assert len(plain["rows"]) == len(table)
            assert len(set(plain["columns"])) == len(plain["columns"]), "two columns with one key"


@EVERY
def test_the_command_writes_it_alone(name, tmp_path, capsys):
    """``--sections NAME``, in JSON and Markdown."""
    needed = ["--base", str(EXAMPLE)] if SECTIONS[name].needs_base else []
    needed += ["--failures"] if SECTIONS[name].needs_failures else []
    needed += ["--design", str(write_design(tmp_path))] if SECTIONS[name].needs_design else []
    needed += ["--measured", f"csv:{loads_file(tmp_path)}"] if SECTIONS[name].needs_measured else []
    assert (
        run(["report", str(EXAMPLE), "--sections", name, "--json", "-q", "--set", TENANTS, "--set", JOBS, *needed]) == 0
    )
    assert [section["anchor"] for section in json.loads(capsys.readouterr().out)["sections"]] == [name]


@EVERY
def test_a_section_that_needs_more_is_refused_without(name):
    """A base (FP9201), a sweep (FP9202), a design (FP9203), measurements (FP9204); others do not ask for one."""
    section = SECTIONS[name]
    needs = {
        "FP9201": section.needs_base,
        "FP9202": section.needs_failures,
        "FP9203": section.needs_design,
        "FP9204": section.needs_measured,
    }
    given = {
        "based": section.needs_base,
        "swept": section.needs_failures,
        "designed": section.needs_design,
        "measured": section.needs_measured,
    }
    assert check_sections([name], **given) == [name]
    if not any(needs.values()):
        assert check_sections([name], based=False, swept=False, designed=False, measured=False) == [name]
        return
    with pytest.raises(ScenarioError, match=r"none (is|are) given|no sweep is asked for|no design is given") as caught:
        check_sections([name], based=False, swept=False, designed=False, measured=False)
    assert [caught.value.problems[0].code] == [code for code, needed in needs.items() if needed]
