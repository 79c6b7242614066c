"""Where byte counters come from: names of series and labels of exporters, read into one form for all rules after them.

Names are those of snmp_exporter's module ``if_mib`` (IF-MIB), of node_exporter's collectors ``netdev``, ``netclass``
and ``infiniband``, of gnmic's Prometheus output for ``/interfaces/interface/state`` of OpenConfig, and of
dcgm-exporter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PORT_KEYS = ("instance", "port")


@dataclass(frozen=True)
class Profile:
    """An exporter.

    Attributes
    ----------
    sent, received, errors : str
        Counters of bytes, and of packets received with errors, since the device started.
    up : str
        PromQL that is 1 where a port is up and 0 where it is not.
    ports : tuple of str
        Labels that name the port; a later one is taken before an earlier one.
    instance : str
        Label that names the device.
    switches, hosts : bool
        Which devices run it where nobody says.
    needs : str
        What has to be so for the names to hold.
    """

    name: str
    summary: str
    sent: str
    received: str
    errors: str
    up: str
    ports: tuple[str, ...]
    instance: str
    switches: bool
    hosts: bool
    needs: str

    def reading(self, expression: str) -> str:
        """PromQL with labels ``instance`` and ``port`` only."""
        for label in self.ports:
            expression = f'label_replace({expression}, "port", "$1", "{label}", "(.+)")'
        if self.instance != "instance":
            expression = f'label_replace({expression}, "instance", "$1", "{self.instance}", "([^:]+)(:[0-9]+)?")'
        return f"max by (instance, port) ({expression})"

    def labels(self, instance: str, port: str) -> dict[str, str]:
        """Labels of a series of this exporter."""
        labels = {self.instance: instance, self.ports[-1]: port}
        return labels | ({"port": "1"} if self.name == "dcgm" else {})

    def up_series(self, up: bool) -> tuple[str, float]:
        """The series behind ``up``, and its value."""
        return _UP[self.name], _UP_VALUE[self.name][up]

    def interface(self, port: str) -> str:
        """What the exporter calls a port of the plan where no names are given; NICs of RDMA by their number."""
        number = port.rpartition("nic")[2]
        return f"mlx5_{number}" if self.name == "dcgm" and number.isdecimal() else port


_UP = {
    "snmp": "ifOperStatus",
    "node": "node_network_up",
    "gnmi": "interfaces_interface_state_oper_status",
    "dcgm": "node_infiniband_state_id",
}
_UP_VALUE = {"snmp": (2.0, 1.0), "node": (0.0, 1.0), "gnmi": (0.0, 1.0), "dcgm": (1.0, 4.0)}

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "snmp": Profile(
            "snmp", "snmp_exporter, module if_mib, of switches",
            "ifHCOutOctets", "ifHCInOctets", "ifInErrors", "ifOperStatus == bool 1", ("ifDescr", "ifName"), "instance",
            True, False,
            "the module looks up ifName or ifDescr, as if_mib does; snmp.yml in this folder walks what is needed",
        ),
        "node": Profile(
            "node", "node_exporter of hosts, and of switches that run Linux",
            "node_network_transmit_bytes_total", "node_network_receive_bytes_total",
            "node_network_receive_errs_total", "node_network_up", ("device",), "instance",
            False, True,
            "RDMA traffic passes many NICs beside these counters: use dcgm for hosts that send RoCE or InfiniBand",
        ),
        "gnmi": Profile(
            "gnmi", "gnmic's Prometheus output of /interfaces/interface/state, OpenConfig, of switches",
            "interfaces_interface_state_counters_out_octets", "interfaces_interface_state_counters_in_octets",
            "interfaces_interface_state_counters_in_errors", "interfaces_interface_state_oper_status == bool 1",
            ("interface_name",), "source",
            True, False,
            "no metric-prefix, and a processor that turns oper-status UP into 1 and all else into 0",
        ),
        "dcgm": Profile(
            "dcgm", "RDMA counters of node_exporter (collector infiniband), and dcgm-exporter for NVLink, of hosts",
            "node_infiniband_port_data_transmitted_bytes_total", "node_infiniband_port_data_received_bytes_total",
            "node_infiniband_port_errors_received_total", "node_infiniband_state_id == bool 4", ("device",), "instance",
            False, True,
            "devices are mlx5_0, mlx5_1, ... in the order of the plan's NICs, or --names says otherwise",
        ),
    }
)  # fmt: skip
