"""Mistakes about flow tables."""

from __future__ import annotations

from topologies.errors import FabricError


class RuleError(FabricError):
    """Addresses that run out, tables that do not fit, files that cannot be read back, sessions that break (FP8xxx)."""

    default_code = "FP8000"
