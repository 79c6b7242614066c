"""Which dialects carry tenants: those that keep them apart by what they write, in files that a proof can read."""

from __future__ import annotations

from fabric.rules.dialect import DIALECTS, Dialect
from fabric.rules.errors import RuleError

# Ways that are proved from files of their own, whatever the tables are; with what people call those.
OF_THEIR_OWN = {"partitions": "partitions", "vrfs": "VRFs"}


def check_dialect(dialect: Dialect) -> None:
    """Raise FP8065 for a dialect that would drop the isolation of tenants, or whose failover was not argued about.

    What a routing protocol finds when a link dies is not in the tables. Partitions hold whatever it finds, and so do
    VRFs, whose proof takes all that sessions of one VRF may hand on.
    """
    if dialect.tenants is not None and (dialect.tenants != "rules" or dialect.failover == "next-slot"):
        return
    can = [name for name in DIALECTS if DIALECTS[name].tenants is not None]
    raise RuleError(
        f"the scenario has tenants, and dialect {dialect.name} does not keep them apart: every host would reach every "
        "other",
        hint=f"--dialect {', '.join(can[:-1])} or {can[-1]}; or export a scenario without tenants",
        code="FP8065",
    )
