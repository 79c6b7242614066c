"""Files of the right syntax and the wrong shape, and archives with broken insides: exit code 3, and where it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fabric.cli.main import run

DATA = Path(__file__).parents[1] / "data"

REFUSED = {
    "kube-allocatable-null": "not usable: n0 (no nvidia.com/gpu)",
    "kube-condition-null": "items[0].status.conditions[0]: 'type' is missing",
    "kube-deep": "nested more than 100 deep",
    "kube-labels-list": "items[0].metadata.labels: a mapping {...} is expected, not ['a']",
    "kube-status-null": "not usable: n0 (no nvidia.com/gpu)",
    "hf-deep": "nested more than 100 deep",
    "hf-family-list": "model_type: a text is expected, not ['llama']",
    "osd-deep": "nested more than 100 deep",
    "osd-weight-null": "nodes[4]: 'crush_weight' is missing",
}

BROKEN = {
    "column-of-1e12.fpr": "nics.npy: its header says (1000000000000,)",
    "column-of-dates.fpr": "nics.npy: it holds datetime64[s], not whole numbers",
    "column-of-text.fpr": "nics.npy: it holds <U4, not whole numbers",
    "header-open-bracket.fpr": "nics.npy: it is not a column",
    "header-open-bracket.cert": "node_name.npy: it is not a column",
    "manifest-deep.fpr": "nested more than 100 deep",
    "no-sources.fpr": "it does not keep the text of its scenario",
}


def scenario_with(folder: Path, name: str) -> Path:
    """The scenario of a kind of file, reading one of them, in a folder of its own."""
    kind = name.partition("-")[0]
    for file in (f"{name}.json", "pools.json"):
        shutil.copy(DATA / "wrong-shapes" / file, folder)
    path = folder / f"{name}.yaml"
    path.write_text((DATA / "wrong-shapes" / f"{kind}.yaml").read_text().replace("FILE", f"{name}.json"))
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_the_wrong_shape_is_refused_where_it_is_wrong(name, tmp_path, capsys):
    """Null, a list or a thousand brackets where a mapping should be: no traceback, no guess."""
    assert run(["traffic", str(scenario_with(tmp_path, name))]) == 3
    said = capsys.readouterr().err
    assert REFUSED[name] in said
    assert f"{name}.json" in said


@pytest.mark.parametrize(
    ("name", "note"),
    [("kube-conditions-null", "n0: is taken as ready; the file does not say"), ("kube-spec-null", "count as free")],
)
def test_what_a_node_leaves_out_is_said_and_not_refused(name, note, tmp_path, capsys):
    """Without conditions a node counts as ready, without a spec it has no taints: 32 ranks on 4 nodes of 8."""
    assert run(["traffic", str(scenario_with(tmp_path, name))]) == 0
    out, err = capsys.readouterr()
    assert note in err
    assert "job: training, 32 ranks" in out


@pytest.mark.parametrize("name", BROKEN)
def test_an_archive_with_broken_insides_is_refused_with_the_member_that_is_broken(name, capsys):
    """Hashes inside all fit: only what the members hold is wrong."""
    file = str(DATA / "broken-archives" / name)
    command = ["check-certificate", file] if name.endswith(".cert") else ["report", file, "-f", "md"]
    assert run(command) == 3
    assert BROKEN[name] in capsys.readouterr().err
