"""Counters of hosts as Prometheus gives them: JSON, promtool, tables; what cannot be told apart is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from traffic_clusters import plain, run

from topologies.errors import FormatError
from traffic.formats.prometheus import read_prometheus

MEASURED = Path(__file__).parent / "measured"
SENT, RECEIVED = "node_network_transmit_bytes_total", "node_network_receive_bytes_total"
PORTS = "address,node\n" + "".join(f"10.0.0.{host + 1}:9100,h{host}\n" for host in range(4))
BARE = PORTS.replace(":9100", "")


def series(name: str, host: int, *values: object, **labels: str) -> dict:
    metric = {"__name__": name, "instance": f"10.0.0.{host + 1}:9100", **labels}
    samples = [[100 + 10 * at, str(value)] for at, value in enumerate(values)]
    return {"metric": {key: value for key, value in metric.items() if value}, "values": samples}


def answer(*entries: dict, **top: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": entries}, **top})


# h0 sends 1 Gb/s and h1 2; h1 gets 1 and h2 2.
FOUR = (
    series(SENT, 0, 0, 1.25e9),
    series(SENT, 1, 0, 2.5e9),
    series(RECEIVED, 1, 0, 1.25e9),
    series(RECEIVED, 2, 0, 2.5e9),
)


def rows(folder: Path, text: str, received: str | None = None, *, addresses: str = PORTS, **keys):
    (folder / "sent").write_text(text)
    (folder / "a.csv").write_text(addresses)
    if received is not None:
        (folder / "received").write_text(received)
        keys["received"] = folder / "received"
    topology = plain(4).topologies["main"]
    return read_prometheus(folder / "sent", topology, addresses=folder / "a.csv", **keys)


def sums(read) -> tuple[list[float], list[float]]:
    """Gbps that each host sends, and receives."""
    return (np.bincount(read.src, read.rate_gbps, 4).tolist(), np.bincount(read.dst, read.rate_gbps, 4).tolist())


@pytest.mark.parametrize("addresses", [PORTS, BARE], ids=["with ports", "without"])
def test_a_table_of_counters_is_read_with_ports_or_without(tmp_path, addresses):
    """0.8 and 2.4 Gb/s over 10 s: (1626577544 - 626617170) x 8 bit, (5067237138 - 2067071486) x 8 bit."""
    (tmp_path / "a.csv").write_text(addresses)
    job = run("matrix", plain(4), tmp_path, format="prometheus", path=str(MEASURED / "counters.csv"), addresses="a.csv")
    flows = job.phases[0].flows
    assert list(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)) == [
        (0, 1, pytest.approx(999_960_374 * 8e-10, rel=1e-3)), (1, 0, pytest.approx(3_000_165_652 * 8e-10, rel=1e-3)),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["query_range.json", "promtool.txt"])
def test_what_prometheus_gives_is_what_the_table_has(tmp_path, name):
    """Sent from the file as it came, received from the same with the hosts changed: each gets what the other sends."""
    sent = (MEASURED / name).read_text()
    received = sent.replace("10.0.0.1:", "@@").replace("10.0.0.2:", "10.0.0.1:").replace("@@", "10.0.0.2:")
    read = rows(tmp_path, sent, received, values="counters")
    assert sums(read)[0][:2] == [pytest.approx(0.79996830), pytest.approx(2.40013252)]
    with pytest.raises(FormatError, match="are the values counters or rates") as refusal:
        rows(tmp_path, sent, received)
    assert "values: counters, bytes/s or bits/s" in str(refusal.value)
    with pytest.raises(FormatError, match="__name__ is missing: sent or received"):
        run("matrix", plain(4), tmp_path, format="prometheus", path="sent", addresses="a.csv")


def test_one_answer_with_both_metrics_needs_no_key(tmp_path):
    """Told apart by the metric's name, in JSON, as promtool prints it, and as promtool -o json."""
    assert sums(rows(tmp_path, answer(*FOUR)))[0] == pytest.approx([1, 2, 0, 0])
    assert sums(rows(tmp_path, json.dumps(FOUR)))[0] == pytest.approx([1, 2, 0, 0])
    text = "".join(
        f'{entry["metric"]["__name__"]}{{device="eth0", instance="{entry["metric"]["instance"]}"}} =>\n'
        + "".join(f"{value} @[{time}]\n" for time, value in entry["values"])
        for entry in FOUR
    )
    assert sums(rows(tmp_path, text))[0] == pytest.approx([1, 2, 0, 0])


