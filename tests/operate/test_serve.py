"""``fabric serve``: pages that say what commands say, and nothing but GET and HEAD; a signal ends it with 0."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from drain_cases import TEXT

from fabric.cli.commands.serve import _address, command
from fabric.cli.main import run as cli
from fabric.faces.web.pages import pages_of
from fabric.faces.web.server import PlanServer, open_server
from fabric.operate.forecast import forecast
from fabric.operate.monitoring.exposition import exposition
from fabric.operate.monitoring.files import MonitoringRequest
from fabric.pipeline.run import Run, run_scenario
from fabric.scenario.load import load_scenario
from topologies.errors import OutputError

LIMIT = "limits:\n  - {fabric: main, metric: offered, max: 50%}\n"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ([-+.\de]+)$")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("serve") / "s.fabric.yaml"
    path.write_text(TEXT.format(radix=4, busy=8, idle=8, kind="all-to-all") + LIMIT)
    return run_scenario(load_scenario(str(path)))


@pytest.fixture
def served(planned: Run) -> Iterator[PlanServer]:
    server = open_server("127.0.0.1", 0, pages_of(planned, "snmp", MonitoringRequest()), lambda _: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _get(server: PlanServer, path: str) -> tuple[str, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}{path}", timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_the_series_are_the_forecast_in_bytes_per_second(served: PlanServer, planned: Run) -> None:
    kind, text = _get(served, "/metrics")
    assert kind.startswith("text/plain; version=0.0.4")
    (plan,) = forecast(planned)
    rates = {}
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        assert sample or line.startswith("# "), line
        if sample and sample[1] == "fabric_link_predicted_bytes_per_second":
            rates[re.search(r'link="([^"]*)"', sample[2])[1]] = float(sample[3])  # type: ignore[index]
    assert rates
    names = {plan.topology.link_name(link): link for link in range(len(plan.topology.links))}
    for name, rate in rates.items():
        assert rate == pytest.approx(plan.mean_gbps[names[name]] * 1e9 / 8, rel=1e-5)
    assert 'fabric_plan_limit_met{limit="L1"' in text
    assert re.search(r'fabric_plan_limit_met\{limit="L1".*\} 0', text)


def test_every_metric_has_its_samples_together_under_one_type(planned: Run) -> None:
    text = exposition(planned, None)
    types = re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE)
    assert len(types) == len(set(types)) > 0
    seen = [line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    runs = [name for at, name in enumerate(seen) if at == 0 or seen[at - 1] != name]
    assert runs == types


@pytest.mark.real_prometheus
def test_promtool_finds_no_fault_in_the_series(served: PlanServer) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("FABRIC_REQUIRE_REAL"):
            pytest.fail("promtool is missing")
        pytest.skip("promtool is not installed")
    _, text = _get(served, "/metrics")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_report_and_the_answer_are_those_of_the_commands(
    served: PlanServer, planned: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    _, page = _get(served, "/")
    assert "<h1>drained" in page
    assert "NOT MET" in page
    _, answer = _get(served, "/result.json")
    assert cli(["route", planned.loaded.path, "--json", "--suggest", "never", "-q"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert json.loads(answer)["routes"] == said["routes"]


def test_health_says_which_inputs_have_changed(served: PlanServer, planned: Run) -> None:
    path = Path(planned.loaded.path)
    assert json.loads(_get(served, "/healthz")[1])["inputs_changed"] == []
    before = path.read_text()
    path.write_text(before + "# later\n")
    try:
        assert json.loads(_get(served, "/healthz")[1])["inputs_changed"] == [str(path)]
    finally:
        path.write_text(before)


def test_a_series_counts_the_inputs_that_have_changed(served: PlanServer, planned: Run) -> None:
    """Also one that is gone; the series is there once, under its own help and type."""
    path = Path(planned.loaded.path)
    assert _get(served, "/metrics")[1].endswith(
        "\n# TYPE fabric_plan_inputs_changed gauge\nfabric_plan_inputs_changed 0\n"
    )
    kept = path.rename(path.with_suffix(".kept"))
    try:
        text = _get(served, "/metrics")[1]
        assert "\nfabric_plan_inputs_changed 1\n" in text
        assert text.count("fabric_plan_inputs_changed gauge") == 1
    finally:
        kept.rename(path)
    assert "\nfabric_plan_inputs_changed 0\n" in _get(served, "/metrics")[1]


def test_inputs_are_read_again_only_when_they_look_otherwise(
    planned: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe every few seconds costs a look at the file, not all of its bytes; same size, other bytes: read."""
    path = tmp_path / "s.fabric.yaml"
    path.write_bytes(Path(planned.loaded.path).read_bytes())
    pages = pages_of(run_scenario(load_scenario(str(path))), "snmp", MonitoringRequest())
    reads = []
    whole = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: reads.append(file.name) or whole(file, kind))

    def changed() -> list[str]:
        page = pages.at("/healthz")
        assert page is not None
        return list(json.loads(page.body)["inputs_changed"])

    assert [changed(), changed(), changed()] == [[], [], []]
    assert reads == [str(path)]
    path.write_bytes(path.read_bytes().replace(b"drained", b"DRAINED"))
    assert [changed(), changed()] == [[str(path)]] * 2
    assert len(reads) == 2


