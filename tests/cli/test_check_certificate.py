"""``route --certificate`` and ``check-certificate`` as scripts use them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

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


def claiming(path: Path, **claims: float) -> None:
    """Change the claims of the first phase."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(found["manifest.json"])
    manifest["phases"][0]["claims"] |= claims
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
