"""Sessions and pushes against a switch of a few lines that can misbehave; files that were not verified."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.rules.errors import RuleError
from fabric.rules.manifest import SwitchEntry
from fabric.rules.openflow13 import encode, hash_basis
from fabric.rules.openflow13.folder import Target, find_targets
from fabric.rules.openflow13.push import compare, push
from fabric.rules.openflow13.readback import read_messages
from fabric.rules.openflow13.result import push_switch
from fabric.rules.openflow13.session import Endpoint, Session, parse_endpoint
from fabric.rules.table import Action, Bucket, Group, Match, Rule, SwitchTable, cookie_of, priority_of

GROUPS = (Group(9, (Bucket(3, 5), Bucket(4, 3))), Group(11, (Bucket(3, 1), Bucket(4, 1))))


def rule(address: int, action: Action) -> Rule:
    match = Match(4, address, 32)
    return Rule(priority_of(match), match, action, cookie_of(match))


TABLE = SwitchTable(
    "leaf0",
    7,
    0,
    GROUPS,
    (*(rule(0x0A000000 + at, Action("group", GROUPS[at % 2].id)) for at in range(1, 21)),
     Rule(0, Match(0), Action("drop"), cookie_of(Match(0)))),
)  # fmt: skip


@dataclass
class Switch:
    """Keeps flows and groups; does what a test tells it to on chosen messages."""

    path: Path
    datapath: int = 7
    hello: bytes = field(default_factory=lambda: encode.hello(xid=1))
    flows: dict[bytes, bytes] = field(default_factory=dict)
    groups: dict[int, bytes] = field(default_factory=dict)
    hang_up_after: int | None = None  # FLOW_MODs
    refuse: Callable[[bytes], bytes | None] = lambda message: None  # body of an error
    silent_on: int | None = None  # type of message
    endless_on: int | None = None  # kind of multipart request, whose parts never end
    part: bytes = b""  # of an endless answer
    pause_s: float = 0.0  # between its parts
    endless_after: int = 0  # FLOW_MODs
    hang_up_on_hello: int = 0  # sessions
    seen: list[int] = field(default_factory=list)
    mods: int = 0

    def serve(self, listener: socket.socket) -> None:
        """Take one session after the other until the listener closes."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError, EOFError):
                connection.settimeout(10)
                self._session(connection)

    def _session(self, connection: socket.socket) -> None:
        if self.hang_up_on_hello:
            self.hang_up_on_hello -= 1
            return
        connection.sendall(self.hello)
        while True:
            head = self._exactly(connection, 8)
            _, kind, length, xid = encode.HEADER.unpack(head)
            body = self._exactly(connection, length - 8)
            self.seen.append(kind)
            if kind == self.silent_on:
                continue
            while kind == 18 and body[1] == self.endless_on and self.mods >= self.endless_after:
                more = body[:2] + bytes((0, 1, 0, 0, 0, 0)) + self.part
                connection.sendall(encode.HEADER.pack(4, 19, 8 + len(more), xid) + more)
                time.sleep(self.pause_s)
            for answer in self._answers(kind, head + body, xid):
                connection.sendall(answer)
            if kind == 14:
                self.mods += 1
                if self.mods == self.hang_up_after:
                    return

    @staticmethod
    def _exactly(connection: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _answers(self, kind: int, message: bytes, xid: int) -> Iterator[bytes]:
        def reply(kind: int, body: bytes) -> bytes:
            return encode.HEADER.pack(4, kind, 8 + len(body), xid) + body

        error = self.refuse(message)
        if error is not None:
            yield reply(1, error)
        elif kind == 5:
            yield encode.HEADER.pack(4, 2, 12, 99) + b"ping"  # an echo request in between
            yield reply(6, self.datapath.to_bytes(8, "big") + bytes(16))
        elif kind == 20:
            yield reply(21, b"")
        elif kind == 14:
            match_end = 48 + (int.from_bytes(message[50:52], "big") + 7) // 8 * 8
            key = message[24:25] + message[30:32] + message[48:match_end]
            if message[25] == 4:
                self.flows.pop(key, None)
            else:
                self.flows[key] = message
        elif kind == 15:
            number = int.from_bytes(message[12:16], "big")
            if message[9] == 2:
                self.groups.pop(number, None)
            else:
                self.groups[number] = message
        elif kind == 18 and message[9] == 1:
            entries = [self._flow(one) for one in self.flows.values()]
            # In two parts, as a switch with many flows does.
            half = len(entries) // 2
            yield reply(19, bytes((0, 1, 0, 1, 0, 0, 0, 0)) + b"".join(entries[:half]))
            yield reply(19, bytes((0, 1, 0, 0, 0, 0, 0, 0)) + b"".join(entries[half:]))
        elif kind == 18:
            made = [(len(one) - 8).to_bytes(2, "big") + one[10:11] + b"\0" + one[12:] for one in self.groups.values()]
            yield reply(19, bytes((0, 7, 0, 0, 0, 0, 0, 0)) + b"".join(made))

    @staticmethod
    def _flow(mod: bytes) -> bytes:
        rest = mod[48:]
        head = (48 + len(rest)).to_bytes(2, "big") + mod[24:25] + bytes(9) + mod[30:32] + bytes(10)
        return head + mod[8:16] + bytes(16) + rest


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    """A switch that listens on a unix socket."""
    made = Switch(tmp_path / "leaf0.mgmt")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(made.path))
        listener.listen()
        thread = threading.Thread(target=made.serve, args=(listener,), daemon=True)
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def session_with(switch: Switch, timeout_s: float = 5.0) -> Session:
    return Session(Endpoint("unix", str(switch.path)), timeout_s=timeout_s)


