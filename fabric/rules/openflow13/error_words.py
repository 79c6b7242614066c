"""What a switch means by an ERROR message: names of the specification, and words for those a push runs into.

Names are those of scapy's ``contrib.openflow3``, whose tables hold all types and codes of OpenFlow 1.3.
"""

from __future__ import annotations

from typing import Any

_MEANING = {
    "OFPFMFC_TABLE_FULL": "the flow table is full",
    "OFPFMFC_EPERM": "the session may not change flows",
    "OFPFMFC_OVERLAP": "the flow overlaps one that is there",
    "OFPFMFC_BAD_PRIORITY": "it does not take this priority",
    "OFPGMFC_OUT_OF_GROUPS": "the group table is full",
    "OFPGMFC_OUT_OF_BUCKETS": "it has no room for more buckets",
    "OFPGMFC_WEIGHT_UNSUPPORTED": "it does not do weighted groups",
    "OFPGMFC_WATCH_UNSUPPORTED": "its groups do not watch ports",
    "OFPGMFC_GROUP_EXISTS": "a group of this id is there already",
    "OFPGMFC_UNKNOWN_GROUP": "it has no group of this id",
    "OFPGMFC_EPERM": "the session may not change groups",
    "OFPBAC_BAD_OUT_GROUP": "the rule names a group it does not have",
    "OFPBAC_BAD_OUT_PORT": "the rule names a port it does not have",
    "OFPBRC_IS_SLAVE": "another controller is master of it",
    "OFPBRC_EPERM": "the session may not do this",
    "OFPHFC_INCOMPATIBLE": "it speaks no version of OpenFlow in common with 1.3",
}


def error_words(body: bytes) -> str:
    """Name and meaning of the body of an ERROR message.

    Examples
    --------
    >>> error_words(bytes([0, 5, 0, 1]))
    'OFPET_FLOW_MOD_FAILED/OFPFMFC_TABLE_FULL: the flow table is full'
    """
    if len(body) < 4:
        return "an error without type"
    kind, code = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    kind_name, code_names = _names(kind)
    code_name = code_names.get(code, f"code {code}")
    meaning = _MEANING.get(code_name)
    if kind == 0:  # HELLO_FAILED carries a text
        text = "".join(letter for letter in body[4:].decode("ascii", "replace") if letter.isprintable())
        meaning = f"{meaning} ({text})" if meaning and text else meaning or text
    return f"{kind_name}/{code_name}" + (f": {meaning}" if meaning else "")


def _names(kind: int) -> tuple[str, dict[int, str]]:
    """Name of an error type and the names of its codes."""
    from scapy.contrib import openflow3

    layer: Any = openflow3.ofp_error_cls.get(kind)
    if layer is None:
        return f"error type {kind}", {}
    field = next((field for field in layer.fields_desc if field.name == "errcode"), None)
    return openflow3.ofp_error_type[kind], dict(getattr(field, "i2s", None) or {})
