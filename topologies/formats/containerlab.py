"""``containerlab``: lab files, in and out; interface names are kept as they are.

Nodes in a group ``host``, ``server`` or ``client`` end traffic. Where no node is in one, kinds are clues: network
operating systems and bridges forward, traffic generators do not, and Linux containers are hosts where they stand at
the edge of nodes that forward, which is a guess (`topologies.host_roles`). A group of our own words (leaf, spine,
core, …) is the role. Lab files tell no speeds. What we write are ``linux`` nodes; characters that container names
cannot have become dashes, and ``eth0``, the management interface, stays free.

References
----------
containerlab.dev, manual, "Topology definition", "Nodes" and "Kinds"; schemas/clab.schema.json.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError
from topologies.format_registry import Imported, TopologyFormat, both_ways, cannot_say
from topologies.host_roles import HOST, SWITCH, NodeFacts, word_kind
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, shown
from topologies.reading.yaml_value import YamlValue, read_yaml_value
from topologies.topology import Topology

_HOSTS = ("host", "hosts", "server", "servers", "client", "clients")
_SPECIAL = ("host", "mgmt-net", "macvlan", "vxlan", "vxlan-stitch", "dummy", "bridge")  # ends that lead out of the lab
_ROLE = re.compile(r"^[a-z][a-z0-9-]*$")
_IMAGE = "alpine:3"
_MOST_NODES = 200
_NETWORK_SYSTEMS = (
    "6wind_vsr arista_ceos arista_veos arrcus_arcos aruba_aoscx bridge c8000 ceos checkpoint_cloudguard ciena_saos "
    "cisco_asav cisco_c8000 cisco_c8000v cisco_cat9kv cisco_csr1000v cisco_ftdv cisco_iol cisco_n9kv cisco_sdwan "
    "cisco_vios cisco_xrd cisco_xrd_vrouter cisco_xrv cisco_xrv9k crpd cumulus_cvx cvx dell_ftosv dell_sonic "
    "f5_bigip-ve fdio_vpp fortinet_fortigate huawei_vrp ipinfusion_ocnos juniper_cjunosevolved juniper_crpd "
    "juniper_csrx juniper_vjunosevolved juniper_vjunosrouter juniper_vjunosswitch juniper_vmx juniper_vqfx "
    "juniper_vsrx mikrotik_ros nokia_sros nokia_srsim nokia_srlinux nvidia_cumulusvx openwrt ovs-bridge "
    "paloalto_panos rare sonic-vm sonic-vs srl srsim veesix_osvbng vyosnetworks_vyos xrd"
)
_FORWARDING_KINDS = tuple(_NETWORK_SYSTEMS.split())
_ENDING_KINDS = ("border0", "host", "k8s-kind", "keysight_ixia-c-one", "spirent_stc")
_OPEN_KINDS = ("ext-container", "freebsd", "generic_vm", "linux", "openbsd")  # mostly hosts at the edge of a lab
_ROUTER_IMAGE = re.compile(
    r"frr|quagga|bird|gobgp|vyos|cumulus|sonic|openvswitch|ovs|exabgp|holo|bmv2|p4|router|switch|crpd|xrd|vpp|opx",
    re.IGNORECASE,
)
_LEADS_OUT = "a cable that leads out of the lab is left out"

FIELDS = DeclaredFields(
    "topology format",
    "containerlab",
    'containerlab.dev, "Topology definition", "Nodes" and "Kinds"; schemas/clab.schema.json',
    [
        Field("name", MODELLED, "name of the lab"),
        Field("topology.nodes", MODELLED, "every container is a node"),
        Field("topology.links", MODELLED, "cables between interfaces; speeds are asked for"),
        Field("topology.kinds", MODELLED, "group and image of the nodes of a kind"),
        Field("topology.groups", MODELLED, "kind and image of the nodes of a group"),
        Field("topology.defaults", MODELLED, "kind, group and image of all nodes"),
        Field("group", MODELLED, "host, server and client end traffic; leaf, spine, core, ... are roles"),
        Field("kind", MODELLED, "whether a node forwards or ends traffic, where no group says so"),
        Field("image", MODELLED, "a Linux container of a routing suite forwards"),
        *(Field(f"kind {kind}", MODELLED, "forwards") for kind in _FORWARDING_KINDS),
        Field("kind vr-*", MODELLED, "forwards"),
        *(Field(f"kind {kind}", MODELLED, "ends traffic") for kind in _ENDING_KINDS),
        *(Field(f"kind {kind}", MODELLED, "a host at the edge of nodes that forward") for kind in _OPEN_KINDS),
        Field("endpoints", MODELLED, "both ends of a cable; a link without two is left out and listed"),
        Field("link type veth", MODELLED, "a cable between two nodes"),
        *(
            Field(f"link type {kind}", MODELLED, f"{_LEADS_OUT} and listed")
            for kind in ("host", "mgmt-net", "macvlan", "vxlan", "vxlan-stitch", "dummy", "bridge")
        ),
        Field("link.vars", REPORTED, "settings of the configuration engine, which may hold metrics, are left out"),
        Field("link.mtu", HARMLESS, "largest packet of an interface"),
        Field("link.labels", HARMLESS, "labels"),
        Field("config", REPORTED, "settings of the configuration engine, which may hold metrics, are left out"),
        Field("startup-config", REPORTED, "what a node's own configuration does to routes is left out"),
        Field("network-mode", REPORTED, "interfaces that a container shares with another or the machine are left out"),
        *(
            Field(name, HARMLESS, "how the container is run")
            for name in (
                "type", "license", "startup-delay", "enforce-startup-config", "suppress-startup-config", "auto-remove",
                "restart-policy", "exec", "binds", "devices", "cap-add", "shm-size", "sysctls", "ports", "env",
                "env-files", "user", "entrypoint", "cmd", "publish", "labels", "runtime", "mgmt-ipv4", "mgmt-ipv6",
                "mgmt_ipv4", "mgmt_ipv6", "cpu", "memory", "cpu-set", "sandbox", "kernel", "extras", "stages", "dns",
                "certificate", "healthcheck", "wait-for", "SANs", "image-pull-policy", "aliases", "components",
                "credentials", "position",
            )
        ),
        *(
            Field(name, HARMLESS, "how the lab is run")
            for name in ("prefix", "mgmt", "settings", "debug", "topology.*")
        ),
    ],
)  # fmt: skip


def _read(path: Path, findings: Findings) -> Imported:
    lab = read_yaml_value(path)
    topology = lab.get("topology") if isinstance(lab.value, dict) else lab
    if not isinstance(topology.value, dict) or not isinstance(topology.value.get("nodes"), dict):
        hint = "a lab has topology: {nodes: …, links: …}"
        raise FormatError("no topology with nodes in the file", file=str(path), line=1, hint=hint, code="FP6003")
    nodes = dict(topology.get("nodes").items())
    if not nodes:
        raise FormatError("no node in the file", file=str(path), line=topology.line, code="FP6003")
    present = [key for key in lab.keys if key != "topology"] + [f"topology.{key}" for key in topology.keys]
    present += [key for value in nodes.values() for key in value.keys]
    for part in ("kinds", "groups"):
        present += [key for _, value in topology.get(part).items() for key in value.keys]
    present += list(topology.get("defaults").keys)
    groups = {name: _said(topology, node, "group") for name, node in nodes.items()}
    kinds = {name: _said(topology, node, "kind") for name, node in nodes.items()}
    some_hosts = any(group in _HOSTS for group in groups.values())
    devices = {
        name: Device(
            name,
            host=group in _HOSTS if some_hosts else None,
            role="host" if group in _HOSTS else group if _ROLE.match(group) else None,
        )
        for name, group in groups.items()
    }
    clues = {name: _clue(name, kinds[name], _said(topology, node, "image")) for name, node in nodes.items()}
    cables = []
    for link in topology.get("links").each():
        cable = _cable(link, findings)
        if isinstance(link.value, dict):
            present += [f"link.{key}" for key in link.keys if key not in ("endpoints", "type", "endpoint")]
        if cable is not None:
            cables.append(cable)
    findings.note(*FIELDS.notes(present))
    name = lab.get("name").text(path.stem)
    built = topology_of_devices(name, list(devices.values()), sound_cables(cables, devices, findings))
    if some_hosts:
        return Imported(built)
    said = {kind for kind in kinds.values() if kind}
    why = f"as containers that do not forward at the edge of a lab of {', '.join(sorted(said)) or 'no kinds'}"
    return Imported(
        built, facts=NodeFacts(told=False, clues={name: clue for name, clue in clues.items() if clue}, why=why)
    )


def _said(topology: YamlValue, node: YamlValue, key: str) -> str:
    """A setting of a node: its own, else that of its group, of its kind, or of the defaults."""
    defaults = topology.get("defaults")
    own = node.get(key)
    if not own.absent:
        return own.text()
    group = node.get("group") if not node.get("group").absent else defaults.get("group")
    if key != "group" and not group.absent:
        of_group = topology.get("groups").get(group.text()).get(key)
        if not of_group.absent:
            return of_group.text()
    if key != "kind":
        of_kind = topology.get("kinds").get(_said(topology, node, "kind")).get(key)
        if not of_kind.absent:
            return of_kind.text()
    return defaults.get(key).text("")


def _clue(name: str, kind: str, image: str) -> str | None:
    """Whether a container forwards, by its kind, its image, or the words in its name; None where nothing tells."""
    if kind in _FORWARDING_KINDS or kind.startswith("vr-"):
        return SWITCH
    if kind in _ENDING_KINDS:
        return HOST
    if kind in _OPEN_KINDS:
        by_name = word_kind(name)
        if by_name is not None:
            return by_name
        return SWITCH if _ROUTER_IMAGE.search(image) else HOST
    return word_kind(name)


def _cable(link: YamlValue, findings: Findings) -> PortCable | None:
    """Both ends of a link, in the brief or the extended form."""
    line = link.line
    ends = link.value.get("endpoints") if isinstance(link.value, dict) else None
    if isinstance(link.value, dict) and link.value.get("type") not in (None, "veth"):
        message = f"a link of type {shown(link.value['type'])} leads out of the lab"
        findings.add(message, code="FP6006", line=line, hint="only veth links join two nodes")
        return None
    if not isinstance(ends, list) or len(ends) != 2:
        hint = 'write endpoints: ["leaf1:eth1", "spine1:eth1"]'
        findings.add("a link has two endpoints", code="FP6004", line=line, hint=hint)
        return None
    found = []
    for end in ends:
        if isinstance(end, dict):
            node, port = str(end.get("node") or ""), str(end.get("interface") or "")
        else:
            node, _, port = str(end).partition(":")
        if not node or not port:
            hint = "an endpoint is a node and an interface: leaf1:eth1"
            findings.add(f"endpoint {shown(end)} does not name an interface", code="FP6004", line=line, hint=hint)
            return None
        if node in _SPECIAL:
            message = f"endpoint {shown(end)} leads out of the lab"
            findings.add(message, code="FP6006", line=line, hint="only links between nodes are taken")
            return None
        found.append((node, port))
    return PortCable(found[0], found[1], line=line)


def write(topology: Topology, path: Path) -> None:
    """Write a lab file of ``linux`` nodes.

    Raises
    ------
    FormatError
        When a link has no other direction, or two names become the same.
    """
    nodes, links = topology.nodes, topology.links
    if (links.reverse < 0).any():
        raise cannot_say("containerlab", "a link in one direction only")
    names = [re.sub(r"[^A-Za-z0-9_.-]", "-", name) for name in nodes.name]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise cannot_say("containerlab", f"two nodes that both become {twice}")
    ends = nodes.nics > 0
    lab: dict[str, Any] = {}
    for node, name in enumerate(names):
        role = topology.roles[nodes.role[node]]
        lab[name] = {"group": "host" if ends[node] and not nodes.forwards[node] else role}
    ports = [f"eth{port + 1}" for port in topology.src_port.tolist()]
    if topology.src_port_names is not None:
        ports = [name or port for name, port in zip(topology.src_port_names, ports, strict=True)]
    rows = []
    for link in (topology.is_cable & topology.up).nonzero()[0].tolist():
        back = int(links.reverse[link])
        rows.append(
            {"endpoints": [f"{names[links.src[link]]}:{ports[link]}", f"{names[links.dst[link]]}:{ports[back]}"]}
        )
    document = {
        "name": re.sub(r"[^A-Za-z0-9_-]", "-", topology.name),
        "topology": {"kinds": {"linux": {"image": _IMAGE}}, "defaults": {"kind": "linux"}, "nodes": lab, "links": rows},
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120), encoding="utf-8")


read, read_sound = both_ways(_read)
SUMMARY = "Lab files of containerlab"
FORMAT = TopologyFormat("containerlab", (".clab.yml", ".clab.yaml"), read, write, read_sound, most_nodes=_MOST_NODES)
