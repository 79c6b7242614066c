"""No command builds the same fabrics twice, nor derives the same traffic twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fabric.cli.main import run
from fabric.pipeline import prepared
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario

QUICKSTART = "examples/quickstart.fabric.yaml"
TRAIN = "examples/train-2k.fabric.yaml"
HTML, FPR, SVG = "{tmp}/out.html", "{tmp}/out.fpr", "{tmp}/out.svg"

# Command line, and how many different networks its answer is about.
COMMANDS: list[tuple[Sequence[str], int]] = [
    (("build", QUICKSTART), 1),
    (("traffic", QUICKSTART), 1),
    (("show", "paths", QUICKSTART), 1),
    (("show", "bisection", QUICKSTART), 1),
    (("validate", QUICKSTART), 1),
    (("route", QUICKSTART, "--suggest", "never"), 1),
    (("route", QUICKSTART, "--suggest", "never", "--save", FPR), 1),
    (("route", QUICKSTART, "--router", "ecmp,wcmp"), 1),
    (("route", QUICKSTART, "--suggest", "always"), 1),  # changes of the router and the like leave the network alone
    (("draw", "tier", QUICKSTART, "-o", SVG, "--force"), 1),
    (("report", QUICKSTART, "-o", HTML, "--force"), 1),
    (("report", QUICKSTART, "--base", TRAIN, "-o", HTML, "--force"), 2),
    (("compare", QUICKSTART, TRAIN), 2),
    (("explain", QUICKSTART, "leaf0->spine0"), 1),
    (("explain", QUICKSTART, "spine0"), 2),  # with the switch and without it
    (("export", "openflow", QUICKSTART, "-o", "{tmp}/rules"), 1),
    (("export", "addresses", QUICKSTART), 1),
]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[object, ...]]:
    """How often each network was built."""
    count: Counter[tuple[object, ...]] = Counter()
    build = prepared.build_network

    def counted(loaded: LoadedScenario, *, down: Sequence[str] = (), up: Sequence[str] = (), **options: Any) -> Network:
        count[loaded.inputs, tuple(down), tuple(up)] += 1
        return build(loaded, down=down, up=up, **options)

    monkeypatch.setattr(prepared, "build_network", counted)
    return count


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[LoadedScenario]:
    """The scenarios that traffic was derived of, once for every time."""
    scenarios: list[LoadedScenario] = []
    derive = prepared.derive_traffic

    def counted(loaded: LoadedScenario, network: Network, **options: Any) -> Any:
        scenarios.append(loaded)
        return derive(loaded, network, **options)

    monkeypatch.setattr(prepared, "derive_traffic", counted)
    return scenarios


@pytest.mark.parametrize(("line", "networks"), COMMANDS, ids=[" ".join(line) for line, _ in COMMANDS])
def test_a_command_builds_every_network_once(
    line: Sequence[str], networks: int, built: Counter[tuple[object, ...]], tmp_path: Path, capsys: Any
) -> None:
    """Each network that the answer is about, and none twice."""
    code = run([word.format(tmp=tmp_path) for word in line] + ["-q"])
    assert code in (0, 1), capsys.readouterr().err
    assert list(built.values()) == [1] * networks


def test_a_change_of_the_router_derives_no_traffic_again(derived: list[LoadedScenario]) -> None:
    """Suggestions of another router take the traffic over; those of a job derive it anew."""
    assert run(["route", QUICKSTART, "--router", "wcmp,ecmp", "-q"]) in (0, 1)
    assert len(derived) == 1


def test_a_saved_result_is_explained_with_one_network(built: Counter[tuple[object, ...]], tmp_path: Path) -> None:
    """Its scenario is built once for all the changes that are tried."""
    assert run(["route", QUICKSTART, "--suggest", "never", "--save", str(tmp_path / "x.fpr"), "-q"]) in (0, 1)
    built.clear()
    assert run(["explain", str(tmp_path / "x.fpr"), "leaf0->spine0", "-q"]) == 0
    assert list(built.values()) == [1]