def test_a_push_installs_groups_before_rules_and_reads_them_back(switch: Switch) -> None:
    """2 groups, barrier, 21 rules, barrier; echo requests in between are answered."""
    with session_with(switch) as session:
        outcome = push(TABLE, session)
    assert outcome.done
    assert (outcome.confirmed, outcome.unsure, outcome.unsent) == (23, 0, 0)
    mods = [kind for kind in switch.seen if kind in (14, 15, 20)]
    assert mods == [15, 15, 20, *[14] * 21, 20]
    assert 3 in switch.seen
    assert outcome.after is not None
    assert (outcome.after.installed, outcome.after.missing, outcome.after.unexpected) == (23, 0, 0)


def test_the_same_push_again_changes_nothing(switch: Switch) -> None:
    """Idempotent: the second session sends no FLOW_MOD and no GROUP_MOD."""
    with session_with(switch) as session:
        push(TABLE, session)
    switch.seen.clear()
    with session_with(switch) as session:
        assert push(TABLE, session).done
    assert not {14, 15} & set(switch.seen)


def test_a_session_that_breaks_says_what_is_installed_and_the_next_push_adds_the_rest(switch: Switch) -> None:
    """Batches of 5; the switch hangs up at rule 13: 2 groups and 10 rules are sure, 5 unsure, 6 never sent."""
    switch.hang_up_after = 13
    with session_with(switch) as session:
        outcome = push(TABLE, session, batch=5)
    assert outcome.failure is not None
    assert outcome.failure.problems[0].code == "FP8041"
    assert (outcome.confirmed, outcome.unsure, outcome.unsent, outcome.after) == (12, 5, 6, None)
    assert len(switch.flows) == 13
    switch.hang_up_after = None
    with session_with(switch) as session:
        again = push(TABLE, session, batch=5)
    assert again.done
    assert again.confirmed == 23 - 2 - 13


