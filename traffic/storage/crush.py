"""Placement groups over a weighted hierarchy, as CRUSH maps them: by straw, or by Ceph's own ``crushtool``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import FormatError, MissingProgramError, TrafficError, nearest_hint

_CHUNK = 4_000_000  # straws drawn at a time
_MAPPING = re.compile(r"CRUSH rule \d+ x (\d+) \[([-\d,]*)\]")


@dataclass(frozen=True, eq=False)
class Osds:
    """OSDs of a cluster."""

    number: Ints  # shape (O,), as in ``osd.7``
    host: tuple[str, ...]  # of each
    weight: Floats  # shape (O,), 0 where down or out
    above: dict[str, tuple[str, ...]]  # name of the bucket of a type that each is in; '' for none

    def domains(self, kind: str) -> tuple[str, ...]:
        """Failure domain of every OSD.

        Raises
        ------
        TrafficError
            When OSDs are in no such bucket (FP4052).
        """
        if kind == "host":
            return self.host
        found = self.above.get(kind)
        if found is None or "" in found:
            known = [name for name, places in self.above.items() if "" not in places]
            raise TrafficError(
                f"not every OSD is in a {kind}",
                where="failure_domain",
                hint=f"there is: {', '.join(dict.fromkeys(['host', *known]))}",
                code="FP4052",
            )
        return found


def read_osd_tree(text: str, path: str) -> Osds:
    """OSDs of ``ceph osd tree -f json``, or of ``osdmaptool --tree=json-pretty``.

    Raises
    ------
    FormatError
        When it is not such a document (FP6212).
    """
    try:
        nodes = {int(node["id"]): node for node in json.loads(text)["nodes"]}
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"no OSD tree: {error}", file=path, line=1, hint="write it by: ceph osd tree -f json", code="FP6212"
        ) from error
    parent = {int(child): number for number, node in nodes.items() for child in node.get("children", [])}
    return _osds(nodes, parent, path)


def _osds(nodes: dict[int, Any], parent: dict[int, int], path: str) -> Osds:
    osds = sorted(number for number, node in nodes.items() if number >= 0 and node.get("type", "osd") == "osd")
    above: dict[str, dict[int, str]] = {}
    for osd in osds:
        at, seen = osd, {osd}
        while at in parent and parent[at] not in seen:
            at = parent[at]
            seen.add(at)
            above.setdefault(str(nodes[at].get("type")), {})[osd] = str(nodes[at].get("name"))
    hosts = above.get("host", {})
    missing = [osd for osd in osds if osd not in hosts]
    if not osds or missing:
        what = f"osd.{missing[0]} is in no host" if missing else "no OSD in the tree"
        raise FormatError(what, file=path, line=1, hint="write it by: ceph osd tree -f json", code="FP6212")

    def weight(osd: int) -> float:
        node = nodes[osd]
        live = node.get("status", "up") == "up"
        return float(float(node.get("crush_weight", 1.0)) * float(node.get("reweight", 1.0)) * live)

    return Osds(
        column(osds, np.int32),
        tuple(hosts[osd] for osd in osds),
        column([weight(osd) for osd in osds], np.float64),
        {kind: tuple(found.get(osd, "") for osd in osds) for kind, found in above.items()},
    )


def straws(osds: Osds, domain: tuple[str, ...], groups: int, members: int, rng: np.random.Generator) -> Ints:
    """Placement groups by weighted straws: members in different domains, then an OSD of the domain.

    Every domain draws ln(u)/weight and the longest straws win, which is sampling by weight without repeats.

    Returns
    -------
    ndarray of int, shape (groups, members)
        Positions in ``osds``, the primary first.

    References
    ----------
    Weil et al., "CRUSH", SC 2006; straw2 in ``src/crush/mapper.c`` of Ceph.
    """
    names, of_osd = np.unique(np.array(domain), return_inverse=True)
    total = np.bincount(of_osd, osds.weight, len(names))
    order = np.argsort(of_osd, kind="stable")
    start = np.searchsorted(of_osd[order], np.arange(len(names) + 1))
    result = np.empty((groups, members), dtype=np.int32)
    step = max(_CHUNK // len(names), 1)
    with np.errstate(divide="ignore"):
        for first in range(0, groups, step):
            some = min(step, groups - first)
            length = np.log(rng.random((some, len(names)))) / total
            length[:, total == 0] = -np.inf
            chosen = np.argsort(-length, axis=1)[:, :members]
            for place in range(members):
                result[first : first + some, place] = _inside(chosen[:, place], order, start, osds.weight, rng)
    return column(result, np.int32)


def _inside(domain: np.ndarray, order: np.ndarray, start: np.ndarray, weight: Floats, rng: np.random.Generator) -> Ints:
    """An OSD of each domain, by weight."""
    ladder = np.concatenate([[0.0], np.cumsum(weight[order])])
    low, high = ladder[start[domain]], ladder[start[domain + 1]]
    at = np.searchsorted(ladder, low + rng.random(len(domain)) * (high - low), side="right") - 1
    return column(order[np.clip(at, start[domain], start[domain + 1] - 1)], np.int32)


# ---- crushtool -------------------------------------------------------------------------------------------------------


def read_crush_map(path: Path, shown: str, rule: int, groups: int, members: int) -> tuple[Osds, Ints]:
    """OSDs of a CRUSH map and where its rule puts placement groups, by Ceph's ``crushtool``.

    Parameters
    ----------
    path : Path
        A compiled map (``ceph osd getcrushmap``), or its text.

    Returns
    -------
    osds, members
        Members as positions in the OSDs, shape (groups, members), -1 where the rule found none.

    Raises
    ------
    MissingProgramError
        When ``crushtool`` is not installed (FP7005).
    FormatError
        When it refuses the map (FP6213).
    """
    program = shutil.which("crushtool")
    if program is None:
        raise MissingProgramError(
            "crushtool is not installed",
            where="crush_map",
            hint="apt-get install ceph-base; or give osd_tree, which needs no program",
            code="FP7005",
        )
    if not path.is_file():
        raise TrafficError(
            f"cannot read {shown}", where="crush_map", hint="paths are relative to the scenario", code="FP4025"
        )
    with tempfile.TemporaryDirectory() as folder:
        compiled = str(path)
        if path.read_bytes()[:200].lstrip()[:1] in (b"#", b"t", b"d", b"r") and b"\0" not in path.read_bytes():
            compiled = f"{folder}/map.bin"
            _crushtool([program, "-c", str(path), "-o", compiled], shown)
        dump = json.loads(_crushtool([program, "-i", compiled, "--dump"], shown))
        test = ["--test", "--show-mappings", "--rule", str(rule), "--num-rep", str(members)]
        output = _crushtool([program, "-i", compiled, *test, "--min-x", "0", "--max-x", str(groups - 1)], shown)
    osds = _dumped(dump, shown)
    position = {int(number): at for at, number in enumerate(osds.number)}
    found = np.full((groups, members), -1, dtype=np.int32)
    for line in output.splitlines():
        mapping = _MAPPING.search(line)
        if mapping:
            numbers = [int(word) for word in mapping[2].split(",") if word]
            found[int(mapping[1]), : len(numbers)] = [position.get(number, -1) for number in numbers]
    if (found < 0).all():
        rules = ", ".join(str(entry.get("rule_id")) for entry in dump.get("rules", []))
        raise FormatError(
            f"rule {rule} places nothing", file=shown, line=1, hint=f"crush_rule: one of {rules}", code="FP6213"
        )
    return osds, column(found, np.int32)


def _crushtool(command: list[str], shown: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise FormatError(f"crushtool refused the map: {reason}", file=shown, line=1, code="FP6213")
    # Some versions write the mappings to standard error.
    return done.stdout or done.stderr


def _dumped(dump: dict[str, Any], shown: str) -> Osds:
    nodes: dict[int, Any] = {
        int(device["id"]): {"name": device["name"], "type": "osd"} for device in dump.get("devices", [])
    }
    parent: dict[int, int] = {}
    for bucket in dump.get("buckets", []):
        if "~" in str(bucket["name"]):  # a shadow tree of one device class
            continue
        nodes[int(bucket["id"])] = {"name": bucket["name"], "type": bucket["type_name"]}
        for item in bucket["items"]:
            parent[int(item["id"])] = int(bucket["id"])
            if int(item["id"]) >= 0:
                nodes[int(item["id"])]["crush_weight"] = item["weight"] / 65536
    inside = {number: node for number, node in nodes.items() if number < 0 or number in parent}
    return _osds(inside, parent, shown)


# ---- pools -----------------------------------------------------------------------------------------------------------


def read_pools(text: str, path: str) -> dict[str, dict[str, Any]]:
    """Pools of ``ceph osd pool ls detail -f json`` by name.

    Raises
    ------
    FormatError
        When it is not such a document (FP6212).
    """
    try:
        pools = {str(pool["pool_name"]): pool for pool in json.loads(text)}
        for pool in pools.values():
            int(pool["size"]), int(pool["pg_num"]), int(pool.get("type", 1))
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"no list of pools: {error}", file=path, line=1, hint="write it by: ceph osd pool ls detail -f json",
            code="FP6212",
        ) from error  # fmt: skip
    return pools


def chosen_pool(pools: dict[str, dict[str, Any]], name: str | None) -> dict[str, Any]:
    """The pool called ``name``, or the only one.

    Raises
    ------
    TrafficError
        When there is no such pool, or several and none is named (FP4053).
    """
    if name is None and len(pools) == 1:
        return next(iter(pools.values()))
    if name not in pools:
        raise TrafficError(
            "which pool?" if name is None else f"there is no pool {name!r}",
            where="pool",
            hint=nearest_hint(name or "", pools, "pools"),
            code="FP4053",
        )
    return pools[name]
