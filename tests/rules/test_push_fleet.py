"""A push to several switches: all read before any is changed, rounds, switches that are missing or fail on the way."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rule_cases import exported, planned_rules
from test_change_plan import equal_parts, intact
from test_openflow13_push import Switch

from fabric.cli.main import run
from fabric.rules.addressing import AddressPlan
from fabric.rules.change_plan import circling
from fabric.rules.changes import read_tables_of
from fabric.rules.errors import RuleError
from fabric.rules.manifest import read_manifest
from fabric.rules.openflow13 import encode, session
from fabric.rules.openflow13.readback import read_messages
from fabric.rules.table import Bucket, Group, SwitchTable

FAILED = ("--router", "wcmp", "--down", "link=leaf0:spine0")
ADDS = (14, 15)


@dataclass
class Member(Switch):
    """One of several switches, which write what they are sent into one log."""

    name: str = ""
    log: list[tuple[str, int]] = field(default_factory=list)
    hello_after_s: float = 0.0
    busy: threading.Lock = field(default_factory=threading.Lock)  # one session after the other reads and writes tables

    def _session(self, connection: socket.socket) -> None:
        time.sleep(self.hello_after_s)
        super()._session(connection)

    def _answers(self, kind: int, message: bytes, xid: int) -> Iterator[bytes]:
        self.log.append((self.name, kind))
        return super()._answers(kind, message, xid)

    @property
    def table(self) -> tuple[list, list]:
        """What it holds, as rules and groups."""
        adds = []
        for message in (*self.flows.values(), *self.groups.values()):
            kept = bytearray(message)
            kept[25 if kept[1] == 14 else 9] = 0  # as if added
            adds.append(bytes(kept))
        rules, groups = read_messages(b"".join(adds))
        return sorted(rules), groups


@dataclass
class Fleet:
    """All switches of a fabric on unix sockets, and two exports for them."""

    plan: AddressPlan
    old: Path
    new: Path
    members: dict[str, Member]
    log: list[tuple[str, int]]

    def flags(self, *missing: str) -> list[str]:
        """``--switch`` of all; nobody listens at those missing."""
        paths = {name: f"{one.path}{'-away' if name in missing else ''}" for name, one in self.members.items()}
        return [word for name, path in paths.items() for word in ("--switch", f"{name}=unix:{path}")]

    def push(self, folder: Path, *flags: str, missing: tuple[str, ...] = ()) -> int:
        """The command, with the record in ``record.json``."""
        return run(
            [
                "push",
                str(folder),
                *self.flags(*missing),
                *flags,
                "-f",
                "json",
                "-o",
                str(folder.parent / "r.json"),
                "--force",
            ]
        )

    @property
    def record(self) -> dict:
        """What the last push said."""
        return json.loads((self.new.parent / "r.json").read_text())

    def holds(self, name: str, folder: Path) -> bool:
        """Whether a switch has the table of an export."""
        table = read_tables_of(folder)[name]
        return self.members[name].table == (sorted(table.rules), sorted(table.groups))

    def circles(self) -> tuple[str, ...]:
        """Endpoints whose packets circle under what the switches have, followed by our own tracer."""
        tables = {}
        for name, one in self.members.items():
            rules, groups = one.table
            rules.sort(key=lambda rule: (-rule.priority, rule.match))
            tables[name] = SwitchTable(name, one.datapath, 0, tuple(groups), tuple(rules))
        return circling(self.plan, tables, families=(4,), parts=equal_parts)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[AddressPlan, Path, Path]:
    """4 leaves and 2 spines: tables for a failed cable, and for the intact fabric."""
    place = tmp_path_factory.mktemp("fleet")
    _, old = exported(place, "leaf-spine", *FAILED, out="old")
    _, new = exported(place, "leaf-spine", "--router", "wcmp", out="new")
    return intact(planned_rules(place, "leaf-spine", "wcmp").plan), old, new


@pytest.fixture
def fleet(folders: tuple[AddressPlan, Path, Path], tmp_path: Path) -> Iterator[Fleet]:
    """Six switches with the tables for the failure."""
    plan, old, new = folders
    log: list[tuple[str, int]] = []
    members = {
        entry.name: Member(tmp_path / f"{entry.file}.mgmt", entry.datapath, name=entry.name, log=log)
        for entry in read_manifest(new).switches
    }
    with contextlib.ExitStack() as stack:
        for one in members.values():
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            listener.bind(str(one.path))
            listener.listen()
            threading.Thread(target=one.serve, args=(listener,), daemon=True).start()
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
        made = Fleet(plan, old, new, members, log)
        assert made.push(old) == 0
        log.clear()
        yield made


def test_all_are_read_before_any_is_changed_and_rounds_follow_each_other(fleet: Fleet) -> None:
    """No FLOW_MOD or GROUP_MOD before every switch was asked for flows and groups; the record names all rounds."""
    assert fleet.push(fleet.new) == 0
    first = next(at for at, (_, kind) in enumerate(fleet.log) if kind in ADDS)
    assert {name for name, kind in fleet.log[:first] if kind == 18} == set(fleet.members)
    assert all(fleet.holds(name, fleet.new) for name in fleet.members)
    record = fleet.record
    assert {part["state"] for part in record["rounds"]} == {"done"}
    titles = [part["title"] for part in record["rounds"]]
    assert titles[0] == "add groups"
    assert titles[-1] == "remove groups"
    assert titles.index("add and change rules") < titles.index("remove rules")
    assert {(item["state"], item["tables"]) for item in record["items"]} == {("done", "new")}
    sent = sum(kind in ADDS for _, kind in fleet.log)
    assert sum(part["messages"] for part in record["rounds"]) == sent
    assert sum(item["confirmed"] for item in record["items"]) == sent


@pytest.mark.parametrize("missing", ["spine0", "leaf1"])
def test_nothing_is_changed_when_one_is_missing(fleet: Fleet, missing: str) -> None:
    """Exit code 5, no message that changes anything, and every switch says which table it has."""
    assert fleet.push(fleet.new, missing=(missing,)) == 5
    assert not [kind for _, kind in fleet.log if kind in ADDS]
    states = {item["switch"]: (item["state"], item["tables"]) for item in fleet.record["items"]}
    assert states.pop(missing) == ("refused", "unknown")
    assert set(states.values()) == {("unchanged", "old")}
    assert "nothing was changed on any of the 6 switches" in fleet.record["summary"][0]


@pytest.mark.parametrize("missing", ["spine0", "spine1", "leaf1"])
def test_partial_changes_what_cannot_lose_and_names_the_rest(fleet: Fleet, missing: str) -> None:
    """Exit code 6; those that would lead to spine0 anew keep their tables, and nothing circles in what there is."""
    assert fleet.push(fleet.new, "--partial", missing=(missing,)) == 6
    states = {item["switch"]: item["state"] for item in fleet.record["items"]}
    assert states.pop(missing) == "refused"
    for name, state in states.items():
        assert fleet.holds(name, fleet.new if state == "done" else fleet.old)
    kept = {name for name, state in states.items() if state == "kept"}
    assert (kept >= {"leaf1", "leaf2", "leaf3"}) == (missing == "spine0")
    assert all(name in " ".join(fleet.record["summary"]) for name in {missing, *kept})
    assert fleet.circles() == ()
    assert fleet.push(fleet.new) == 0
    assert all(fleet.holds(name, fleet.new) for name in fleet.members)


def test_without_partial_tables_the_same_change_would_circle(fleet: Fleet) -> None:
    """What the tests above are about: all but spine0 changed, packets to leaf0 come back."""
    tables = {**read_tables_of(fleet.new), "spine0": read_tables_of(fleet.old)["spine0"]}
    assert circling(fleet.plan, tables, families=(4,), parts=equal_parts) != ()


@pytest.mark.parametrize(("name", "after"), [("leaf3", 1), ("leaf3", 2), ("leaf3", 3), ("leaf0", 1), ("leaf1", 1)])
def test_a_switch_that_dies_on_the_way_stops_the_change_in_a_state_that_is_named(
    fleet: Fleet, name: str, after: int
) -> None:
    """It hangs up at its n-th FLOW_MOD: rounds before are done, later ones not begun, nothing circles; again: done."""
    leaf = fleet.members[name]
    leaf.hang_up_after = leaf.mods + after
    code = fleet.push(fleet.new)
    assert code == 5
    record = fleet.record
    states = [part["state"] for part in record["rounds"]]
    at = states.index("stopped") if "stopped" in states else len(states)
    assert states == ["done"] * at + ["stopped"] * (at < len(states)) + ["not begun"] * (len(states) - at - 1)
    item = {item["switch"]: item for item in record["items"]}[name]
    assert item["state"] == "broken"
    assert "the same push again sends only what is missing" in item["words"]
    assert f"stopped in round {at + 1} of {len(states)}" in record["summary"][0]
    assert "no packet comes back to a switch" in record["summary"][-1]
    for name, one in {item["switch"]: item for item in record["items"]}.items():
        assert one["tables"] in ("new", "between", "old")
        if one["tables"] != "between":
            assert fleet.holds(name, fleet.new if one["tables"] == "new" else fleet.old)
    assert fleet.circles() == ()
    leaf.hang_up_after = None
    assert fleet.push(fleet.new) == 0
    assert all(fleet.holds(name, fleet.new) for name in fleet.members)


def test_a_switch_that_refuses_a_message_stops_the_change_and_is_read_once_more(fleet: Fleet) -> None:
    """A full table at leaf2: its refusal in words, what it lacks, and the later rounds not begun."""
    fleet.members["leaf2"].refuse = lambda message: (
        bytes((0, 5, 0, 1)) if message[1] == 14 and message[25] == 0 else None
    )
    assert fleet.push(fleet.new) == 5
    item = {item["switch"]: item for item in fleet.record["items"]}["leaf2"]
    assert (item["state"], item["missing"] > 0) == ("broken", True)
    assert "stopped" in {part["state"] for part in fleet.record["rounds"]}
    assert fleet.circles() == ()


@pytest.mark.parametrize("trouble", ["endless", "late", "cut twice", "silent"])
def test_a_switch_that_cannot_be_read_leaves_all_as_they_were(fleet: Fleet, trouble: str) -> None:
    """Parts without end, a HELLO after the timeout, two sessions cut, no answer: a stated state and exit code 5."""
    one = fleet.members["leaf1"]
    one.endless_on, one.pause_s = (1, 0.02) if trouble == "endless" else (None, 0.0)
    one.hello_after_s = 2.0 if trouble == "late" else 0.0
    one.hang_up_on_hello = 2 if trouble == "cut twice" else 0
    one.silent_on = 18 if trouble == "silent" else None
    assert fleet.push(fleet.new, "--timeout", "0.7") == 5
    states = {item["switch"]: item["state"] for item in fleet.record["items"]}
    assert states.pop("leaf1") == ("broken" if trouble in ("endless", "silent") else "refused")
    assert set(states.values()) == {"unchanged"}
    assert not [kind for _, kind in fleet.log if kind in ADDS]


def test_late_hellos_and_a_session_cut_before_hello_do_not_matter(fleet: Fleet) -> None:
    """Within the timeout, and once."""
    for one in fleet.members.values():
        one.hello_after_s = 0.05
    fleet.members["spine1"].hang_up_on_hello = 1
    assert fleet.push(fleet.new) == 0


def test_flows_of_others_at_one_switch_stop_all_and_partial_goes_around(fleet: Fleet) -> None:
    """What spine1 has is known: it stays, and the others change where that leads nowhere wrong."""
    message = encode.flow_mod(read_tables_of(fleet.old)["leaf0"].rules[0]._replace(priority=7, cookie=1))
    end = 48 + (int.from_bytes(message[50:52], "big") + 7) // 8 * 8
    fleet.members["spine1"].flows[message[24:25] + message[30:32] + message[48:end]] = message
    assert fleet.push(fleet.new) == 5
    assert not [kind for _, kind in fleet.log if kind in ADDS]
    assert fleet.push(fleet.new, "--partial") == 6
    states = {item["switch"]: (item["state"], item["tables"]) for item in fleet.record["items"]}
    assert states["spine1"] == ("refused", "old")
    assert fleet.circles() == ()
    assert fleet.push(fleet.new, "--take-over") == 0


def test_a_dry_run_shows_the_rounds_and_changes_nothing(fleet: Fleet) -> None:
    """All planned, with as many messages as the push then sends."""
    assert fleet.push(fleet.new, "--dry-run") == 0
    shown = fleet.record["rounds"]
    assert {part["state"] for part in shown} == {"planned"}
    assert not [kind for _, kind in fleet.log if kind in ADDS]
    assert fleet.push(fleet.new) == 0
    assert [part["messages"] for part in fleet.record["rounds"]] == [part["messages"] for part in shown]


def test_switches_that_are_not_named_are_said_to_be_taken_as_exported(fleet: Fleet, capsys) -> None:
    """Two of six: a note, and in the record."""
    capsys.readouterr()
    words = fleet.flags()[:4]
    assert run(["push", str(fleet.new), *words]) == 0
    assert "not named: taken to have the tables of it" in capsys.readouterr().err


def test_nothing_is_imported_or_laid_out_after_the_first_connection(fleet: Fleet, monkeypatch) -> None:
    """Open vSwitch gives a peer one second for its HELLO: what takes time comes before."""
    encode._flow_layout.cache_clear()
    encode._group_layout.cache_clear()
    there: list[set[str]] = []
    built: list[object] = []
    connect, layout = session._connect, encode._new_flow_layout

    def connecting(*words):
        there.append(set(sys.modules))
        return connect(*words)

    def laying_out(shape):
        built.append(shape)
        assert not there
        return layout(shape)

    monkeypatch.setattr(session, "_connect", connecting)
    monkeypatch.setattr(encode, "_new_flow_layout", laying_out)
    assert fleet.push(fleet.new) == 0
    assert built
    assert len(there) > len(fleet.members)
    assert {name for name in set(sys.modules) - there[0] if name.startswith(("scapy", "fabric.rules"))} == set()


def test_a_table_that_cannot_be_said_is_refused_before_any_connection() -> None:
    """FP8030 for a group of more buckets than a message holds."""
    group = Group(1, (Bucket(1, 1),) * 2048)
    table = SwitchTable("leaf0", 1, 0, (group,), ())
    with pytest.raises(RuleError, match="2,048 buckets") as caught:
        encode.rehearse(table)
    assert caught.value.problems[0].code == "FP8030"
    encode.rehearse(replace(table, groups=(group._replace(buckets=group.buckets[:4]),)))
