"""Explanations: the figures of the routing itself, chance against counting, fixes against routing."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.evaluation.hash_imbalance import chance, hash_imbalance_of
from fabric.evaluation.link_flows import link_flows
from fabric.faces.explain.codes import meaning
from fabric.faces.explain.explain import explain, find_target
from fabric.pipeline.run import Run, route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.whatif.suggestions import is_quick, needs_help, suggest
from topologies.errors import FabricError

QUICKSTART = "examples/quickstart.fabric.yaml"
TRAIN = "examples/train-2k.fabric.yaml"


@pytest.fixture(scope="module")
def train() -> tuple[LoadedScenario, RouteResult]:
    """The 2,048-GPU example, routed in the one draw of its seed."""
    loaded = load_scenario(
        TRAIN, overrides=[f"fabrics.{name}.routing.hash.replicas=1" for name in ("backend", "storage")]
    )
    return loaded, route(loaded)


@pytest.mark.parametrize(("choices", "dealt", "here"), [(2, 3, 2), (3, 4, 2), (4, 5, 3), (2, 6, 0)])
def test_chance_is_that_of_counting_all_outcomes(choices: int, dealt: int, here: int) -> None:
    """Every way to deal the flows onto the links, counted."""
    ways = [outcome.count(0) >= here for outcome in product(range(choices), repeat=dealt)]
    assert chance(choices, dealt, here, 1).probability == pytest.approx(sum(ways) / len(ways))


def test_chance_over_seeds_agrees_with_drawing_them(train: tuple[LoadedScenario, RouteResult]) -> None:
    """Of 2,048 up-links, the share that drew at least 7 of about 3.6 flows is the binomial tail."""
    _, result = train
    entry = next(entry for entry in result.routes if entry.phase == "dp.reduce_scatter")
    topology = entry.topology
    level = topology.nodes.level
    up = np.flatnonzero(
        (topology.links.tier == topology.tiers.index("leaf-spine"))
        & (level[topology.links.dst] > level[topology.links.src])
    )
    flows = entry.link_gbps[up].sum(axis=1) / 100
    dealt = round(flows.sum() / 64)
    drawn = float((flows > 6.5).mean())
    assert drawn == pytest.approx(chance(32, dealt, 7, 1).probability, rel=0.25)


def test_a_hot_up_link_of_hashing_is_hash_imbalance(train: tuple[LoadedScenario, RouteResult]) -> None:
    """The mean fits (87 %), one of 2,048 links at 250 % is nearly certain; flows dealt are those of its leaf."""
    _, result = train
    entry = next(entry for entry in result.routes if entry.phase == "dp.reduce_scatter")
    place = find_target(result, "su3-r7-leaf->spine14", phase="dp.reduce_scatter")
    imbalance = hash_imbalance_of(entry, link_flows(entry, place.link))
    assert imbalance is not None
    assert imbalance.choices == 32
    assert imbalance.here == 10
    assert imbalance.is_likely


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("su6-r1-leaf->spine18", "link"),
        ("su6-r1-leaf -> spine18", "link"),
        ("su6-r1-leaf:spine18", "link"),
        ("su6-r1-leaf:port40", "link"),
        ("spine07", "switch"),
        ("llama70b", "job"),
        ("phase:dp.reduce_scatter", "phase"),
        ("dp.all_gather", "phase"),
        ("L1", "limit"),
    ],
)
def test_every_way_to_name_something_finds_it(text: str, kind: str, train: tuple[LoadedScenario, RouteResult]) -> None:
    """And its explanation has facts that JSON can hold."""
    loaded, result = train
    place = find_target(result, text)
    assert place.kind == kind
    found = explain(Run(loaded, RouteRequest(), result), place)
    json.dumps(found.facts, default=str)
    assert found.document
    assert found.suggestions


def test_an_unknown_target_names_the_nearest(train: tuple[LoadedScenario, RouteResult]) -> None:
    """spine7 for spine07."""
    with pytest.raises(FabricError, match="is not a link") as caught:
        find_target(train[1], "spine77")
    assert "did you mean 'spine" in caught.value.problems[0].hint


def test_a_former_name_is_answered_with_the_present_one() -> None:
    """The recorded training case leaves names to the builder: the leaf of unit 0 and rail 1, alone and as an end."""
    result = route(load_scenario("tests/golden/cases/training.fabric.yaml"))
    for text in ("su0-r1-leaf", "su0-r1-leaf->spine0"):
        with pytest.raises(FabricError, match="is not a link") as caught:
            find_target(result, text)
        assert caught.value.problems[0].hint == "leaf names follow one rule now: su0-r1-leaf is unit0/leaf1"


def test_the_fixes_are_routed_not_guessed(train: tuple[LoadedScenario, RouteResult]) -> None:
    """Each command, run, gives the maximum, the links over and the step that the suggestion says."""
    loaded, result = train
    fixes = suggest(Run(loaded, RouteRequest(), result))
    assert len(fixes) >= 3
    for fix in fixes:
        overrides = [word.removeprefix("--set=") for word in fix.command.split() if word.startswith("--set=")]
        now = route(load_scenario(TRAIN, overrides=overrides))
        on = {name: [entry for entry in now.routes if (entry.fabric == fix.fabric) is name] for name in (True, False)}
        assert fix.max_after == max(entry.max_utilisation for entry in on[True])
        assert fix.over_after == max(entry.links_over_capacity for entry in on[True])
        assert fix.rest == max(entry.max_utilisation for entry in on[False])
        assert fix.step_after_s == now.jobs[0].step_time_s
        before = max(entry.max_utilisation for entry in result.routes if entry.fabric == fix.fabric)
        assert fix.max_before == before  # of the same fabric, not the worst of all
    ranks = [(fix.is_bound, fix.limits_failed_after, round(fix.max_after, 9)) for fix in fixes]
    assert ranks == sorted(ranks)


def test_a_perfect_split_is_a_bound_and_no_cure(tmp_path: Path) -> None:
    """Spray, wcmp and optimal say what balance could reach, under a name of their own in text and JSON."""
    for name in ("x.txt", "x.json"):
        run(["route", TRAIN, "-o", str(tmp_path / name)])
    record, text = json.loads((tmp_path / "x.json").read_text()), (tmp_path / "x.txt").read_text()
    assert {row["basis"] for row in record["suggestions"]} == {"routed"}
    assert {row["basis"] for row in record["bounds"]} == {"bound"}
    assert {row["text"].split()[1] for row in record["bounds"]} == {"spray", "wcmp"}
    cures = text.partition("try, each alone")[2].partition("bound, not a cure")[0]
    assert "spray" not in cures
    assert "wcmp" not in cures
    assert all(f"{row['on']}: max offered" in text for row in record["bounds"])
    left = next(row["rest"] for row in record["suggestions"] if row["on"] == "backend")
    assert f"{100 * left:.1f} % on storage remains" in cures


def test_what_happens_without_a_switch_is_routed(train: tuple[LoadedScenario, RouteResult]) -> None:
    """explain spine07: the figures of --down spine07."""
    loaded, result = train
    found = explain(Run(loaded, RouteRequest(), result), find_target(result, "spine07"))
    gone = route(loaded, RouteRequest(down=("spine07",)))
    rows = {row["metric"]: row["after"] for row in found.facts["if_it_fails"]}
    expected = max(entry.max_utilisation for entry in gone.routes if entry.fabric == "backend")
    before = max(entry.max_utilisation for entry in result.routes if entry.fabric == "backend")
    # Resilient switches move only the flows of the spine: the fullest link may stay what it is, and is then not listed.
    assert rows.get("backend: max offered", before) == expected
    assert rows


def test_nothing_is_suggested_where_nothing_is_wrong() -> None:
    """A fat tree that carries its all-to-all."""
    loaded = load_scenario("examples/fat-tree-k48.fabric.yaml", overrides=["fabrics.main.topology.radix=8"])
    result = route(loaded)
    assert not needs_help(result)
    assert is_quick(result)


def test_route_prints_suggestions_with_their_commands(tmp_path: Path) -> None:
    """`try` in the text, `suggestions` in JSON; --suggest never leaves both out."""
    for name, words in (("x.txt", []), ("x.json", []), ("y.json", ["--suggest", "never"])):
        run(["route", TRAIN, "-o", str(tmp_path / name), *words])
    assert "try, each alone (routed)" in (tmp_path / "x.txt").read_text()
    assert json.loads((tmp_path / "x.json").read_text())["suggestions"]
    assert json.loads((tmp_path / "y.json").read_text())["suggestions"] == []


def test_the_command_explains_as_text_json_and_rows(tmp_path: Path) -> None:
    """Pairs add up to the link's load in CSV and JSON; a code is explained without a scenario."""
    target = "su3-r7-leaf->spine14"
    for suffix in ("txt", "json", "csv", "md"):
        assert run(["explain", TRAIN, target, "-o", str(tmp_path / f"x.{suffix}")]) == 0
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["kind"] == "ExplainResult"
    assert sum(item["offered_gbps"] for item in record["items"]) == pytest.approx(record["offered_gbps"])
    assert run(["explain", TRAIN, "nosuch"]) == 3
    assert run(["explain", "FP3103"]) == 0
    assert run(["explain", "FP0000"]) == 2
    found = meaning("FP3103")
    assert found is not None
    assert "selector" in found[0].casefold() or found[0]
