"""Measured beside predicted: what was changed is told, counters are read with their faults, others are refused."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pods import pod, pod_text

from fabric.cli.main import run as fabric
from fabric.operate.forecast import LinkForecast, forecast
from fabric.operate.load_check.counter_rates import Met, mean_gbps
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

RING = "{group: gpu, order: packed}"
TRIO = """\
version: 1
name: trio
nodes: [{group: gpu, count: 12, gpus: 1, nics: {main: {speed: 400G}}}]
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {model: eth-64x400, count: 3, down: 4, up: 4}
      spine: {model: eth-64x400, count: 2}
    routing: {router: ecmp}
workloads: [{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}]
"""
SHARE = 400 * 8 / 11  # of what 4 hosts send, the part for the other leaves, over 4 cables


def plan_of(folder: Path, **keys: Any) -> LinkForecast:
    """The forecast of a pod written to ``folder``."""
    return forecast(pod(folder, **keys))[0]


def changed(path: str, *sets: str, down: tuple[str, ...] = (), slow: tuple[str, ...] = ()) -> LinkForecast:
    """The forecast of a scenario with changes."""
    return forecast(run_scenario(load_scenario(path, overrides=sets), RouteRequest(down=down, slow=slow)))[0]


def rates_file(folder: Path, plan: LinkForecast, gbps: np.ndarray | None = None, name: str = "rates.csv") -> Path:
    """``link,gbps`` of a plan, or of other rates on its links."""
    net, rates = plan.topology, plan.mean_gbps if gbps is None else gbps
    rows = [f"{net.link_name(link)},{rate:.9g}\n" for link, rate in enumerate(rates.tolist()) if np.isfinite(rate)]
    (folder / name).write_text("link,gbps\n" + "".join(rows), encoding="utf-8")
    return folder / name


def verified(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> dict[str, Any]:
    """JSON of ``fabric verify load``."""
    capsys.readouterr()
    assert fabric(["verify", "load", *words, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said on standard error, exit code 3."""
    capsys.readouterr()
    assert fabric(["verify", "load", *words]) == 3
    return capsys.readouterr().err


def test_the_plan_itself_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every link at its mean: no drift, nothing to explain, exit code 0."""
    plan = plan_of(tmp_path, router="ecmp")
    file = rates_file(tmp_path, plan)
    answer = verified(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}", code=0)
    assert answer["kind"] == "LoadCheckResult"
    assert answer["holds"]
    assert answer["explanations"] == []
    assert len(answer["links"]) == len(plan.topology.links)
    assert set(answer["links"][0]) >= {"link", "predicted_gbps", "measured_gbps", "drift"}
    assert all(abs(row["drift"]) < 1e-6 for row in answer["links"] if row["drift"] is not None)


@pytest.mark.parametrize(
    ("keys", "cause", "words"),
    [
        ({"down": ("spine1",)}, "down", "spine1 is down"),
        ({"placement": RING}, "placement", "job is placed packed"),
        ({"placement": "{group: gpu, order: scattered, seed: 2}"}, "placement", "scattered with seed 2"),
        ({"router": "single-path"}, "router", "route as single-path, not as ecmp"),
    ],
)
def test_the_assumption_that_does_not_hold_is_named(
    keys: dict[str, Any], cause: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One change of the plan, measured: it is among the first, and explains everything."""
    other = tmp_path / "other"
    other.mkdir()
    measured = plan_of(other, **{"router": "ecmp", **keys})
    plan_of(tmp_path, router="ecmp")
    file = rates_file(tmp_path, measured)
    answer = verified(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}", code=1)
    best = [row for row in answer["explanations"] if row["fit"] > 0.98]
    assert any(row["cause"] == cause and words in row["words"] for row in best), answer["explanations"]


