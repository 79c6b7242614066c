"""``fabric expect`` as people and programs meet it: text, JSON, CSV, the picture, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from gpu_scenario import SCENARIO

from fabric.cli.main import run
from fabric.notebook import expected
from fabric.notebook import run as routed

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """The scenario as a file."""
    path = tmp_path / "rails.fabric.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> str:
    """Standard output of a command that ends so."""
    assert run(list(command)) == code, capsys.readouterr().err
    return capsys.readouterr().out


def test_json_is_the_contract(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys of the tests, of their rows and of the rates, with units in their names."""
    record = json.loads(answer(capsys, "expect", scenario, "--collective", "all-reduce,alltoall", "--json", "-q"))
    assert record["kind"] == "ExpectResult"
    assert record["check"] is None
    assert (record["percentile"], record["margin"]) == (5.0, 0.05)
    assert [test["collective"] for test in record["tests"]] == ["all-reduce", "all-to-all"]
    for test in record["tests"]:
        assert {"collective", "algorithm", "ranks", "fabric", "rows"} <= set(test)
        assert (test["ranks"], test["hosts"], test["fabric"]) == (64, 8, "main")
        assert [row["size_bytes"] for row in test["rows"]] == [2**exponent for exponent in range(20, 35)]
        for row in test["rows"]:
            rates = [row[name] for name in ("ideal", "expected", "p5", "p95")]
            assert all(set(rate) == {"time_s", "algbw_gbytes_per_s", "busbw_gbytes_per_s"} for rate in rates)
            for rate in rates:
                assert rate["algbw_gbytes_per_s"] == pytest.approx(row["size_bytes"] / 1e9 / rate["time_s"])
            assert row["pass_mark_busbw_gbytes_per_s"] == pytest.approx(row["p5"]["busbw_gbytes_per_s"] * 0.95)
    assert record["items"][0]["expected_busbw_gbytes_per_s"] == pytest.approx(
        record["tests"][0]["rows"][0]["expected"]["busbw_gbytes_per_s"]
    )
    assert {entry["override"] for entry in record["assumptions"]} >= {"fabrics.main.efficiency", "--beside"}


def test_csv_has_a_row_per_test_and_size(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the columns that nccl-tests prints, and row flags as everywhere."""
    text = answer(capsys, "expect", scenario, "--collective", "all", "--sizes", "1M:1G:32", "-f", "csv", "-q")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 7 * 3
    assert {row["type"] for row in rows} == {"float"}
    reducing = {row["collective"] for row in rows if row["redop"] == "sum"}
    assert reducing == {"all-reduce", "reduce-scatter", "reduce"}
    gathered = next(row for row in rows if row["collective"] == "all-gather")
    assert int(gathered["count"]) * 64 * 4 == int(gathered["size_bytes"]) == 2**20
    one = answer(
        capsys, "expect", scenario, "-q", "-f", "csv", "--where", "size_bytes > 9e9",
        "--columns", "size_bytes,pass_mark_busbw_gbytes_per_s",
    )  # fmt: skip
    assert len(one.splitlines()) == 2


def test_text_has_the_table_of_nccl_tests_and_the_mark(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Size, count, type, operation and root stand first; below it what to sign, with percentile and margin."""
    text = answer(capsys, "expect", scenario, "--sizes", "1G", "--percentile", "p10", "--margin", "8%", "-q")
    headers = next(line for line in text.splitlines() if line.startswith("size (B)")).split("\t")
    assert headers[:5] == ["size (B)", "count", "type", "redop", "root"]
    assert "p10 of the bus bandwidth less 8.0 %" in text
    assert re.search(r"^1073741824\t268435456\tfloat\tsum\t-1\t", text, re.MULTILINE)
    assert "64 ranks (all 64 GPUs of gpu, packed) on 8 hosts" in text


def test_the_curve_is_drawn(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A point per size and test, the band, and lines of expected, ideal and mark; nothing from elsewhere."""
    path = tmp_path / "busbw.svg"
    answer(capsys, "expect", scenario, "--collective", "all-reduce,all-gather", "-o", str(path))
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    points = [shape for shape in root.iter(f"{SVG}circle") if shape.find(f"{SVG}title") is not None]
    assert len(points) == 2 * 15
    assert len(list(root.iter(f"{SVG}polygon"))) == 2 + 1
    assert len(list(root.iter(f"{SVG}polyline"))) == 2 * 3 + 3
    heights = [float(point.get("cy", "nan")) for point in points[:15]]
    assert heights == sorted(heights, reverse=True), "bandwidth grows with the size, upwards"
    assert "href" not in path.read_text(encoding="utf-8")
    assert run(["expect", scenario, "-o", str(path)]) == 2, "nothing is overwritten unless forced"
    assert run(["expect", scenario, "-o", str(tmp_path / "busbw.png")]) == 3
    assert "end the file with .svg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code", "text"),
    [
        (["--sizes", "1Mb"], 2, "unknown unit 'Mb'"),
        (["--sizes", "4G:1M"], 2, "goes from 4G down to 1M"),
        (["--percentile", "p0"], 2, "is not a percentile"),
        (["--percentile", "median"], 2, "is not a percentile"),
        (["--margin", "100%"], 2, "leaves nothing"),
        (["--margin", "5"], 2, "leaves nothing"),
        (["--placement", "scattered,seed"], 2, "is not KEY=VALUE"),
        (["--job", "shuffle", "--group", "gpu"], 2, "--group does nothing"),
        (["--job", "shuffle"], 3, "has no ranks"),
        (["--ranks", "1"], 2, "not in the range"),
        (["--ranks", "100"], 3, "64 in all"),
        (["--collective", "gossip"], 3, "unknown collective 'gossip'"),
        (["--down", "role=spine"], 4, "have no path on main"),
    ],
)
def test_what_is_wrong_is_said_with_its_exit_code(
    scenario: str, flags: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """2: the command line; 3: what it asks for; 4: ranks that do not reach each other."""
    assert run(["expect", scenario, "--sizes", "1G", *flags]) == code
    assert text in capsys.readouterr().err


def test_fewer_spines_and_other_routers_change_the_answer(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the spines carry less; spraying does not collide."""

    def median(*flags: str) -> float:
        flags = ("--placement", "scattered,seed=3", "--algorithm", "ring", "--sizes", "16G", *flags)
        record: dict[str, Any] = json.loads(answer(capsys, "expect", scenario, "--json", "-q", *flags))
        rate: float = record["tests"][0]["rows"][0]["expected"]["busbw_gbytes_per_s"]
        return rate

    hashed = median()
    assert median("--down", "spine0", "--down", "spine1") < hashed < median("--router", "spray")


def test_a_notebook_has_the_same_rows(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a file, and of a run with what is down there."""
    text = answer(capsys, "expect", scenario, "--sizes", "1G:4G", "--down", "spine0", "-f", "csv", "-q")
    marks = [float(row["pass_mark_busbw_gbytes_per_s"]) for row in csv.DictReader(io.StringIO(text))]
    assert expected(scenario, sizes="1G:4G", down=["spine0"])["pass_mark_busbw_gbytes_per_s"] == pytest.approx(marks)
    of_run = routed(scenario, down=["spine0"]).expect(sizes="1G:4G")
    assert of_run["pass_mark_busbw_gbytes_per_s"] == pytest.approx(marks)
