"""Routers and hosts of a plan as network namespaces, wired by veth pairs; routes static or by FRR."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from real_programs import SEARCHED

from fabric.rules.addressing import AddressPlan
from fabric.rules.manifest import read_manifest
from fabric.rules.ports import Ports

_COUNTER = iter(range(1_000_000))
_DAEMONS = "/usr/lib/frr"
_SEND = """
import socket, sys, time
target, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for port in range(first, first + count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("", port))
        out.sendto(b"x", (target, 4791))
"""


class RouterLab:
    """A context manager; ``plan`` is of a topology whose endpoints hang on one switch each."""

    def __init__(self, plan: AddressPlan) -> None:
        self.plan = plan
        self.ports = Ports(plan.topology)
        self.name = f"fabr{os.getpid()}x{next(_COUNTER)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.folder.chmod(0o755)  # FRR's daemons become another user
        self.switches = plan.switches.tolist()
        self.hosts = plan.node_at.tolist()
        self._spaces: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def space(self, node: int) -> str:
        """Namespace of a node."""
        return f"{self.name}n{node}"

    def __enter__(self) -> RouterLab:
        self._old = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        try:
            self._wire()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._old)

    def run(self, node: int, *command: str, check: bool = True, text: str | None = None) -> str:
        """Run a command on a node; its output."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.space(node), *command], input=text, text=True, capture_output=True,
            env={**os.environ, "PATH": SEARCHED}, timeout=60, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{self.plan.topology.nodes.name[node]}: {' '.join(command)[:300]}: {done.stderr}")
        return done.stdout

    def _wire(self) -> None:
        topology, links = self.plan.topology, self.plan.topology.links
        batch = []
        for node in [*self.switches, *self.hosts]:
            batch.append(f"netns add {self.space(node)}")
            self._spaces.append(self.space(node))
        for link in np.flatnonzero(topology.is_cable).tolist():
            src, dst, back = int(links.src[link]), int(links.dst[link]), int(links.reverse[link])
            ends = [(src, int(self.ports.of_link[link])), (dst, int(self.ports.of_link[back]))]
            one, other = (f"eth{port}" for _, port in ends)
            batch.append(f"link add {one} netns {self.space(src)} type veth peer name {other} netns {self.space(dst)}")
        subprocess.run(["ip", "-batch", "-"], input="\n".join(batch) + "\n", text=True, check=True)
        settings = [
            "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.fib_multipath_hash_policy=1",
            "net.ipv6.fib_multipath_hash_policy=1", "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0",
        ]  # fmt: skip
        for node in [*self.switches, *self.hosts]:
            self.run(node, "sysctl", "-qw", *settings)
            ups = ["link set lo up", *(f"link set eth{port} up" for port in range(1, len(self.ports.links(node)) + 1))]
            self.run(node, "ip", "-batch", "-", text="\n".join(ups) + "\n")
        for node in self.hosts:
            self._address_host(node)

    def _address_host(self, node: int) -> None:
        from ipaddress import ip_address

        gateway = ip_address(self.plan.gateway(4, int(self.plan.site_of[node])))
        lines = [
            f"address add {self.plan.ipv4(node)}/32 dev eth1",
            f"route add {gateway} dev eth1",
            f"route add default via {gateway} dev eth1",
        ]
        self.run(node, "ip", "-batch", "-", text="\n".join(lines) + "\n")

    # ---- routes -------------------------------------------------------------------------------------------------

    def load_static(self, folder: Path) -> None:
        """Load an export of dialect static."""
        for entry in read_manifest(folder).switches:
            node = self.plan.topology.node(entry.name)
            self.run(node, "ip", "-batch", str(folder / "switches" / f"{entry.file}.routes"))

    def start_frr(self, folder: Path) -> None:
        """Start zebra, staticd and bgpd of every switch with the files of an export of dialect frr."""
        for entry in read_manifest(folder).switches:
            text = (folder / "switches" / f"{entry.file}.conf").read_text(encoding="utf-8")
            self.start_routing(self.plan.topology.node(entry.name), text)

    def start_routing(self, node: int, configuration: str) -> None:
        """Start zebra, staticd and bgpd of one switch."""
        home = self.folder / f"n{node}"
        home.mkdir()
        (home / "frr.conf").write_text(configuration, encoding="utf-8")
        shutil.chown(home, "frr", "frr")
        shutil.chown(home / "frr.conf", "frr", "frr")
        for daemon in ("zebra", "staticd", "bgpd"):
            words = [
                *self.daemon(node, daemon), "-z", f"{home}/zserv", "-i", f"{home}/{daemon}.pid", "--vty_socket",
                str(home), "-f", f"{home}/frr.conf", "--log", f"file:{home}/{daemon}.log",
            ]  # fmt: skip
            self._processes.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            if daemon == "zebra":
                wait_for((home / "zserv").exists, 10)

    def daemon(self, node: int, name: str) -> list[str]:
        """Words that start a daemon of a router."""
        return ["ip", "netns", "exec", self.space(node), f"{_DAEMONS}/{name}"]

    def routes(self, node: int) -> dict[str, dict[int, int]]:
        """The kernel's IPv4 routes: prefix -> port -> weight; blackholes have no ports."""
        found: dict[str, dict[int, int]] = {}
        for row in json.loads(self.run(node, "ip", "-j", "-4", "route", "show") or "[]"):
            hops: list[dict[str, Any]] = row.get("nexthops") or ([row] if row.get("dev") else [])
            ports = {int(hop["dev"].removeprefix("eth")): int(hop.get("weight", 1)) for hop in hops}
            target = row["dst"] if "/" in row["dst"] else f"{row['dst']}/32"
            found[target] = ports
        return found

    def cut(self, link: int) -> None:
        """Take both ends of a wire down."""
        links = self.plan.topology.links
        for end in (link, int(links.reverse[link])):
            self.run(int(links.src[end]), "ip", "link", "set", f"eth{self.ports.of_link[end]}", "down")

    # ---- traffic ------------------------------------------------------------------------------------------------

    def ping_all(self) -> list[tuple[str, str]]:
        """Every host pings every other; pairs without an answer."""
        names = self.plan.topology.nodes.name
        targets = {str(self.plan.ipv4(node)): node for node in self.hosts}
        script = "; ".join(f"ping -n -c 1 -W 2 {target} >/dev/null && echo {target}" for target in targets)
        running = [
            (node, subprocess.Popen(
                ["ip", "netns", "exec", self.space(node), "sh", "-c", script], stdout=subprocess.PIPE, text=True
            )) for node in self.hosts
        ]  # fmt: skip
        lost = []
        for node, process in running:
            answered = set(process.communicate(timeout=120)[0].split())
            lost += [(names[node], names[other]) for target, other in targets.items() if target not in answered]
        return lost

    def sent(self, node: int, ports: list[int]) -> np.ndarray:
        """Packets sent out of ports so far."""
        path = "/sys/class/net/eth{}/statistics/tx_packets"
        return np.array([int(self.run(node, "cat", path.format(port))) for port in ports])

    def send(self, src: int, dst: int, *, flows: int, first_port: int = 20_000) -> None:
        """One UDP packet of each of many source ports."""
        self.run(src, "python3", "-c", _SEND, str(self.plan.ipv4(dst)), str(first_port), str(flows))


def wait_for(done: Any, seconds: float) -> bool:
    """Ask until it is true or time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.1)
    return bool(done())
