"""What BGP does by itself, and so what tables it can stand for: shortest paths, equally or by link bandwidth."""

from __future__ import annotations

import numpy as np

from fabric.routing.router import ROUTERS, traits_of
from fabric.routing.traits import Rule
from fabric.rules.errors import RuleError
from fabric.rules.rule_set import RuleSet

EQUAL: Rule = "equal"
UNEQUAL: Rule = "next-hop-count"


def bgp_rule(rules: RuleSet) -> Rule | None:
    """What the tables of every switch do, where that is one rule."""
    return traits_of(rules.router).rule_alone


def check_bgp(rules: RuleSet) -> None:
    """Refuse what BGP would not do."""
    links, forwards = rules.topology.links, rules.topology.nodes.forwards
    if bgp_rule(rules) not in (EQUAL, UNEQUAL):
        carried = [entry.name for entry in ROUTERS if entry.traits.rule_alone in (EQUAL, UNEQUAL)]
        raise RuleError(
            f"BGP chooses its own paths: it cannot carry the splits of router {rules.router}",
            hint=f"dialect static carries them; frr carries router {', '.join(carried)}",
            code="FP8030",
        )
    inner = forwards[links.src] & forwards[links.dst]
    if inner.any() and np.ptp(links.weight[inner]) > 0:
        raise RuleError(
            f"links of fabric {rules.plan.fabric} differ in their routing metrics; BGP counts switches on the way",
            hint="dialect static carries the planned next hops",
            code="FP8030",
        )