@pytest.mark.parametrize(("kind", "factor"), [("bytes/s", 8e-9), ("bits/s", 1e-9)])
def test_rates_are_rates_and_not_counters(tmp_path, kind, factor):
    """rate() of 1 and 3e8 on the way out; the mean over the samples."""
    sent = answer(series("", 0, 1e8, 3e8), series("", 1, 4e8, 4e8))
    received = answer(series("", 1, 2e8, 2e8), series("", 0, 4e8, 4e8))
    assert sums(rows(tmp_path, sent, received, values=kind))[0][:2] == pytest.approx([2e8 * factor, 4e8 * factor])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error"}), "bad_data: parse error"),
        (answer().replace("matrix", "vector"), "data.resultType: vector has no values over time.*query_range"),
        (answer().replace("matrix", "scalar"), "data.resultType: scalar has no values over time"),
        (answer().replace("matrix", "string"), "data.resultType: string has no values over time"),
        ('[{"metric": {}, "value": [1, "2"]}]', "value is of one moment"),
        ('{instance="a"} => 5 @[100]\n', "sent:1:1: vector has a value of one moment"),
        ('{instance="a"} =>\nfive\n', "sent:2:1: not understood: 'five'"),
        ('{"status": "success"}', "'data' is missing"),
        (
            '{"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1]]}]}}',
            r"values\[0\]: a sample",
        ),
        (answer(*FOUR[:2]), "no bytes received in the answer"),
        (answer(*FOUR, series("node_load1", 0, 1, 2)), "node_load1 is no counter of bytes that is known"),
        (answer(*FOUR, series("ifInOctets", 0, 1, 2)), "ifInOctets: counts 32 bits"),
        (answer({"metric": {"__name__": SENT}, "values": []}), "instance is missing: whose bytes are these"),
        (
            answer(*FOUR, series(SENT, 0, 0, 5, job="other")),
            "a second series of bytes sent by .*, which differs in job=other",
        ),
        (answer(series(SENT, 0, 5), series(RECEIVED, 1, 5)), "one sample of 10.0.0.1:9100, 10.0.0.2:9100"),
    ],
)
def test_what_is_no_range_of_counters_is_refused(tmp_path, text, message):
    """With what to ask for."""
    with pytest.raises(FormatError, match=message):
        rows(tmp_path, text)


def test_devices_are_chosen_where_one_carries_traffic_of_another(tmp_path):
    """lo is never counted; a bond beside its slaves must be decided."""

    def sent(*devices: str) -> list[dict]:
        return [series(SENT, 0, 0, 1.25e9, device=device) for device in devices]

    read = rows(tmp_path, answer(*FOUR[1:], *sent("eth0", "eth1", "lo")))
    assert sums(read)[0][:2] == pytest.approx([2, 2])
    assert "devices that are not counted: lo (devices)" in read.notes
    assert "devices of a host are added up: eth0, eth1 (devices)" in read.notes
    bonded = answer(*FOUR[1:], *sent("bond0", "eth0", "eth1"))
    with pytest.raises(FormatError, match="has the devices bond0, eth0, eth1: is traffic of bond0"):
        rows(tmp_path, bonded)
    others = [{**entry, "metric": {**entry["metric"], "device": "eth0"}} for entry in FOUR[1:]]
    every = answer(*others, *sent("bond0", "eth0"))
    assert sums(rows(tmp_path, every, devices=["eth*"]))[0][:2] == pytest.approx([1, 2])


def test_samples_that_are_no_numbers_and_counters_that_fall_are_said(tmp_path):
    """NaN is left out; a counter that falls from 5e9 to 1.25e9 has counted 1.25e9 from 0."""
    read = rows(tmp_path, answer(series(SENT, 0, 5e9, 1.25e9, "NaN", "+Inf"), *FOUR[1:], warnings=["slow"]))
    assert sums(read)[0][0] == pytest.approx(1)
    for begin in ("NaN: samples that are no finite number, left out (2)", "counter falls: ", "warnings: of the query"):
        assert any(note.startswith(begin) for note in read.notes)


def test_two_names_of_one_host_are_not_added_up(tmp_path):
    """Two exporters on a host see the same devices."""
    twice = answer(*FOUR, {**FOUR[0], "metric": {"__name__": SENT, "instance": "10.0.0.1:9101"}})
    with pytest.raises(FormatError, match=r"10\.0\.0\.1:9100 and 10\.0\.0\.1:9101 are both h0"):
        rows(tmp_path, twice, addresses=BARE)


def test_a_table_with_two_rows_of_one_time_is_refused(tmp_path):
    """Rows of single devices that were not added up."""
    text = "time,node,tx_bytes,rx_bytes\n0,h0,1,1\n0,h0,2,2\n"
    with pytest.raises(FormatError, match="sent:3: h0 has two samples at time 0"):
        rows(tmp_path, text)


def test_hosts_that_are_not_ours_are_said_with_their_share(tmp_path):
    """h3 sends 1 of 7 parts; then nobody is ours."""
    stranger = series(SENT, 8, 0, 1.25e9)
    assert rows(tmp_path, answer(*FOUR, stranger)).warnings[1] == (
        "1 address belongs to no endpoint: 10.0.0.9:9100; 14.3 % of the bytes are left out with them"
    )
    with pytest.raises(FormatError, match=r"100\.0 % of the bytes are left out"):
        rows(tmp_path, answer(*FOUR), addresses="address,node\n10.9.9.9,h0\n")


def test_sums_that_do_not_agree_are_said(tmp_path):
    """3 Gb/s sent, 2 received."""
    read = rows(tmp_path, answer(*FOUR[:3], series(RECEIVED, 2, 0, 1.25e9)))
    assert any("nodes send 3 Gb/s and receive 2 Gb/s" in note for note in read.notes)