def test_what_the_switch_refuses_is_said_in_words_and_stops_the_push(switch: Switch) -> None:
    """A full table at rule 8 of batches of 5: the second batch ends it, the rest is not sent, the read-back tells."""
    switch.refuse = lambda message: (
        bytes((0, 5, 0, 1)) if message[1] == 14 and message[8:16] == TABLE.rules[7].cookie.to_bytes(8, "big") else None
    )
    with session_with(switch) as session:
        outcome = push(TABLE, session, batch=5)
    assert outcome.failure is not None
    assert outcome.failure.problems[0].code == "FP8040"
    assert "OFPFMFC_TABLE_FULL: the flow table is full" in outcome.failure.problems[0].notes[0]
    assert outcome.after is not None
    assert (outcome.after.installed, outcome.after.missing) == (2 + 9, 12)


def test_another_switch_is_refused_before_anything_is_read(switch: Switch) -> None:
    """Datapath ids differ: FP8043, and nothing but HELLO and FEATURES was said."""
    switch.datapath = 8
    with session_with(switch) as session, pytest.raises(RuleError, match="leaf0 is 0000000000000007") as caught:
        push(TABLE, session)
    assert caught.value.problems[0].code == "FP8043"
    assert set(switch.seen) <= {0, 3, 5}


def test_flows_of_others_stop_a_push_unless_they_may_be_removed(switch: Switch) -> None:
    """One flow of cookie 0, one under the match of a rule of ours that must survive the removal."""
    foreign = Rule(5, Match(4, 0x0B000000, 8), Action("output", 1), 0)
    same_match = TABLE.rules[0]._replace(action=Action("output", 1), cookie=1)
    for one in (foreign, same_match):
        message = encode.flow_mod(one)
        end = 48 + (int.from_bytes(message[50:52], "big") + 7) // 8 * 8
        switch.flows[message[24:25] + message[30:32] + message[48:end]] = message
    before = dict(switch.flows)
    with session_with(switch) as session, pytest.raises(RuleError, match="2 entries that fabric did not write"):
        push(TABLE, session)
    assert switch.flows == before
    with session_with(switch) as session:
        assert push(TABLE, session, take_over=True).done


def test_own_rules_the_export_no_longer_has_go_last(switch: Switch) -> None:
    """An older export had another rule and group: both are removed, after everything new is there."""
    older = replace(
        TABLE, groups=(*GROUPS, Group(5, (Bucket(1, 1),))),
        rules=(rule(0x0A0000F0, Action("group", 5)), *TABLE.rules[5:]),
    )  # fmt: skip
    with session_with(switch) as session:
        assert push(older, session).done
        outcome = push(TABLE, session)
    assert outcome.done
    assert [[step.verb for step in stage] for stage in outcome.before.steps] == [["add"] * 5, ["remove"], ["remove"]]
    assert set(switch.groups) == {9, 11}


def test_a_changed_group_is_modified_and_a_changed_action_keeps_its_counters(switch: Switch) -> None:
    """Same id, other buckets: MODIFY. Same match and cookie, other action: MODIFY_STRICT."""
    with session_with(switch) as session:
        push(TABLE, session)
        groups = (GROUPS[0]._replace(buckets=(Bucket(3, 1), Bucket(4, 7))), GROUPS[1])
        rules = (TABLE.rules[0]._replace(action=Action("output", 2)), *TABLE.rules[1:])
        outcome = push(replace(TABLE, groups=groups, rules=rules), session)
    assert outcome.done
    assert [[(step.verb, step.kind) for step in stage] for stage in outcome.before.steps] == [
        [("change", "group")], [("change", "rule")]
    ]  # fmt: skip
    commands = {message[25] for message in switch.flows.values()}
    assert commands == {0, 2}


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        (b"\x01\x00\x00\x08\0\0\0\1", "speaks OpenFlow 1.0, not 1.3"),
        (b"\x06\x00\x00\x10\0\0\0\1\0\1\0\x08\0\0\0\x42", "speaks OpenFlow 1.0, 1.5, not 1.3"),
        (b"\x04\x01\x00\x0c\0\0\0\1\0\0\0\0", "OFPHFC_INCOMPATIBLE"),
        (b"\x04\x05\x00\x08\0\0\0\1", "instead of HELLO"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no HELLO came|instead of HELLO"),
        (b"\x04\x00\x00\x03\0\0\0\1", "length 3"),
    ],
)
def test_who_does_not_speak_openflow_1_3_is_refused(switch: Switch, hello: bytes, words: str) -> None:
    """FP8040 with what it said."""
    switch.hello = hello
    with pytest.raises(RuleError, match=words) as caught:
        session_with(switch, timeout_s=0.5)
    assert caught.value.problems[0].code == "FP8040"


