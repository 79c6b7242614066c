"""The scenario file of a design: complete, commented, and ready for every other command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fabric.design.counted import Counted
from fabric.design.need import FabricNeed
from fabric.design.requirement import (
    COMMAND_LINE,
    GPU_GROUP,
    Hosts,
    Requirement,
    further_group,
    hosts_of,
    needs_of,
    nic_of,
)
from topologies.units import percent, precise_gbps, to_one

_WIDTH = 118
_UPLINK = "leaf-uplink"  # what survives is said of leaves; scenarios say it of tiers


def scenario_text(
    requirement: Requirement, designs: Mapping[str, Counted], *, directory: Path | None = None, name: str | None = None
) -> str:
    """A design as a scenario, YAML.

    Parameters
    ----------
    designs : mapping
        Counted design of every fabric.
    directory : Path, optional
        Folder that the file will stand in, which the files it names are relative to; default: the requirement's.
    name : str, optional
        Name of the scenario; default: the requirement's.
    """
    needs, hosts = needs_of(requirement), hosts_of(requirement)
    parts = [
        [f"# A design of {_origin(requirement)}, by fabric design. Try: fabric route FILE; fabric show bom FILE"],
        _block({"version": 1, "name": name or requirement.spec.name}),
        _includes(requirement, directory),
        _section("site", requirement.raw.get("site")),
        ["nodes:", *_nodes(requirement, needs, hosts, designs)],
        ["fabrics:", *_fabrics(designs)],
        _workloads(requirement, hosts),
        _limits(requirement, needs, designs),
    ]
    return "\n\n".join("\n".join(part) for part in _joined(parts)) + "\n"


def _joined(parts: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Parts that say something; the head and the first keys are one."""
    head, keys, *rest = parts
    yield [*head, *keys]
    yield from (part for part in rest if part)


def _origin(requirement: Requirement) -> str:
    return "flags" if requirement.path == COMMAND_LINE else Path(requirement.path).name


def _block(value: Mapping[str, Any]) -> list[str]:
    import yaml

    return str(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=_WIDTH)).splitlines()


def _flow(value: Any) -> str:
    """A value on one line."""
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=True)
    return str(text).removesuffix("...\n").strip()


def _section(key: str, value: Any) -> list[str]:
    return _block({key: value}) if value else []


def _includes(requirement: Requirement, directory: Path | None) -> list[str]:
    """Catalogues of the user's own."""
    base = directory or requirement.directory
    files = [_relative(path, base) for path in requirement.catalogues]
    return _block({"include": [{"catalog": "builtin"}, *({"catalog": file} for file in files)]}) if files else []


def _relative(path: Path, base: Path) -> str:
    return str(path) if path.is_absolute() else Path(os.path.relpath(path, base)).as_posix()


def _workloads(requirement: Requirement, hosts: Hosts) -> list[str]:
    """The jobs that were asked for; where there are none, one that stands for them."""
    jobs = list((requirement.raw.get("require") or {}).get("workloads") or [])
    if jobs:
        return _block({"workloads": jobs})
    if hosts.gpus > 1:
        job = {"id": "all-reduce", "kind": "collective", "collective": "all-reduce", "size": "1 GiB"}
        if len(requirement.spec.fabrics) > 1:
            job["fabric"] = next(iter(requirement.spec.fabrics))
        what = "one all-reduce over all GPUs stands for them"
    else:
        fabric = next(iter(requirement.spec.fabrics))
        job = {"id": "all-to-all", "kind": "all-to-all", "fabric": fabric, "size": "1 GiB"}
        what = "everybody sending to everybody stands for them"
    return ["workloads:", f"  # No jobs were said; {what}.", f"  - {_flow(job)}"]


