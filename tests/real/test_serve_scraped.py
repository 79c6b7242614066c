"""A real Prometheus that scrapes ``fabric serve`` knows, to the label, what one that loaded the plan as rules knows."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from pods import pod
from real_programs import require, require_here

from fabric.faces.web.pages import pages_of
from fabric.faces.web.server import open_server
from fabric.operate.monitoring.dashboards import fabric_panels
from fabric.operate.monitoring.files import Monitoring, MonitoringRequest, monitor, monitoring_files, write_monitoring
from fabric.operate.monitoring.plan_series import BYTES
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import Run

require("prometheus", root=False)
pytestmark = [pytest.mark.real_prometheus, pytest.mark.slow]
WINDOW_S, PATIENCE_S = 3.0, 60.0
CHART = Path(__file__).parents[2] / "deploy" / "chart" / "fabric-planner"
HELM = Path(sys.prefix) / "tools" / "helm"
DOCS = Path(__file__).parents[2] / "docs" / "monitoring.md"
ONLY_SERVED = {"fabric_plan_info", "fabric_plan_inputs_changed", "fabric_plan_limit_met",
               "fabric_job_step_predicted_seconds", "fabric_job_step_ideal_seconds"}  # fmt: skip
EXPECTED = {"FabricLinkAbovePlan", "FabricEcmpSkew"}
STEADY = "{{id: job, kind: alltoall, members: gpu, rate: 40 Gb/s}}"


class _Counters(BaseHTTPRequestHandler):
    """Counters of all ports, as snmp_exporter words them, that grow by nine tenths of the plan; one port by more."""

    rates: Mapping[tuple[str, str, str], float] = {}

    def do_GET(self) -> None:
        lines = []
        for (device, port, counter), rate in self.rates.items():
            labels = f'{{instance="{device}",ifName="{port}"}}'
            lines.append(f"{counter}{labels} {rate * time.monotonic():.0f}\nifOperStatus{labels} 1\n")
        body = "".join(dict.fromkeys("".join(lines).splitlines(keepends=True))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def documented(target: str) -> dict[str, Any]:
    """The scrape of the documentation, with another address."""
    block = re.search(r"```yaml\n(scrape_configs:\n.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    (scrape,) = yaml.safe_load(block[1].replace("127.0.0.1:9469", target))["scrape_configs"]
    found: dict[str, Any] = scrape | {"scrape_interval": "1s"}  # or the test waits for it
    return found


def operated(target: str, home: Path) -> dict[str, Any]:
    """The scrape that the Prometheus operator makes of the chart's ServiceMonitor, with the labels that it adds."""
    words = ["template", "plan", CHART, "--set", "serviceMonitor.enabled=true,scenario.existingClaim=a"]
    chosen = {f"HELM_{kind}_HOME": str(home) for kind in ("CACHE", "CONFIG", "DATA")}
    done = subprocess.run([HELM, *words], capture_output=True, text=True, check=True, env={**os.environ, **chosen})
    made = {document["kind"]: document for document in yaml.safe_load_all(done.stdout)}
    (endpoint,) = made["ServiceMonitor"]["spec"]["endpoints"]
    service = made["Service"]["metadata"]["name"]
    added = dict.fromkeys(("namespace", "pod", "endpoint", "container"), "x") | {"service": service}
    text = json.dumps(endpoint["metricRelabelings"]).replace(".*:9469", target)
    return {
        "job_name": service,
        "scrape_interval": "1s",
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint["honorLabels"],
        "static_configs": [{"targets": [target], "labels": added}],
        "metric_relabel_configs": json.loads(
            text.replace("sourceLabels", "source_labels").replace("targetLabel", "target_label")
        ),
    }


@contextmanager
def prometheus(folder: Path, rules: list[Path], scrapes: list[dict[str, Any]]) -> Iterator[str]:
    """A Prometheus on loopback; yields its URL."""
    folder.mkdir()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": scrapes,
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={address}", "--log.level=warn"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


def ask(url: str, expression: str) -> dict[frozenset[tuple[str, str]], float]:
    """Values by labels; empty while it starts."""
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
    except urllib.error.URLError:
        return {}
    return {frozenset(entry["metric"].items()): float(entry["value"][1]) for entry in result}


