"""What BGP does by itself, and so what tables it can stand for: shortest paths, equally or by link bandwidth."""

from __future__ import annotations

import numpy as np

from fabric.rules.errors import RuleError
from fabric.rules.rule_set import RuleSet

UNEQUAL = "bgp-ucmp"
ROUTERS = ("ecmp", "ecmp-hash", UNEQUAL)


def check_bgp(rules: RuleSet) -> None:
    """Refuse what BGP would not do."""
    links, forwards = rules.topology.links, rules.topology.nodes.forwards
    if rules.router not in ROUTERS:
        raise RuleError(
            f"BGP chooses its own paths: it cannot carry the splits of router {rules.router}",
            hint=f"dialect static carries them; frr carries router {', '.join(ROUTERS)}",
            code="FP8030",
        )
    inner = forwards[links.src] & forwards[links.dst]
    if inner.any() and np.ptp(links.weight[inner]) > 0:
        raise RuleError(
            f"links of fabric {rules.plan.fabric} differ in their routing metrics; BGP counts switches on the way",
            hint="dialect static carries the planned next hops",
            code="FP8030",
        )
