"""``route --certificate`` and ``check-certificate`` as scripts use them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fabric.cli.main import run
from fabric.faces.views.row_kinds import CLAIMS

SCENARIO = """\
version: 1
name: small
seed: 5
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: optimal}
workloads:
  - {id: shuffle, kind: all-to-all, size: 1 GB}
"""
PAIRS = """\
version: 1
name: pairs
nodes:
  - {group: osd, model: storage-2u-24nvme, count: 8, name: "osd{index}", nics: {main: {model: cx7-200, count: 2}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 6, host_speed: 200G, uplink_speed: 200G,
               dual_home: [osd]}
workloads:
  - {id: shuffle, kind: all-to-all, size: 1 GB}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """Four leaves of four hosts, two uplinks each: 2:1 oversubscribed, 160 % at best."""
    path = tmp_path / "small.fabric.yaml"
    path.write_text(SCENARIO)
    return str(path)


@pytest.fixture
def certificate(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """One uplink of leaf 0 is down: 4 x 100 x 12/15 Gbps over one link of 100G, 320 %."""
    path = tmp_path / "small.cert"
    assert run(["route", scenario, "--certificate", str(path), "--down", "link=leaf0:spine0", "-q"]) == 0
    capsys.readouterr()
    return path


ROUTING = "fabrics.main.routing."


def claiming(path: Path, **claims: float) -> None:
    """Change the claims of the first phase."""
    rewritten(path, lambda phase: phase["claims"].update(claims))


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the manifest says of the first phase."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(found["manifest.json"])
    change(manifest["phases"][0])
    found["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)


def test_a_certificate_that_holds_gives_exit_code_0(certificate, capsys):
    """θ and bound are both 320 %."""
    assert run(["check-certificate", str(certificate)]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("main"))
    assert row.split("\t") == ["main", "all-to-all", "optimal", *["320.0000 %"] * 4, "0.0000 %", "holds"]


def test_a_refuted_claim_gives_exit_code_1_and_its_place(certificate, capsys):
    """Half the utilisation is claimed."""
    claiming(certificate, max_utilisation=1.6)
    assert run(["check-certificate", str(certificate)]) == 1
    out = capsys.readouterr().out
    assert "refuted: main all-to-all, max_utilisation: 1.6 is claimed, " in out
    assert "has 3.2" in out


def test_a_truncated_file_gives_exit_code_3(certificate, capsys):
    """No traceback."""
    certificate.write_bytes(certificate.read_bytes()[:-100])
    assert run(["check-certificate", str(certificate)]) == 3
    assert "FP6040" in capsys.readouterr().err


def test_json_has_every_finding_and_where_the_file_is_from(certificate, scenario, capsys):
    """Claims by name, each with its verdict."""
    assert run(["check-certificate", str(certificate), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["holds"], found["seed"]) == ("CertificateCheck", True, 5)
    (phase,) = found["phases"]
    assert phase["max_utilisation_found"] == pytest.approx(3.2)
    verdicts = {finding["claim"]: finding["verdict"] for finding in phase["findings"]}
    assert verdicts == dict.fromkeys(["links", "demand", "routing", "max_utilisation", "lower_bound"], "holds")


def test_csv_has_one_row_per_phase(certificate, capsys):
    """With the columns that --columns help lists."""
    run(["check-certificate", str(certificate), "-f", "csv"])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert tuple(row) == CLAIMS.columns
    assert row["verdict"] == "holds"


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash", "optimal"])
def test_any_router_writes_what_the_check_confirms(router, tmp_path, capsys):
    """Hosts on pairs of leaves, two uplinks and one access link down."""
    scenario, path = tmp_path / "pairs.fabric.yaml", str(tmp_path / "pairs.cert")
    scenario.write_text(PAIRS)
    down = [word for link in ("leaf0:spine0", "leaf3:spine1", "osd1:leaf0") for word in ("--down", f"link={link}")]
    assert run(["route", str(scenario), "--router", router, "--certificate", path, "-q", *down]) == 0
    assert run(["check-certificate", path]) == 0
    assert "\tholds\n" in capsys.readouterr().out


def test_a_certificate_is_not_overwritten_unless_forced(certificate, scenario, capsys):
    """And the refusal comes before the work."""
    before = certificate.read_bytes()
    assert run(["route", scenario, "--certificate", str(certificate)]) == 2
    assert "--force overwrites it" in capsys.readouterr().err
    assert certificate.read_bytes() == before
    assert run(["route", scenario, "--certificate", str(certificate), "--force"]) == 0
    assert certificate.read_bytes() != before


def test_a_folder_that_does_not_exist_is_a_bad_command_line(scenario, tmp_path, capsys):
    """The flag is named."""
    assert run(["route", scenario, "--certificate", str(tmp_path / "none" / "c.cert")]) == 2
    assert "--certificate" in capsys.readouterr().err


def test_a_comparison_has_no_certificate(scenario, tmp_path, capsys):
    """A certificate is of one routing."""
    assert run(["route", scenario, "--router", "all", "--certificate", str(tmp_path / "c.cert")]) == 2
    assert "one router" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("objective", "unit"),
    [("max-throughput", "Gb/s"), ("max-min-fair", "ratio"), ("min-cost", "weight x Gb/s")],
)
def test_other_objectives_are_shown_with_value_and_bound(objective, unit, scenario, tmp_path, capsys):
    """A line for people, keys of the phase in JSON, columns in CSV; none of them where θ is the objective."""
    path = str(tmp_path / "c.cert")
    sets = [
        word for text in (f"objective={objective}", "target_utilisation=4") for word in ("--set", f"{ROUTING}{text}")
    ]
    assert run(["route", scenario, "--certificate", path, "-q", *sets]) == 0
    capsys.readouterr()
    assert run(["check-certificate", path]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if f", {objective}: " in line)
    assert f" {unit} claimed, " in line
    assert "value: holds, bound: holds" in line
    assert ("no link above 400.0000 %" in line) == (objective == "min-cost")
    assert run(["check-certificate", path, "--json"]) == 0
    (phase,) = json.loads(capsys.readouterr().out)["phases"]
    assert (phase["objective"], phase["objective_unit"]) == (objective, unit)
    assert phase["objective_value_found"] == pytest.approx(phase["objective_value_claimed"], rel=1e-6)
    assert phase["objective_bound_found"] == pytest.approx(phase["objective_value_found"], rel=1e-4)
    run(["check-certificate", path, "-f", "csv"])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row["objective_value_found"]) == phase["objective_value_found"]
    assert (row["levels_gap_found"] != "") == (objective == "max-min-fair")


def test_a_wrong_value_of_an_objective_is_shown_beside_the_one_found(scenario, tmp_path, capsys):
    """Twice the throughput is claimed."""
    path = tmp_path / "c.cert"
    run(["route", scenario, "--certificate", str(path), "-q", "--set", f"{ROUTING}objective=max-throughput"])
    with zipfile.ZipFile(path) as archive:
        value = json.loads(archive.read("manifest.json"))["phases"][0]["objective_claims"]["value"]
    rewritten(path, lambda phase: phase["objective_claims"].update(value=2 * value))
    capsys.readouterr()
    assert run(["check-certificate", str(path)]) == 1
    assert f"throughput {2 * value:,.7g} Gb/s claimed, {value:,.7g} found" in capsys.readouterr().out