def test_a_plan_from_standard_input_never_changes(monkeypatch: pytest.MonkeyPatch, planned: Run) -> None:
    text = Path(planned.loaded.path).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    page = pages_of(run_scenario(load_scenario("-")), "snmp", MonitoringRequest()).at("/healthz")
    assert page is not None
    assert json.loads(page.body)["inputs_changed"] == []


def test_a_scenario_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything listens: exit code 3 and the file."""
    assert cli(["serve", str(tmp_path / "none.fabric.yaml")]) == 3
    said = capsys.readouterr().err
    assert "none.fabric.yaml" in said
    assert "http" not in said


@pytest.mark.parametrize(
    ("method", "path", "status"), [("HEAD", "/metrics", 200), ("GET", "/etc/passwd", 404), ("GET", "/../", 404),
                                   ("POST", "/", 405), ("PUT", "/metrics", 405), ("DELETE", "/", 405),
                                   ("BREW", "/", 501)],
)  # fmt: skip
def test_it_only_reads(served: PlanServer, method: str, path: str, status: int) -> None:
    connection = HTTPConnection("127.0.0.1", served.server_address[1], timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    assert answer.status == status
    assert (answer.headers["Allow"] == "GET, HEAD") == (status == 405)
    if method == "HEAD":
        assert answer.read() == b""
        assert int(answer.headers["Content-Length"]) > 0
    connection.close()


def test_a_port_that_is_taken_is_refused(served: PlanServer) -> None:
    with pytest.raises(OutputError, match="in use") as refused:
        open_server("127.0.0.1", served.server_address[1], served.pages, lambda _: None)
    assert refused.value.problems[0].code == "FP9871"


def test_a_port_that_is_taken_is_found_before_anything_is_routed(
    served: PlanServer, planned: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def routed(*_: object, **__: object) -> None:
        raise AssertionError("the plan was routed first")

    monkeypatch.setattr("fabric.pipeline.run.run_scenario", routed)
    assert cli(["serve", planned.loaded.path, "--listen", f"127.0.0.1:{served.server_address[1]}"]) == 3
    assert "FP9871" in capsys.readouterr().err


def test_until_it_has_its_pages_it_refuses_connections(planned: Run) -> None:
    with PlanServer("127.0.0.1", 0, lambda _: None) as server:
        address = ("127.0.0.1", int(server.server_address[1]))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        server.open(pages_of(planned, "snmp", MonitoringRequest()))
        socket.create_connection(address, timeout=5).close()


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    """The default, and a port alone; what others reach has to be said in full."""
    (listen,) = [option for option in command.params if option.name == "listen"]
    assert _address(str(listen.default)) == ("127.0.0.1", 9469)
    assert _address(":80") == ("127.0.0.1", 80)
    assert _address("0.0.0.0:80") == ("0.0.0.0", 80)
    assert _address("[::]:80") == ("::", 80)


@pytest.mark.parametrize("listen", ["9469", "localhost:http", "127.0.0.1:70000"])
def test_a_wrong_address_is_a_bad_command_line(planned: Run, listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["serve", planned.loaded.path, "--listen", listen]) == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_a_signal_ends_it_with_0(planned: Run) -> None:
    line = "from fabric.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", line, "serve", planned.loaded.path, "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = next(text for text in process.stderr if text.startswith("http"))
    url = said.split(" ")[0]
    with urllib.request.urlopen(f"{url}healthz", timeout=30) as answer:
        assert json.loads(answer.read())["status"] == "ok"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()
