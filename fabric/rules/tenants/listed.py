"""``tenants.csv``: whose endpoint is whose, and at which port of which switch, for those who cable or audit."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.rules.dialect import File
from fabric.rules.manifest import to_csv
from fabric.rules.rule_set import RuleSet
from fabric.rules.tenants.deny import access_ports

TENANTS = "tenants.csv"
TENANT_COLUMNS = ("tenant", "key", "endpoint", "switch", "port", "shared_with")


def tenant_files(rules: RuleSet) -> Iterator[File]:
    """The list; nothing for a scenario without tenants."""
    tenancy = rules.tenancy
    if tenancy is None:
        return
    names, links = rules.topology.nodes.name, rules.topology.links
    rows = []
    for node in rules.nodes:
        for port, tenant in access_ports(rules.plan, rules.ports, tenancy.of, node):
            end = int(links.dst[rules.ports.link(node, port)])
            serves = " ".join(tenancy.names[other] for other in tenancy.shared_with[tenant])
            rows.append((tenancy.names[tenant], tenancy.keys[tenant], names[end], names[node], port, serves))
    rows.sort(key=lambda row: row[1])  # stable: by tenant, then in the order of switches and ports
    yield File(TENANTS, to_csv(TENANT_COLUMNS, rows))
