"""Zhao et al., "Insights into DeepSeek-V3", ISCA 2025, table 3: endpoints, switches, links and cost of five networks.

The paper says that its costs follow the method of the Slim Fly paper, and not its prices. Prices of a switch, a host
link, an uplink and a link inside a group of a dragonfly are fitted to its five costs here, and found to reproduce them;
what is tested is that our counts are the paper's, and that its order by cost per endpoint follows from them.
"""

from __future__ import annotations

import numpy as np
import pytest

from fabric.design.families import dragonfly, slim_fly
from topologies.builder import TOPOLOGIES
from topologies.catalogue import Catalogue, SwitchModel
from topologies.errors import TopologyError
from topologies.fabric_size import facts_of

# Endpoints, switches, links between switches, cost in million US$ and per endpoint in thousand US$, as printed.
PUBLISHED = {
    "FT2": (2_048, 96, 2_048, 9, 4.39),
    "MPFT": (16_384, 768, 16_384, 72, 4.39),
    "FT3": (65_536, 5_120, 131_072, 491, 7.5),
    "SF": (32_928, 1_568, 32_928, 146, 4.4),
    "DF": (261_632, 16_352, 384_272, 1_522, 5.8),
}
LEAF_SPINE = {
    "leaf": {"count": 64, "radix": 64, "speed": "400G", "down": 32, "up": 32},
    "spine": {"count": 32, "radix": 64},
}
BUILT = {
    "FT2": ("leaf-spine", LEAF_SPINE),
    "MPFT": ("multi-plane", {"planes": 8, "plane": {"kind": "leaf-spine", **LEAF_SPINE}}),
    "FT3": ("fat-tree", {"radix": 64, "speed": "400G"}),
    "DF": ("dragonfly", {"p": 16, "a": 32, "h": 16, "groups": 511, "speed": "400G"}),
}
SWITCHES = Catalogue(
    switches={"eth": SwitchModel(model="eth", ports=64, speed="400G", breakouts=(), source="64 ports of 400G")}
)


def counts(kind, keys):
    """Endpoints, switches, cables by tier; by the closed form of the builder."""
    entry = TOPOLOGIES[kind]
    found = facts_of(entry, entry.model.model_validate({"kind": kind, **keys}))
    return found.endpoints, found.switches, found.cables_by_tier


@pytest.mark.parametrize("name", BUILT)
def test_counts_are_those_of_the_table(name):
    endpoints, switches, cables = counts(*BUILT[name])
    between = sum(count for tier, count in cables.items() if not tier.startswith("host-"))
    assert (endpoints, switches, between) == PUBLISHED[name][:3]


def test_the_slim_fly_of_the_table_does_not_exist_and_its_formula_does():
    """q is 28, no prime power: 2 q² switches of 3 q / 2 network ports with 21 hosts. The next are q 27 and 29."""
    q, hosts = 28, 21
    assert (2 * q * q * hosts, 2 * q * q, 2 * q * q * (3 * q // 2) // 2) == PUBLISHED["SF"][:3]
    with pytest.raises(
        TopologyError, match="q 27 has 1,458 switches of 41 network ports; q 29 has 1,682 switches of 43"
    ):
        TOPOLOGIES["slim-fly"]({"q": q, "p": hosts, "speed": "400G"})


def parts():
    """Switches, host links, uplinks or global links, and links inside of groups, by network."""
    rows = {name: [switches, endpoints, links, 0] for name, (endpoints, switches, links, _, _) in PUBLISHED.items()}
    local = counts(*BUILT["DF"])[2]["local"]
    rows["DF"][2:] = [PUBLISHED["DF"][2] - local, local]
    return rows


@pytest.fixture(scope="module")
def prices():
    """Thousand US$ of a switch, a host link, an uplink and a local link, by the least largest relative error."""
    from scipy.optimize import linprog

    rows = np.array([np.array(row) / (1e3 * PUBLISHED[name][3]) for name, row in parts().items()])
    ones = np.ones((len(rows), 1))
    found = linprog(
        [0, 0, 0, 0, 1],
        A_ub=np.vstack([np.hstack([rows, -ones]), np.hstack([-rows, -ones])]),
        b_ub=np.concatenate([np.ones(len(rows)), -np.ones(len(rows))]),
        bounds=[(0, None)] * 5,
    )
    assert found.status == 0
    return found.x[:4]


def test_one_set_of_prices_gives_all_five_costs(prices):
    """A switch of some 50, an uplink of 1.4 and a host link of 0.5 thousand US$."""
    for name, row in parts().items():
        endpoints, _, _, cost, each = PUBLISHED[name]
        assert round(float(prices @ row) / 1e3) == cost
        assert float(prices @ row) / endpoints == pytest.approx(each, rel=0.011)


def test_our_designs_by_those_prices_come_in_the_published_order(prices):
    """Two tiers and planes of them alike, then Slim Fly, dragonfly, and three tiers.

    A Slim Fly that exists, of q 29 with 21 hosts a switch, takes the place of theirs.
    """
    _, _, cables = counts("slim-fly", {"q": 29, "p": 21, "speed": "400G"})
    rows = parts() | {"SF": [1_682, cables["host-switch"], cables["switch-switch"], 0]}
    each = {name: float(prices @ row) / row[1] for name, row in rows.items()}
    assert each["FT2"] == each["MPFT"] == pytest.approx(4.39, abs=0.01)
    assert each["SF"] == pytest.approx(each["FT2"], rel=0.03)
    assert max(each["FT2"], each["SF"]) < each["DF"] < each["FT3"]


def test_families_reach_at_least_what_the_table_has(need_of_64_ports):
    """Of switches of 64 ports, at a uniform load of at most 1: by Slim Fly q 29 with 21 hosts beside 43 ports."""
    assert slim_fly.FAMILY.most_endpoints(need_of_64_ports, SWITCHES) == 1_682 * 21 > PUBLISHED["SF"][0]
    assert dragonfly.FAMILY.most_endpoints(need_of_64_ports, SWITCHES) >= PUBLISHED["DF"][0]


@pytest.fixture
def need_of_64_ports():
    """One NIC of 400G."""
    from fabric.design.need import FabricNeed

    return FabricNeed("backend", 1, 1, 1, 400.0)
