"""What ``lldpctl`` prints, which several systems print as their own: ``-f json`` and the regular ``-f json0``.

``-f json`` gives a mapping for one interface or neighbour and a list for several; both are read. Where LLDP and another
protocol hear a port, LLDP holds.

References
----------
lldpd, lldpctl(8), src/client/json_writer.c and display.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fabric.operate.observed.json_shapes import JsonText, text_of
from fabric.operate.observed.neighbours import Names, Neighbours

_SPEED = re.compile(r"(\d+)(?:p(\d))?(G)?(?:ig)?base", re.IGNORECASE)
_NAMES = ("ifname", "local", "ifalias", None)  # kinds of port ids that are names


def is_lldpctl(value: Any) -> bool:
    """Whether a value is what ``lldpctl`` prints."""
    return isinstance(value, dict) and "lldp" in value and len(value) == 1 and _of_interfaces(value["lldp"])


def _of_interfaces(value: Any) -> bool:
    """Whether it lists interfaces, or none, as of a device that hears nothing."""
    parts = value if isinstance(value, list) else [value]
    return all(isinstance(part, dict) and set(part) <= {"interface"} for part in parts)


def read_lldpctl(json: JsonText, device: str, answer: Mapping[str, Any], into: Neighbours) -> None:
    """Add what a device hears."""
    rows: dict[str, tuple[bool, int]] = {}
    for port, interface in _interfaces(json, answer):
        line = json.line(port)
        via = interface.get("via")
        spoken = not isinstance(via, str) or via.upper().startswith("LLDP")
        before = rows.get(port)
        if before is not None and before[0] and not spoken:
            continue
        far, far_port = _far(json, interface, port)
        if before is not None and spoken and not before[0]:
            row = before[1]
            into.far_device[row], into.far_port[row], into.line[row] = far, far_port, line
            rows[port] = (True, row)
            continue
        into.add(device, port, far, far_port, gbps=_gbps(interface), line=line)
        rows[port] = (spoken, len(into) - 1)


def _interfaces(json: JsonText, answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Interfaces by name, of either form."""
    for part in json.many(answer["lldp"], "lldp"):
        for entry in json.many(part.get("interface"), "interface"):
            if "name" in entry and "chassis" in entry:
                yield str(entry["name"]), entry
            else:
                for port, inner in entry.items():
                    yield port, json.mapping(inner, f"interface {port}", port)


def _far(json: JsonText, interface: Mapping[str, Any], port: str) -> tuple[Names, Names]:
    """What the neighbour and its port go by."""
    chassis = next(json.many(interface.get("chassis"), "chassis", port), {})
    name = text_of(chassis.get("name"))
    if not name and "id" not in chassis and len(chassis) == 1:
        name, inner = next(iter(chassis.items()))
        chassis = json.mapping(inner, f"chassis {name}", port)
    far = next(json.many(interface.get("port"), "port", port), {})
    ids = list(json.many(far.get("id"), "port id", port))
    named = [text_of(entry) for entry in ids if entry.get("type") in _NAMES]
    others = [text_of(entry) for entry in ids if entry.get("type") not in _NAMES]
    found = (name, text_of(chassis.get("id"))), (*named, text_of(far.get("descr")), *others)
    if not any(found[0]) or not any(found[1]):
        raise json.wrong(f"interface {port} does not name a neighbour with its port", port)
    return found


def _gbps(interface: Mapping[str, Any]) -> float:
    """Speed that auto-negotiation came to, Gbps."""
    port = interface.get("port")
    port = port[0] if isinstance(port, list) and port else port
    negotiated = port.get("auto-negotiation") if isinstance(port, dict) else None
    negotiated = negotiated[0] if isinstance(negotiated, list) and negotiated else negotiated
    if not isinstance(negotiated, dict):
        return float("nan")
    found = _SPEED.search(text_of(negotiated.get("current")))
    return float("nan") if found is None else float(f"{found[1]}.{found[2] or 0}") * (1.0 if found[3] else 1e-3)