@pytest.mark.parametrize("kind", [5, 18, 20])
def test_a_switch_that_falls_silent_breaks_the_session_after_the_timeout(switch: Switch, kind: int) -> None:
    """Every read has a limit: FEATURES, multipart and barrier."""
    switch.silent_on = kind

    def talk() -> None:
        with session_with(switch, timeout_s=0.3) as session:
            session.flows()
            session.barrier()

    with pytest.raises(RuleError, match=r"did not answer within 300 ms"):
        talk()


@pytest.mark.parametrize(("endless_on", "after"), [(1, 0), (7, 0), (1, 1), (7, 1)])
def test_an_answer_that_never_ends_breaks_the_session_after_the_timeout(
    switch: Switch, endless_on: int, after: int
) -> None:
    """Flows and groups, before and after the rules were sent: the timeout is of the whole answer, not of each part."""
    switch.endless_on, switch.endless_after, switch.pause_s = endless_on, after, 0.02
    target = Target(SwitchEntry("leaf0", "leaf0", 7), Endpoint("unix", str(switch.path)))
    began = time.monotonic()
    result = push_switch(target, TABLE, timeout_s=0.5, plain_groups=True)
    assert time.monotonic() - began < 5
    assert result.state == "broken"
    assert result.failure is not None
    assert "did not answer within 500 ms, to the end of its answer" in result.failure.problems[0].message
    assert ("nothing was changed" in result.words) == (after == 0)


def test_an_answer_longer_than_a_table_can_be_breaks_the_session(switch: Switch, monkeypatch) -> None:
    """Sent without pauses, it would fill the memory before the time is up."""
    monkeypatch.setattr("fabric.rules.openflow13.session.MOST_ANSWER_BYTES", 2**20)
    switch.endless_on, switch.part = 1, bytes(60_000)
    with session_with(switch) as session, pytest.raises(RuleError, match="its answer has no end within 1 MiB"):
        session.flows()


def test_a_session_cut_before_its_hello_is_answered_is_tried_once_more(switch: Switch) -> None:
    """Nothing can have been changed; cut twice, it is refused."""
    switch.hang_up_on_hello = 1
    with session_with(switch) as session:
        assert session.datapath == 7
    switch.hang_up_on_hello = 2
    with pytest.raises(RuleError, match="no HELLO came"):
        session_with(switch)


