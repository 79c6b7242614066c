"""``--names FILE``: what exporters call the devices and ports of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from topologies.errors import FormatError, nearest_hint
from topologies.reading.text_input import Findings
from traffic.csv_table import csv_rows

HEADER = ("node", "instance")


@dataclass(frozen=True)
class GivenNames:
    """Names by device of the plan, and by its ports.

    Attributes
    ----------
    instance : mapping
        Device -> the exporter's name for it.
    interface : mapping
        (device, port) -> the exporter's name for the port.
    line : mapping
        Device -> where it stands in the file.
    """

    file: str = ""
    instance: Mapping[str, str] = field(default_factory=dict)
    interface: Mapping[tuple[str, str], str] = field(default_factory=dict)
    line: Mapping[str, int] = field(default_factory=dict)

    def reports(self, device: str, usually: bool) -> bool:
        """Whether a device has counters: it is named, or devices like it usually have."""
        return usually or device in self.instance

    def of(self, device: str, port: str, usual: str) -> tuple[str, str]:
        """Instance and interface of a port."""
        return self.instance.get(device, device), self.interface.get((device, port), usual)

    def check(self, devices: set[str]) -> None:
        """Refuse names for devices that the plan does not have (FP9853)."""
        unknown = [name for name in self.instance if name not in devices]
        if unknown:
            name = unknown[0]
            share = f"{len(self.instance) - len(unknown):,} of {len(self.instance):,} are"
            raise FormatError(
                f"{name!r} is no device of the plan; {share}",
                file=self.file, line=self.line.get(name), code="FP9853",
                hint=nearest_hint(name, sorted(devices)[:20_000]),
            )  # fmt: skip


def read_names(path: Path) -> GivenNames:
    """A table with the columns ``node`` and ``instance``, and for ports ``port`` and ``interface``.

    Raises
    ------
    FormatError
        Columns or cells that are missing, or a device with two instances (FP9852).
    """
    findings = Findings(path)
    instance: dict[str, str] = {}
    interface: dict[tuple[str, str], str] = {}
    lines: dict[str, int] = {}
    for line, row in csv_rows(findings, path, HEADER, optional=("port", "interface")):
        device, name = row["node"], row["instance"]
        if instance.setdefault(device, name) != name:
            findings.add(f"{device} is {instance[device]} and {name}", code="FP9852", line=line, hint="one a device")
        lines.setdefault(device, line)
        port, shown = row.get("port", ""), row.get("interface", "")
        if bool(port) != bool(shown):
            findings.add("a port needs its interface, and the other way round", code="FP9852", line=line)
        elif port:
            interface[device, port] = shown
    findings.finish()
    return GivenNames(str(path), instance, interface, lines)
