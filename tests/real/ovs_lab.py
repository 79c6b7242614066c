"""A private Open vSwitch in network namespaces: one bridge per switch of a plan, one namespace per host.

Everything has its own folder, sockets and namespaces, named by our process id; what was started is stopped by pid, also
when a test fails or is terminated.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from real_programs import SEARCHED
from unixctl import Control

from fabric.rules.addressing import AddressPlan
from fabric.rules.manifest import read_manifest
from fabric.rules.ports import Ports

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_ON_THE_WAY = 20  # packets that may be unanswered when a ping is stopped
_COUNTER = iter(range(1_000_000))
_SEND = """
import socket, sys, time
target, first, count, dst_port = sys.argv[1], *map(int, sys.argv[2:])
for port in range(first, first + count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        out.bind(("", port))
        out.sendto(b"x" * 64, (target, dst_port))
    time.sleep(0.0004)  # every flow is new to every switch: they work a queue of them
"""


@dataclass
class Pinged:
    """Packets of a ping that has ended."""

    sent: int = 0
    lost: int = 0


class OvsLab:
    """Bridges, wires and hosts of one fabric; a context manager.

    Parameters
    ----------
    plan : AddressPlan
        Of a topology whose endpoints hang on one switch each.
    wires : str
        ``veth``: real wires between bridges, each of which hashes anew; ``patch``: quicker.
    hosts : bool
        Whether endpoints get namespaces, or their ports are left out.
    """

    def __init__(self, plan: AddressPlan, *, wires: str = "veth", hosts: bool = True) -> None:
        self.plan = plan
        self.ports = Ports(plan.topology)
        self.wires = wires
        self.with_hosts = hosts
        self.name = f"fab{os.getpid()}x{next(_COUNTER)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.host_names: dict[int, str] = {}
        self.pids: list[int] = []
        self._spaces: list[str] = []
        self._control: Control | None = None

    # ---- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> OvsLab:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._control is not None:
            self._control.__exit__(None, None, None)
        for pid in reversed(self.pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while any(map(_alive, self.pids)) and time.monotonic() < until:
            time.sleep(0.01)
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)

    def _start(self) -> None:
        self._space(self.name)
        socket = self.folder / "db.sock"
        self.run("ovsdb-tool", "create", str(self.folder / "conf.db"), _SCHEMA)
        quiet = ["-vconsole:off", "--detach"]
        self.run(
            "ovsdb-server", str(self.folder / "conf.db"), f"--remote=punix:{socket}",
            f"--pidfile={self.folder}/db.pid", f"--log-file={self.folder}/db.log", *quiet,
        )  # fmt: skip
        self.pids.append(int((self.folder / "db.pid").read_text()))
        self.run("ovs-vsctl", "--no-wait", "init")
        self.run(
            "ovs-vswitchd", f"unix:{socket}", f"--pidfile={self.folder}/sw.pid", f"--log-file={self.folder}/sw.log",
            *quiet,
        )  # fmt: skip
        self.pids.append(int((self.folder / "sw.pid").read_text()))
        self._bridges()
        self._links()

    def _space(self, name: str) -> None:
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._spaces.append(name)
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in the namespace of the switches; its output."""
        return self._run(self.name, command, check=check)

    def on_host(self, node: int, *command: str, check: bool = True) -> str:
        """Run a command on a host."""
        return self._run(self.host_names[node], command, check=check)

    def _run(self, space: str, command: Sequence[str], *, check: bool) -> str:
        places = {f"OVS_{kind}DIR": str(self.folder) for kind in ("RUN", "LOG", "DB", "SYSCONF")}
        words = list(command)
        if words[0] == "ovs-vsctl":
            words.insert(1, f"--db=unix:{self.folder}/db.sock")
        done = subprocess.run(
            ["ip", "netns", "exec", space, *words], env={**os.environ, **places, "PATH": SEARCHED},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(words)[:400]}: exit {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    # ---- building ----------------------------------------------------------------------------------------------------

    def bridge(self, node: int) -> str:
        """Bridge of a switch."""
        return f"s{self.plan.switch_index[node]}"

    def port_name(self, node: int, port: int) -> str:
        """Interface of a switch's port."""
        return f"{self.bridge(node)}p{port}"

    def _bridges(self) -> None:
        words: list[str] = []
        for node in self.plan.switches.tolist():
            name = self.bridge(node)
            words += [
                "--", "add-br", name, "--", "set", "bridge", name, "datapath_type=netdev", "fail_mode=secure",
                "protocols=OpenFlow13,OpenFlow15", f"other_config:datapath-id={self.plan.datapath(node):016x}",
            ]  # fmt: skip
        self.run("ovs-vsctl", *words[1:])

    def _links(self) -> None:
        topology, links = self.plan.topology, self.plan.topology.links
        forwards = topology.nodes.forwards
        words: list[str] = []
        batch: list[str] = []
        for link in range(len(links)):
            src, back = int(links.src[link]), int(links.reverse[link])
            dst = int(links.dst[link])
            if not forwards[src] or (not forwards[dst] and not self.with_hosts):
                continue
            port = int(self.ports.of_link[link])
            name = self.port_name(src, port)
            add = ["--", "add-port", self.bridge(src), name, "--", "set", "interface", name, f"ofport_request={port}"]
            if not forwards[dst]:
                batch += self._host(dst, name)
            else:
                far = self.port_name(dst, int(self.ports.of_link[back]))
                if self.wires == "patch":
                    add += ["type=patch", f"options:peer={far}"]
                elif topology.is_cable[link]:
                    batch += [f"link add {name} type veth peer name {far}", f"link set {name} up", f"link set {far} up"]
            words += add
        self._batch(self.name, batch)
        self.run("ovs-vsctl", *words[1:])
        for node in self.host_names:
            self._address(node)

    def _host(self, node: int, port: str) -> list[str]:
        name = f"{self.name}h{len(self.host_names)}"
        self.host_names[node] = name
        self._space(name)
        return [f"link add {port} type veth peer name eth0 netns {name}", f"link set {port} up"]

    def _batch(self, space: str, lines: Sequence[str]) -> None:
        if lines:
            done = subprocess.run(
                ["ip", "-n", space, "-batch", "-"], input="\n".join(lines) + "\n", text=True, capture_output=True,
                check=False,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(done.stderr)

    def _address(self, node: int) -> None:
        plan = self.plan
        lines = [
            f"link set eth0 address {plan.mac(node)}",
            f"addr add {plan.ipv4(node)}/{plan.underlay.prefixlen} dev eth0",
            f"addr add {plan.ipv6(node)}/{plan.underlay6.prefixlen} dev eth0 nodad",
            "link set eth0 up",
        ]
        for other in self.host_names:
            if other != node:
                for address in (plan.ipv4(other), plan.ipv6(other)):
                    lines.append(f"neigh add {address} lladdr {plan.mac(other)} dev eth0 nud permanent")
        space = self.host_names[node]
        self._batch(space, lines)
        # Without this, TCP and UDP over veth into the userspace datapath have wrong checksums and are dropped.
        self.on_host(node, "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off")

    # ---- tables ------------------------------------------------------------------------------------------------------

    def load(self, folder: Path) -> None:
        """Load an export of dialect ovs by its own ``load.sh``, all bridges in one call."""
        self.load_stems(folder, {entry.name: entry.file for entry in read_manifest(folder).switches})

    def load_stems(self, folder: Path, stems: Mapping[str, str]) -> None:
        """The same without a manifest: names of files by names of switches."""
        node = self.plan.topology.node
        self.run("sh", str(folder / "load.sh"), *(f"{stem}={self.bridge(node(name))}" for name, stem in stems.items()))

    def load_files(self, bridge: str, groups: Path | None, flows: Path | None) -> None:
        """Add groups and flows of files to a bridge."""
        if groups is not None and groups.read_text():
            self.run("ovs-ofctl", "-O", "OpenFlow15", "add-groups", bridge, str(groups))
        if flows is not None and flows.read_text():
            self.run("ovs-ofctl", "-O", "OpenFlow15", "--bundle", "add-flows", bridge, str(flows))

    def dump_flows(self, bridge: str) -> str:
        """Flows of a bridge, without statistics."""
        return self.run("ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "--no-names", "dump-flows", bridge)

    def dump_groups(self, bridge: str) -> str:
        """Groups of a bridge."""
        return self.run("ovs-ofctl", "-O", "OpenFlow15", "--no-names", "dump-groups", bridge)

    def diff_flows(self, bridge: str, flows: Path) -> str:
        """What differs between a flows file and a bridge; empty: nothing."""
        return self.run("ovs-ofctl", "-O", "OpenFlow15", "diff-flows", str(flows), bridge, check=False)

    def control(self, command: str, *arguments: str) -> str:
        """A command of ``ovs-appctl``, without a process: thousands are quick."""
        if self._control is None:
            self._control = Control(self.folder / f"ovs-vswitchd.{self.pids[1]}.ctl")
        return self._control(command, *arguments)

    def trace(self, node: int, flow: str) -> str:
        """``ofproto/trace`` of a flow that enters a switch, such as ``in_port=1,udp,nw_dst=10.0.0.1,dp_hash=3``."""
        return self.control("ofproto/trace", self.bridge(node), flow)

    def traced_bucket(self, node: int, flow: str) -> int:
        """Bucket that ``ofproto/trace`` takes, -1 when no group deals or no bucket is live."""
        found = re.findall(r"using bucket (\d+)", self.trace(node, flow))
        return int(found[-1]) if found else -1

    def bucket_packets(self, node: int) -> dict[int, list[int]]:
        """Packets of every bucket of every group of a switch."""
        self.control("revalidator/purge")  # counters lag by up to a second otherwise
        found = {}
        for line in self.run("ovs-ofctl", "-O", "OpenFlow15", "dump-group-stats", self.bridge(node)).splitlines():
            if match := re.search(r"group_id=(\d+)", line):
                buckets = re.findall(r"bucket(\d+):packet_count=(\d+)", line)
                found[int(match[1])] = [int(count) for _, count in sorted(buckets, key=lambda one: int(one[0]))]
        return found

    def sent_packets(self, node: int) -> dict[int, int]:
        """Packets that left a switch by each of its ports; patch ports count too."""
        self.control("revalidator/purge")
        text = self.run("ovs-ofctl", "-O", "OpenFlow15", "--no-names", "dump-ports", self.bridge(node))
        found = re.findall(r"port\s+(\d+): rx .*?\n\s+tx pkts=(\d+)", text)
        return {int(port): int(count) for port, count in found}

    # ---- traffic -----------------------------------------------------------------------------------------------------

    def ping_all(self, *, family: int = 4) -> list[tuple[str, str]]:
        """Every host pings every other once; pairs that got no answer."""
        names = self.plan.topology.nodes.name
        running = []
        for src in self.host_names:
            targets = [str(self.plan.ipv4(dst) if family == 4 else self.plan.ipv6(dst)) for dst in self.host_names]
            script = "; ".join(
                f"ping -{family} -n -c 1 -W 2 {target} >/dev/null && echo {target}" for target in targets
            )
            running.append((src, subprocess.Popen(
                ["ip", "netns", "exec", self.host_names[src], "sh", "-c", script], stdout=subprocess.PIPE, text=True
            )))  # fmt: skip
        lost = []
        for src, process in running:
            with process:  # which waits for it, also after an error
                try:
                    answered = set(process.communicate(timeout=120)[0].split())
                except BaseException:
                    for _, other in running:
                        other.kill()
                    raise
            for dst in self.host_names:
                target = str(self.plan.ipv4(dst) if family == 4 else self.plan.ipv6(dst))
                if target not in answered:
                    lost.append((names[src], names[dst]))
        return lost

    def unreached(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
        """Pairs of hosts between which none of some packets is answered."""
        names = self.plan.topology.nodes.name
        running = [
            subprocess.Popen(
                ["ip", "netns", "exec", self.host_names[src], "ping", "-n", "-c", "5", "-i", "0.1", "-W", "2",
                 str(self.plan.ipv4(dst))],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for src, dst in pairs
        ]  # fmt: skip
        codes = [process.wait(30) for process in running]
        return [(names[src], names[dst]) for (src, dst), code in zip(pairs, codes, strict=True) if code]

    @contextlib.contextmanager
    def pinging(self, src: int, dst: int, *, every_s: float = 0.01) -> Iterator[Pinged]:
        """Ping all the time; what is sent and lost is known at the end."""
        with self.pinging_all([(src, dst)], every_s=every_s) as (found,):
            yield found

    @contextlib.contextmanager
    def pinging_all(self, pairs: Sequence[tuple[int, int]], *, every_s: float = 0.02) -> Iterator[list[Pinged]]:
        """Ping between many pairs of hosts all the time.

        The last packets are left out: ping is stopped while answers to them are on their way.
        """
        found = [Pinged() for _ in pairs]
        running = [
            subprocess.Popen(
                ["ip", "netns", "exec", self.host_names[src],
                 "ping", "-n", "-i", str(every_s), str(self.plan.ipv4(dst))],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
            for src, dst in pairs
        ]  # fmt: skip
        texts = [""] * len(running)

        def read(place: int) -> None:
            stream = running[place].stdout
            assert stream is not None
            with stream:
                texts[place] = stream.read()

        # Read all the time: a pipe that is full would stop a ping.
        readers = [threading.Thread(target=read, args=(place,)) for place in range(len(running))]
        for reader in readers:
            reader.start()
        try:
            yield found
            time.sleep(2 * _ON_THE_WAY * every_s)
        finally:
            for process in running:
                process.send_signal(signal.SIGINT)
            for process, reader in zip(running, readers, strict=True):
                process.wait(10)
                reader.join(10)
        for pinged, text in zip(found, texts, strict=True):
            counts = re.search(r"(\d+) packets transmitted, (\d+) received", text)
            if counts is None:
                raise RuntimeError(f"ping said nothing: {text[-400:]}")
            pinged.sent = max(int(counts[1]) - _ON_THE_WAY, 0)
            answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", text)}
            pinged.lost = len(set(range(1, pinged.sent + 1)) - answered)

    def send(self, src: int, dst: int, *, flows: int, first_port: int = 20_000, dst_port: int = 4791) -> None:
        """One UDP packet of each of many source ports."""
        target = str(self.plan.ipv4(dst))
        self.on_host(src, "python3", "-c", _SEND, target, str(first_port), str(flows), str(dst_port))
        time.sleep(0.2)

    def cut(self, link: int) -> None:
        """Take a wire between two switches down."""
        links = self.plan.topology.links
        for end in (link, int(links.reverse[link])):
            name = self.port_name(int(links.src[end]), int(self.ports.of_link[end]))
            self.run("ip", "link", "set", name, "down")
        self.settle()

    def settle(self) -> None:
        """Wait until the switches have seen what became of their ports."""
        self.control("revalidator/wait")
        time.sleep(0.3)


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def lab(plan: AddressPlan, **keys: object) -> Iterator[OvsLab]:
    """An ``OvsLab``, up."""
    with OvsLab(plan, **keys) as made:  # type: ignore[arg-type]
        yield made
