"""Sets of changes: what holds, what is equal, undo and redo, the command that reproduces them."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.cli.main import run
from fabric.pipeline.run import Run, route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.scenario.load import load_scenario
from fabric.whatif.changes import (
    Change,
    ChangeSet,
    History,
    candidates,
    down,
    override,
    placement,
    queue_pairs,
    router,
    scaled,
)
from fabric.whatif.effect import changed_links, effect
from fabric.whatif.live import LiveRoutes
from fabric.whatif.overlay import write_overlay
from topologies.errors import FabricError

QUICKSTART = "examples/quickstart.fabric.yaml"
CHANGES = [
    down("spine0"),
    down("link=leaf1:spine1#2"),
    router("main", "wcmp"),
    router("main", "spray"),
    override("workloads.shuffle.size=2 GiB"),
    override("fabrics.main.efficiency=0.8"),
    scaled(2),
]


def same(one: RouteResult, other: RouteResult) -> None:
    """Equal bit for bit: loads, times, limits."""
    assert [(e.fabric, e.phase, e.router) for e in one.routes] == [(e.fabric, e.phase, e.router) for e in other.routes]
    for left, right in zip(one.routes, other.routes, strict=True):
        assert np.array_equal(left.link_gbps, right.link_gbps)
        assert np.array_equal(left.topology.up, right.topology.up)
    assert one.jobs == other.jobs
    assert [(limit.value, limit.ok) for limit in one.limits] == [(limit.value, limit.ok) for limit in other.limits]


def names() -> set[str]:
    """Names of the quickstart's nodes."""
    return set(route(load_scenario(QUICKSTART)).routes[0].topology.nodes.name)


def test_the_changes_of_these_tests_name_things_that_exist() -> None:
    """Else failures would be refused and nothing tested."""
    assert {"spine0", "leaf1", "spine1"} <= names()


@given(st.lists(st.sampled_from(CHANGES), max_size=5), st.randoms())
@settings(max_examples=25, deadline=None)
def test_a_live_route_equals_a_fresh_one_whatever_was_routed_before(chosen: list[Change], order: object) -> None:
    """Random sets one after the other through one cache; each against the pipeline itself."""
    loaded = load_scenario(QUICKSTART)
    base = route(loaded)
    live = LiveRoutes(Run(loaded, RouteRequest(), base))
    changes = ChangeSet()
    for change in chosen:
        changes = changes.with_toggled(change)
        now = live.route(changes)
        again = load_scenario(QUICKSTART, overrides=list(changes.sets))
        same(now, route(again, RouteRequest(down=changes.down, scale=changes.scale)))
    assert live.route(ChangeSet()) is base


def test_going_back_is_instant_because_nothing_is_routed_again() -> None:
    """The same object comes back, also when failures were named in another order."""
    loaded = load_scenario(QUICKSTART)
    live = LiveRoutes(Run(loaded, RouteRequest(), route(loaded)))
    one = ChangeSet().with_added(down("spine0")).with_added(down("leaf1"))
    other = ChangeSet().with_added(down("leaf1")).with_added(down("spine0"))
    assert live.route(one) is live.route(other)


def test_of_two_overrides_of_one_key_the_later_holds() -> None:
    """Router wcmp, then spray: one override, and disabling the later brings the earlier back."""
    changes = ChangeSet().with_added(router("main", "wcmp")).with_added(router("main", "spray"))
    assert changes.sets == ("fabrics.main.routing.router=spray",)
    assert changes.toggled(1).sets == ("fabrics.main.routing.router=wcmp",)


def test_adding_a_disabled_change_again_enables_it() -> None:
    """One row, not two."""
    changes = ChangeSet().with_added(down("spine0")).toggled(0).with_added(down("spine0"))
    assert len(changes) == 1
    assert changes.down == ("spine0",)


@given(st.lists(st.one_of(st.sampled_from(CHANGES), st.sampled_from(["undo", "redo"])), max_size=12))
@settings(max_examples=100, deadline=None)
def test_undo_and_redo_walk_the_same_line(steps: list[object]) -> None:
    """A list and an index as the model."""
    history, states, at = History(), [ChangeSet()], 0
    for step in steps:
        if step == "undo":
            history, at = history.undone(), max(at - 1, 0)
        elif step == "redo":
            history, at = history.redone(), min(at + 1, len(states) - 1)
        else:
            assert isinstance(step, Change)
            new = history.now.with_toggled(step)
            history = history.then(new)
            states, at = [*states[: at + 1], new], at + 1
        assert history.now == states[at]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.text)
