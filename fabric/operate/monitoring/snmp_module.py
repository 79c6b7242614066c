"""A module of snmp_exporter that walks what the rules read: bytes, errors and state of ports, with their names.

Columns are those of IF-MIB (RFC 2863). The form is that of snmp_exporter up to 0.22; later ones have the same modules
under ``modules:``, and the community under ``auths:``.
"""

from __future__ import annotations

_COLUMNS = (
    ("ifOperStatus", "1.3.6.1.2.1.2.2.1.8", "gauge"),
    ("ifInErrors", "1.3.6.1.2.1.2.2.1.14", "counter"),
    ("ifHCInOctets", "1.3.6.1.2.1.31.1.1.1.6", "counter"),
    ("ifHCOutOctets", "1.3.6.1.2.1.31.1.1.1.10", "counter"),
)
_NAMES = (("ifDescr", "1.3.6.1.2.1.2.2.1.2"), ("ifName", "1.3.6.1.2.1.31.1.1.1.1"))


def snmp_module(name: str = "fabric") -> str:
    """The file's text."""
    lines = [f"{name}:\n", "  version: 2\n", "  walk:\n"]
    lines += [f"  - {oid}\n" for _, oid in _NAMES]
    lines += [f"  - {oid}\n" for _, oid, _ in _COLUMNS]
    lines.append("  metrics:\n")
    for metric, oid, kind in _COLUMNS:
        lines += [
            f"  - name: {metric}\n",
            f"    oid: {oid}\n",
            f"    type: {kind}\n",
            f"    help: {metric} of IF-MIB\n",
        ]
        lines += ["    indexes:\n", "    - labelname: ifIndex\n", "      type: gauge\n", "    lookups:\n"]
        for label, of in _NAMES:
            lines += ["    - labels: [ifIndex]\n", f"      labelname: {label}\n", f"      oid: {of}\n"]
            lines.append("      type: DisplayString\n")
    return "".join(lines)