@pytest.mark.parametrize("text", ["", "leaf0", "1.2.3.4", "host:0", "host:99999", ":6653", "host:six", "unix:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """There is no default port and no default host."""
    with pytest.raises(RuleError, match="is not an address of a switch"):
        parse_endpoint(text)


def test_addresses_are_read_in_all_their_forms() -> None:
    """IPv6 in brackets, a path as it is."""
    assert parse_endpoint("[2001:db8::1]:6653") == Endpoint("tcp", "2001:db8::1", 6653)
    assert parse_endpoint("unix:/run/a=b.mgmt") == Endpoint("unix", "/run/a=b.mgmt")


def test_a_group_with_another_hash_basis_is_not_the_group() -> None:
    """Written for OpenFlow 1.5 and read back as a description; basis 5 is not 6, and no basis is neither."""
    mod = hash_basis.group_mod(GROUPS[0], 5, xid=3)
    body = mod[8:]
    length = int.from_bytes(body[8:10], "big")
    stats = (len(body)).to_bytes(2, "big") + body[2:3] + b"\0" + body[4:8] + length.to_bytes(2, "big") + bytes(6)
    found = hash_basis.read_groups(stats + body[16:])
    assert [(one.id, one.group, one.basis) for one in found] == [(9, GROUPS[0], 5)]
    table = replace(TABLE, groups=GROUPS[:1], rules=())
    assert compare(replace(table, hash_basis=5), [], found).is_empty
    assert compare(replace(table, hash_basis=6), [], found).missing == 1
    assert compare(replace(table, hash_basis=6), [], [found[0]._replace(basis=hash_basis.NO_METHOD)]).missing == 1


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export of a k=4 fat tree that the verifier has passed."""
    scenario = tmp_path / "k4.fabric.yaml"
    scenario.write_text(
        "version: 1\nname: k4\nfabrics:\n  main:\n    topology: {kind: fat-tree, radix: 4, speed: 100G}\n"
        "workloads:\n  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    assert run(["export", "openflow", str(scenario), "-o", str(out), "-q"]) == 0
    assert run(["verify", "rules", str(scenario), str(out), "-q"]) == 0
    return out


NAME = "pod0/edge0"


def test_a_dry_run_without_address_prints_what_an_empty_switch_gets(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One group, five rules; as JSON every message in order."""
    capsys.readouterr()
    assert run(["push", str(folder), "--switch", NAME, "--dry-run", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["dry_run"]) == ("RulesPush", True)
    (item,) = record["items"]
    assert (item["state"], item["groups_to_add"], item["rules_to_add"]) == ("planned", 1, 5)
    assert [step["kind"] for step in item["steps"]] == ["group", *["rule"] * 5]


@pytest.mark.parametrize("damage", ["flows", "groups", "manifest", "stamp", "no stamp", "forged stamp"])
def test_files_the_verifier_has_not_passed_are_refused(
    folder: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """FP8042, exit code 3, for any file that is used and is not as it was; nothing is connected to."""
    entry = find_targets(folder, [NAME], dry_run=True)[0].entry
    path = {
        "flows": folder / f"switches/{entry.file}.flows", "groups": folder / f"switches/{entry.file}.groups",
        "manifest": folder / "manifest.json",
    }.get(damage, folder / "verified.json")  # fmt: skip
    if damage == "no stamp":
        path.unlink()
    elif damage == "forged stamp":
        path.write_text('{"schema": 1, "kind": "RulesVerified", "files": {}}', encoding="utf-8")
    else:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        if damage == "stamp":
            path.write_text("{", encoding="utf-8")
    assert run(["push", str(folder), "--switch", f"{NAME}=unix:/nonexistent"]) == 3
    text = capsys.readouterr().err
    assert "FP8042" in text
    assert "fabric verify rules" in text


def test_a_switch_needs_an_address_and_has_to_be_of_the_export(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No default address; a misspelt name has the nearest as a hint; nobody there is exit code 5."""
    assert run(["push", str(folder), "--switch", NAME]) == 3
    assert "has no address" in capsys.readouterr().err
    assert run(["push", str(folder), "--switch", "pod0/egde0=unix:/x"]) == 3
    assert "did you mean 'pod0/edge0'" in capsys.readouterr().err
    assert run(["push", str(folder), "--switch", f"{NAME}=unix:{folder}/nobody"]) == 5
    text = capsys.readouterr()
    assert "FP8040" in text.err
    assert "nothing was changed" in text.out
    assert run(["push", str(folder)]) == 2


def test_the_dialect_of_messages_holds_the_tables(folder: Path, tmp_path: Path) -> None:
    """Export of13-binary: every file read back is the table of dialect ovs."""
    from fabric.rules.dialects.ovs import read
    from fabric.rules.manifest import read_manifest

    scenario = tmp_path / "k4.fabric.yaml"
    out = tmp_path / "binary"
    assert run(["export", "openflow", str(scenario), "--dialect", "of13-binary", "-o", str(out), "-q"]) == 0
    for entry in read_manifest(out).switches:
        found = read_messages((out / f"switches/{entry.file}.of13").read_bytes())
        assert found == read(folder, entry.file)[:2]
