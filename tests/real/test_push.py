"""Tables pushed into Open vSwitch over OpenFlow 1.3, and what other programs make of our JSON and messages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.rules.dialects.ovs import read
from fabric.rules.manifest import SwitchEntry, read_manifest
from fabric.rules.openflow13 import encode
from fabric.rules.openflow13.session import Endpoint, Session
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs

SCENARIO = """\
version: 1
name: k4
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A k=4 fat tree: 20 switches, 16 hosts."""
    path = tmp_path_factory.mktemp("push") / "k4.fabric.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(scenario: Path) -> Path:
    """Its export, verified."""
    out = scenario.parent / "out"
    assert run(["export", "openflow", str(scenario), "-o", str(out), "-q"]) == 0
    assert run(["verify", "rules", str(scenario), str(out), "-q"]) == 0
    return out


def new_lab(scenario: Path, **keys: Any) -> OvsLab:
    """Empty switches of the scenario."""
    plan = address_plans(load_scenario(str(scenario), overrides=[]), RouteRequest())[0]
    return OvsLab(plan, **keys)


@pytest.fixture
def lab(scenario: Path) -> Iterator[OvsLab]:
    """Switches without hosts, on patch ports: for what is about tables only."""
    with new_lab(scenario, wires="patch", hosts=False) as made:
        yield made


def bridge_of(lab: OvsLab, entry: SwitchEntry) -> str:
    return lab.bridge(lab.plan.topology.node(entry.name))


def mgmt(lab: OvsLab, entry: SwitchEntry) -> Path:
    return lab.folder / f"{bridge_of(lab, entry)}.mgmt"


def flags(lab: OvsLab, folder: Path, count: int | None = None) -> list[str]:
    """``--switch`` of the first switches of an export, over their own sockets."""
    entries = read_manifest(folder).switches[:count]
    return [word for entry in entries for word in ("--switch", f"{entry.name}=unix:{mgmt(lab, entry)}")]


def assert_installed(lab: OvsLab, folder: Path, entry: SwitchEntry, *, basis: bool = True) -> None:
    """What ``ovs-ofctl`` dumps is the export, groups' hash basis included."""
    bridge = bridge_of(lab, entry)
    rules, groups = read(folder, entry.file)[:2]
    assert sorted(parse_rules(lab.dump_flows(bridge), "dump")) == sorted(rules)
    dump = lab.dump_groups(bridge)
    assert parse_groups(dump, "dump") == groups
    if basis and groups:
        text = (folder / f"switches/{entry.file}.groups").read_text(encoding="utf-8")
        wanted = text.split("selection_method_param=")[1].split(",")[0]
        assert dump.count(f"selection_method=dp_hash,selection_method_param={wanted},") == len(groups)


