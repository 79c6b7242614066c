"""``gnmi``: neighbours of openconfig-lldp as JSON, a file per device, or what ``gnmic get`` prints of many.

References
----------
openconfig-lldp.yang, ``/lldp/interfaces/interface/neighbors/neighbor/state``; gnmic, ``get --format json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import JsonText, text_of
from fabric.operate.observed.neighbours import Neighbours

SUMMARY = "openconfig-lldp as gNMI gives it, a file per device, or the answer of gnmic get with all of them"
ORDER = 50

_HINT = "write it with gnmic get --path /lldp/interfaces --format json"
_DEEPEST = 6  # containers above the list of interfaces


def read_gnmi(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what devices hear."""
    json = JsonText(text, file, _HINT)
    found = False
    for name, answer in _answers(json, device):
        for interface in _interfaces(json, answer):
            found = True
            into.listen(name)
            port = text_of(interface.get("name")) or text_of(_plain(interface.get("state") or {}).get("name"))
            neighbours = _plain(interface.get("neighbors") or {}).get("neighbor")
            for told in json.many(neighbours, "neighbor", port):
                state = _plain(json.mapping(_plain(told).get("state") or {}, "state", port))
                far = (text_of(state.get("system-name")), text_of(state.get("chassis-id")))
                ids = (text_of(state.get("port-id")), text_of(state.get("port-description")))
                if not port or not any(far) or not any(ids):
                    raise json.wrong(f"interface {port} does not name a neighbour with its port", port)
                into.add(name, port, far, ids, line=json.line(port))
    if not found:
        raise json.wrong("there is no list of interfaces of openconfig-lldp in it")


def _answers(json: JsonText, device: str) -> Iterator[tuple[str, Any]]:
    """Devices and values: of what ``gnmic`` prints, of a mapping of devices, or of one device."""
    value = json.value
    if isinstance(value, list):
        for answer in json.many(value, "answer"):
            name = text_of(answer.get("source")).rsplit(":", 1)[0] or device
            for update in json.many(answer.get("updates"), "updates"):
                for inner in json.mapping(update.get("values") or {}, "values").values():
                    yield name, inner
    elif isinstance(value, Mapping) and not any(_tail(key) in ("lldp", "interfaces", "interface") for key in value):
        yield from value.items()
    else:
        yield device, value


def _interfaces(json: JsonText, value: Any, deep: int = 0) -> Iterator[Mapping[str, Any]]:
    """Interfaces below a value, whatever containers stand above them."""
    if isinstance(value, list):
        yield from (_plain(entry) for entry in json.many(value, "interface"))
    elif isinstance(value, Mapping) and deep < _DEEPEST:
        for key, inner in value.items():
            if _tail(key) in ("lldp", "interfaces", "interface"):
                yield from _interfaces(json, inner, deep + 1)


def _tail(key: str) -> str:
    """A name of YANG without its module and the path before it."""
    return key.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _plain(value: Any) -> Mapping[str, Any]:
    """A mapping with the names of its modules taken off."""
    return {_tail(key): inner for key, inner in value.items()} if isinstance(value, Mapping) else {}


FORMAT = NeighbourFormat((".json",), read_gnmi, "gnmic get --path /lldp/interfaces --format json")
