"""What runs, read from files of three kinds, against exported tables."""

from __future__ import annotations

from pathlib import Path

from fabric.rules.errors import RuleError
from fabric.rules.export_baseline import ExportBaseline
from fabric.rules.kernel_routes import parse_routes
from fabric.rules.lft import compare_lfts, parse_lfts
from fabric.rules.observed import Comparison, Difference, compare_tables
from fabric.rules.observed_routes import compare_routes
from fabric.rules.ovs_text import parse_groups, parse_rules


def compare_observed(kind: str, where: Path, folder: Path, baseline: ExportBaseline) -> list[Difference]:
    """Differences of all switches.

    Parameters
    ----------
    kind : str
        ``ovs``: a folder of ``NAME.flows`` and ``NAME.groups`` as ``ovs-ofctl`` dumps them; ``iproute``: a folder of
        ``NAME.json`` of ``ip -j route``; ``lft``: one file of OpenSM's forwarding tables.
    """
    if kind == "lft":
        ours = parse_lfts(_text(folder / "opensm.lfts"), str(folder / "opensm.lfts"))
        return [
            Difference(one.switch, "different", f"LID {one.lid}", _port(one.ours), _port(one.theirs))
            for one in compare_lfts(ours, parse_lfts(_text(where), str(where)))
        ]
    tables = baseline.tables(folder)
    found: list[Difference] = []
    for entry in baseline.manifest.switches:
        table = tables[entry.name]
        if kind == "ovs":
            flows, groups = where / f"{entry.file}.flows", where / f"{entry.file}.groups"
            made = compare_tables(
                table, parse_rules(_text(flows), str(flows)), parse_groups(_text(groups), str(groups))
            )
        else:
            path = where / f"{entry.file}.json"
            routes = parse_routes(_text(path), str(path))
            made = compare_routes(table, baseline.plan, routes, families=(4,))
        found += _all(made)
    return found


def _all(made: Comparison) -> list[Difference]:
    return [*made.behaviour, *made.entries]


def _port(port: int | None) -> str:
    return "none" if port is None else f"port {port}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(
            f"{path} cannot be read: {error}",
            hint="one file per switch, named like the export's",
            code="FP8025",
        ) from None
