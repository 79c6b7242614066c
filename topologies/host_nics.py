"""Hosts of a file and their NICs: which endpoints are NIC i of which host.

A file names adapters (``node0 mlx5_0``) or ports (``node0`` on ``eth0`` and ``eth1``). A host whose NICs are shared is
one endpoint with all their cables; one whose NICs are per GPU is an endpoint for each. NICs are in the order of the
numbers in their names (``mlx5_10`` after ``mlx5_9``), ports without names in the order of the file's cables.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from topologies.errors import FormatError
from topologies.host_roles import (
    SWITCH,
    HostKeys,
    NodeFacts,
    given_role,
    guessed_hosts,
    is_told,
    matching,
    no_match,
    some,
    with_hosts,
    with_roles,
    word_kind,
)
from topologies.hosts import HostGroup
from topologies.rebuilt import CableEnd, RebuiltTopology
from topologies.tables import ENDPOINT_ROLES
from topologies.topology import Topology

_SEPARATORS = " ._:/-"


@dataclass(frozen=True)
class SettledHosts:
    """A topology whose hosts are decided, what was assumed, and the endpoints of every host in NIC order."""

    topology: Topology
    notes: tuple[str, ...] = ()
    endpoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def in_number_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts names by the numbers in them.

    >>> sorted(["mlx5_10", "mlx5_9"], key=in_number_order)
    ['mlx5_9', 'mlx5_10']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(part[:18]), part) if part.isdecimal() else (0, 0, part) for part in parts)


def nic_template(template: str) -> re.Pattern[str]:
    """A template of endpoint names such as ``{host} {nic}`` as a pattern.

    Raises
    ------
    ValueError
        When it has no ``{host}``, or another field than ``{host}`` and ``{nic}``.

    >>> nic_template("{host}-{nic}").fullmatch("gpu-node-3-p1").groups()
    ('gpu-node-3', 'p1')
    """
    pattern, fields = "", []
    for text, name, spec, conversion in string.Formatter().parse(template):
        pattern += re.escape(text)
        if name is None:
            continue
        if name not in ("host", "nic") or spec or conversion or name in fields:
            raise ValueError(f"template {template!r} has {{{name}}}; use {{host}} and {{nic}}, each once")
        fields.append(name)
        pattern += f"(?P<{name}>.+)" if name == "host" else f"(?P<{name}>[^/]+?)"
    if "host" not in fields:
        raise ValueError(f"template {template!r} has no {{host}}")
    return re.compile(pattern)


def settle_hosts(
    topology: Topology,
    facts: NodeFacts,
    keys: HostKeys = HostKeys(),
    groups: Sequence[HostGroup] = (),
    *,
    file: str,
) -> SettledHosts:
    """Decide which nodes of a file are hosts, and join or split their endpoints into NICs.

    Parameters
    ----------
    groups
        Node groups of the scenario on this fabric.
    file
        Name of the file, for notes and errors.

    Raises
    ------
    FormatError
        FP6013, when keys or node groups and the file do not agree.
    """
    return _Settling(topology, facts, keys, groups, file).settled()


class _Settling:
    """The steps of `settle_hosts`, and what they say."""

    def __init__(
        self, topology: Topology, facts: NodeFacts, keys: HostKeys, groups: Sequence[HostGroup], file: str
    ) -> None:
        self.topology, self.facts, self.keys, self.groups, self.file = topology, facts, keys, groups, file
        self.names = topology.nodes.name
        self.told = is_told(topology, facts)
        self.notes: list[str] = []
        self.wanted = {host: group for group in groups for host in group.hosts}
        self.adapters = self._adapters()
        self.of_host: dict[str, list[int]] = {}
        for node, name in enumerate(self.names):
            host = self.adapters[name][0] if name in self.adapters else name
            self.of_host.setdefault(host, []).append(node)
        for nodes in self.of_host.values():
            nodes.sort(key=lambda node: in_number_order(self._adapter(node)))

    def _adapter(self, node: int) -> str:
        return self.adapters.get(self.names[node], ("", ""))[1]

    def _label(self, name: str) -> str:
        return self.facts.labels.get(name, "")

    # ---- which endpoints belong together --------------------------------------------------------------------------

    def _adapters(self) -> dict[str, tuple[str, str]]:
        """Host and adapter by the name of an endpoint."""
        if self.keys.nics is None:
            adapters = dict(self.facts.adapters)
        else:
            pattern = nic_template(self.keys.nics)
            adapters = {}
            for node, name in enumerate(self.names):
                match = pattern.fullmatch(self._label(name)) or pattern.fullmatch(name)
                if match is None or not self._may_be_host(node, match["host"]):
                    continue
                parts = match.groupdict()
                adapters[name] = (parts["host"], parts.get("nic", ""))
            if not adapters:
                raise no_match("nics", self.keys.nics, self.topology, self.file)
        hosts = {host for host, _ in adapters.values()}
        missing = [host for host in self.wanted if host not in hosts and not self.topology.has_node(host)]
        if missing and self.keys.nics is None:
            adapters |= self._by_prefix(missing, adapters)
        twice = sorted({host for (host, _), count in Counter(adapters.values()).items() if count > 1})
        if twice:
            self.notes.append(
                f"several machines of {self.file} call themselves {some(twice)}: each adapter of theirs is a host of "
                "its own"
            )
        return {name: pair for name, pair in adapters.items() if pair[0] not in twice}

    def _may_be_host(self, node: int, host: str) -> bool:
        """Whether the user or the file lets a node that fits the template be a host's."""
        name, nodes = self.names[node], self.topology.nodes
        if self.keys.hosts:
            return any(
                matching(pattern, name, self._label(name)) or matching(pattern, host) for pattern in self.keys.hosts
            )
        if host in self.wanted:
            return True
        if self.told:
            return bool(nodes.nics[node] > 0 and not nodes.forwards[node])
        return not self.wanted and (self.facts.clues.get(name) or word_kind(name)) != SWITCH

    def _by_prefix(self, hosts: Sequence[str], adapters: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        """Endpoints whose names are a listed host's with something after it: ``n0-eth1``, ``n0.example.org``."""
        wanted, joined = set(hosts), {}
        for name in self.names:
            if name in adapters:
                continue
            for place in (place for place, sign in enumerate(name) if sign in _SEPARATORS):
                if name[:place] in wanted:
                    joined[name] = (name[:place], name[place + 1 :])
                    break
        if joined:
            name, (host, _) = next(iter(joined.items()))
            self.notes.append(
                f"{len(joined):,} nodes of {self.file} are taken for NICs of the hosts their names begin with, such as "
                f"{name} for {host}; nics: beside path says otherwise"
            )
        return joined

    # ---- which nodes are hosts ------------------------------------------------------------------------------------

    def _listed(self) -> set[int]:
        """Nodes of the hosts that the scenario's node groups list."""
        for group in self.groups:
            absent = [host for host in group.hosts if host not in self.of_host]
            if absent and len(absent) < len(group.hosts):
                self.notes.append(
                    f"{len(absent):,} of the {len(group.hosts):,} hosts of group {group.name} are not in {self.file}: "
                    f"{some(absent)}"
                )
            elif absent:
                self.notes.append(
                    f"no host of group {group.name}, such as {absent[0]}, is in {self.file}; name: is the template of "
                    "their names"
                )
        return {node for host in self.wanted for node in self.of_host.get(host, ())}

    def _hosts(self) -> Topology:
        """The topology with its hosts decided, before NICs are joined or split."""
        nodes = self.topology.nodes
        host = ((nodes.nics > 0) & ~nodes.forwards) if self.told else np.zeros(len(nodes), dtype=np.bool_)
        listed = self._listed()
        if self.keys.hosts:
            host[:] = False
            for pattern in self.keys.hosts:
                fitting = [
                    node
                    for node, name in enumerate(self.names)
                    if matching(pattern, name, self._label(name))
                    or matching(pattern, self.adapters.get(name, (name, ""))[0])
                ]
                if not fitting:
                    raise no_match("hosts", pattern, self.topology, self.file)
                host[fitting] = True
            host[sorted(listed)] = True
            return with_hosts(self.topology, host, told=self.told)
        words = [self.topology.roles[code] for code in nodes.role.tolist()]
        fresh = [node for node in sorted(listed) if words[node] not in ENDPOINT_ROLES]
        by_template = [node for node, name in enumerate(self.names) if name in self.adapters] if self.keys.nics else []
        if self.told and not fresh:
            return self.topology  # hosts that the file says forward, forward
        host[fresh] = True
        host[by_template] = True
        if not self.told:
            host[self._hosts_by_role()] = True
        if self.told:
            self.notes.append(
                f"the node groups make hosts of {some([self.names[node] for node in fresh])}, which {self.file} has as "
                f"{some(sorted({words[node] for node in fresh}))}"
            )
            return with_hosts(self.topology, host, told=True, others=False)
        more, why = guessed_hosts(self.topology, self.facts, frozenset(np.flatnonzero(host).tolist()))
        more -= self._with_a_role
        host[sorted(more)] = True
        if len(self._with_a_role) < len(host):
            self._say_guess(host, more, why)
        return with_hosts(self.topology, host, told=False) if host.any() else self.topology

    @cached_property
    def _role_of(self) -> dict[int, str]:
        """Roles that the scenario gives by pattern."""
        return {
            node: role
            for node, name in enumerate(self.names)
            if (role := given_role(self.keys.roles, name, self._label(name))) is not None
        }

    @property
    def _with_a_role(self) -> set[int]:
        return set(self._role_of)

    def _hosts_by_role(self) -> list[int]:
        return [node for node, role in self._role_of.items() if role in ENDPOINT_ROLES]

    def _say_guess(self, host: np.ndarray, more: set[int], why: str) -> None:
        override = "hosts: [PATTERN, ...] beside path says otherwise"
        if more:
            names = [self.names[node] for node in sorted(more)]
            self.notes.append(
                f"{self.file} does not say what its nodes are: {some(names)} are taken for hosts, {why}; they end "
                f"traffic and never forward, all others forward and end none; {override}"
            )
        elif host.any():
            self.notes.append(
                f"{self.file} does not say what its nodes are: {int(host.sum()):,} are hosts as the scenario says, the "
                f"other {int((~host).sum()):,} are switches that end no traffic; {override}"
            )
        else:
            self.notes.append(
                f"{self.file} does not say what its nodes are: all {len(host):,} are taken for routers, which send, "
                f"end and forward traffic; {override}, and so do nodes: of their names"
            )

    # ---- NICs -----------------------------------------------------------------------------------------------------

    def settled(self) -> SettledHosts:
        """All steps."""
        base = with_roles(self._hosts(), self.keys.roles, self.facts, self.file)
        rebuilt = RebuiltTopology(base)
        is_host = ((base.nodes.nics > 0) & ~base.nodes.forwards).tolist()
        endpoints: dict[str, tuple[str, ...]] = {}
        joined: list[str] = []
        several = any(len(nodes) > 1 and all(is_host[node] for node in nodes) for nodes in self.of_host.values())
        for host, all_nodes in self.of_host.items():
            nodes = [node for node in all_nodes if base.nodes.nics[node] > 0]
            if not nodes or not (host in self.wanted or all(is_host[node] for node in nodes)):
                continue
            group = self.wanted.get(host)
            nodes = self._selected(base, rebuilt, host, nodes, needed=group is not None)
            if group is not None and group.rail == "per-gpu":
                endpoints[host] = self._per_gpu(base, rebuilt, host, nodes, group)
            elif len(nodes) > 1 or (several and host != self.names[nodes[0]]):
                nics = len(nodes) if group is None else self._shared_nics(base, host, nodes, group)
                rebuilt.join(host, nodes, nics)
                endpoints[host] = (host,)
                joined += [host] if len(nodes) > 1 and group is None else []
            else:
                if group is not None:
                    rebuilt.nics[nodes[0]] = self._shared_nics(base, host, nodes, group)
                endpoints[host] = (self.names[nodes[0]],)
        self._check_adapters_used(endpoints)
        self._say_joined(joined)
        self._say_order(endpoints)
        self._say_speeds(base)
        return SettledHosts(rebuilt.topology(self.file), tuple(self.notes), endpoints)

    @cached_property
    def _links_of(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Links that leave every node, and one-way links that arrive at it."""
        links = self.topology.links
        leaving: dict[int, list[int]] = {}
        arriving: dict[int, list[int]] = {}
        for link, (src, dst, mate) in enumerate(
            zip(links.src.tolist(), links.dst.tolist(), links.reverse.tolist(), strict=True)
        ):
            leaving.setdefault(src, []).append(link)
            if mate < 0:
                arriving.setdefault(dst, []).append(link)
        return leaving, arriving

    def _ends(self, base: Topology, nodes: Sequence[int]) -> list[CableEnd]:
        """Cable ends of some nodes in the order of NICs."""
        names = base.src_port_names
        ends: list[CableEnd] = []
        for node in nodes:
            leaving, arriving = (by_node.get(node, []) for by_node in self._links_of)
            own = [CableEnd(link, True, node, self._adapter(node), names[link] if names else "") for link in leaving]
            own += [CableEnd(link, False, node, self._adapter(node), "") for link in arriving]
            ends += sorted(own, key=lambda end: in_number_order(end.port))
        return ends

    def _selected(
        self, base: Topology, rebuilt: RebuiltTopology, host: str, nodes: list[int], *, needed: bool
    ) -> list[int]:
        """Nodes of a host that ``adapters`` names, in its order; the others go. Ports are chosen in `_nic_ends`."""
        wanted = self.keys.adapters
        there = {self._adapter(node): node for node in nodes}
        if not wanted or len(nodes) == 1 or (not needed and not set(wanted) <= set(there)):
            return nodes
        missing = [adapter for adapter in wanted if adapter not in there]
        if missing:
            raise FormatError(
                f"{host} has no adapter {missing[0]!r} in {self.file}",
                where="adapters",
                hint=f"it has {', '.join(there)}",
                code="FP6013",
            )
        left = [node for node in nodes if self._adapter(node) not in wanted]
        rebuilt.leave_out(left)
        self._say_left_out(left)
        return [there[adapter] for adapter in wanted]

    def _say_left_out(self, left: Sequence[int]) -> None:
        text = f"adapters that adapters: does not name are left out of {self.file}, such as "
        if left and not any(note.startswith(text) for note in self.notes):
            self.notes.append(text + self.names[left[0]])

    def _check_adapters_used(self, endpoints: Mapping[str, tuple[str, ...]]) -> None:
        if self.keys.adapters and not endpoints:
            raise FormatError(
                f"adapters: no host of {self.file} is known", where="adapters", hint="say hosts: too", code="FP6013"
            )

    def _nic_ends(self, base: Topology, host: str, nodes: Sequence[int]) -> list[CableEnd]:
        """Cable ends of a host; those ``adapters`` names, in its order, where they are ports of one node."""
        ends, wanted = self._ends(base, nodes), self.keys.adapters
        if not wanted or len(nodes) > 1:
            return ends
        there = {end.port: end for end in ends}
        missing = [port for port in wanted if port not in there]
        if missing:
            raise FormatError(
                f"{host} has no port {missing[0]!r} in {self.file}",
                where="adapters",
                hint=f"it has {', '.join(there)}",
                code="FP6013",
            )
        return [there[port] for port in wanted]

    def _per_gpu(
        self, base: Topology, rebuilt: RebuiltTopology, host: str, nodes: list[int], group: HostGroup
    ) -> tuple[str, ...]:
        """Endpoints of a host whose NICs belong to GPUs, NIC by NIC."""
        ends = self._nic_ends(base, host, nodes)
        if len(nodes) == group.nics and (len(nodes) > 1 or not self.keys.adapters):
            self._shared_nics(base, host, nodes, group)
            for nic, node in enumerate(nodes):
                rebuilt.rail[node] = nic
                rebuilt.nics[node] = group.ports
            return tuple(self.names[node] for node in nodes)
        if len(ends) != group.nics * group.ports:
            raise self._wrong_count(host, nodes, ends, group)
        if group.nics == 1:
            rebuilt.join(host, nodes, group.ports)
            return (host,)
        made = []
        for nic in range(group.nics):
            own = ends[nic * group.ports : (nic + 1) * group.ports]
            name = f"{host}.{own[0].port}" if group.ports == 1 and own[0].port else f"{host}.nic{nic}"
            rebuilt.split(name, own, rail=nic)
            made.append(name)
        rebuilt.leave_out(nodes)
        return tuple(made)

    def _wrong_count(self, host: str, nodes: Sequence[int], ends: Sequence[CableEnd], group: HostGroup) -> FormatError:
        there = [self._adapter(node) for node in nodes] if len(nodes) > 1 else [end.port or "a cable" for end in ends]
        plural = "" if group.ports == 1 else f" of {group.ports} ports"
        return FormatError(
            f"group {group.name} has {group.nics} NICs{plural} a host, {host} has {len(there)} in {self.file}: "
            f"{some(there, 20)}",
            hint=f"count: {len(there)} for the NICs of {group.name}, or adapters: [...] beside path for those meant",
            code="FP6013",
        )

    def _shared_nics(self, base: Topology, host: str, nodes: Sequence[int], group: HostGroup) -> int:
        """NIC ports of a host whose NICs are shared: what its group says; the cables are the file's."""
        cables = len(self._ends(base, nodes))
        said = group.nics * group.ports
        text = f"group {group.name} has {said} NIC ports a host, and hosts in {self.file} have other numbers of cables"
        if cables != said and not any(note.startswith(text) for note in self.notes):
            self.notes.append(f"{text}, such as {host} {cables}: the file's cables hold")
        return said

    def _say_joined(self, joined: Sequence[str]) -> None:
        if joined:
            nodes = self.of_host[joined[0]]
            self.notes.append(
                f"{len(joined):,} hosts of {self.file} have several adapters, such as {joined[0]} "
                f"({some([self._adapter(node) for node in nodes])}): each is one host with several NICs; "
                'nics: "{host}" beside path makes every adapter a host'
            )

    def _say_order(self, endpoints: Mapping[str, tuple[str, ...]]) -> None:
        """How NICs were numbered, where nobody said."""
        if self.keys.adapters:
            return
        for group in self.groups:
            host = next((host for host in group.hosts if len(endpoints.get(host, ())) > 1), None)
            if host is None:
                continue
            order = ", ".join(name.removeprefix(host)[1:] or name for name in endpoints[host][:3])
            rule = "by number" if self._numbered(host) else "in the order of the file's cables"
            self.notes.append(
                f"NIC i of group {group.name} is the i-th of its host {rule}, such as {order}, ... of {host}; "
                "adapters: [...] beside path gives another order"
            )

    def _numbered(self, host: str) -> bool:
        return len(self.of_host[host]) > 1 or self.topology.src_port_names is not None

    def _say_speeds(self, base: Topology) -> None:
        """Where the file's cables are not as fast as the scenario says of the NICs."""
        for group in self.groups:
            nodes = np.array([node for host in group.hosts for node in self.of_host.get(host, ())], dtype=np.int64)
            speeds = base.links.capacity_gbps[np.isin(base.links.src, nodes)]
            other = speeds[~np.isnan(speeds) & (speeds != group.nic_gbps)]
            if len(other):
                cables = ", ".join(f"{speed:g}G" for speed in np.unique(other)[:3].tolist())
                self.notes.append(
                    f"NICs of group {group.name} have {group.nic_gbps:g}G in the scenario, and cables of its hosts "
                    f"{cables} in {self.file}: the file's hold"
                )
