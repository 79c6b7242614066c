"""snmpd, snmp_exporter and Prometheus with the plan's rules: health is silent, a link beyond its band fires."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pods import pod
from real_programs import require

from fabric.operate.monitoring.dashboards import fabric_panels
from fabric.operate.monitoring.files import Monitoring, MonitoringRequest, monitor, monitoring_files, write_monitoring
from fabric.operate.monitoring.names_file import read_names
from fabric.operate.monitoring.plan_series import BYTES
from fabric.operate.monitoring.profiles import PROFILES

require("prometheus", "prometheus-snmp-exporter", "snmpd", "ip", "unshare")
pytestmark = [pytest.mark.real_prometheus, pytest.mark.slow]
WINDOW_S = 15.0
STEADY = "{{id: job, kind: alltoall, members: gpu, rate: 4 Mb/s}}"


def _names(made: Monitoring, path: Path) -> int:
    """Every port of a switch is an interface of one agent; how many there are."""
    measured = made.fabrics[0].measured
    ports = sorted({(end.instance, end.port) for end in (*measured.sent.values(), *measured.received.values())})
    rows = [f"{node},pod,{port},p{number}\n" for number, (node, port) in enumerate(ports)]
    path.write_text("node,instance,port,interface\n" + "".join(rows), encoding="utf-8")
    return len(ports)


def _sending(made: Monitoring, part: float) -> dict[str, float]:
    """Bytes per second by interface: ports send themselves, what they receive comes from the other end."""
    plan, measured = made.fabrics[0].plan, made.fabrics[0].measured
    rates: dict[str, float] = {}
    for link in measured.links:
        port, end = measured.end(link)
        name = port.port if end == "sent" else port.port.replace("p", "q")
        rates[name] = part * float(plan.mean_gbps[link]) * BYTES
    return rates


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the chain printed; the plan's pod has links of 20 and 80 Mb/s."""
    folder = tmp_path_factory.mktemp("chain")
    run = pod(folder, router="ecmp", leaves=2, hosts=2, speed=0.02, up=0.08, job=STEADY)
    bare = monitor(run, PROFILES["snmp"], MonitoringRequest(window_s=WINDOW_S))
    count = _names(bare, folder / "names.csv")
    request = MonitoringRequest(window_s=WINDOW_S, tolerance=0.3, names=read_names(folder / "names.csv"))
    made = monitor(run, PROFILES["snmp"], request)
    rules = folder / "rules"
    write_monitoring(rules, monitoring_files(run, made, {}), force=False)
    watched = made.fabrics[0]
    link = next(link for link in watched.measured.links if watched.plan.topology.link_name(link) == "leaf0 -> spine1")
    asked = {
        "ports": count,
        "links": len(watched.measured.links),
        "window_s": WINDOW_S,
        "healthy": _sending(made, 0.9),
        "fault": {watched.measured.end(link)[0].port: 1.3 * float(watched.limits.link_gbps[link]) * BYTES},
        "alert": "FabricLinkAbovePlan",
        "verify": [
            sys.executable,
            "-c",
            "import sys; from fabric.cli.main import main; sys.exit(main())",
            "verify",
            "load",
            str(folder / "pod.fabric.yaml"),
            "--names",
            str(folder / "names.csv"),
            "--window",
            "20s",
            "--tolerance",
            "40%",
            "--json",
        ],
    }
    queries = [text for panels in fabric_panels("main").values() for panel in panels for text in panel.queries.values()]
    (rules / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    (rules / "chain.json").write_text(json.dumps(asked), encoding="utf-8")
    script = Path(__file__).with_name("monitoring_chain.py")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, str(script), str(rules)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    predicted = {
        watched.plan.topology.link_name(at): float(watched.plan.mean_gbps[at]) for at in watched.measured.links
    }
    return printed | {"predicted": predicted}


def test_what_ports_carry_comes_back_by_link(chain: dict[str, Any]) -> None:
    """Nine tenths of the plan are sent; agents refresh their counters every few seconds, so within a quarter."""
    assert set(chain["rates"]) == set(chain["predicted"])
    for link, gbps in chain["predicted"].items():
        assert chain["rates"][link] == pytest.approx(0.9 * gbps * BYTES, rel=0.25), link


def test_alerts_fire_for_the_fault_and_not_before(chain: dict[str, Any]) -> None:
    """One link above its band; the skew that comes with it may fire too, nothing else."""
    assert chain["healthy"] == []
    fired = {(labels["alertname"], labels.get("link", "")) for labels in chain["faulty"]}
    assert ("FabricLinkAbovePlan", "leaf0 -> spine1") in fired
    assert {name for name, _ in fired} <= {"FabricLinkAbovePlan", "FabricEcmpSkew"}


def test_every_panel_of_the_dashboards_has_series(chain: dict[str, Any]) -> None:
    """Each query of each panel, asked of that Prometheus."""
    assert len(chain["answers"]) > 15
    assert {text: count for text, count in chain["answers"].items() if count == 0} == {}


def test_verify_load_reads_the_same_prometheus(chain: dict[str, Any]) -> None:
    """Every link in its band, then the one that carries too much above it; all means are of half a minute."""
    healthy, faulty = chain["verified"]
    assert (healthy["code"], healthy["holds"]) == (0, True), healthy["said"]
    assert {row["state"] for row in healthy["links"]} == {"in band"}
    assert faulty["code"] == 1
    assert [row["link"] for row in faulty["links"] if row["state"] == "above"] == ["leaf0 -> spine1"]
