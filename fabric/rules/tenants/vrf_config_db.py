"""VRFs of a SONiC switch read back from ``config_db.json``, as the same values that files of FRR give.

A port is in the VRF of the VLANs that it is a member of; the prefix of such a VLAN is a route to all its members. SONiC
drops what a VRF has no route for, unless ``fallback`` says otherwise. Tables and columns that an export does not write
are refused, but for ``import_vrf`` and ``fallback``: what is not read might make tenants meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

from fabric.rules.errors import RuleError
from fabric.rules.own_files import read_record
from fabric.rules.vrf_tables import DEFAULT, Process, Static, VrfFiles
from topologies.errors import FormatError
from topologies.reading.json_value import JsonValue

_FIRST_TABLE = 1_001
_WHOLE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
# Columns of every table; those of tables that no packet meets are left to SONiC's own checks.
_COLUMNS: dict[str, frozenset[str] | None] = {
    "DEVICE_METADATA": None,
    "DEVICE_NEIGHBOR": None,
    "DEVICE_NEIGHBOR_METADATA": None,
    "PORT": None,
    "LOOPBACK_INTERFACE": frozenset(),
    "ROUTE_MAP_SET": frozenset(),
    "ROUTE_MAP": frozenset({"route_operation"}),
    "VRF": frozenset({"fallback"}),
    "INTERFACE": frozenset({"vrf_name"}),
    "VLAN_SUB_INTERFACE": frozenset({"admin_status", "vlan", "vrf_name"}),
    "VLAN": frozenset({"vlanid", "admin_status"}),
    "VLAN_MEMBER": frozenset({"tagging_mode"}),
    "VLAN_INTERFACE": frozenset({"vrf_name"}),
    "BGP_GLOBALS": frozenset({"local_asn", "router_id", "load_balance_mp_relax"}),
    "BGP_GLOBALS_AF": frozenset({"max_ebgp_paths", "import_vrf"}),
    "BGP_GLOBALS_AF_NETWORK": frozenset(),
    "BGP_NEIGHBOR": frozenset({"asn", "local_addr", "name", "admin_status"}),
    "BGP_NEIGHBOR_AF": frozenset({"admin_status", "route_map_in", "route_map_out"}),
}


def read_config_db(folder: Path, stem: str) -> VrfFiles:
    """VRFs of one switch.

    Raises
    ------
    RuleError
        FP8057 with the file, for tables, columns and values that an export does not write.
    """
    path = folder / "switches" / f"{stem}.config_db.json"
    top = read_record(path, code="FP8057")
    try:
        return _Reader(path, top).read()
    except FormatError as error:
        raise _refused(path, error.problems[0].message) from None
    except (ValueError, LookupError) as error:
        raise _refused(path, str(error)) from None


def _refused(path: Path, words: str) -> RuleError:
    return RuleError(
        f"{words}; tenants might meet by what is not read", file=str(path), hint="export again", code="FP8057"
    )


class _Reader:
    """One file, table by table."""

    def __init__(self, path: Path, top: JsonValue) -> None:
        self.path, self.top, self.found = path, top, VrfFiles()

    def read(self) -> VrfFiles:
        """All of it."""
        self._check()
        for number, (vrf, row) in enumerate(self._rows("VRF")):
            self.found.tables[vrf] = _FIRST_TABLE + number
            if row.get("fallback").text("false") == "false":
                self.found.drops[vrf] = list(_WHOLE)
        self._interfaces()
        self._vlans()
        self._bgp()
        self.found.said = {}
        return self.found

    def _rows(self, table: str) -> Iterator[tuple[str, JsonValue]]:
        rows = self.top.get(table)
        return iter(()) if rows.absent else rows.items()

    def _check(self) -> None:
        for table, rows in self.top.items():
            if table not in _COLUMNS:
                raise ValueError(f"table {table[:60]!r} is none of an export")
            columns = _COLUMNS[table]
            if columns is None:
                continue
            for key, row in rows.items():
                unknown = next((column for column in row.keys if column not in columns), None)
                if unknown is not None:
                    raise ValueError(f"column {unknown[:60]!r} of {table} {key[:60]} is none of an export")

    def _port(self, name: str) -> str:
        """Our name of a port."""
        return f"eth{int(self.top.need('PORT').need(name).need('index').text())}"

    def _put(self, interface: str, row: JsonValue) -> None:
        """An interface into the VRF that its row names."""
        vrf = row.get("vrf_name").text("")
        if vrf and vrf not in self.found.tables:
            raise ValueError(f"{interface} is in VRF {vrf!r}, which is not there")
        if vrf:
            self.found.master[interface] = vrf

    def _interfaces(self) -> None:
        for key, row in self._rows("INTERFACE"):
            name, _, address = key.partition("|")
            self._address(self._port(name), address, row)
        for key, row in self._rows("VLAN_SUB_INTERFACE"):
            name, _, address = key.partition("|")
            if not address:
                parent, _, number = name.partition(".")
                long = parent if parent.startswith("Ethernet") else parent.replace("Eth", "Ethernet", 1)
                place = (self._port(long), int(row.get("vlan").text(number)))
                if place in self.found.parent.values():
                    raise ValueError(f"VLAN {place[1]} of {long} is there twice")
                self.found.parent[name] = place
            self._address(name, address, row)

    def _address(self, interface: str, address: str, row: JsonValue) -> None:
        if address:
            self.found.addresses.setdefault(interface, []).append(ip_interface(address))
        else:
            self._put(interface, row)

    def _vlans(self) -> None:
        members: dict[str, list[str]] = {}
        for key, row in self._rows("VLAN_MEMBER"):
            vlan, port = key.split("|")
            interface = self._port(port)
            if row.need("tagging_mode").text() == "tagged":
                place = (interface, int(self.top.need("VLAN").need(vlan).need("vlanid").text()))
                interface = f"{interface}.{vlan}"
                self.found.parent[interface] = place
            members.setdefault(vlan, []).append(interface)
        routed = {key: row for key, row in self._rows("VLAN_INTERFACE") if "|" not in key}
        for vlan, interfaces in members.items():
            if vlan not in routed:
                raise ValueError(f"{vlan} has members and no address: what they exchange is not known")
            for interface in interfaces:
                if interface in self.found.master or interface in self.found.addresses:
                    raise ValueError(f"{interface} of {vlan} is in another VRF or VLAN too, or has an address")
                self._put(interface, routed[vlan])
        for key, _ in self._rows("VLAN_INTERFACE"):
            vlan, _, address = key.partition("|")
            if address:
                vrf = routed[vlan].get("vrf_name").text("")
                network = ip_interface(address).network
                routes = [Static(network, interface, vrf, 0) for interface in members.get(vlan, ())]
                self.found.statics.setdefault(vrf, []).extend(routes)

    def _bgp(self) -> None:
        for key, row in self._rows("BGP_GLOBALS"):
            self.found.bgp[_vrf(key)] = Process(int(row.need("local_asn").text()))
        for key, row in self._rows("BGP_GLOBALS_AF"):
            vrf, family = key.split("|")
            if not row.get("import_vrf").absent:
                self._process(vrf).imports.append((_family(family), _vrf(row.need("import_vrf").text())))
        for key, _ in self._rows("BGP_GLOBALS_AF_NETWORK"):
            vrf, _, prefix = key.split("|")
            self._process(vrf).networks.append(ip_network(prefix))
        for key, row in self._rows("BGP_NEIGHBOR"):
            vrf, address = key.split("|")
            self._process(vrf).neighbours[ip_address(address)] = int(row.need("asn").text())
        for key, _ in self._rows("BGP_NEIGHBOR_AF"):
            vrf, address, family = key.split("|")
            self._process(vrf).active.add((_family(family), ip_address(address)))

    def _process(self, vrf: str) -> Process:
        if _vrf(vrf) not in self.found.bgp:
            raise ValueError(f"BGP of VRF {vrf!r} is not there")
        return self.found.bgp[_vrf(vrf)]


def _vrf(name: str) -> str:
    return DEFAULT if name == "default" else name


def _family(name: str) -> int:
    return {"ipv4_unicast": 4, "ipv6_unicast": 6}[name]
