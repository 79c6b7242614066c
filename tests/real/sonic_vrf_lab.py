"""What SONiC makes of VRFs in ``config_db.json``, on namespaces: each VRF one, with its sub-interfaces and VLANs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sonic_lab import Config, frr_lines
from vrf_lab import VrfLab

from fabric.rules.manifest import read_manifest


class SonicVrfLab(VrfLab):
    """A context manager as ``VrfLab``, whose routers are set up from an export of dialect sonic."""

    def start_sonic_vrfs(self, folder: Path) -> None:
        """Bring up VRFs, sub-interfaces, VLANs and addresses of every switch, then FRR."""
        configs: dict[str, Config] = {}
        for entry in read_manifest(folder).switches:
            configs[entry.name] = json.loads((folder / "switches" / f"{entry.file}.config_db.json").read_text())
        self.start_in_spaces(
            {name: "\n".join(link_lines(config)) for name, config in configs.items()},
            {name: "".join(f"{line}\n" for line in frr_lines(config)) for name, config in configs.items()},
            {name: list(shell_lines(config)) for name, config in configs.items()},
        )


def link_lines(config: Config) -> Iterator[str]:
    """VRFs and sub-interfaces, as ``links/NAME.ip`` of FRR has them."""
    for number, vrf in enumerate(config["VRF"]):
        yield f"link add {vrf} type vrf table {1001 + number}"
    for name, row in config["VLAN_SUB_INTERFACE"].items():
        if "|" not in name:
            parent = config["PORT"][name.partition(".")[0]]["index"]
            yield f"link add link eth{parent} name {name} type vlan id {row['vlan']}"
            yield f"link set {name} master {row['vrf_name']}"
            yield f"link set {name} up"


def shell_lines(config: Config) -> Iterator[str]:
    """VLANs as bridges in the namespaces of their VRFs, their members, and all addresses."""
    where = {name: row.get("vrf_name", "") for name, row in config.get("VLAN_INTERFACE", {}).items()}
    where |= {name: row["vrf_name"] for name, row in config["VLAN_SUB_INTERFACE"].items() if "|" not in name}
    for vlan in config.get("VLAN", {}):
        yield f"ip -n {where[vlan]} link add {vlan} type bridge"
        yield f"ip -n {where[vlan]} link set {vlan} up"
    for key in config.get("VLAN_MEMBER", {}):
        vlan, port = key.split("|")
        device = f"eth{config['PORT'][port]['index']}"
        yield f"ip link set {device} netns {where[vlan]}"
        yield f"ip -n {where[vlan]} link set {device} master {vlan} up"
    for table in ("INTERFACE", "VLAN_INTERFACE", "VLAN_SUB_INTERFACE", "LOOPBACK_INTERFACE"):
        for key in config.get(table, {}):
            name, _, address = key.partition("|")
            if address:
                device = f"eth{config['PORT'][name]['index']}" if name in config["PORT"] else name
                space = f"-n {where[name]} " if where.get(name) else ""
                yield f"ip {space}address add {address} dev {'lo' if name.startswith('Loopback') else device}"
