"""SONiC's ``config_db.json`` as the data of YANG models, as its own tools turn it: keys become leaves of lists."""

from __future__ import annotations

from typing import Any

# Table: per number of key parts the list and the leaves of the key.
TABLES: dict[str, dict[int, tuple[str, tuple[str, ...]]]] = {
    "PORT": {1: ("PORT_LIST", ("name",))},
    "INTERFACE": {1: ("INTERFACE_LIST", ("name",)), 2: ("INTERFACE_IPPREFIX_LIST", ("name", "ip-prefix"))},
    "LOOPBACK_INTERFACE": {
        1: ("LOOPBACK_INTERFACE_LIST", ("name",)),
        2: ("LOOPBACK_INTERFACE_IPPREFIX_LIST", ("name", "ip-prefix")),
    },
    "VRF": {1: ("VRF_LIST", ("name",))},
    "VLAN_SUB_INTERFACE": {
        1: ("VLAN_SUB_INTERFACE_LIST", ("name",)),
        2: ("VLAN_SUB_INTERFACE_IPPREFIX_LIST", ("name", "ip-prefix")),
    },
    "VLAN": {1: ("VLAN_LIST", ("name",))},
    "VLAN_MEMBER": {2: ("VLAN_MEMBER_LIST", ("name", "port"))},
    "VLAN_INTERFACE": {
        1: ("VLAN_INTERFACE_LIST", ("name",)),
        2: ("VLAN_INTERFACE_IPPREFIX_LIST", ("name", "ip-prefix")),
    },
    "DEVICE_NEIGHBOR": {1: ("DEVICE_NEIGHBOR_LIST", ("peer_name",))},
    "DEVICE_NEIGHBOR_METADATA": {1: ("DEVICE_NEIGHBOR_METADATA_LIST", ("name",))},
    "ROUTE_MAP_SET": {1: ("ROUTE_MAP_SET_LIST", ("name",))},
    "ROUTE_MAP": {2: ("ROUTE_MAP_LIST", ("name", "stmt_name"))},
    "BGP_GLOBALS": {1: ("BGP_GLOBALS_LIST", ("vrf_name",))},
    "BGP_GLOBALS_AF": {2: ("BGP_GLOBALS_AF_LIST", ("vrf_name", "afi_safi"))},
    "BGP_GLOBALS_AF_NETWORK": {3: ("BGP_GLOBALS_AF_NETWORK_LIST", ("vrf_name", "afi_safi", "ip_prefix"))},
    "BGP_NEIGHBOR": {2: ("BGP_NEIGHBOR_LIST", ("vrf_name", "neighbor"))},
    "BGP_NEIGHBOR_AF": {3: ("BGP_NEIGHBOR_AF_LIST", ("vrf_name", "neighbor", "afi_safi"))},
}
NUMBERS = ("speed", "mtu", "index", "vlan", "vlanid", "bgp_asn", "local_asn", "asn", "max_ebgp_paths", "stmt_name")
FLAGS = ("load_balance_mp_relax", "frr_mgmt_framework_config")


def yang_data(config: dict[str, Any]) -> dict[str, Any]:
    """The whole configuration under the container of ``config-db.yang``."""
    data: dict[str, Any] = {}
    for table, rows in config.items():
        if table == "DEVICE_METADATA":
            data[table] = {"localhost": _leaves(rows["localhost"])}
            continue
        data[table] = {}
        for key, row in rows.items():
            parts = key.split("|")
            name, leaves = TABLES[table][len(parts)]
            data[table].setdefault(name, []).append(_leaves(dict(zip(leaves, parts, strict=True)) | row))
    return {"config-db:config-db": data}


def _leaves(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers and flags as JSON of YANG has them (RFC 7951, section 6); what is no number stays, to be refused."""
    return {name: _leaf(name, value) for name, value in row.items()}


def _leaf(name: str, value: Any) -> Any:
    if name in NUMBERS and isinstance(value, str) and value.isdigit():
        return int(value)
    return value == "true" if name in FLAGS and value in ("true", "false") else value