def _nodes(
    requirement: Requirement, needs: Mapping[str, FabricNeed], hosts: Hosts, designs: Mapping[str, Counted]
) -> Iterator[str]:
    """The GPU nodes with a NIC on every fabric, then hosts of single fabrics."""
    require = requirement.spec.require
    row = requirement.catalogue.nodes.get(require.node or "")
    node: dict[str, Any] = {"group": GPU_GROUP}
    if require.node is not None:
        node["model"] = require.node
    node["count"] = hosts.count
    if row is None or row.gpus != hosts.gpus_per_host:
        node["gpus"] = hosts.gpus_per_host
    yield from _node(node, {name: _nic(requirement, name, needs[name], designs[name]) for name in needs})
    for name, wish in requirement.spec.fabrics.items():
        if wish.hosts:
            further = {"group": wish.group or further_group(name), "count": wish.hosts}
            nic = {**_nic(requirement, name, needs[name], designs[name]), "rail": "shared"}
            yield from _node(further, {name: nic})


def _node(keys: Mapping[str, Any], nics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    first, *rest = keys.items()
    yield f"  - {first[0]}: {_flow(first[1])}"
    yield from (f"    {key}: {_flow(value)}" for key, value in rest)
    yield "    nics:"
    for fabric, nic in nics.items():
        shared = f"   # a port each; {precise_gbps(nic['_whole'])} together" if nic.get("ports", 1) > 1 else ""
        yield f"      {fabric}: {_flow({key: value for key, value in nic.items() if key != '_whole'})}{shared}"


def _nic(requirement: Requirement, name: str, need: FabricNeed, counted: Counted) -> dict[str, Any]:
    """NICs as the scenario writes them: speed is of a port there."""
    wish = nic_of(requirement, name, requirement.spec.fabrics[name])
    nic: dict[str, Any] = {} if wish.model is None else {"model": wish.model}
    row = requirement.catalogue.nics.get(wish.model or "")
    port_gbps = need.nic_gbps / counted.nic_ports
    if row is None or (row.speed, row.ports) != (port_gbps, counted.nic_ports):
        nic["speed"] = f"{port_gbps:g}G"
    nic["count"] = need.nics
    if counted.nic_ports > 1:
        nic["ports"] = counted.nic_ports
    return {**nic, "rail": need.rail, "_whole": need.nic_gbps}


def _fabrics(designs: Mapping[str, Counted]) -> Iterator[str]:
    for name, counted in designs.items():
        switches = ", ".join(f"{one.count:,} {one.role} {one.model}" for one in counted.switches)
        ratios = ", ".join(f"{role} {to_one(ratio)}" for role, ratio in counted.oversubscription.items())
        if counted.uniform_load is not None:
            uniform = f"evenly spread traffic fills {percent(counted.uniform_load, 0)} of its links"
            ratios = f"{ratios}; {uniform}" if ratios else uniform
        yield f"  {name}:"
        yield f"    # {switches}" + (f"; {ratios}" if ratios else "")
        yield "    topology:"
        for key, value in counted.topology.items():
            yield f"      {key}: {_flow(value)}"


def _limits(requirement: Requirement, needs: Mapping[str, FabricNeed], designs: Mapping[str, Counted]) -> list[str]:
    """What the requirement says has to hold, and what has to be survived."""
    limits = list((requirement.raw.get("require") or {}).get("limits") or [])
    for name, need in needs.items():
        for part in need.single_failures:
            for failing in failing_parts(designs[name], part):
                limits.append(
                    {"fabric": name, "when": f"any-single-{failing}", "metric": "unreachable_pairs", "max": 0}
                )
    return ["limits:", *(f"  - {_flow(limit)}" for limit in limits)] if limits else []


def failing_parts(counted: Counted, part: str) -> tuple[str, ...]:
    """What a wish such as ``spine`` or ``leaf-uplink`` comes to in a design, in the words of its roles and tiers.

    ``leaf``: the switches that hosts are on; ``spine``: all others; anything else is taken as it is.
    """
    roles = list(dict.fromkeys(one.role for one in counted.switches))
    tiers = {one.tier: one.run for one in counted.cables}
    lowest = {role for role in roles for tier, run in tiers.items() if run == "host" and tier.endswith(f"-{role}")}
    lowest = lowest or set(roles[:1])
    if part == "leaf":
        return tuple(role for role in roles if role in lowest)
    if part == "spine":
        return tuple(role for role in roles if role not in lowest)
    if part == _UPLINK:
        ups = [tier for tier, run in tiers.items() if run != "host" and tier.partition("-")[0] in lowest]
        return tuple(f"{tier}-link" for tier in ups)
    return (part,)
