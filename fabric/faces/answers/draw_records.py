"""Draws of the hash as plain records: medians, bands, rates of flows."""

from __future__ import annotations

from typing import Any

from fabric.output.numbers import finite
from fabric.result import Band, PhaseDraws
from fabric.routing.router import HashSpread


def draws_record(draws: PhaseDraws | None) -> dict[str, Any] | None:
    """Draws of the hash; loads and links of the phase are those of ``shown_seed``, the middle draw."""
    if draws is None:
        return None
    return {
        "count": len(draws),
        "seed": draws.seed,
        "shown_seed": draws.shown_seed,
        "max_utilisation": band_record(draws.max_utilisation),
        "links_over_capacity": band_record(draws.links_over_capacity),
        "congested_part": draws.congested_part,
    }


def band_record(band: Band | None) -> dict[str, Any] | None:
    """Percentiles over draws of the hash; null where nothing is drawn."""
    if band is None:
        return None
    return {
        "draws": len(band),
        "mean": finite(band.mean),
        "median": finite(band.median),
        "p5": finite(band.p5),
        "p95": finite(band.p95),
    }


def spread_record(spread: HashSpread | None) -> dict[str, Any] | None:
    """Fullest link and rates of flows over draws of the hash; null where nothing is drawn."""
    if spread is None:
        return None
    full, worst = spread.max_utilisation, spread.worst_rate
    return {
        "draws": spread.replicas,
        "replicas": spread.replicas,
        "max_utilisation": {key: finite(getattr(full, key)) for key in ("mean", "p5", "p50", "p95", "p99")},
        "flow_rate": {
            "draws": spread.rate_draws,
            "mean": finite(spread.mean_rate),
            "worst_p50": finite(worst.p50) if worst is not None else None,
            "worst_p95": finite(worst.p95) if worst is not None else None,
        },
        "worst_rate": None if worst is None else {key: finite(getattr(worst, key)) for key in ("p50", "p95", "p99")},
    }


def step_spread_record(band: Band | None) -> dict[str, Any] | None:
    """Percentiles of a step over draws of the hash; null where nothing is drawn."""
    if band is None:
        return None
    return {
        "draws": len(band),
        "step_time_s": {"p5": finite(band.p5), "p50": finite(band.median), "p95": finite(band.p95)},
    }
