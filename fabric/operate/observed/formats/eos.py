"""``eos``: Arista's ``show lldp neighbors detail | json``, or without ``detail``; a file per device, or one with all.

References
----------
Arista EOS, "show lldp neighbors"; github.com/aristanetworks/anta, tests of VerifyLLDPNeighbors (keys of both forms).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import JsonText, each_device, text_of
from fabric.operate.observed.neighbours import Neighbours

SUMMARY = "Arista EOS: show lldp neighbors [detail] | json, a file per device or one with all of them"
ORDER = 40

_HINT = "write it with: show lldp neighbors detail | json"


def is_answer(value: Any) -> bool:
    """Whether a value is an answer of EOS."""
    return isinstance(value, Mapping) and isinstance(value.get("lldpNeighbors"), Mapping | list)


def read_eos(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what devices hear."""
    json = JsonText(text, file, _HINT)
    for name, answer in each_device(json, device, is_answer):
        into.listen(name)
        table = answer["lldpNeighbors"]
        if isinstance(table, list):
            for entry in json.many(table, "lldpNeighbors"):
                port = text_of(entry.get("port"))
                _add(
                    json, into, name, port, [text_of(entry.get("neighborDevice"))], [text_of(entry.get("neighborPort"))]
                )
            continue
        for port, told in table.items():
            for entry in json.many(json.mapping(told, port, port).get("lldpNeighborInfo"), port, port):
                info = json.mapping(entry.get("neighborInterfaceInfo", {}), "neighborInterfaceInfo", port)
                ids = [text_of(info.get(key)) for key in ("interfaceId_v2", "interfaceId", "interfaceDescription")]
                _add(json, into, name, port, [text_of(entry.get(key)) for key in ("systemName", "chassisId")], ids)


def _add(json: JsonText, into: Neighbours, name: str, port: str, far: list[str], far_port: list[str]) -> None:
    if not port or not any(far) or not any(far_port):
        raise json.wrong(f"interface {port or '(without a name)'} does not name a neighbour with its port", port)
    into.add(name, port, tuple(far), tuple(dict.fromkeys(far_port)), line=json.line(port))


FORMAT = NeighbourFormat((".json",), read_eos, "show lldp neighbors detail | json")
