"""Real programs from port counters to an alert, in a network namespace of their own.

Run as ``unshare -n python monitoring_chain.py FOLDER``: every port of the plan is an end of a veth pair, whose other
end plays the device beyond. snmpd tells their counters, snmp_exporter reads them, Prometheus runs the rules in FOLDER.
Prints JSON: alerts that fire while ports carry what the plan says, the answers to FOLDER/queries.json, and the alerts
that fire once one link carries more.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SNMPD, EXPORTER, PROMETHEUS = 1161, 19116, 19090
PATIENCE_S = 90.0
_FRAME = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + bytes(1486)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def make_ports(count: int) -> None:
    """Pairs ``p0 - q0``, ``p1 - q1``, ...; all up."""
    _run("ip", "link", "set", "lo", "up")
    for number in range(count):
        _run("ip", "link", "add", f"p{number}", "type", "veth", "peer", "name", f"q{number}")
        for end in "pq":
            Path(f"/proc/sys/net/ipv6/conf/{end}{number}/disable_ipv6").write_text("1")
            _run("ip", "link", "set", f"{end}{number}", "up")


class Senders:
    """Frames out of interfaces, at rates that may change."""

    def __init__(self, bytes_per_s: Mapping[str, float]) -> None:
        self.rates = dict(bytes_per_s)
        self.stopped = False
        self._sockets = {name: socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for name in self.rates}
        for name, opened in self._sockets.items():
            opened.bind((name, 0))
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        owed = dict.fromkeys(self.rates, 0.0)
        last = time.monotonic()
        while not self.stopped:
            time.sleep(0.02)
            now = time.monotonic()
            for name, rate in self.rates.items():
                owed[name] += rate * (now - last)
                while owed[name] >= len(_FRAME):
                    self._sockets[name].send(_FRAME)
                    owed[name] -= len(_FRAME)
            last = now


@contextlib.contextmanager
def programs(folder: Path) -> Iterator[None]:
    """The three programs, stopped at the end whatever happens."""
    (folder / "snmpd.conf").write_text("rocommunity public 127.0.0.1\n")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in sorted(folder.glob("*.rules.yml"))],
        "scrape_configs": [
            {
                "job_name": "switches",
                "metrics_path": "/snmp",
                "params": {"module": ["fabric"], "target": [f"127.0.0.1:{SNMPD}"]},
                "static_configs": [{"targets": [f"127.0.0.1:{EXPORTER}"], "labels": {"instance": "pod"}}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    env = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    lines = (
        ["snmpd", "-f", "-Ln", "-C", "-c", str(folder / "snmpd.conf"), f"udp:127.0.0.1:{SNMPD}"],
        [
            "prometheus-snmp-exporter", f"--config.file={folder / 'snmp.yml'}",
            f"--web.listen-address=127.0.0.1:{EXPORTER}",
        ],
        [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS}",
        ],
    )  # fmt: skip
    running = []
    try:
        for words in lines:
            with (folder / f"{words[0]}.log").open("wb") as log:
                running.append(subprocess.Popen(words, stdout=log, stderr=log, env=env))
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
        shutil.rmtree(folder / "data", ignore_errors=True)


def query(expression: str) -> list[dict[str, Any]]:
    """Series that Prometheus answers with."""
    url = f"http://127.0.0.1:{PROMETHEUS}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def firing() -> list[dict[str, str]]:
    """Labels of alerts that fire."""
    return [entry["metric"] for entry in query('ALERTS{alertstate="firing"}')]


def wait_for(expression: str, count: int = 1) -> list[dict[str, Any]]:
    """The answer, once it has so many series; what there is when patience ends."""
    end = time.monotonic() + PATIENCE_S
    found: list[dict[str, Any]] = []
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            found = query(expression)
            if len(found) >= count:
                return found
        time.sleep(0.5)
    return found


def verify(words: list[str]) -> dict[str, Any]:
    """What ``fabric verify load`` says of this Prometheus."""
    line = [*words, "--measured", f"prometheus:http://127.0.0.1:{PROMETHEUS}"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer | {"code": done.returncode, "said": done.stderr}


def main(folder: Path) -> None:
    """Health, then one fault."""
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s {text}\n")
        sys.stderr.flush()

    asked = json.loads((folder / "chain.json").read_text())
    make_ports(asked["ports"])
    senders = Senders(asked["healthy"])
    say("ports")
    with programs(folder):
        say("started")
        measured = wait_for("fabric_link_measured_bytes_per_second", asked["links"])
        say("measured")
        time.sleep(2 * asked["window_s"] + 3)
        healthy = firing()
        say("healthy")
        rates = {entry["metric"]["link"]: float(entry["value"][1]) for entry in measured}
        rates |= {
            entry["metric"]["link"]: float(entry["value"][1])
            for entry in query("fabric_link_measured_bytes_per_second")
        }
        verified = [verify(asked["verify"])]
        say("verified")
        senders.rates |= asked["fault"]
        wait_for(f'ALERTS{{alertstate="firing",alertname="{asked["alert"]}"}}')
        say("faulty")
        queries = json.loads((folder / "queries.json").read_text()) if (folder / "queries.json").exists() else []
        answers = {text: len(query(text)) for text in queries}
        verified.append(verify(asked["verify"]))
        found = {"healthy": healthy, "rates": rates, "answers": answers, "faulty": firing(), "verified": verified}
        sys.stdout.write(json.dumps(found))
        senders.stopped = True
    say("stopped")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(Path(sys.argv[1]))
