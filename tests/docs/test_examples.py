"""Every example validates, routes, and ends with the exit code that examples/README.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fabric.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SCENARIOS = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.fabric.yaml"))


def said_exit_codes() -> dict[str, int]:
    """Exit code of every scenario in the table of examples/README.md."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    return {name: int(code) for name, code in re.findall(r"^\| \[([^\]]+)\].*\| (\d+) \|$", text, re.MULTILINE)}


def test_every_example_is_in_the_table() -> None:
    """Nothing lies in the folder unexplained."""
    assert sorted(said_exit_codes()) == SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_example_validates_and_routes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ends of the pipeline, and the numbers agree: λ = 1/θ, no routing below its bound."""
    path = str(EXAMPLES / name)
    assert run(["validate", "--quiet", path]) == 0
    capsys.readouterr()
    assert run(["route", "--quiet", "--json", path]) == said_exit_codes()[name]
    result = json.loads(capsys.readouterr().out)
    assert result["kind"] == "RouteResult"
    assert result["routes"]
    for entry in result["routes"]:
        assert entry["throughput"] == pytest.approx(1 / entry["max_utilisation"])
        assert entry["max_utilisation"] >= entry["best_possible"]["lower_bound"] * (1 - 1e-9)
        assert entry["unreachable_pairs"] == 0


def test_the_better_rank_order_of_the_llama_example_meets_its_limits() -> None:
    """Its opening comment promises exit code 0 for the stages-first order, packed."""
    better = ["parallelism.order=tp-cp-ep-pp-dp", "placement.order=packed"]
    sets = [word for change in better for word in ("--set", f"workloads.llama3-70b.{change}")]
    assert run(["route", "--quiet", str(EXAMPLES / "llama3-70b" / "train.fabric.yaml"), *sets]) == 0


def test_the_optimum_of_abilene_is_what_its_comment_says(capsys: pytest.CaptureFixture[str]) -> None:
    """114 % by shortest paths, 74 % at best."""
    for router, expected in (("ecmp", 1.145), ("optimal", 0.739)):
        run(["route", "--quiet", "--json", "--router", router, str(EXAMPLES / "abilene.fabric.yaml")])
        (entry,) = json.loads(capsys.readouterr().out)["routes"]
        assert entry["max_utilisation"] == pytest.approx(expected, abs=5e-4)
