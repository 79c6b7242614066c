"""The image, built by buildah and run by crun: nobody's rights, nothing to write, and the numbers of the command."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from container_lab import DEBIAN, WHEELS, Image, image, run, running
from real_programs import require, require_here

from fabric.cli.main import run as cli

require("buildah", "crun", "nsenter", "unshare")
require_here(DEBIAN, WHEELS)
pytestmark = [pytest.mark.real_container, pytest.mark.slow]
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.fabric.yaml"
QUICK_END_S = 6.0  # from a signal to the end, one on a quiet machine; the chart allows ten


@pytest.fixture(scope="module")
def built() -> Iterator[Image]:
    """Made again as far as our sources have changed."""
    with image() as made:
        yield made


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenario, which anybody may read."""
    folder = tmp_path_factory.mktemp("plan")
    shutil.copy(QUICKSTART, folder / "scenario.fabric.yaml")
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A /tmp of the user's, which keeps compiled loops from one container to the next."""
    folder = tmp_path_factory.mktemp("loops")
    os.chown(folder, 65532, 65532)
    return folder


def test_it_is_nobody_s_and_brings_nothing_of_its_making(built: Image) -> None:
    """A user by number, as ``runAsNonRoot`` can check; no compiler of packages, no sources, nothing beside a clone."""
    assert built.config["User"] == "65532:65532"
    assert built.config["Entrypoint"] == ["fabric"]
    assert built.config["ExposedPorts"] == {"9469/tcp": {}}
    assert not any((built.root / name).exists() for name in ("source", "wheels", "made", "opt/build", "opt/planner"))
    assert not list(built.root.glob("opt/fabric/lib/python3*/site-packages/pip"))
    assert not list(built.root.glob("opt/fabric/**/unwanted"))
    assert [
        path for path in (built.root / "opt").rglob("*") if path.stat().st_mode & 0o022 and not path.is_symlink()
    ] == []


def test_it_serves_the_plan_without_rights_and_a_signal_ends_it(
    built: Image, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words as in the image, root and plan read-only, no /tmp: the answer is that of the command here."""
    with running(built, tmp_path / "serve", plan=plan) as container:
        health = json.loads(container.get("/healthz"))
        assert health["status"] == "ok"
        assert health["inputs_changed"] == []
        assert "fabric_link_predicted_bytes_per_second{" in container.get("/metrics")
        answer = json.loads(container.get("/result.json"))
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{container.pid}/status").read_text().splitlines())
        assert status["Uid"].split() == ["65532"] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert status["NSpid"].split()[-1] == "1"
        began = time.monotonic()
        container.signal("TERM")
        assert container.process.wait(20) == 0
        assert time.monotonic() - began < QUICK_END_S
    assert cli(["route", str(plan / "scenario.fabric.yaml"), "--json", "--suggest", "never", "-q"]) == 0
    assert answer["routes"] == json.loads(capsys.readouterr().out)["routes"]


def test_with_a_tmp_it_keeps_loops_there_and_says_nothing_of_it(
    built: Image, plan: Path, loops: Path, tmp_path: Path
) -> None:
    """As the chart runs it; and a plan that is edited is said."""
    with running(built, tmp_path / "kept", plan=plan, tmp=loops) as container:
        container.get("/healthz")
        changed = plan / "scenario.fabric.yaml"
        before = changed.read_text()
        changed.write_text(before + "# later\n")
        try:
            assert json.loads(container.get("/healthz"))["inputs_changed"] == ["/plan/scenario.fabric.yaml"]
            assert "\nfabric_plan_inputs_changed 1\n" in container.get("/metrics")
        finally:
            changed.write_text(before)
        assert list(loops.rglob("*.linked"))
        container.signal("TERM")
        _, err = container.process.communicate(timeout=20)
    assert "cannot be kept" not in err


def test_a_signal_while_it_routes_ends_it_as_soon(built: Image, tmp_path: Path) -> None:
    """As the first process of its namespace nothing ends it that it does not see to itself."""
    words = ["route", "/plan/train-2k.fabric.yaml"]
    with running(built, tmp_path / "early", words, plan=QUICKSTART.parent) as container:
        while not container.pid:
            time.sleep(0.02)
        time.sleep(2.0)
        assert container.process.poll() is None
        began = time.monotonic()
        container.signal("TERM")
        assert container.process.wait(20) == 143
        assert time.monotonic() - began < QUICK_END_S


@pytest.mark.parametrize(
    "words",
    [
        ["draw", "tier", "{}", "-o", "/plan/made.svg"],
        ["schema", "-o", "/plan/made.json"],
        ["export", "prometheus", "{}", "-o", "/plan/rules"],
    ],
    ids=lambda words: words[0],
)
def test_what_cannot_be_written_is_said(
    built: Image, plan: Path, loops: Path, tmp_path: Path, words: list[str]
) -> None:
    """A volume that is mounted read-only: the file, the reason and the way out."""
    line = [word.replace("{}", "/plan/scenario.fabric.yaml") for word in words]
    code, _, err = run(built, tmp_path / "write", *line, plan=plan, tmp=loops)
    assert code == 3, err
    assert "Read-only file system" in err
    assert "/plan/" in err
    assert sorted(path.name for path in plan.iterdir()) == ["scenario.fabric.yaml"]


def test_a_scenario_that_nobody_may_read_is_refused(built: Image, plan: Path, tmp_path: Path) -> None:
    """A file of root's own, and one that is not there."""
    secret = tmp_path / "secret"
    secret.mkdir(mode=0o755)
    (secret / "scenario.fabric.yaml").write_text(QUICKSTART.read_text())
    (secret / "scenario.fabric.yaml").chmod(0o600)
    code, _, err = run(built, tmp_path / "unreadable", *built.config["Cmd"], plan=secret)
    assert code == 3
    assert "/plan/scenario.fabric.yaml" in err
    assert "permission denied" in err
    code, _, err = run(built, tmp_path / "missing", *built.config["Cmd"])
    assert code == 3
    assert "/plan/scenario.fabric.yaml" in err