def _rates(run: Run, made: Monitoring) -> dict[tuple[str, str, str], float]:
    """Bytes per second by device, port and counter; the first link between switches carries far too much."""
    plan, measured = made.fabrics[0].plan, made.fabrics[0].measured
    rates = {}
    for link in measured.links:
        port, end = measured.end(link)
        counter = "ifHCOutOctets" if end == "sent" else "ifHCInOctets"
        rates[port.instance, port.port, counter] = 0.9 * float(plan.mean_gbps[link]) * BYTES
    port, _ = measured.end(next(link for link in measured.links if plan.topology.link_name(link) == "leaf0 -> spine1"))
    rates[port.instance, port.port, "ifHCOutOctets"] *= 2
    return rates


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Monitoring]]:
    """URLs of a Prometheus with the plan as rules and of those that scrape it, once all have measured for a window."""
    folder = tmp_path_factory.mktemp("scraped")
    run = pod(folder, router="ecmp", leaves=2, hosts=2, job=STEADY)
    request = MonitoringRequest(window_s=WINDOW_S, tolerance=0.3)
    made = monitor(run, PROFILES["snmp"], request)
    write_monitoring(folder / "rules", monitoring_files(run, made, {}), force=False)
    rules = sorted((folder / "rules").glob("*.rules.yml"))
    (plan,) = [path for path in rules if path.name.startswith("plan.")]
    plan.write_text(plan.read_text().replace("  interval: 1m\n", "  interval: 1s\n"))  # or the test waits for it
    counters = type("Counters", (_Counters,), {"rates": _rates(run, made)})
    with ExitStack() as stack:
        served = stack.enter_context(
            _running(open_server("127.0.0.1", 0, pages_of(run, "snmp", request), lambda _: None))
        )
        page = stack.enter_context(_running(ThreadingHTTPServer(("127.0.0.1", 0), counters)))
        switches = {"job_name": "switches", "honor_labels": True, "static_configs": [{"targets": [page]}]}
        others = [path for path in rules if not path.name.startswith("plan.")]
        urls = {"loaded": stack.enter_context(prometheus(folder / "loaded", rules, [switches]))}
        scrapes = {"documented": documented(served)} | ({"chart": operated(served, folder)} if HELM.exists() else {})
        for name, scrape in scrapes.items():
            urls[name] = stack.enter_context(prometheus(folder / name, others, [switches, scrape]))
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            firing = [set(ask(url, 'ALERTS{alertstate="firing"}')) for url in urls.values()]
            if all(
                found == firing[0] and {dict(labels)["alertname"] for labels in found} >= EXPECTED for found in firing
            ):
                break
            time.sleep(0.25)
        yield urls, made


@pytest.fixture(params=["documented", "chart"])
def both(asked: tuple[dict[str, str], Monitoring], request: pytest.FixtureRequest) -> tuple[str, str, Monitoring]:
    """URLs of the one that loaded the plan and of one that scrapes it."""
    urls, made = asked
    if request.param not in urls:
        require_here(HELM)
    return urls["loaded"], urls[request.param], made


def test_the_plan_arrives_and_a_query_answers_with_the_forecast(both: tuple[str, str, Monitoring]) -> None:
    """Gb/s of the plan, in bytes per second, by name of link; nothing of the scrape sticks to the series."""
    _, url, made = both
    plan = made.fabrics[0].plan
    found = ask(url, "fabric_link_predicted_bytes_per_second")
    assert len(found) == len(made.fabrics[0].measured.links)
    links = {plan.topology.link_name(link): link for link in range(len(plan.topology.links))}
    for labels, value in found.items():
        known = dict(labels)
        assert value == pytest.approx(float(plan.mean_gbps[links[known["link"]]]) * BYTES, rel=1e-5)
        assert "job" not in known
    assert ask(url, "fabric_plan_inputs_changed") == {frozenset({("__name__", "fabric_plan_inputs_changed")}): 0.0}


def test_scraped_and_loaded_plans_make_the_same_series_and_alerts(both: tuple[str, str, Monitoring]) -> None:
    """All that rules make of it, label by label: a label that the scrape adds would break some of their matches."""
    loaded, scraped, _ = both
    for query in ('{__name__=~"fabric_.+"}', 'ALERTS{alertstate="firing"}'):
        first, second = set(ask(loaded, query)), set(ask(scraped, query))
        second = {labels for labels in second if dict(labels)["__name__"] not in ONLY_SERVED}
        assert first
        assert second == first
    (alert,) = ask(scraped, 'ALERTS{alertstate="firing",alertname="FabricLinkAbovePlan"}')
    assert dict(alert)["link"] == "leaf0 -> spine1"


def test_every_panel_has_series_of_a_scraped_plan(both: tuple[str, str, Monitoring]) -> None:
    """Each query of each panel of the dashboards answers alike in both."""
    loaded, scraped, _ = both
    queries = {text for panels in fabric_panels("main").values() for panel in panels for text in panel.queries.values()}
    answers = {text: (len(ask(loaded, text)), len(ask(scraped, text))) for text in queries}
    assert len(answers) > 15
    assert {text: counts for text, counts in answers.items() if counts[0] != counts[1] or not counts[0]} == {}