def test_the_command_reproduces_the_state(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    """The line, split as a shell splits it, prints the same worst load as the live route."""
    loaded = load_scenario(QUICKSTART)
    changes = ChangeSet().with_added(change)
    result = LiveRoutes(Run(loaded, RouteRequest(), route(loaded))).route(changes)
    words = shlex.split(changes.command(loaded))
    assert words[0] == "fabric"
    run([*words[1:], "--json", "--allow-unreachable"])
    import json

    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"]["max_utilisation"] == result.max_utilisation


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.text)
def test_a_saved_overlay_routes_as_the_what_if_did(change: Change, tmp_path: Path) -> None:
    """Every kind of change, written as a scenario that includes the base, loaded and routed."""
    loaded = load_scenario(QUICKSTART)
    changes = ChangeSet().with_added(change)
    write_overlay(tmp_path / "x.fabric.yaml", loaded, changes)
    same(
        route(load_scenario(tmp_path / "x.fabric.yaml")),
        LiveRoutes(Run(loaded, RouteRequest(), route(loaded))).route(changes),
    )


def test_an_overlay_is_never_written_over_a_file(tmp_path: Path) -> None:
    """The file keeps its bytes; the message says so."""
    path = tmp_path / "x.fabric.yaml"
    path.write_text("mine")
    with pytest.raises(FabricError, match="exists"):
        write_overlay(path, load_scenario(QUICKSTART), ChangeSet())
    assert path.read_text() == "mine"


def test_changes_of_training_jobs_reach_all_of_them(tmp_path: Path) -> None:
    """Placement and queue pairs of the 2,048-GPU job: 296 % hashed falls to the 50 % of rail-aligned rings."""
    loaded = load_scenario("examples/train-2k.fabric.yaml")
    base = route(loaded, RouteRequest(fabric="backend"))
    live = LiveRoutes(Run(loaded, RouteRequest(fabric="backend"), base))
    aligned = live.route(ChangeSet().with_added(placement(loaded, "rail-aligned")))
    worst = next(entry for entry in aligned.routes if entry.phase == "dp.reduce_scatter")
    tiers = {(tier.tier, tier.direction): tier.max for tier in worst.tiers}
    assert tiers["leaf-spine", "up"] < 1
    more = live.route(ChangeSet().with_added(queue_pairs(loaded, 8)))
    assert more.max_utilisation is not None
    assert base.max_utilisation is not None
    assert more.max_utilisation < base.max_utilisation
    write_overlay(tmp_path / "a.fabric.yaml", loaded, ChangeSet().with_added(placement(loaded, "rail-aligned")))
    same(route(load_scenario(tmp_path / "a.fabric.yaml"), RouteRequest(fabric="backend")), aligned)


def test_candidates_are_only_those_that_apply() -> None:
    """All-to-all without training: no placement and no queue pairs; the router in use is not proposed."""
    quick = [change.text for change in candidates(load_scenario(QUICKSTART), ["main"])]
    assert quick == [f"router {name} (if split perfectly) on main" for name in ("spray", "wcmp", "optimal")]
    large = [change.text for change in candidates(load_scenario("examples/train-2k.fabric.yaml"), ["backend"])]
    assert "placement rail-aligned" in large
    assert "8 queue pairs per connection" in large


def test_scale_stretches_volumes_and_loads_steady_traffic_more() -> None:
    """Twice the bytes: the same utilisation, twice the window."""
    loaded = load_scenario(QUICKSTART)
    one, two = route(loaded), route(loaded, RouteRequest(scale=2))
    assert np.allclose(one.routes[0].utilisation, two.routes[0].utilisation)
    assert one.jobs[0].phases[0].predicted_s is not None
    assert two.jobs[0].phases[0].predicted_s == pytest.approx(2 * one.jobs[0].phases[0].predicted_s)


def test_the_effect_of_nothing_is_nothing() -> None:
    """All rows equal, no link changed; of one spine down the worst load doubles on 2 spines."""
    loaded = load_scenario(QUICKSTART)
    base = route(loaded)
    assert all(row.is_equal for row in effect(base, base))
    assert changed_links(base.routes[0], base.routes[0]) == ()
    now = route(loaded, RouteRequest(down=("spine0",)))
    row = next(row for row in effect(base, now) if row.metric == "main: max offered")
    assert row.now == pytest.approx(2 * (row.base or 0))
    changed = changed_links(base.routes[0], now.routes[0])
    assert {change.link for change in changed if change.now is None} == {
        name
        for name in (now.routes[0].topology.link_name(link) for link in range(len(now.routes[0].topology.links)))
        if "spine0" in name
    }


def test_links_are_matched_by_name_where_networks_differ() -> None:
    """Four spines for two on the same 8 up-links: spine2 is gained; of 4 parallel links, two remain."""
    loaded = load_scenario(QUICKSTART)
    more = route(load_scenario(QUICKSTART, overrides=["fabrics.main.topology.spine.count=4"]))
    changed = changed_links(route(loaded).routes[0], more.routes[0], 1000)
    assert {change.link.rpartition(" ")[0] for change in changed if change.base is None and "spine2" in change.link}
    assert {change.link[-2:] for change in changed if change.now is None} == {"#3", "#4"}
