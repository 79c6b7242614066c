"""``fabric export``: folders whole or not at all, the same bytes, tables that fit, names that cannot do harm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_cases import SCENARIOS, exported, planned_rules, scenario_file

from fabric.cli.main import run
from fabric.rules.dialect import File
from fabric.rules.errors import RuleError
from fabric.rules.folder import write_folder
from fabric.rules.safe_names import safe_names


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_exports_are_the_same_bytes(tmp_path):
    """One scenario, one seed."""
    _, first = exported(tmp_path, "dual-homed", "--router", "wcmp", out="a")
    _, second = exported(tmp_path, "dual-homed", "--router", "wcmp", out="b")
    assert contents(first) == contents(second)


def test_an_existing_folder_is_kept_unless_forced(tmp_path, capsys):
    """And only an export is ever replaced."""
    scenario, folder = exported(tmp_path, "fat-tree")
    before = contents(folder)
    assert run(["export", "openflow", str(scenario), "-o", str(folder)]) == 3
    assert "--force replaces it" in capsys.readouterr().err
    assert contents(folder) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert run(["export", "openflow", str(scenario), "-o", str(tmp_path / "mine"), "--force"]) == 3
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_a_failure_on_the_way_leaves_nothing(tmp_path):
    """Neither a folder nor what was written beside it, and the old one stays."""
    write_folder(tmp_path / "out", [File("manifest.json", "{}")], force=False)

    def files():
        yield File("manifest.json", "new")
        raise RuleError("no")

    with pytest.raises(RuleError):
        write_folder(tmp_path / "out", files(), force=True)
    found = contents(tmp_path)
    assert found.pop("out/files.json")  # the list of them
    assert found == {"out/manifest.json": b"{}"}


def test_tables_that_do_not_fit_are_refused_with_the_numbers(tmp_path, capsys):
    """An edge switch of a k = 4 fat tree has 5 rules and one group of two members."""
    scenario = scenario_file(tmp_path, "fat-tree")
    for flag, words in (("--max-rules", "5 rules and has 4"), ("--max-groups", "1 groups and has 0")):
        limit = words.rsplit(" ", 1)[1]
        assert run(["export", "openflow", str(scenario), "-o", str(tmp_path / "x"), flag, limit]) == 3
        assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    flags = ["--max-rules", "4", "--allow-overflow"]
    assert run(["export", "openflow", str(scenario), "-o", str(tmp_path / "x"), *flags]) == 0


def test_a_small_member_budget_coarsens_groups_and_says_what_it_costs(tmp_path):
    """Three ways of a third take 128 units of slots within 1 %; four such groups in 64 have 16 each, 6 : 5 : 5."""
    down = ("link=leaf0:spine0#1",)
    fine = planned_rules(tmp_path, "leaf-spine", "wcmp", down=down)
    coarse = planned_rules(tmp_path, "leaf-spine", "wcmp", down=down, members=64)
    assert coarse.programme.oversubscription > fine.programme.oversubscription
    assert not coarse.overflows


@pytest.mark.parametrize("name", SCENARIOS)
def test_as_programmed_is_what_the_export_says(tmp_path, name):
    """Router as-programmed of ``fabric route`` and the loads of the export agree, link by link."""
    from fabric.pipeline.run import route
    from fabric.request import RouteRequest
    from fabric.scenario.load import load_scenario

    made = planned_rules(tmp_path, name, "wcmp", down=("link=leaf0:spine0",) if "leaf" in name else ())
    loaded = load_scenario(str(scenario_file(tmp_path, name)), overrides=["fabrics.main.routing.router=wcmp"])
    request = RouteRequest(router="as-programmed", down=("link=leaf0:spine0",) if "leaf" in name else ())
    routed = route(loaded, request).routes[0]
    np.testing.assert_allclose(routed.link_gbps.sum(axis=1), made.programmed_gbps, atol=1e-6)


def test_routers_that_tables_cannot_carry_are_refused(tmp_path, capsys):
    """Valiant chooses by source."""
    scenario = scenario_file(tmp_path, "fat-tree")
    assert run(["export", "openflow", str(scenario), "--router", "valiant", "-o", str(tmp_path / "x")]) == 3
    assert "chooses paths by source" in capsys.readouterr().err


def test_a_fabric_without_traffic_has_tables(tmp_path):
    """They lead everywhere all the same."""
    path = tmp_path / "bare.fabric.yaml"
    path.write_text(SCENARIOS["fat-tree"].split("workloads:")[0])
    assert run(["export", "openflow", str(path), "-o", str(tmp_path / "out"), "-q"]) == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["phase"] is None
    assert run(["verify", "rules", str(path), str(tmp_path / "out")]) == 0


def test_addresses_are_printed_in_every_form(tmp_path, capsys):
    """16 hosts, 20 loopbacks, both ends of 32 links between switches."""
    scenario = scenario_file(tmp_path, "fat-tree")
    assert run(["export", "addresses", str(scenario), "-f", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 16 + 20 + 64
    assert run(["export", "addresses", str(scenario), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["ipv4"] == "10.64.0.2"


nasty = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=40
) | st.sampled_from(
    ["a\nb", "$(reboot)", "`x`", "a b", "..", "../../x", "-rf", "a,b=c", "'", '"', "\\", "a/b", "é" * 90]
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(nasty, max_size=12, unique=True))
def test_safe_names_are_safe_and_unique(names):
    """Few characters, bounded, no dots in front, one for each; the same name gets the same."""
    found = safe_names(names)
    assert len(set(found)) == len(names)
    for name in found:
        assert 1 <= len(name) <= 63
        assert all(sign.isascii() and (sign.isalnum() or sign in "_.-") for sign in name)
        assert name[0].isalnum()
    assert safe_names([*names, *names]) == [*found, *found]


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    hostile=st.lists(
        nasty.filter(lambda text: text.strip() == text and text.isprintable()), min_size=3, max_size=3, unique=True
    )
)
def test_no_name_reaches_a_generated_file_unescaped(tmp_path, hostile):
    """Routers of a repetita file with such names: every line of every file is one that we write."""
    words = [name.replace(" ", "_") for name in hostile]
    if len(set(words)) < 3:
        return
    cables = tmp_path / "net.json"
    scenario = tmp_path / "n.fabric.yaml"
    rows = [{"src": words[0], "dst": words[1]}, {"src": words[1], "dst": words[2]}]
    lines = ["a,b,gbps"] + [f'"{row["src"]}","{row["dst"]}",100' for row in rows]
    cables = tmp_path / "net.csv"
    cables.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scenario.write_text(
        yaml.safe_dump({"version": 1, "name": "n", "fabrics": {"main": {"topology": {
            "kind": "file", "format": "csv", "path": "net.csv"}}}}), encoding="utf-8",
    )  # fmt: skip
    target = tmp_path / "out"
    code = run(["export", "openflow", str(scenario), "-o", str(target), "-q", "--force"])
    if code == 3:
        return  # the format refuses the name
    for path in target.rglob("*"):
        assert path.resolve().is_relative_to(target.resolve())
    for path in (target / "switches").glob("*.flows"):
        assert all(line.startswith("cookie=0xfa0") for line in path.read_text().splitlines())
    assert subprocess.run(["sh", "-n", str(target / "load.sh")], check=False).returncode == 0
