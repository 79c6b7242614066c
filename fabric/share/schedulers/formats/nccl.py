"""``nccl``: the inside of a node as NCCL reads it (NCCL_TOPO_FILE), one file a node group with GPUs.

A file has the processors of a node, the PCI switches, the GPUs with their NVLinks and the NICs of the fabric that
collectives use. Figures that a node model has are its own: GPUs, NICs and their speeds, the speed of NVLink. Its PCI
addresses come from ``--pci FILE``; without one they are numbered, and exist on no machine: NCCL then finds nothing at
them and goes by what it detects, so that such a file is for tools that simulate NCCL. PCI links are as fast as those of
the GPUs' generation.

References
----------
NCCL 2.27, src/graph/xml.cc and topo.cc: version 1; ``cpu`` (numaid, arch, vendor), ``pci`` (busid, class 0x0604, 0x03,
0x02, link_speed as kernels print it, link_width), ``gpu`` (dev, sm, rank, gdr), ``nvlink`` (target, count, tclass),
``nic`` and ``net`` (name, dev, speed in Mb/s, port, guid, maxconn, gdr); 255 characters a value, 16 attributes.
CUDA C Programming Guide, compute capabilities. NVIDIA A100, H100 and B200 data sheets (NVLink: 25, 25, 50 GB/s a link
and direction).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from fabric.share.schedulers.format import Facts, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import HOST, Mapped, fit_names
from fabric.share.schedulers.pci_file import PciDevice, numbered, read_devices
from topologies.errors import ScenarioError
from topologies.reading.text_input import read_bytes
from topologies.reading.xml_input import XmlElement, xml_tree
from traffic.inventory import NodeGroup

SUMMARY = "NCCL_TOPO_FILE of every node group: its GPUs, NVLinks, PCI switches and NICs"
ORDER = 70
BRIDGE, NVSWITCH, GPU, NIC = "0x060400", "0x068000", "0x030200", "0x020000"
_UNKNOWN_SWITCH = "fffffff:ffff:ff"  # the target of an NVLink to a switch that has no address of its own
_MAX_CONNECTIONS = 131_072


@dataclass(frozen=True)
class _Generation:
    """GPUs of one compute capability."""

    sm: int
    nvlink_gbps: float  # of a link, one direction
    pci: str


# By what a product's name begins with, after NVIDIA.
_GENERATIONS = {
    "A100": _Generation(80, 200.0, "16.0 GT/s PCIe"),
    "H100": _Generation(90, 200.0, "32.0 GT/s PCIe"),
    "H200": _Generation(90, 200.0, "32.0 GT/s PCIe"),
    "B200": _Generation(100, 400.0, "32.0 GT/s PCIe"),
    "B300": _Generation(103, 400.0, "64.0 GT/s PCIe"),
}
_GRACE = re.compile(r"\bG[BH]\d{3}\b")


@dataclass(frozen=True)
class _Node:
    """A node of a group, as a file has it."""

    group: str
    arch: str
    generation: _Generation
    links: int  # NVLinks of a GPU
    devices: tuple[PciDevice, ...]
    nic_mbps: int
    ports: int


def _nodes(plan: SchedulerPlan) -> list[_Node]:
    nodes = [
        _node(plan, group)
        for group in plan.inventory.groups.values()
        if group.gpus_per_host and plan.primary in group.nics
    ]
    if not nodes:
        raise ScenarioError(
            f"no node group with GPUs is attached to {plan.primary}",
            hint="export nccl is of node groups with gpus: and nics:",
            code="FP8074",
        )
    if plan.options.pci is not None and len(nodes) > 1:
        raise ScenarioError(
            f"--pci is of one kind of node, and {len(nodes)} groups have GPUs: {', '.join(n.group for n in nodes)}",
            hint="export them from scenarios with one each",
            code="FP8074",
        )
    return nodes


def _node(plan: SchedulerPlan, group: NodeGroup) -> _Node:
    product = (group.gpu.product if group.gpu else None) or ""
    name = re.match(r"NVIDIA (\w+)", product)
    generation = _GENERATIONS.get(name[1]) if name else None
    if generation is None:
        raise ScenarioError(
            f"GPUs of {group.name} are {product or 'not described'}; NCCL needs their compute capability",
            hint=f"known are {', '.join(_GENERATIONS)}: gpu: {{product: NVIDIA H100 SXM5 80 GB, ...}} or a model:",
            code="FP8074",
        )
    nics = group.nics[plan.primary]
    gpus = group.gpus_per_host
    pci = plan.options.pci
    devices = numbered(gpus, nics.nics) if pci is None else read_devices(pci, gpus, nics.nics)
    links = round(group.scale_up.speed / generation.nvlink_gbps) if group.scale_up else 0
    arch = "arm64" if _GRACE.search(plan.products.get(group.name, "")) else "x86_64"
    return _Node(group.name, arch, generation, links, tuple(devices), round(nics.nic_gbps * 1000), nics.ports)


def _file(plan: SchedulerPlan, group: str) -> str:
    return f"{fit_names(plan.inventory.groups, HOST)[group]}.topo.xml"


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    for node in _nodes(plan):
        yield TextFile(_file(plan, node.group), "\n".join(_lines(node)) + "\n")


def _tag(depth: int, element: str, values: Mapping[str, object], *, end: bool = False) -> str:
    """One element; NCCL takes one blank between attributes, and no more."""
    words = " ".join(f"{key}={quoteattr(str(value))}" for key, value in values.items())
    return f"{'  ' * depth}<{element} {words}{'/' if end else ''}>"


def _lines(node: _Node) -> Iterator[str]:
    yield _tag(0, "system", {"version": 1})
    for numa in sorted({device.numa for device in node.devices}):
        about: dict[str, object] = {"numaid": numa, "arch": node.arch}
        if node.arch == "x86_64":
            about |= {"vendor": "GenuineIntel", "familyid": 6, "modelid": 143}
        yield _tag(1, "cpu", about)
        here = [device for device in node.devices if device.numa == numa]
        for switch in dict.fromkeys(device.switch for device in here):
            own = [device for device in here if device.switch == switch]
            if switch:
                yield _pci(2, switch, BRIDGE, node)
            for device in own:
                yield from _device(node, device, 3 if switch else 2)
            if switch:
                yield "    </pci>"
        yield "  </cpu>"
    yield "</system>"


def _pci(depth: int, bus: str, code: str, node: _Node) -> str:
    return _tag(depth, "pci", {"busid": bus, "class": code, "link_speed": node.generation.pci, "link_width": 16})


def _device(node: _Node, device: PciDevice, depth: int) -> Iterator[str]:
    inside = "  " * depth
    if device.kind == "gpu":
        yield _pci(depth, device.bus, GPU, node)
        about = {"dev": device.number, "sm": node.generation.sm, "rank": device.number, "gdr": 1}
        yield _tag(depth + 1, "gpu", about, end=not node.links)
        if node.links:
            link = {"target": _UNKNOWN_SWITCH, "count": node.links, "tclass": NVSWITCH}
            yield _tag(depth + 2, "nvlink", link, end=True)
            yield f"{inside}  </gpu>"
    else:
        yield _pci(depth, device.bus, NIC, node)
        yield f"{inside}  <nic>"
        for port in range(node.ports):
            net = {
                "name": device.name, "dev": device.number * node.ports + port, "speed": node.nic_mbps,
                "port": port + 1, "latency": "0.000000", "guid": f"0x{device.number + 1:x}",
                "maxconn": _MAX_CONNECTIONS, "gdr": 1,
            }  # fmt: skip
            yield _tag(depth + 2, "net", net, end=True)
        yield f"{inside}  </nic>"
    yield f"{inside}</pci>"


def _facts(plan: SchedulerPlan) -> Facts:
    found = {}
    for node in _nodes(plan):
        for device in node.devices:
            above = (f"numa {device.numa}", f"switch {device.switch or 'none'}")
            about = f"{node.group} {device.kind}{device.number}"
            if device.kind == "gpu":
                own = (f"sm {node.generation.sm}", f"nvlinks {node.links}")
            else:
                own = (f"ports {node.ports}", f"speed {node.nic_mbps}")
            found[about] = (device.bus, *above, *own)
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for group in plan.inventory.groups:
        path = folder / _file(plan, group)
        if path.exists():
            for element in xml_tree(read_bytes(path), str(path), code="FP8075").children:
                if element.name == "cpu":
                    found |= _devices(group, element, f"numa {element.attributes.get('numaid')}", "")
    return found


def _devices(group: str, element: XmlElement, numa: str, switch: str) -> dict[str, tuple[str, ...]]:
    """Devices below a processor or a PCI switch."""
    found: dict[str, tuple[str, ...]] = {}
    for child in element.children:
        if child.name != "pci":
            continue
        bus, code = child.attributes.get("busid", ""), child.attributes.get("class", "")
        above = (numa, f"switch {switch or 'none'}")
        if code.startswith("0x0604"):
            found |= _devices(group, child, numa, bus)
        for inner in child.children:
            if inner.name == "gpu":
                links = sum(
                    _count(link.attributes.get("count", "0")) for link in inner.children if link.name == "nvlink"
                )
                about = f"{group} gpu{inner.attributes.get('dev')}"
                found[about] = (bus, *above, f"sm {inner.attributes.get('sm')}", f"nvlinks {links}")
            elif inner.name == "nic":
                nets = [net.attributes for net in inner.children if net.name == "net"]
                number = _count(nets[0].get("dev", "0")) // len(nets) if nets else 0
                speeds = sorted({net.get("speed", "") for net in nets})
                found[f"{group} nic{number}"] = (bus, *above, f"ports {len(nets)}", f"speed {' '.join(speeds)}")
    return found


def _count(text: str) -> int:
    """A whole number; -1 for what is none, which then differs from every plan."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _names(_: SchedulerPlan) -> Iterator[Mapped]:
    return iter(())


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    nodes = _nodes(plan)
    if plan.options.pci is None:
        yield (
            "PCI addresses are numbered, one switch for each GPU: no machine has them, and NCCL on one goes by what it "
            "detects; --pci FILE gives a node's own"
        )
    if any(node.arch == "x86_64" for node in nodes):
        yield "processors are assumed to be x86_64 (GenuineIntel, 6, 143): a node model does not say"
    if len(plan.trees) > 1:
        yield f"the NICs are those of {plan.primary}; --fabric chooses another"
    for node in nodes:
        if not node.links:
            yield f"nothing says what joins the GPUs of {node.group}: they have no NVLinks here"


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="NCCL 2.20 and later (NCCL_TOPO_FILE)",
    of="node group",
    takes=("pci",),
    notes=_notes,
)
