"""Tables of 20 switches changed: by push, with one missing, and by the scripts of exports; hosts ping each other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ovs_lab import OvsLab
from real_programs import SEARCHED, require
from test_ovs import FAT_TREE, export, plan_of

from fabric.cli.main import run
from fabric.rules.manifest import read_manifest
from fabric.rules.openflow13.fabric_push import push_fabric, read_export
from fabric.rules.openflow13.folder import find_targets
from fabric.rules.openflow13.reading import Way

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs

MISSING = "pod1/agg0"


class Fabric:
    """A lab whose switches have the tables for a core and an aggregation switch that are down, and hosts that ping."""

    def __init__(self, lab: OvsLab, old: Path, new: Path) -> None:
        self.lab, self.old, self.new = lab, old, new
        hosts = list(lab.host_names)
        self.pairs = [(src, hosts[(at + 5) % len(hosts)]) for at, src in enumerate(hosts)]

    def flags(self, folder: Path, missing: tuple[str, ...] = ()) -> list[str]:
        """``--switch`` of all; nobody listens at those missing."""
        words = []
        for entry in read_manifest(folder).switches:
            bridge = self.lab.bridge(self.lab.plan.topology.node(entry.name))
            away = "-away" if entry.name in missing else ""
            words += ["--switch", f"{entry.name}=unix:{self.lab.folder}/{bridge}.mgmt{away}"]
        return words

    def push(self, folder: Path, *flags: str, missing: tuple[str, ...] = ()) -> int:
        """The command, with its record kept."""
        words = [*flags, *self.flags(folder, missing)]
        return run(["push", str(folder), *words, "-q", "-f", "json", "-o", str(self.lab.folder / "r.json"), "--force"])

    @property
    def record(self) -> dict:
        """What the last push said."""
        return json.loads((self.lab.folder / "r.json").read_text())

    def script(self, path: Path, names: dict[str, str] | None = None) -> None:
        """``load.sh`` or ``apply.sh``, for switches by their own names."""
        node = self.lab.plan.topology.node
        targets = names or {entry.name: self.lab.bridge(node(entry.name)) for entry in read_manifest(self.new).switches}
        self.lab.run("sh", str(path), *(f"{name}={target}" for name, target in targets.items()))


@pytest.fixture(scope="module")
def fabric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fabric]:
    """A k = 4 fat tree: 20 switches, 16 hosts."""
    place = tmp_path_factory.mktemp("way")
    failed = ("--router", "wcmp", "--down", "core0", "--down", "pod0/agg1")
    scenario, old = export(place, FAT_TREE, *failed, folder="old")
    _, new = export(place, FAT_TREE, "--router", "wcmp", "--diff", str(old), folder="new")
    change = json.loads((new / "change/change.json").read_text())
    assert change["forth"]["ordered"] > 0  # in some order of the switches packets would circle
    with OvsLab(plan_of(scenario)) as lab:
        made = Fabric(lab, old, new)
        assert made.push(old) == 0
        assert lab.ping_all() == []
        yield made


def test_every_pair_is_reached_after_every_round_of_a_push_forth_and_back(fabric: Fabric) -> None:
    """20 switches, 16 pairs of hosts: no state of the change leaves one without an answer."""
    lost: list[tuple[str, tuple[str, str]]] = []
    for folder in (fabric.new, fabric.old):
        texts: list[str] = []

        def look(text: str, seen: list[str] = texts) -> None:
            lost.extend((text, pair) for pair in fabric.lab.unreached(fabric.pairs))
            seen.append(text)

        targets = find_targets(folder, fabric.flags(folder)[1::2])
        done = push_fabric(read_export(folder, targets), Way(), report=look)
        assert {result.state for result in done.switches} == {"done"}
        assert {part.state for part in done.rounds} == {"done"}
        assert any("around" in part.title for part in done.rounds)
        assert len(texts) == len(done.rounds) + 2
    assert lost == []


def test_with_one_of_20_missing_nothing_is_changed_or_nothing_is_lost(fabric: Fabric) -> None:
    """Without ``--partial`` no message is sent; with it some switches keep their tables, and every pair is reached."""
    assert fabric.push(fabric.new, missing=(MISSING,)) == 5
    states = [item["state"] for item in fabric.record["items"]]
    assert (states.count("unchanged"), states.count("refused")) == (19, 1)
    assert fabric.push(fabric.new, "--partial", missing=(MISSING,)) == 6
    states = [item["state"] for item in fabric.record["items"]]
    assert states.count("done") > 5
    assert states.count("kept") > 0
    assert fabric.lab.ping_all() == []
    assert fabric.push(fabric.old) == 0
    assert fabric.lab.unreached(fabric.pairs) == []


@pytest.mark.slow
def test_the_rounds_of_apply_sh_take_the_names_of_push_and_may_be_run_again(fabric: Fabric) -> None:
    """Twice forth: what is done already does no harm, and every switch has the tables of the export."""
    fabric.script(fabric.new / "change/forth/apply.sh")
    fabric.script(fabric.new / "change/forth/apply.sh")
    assert fabric.push(fabric.new, "--dry-run") == 0
    assert sum(item["unsent"] for item in fabric.record["items"]) == 0
    assert fabric.push(fabric.old) == 0


def test_load_sh_asks_all_switches_for_their_version_before_the_first_is_changed(fabric: Fabric) -> None:
    """Groups need OpenFlow 1.5: a bridge without it, and one that is not there, stop it; a socket is a target too."""
    lab, node = fabric.lab, fabric.lab.plan.topology.node
    names = ("pod0/edge0", "pod0/edge1")
    one, two = (lab.bridge(node(name)) for name in names)
    before = lab.dump_flows(one), lab.dump_groups(one)
    lab.run("ovs-vsctl", "set", "bridge", two, "protocols=OpenFlow13")
    for target in (two, "unix:/nobody"):
        with pytest.raises(RuntimeError, match="nothing was changed") as caught:
            fabric.script(fabric.new / "load.sh", {names[0]: one, names[1]: target})
        assert "OpenFlow15, which pod0/edge1 needs" in str(caught.value)
        assert (lab.dump_flows(one), lab.dump_groups(one)) == before
    lab.run("ovs-vsctl", "set", "bridge", two, "protocols=OpenFlow13,OpenFlow15")
    fabric.script(fabric.new / "load.sh", {names[0]: f"unix:{lab.folder}/{one}.mgmt", names[1]: two})
    assert (lab.dump_flows(one), lab.dump_groups(one)) != before
    with pytest.raises(RuntimeError, match="no switch of this export in nobody=s0"):
        fabric.script(fabric.new / "load.sh", {"nobody": "s0"})


def test_the_scripts_are_shell(fabric: Fabric) -> None:
    """Parsed by ``sh -n``."""
    for path in ("load.sh", "change/forth/apply.sh", "change/back/apply.sh"):
        done = subprocess.run(["sh", "-n", str(fabric.new / path)], env={"PATH": SEARCHED}, check=False)
        assert done.returncode == 0
