"""Proofs of isolation from files beside the tables: partitions of InfiniBand, VRFs of routers."""

from __future__ import annotations

from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import Dialect
from fabric.rules.manifest import Manifest
from fabric.rules.tenancy import Tenancy
from fabric.rules.verify.findings import Isolation
from fabric.rules.verify.partition_proof import prove_partitions
from fabric.rules.verify.vrf_proof import prove_vrfs


def prove_tenants(folder: Path, manifest: Manifest, plan: AddressPlan, tenancy: Tenancy, dialect: Dialect) -> Isolation:
    """What the files of a dialect that keeps tenants apart by partitions or VRFs prove."""
    if dialect.tenants == "partitions":
        return prove_partitions(folder, plan, tenancy)
    return prove_vrfs(folder, manifest, plan, tenancy)
