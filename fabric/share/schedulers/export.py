"""Exports for schedulers: what they are made of, their files with a manifest, and a folder read back.

Every export is read back before it is put in place, by a reader that knows the format alone, and compared with the
trees; ``check_folder_of`` does the same with a folder that was written earlier, or changed since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fabric.output.whole_folder import FolderKind, whole_folder
from fabric.pipeline.network import Network
from fabric.pipeline.prepared import check_fabric, derive_traffic
from fabric.rules.manifest import to_csv
from fabric.rules.own_files import read_rows
from fabric.scenario.load import LoadedScenario
from fabric.share.schedulers.blocks import DOMAIN, host_blocks
from fabric.share.schedulers.format import (
    SCHEDULER_FORMATS,
    ExportOptions,
    Facts,
    JobSeats,
    SchedulerFormat,
    SchedulerPlan,
    TextFile,
)
from fabric.share.schedulers.label_keys import OWN, label_keys
from fabric.share.schedulers.names import Mapped
from fabric.share.schedulers.switch_tree import hosts_per_domain, switch_tree
from topologies.errors import OutputError, ScenarioError, nearest_hint
from topologies.reading.json_value import read_json
from traffic.inventory import IMPLICIT
from traffic.occupancy import Occupancy

FOLDER = FolderKind("an export for schedulers", OutputError, "FP8078")
MANIFEST, NAMES = "manifest.json", "names.csv"
_COLUMNS = ("kind", "fabric", "name", "written")


@dataclass(frozen=True)
class Difference:
    """One thing that a folder says otherwise than the scenario."""

    about: str
    expected: tuple[str, ...] | None  # None: nothing is said of it in the scenario
    found: tuple[str, ...] | None

    @property
    def words(self) -> str:
        """In words."""
        if self.found is None:
            return f"{self.about} is not in the folder"
        if self.expected is None:
            return f"{self.about} is in the folder and not in the scenario"
        lost = [item for item in self.expected if item not in self.found]
        more = [item for item in self.found if item not in self.expected]
        parts = [f"lacks {_some(lost)}"] if lost else []
        parts += [f"has {_some(more)}"] if more else []
        return f"{self.about} {' and '.join(parts) or 'has another order'}"


def _some(items: list[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3:,} more" if len(items) > 3 else "")


def scheduler_plan(
    loaded: LoadedScenario,
    network: Network,
    options: ExportOptions = ExportOptions(),
    *,
    fabric: str | None = None,
    jobs: bool = False,
    job: str | None = None,
) -> SchedulerPlan:
    """What is exported of a scenario.

    Parameters
    ----------
    fabric : str, optional
        Only this one.
    jobs : bool
        Whether ranks are placed, for formats of jobs.

    Raises
    ------
    FabricError
        An unknown fabric or job, no job on GPUs (FP8077), labels without keys (FP8072).
    """
    check_fabric(fabric, network)
    inventory = network.inventory
    trees = {name: switch_tree(inventory, name) for name in network.topologies if fabric in (None, name)}
    blocks = {}
    for name, tree in trees.items():
        spanned = any(hosts_per_domain(inventory, g) > 1 and name in e.nics for g, e in inventory.groups.items())
        if options.block_by not in (None, DOMAIN) or spanned:
            blocks[name] = host_blocks(inventory, tree, options.block_by or DOMAIN)
        elif options.block_by == DOMAIN and fabric is not None:
            host_blocks(inventory, tree, DOMAIN)  # says that there is none
    primary = _primary(network, list(trees))
    products = {node.group: node.row.product for node in loaded.scenario.nodes if node.row and node.row.product}
    return SchedulerPlan(
        scenario=" ".join(loaded.scenario.name.split()),
        inventory=inventory,
        trees=trees,
        blocks=blocks,
        primary=primary,
        options=options,
        labels=label_keys(options.labels or OWN),
        jobs=_seats(loaded, network, primary, job) if jobs else (),
        products=products,
    )


def _primary(network: Network, fabrics: list[str]) -> str:
    """The fabric of collectives: with a NIC for each GPU, else with most NICs of nodes with GPUs, else the first."""

    def rank(fabric: str) -> tuple[int, int]:
        groups = [group for group in network.inventory.groups.values() if fabric in group.nics and group.gpus_per_host]
        own = sum(len(group.hosts) * group.gpus_per_host for group in groups if group.nics[fabric].rail == "per-gpu")
        return own, sum(len(group.hosts) * group.nics[fabric].nics for group in groups)

    return max(fabrics, key=lambda fabric: (rank(fabric), -fabrics.index(fabric)))


def _seats(loaded: LoadedScenario, network: Network, primary: str, job: str | None) -> tuple[JobSeats, ...]:
    """Where ranks of jobs run."""
    occupancy = Occupancy()
    derive_traffic(loaded, network, occupancy=occupancy)
    known = list(occupancy.seats)
    if job is not None and job not in known:
        raise ScenarioError(
            f"--job {job!r} is not a job with ranks on GPUs",
            hint=nearest_hint(job, known, otherwise="no workload of the scenario has any"),
            code="FP8077",
        )
    if not known:
        raise ScenarioError(
            "no workload has ranks on GPUs, so there is nothing to write for launchers",
            hint="add a workload of kind training, inference or collective",
            code="FP8077",
        )
    found = []
    for name in [job] if job is not None else known:
        group, seats = occupancy.seats[name]
        inventory = network.inventory
        hosts = inventory.groups[group].hosts if group in inventory.groups else inventory.host_names(primary, IMPLICIT)
        found.append(JobSeats(name, tuple(hosts[host] for host in seats[:, 0].tolist()), seats[:, 1]))
    return tuple(found)


def notes_of(plan: SchedulerPlan, chosen: SchedulerFormat) -> tuple[str, ...]:
    """What a format cannot express, or expresses differently; and the same of the trees, where it writes them."""
    trees = [f"{name}: {note}" for name, tree in plan.trees.items() for note in tree.notes if chosen.of == "fabric"]
    count = len(set(chosen.names(plan)))
    table = [f"{count:,} names are not taken as they are: {NAMES} has what is written for each"] if count else []
    return tuple(dict.fromkeys((*trees, *table, *chosen.notes(plan))))


def scheduler_files(plan: SchedulerPlan, name: str, about: Mapping[str, Any]) -> Iterator[TextFile]:
    """All files, the manifest last."""
    chosen = SCHEDULER_FORMATS[name]
    written = []
    for file in chosen.write(plan):
        written.append(file.path)
        yield file
    names = list(dict.fromkeys(chosen.names(plan)))
    if names:
        written.append(NAMES)
        yield TextFile(NAMES, to_csv(_COLUMNS, ((one.kind, one.fabric, one.name, one.written) for one in names)))
    yield TextFile(MANIFEST, _manifest(plan, name, about, written))


def _manifest(plan: SchedulerPlan, name: str, about: Mapping[str, Any], written: list[str]) -> str:
    chosen = SCHEDULER_FORMATS[name]
    record = {
        "kind": "SchedulerExport",
        **about,
        "format": name,
        "read_by": chosen.read_by,
        "options": {key: str(value) for key, value in asdict(plan.options).items() if value is not None},
        "of": chosen.of,
        "fabrics": {
            fabric: {
                "hosts": len(tree.hosts),
                "not_attached": len(tree.hosts) - len(tree.attached),
                "levels": [{"word": level.word, "groups": len(level)} for level in tree.levels],
            }
            for fabric, tree in plan.trees.items()
        },
        "jobs": {job.id: {"ranks": len(job.hosts), "hosts": len(set(job.hosts))} for job in plan.jobs},
        "files": written,
        "notes": list(notes_of(plan, chosen)),
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def write_export(folder: Path, plan: SchedulerPlan, name: str, about: Mapping[str, Any], *, force: bool) -> None:
    """Write all files, read them back, and put them in place, whole or not at all.

    Raises
    ------
    FabricError
        What cannot be written, or what is not read back as it was planned (FP8079), which is a bug of ours.
    """
    with whole_folder(folder, FOLDER, force=force) as beside:
        for file in scheduler_files(plan, name, about):
            path = beside / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        found = differences(beside, plan, name)
        if found:
            raise OutputError(
                f"what was written is not what was planned: {found[0].words}",
                hint="this is a bug of fabric; nothing was left behind",
                code="FP8079",
            )


def differences(folder: Path, plan: SchedulerPlan, name: str) -> list[Difference]:
    """What a folder says otherwise than a scenario, in order.

    Raises
    ------
    FormatError
        When a file of it cannot be read as its format (FP8075).
    """
    chosen = SCHEDULER_FORMATS[name]
    expected = {**chosen.facts(plan), **_names_expected(chosen.names(plan))}
    found = {**chosen.read(plan, folder), **_names_found(folder)}
    return [
        Difference(about, expected.get(about), found.get(about))
        for about in dict.fromkeys((*expected, *found))
        if expected.get(about) != found.get(about)
    ]


def _names_expected(names: Iterable[Mapped]) -> Facts:
    return {f"{NAMES}: {one.kind} {one.fabric} {one.name}": (one.written,) for one in names}


def _names_found(folder: Path) -> Facts:
    path = folder / NAMES
    if not path.exists():
        return {}
    return {
        f"{NAMES}: {row.text('kind')} {row.text('fabric')} {row.text('name')}": (row.text("written"),)
        for row in read_rows(path, _COLUMNS)
    }


@dataclass(frozen=True)
class WrittenExport:
    """What the manifest of a folder says of how it was made."""

    form: str
    options: ExportOptions
    fabrics: tuple[str, ...]
    jobs: tuple[str, ...]
    sha256: str


def read_export(folder: Path) -> WrittenExport:
    """The manifest of a folder.

    Raises
    ------
    FormatError
        When there is none, or it is of something else (FP8075).
    """
    record = read_json(folder / MANIFEST, code="FP8075", hint="export -o writes such a folder")
    if record.get("kind").text("") != "SchedulerExport":
        raise record.wrong("this is not the manifest of an export for schedulers", hint="export it first")
    options = record.get("options")

    def said(key: str) -> str | None:
        return None if options.get(key).absent else options.get(key).text()

    pci = said("pci")
    return WrittenExport(
        record.need("format").text(),
        ExportOptions(said("style"), said("block_by"), said("labels"), None if pci is None else Path(pci)),
        tuple(record.get("fabrics").keys),
        tuple(record.get("jobs").keys),
        record.get("sha256").text(""),
    )


def as_written(given: ExportOptions, written: WrittenExport) -> ExportOptions:
    """Options of a folder, with those that the command line gives in their place."""
    changed = {key: value for key, value in vars(given).items() if value is not None}
    return replace(written.options, **changed)
