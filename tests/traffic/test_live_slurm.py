"""Nodes read from Slurm: the command and the REST server, by stand-ins that answer as every version does."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time

import pytest
from test_scheduler_files import place

from topologies.errors import FormatError, MissingProgramError
from traffic.schedulers.live import answer
from traffic.schedulers.live.answer import read_live
from traffic.schedulers.live.slurm_api import SlurmCluster

HOSTS = [f"n{number}" for number in range(3)]


@pytest.fixture(autouse=True)
def nothing_asked_yet(monkeypatch):
    """Answers are kept for a process; every test asks again."""
    monkeypatch.setattr(answer, "_ANSWERS", {})


def node(name, used=0, **more):
    return {
        "name": name, "hostname": name, "state": ["IDLE"], "gres": "gpu:h100:8(S:0-1)",
        "gres_used": f"gpu:h100:{used}(IDX:{'0-' + str(used - 1) if used else 'N/A'})", "partitions": ["batch"], **more,
    }  # fmt: skip


# 22.05: state in lower case and its flags apart, nodes without more; v0.0.40 and later: numbers that may be unset.
OLD = {
    "meta": {},
    "errors": [],
    "nodes": [
        node("n0", 8, state="allocated", state_flags=[], boot_time=1),
        node("n1", state="idle", state_flags=["DRAIN"]),
        node("n2", state="idle"),
    ],
}
NEW = {
    "nodes": [
        node("n0", 8, state=["ALLOCATED"], boot_time={"set": True, "infinite": False, "number": 1}),
        node("n1", state=["IDLE", "DRAIN"], weight=1, cpu_load={"set": False, "infinite": False, "number": 0}),
        node("n2", state=["IDLE"], free_mem={"set": True, "infinite": True, "number": 0}),
    ],
    "last_update": {"set": True, "infinite": False, "number": 1}, "warnings": [], "errors": [],
}  # fmt: skip


class Rest:
    """A slurmrestd that speaks one version; others are 404. ``status`` is what it answers then."""

    def __init__(self, version, document, status=200, wait_s=0.0):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.command, self.path, self.headers.get("X-SLURM-USER-TOKEN")))
                time.sleep(wait_s)
                found = self.path == f"/slurm/{version}/nodes"
                body = json.dumps(document if found else {"errors": ["Unable find requested URL"]}).encode()
                self.send_response(status if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


@pytest.mark.parametrize(("version", "document"), [("v0.0.38", OLD), ("v0.0.40", NEW), ("v0.0.43", NEW)])
def test_every_version_gives_the_same_free_node(version, document, monkeypatch, tmp_path):
    """n0 is allocated and n1 is drained: n2 is left; the newest version that is there is taken, and only read."""
    monkeypatch.setenv("SLURM_JWT", "a.secret.token")
    with Rest(version, document) as rest:
        hosts, said = place("slurm", HOSTS, tmp_path, 8, live=rest.url)
    assert hosts == ["n2"]
    assert rest.asked[-1] == ("GET", f"/slurm/{version}/nodes", "a.secret.token")
    assert {method for method, _, _ in rest.asked} == {"GET"}
    words = " ".join(said)
    assert f"3 nodes by REST {version}" in words
    assert "3 of 3 names match hosts of the job" in words
    assert "secret" not in words


def test_a_version_may_be_named(tmp_path):
    with Rest("v0.0.40", NEW) as rest:
        place("slurm", HOSTS, tmp_path, 8, live=f"{rest.url}/slurm/v0.0.40")
        assert len(rest.asked) == 1
        with pytest.raises(FormatError, match="none of the versions"):
            read_live(SlurmCluster(f"{rest.url}/slurm/v0.0.39"))


def test_a_refused_token_is_said_and_not_shown(monkeypatch):
    """401, with a token and without; a password in the address is not shown either."""
    monkeypatch.setenv("SLURM_JWT", "a.secret.token")
    with Rest("v0.0.40", NEW, status=401) as rest:
        address = rest.url.replace("//", "//me:hidden@")
        with pytest.raises(FormatError, match="SLURM_JWT is set, and refused") as caught:
            read_live(SlurmCluster(address))
        assert caught.value.problems[0].code == "FP6283"
        assert "secret" not in str(caught.value)
        assert "hidden" not in str(caught.value)
        monkeypatch.delenv("SLURM_JWT")
        with pytest.raises(FormatError, match="SLURM_JWT is not set"):
            read_live(SlurmCluster(rest.url))
    monkeypatch.setenv("SLURM_JWT", "a.secret\ntoken")
    with pytest.raises(FormatError, match="characters that no token has") as caught:
        read_live(SlurmCluster("http://127.0.0.1:9"))
    assert "secret" not in str(caught.value)


def test_a_server_that_is_silent_or_absent_is_said():
    with Rest("v0.0.40", NEW, wait_s=0.8) as rest, pytest.raises(FormatError, match="has not answered within 200 ms"):
        read_live(SlurmCluster(rest.url, 0.2))
    with pytest.raises(FormatError, match="nobody answers") as caught:
        read_live(SlurmCluster(rest.url, 0.5))
    assert caught.value.problems[0].code == "FP6282"
    with pytest.raises(FormatError, match="neither scontrol nor an address"):
        read_live(SlurmCluster("head"))


def test_an_answer_that_is_no_list_of_nodes_is_refused():
    with Rest("v0.0.40", {"jobs": []}) as rest:
        assert read_live(SlurmCluster(rest.url)).what.startswith("no nodes")
        with pytest.raises(FormatError, match="this has 'jobs', not nodes"):
            place("slurm", HOSTS, "/nowhere", 8, live=rest.url)


def test_a_controller_without_nodes_is_said():
    """Clouds hide nodes that sleep."""
    with (
        Rest("v0.0.40", {"nodes": []}) as rest,
        pytest.raises(FormatError, match="the controller lists no nodes") as caught,
    ):
        read_live(SlurmCluster(rest.url))
    assert caught.value.problems[0].code == "FP6287"
    assert "PrivateData=cloud" in caught.value.problems[0].hint


# ---- scontrol --------------------------------------------------------------------------------------------------------


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """Writes a scontrol that runs a script, in front of any that is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(script):
        program = folder / "scontrol"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return program

    return write


