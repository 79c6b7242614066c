"""``cumulus``: ``net show lldp json``, as releases of Cumulus Linux print it, or ``nv show interface -o json``.

Old releases print what ``lldpctl -f json`` does; later ones a mapping of interfaces, each with the neighbours that it
hears (``adj_hostname``, ``adj_port``); NVUE a mapping of interfaces with ``lldp.neighbor``.

References
----------
NVIDIA, Cumulus Linux 3.7 to 5 user guides, "Link Layer Discovery Protocol"; napalm-cumulus, ``get_lldp_neighbors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import JsonText, each_device, speed_gbps, text_of
from fabric.operate.observed.lldpctl import is_lldpctl, read_lldpctl
from fabric.operate.observed.neighbours import Neighbours

SUMMARY = "Cumulus Linux: net show lldp json or nv show interface -o json, a file per device or one with all of them"
ORDER = 30

_HINT = "write it with net show lldp json, or nv show interface -o json"


def is_answer(value: Any) -> bool:
    """Whether a value is an answer of a switch."""
    if is_lldpctl(value):
        return True
    return (
        isinstance(value, Mapping)
        and any(isinstance(entry, Mapping) and ("iface_obj" in entry or "lldp" in entry) for entry in value.values())
        and not any(is_lldpctl(entry) for entry in value.values())
    )


def read_cumulus(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what devices hear."""
    json = JsonText(text, file, _HINT)
    for name, answer in each_device(json, device, is_answer):
        into.listen(name)
        if is_lldpctl(answer):
            read_lldpctl(json, name, answer, into)
            continue
        for port, told in answer.items():
            entry = json.mapping(told, f"interface {port}", port)
            if "iface_obj" in entry:
                _by_name(json, name, port, entry, into)
            else:
                _by_nvue(json, name, port, entry, into)


def _by_name(json: JsonText, name: str, port: str, entry: Mapping[str, Any], into: Neighbours) -> None:
    inner = json.mapping(entry["iface_obj"], "iface_obj", port)
    for told in json.many(inner.get("lldp"), "lldp", port):
        far = (text_of(told.get("adj_hostname")), text_of(told.get("adj_mac")))
        far_port = text_of(told.get("adj_port"))
        if not any(far) or not far_port:
            raise json.wrong(f"interface {port} does not name a neighbour with its port", port)
        into.add(name, port, far, (far_port,), gbps=speed_gbps(text_of(entry.get("speed"))), line=json.line(port))


def _by_nvue(json: JsonText, name: str, port: str, entry: Mapping[str, Any], into: Neighbours) -> None:
    lldp = json.mapping(entry.get("lldp") or {}, "lldp", port)
    link = entry.get("link")
    speed = text_of(link.get("speed")) if isinstance(link, Mapping) else ""
    for host, told in json.mapping(lldp.get("neighbor") or {}, "neighbor", port).items():
        inner = json.mapping(told, f"neighbor {host}", port)
        chassis = json.mapping(inner.get("chassis") or {}, "chassis", port)
        far_port = json.mapping(inner.get("port") or {}, "port", port)
        ids = tuple(text_of(far_port.get(key)) for key in ("name", "description"))
        if not any(ids):
            raise json.wrong(f"interface {port} does not name the port of its neighbour", port)
        far = (text_of(chassis.get("system-name")), host, text_of(chassis.get("chassis-id")))
        into.add(name, port, far, ids, gbps=speed_gbps(speed), line=json.line(port))


FORMAT = NeighbourFormat((".json",), read_cumulus, "net show lldp json")
