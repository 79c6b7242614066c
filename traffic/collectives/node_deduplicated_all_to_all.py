"""All-to-all of tokens that sends one copy per host: the receiver hands it on over NVLink."""

from __future__ import annotations

from topologies.registry import Injected
from topologies.units import Count
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.exchange import direct_exchange
from traffic.formula import formula
from traffic.rings import rail_blocks


@COLLECTIVES.register(
    "node-deduplicated-all-to-all", example={"group_size": 8, "payload_bytes": 1e9, "copies": 2, "node_limit": 2}
)
def node_deduplicated_all_to_all(
    group_size: int,
    payload_bytes: float,
    copies: Count = 1,
    node_limit: Count | None = None,
    layout: Injected[GroupLayout | None] = None,
) -> CollectiveTraffic:
    """Of a token's k copies one goes to each of at most min(k, limit, m) of m hosts, along the sender's rail.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        All copies of one rank's tokens S, bytes.
    copies : int
        Copies of a token, k: its routed experts.
    node_limit : int, optional
        Most hosts that a token goes to.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent.

    Returns
    -------
    CollectiveTraffic
        What crosses the fabric; copies handed on over NVLink are not listed. Hosts are chosen evenly, the sender's own
        among them. Inside one host it is the direct exchange.

    References
    ----------
    DeepSeek-V3, arXiv 2412.19437, section 3.2.2 (at most four nodes; InfiniBand first, then NVLink).
    """
    table = (layout or GroupLayout.of(group_size)).rails
    if len(table) == 1:
        return direct_exchange(group_size, payload_bytes)
    hosts = len(table)
    sent = formula(
        "S / k * c * (m - 1) / m",
        "DeepSeek-V3, arXiv 2412.19437, section 3.2.2",
        S=(payload_bytes, "all copies of the tokens, bytes"),
        k=(copies, "copies of a token"),
        c=(min(copies, node_limit or copies, hosts), "most hosts they go to"),
        m=(hosts, "hosts of the group"),
    )
    return rail_blocks(table, sent.value / max(hosts - 1, 1), sent)
