"""What ``fabric push`` takes from an export folder: only files as they were when the verifier passed them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.exported_fabric import exported_plan
from fabric.rules.manifest import (
    ADDRESSES,
    ADDRESSES_JSON,
    LINKS,
    MANIFEST,
    SCHEMA,
    VERIFIED,
    Manifest,
    SwitchEntry,
    read_manifest,
)
from fabric.rules.openflow13.session import Endpoint, parse_endpoint
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.rules.own_files import read_record
from fabric.rules.table import SwitchTable
from topologies.errors import FormatError, nearest_hint


@dataclass(frozen=True)
class Target:
    """A switch to push to; without an endpoint it is taken to be empty."""

    entry: SwitchEntry
    endpoint: Endpoint | None


def find_targets(folder: Path, given: Sequence[str], *, dry_run: bool = False) -> list[Target]:
    """Switches of an export by ``NAME=ADDRESS``.

    Parameters
    ----------
    dry_run : bool
        Whether a NAME without an address will do.

    Raises
    ------
    RuleError
        FP8040 for an address that is none; FP8042 when the folder is not verified, of another dialect or has no such
        switch.
    """
    manifest = read_manifest(folder)
    _check_digests(folder, (MANIFEST,), _verified(folder))
    if manifest.dialect != "ovs":
        raise RuleError(
            f"{folder} is of dialect {manifest.dialect}; push reads ovs",
            hint="fabric export openflow SCENARIO --dialect ovs -o FOLDER",
            code="FP8042",
        )
    entries = {entry.name: entry for entry in manifest.switches}
    targets: dict[str, Target] = {}
    for text in given:
        target = _target(text, entries, dry_run=dry_run)
        if target.entry.name in targets:
            raise RuleError(f"--switch names {target.entry.name} twice", hint="one address per switch", code="FP8042")
        targets[target.entry.name] = target
    return list(targets.values())


def _target(text: str, entries: dict[str, SwitchEntry], *, dry_run: bool) -> Target:
    # A name may hold "=", a path may too: the longest known name decides.
    name = max((name for name in entries if text == name or text.startswith(f"{name}=")), key=len, default=None)
    if name is None:
        wrong = text.partition("=")[0]
        raise RuleError(
            f"the export has no switch {wrong!r}",
            hint=nearest_hint(
                wrong, entries, otherwise=f"it has {len(entries):,}, such as {min(entries, default='')!r}"
            ),
            code="FP8042",
        )
    address = text[len(name) + 1 :]
    if not address:
        if dry_run:
            return Target(entries[name], None)
        raise RuleError(
            f"--switch {text} has no address", hint=f"--switch {name}=HOST:PORT; there is no default", code="FP8040"
        )
    return Target(entries[name], parse_endpoint(address))


def read_tables(folder: Path, entries: Sequence[SwitchEntry]) -> dict[str, SwitchTable]:
    """Tables of switches from the files of dialect ovs, by name; FP8042 when they are not those the verifier passed."""
    passed = _verified(folder)
    found = {}
    for entry in entries:
        stem = f"switches/{entry.file}"
        flows, groups = _check_digests(folder, (f"{stem}.flows", f"{stem}.groups"), passed)
        found[entry.name] = SwitchTable(
            name=entry.name,
            datapath=entry.datapath,
            hash_basis=_basis(groups),
            groups=tuple(parse_groups(groups, str(folder / f"{stem}.groups"))),
            rules=tuple(parse_rules(flows, str(folder / f"{stem}.flows"))),
        )
    return found


def read_fabric(folder: Path, manifest: Manifest) -> AddressPlan:
    """Cables and addresses of an export, for tables to be followed; FP8042 as for tables."""
    _check_digests(folder, (ADDRESSES, ADDRESSES_JSON, LINKS), _verified(folder))
    return exported_plan(folder, manifest)


def _basis(groups: str) -> int:
    """The hash basis that a groups file of ours names, the same in all its groups; 0 when it has none."""
    found = {int(number) for number in re.findall(r"\bselection_method_param=(\d+)\b", groups)}
    return found.pop() if len(found) == 1 else 0


def _check_digests(folder: Path, names: Sequence[str], passed: Mapping[str, str]) -> list[str]:
    """Texts of files whose digests are those in ``verified.json``: what was hashed is what is used."""
    texts = []
    for name in names:
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise _not_verified(f"{folder / name} cannot be read: {error.strerror}", "export again") from None
        if passed.get(name) != hashlib.sha256(content).hexdigest():
            raise _not_verified(f"{folder / name} is not the file that was verified")
        texts.append(content.decode("utf-8"))
    return texts


def _verified(folder: Path) -> dict[str, str]:
    path = folder / VERIFIED
    if not path.exists():
        raise _not_verified(f"the verifier has not passed {folder}: it has no {VERIFIED}")
    try:
        record = read_record(path)
        if record.get("kind").text("") != "RulesVerified" or record.get("schema").whole(0) != SCHEMA:
            raise _not_verified(f"{path} is not what this version's verifier writes")
        return {name: digest.text() for name, digest in record.need("files").items()}
    except (FormatError, RuleError) as error:
        raise _not_verified(f"{path}: {error.problems[0].message}") from None


def _not_verified(words: str, first: str = "run fabric verify rules SCENARIO FOLDER") -> RuleError:
    return RuleError(words, hint=f"{first}; push sends only what has passed", code="FP8042")
