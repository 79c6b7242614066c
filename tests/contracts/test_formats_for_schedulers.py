"""Every format for schedulers says what it is, and is read back as what was meant, whole, and as nothing else."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario
from fabric.share.schedulers.export import MANIFEST, NAMES, differences, scheduler_plan, write_export
from fabric.share.schedulers.format import SCHEDULER_FORMATS, ExportOptions, SchedulerPlan
from topologies.errors import FabricError

EVERY = pytest.mark.parametrize("name", list(SCHEDULER_FORMATS))
SCENARIO = """\
version: 1
name: near
nodes:
  - group: gpu
    model: hgx-h100-8
    count: COUNT
    gpus: GPUS
    nics: {main: {speed: 400G, count: GPUS, rail: per-gpu}, other: {speed: 100G}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 32, host_speed: 400G, uplink_speed: 800G}
  other:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 400G}
workloads:
  - {id: train, kind: collective, collective: all-reduce, size: 1 GB, gpus: RANKS}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """8 hosts with 8 GPUs on two fabrics, 4 and 2 of them a leaf; a job has half of the GPUs."""
    path = tmp_path / "near.fabric.yaml"
    path.write_text(SCENARIO.replace("COUNT", "8").replace("RANKS", "32").replace("GPUS", "8"), encoding="utf-8")
    return path


def plan_of(name: str, scenario: Path, **keys: str) -> SchedulerPlan:
    """Everything that a format of its kind gets."""
    loaded = load_scenario(scenario)
    return scheduler_plan(loaded, build(loaded), jobs=SCHEDULER_FORMATS[name].of == "job", **keys)


@EVERY
def test_a_format_says_what_it_is(name: str) -> None:
    """A summary, what reads it, what there is one of, and options that there are."""
    entry = SCHEDULER_FORMATS[name]
    assert SCHEDULER_FORMATS.summary(name)
    assert entry.read_by
    assert entry.of in ("fabric", "job", "node group")
    assert set(entry.takes) <= {"job", *(field.name for field in fields(ExportOptions))}


@EVERY
def test_what_is_written_is_what_was_meant_and_the_same_again(name: str, scenario: Path, tmp_path: Path) -> None:
    """Facts come from the tree, and what is read from the files alone; a second export has the same bytes."""
    plan, texts = plan_of(name, scenario), []
    assert SCHEDULER_FORMATS[name].facts(plan)
    for folder in (tmp_path / "one", tmp_path / "two"):
        write_export(folder, plan, name, {}, force=False)
        assert differences(folder, plan, name) == []
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "files.json")
        texts.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert texts[0] == texts[1]


@EVERY
def test_a_folder_of_another_cluster_is_found(name: str, scenario: Path, tmp_path: Path) -> None:
    """6 hosts of 4 GPUs, of which the job has all."""
    write_export(tmp_path / "out", plan_of(name, scenario), name, {}, force=False)
    other = tmp_path / "other.fabric.yaml"
    other.write_text(SCENARIO.replace("COUNT", "6").replace("RANKS", "24").replace("GPUS", "4"), encoding="utf-8")
    assert differences(tmp_path / "out", plan_of(name, other), name)


@EVERY
def test_a_lost_file_and_a_file_of_nonsense_are_found(name: str, scenario: Path, tmp_path: Path) -> None:
    """Each file by itself: it is refused, or something differs; none is passed over."""
    plan = plan_of(name, scenario)
    write_export(tmp_path / "whole", plan, name, {}, force=False)
    written = [path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    own = [path for path in written if path.name not in (MANIFEST, NAMES, "files.json")]
    assert own
    for number, path in enumerate(own):
        for text in (None, "nothing that anybody wrote\n"):
            folder = tmp_path / f"{number}{text is None}"
            shutil.copytree(tmp_path / "whole", folder)
            if text is None:
                (folder / path).unlink()
            else:
                (folder / path).write_text(text, encoding="utf-8")
            assert is_found(folder, plan, name, path), f"{path} is not looked at"


def is_found(folder: Path, plan: SchedulerPlan, name: str, path: Path) -> bool:
    """Whether something differs, or the file is refused by its name."""
    try:
        return bool(differences(folder, plan, name))
    except FabricError as error:
        return all(problem.file == str(folder / path) for problem in error.problems)


@EVERY
def test_the_command_writes_it_and_checks_it(name: str, scenario: Path, tmp_path: Path) -> None:
    """One fabric, and then the same folder again."""
    words = ["export", name, str(scenario), "-o", str(tmp_path / "out")]
    assert run(words) == 0
    assert run([*words, "--check"]) == 0
    assert (tmp_path / "out" / MANIFEST).exists()