@pytest.mark.parametrize("times", [0.5, 1.4])
def test_a_scale_is_offered_that_gives_the_mean_which_was_measured(
    times: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that computes too, planned at half its size: the scale offered is the one that was run, and holds."""
    path = str(tmp_path / "pod.fabric.yaml")
    plan_of(tmp_path, router="ecmp")
    file = rates_file(tmp_path, changed(path, f"scale={0.5 * times}"))
    answer = verified(capsys, path, "--measured", f"csv:{file}", "--set", "scale=0.5", code=1)
    first = answer["explanations"][0]
    assert (first["words"], first["fit"]) == (
        f"all demand is {times} times what is planned",
        pytest.approx(1, abs=0.01),
    )
    offered = float(first["change"].removeprefix("--set scale="))
    assert offered == pytest.approx(0.5 * times, rel=0.01)
    assert verified(capsys, path, "--measured", f"csv:{file}", "--set", f"scale={offered}", code=0)["holds"]


def test_a_cable_that_is_down_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both directions carry nothing; the other uplink of the leaf has it all."""
    other = tmp_path / "other"
    other.mkdir()
    measured = plan_of(other, router="ecmp", down=("link=leaf0:spine1",))
    plan_of(tmp_path, router="ecmp")
    answer = verified(
        capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{rates_file(tmp_path, measured)}", code=1
    )
    first = answer["explanations"][0]
    assert (first["cause"], first["change"]) == ("down", "--down 'leaf0 -> spine1'")
    assert first["fit"] == pytest.approx(1, abs=1e-3)


def trio(folder: Path) -> str:
    """Three leaves, two cables to each of two spines; a job that communicates without a pause."""
    path = folder / "trio.fabric.yaml"
    path.write_text(TRIO, encoding="utf-8")
    return str(path)


def test_one_of_parallel_cables_that_is_down_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second of two; with both of them down it is the bundle."""
    path = trio(tmp_path)
    for selector in ("leaf1 -> spine0 #2", "leaf1 -> spine0"):
        file = rates_file(tmp_path, changed(path, down=(selector,)))
        first = verified(capsys, path, "--measured", f"csv:{file}", code=1)["explanations"][0]
        assert (first["change"], first["fit"]) == (f"--down '{selector}'", pytest.approx(1))
        assert verified(capsys, path, "--measured", f"csv:{file}", "--down", selector, code=0)["holds"]


def test_a_job_that_never_pauses_is_slower_or_a_cable_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its mean is the same whatever it sends: no scale is offered. A cable at half speed has the same rates."""
    path = trio(tmp_path)
    slow = changed(path, slow=("leaf1 -> spine0 #2=50%",))
    assert slow.mean_gbps.max() == pytest.approx(changed(path).mean_gbps.max() * 200 / SHARE)
    file = rates_file(tmp_path, slow)
    rows = verified(capsys, path, "--measured", f"csv:{file}", code=1)["explanations"]
    best = {row["cause"]: row for row in rows if row["fit"] > 0.999}
    assert set(best) == {"pace", "slow"}
    assert best["pace"]["words"] == f"steps of shuffle take {SHARE / 200:.3g} times as long, or it pauses"
    assert "runs at half its speed (or one of 11 others" in best["slow"]["words"]
    offered = best["slow"]["change"].removeprefix("--slow ").strip("'")
    assert verified(capsys, path, "--measured", f"csv:{file}", "--slow", offered, code=0)["holds"]
    assert not any("scale=" in row["change"] for row in rows)


def test_one_job_of_two_that_is_slower_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half the mean of the second, the first as planned; twice the mean is more than a job without pauses has."""
    path = Path(trio(tmp_path))
    nodes, work = "group: gpu, count: 12", "{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}"
    text = path.read_text(encoding="utf-8")
    text = text.replace(nodes, f"group: a, count: 8, gpus: 1, nics: {{main: {{speed: 400G}}}}}}, {{{nodes[:-2]}4")
    text = text.replace(work, f"{work[:-1]}, members: a}}, {work[:-1].replace('shuffle', 'other')}, members: gpu}}")
    path.write_text(text, encoding="utf-8")
    plan = changed(str(path))
    for times, found in ((0.5, True), (1.04, False)):
        rates = plan.mean_gbps + (times - 1) * plan.job_gbps("other")
        words = ("--measured", f"csv:{rates_file(tmp_path, plan, rates)}", "--tolerance", "1%")
        rows = verified(capsys, str(path), *words, code=1)["explanations"]
        said = [row["words"] for row in rows if row["cause"] == "pace" and row["fit"] > 0.999]
        assert said == (["steps of other take 2 times as long, or it pauses"] if found else [])


def test_more_than_line_rate_is_said_to_be_impossible(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """600 Gb/s on links of 400: off at any tolerance, and nothing but what was read explains it."""
    path = trio(tmp_path)
    plan = changed(path)
    words = ("--measured", f"csv:{rates_file(tmp_path, plan, 1.5 * plan.mean_gbps)}", "--tolerance", "90%")
    answer = verified(capsys, path, *words, code=1)
    (only,) = answer["explanations"]
    assert only["cause"] == "measurement"
    assert "with 600 of 400 Gbps" in only["words"]
    assert only["words"] in answer["notes"]
    assert {row["state"] for row in answer["links"] if row["measured_gbps"] > 420} == {"above line rate"}


@pytest.mark.parametrize("flags", [(), ("--no-explain",)])
def test_that_nothing_explains_it_is_said_where_it_was_looked_for(
    flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One direction of a host's cable alone has nothing: no single change does that, whatever a hash does."""
    path = trio(tmp_path)
    plan = changed(path)
    rates = np.where(np.arange(len(plan.mean_gbps)) == 0, 0.0, 1.0) * plan.mean_gbps
    words = ["--measured", f"csv:{rates_file(tmp_path, plan, rates)}", "--router", "ecmp-hash"]
    assert fabric(["verify", "load", path, *words, *flags]) == 1
    assert ("no single change of the plan explains" in capsys.readouterr().out) == (not flags)


def test_a_job_on_other_hosts_is_found_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eight ranks planned on the first eight hosts of sixteen run on the last eight."""
    text = pod_text(router="ecmp", placement=RING)
    assert "    parallelism:" in text
    text = text.replace("    parallelism:", "    gpus: 8\n    parallelism:")
    (tmp_path / "pod.fabric.yaml").write_text(text, encoding="utf-8")
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("".join(f"gpu{number}\n" for number in range(8, 16)), encoding="utf-8")
    where = f"workloads.job.placement={{group: gpu, order: file, path: {hosts}}}"
    moved = forecast(run_scenario(load_scenario(tmp_path / "pod.fabric.yaml", overrides=[where])))[0]
    answer = verified(
        capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{rates_file(tmp_path, moved)}", code=1
    )
    best = answer["explanations"][0]
    assert best["words"].startswith("job runs on gpu8, gpu9, gpu10, gpu11 and 4 more, not on gpu0")
    assert best["fit"] == pytest.approx(1, abs=1e-3)


def test_a_draw_of_the_hash_is_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loads of another draw lie in the band that the hash allows."""
    from fabric.operate.draw_loads import drawn_means

    run = pod(tmp_path)
    plan = forecast(run)[0]
    file = rates_file(tmp_path, plan, drawn_means(run, "main", 3)[2])
    assert verified(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}", code=0)["holds"]


def test_half_of_the_links_may_be_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not measured is said, and the cause is found by the others."""
    plan = plan_of(tmp_path, router="ecmp")
    half = changed(str(tmp_path / "pod.fabric.yaml"), "scale=0.5")
    rates = np.where(np.arange(len(plan.mean_gbps)) % 2, np.nan, half.mean_gbps)
    file = rates_file(tmp_path, plan, rates)
    answer = verified(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}", code=1)
    assert answer["explanations"][0]["words"] == "all demand is 0.5 times what is planned"
    assert any("24 of 48 links were not measured" in text for text in answer["notes"])
    assert sum(row["state"] == "unknown" for row in answer["links"]) == 24


def test_links_of_another_fabric_are_refused_with_their_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None of two."""
    plan_of(tmp_path, router="ecmp")
    file = tmp_path / "foreign.csv"
    file.write_text("link,gbps\ntor1 -> agg1,3\ntor2 -> agg1,3\n", encoding="utf-8")
    said = refused(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}")
    assert "FP9863" in said
    assert "0 of 2 links are of the plan (0.0 %)" in said
    assert "foreign.csv:2" in said


# ---- counters ---------------------------------------------------------------------------------------------------


def test_counters_that_wrap_are_added_and_those_that_start_anew_left_out() -> None:
    """1 Gb/s for forty seconds: a 32-bit counter wraps once; another one starts anew at 20 s."""
    times = np.arange(0, 41, 10.0)
    sent = 125e6 * times
    met = Met()
    wrapped = np.stack([times, (sent + 2**32 - 2e9) % 2**32], axis=1)
    assert mean_gbps(wrapped, 1.0, met) == pytest.approx(1)
    assert (met.wraps, met.resets) == (1, 0)
    anew = np.stack([times, np.where(times < 20, 9e12 + sent, sent - 125e6 * 20)], axis=1)
    assert mean_gbps(anew, 1.0, met) == pytest.approx(1)
    assert (met.wraps, met.resets) == (1, 1)


def test_a_young_counter_of_64_bits_that_starts_anew_is_no_narrow_one() -> None:
    """It falls below 2^32, and is read beyond it later: that time is left out. One that never is may have 32 bits."""
    met = Met()
    young = np.array([[0, 3e9], [30, 2e9], [60, 1.502e12], [90, 3.002e12]])
    assert mean_gbps(young, 400.0, met) == pytest.approx(400)
    assert (met.wraps, met.resets, met.ambiguous) == (0, 1, [])
    assert np.isnan(mean_gbps(young[:2], 400.0, met, "a -> b"))
    assert met.ambiguous == ["a -> b"]


def test_holes_are_bridged_and_impossible_growth_left_out() -> None:
    """A hole of a minute changes no mean; a jump of 1 TB in ten seconds on a 10G port is no traffic."""
    met = Met()
    times = np.array([0, 10, 20, 80, 90, 100.0])
    counter = 125e6 * times
    assert mean_gbps(np.stack([times, counter], axis=1), 10.0, met) == pytest.approx(1)
    assert met.holes == 1
    assert mean_gbps(np.stack([times, counter + 1e12 * (times > 85)], axis=1), 10.0, met) == pytest.approx(1)
    assert met.too_fast == 1
    assert np.isnan(mean_gbps(np.array([[0, 1.0]]), 10.0, met))


def counters_file(folder: Path, plan: LinkForecast, late: str = "", step: float = 60.0) -> Path:
    """``time,node,port,tx_bytes,rx_bytes`` of all ports at the plan's means; the clock of ``late`` is an hour off."""
    from fabric.operate.monitoring.link_labels import measured_links
    from fabric.operate.monitoring.names_file import GivenNames
    from fabric.operate.monitoring.profiles import PROFILES

    run = run_scenario(load_scenario(folder / "pod.fabric.yaml"))
    given = GivenNames(instance={name: name for name in plan.topology.nodes.name})
    links = measured_links(run.loaded, run.network.topologies, ["main"], PROFILES["snmp"], given)["main"]
    sent = {end: float(plan.mean_gbps[link]) for link, end in links.sent.items()}
    received = {end: float(plan.mean_gbps[link]) for link, end in links.received.items()}
    rows = []
    for port, gbps in sent.items():
        for at in range(4):
            time_s = 1e9 + step * at + (3600 if port.instance.startswith(late) and late else 0)
            tx, rx = (rate / 8 * 1e9 * step * at for rate in (gbps, received[port]))
            rows.append(f"{time_s:.0f},{port.instance},{port.port},{tx:.0f},{rx:.0f}\n")
    path = folder / "counters.csv"
    path.write_text("time,node,port,tx_bytes,rx_bytes\n" + "".join(rows), encoding="utf-8")
    return path


def test_counters_of_a_table_give_the_plan_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And measured: of the scenario is where they are read from."""
    plan = plan_of(tmp_path, router="ecmp")
    counters_file(tmp_path, plan)
    path = tmp_path / "pod.fabric.yaml"
    path.write_text(path.read_text() + "measured: [{kind: csv, path: counters.csv}]\n", encoding="utf-8")
    answer = verified(capsys, str(path), code=0)
    assert answer["measured"]["span_s"] == pytest.approx(180)
    assert max(abs(row["drift"]) for row in answer["links"] if row["drift"] is not None) < 1e-6


def test_one_clock_that_is_off_is_left_out_and_many_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """spine1 an hour late: said. Four hosts of eight devices an hour late: refused."""
    plan = plan_of(tmp_path, router="ecmp")
    file = counters_file(tmp_path, plan, late="spine1")
    answer = verified(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}", code=0)
    assert any(text.startswith("clocks apart: readings of spine1") for text in answer["notes"])
    file = counters_file(tmp_path, plan, late="gpu")
    rows = file.read_text().splitlines(keepends=True)
    kept = {"node", "gpu0", "gpu1", "gpu2", "gpu3", "leaf0", "leaf1", "leaf2", "leaf3"}
    file.write_text("".join(row for row in rows if row.split(",")[1] in kept), encoding="utf-8")
    said = refused(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"csv:{file}")
    assert "FP9864" in said


def test_perfquery_outputs_are_read_by_lid_and_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Words of four bytes, twice, ten seconds apart: 5 Gb/s sent out of leaf0 to spine0."""
    plan = plan_of(tmp_path, router="ecmp")
    base = "# Port extended counters: Lid 7 port 5 (CapMask: 0x5300)\nPortSelect:......................5\n"
    for name, words in (("before.txt", 1000), ("after.txt", 1000 + 5e9 / 8 * 10 / 4)):
        text = f"{base}PortXmitData:....................{words:.0f}\nPortRcvData:.....................1000\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "names.csv").write_text("node,instance,port,interface\nleaf0,7,port5,5\n", encoding="utf-8")
    place = f"perfquery:{tmp_path}/before.txt,{tmp_path}/after.txt"
    answer = verified(
        capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", place, "--window", "10s", "--names",
        str(tmp_path / "names.csv"), "--no-explain", code=1,
    )  # fmt: skip
    found = {row["link"]: row["measured_gbps"] for row in answer["links"] if row["measured_gbps"] is not None}
    assert found["leaf0 -> spine0"] == pytest.approx(5)
    assert found["spine0 -> leaf0"] == pytest.approx(0)
    assert plan.topology.has_node("leaf0")


# ---- a Prometheus ------------------------------------------------------------------------------------------------


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes its time."""

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(1.5)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_prometheus_that_is_silent_is_said_to_be(
    silent_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer in a fifth of a second, and nobody at all."""
    monkeypatch.setattr("fabric.operate.load_check.prometheus_api.TIMEOUT_S", 0.2)
    plan_of(tmp_path, router="ecmp")
    said = refused(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", f"prometheus:{silent_server}")
    assert "FP9861" in said
    assert "has not answered within" in said
    said = refused(capsys, str(tmp_path / "pod.fabric.yaml"), "--measured", "prometheus:http://127.0.0.1:9")
    assert "nobody answers" in said
