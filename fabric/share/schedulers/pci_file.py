"""PCI addresses of a node's GPUs and NICs: as a file gives them, or numbered where nothing does.

A model of a node says how many GPUs and NICs it has, not where they are plugged. Numbered addresses have one PCI switch
for every GPU, with the NICs of the same number behind it, and half of the switches on each of two processors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings

BUS_ID = re.compile(r"[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]")
_DEVICE = re.compile(r"(gpu|nic)(\d{1,4})")


@dataclass(frozen=True)
class PciDevice:
    """A GPU or a NIC, and where it is plugged."""

    kind: str  # gpu or nic
    number: int
    bus: str
    switch: str  # address of the PCI switch above it; empty: it hangs on the processor
    numa: int
    name: str = ""  # of a NIC, as the host calls it


def numbered(gpus: int, nics: int) -> list[PciDevice]:
    """Devices at addresses that exist on no machine."""
    devices = []
    for gpu in range(gpus):
        switch, numa = f"0000:{2 * gpu + 1:02x}:00.0", gpu * 2 // gpus
        devices.append(PciDevice("gpu", gpu, f"0000:{2 * gpu + 2:02x}:00.0", switch, numa))
    for nic in range(nics):
        gpu = nic * gpus // nics
        place = nic - -(-gpu * nics // gpus)
        switch, numa = f"0000:{2 * gpu + 1:02x}:00.0", gpu * 2 // gpus
        devices.append(PciDevice("nic", nic, f"0000:{2 * gpu + 2:02x}:{place + 1:02x}.0", switch, numa, f"nic{nic}"))
    return devices


def read_devices(path: Path, gpus: int, nics: int) -> list[PciDevice]:
    """Devices of a file: ``device,busid`` and, where they are known, ``switch``, ``numa`` and ``name``.

    Raises
    ------
    FormatError
        With file and line: an address that is none, a device twice, or not all GPUs and NICs (FP8076).
    """
    findings = Findings(str(path))
    table = CsvInput(findings, path, header_code="FP8076", row_code="FP8076")
    table.need(("device", "busid"), ("switch", "numa", "name"))
    found: dict[str, PciDevice] = {}
    for line, cells in table.rows():
        row = dict(zip(table.header, cells, strict=True))
        device, problem = _device(row, found)
        if device is None:
            findings.add(problem, code="FP8076", line=line, hint="gpu0,0000:1b:00.0 or nic3,0000:5d:00.0")
        else:
            found[row["device"]] = device
    wanted = [f"gpu{gpu}" for gpu in range(gpus)] + [f"nic{nic}" for nic in range(nics)]
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    for names, what in ((missing, "is missing"), (extra, "is not one of the node's")):
        if names:
            findings.add(
                f"{names[0]} {what}: a node has {gpus} GPUs and {nics} NICs", code="FP8076",
                hint="a line for each of gpu0, gpu1, ..., nic0, nic1, ...",
            )  # fmt: skip
    numas: dict[str, int] = {}
    for one in found.values():
        if one.switch and numas.setdefault(one.switch, one.numa) != one.numa:
            findings.add(
                f"PCI switch {one.switch} is on NUMA nodes {numas[one.switch]} and {one.numa}", code="FP8076",
                hint="a switch hangs on one processor",
            )  # fmt: skip
    findings.finish()
    return [found[name] for name in wanted]


def _device(row: dict[str, str], found: dict[str, PciDevice]) -> tuple[PciDevice | None, str]:
    match, switch, numa = _DEVICE.fullmatch(row["device"]), row.get("switch", ""), row.get("numa", "") or "0"
    if match is None:
        return None, f"{row['device']!r} is neither gpuN nor nicN"
    if row["device"] in found:
        return None, f"{row['device']} is given twice"
    for bus in (row["busid"], *([switch] if switch else [])):
        if not BUS_ID.fullmatch(bus):
            return None, f"{bus!r} is not a PCI address"
    if any(row["busid"].lower() == other.bus for other in found.values()):
        return None, f"two devices are at {row['busid']}"
    if not numa.isdecimal() or len(numa) > 3:
        return None, f"{numa!r} is not the number of a NUMA node"
    name = row.get("name", "") or row["device"]
    return PciDevice(match[1], int(match[2]), row["busid"].lower(), switch.lower(), int(numa), name), ""
