"""Routers whose VRFs are network namespaces: FRR's other backend, for kernels without devices for VRFs and VLANs.

``zebra -n`` takes every namespace in ``/run/netns`` for a VRF. Each router has that folder for itself, in a mount
namespace that a sleeping process holds. ``links/NAME.ip`` is obeyed line by line: an interface that would be enslaved
to a VRF is moved into the namespace instead, and a VLAN of a cable is a pair of virtual interfaces of its own. Static
routes into another VRF do not exist there.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from real_programs import SEARCHED
from router_lab import RouterLab

from fabric.rules.manifest import read_manifest

_VLAN = re.compile(r"link add link eth(\d+) name (\S+) type vlan id (\d+)")
_HOLD = "mount -t tmpfs none /run/netns && echo ready && exec sleep 600"
_SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")


class VrfLab(RouterLab):
    """A context manager as ``RouterLab``."""

    def start_vrfs(self, folder: Path) -> None:
        """Make the VRFs of every switch, and start FRR with its configuration."""
        switches = read_manifest(folder).switches
        links = {one.name: (folder / "links" / f"{one.file}.ip").read_text() for one in switches}
        self.start_in_spaces(
            links, {one.name: (folder / "switches" / f"{one.file}.conf").read_text() for one in switches}, {}
        )

    def start_in_spaces(
        self, links: dict[str, str], configurations: dict[str, str], more: dict[str, list[str]]
    ) -> None:
        """Obey the links of every switch, then more lines of shell, and start FRR."""
        self._holder: dict[int, int] = {}
        self._wire_vlans(links)
        for name, text in links.items():
            node = self.plan.topology.node(name)
            self._hold(node)
            self.inside(node, "sh", "-e", "-c", "\n".join([*_moved(text), *more.get(name, ())]))
            self.start_routing(node, configurations[name])

    def _wire_vlans(self, texts: dict[str, str]) -> None:
        """A pair of interfaces for every VLAN that both ends of a cable have."""
        topology, links = self.plan.topology, self.plan.topology.links
        has = {}
        for name, text in texts.items():
            for port, made, vlan in _VLAN.findall(text):
                has[topology.node(name), int(port), int(vlan)] = made
        batch = []
        for (node, port, vlan), made in has.items():
            back = int(links.reverse[self.ports.link(node, port)])
            far, far_port = int(links.src[back]), int(self.ports.of_link[back])
            if node < far and (far, far_port, vlan) in has:
                peer = f"peer name {has[far, far_port, vlan]} netns {self.space(far)}"
                batch.append(f"link add {made} netns {self.space(node)} type veth {peer}")
        subprocess.run(["ip", "-batch", "-"], input="\n".join(batch) + "\n", text=True, check=True)

    def cut_vlans(self, leaf: str, port: int) -> None:
        """Take a port of a switch down with all its VLANs, which here are interfaces of their own."""
        node = self.plan.topology.node(leaf)
        self.inside(node, "ip", "link", "set", f"eth{port}", "down")
        for vrf in self.inside(node, "ls", "/run/netns").split():
            rows = self.inside(node, "ip", "-n", vrf, "-o", "link")
            for name in re.findall(rf"eth{port}\.\d+", rows):
                self.inside(node, "ip", "-n", vrf, "link", "set", name, "down")

    def _hold(self, node: int) -> None:
        words = [
            "ip",
            "netns",
            "exec",
            self.space(node),
            "unshare",
            "-m",
            "--propagation",
            "private",
            "sh",
            "-c",
            _HOLD,
        ]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._processes.append(process)  # type: ignore[arg-type]
        assert process.stdout is not None
        with process.stdout as said:
            assert said.readline() == "ready\n"
        self._holder[node] = process.pid

    def _enter(self, node: int) -> list[str]:
        return ["nsenter", "-t", str(self._holder[node]), "-m", "-n"]

    def inside(self, node: int, *command: str) -> str:
        """Run a command where a router's VRFs are; its output."""
        done = subprocess.run(
            [*self._enter(node), *command], text=True, capture_output=True, env={**os.environ, "PATH": SEARCHED},
            timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{self.plan.topology.nodes.name[node]}: {' '.join(command)[:300]}: {done.stderr}")
        return done.stdout

    def daemon(self, node: int, name: str) -> list[str]:
        """Words that start a daemon of a router."""
        backend = ["-n"] if name == "zebra" else []
        return [*self._enter(node), f"/usr/lib/frr/{name}", *backend]


def _moved(text: str) -> list[str]:
    """Shell lines that do with namespaces what ``links/NAME.ip`` does with VRF devices."""
    lines = ["ip link set lo up"]
    where: dict[str, str] = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"link add (\S+) type vrf table \d+", line):
            lines += [f"ip netns add {match[1]}", f"ip -n {match[1]} link set lo up"]
            lines += [f"ip netns exec {match[1]} sysctl -qw {' '.join(_SETTINGS)}"]
        elif match := re.fullmatch(r"link set (\S+) master (\S+)", line):
            where[match[1]] = match[2]
            lines += [f"ip link set {match[1]} netns {match[2]}"]
        elif match := re.fullmatch(r"link set (\S+) up", line):
            if not match[1].lower().startswith("vrf-"):
                lines += [f"ip {f'-n {where[match[1]]} ' if match[1] in where else ''}link set {match[1]} up"]
        else:
            assert _VLAN.fullmatch(line), line
    return lines
