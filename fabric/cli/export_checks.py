"""Exported tables before they are put in place: followed, and held against the tenants they keep apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.rules.dialect import Dialect
    from fabric.rules.planned import PlannedRules
    from fabric.rules.verify.findings import Finding
    from topologies.errors import FabricError


def follow_tables(folder: Path, planned: PlannedRules, report: Any) -> bool:
    """Follow what was written; what fails is a bug of ours and stops the export."""
    from fabric.routing.progress import Progress
    from fabric.rules.manifest import read_manifest
    from fabric.rules.verify.check import verify_export
    from fabric.rules.verify.stamp import write_stamp

    def say(text: str) -> None:
        report(Progress(text))

    manifest = read_manifest(folder)
    verdict = verify_export(folder, manifest, planned.plan, planned.pairs, tenancy=planned.rules.tenancy, progress=say)
    if not verdict.holds:
        raise _not_as_planned(verdict.findings[0])
    write_stamp(folder, manifest)
    return True


def check_tenants(folder: Path, planned: PlannedRules, chosen: Dialect) -> None:
    """Hold the partitions or VRFs that were written against the tenants, where there are any."""
    from fabric.rules.manifest import read_manifest
    from fabric.rules.verify.tenant_proofs import prove_tenants

    if planned.rules.tenancy is None:
        return
    found = prove_tenants(folder, read_manifest(folder), planned.plan, planned.rules.tenancy, chosen)
    if not found.holds:
        raise _not_as_planned(found.findings[0])


def tenant_notes(planned: PlannedRules, chosen: Dialect) -> list[str]:
    """What keeping tenants apart costs in rules or sessions, and who is shared by design."""
    from fabric.rules.tenants.vrfs import session_words, vrfs_of

    tenancy, names = planned.rules.tenancy, planned.rules.topology.nodes.name
    if tenancy is None:
        return []
    counts = {
        names[node]: sum(1 for rule in planned.rules.make(node).rules if rule.match.in_port)
        for node in planned.rules.nodes
    }
    most = max(counts, key=lambda name: counts[name])
    price = f"{sum(counts.values()):,} rules at the ports of hosts, {counts[most]:,} of them at {most}, "
    shared = [f"; {name} is shared by design with {', '.join(others)}" for name, others in tenancy.shared]
    if chosen.tenants == "vrfs":
        return [f"{session_words(planned.rules, vrfs_of(tenancy))}, to keep {len(tenancy.names)} tenants apart"
                f"{''.join(shared)}"]  # fmt: skip
    return [f"{price if counts[most] else ''}keep {len(tenancy.names)} tenants apart{''.join(shared)}"]


def _not_as_planned(first: Finding) -> FabricError:
    from fabric.rules.errors import RuleError

    return RuleError(
        f"the tables do not do what was planned: {first.text}",
        notes=first.trace,
        hint="this is a bug of fabric; --no-verify writes them all the same",
        code="FP8013",
    )