def test_the_command_prints_json_and_before_it_could_plain_text(scontrol, tmp_path):
    """An scontrol that knows no --json is asked for lines."""
    (tmp_path / "new.json").write_text(json.dumps(NEW))
    scontrol(f'case "$*" in *json*) cat {tmp_path}/new.json;; *) exit 1;; esac')
    assert place("slurm", HOSTS, tmp_path, 8, live="scontrol")[0] == ["n2"]
    lines = "NodeName=n2 Gres=gpu:8 State=IDLE\\nNodeName=n0 Gres=gpu:8 State=DOWN\\n"
    scontrol(f"case \"$*\" in *json*) echo 'invalid option' >&2; exit 1;; *) printf '{lines}';; esac")
    found = SlurmCluster().read()
    assert found.what == "2 nodes by scontrol show nodes -d -o"


def test_a_command_that_fails_or_hangs_is_said(scontrol):
    scontrol("echo 'slurm_load_node error: Unable to contact slurm controller (connect failure)' >&2; exit 1")
    with pytest.raises(FormatError, match="Unable to contact slurm controller") as caught:
        SlurmCluster().read()
    assert caught.value.problems[0].code == "FP6282"
    scontrol("exec sleep 5")
    began = time.monotonic()
    with pytest.raises(FormatError, match="scontrol has not answered within 200 ms"):
        SlurmCluster(timeout_s=0.2).read()
    assert time.monotonic() - began < 2


def test_without_the_command_other_ways_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="scontrol is not on this machine") as caught:
        SlurmCluster().read()
    assert "slurmrestd" in caught.value.problems[0].hint
