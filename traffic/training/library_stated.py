"""What a training job assumes of the collective library, in words, with the keys that override it."""

from __future__ import annotations

from topologies.units import format_seconds
from traffic.library.call import AUTO
from traffic.library.hosts import generation_stated
from traffic.training.calls import BUCKET_PARAMETERS
from traffic.training.phases import StepPlan


def library_stated(plan: StepPlan) -> list[str]:
    """What the library chooses and costs, phase by phase."""
    site, keys = plan.site, plan.collectives
    if not site.calls:
        return []
    if keys.library == "plain":
        return ["starting a collective and its steps take the fabric's latency alone (collectives.library)"]
    carried = ", ".join(f"{name} {each.call.algorithm} {each.call.protocol}" for name, each in site.calls.items())
    often = ", ".join(f"{name} {each.count:,.0f}" for name, each in site.calls.items())
    chosen = [
        f"{what} (collectives.{key})"
        for what, key in (("algorithms", "algorithm"), ("protocols", "protocol"))
        if getattr(keys, key) == AUTO
    ]
    how = f"{' and '.join(chosen)} as NCCL's tuning model chooses them by size: " if chosen else ""
    stated = [
        f"{how}{carried}",
        f"calls in a step, by layers, micro-batches, and buckets of {BUCKET_PARAMETERS:,} parameters or more: {often}",
        "calls take NCCL's published times, a step between hosts without the "
        f"{format_seconds(keys.times.way_s)} of the network it was measured on, which the fabric's own takes the "
        "place of (collectives.latency)",
    ]
    if keys.channels is None:
        joined = ", ".join(f"{name} {each.flows_per_pair}" for name, each in site.calls.items())
        pairs = "a queue pair" if keys.qps_per_connection is None else f"{keys.qps_per_connection} queue pairs"
        stated.append(
            f"flows from NIC to NIC, {pairs} for each channel that NCCL makes: {joined} "
            "(collectives.channels, collectives.qps_per_connection)"
        )
    return [*stated, *generation_stated(site.inventory, site.group, keys)]
