"""``prometheus``: interface counters of hosts; who talks to whom is estimated from what each sends and gets.

Read are the JSON of the query API, what ``promtool query range`` prints, and a table (CSV) of counters by host.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np

from topologies.columns import column
from topologies.errors import FormatError
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, number, read_text
from topologies.registry import Injected
from topologies.topology import Topology
from topologies.units import format_gbps, format_seconds, percent
from traffic.addresses import MOST_UNKNOWN, AddressBook
from traffic.counters.series import NAME, Answer, Series, is_series, read_series
from traffic.csv_table import csv_rows
from traffic.workload import DEMAND_FORMATS, DemandRows

Values = Literal["counters", "bytes/s", "bits/s"]
_HEADER = ("time", "node", "tx_bytes", "rx_bytes")
_MOST_NODES = 4_000
_ROUNDS = 50
_SENT = ("node_network_transmit_bytes_total", "container_network_transmit_bytes_total", "windows_net_bytes_sent_total",
         "node_infiniband_port_data_transmitted_bytes_total", "ifHCOutOctets")  # fmt: skip
_RECEIVED = ("node_network_receive_bytes_total", "container_network_receive_bytes_total",
             "windows_net_bytes_received_total", "node_infiniband_port_data_received_bytes_total",
             "ifHCInOctets")  # fmt: skip
_DEVICE_LABELS = ("device", "interface", "nic", "ifName", "ifDescr", "port")
_VIRTUAL = ("bond*", "team*", "br-*", "br[0-9]*", "bridge*", "docker*", "veth*", "virbr*", "vnet*", "vlan*", "*.[0-9]*",
            "tun*", "tap*", "cali*", "cni*", "flannel*", "cilium*", "lxc*", "vxlan*", "genev*", "gre*", "wg*", "dummy*",
            "ifb*", "kube-ipvs*", "nodelocaldns*", "ovs-*", "sit*", "ip6tnl*", "macvlan*", "ipvlan*")  # fmt: skip
_QUERY = '{__name__=~"node_network_(transmit|receive)_bytes_total"}'

FIELDS = DeclaredFields(
    "demand format",
    "prometheus",
    "prometheus.io/docs/prometheus/latest/querying/api; exporters' own documentation",
    [
        Field("status", REFUSED, "a query that failed"),
        Field("resultType", REFUSED, "vector, scalar and string have no values over time; matrix is read"),
        Field("value", REFUSED, "of one moment; ask for a range"),
        Field("histograms", REFUSED, "are no counters"),
        Field("warnings", REPORTED, "of the query; part of the answer may be missing"),
        Field("infos", REPORTED, "of the query"),
        Field("stats", HARMLESS, "how long the query took"),
        Field("errorType", HARMLESS, "empty where the query succeeded"),
        Field("error", HARMLESS, "empty where the query succeeded"),
        Field("values", MODELLED, "samples: time in s and value"),
        *(Field(name, MODELLED, "bytes sent: a counter") for name in _SENT),
        *(Field(name, MODELLED, "bytes received: a counter") for name in _RECEIVED),
        *(
            Field(name, REFUSED, "counts 32 bits, which 10 Gb/s fill in 3.4 s; query ifHCOutOctets and ifHCInOctets")
            for name in ("ifOutOctets", "ifInOctets")
        ),
        *(
            Field(name, REFUSED, "counts packets, not bytes")
            for name in ("node_network_transmit_packets_total", "node_network_receive_packets_total")
        ),
        Field(NAME, MODELLED, "tells sent from received and counters from rates; where there is none, received and "
              "values must tell"),
        Field("instance", MODELLED, "the host, looked up as it is written and then without its port"),
        *(Field(name, MODELLED, "a device of the host; several are added up, see devices") for name in _DEVICE_LABELS),
        Field("job", HARMLESS, "what scraped the host; two series that differ in it alone are refused"),
        Field("NaN", REPORTED, "samples that are no finite number, left out"),
        Field("counter falls", REPORTED, "it has started again from 0; what was counted before that, after the last "
              "sample, is lost"),
        Field("one sample", REPORTED, "a counter with one sample tells no rate and is left out"),
        Field("time", MODELLED, "column of a table: s"),
        Field("node", MODELLED, "column of a table: the host"),
        Field("tx_bytes", MODELLED, "column of a table: counter of bytes sent, all devices of the host together"),
        Field("rx_bytes", MODELLED, "column of a table: counter of bytes received, all devices together"),
    ],
)  # fmt: skip


@DEMAND_FORMATS.register("prometheus", example={"path": "counters.csv"})
def read_prometheus(
    path: Path,
    topology: Injected[Topology],
    unit: str | None = None,
    addresses: Path | None = None,
    received: Path | None = None,
    values: Values | None = None,
    devices: list[str] | None = None,
    max_unknown: float = MOST_UNKNOWN,
) -> DemandRows:
    """Mean rates of every host between its first and last sample, spread over pairs by gravity.

    Pair (i, j) gets what i sends times the share of j in what all receive, fitted until rows and columns add up. A
    counter that falls has started again from 0.

    Parameters
    ----------
    path : Path
        JSON of the query API, output of ``promtool query range``, or CSV with the columns ``time`` (s), ``node``,
        ``tx_bytes`` and ``rx_bytes``.
    topology : Topology
        Whose endpoints the nodes are.
    unit : str, optional
        Not used: see ``values``.
    addresses : Path, optional
        Table ``address,node``, for instances that are addresses.
    received : Path, optional
        What hosts received, where ``path`` has what they sent.
    values : {'counters', 'bytes/s', 'bits/s'}, optional
        What the values are, where the metric's name does not say so.
    devices : list of str, optional
        Devices that are counted, such as ``eth*``.
    max_unknown : float
        Share of the bytes that may belong to no endpoint.

    Raises
    ------
    FormatError
        With file and line (FP6220, FP6221, FP6223); when an answer is not of counters or cannot be told apart
        (FP6251), is there twice (FP6228), or too much belongs to no endpoint (FP6229).

    References
    ----------
    Zhang et al., "Fast accurate computation of large-scale IP traffic matrices from link loads", SIGMETRICS 2003.
    """
    said: list[str] = []
    if is_series(read_text(path)):
        hosts = _Hosts(said, path, values, devices)
        hosts.take(path, received)
    else:
        hosts = _table(path, said, received=received, values=values, devices=devices)
    sent, got = hosts.rates(hosts.sent), hosts.rates(hosts.received)
    hosts.say_what_was_met()
    book = AddressBook(topology, addresses, max_unknown)
    total: dict[int, list[float]] = {}
    instance_of: dict[int, str] = {}
    for instance in dict.fromkeys([*sent, *got]):
        rates = sent.get(instance, 0.0), got.get(instance, 0.0)
        node = book.node(instance)
        if node is None:
            book.lost(instance, sum(rates))
            continue
        book.total_bytes += sum(rates)
        if node in total:
            name = topology.nodes.name[node]
            raise FormatError(
                f"{instance_of[node]} and {instance} are both {name}: its traffic would count twice",
                file=str(path), hint="leave one of them out of the query or the table of addresses", code="FP6228",
            )  # fmt: skip
        total[node], instance_of[node] = list(rates), instance
    if len(total) > _MOST_NODES:
        raise FormatError(f"{len(total):,} nodes; {_MOST_NODES:,} are the most", file=str(path), code="FP6221")
    nodes = np.array(sorted(total), dtype=np.int32)
    both = np.array([total[int(node)] for node in nodes]).reshape(-1, 2)
    pairs = fitted(both[:, 0], both[:, 1])
    said += _fit_notes(both, pairs)
    src, dst = np.nonzero(pairs)
    note = "pairs are estimated from what each node sends and receives (gravity)"
    return DemandRows(
        column(nodes[src], np.int32),
        column(nodes[dst], np.int32),
        column(pairs[src, dst], np.float64),
        (note, *book.warnings()),
        notes=tuple(said),
    )


class _Hosts:
    """Samples of every host and device, sent and received."""

    def __init__(self, said: list[str], path: Path, values: Values | None, devices: Sequence[str] | None) -> None:
        self._said, self._path, self._values, self._devices = said, path, values, devices
        self.kind: dict[int, Values] = {}
        self.sent: dict[tuple[str, str], Series] = {}
        self.received: dict[tuple[str, str], Series] = {}
        self._not_numbers, self._fell = 0, 0
        self._alone: list[str] = []
        self._spans: list[tuple[float, float]] = []

    def take(self, path: Path, received: Path | None) -> None:
        """Read the series of one file, or of one each for sent and received."""
        self._file(path, "sent" if received else "")
        if received:
            self._file(received, "received")
        for name, side in (("sent", self.sent), ("received", self.received)):
            if not side:
                raise FormatError(
                    f"no bytes {name} in the answer", file=str(path), code="FP6251",
                    hint=f"query both, {_QUERY}, or give a file each: path has what hosts sent, received the rest",
                )  # fmt: skip
        self._choose_devices()

    def _file(self, path: Path, role: str) -> None:
        answer = read_series(path, FIELDS)
        self._not_numbers += answer.not_numbers
        self._notes(answer)
        for series in answer.series:
            if series.name in FIELDS and FIELDS.treatment(series.name) == REFUSED:
                raise FormatError(FIELDS.refusals([series.name], str(path)))
            side = "sent" if series.name in _SENT else "received" if series.name in _RECEIVED else ""
            if role and side and role != side:
                raise self._refused(
                    path, series, f"{series.name} is bytes {side}", f"{path.name} is to be bytes {role}"
                )
            if not (side or role):
                what = f"{series.name} is no counter of bytes that is known" if series.name else f"{NAME} is missing"
                raise self._refused(
                    path, series, f"{what}: sent or received?",
                    f"query {_QUERY}, or give a file each: path has what hosts sent, received what they received",
                )  # fmt: skip
            kind = self._values or ("counters" if side else None)
            if kind is None:
                raise self._refused(
                    path, series, "are the values counters or rates? rate() and sum() leave no name that tells",
                    "values: counters, bytes/s or bits/s",
                )  # fmt: skip
            if side and kind != "counters":
                raise self._refused(path, series, f"{series.name} is a counter, not {kind}", "leave values out")
            self._add(path, series, side or role, kind)

    def _refused(self, path: Path, series: Series, message: str, hint: str) -> FormatError:
        return FormatError(f"{series.place}: {message}", file=str(path), hint=hint, code="FP6251")

    def _notes(self, answer: Answer) -> None:
        for name in answer.present:
            for text in FIELDS.notes([name]):
                said = "; ".join(answer.details.get(name, ()))
                self._said.append(f"{text}: {said}" if said else text)
        labels = dict.fromkeys(label for series in answer.series for label in series.labels)
        self._said += FIELDS.notes([label for label in labels if label != NAME])

    def _add(self, path: Path, series: Series, side: str, kind: Values) -> None:
        instance = series.labels.get("instance", "")
        if not instance:
            raise self._refused(
                path, series, "instance is missing: whose bytes are these?", "keep the label: sum by (instance) (...)"
            )
        device = "/".join(series.labels[label] for label in _DEVICE_LABELS if label in series.labels)
        table = self.sent if side == "sent" else self.received
        other = table.get((instance, device))
        if other is not None:
            differ = [
                key for key in {**other.labels, **series.labels} if other.labels.get(key) != series.labels.get(key)
            ]
            what = ", ".join(f"{key}={series.labels.get(key, '')}" for key in sorted(differ)) or "nothing"
            raise FormatError(
                f"{series.place}: a second series of bytes {side} by {instance} {device}, which differs in {what}",
                file=str(path), code="FP6228",
                hint="choose one in the query, or add them up there: sum by (instance, device) (...)",
            )  # fmt: skip
        table[instance, device] = series
        self.kind[id(series)] = kind

    def _choose_devices(self) -> None:
        by_host: dict[str, set[str]] = defaultdict(set)
        for instance, device in (*self.sent, *self.received):
            by_host[instance].add(device)
        left: set[str] = set()
        several: set[str] = set()
        for instance, names in by_host.items():
            if self._devices is not None:
                kept = {name for name in names if any(fnmatchcase(name, pattern) for pattern in self._devices)}
            else:
                kept = names - {"lo"}
                odd = sorted(name for name in kept if any(fnmatchcase(name, pattern) for pattern in _VIRTUAL))
                if odd and len(kept) > 1:
                    raise FormatError(
                        f"{instance} has the devices {_some(kept)}: is traffic of {odd[0]} traffic of others too?",
                        file=str(self._path), code="FP6251",
                        hint="devices: [eth*, enp*] says which are counted (names or patterns)",
                    )  # fmt: skip
            left |= names - kept
            several |= kept if len(kept) > 1 else set()
            for name in names - kept:
                self.sent.pop((instance, name), None)
                self.received.pop((instance, name), None)
        if left:
            self._said.append(f"devices that are not counted: {_some(left)} (devices)")
        if several:
            self._said.append(f"devices of a host are added up: {_some(several)} (devices)")

    def rates(self, table: dict[tuple[str, str], Series]) -> dict[str, float]:
        """Gbps by host, all devices together."""
        total: dict[str, float] = defaultdict(float)
        for (instance, device), series in table.items():
            samples = np.array(sorted(series.samples)).reshape(-1, 2)
            if len(samples) and (np.diff(samples[:, 0]) == 0).any():
                raise FormatError(
                    f"{series.place}: {instance} has two samples at one time",
                    file=str(self._path), code="FP6221", hint="one row a host and time, all devices added up",
                )  # fmt: skip
            kind = self.kind[id(series)]
            if kind != "counters":
                if len(samples):
                    total[instance] += float(samples[:, 1].mean()) * (8e-9 if kind == "bytes/s" else 1e-9)
                    self._spans.append((samples[0, 0], samples[-1, 0]))
                continue
            if len(samples) < 2:
                self._alone.append(f"{instance} {device}".strip())
                continue
            step = np.diff(samples[:, 1])
            self._fell += int((step < 0).sum())
            span = samples[-1, 0] - samples[0, 0]
            total[instance] += float(np.where(step < 0, samples[1:, 1], step).sum()) * 8e-9 / span
            self._spans.append((samples[0, 0], samples[-1, 0]))
        return total

    def say_what_was_met(self) -> None:
        """Say over which time rates are the mean, and what was left out or taken as something."""
        for name, count in (
            ("NaN", self._not_numbers),
            ("counter falls", self._fell),
            ("one sample", len(self._alone)),
        ):
            if count:
                self._said.append(f"{FIELDS.notes([name])[0]} ({count:,})")
        if self._alone and not self._spans:
            raise FormatError(
                f"one sample of {_some(self._alone)}: a counter tells a rate by two",
                file=str(self._path), code="FP6227", hint="query a longer range, or with a smaller step",
            )  # fmt: skip
        if not self._spans:
            return
        begin, end = min(first for first, _ in self._spans), max(last for _, last in self._spans)
        shortest = min(last - first for first, last in self._spans)
        text = f"rates are the mean over {format_seconds(end - begin)}"
        if shortest < 0.9 * (end - begin):
            text += (
                f"; samples of some hosts cover {format_seconds(shortest)} of it, and their rates are the mean of that"
            )
        self._said.append(text)


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:6]) + (", ..." if len(ordered) > 6 else "")


def _table(
    path: Path, said: list[str], *, received: Path | None, values: Values | None, devices: Sequence[str] | None
) -> _Hosts:
    """Counters of a table."""
    findings = Findings(path)
    for key, given in (("received", received), ("devices", devices), ("values", values)):
        if given is not None and given != "counters":
            message = f"{key} is for the answers of Prometheus; a table has the counters tx_bytes and rx_bytes"
            findings.add(message, code="FP6220", line=1, hint=f"leave {key} out")
    findings.finish()
    hosts = _Hosts(said, path, values, None)
    sent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    got: dict[str, list[tuple[float, float]]] = defaultdict(list)
    seen: set[tuple[float, str]] = set()
    for line, row in csv_rows(findings, path, _HEADER):
        numbers = [number(row[key]) for key in ("time", "tx_bytes", "rx_bytes")]
        if any(value is None or value < 0 for value in numbers):
            findings.add("time and counters are numbers, 0 or more", code="FP6223", line=line)
            continue
        time, tx, rx = (value or 0.0 for value in numbers)
        if (time, row["node"]) in seen:
            message = f"{row['node']} has two samples at time {row['time']}"
            findings.add(message, code="FP6221", line=line, hint="one row a host and time, all devices added up")
        seen.add((time, row["node"]))
        sent[row["node"]].append((time, tx))
        got[row["node"]].append((time, rx))
    findings.finish()
    for table, samples in ((hosts.sent, sent), (hosts.received, got)):
        for node, of_node in samples.items():
            series = Series({}, of_node, "")
            table[node, ""] = series
            hosts.kind[id(series)] = "counters"
    return hosts


def _fit_notes(both: np.ndarray, pairs: np.ndarray) -> list[str]:
    """What to say of a fit that does not meet all that was measured."""
    sent, received = both.sum(axis=0).tolist() if len(both) else (0.0, 0.0)
    notes = []
    if abs(sent - received) > 0.01 * max(sent, received):
        notes.append(
            f"nodes send {format_gbps(sent)} and receive {format_gbps(received)}: the matrix has what they send, "
            "and what they receive is scaled to it"
        )
    if sent > 0 and received > 0:
        missed = float(np.abs(pairs.sum(axis=1) - both[:, 0]).sum()) / sent
        wanted = both[:, 1] * sent / received
        missed = max(missed, float(np.abs(pairs.sum(axis=0) - wanted).sum()) / 2 / sent)
        if missed > 0.01:
            notes.append(f"{percent(missed)} of what nodes send or receive fits no pair; the matrix misses it")
    return notes


def fitted(sent: np.ndarray, received: np.ndarray) -> np.ndarray:
    """Matrix without diagonal whose rows add up to what is sent, and columns, scaled likewise, to what is received.

    >>> fitted(np.array([3.0, 1.0, 0.0]), np.array([0.0, 2.0, 2.0])).sum(axis=1).round(6).tolist()
    [3.0, 1.0, 0.0]
    """
    total = received.sum()
    if total <= 0 or sent.sum() <= 0:
        return np.zeros((len(sent), len(sent)))
    wanted = received * (sent.sum() / total)
    matrix = np.outer(sent, wanted)
    np.fill_diagonal(matrix, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            matrix *= np.nan_to_num(wanted / matrix.sum(axis=0), posinf=0)[None, :]
            matrix *= np.nan_to_num(sent / matrix.sum(axis=1), posinf=0)[:, None]
    return matrix