def test_a_pushed_fabric_carries_packets_and_splits_them(
    scenario: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 20 switches: tables equal the export, every host pings every host, and the second tier divides what it gets.

    Of 1,000 flows from one edge to another pod, each aggregation switch gets about half and sends half of that to each
    core: with one hash basis for all it would send everything one way.
    """
    with new_lab(scenario) as lab:
        capsys.readouterr()
        assert run(["push", str(folder), *flags(lab, folder), "--json"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert [item["state"] for item in record["items"]] == ["done"] * 20
        assert not any(item["shared_hash"] for item in record["items"])
        for entry in read_manifest(folder).switches:
            assert_installed(lab, folder, entry)
        assert lab.ping_all() == []
        names = lab.plan.topology.nodes.name
        aggs = [node for node in lab.plan.switches.tolist() if names[node].startswith("pod0/agg")]
        before = {node: lab.bucket_packets(node) for node in aggs}
        hosts = list(lab.host_names)
        lab.send(hosts[0], hosts[-1], flows=1000)
        total = 0
        for node in aggs:
            (after,), (old,) = lab.bucket_packets(node).values(), before[node].values()
            got = [new - was for new, was in zip(after, old, strict=True)]
            total += sum(got)
            assert min(got) > 0.35 * sum(got)
        assert total >= 990
        # Again: nothing is sent.
        assert run(["push", str(folder), *flags(lab, folder), "--json"]) == 0
        again = json.loads(capsys.readouterr().out)
        assert {item["confirmed"] for item in again["items"]} == {0}


def test_the_command_pushes_over_tcp(lab: OvsLab, folder: Path) -> None:
    """A bridge that listens on a port of its own namespace, and the command run there."""
    entry = read_manifest(folder).switches[0]
    lab.run("ovs-vsctl", "set-controller", bridge_of(lab, entry), "ptcp:16653:127.0.0.1")
    fabric = str(Path(sys.executable).with_name("fabric"))
    text = lab.run(fabric, "push", str(folder), "--switch", f"{entry.name}=127.0.0.1:16653", "--json")
    assert json.loads(text)["items"][0]["state"] == "done"
    assert_installed(lab, folder, entry)


def test_a_dry_run_changes_nothing_and_tells_what_would_be_sent(
    lab: OvsLab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After one rule is deleted and one group changed by hand, exactly those two are named."""
    entry = read_manifest(folder).switches[0]
    assert run(["push", str(folder), *flags(lab, folder, 1), "-q"]) == 0
    bridge = bridge_of(lab, entry)
    (group,) = read(folder, entry.file)[1]
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "--strict", "del-flows", bridge, "priority=0")
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "mod-group", bridge,
            f"group_id={group.id},type=select,bucket=actions=output:3,bucket=weight:7,actions=output:4")  # fmt: skip
    before = lab.dump_flows(bridge), lab.dump_groups(bridge)
    capsys.readouterr()
    assert run(["push", str(folder), *flags(lab, folder, 1), "--dry-run", "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert [(step["verb"], step["kind"]) for step in item["steps"]] == [("change", "group"), ("add", "rule")]
    assert (lab.dump_flows(bridge), lab.dump_groups(bridge)) == before
    assert run(["push", str(folder), *flags(lab, folder, 1), "-q"]) == 0
    assert_installed(lab, folder, entry)


def test_flows_of_others_and_other_switches_are_refused(
    lab: OvsLab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flow and a group by hand stop it, exit code 5; --take-over removes them; swapped addresses are noticed."""
    one, two = read_manifest(folder).switches[:2]
    bridge = bridge_of(lab, one)
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "add-group", bridge, "group_id=5,type=all,bucket=actions=output:1")
    lab.run("ovs-ofctl", "-O", "OpenFlow15", "add-flow", bridge, "table=3,tun_id=0/1,actions=group:5,normal")
    assert run(["push", str(folder), *flags(lab, folder, 1)]) == 5
    text = capsys.readouterr()
    assert "FP8043" in text.err
    assert "2 entries that fabric did not write" in text.err
    assert "group_id=5" in lab.dump_groups(bridge)
    assert run(["push", str(folder), *flags(lab, folder, 1), "--take-over"]) == 0
    assert_installed(lab, folder, one)
    assert run(["push", str(folder), "--switch", f"{two.name}=unix:{mgmt(lab, one)}"]) == 5
    assert "is datapath 0000000000000001" in capsys.readouterr().err


def test_switches_without_1_5_are_told_and_without_1_3_refused(
    lab: OvsLab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Groups of 1.3 have no hash basis, which is said; OpenFlow 1.0 alone is refused."""
    entry = read_manifest(folder).switches[0]
    bridge = bridge_of(lab, entry)
    lab.run("ovs-vsctl", "set", "bridge", bridge, "protocols=OpenFlow13")
    assert run(["push", str(folder), *flags(lab, folder, 1)]) == 0
    assert "groups without a hash basis" in capsys.readouterr().out
    lab.run("ovs-vsctl", "set", "bridge", bridge, "protocols=OpenFlow13,OpenFlow15")
    assert_installed(lab, folder, entry, basis=False)
    # Now that it speaks 1.5 the same push gives the group its basis, and only that.
    assert run(["push", str(folder), *flags(lab, folder, 1), "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert (item["confirmed"], item["groups_to_change"]) == (1, 1)
    assert_installed(lab, folder, entry)
    lab.run("ovs-vsctl", "set", "bridge", bridge, "protocols=OpenFlow10")
    assert run(["push", str(folder), *flags(lab, folder, 1)]) == 5
    assert "speaks OpenFlow 1.0, not 1.3" in capsys.readouterr().err


def test_files_of_messages_are_taken_over_a_session_as_they_are(lab: OvsLab, scenario: Path, folder: Path) -> None:
    """Dialect of13-binary, replayed byte for byte."""
    out = scenario.parent / "binary"
    assert run(["export", "openflow", str(scenario), "--dialect", "of13-binary", "-o", str(out), "-q"]) == 0
    for entry in read_manifest(out).switches[::6]:
        with Session(Endpoint("unix", str(mgmt(lab, entry)))) as session:
            session.send((out / f"switches/{entry.file}.of13").read_bytes())
            assert session.barrier() == []
        assert_installed(lab, folder, entry, basis=False)


def test_what_os_ken_makes_of_our_json_is_the_table(lab: OvsLab, scenario: Path, folder: Path) -> None:
    """Dialect of13-json through os-ken's REST library, whose messages go to the switch over our session."""
    from os_ken.lib import ofctl_v1_3
    from os_ken.ofproto import ofproto_v1_3 as ofproto
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc

    class Datapath(ProtocolDesc):  # type: ignore[misc]
        """Stands in for the connection that os-ken's controller would have."""

        def __init__(self, session: Session) -> None:
            super().__init__(version=encode.VERSION)
            self.session = session
            self.id = session.datapath

        def set_xid(self, message: Any) -> None:
            message.set_xid(self.session.next_xid())

        def send_msg(self, message: Any) -> None:
            message.serialize()
            self.session.send(bytes(message.buf))

    out = scenario.parent / "json"
    assert run(["export", "openflow", str(scenario), "--dialect", "of13-json", "-o", str(out), "-q"]) == 0
    for entry in read_manifest(out).switches[::6]:
        record = json.loads((out / f"switches/{entry.file}.json").read_text(encoding="utf-8"))
        with Session(Endpoint("unix", str(mgmt(lab, entry)))) as session:
            for group in record["groups"]:
                ofctl_v1_3.mod_group_entry(Datapath(session), group, ofproto.OFPGC_ADD)
            for flow in record["flows"]:
                assert flow["dpid"] == session.datapath
                ofctl_v1_3.mod_flow_entry(Datapath(session), flow, ofproto.OFPFC_ADD)
            assert session.barrier() == []
        assert_installed(lab, folder, entry, basis=False)
