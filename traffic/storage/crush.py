"""Placement groups as Ceph's own ``crushtool`` maps them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import FormatError, MissingProgramError, TrafficError
from topologies.reading.json_value import JsonValue, parse_json

_MAPPING = re.compile(r"CRUSH rule \d+ x (\d+) \[([-\d,]*)\]")


def read_crush_map(path: Path, shown: str, rule: int, groups: int, members: int) -> tuple[tuple[str, ...], Ints]:
    """OSDs of a CRUSH map and where its rule puts placement groups, by Ceph's ``crushtool``.

    Parameters
    ----------
    path : Path
        A compiled map (``ceph osd getcrushmap``), or its text.

    Returns
    -------
    hosts, members
        Host of every OSD; members as positions among them, shape (groups, members), -1 where the rule found none.

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
        dump = parse_json(_crushtool([program, "-i", compiled, "--dump"], shown), shown)
        test = ["--test", "--show-mappings", "--rule", str(rule), "--num-rep", str(members)]
        output = _crushtool([program, "-i", compiled, *test, "--min-x", "0", "--max-x", str(groups - 1)], shown)
    hosts = _hosts(dump)
    position = {number: at for at, number in enumerate(hosts)}
    found = np.full((groups, members), -1, dtype=np.int32)
    for line in output.splitlines():
        mapping = _MAPPING.search(line)
        if mapping:
            numbers = [int(word) for word in mapping[2].split(",") if word]
            found[int(mapping[1]), : len(numbers)] = [position.get(number, -1) for number in numbers]
    if (found < 0).all():
        rules = ", ".join(entry.get("rule_id").text("") for entry in dump.get("rules").each())
        raise FormatError(
            f"rule {rule} places nothing", file=shown, line=1, hint=f"crush_rule: one of {rules}", code="FP6213"
        )
    return tuple(hosts.values()), column(found, np.int32)


def _crushtool(command: list[str], shown: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise FormatError(f"crushtool refused the map: {reason}", file=shown, line=1, code="FP6213")
    # Some versions write the mappings to standard error.
    return done.stdout or done.stderr


def _hosts(dump: JsonValue) -> dict[int, str]:
    """Host of every OSD that is in one, by number."""
    parent: dict[int, int] = {}
    named: dict[int, tuple[str, str]] = {}
    for bucket in dump.get("buckets").each():
        number, name = bucket.need("id").whole(least=-(2**31)), bucket.need("name").text()
        if "~" in name:  # a shadow tree of one device class
            continue
        named[number] = (name, bucket.need("type_name").text())
        parent |= {item.need("id").whole(least=-(2**31)): number for item in bucket.get("items").each()}
    hosts = {}
    for number in sorted(one for one in parent if one >= 0):
        at, seen = number, {number}
        while at in parent and parent[at] not in seen:
            at = parent[at]
            seen.add(at)
            if named[at][1] == "host":
                hosts[number] = named[at][0]
                break
    return hosts
