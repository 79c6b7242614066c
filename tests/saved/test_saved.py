"""Saved results: everything comes back, what-ifs still route, damage of any kind is refused in words."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.faces.answers.records import route_record
from fabric.pipeline.run import Run, route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.saved.archive import is_archive
from fabric.saved.open_any import open_any
from fabric.saved.result_file import open_result, save_result
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.errors import FabricError

QUICKSTART = "examples/quickstart.fabric.yaml"
TRAIN = "examples/train-2k.fabric.yaml"


def same(one: RouteResult, other: RouteResult, loaded: LoadedScenario) -> None:
    """Every column of every network and load, and the whole machine contract."""
    for left, right in zip(one.routes, other.routes, strict=True):
        for part in ("nodes", "links"):
            for field in fields(getattr(left.topology, part)):
                a, b = (getattr(getattr(entry.topology, part), field.name) for entry in (left, right))
                assert a == b if field.name == "name" else np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        assert np.array_equal(left.topology.up, right.topology.up)
        assert np.array_equal(left.link_gbps, right.link_gbps)
        assert np.array_equal(left.utilisation, right.utilisation)
        assert left.classes == right.classes
    assert (one.jobs, one.limits, one.items) == (other.jobs, other.limits, other.items)
    records = [route_record(loaded, result) for result in (one, other)]
    for record in records:
        record.pop("created")
        for entry in record["routes"]:
            entry["objective"] = None
    assert json.dumps(records[0]) == json.dumps(records[1])


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (QUICKSTART, RouteRequest()),
        (QUICKSTART, RouteRequest(router="optimal", down=("link=leaf0:spine1#1",))),
        (QUICKSTART, RouteRequest(down=("spine0", "spine1"))),
        (TRAIN, RouteRequest(replicas=3)),
        ("examples/abilene.fabric.yaml", RouteRequest(router="ecmp")),
    ],
)
def test_everything_comes_back(path: str, request_: RouteRequest, tmp_path: Path) -> None:
    """Networks, loads, times, limits, certificates' bounds, percentiles, cut pairs."""
    loaded = load_scenario(path)
    result = route(loaded, request_)
    save_result(tmp_path / "x.fpr", Run(loaded, request_, result))
    found = open_result(tmp_path / "x.fpr")
    same(result, found.result, loaded)
    assert found.request == request_
    assert found.loaded.scenario == loaded.scenario


def test_a_folder_holds_the_same_as_a_zip(tmp_path: Path) -> None:
    """Members as files, for those who want to read the columns with other tools."""
    loaded = load_scenario(QUICKSTART)
    result = route(loaded)
    (tmp_path / "folder").mkdir()
    save_result(tmp_path / "folder", Run(loaded, RouteRequest(), result))
    same(result, open_result(tmp_path / "folder").result, loaded)
    assert np.load(tmp_path / "folder" / "phase0" / "utilisation.npy").max() == result.routes[0].max_utilisation


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """Also when forced: only a saved result is replaced."""
    (tmp_path / "mine.txt").write_text("mine")
    loaded = load_scenario(QUICKSTART)
    with pytest.raises(FabricError, match="other things"):
        save_result(tmp_path, Run(loaded, RouteRequest(), route(loaded)), force=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_same_result_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fixed date; solve times are those of one result."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    loaded = load_scenario(QUICKSTART)
    result = route(loaded)
    for name in ("a", "b"):
        save_result(tmp_path / f"{name}.fpr", Run(loaded, RouteRequest(), result))
    assert (tmp_path / "a.fpr").read_bytes() == (tmp_path / "b.fpr").read_bytes()


def test_what_ifs_route_from_the_text_that_was_kept(tmp_path: Path) -> None:
    """The scenario and a file it includes are gone; a failure on the saved result equals one on the scenario."""
    base = tmp_path / "here" / "base.fabric.yaml"
    base.parent.mkdir()
    shutil.copy(QUICKSTART, base)
    over = base.with_name("over.fabric.yaml")
    over.write_text("version: 1\nname: over\ninclude: [base.fabric.yaml]\nseed: 3\n")
    loaded = load_scenario(over)
    save_result(tmp_path / "x.fpr", Run(loaded, RouteRequest(), route(loaded)))
    expected = route(loaded, RouteRequest(down=("spine0",)))
    shutil.rmtree(base.parent)
    found = open_any(str(tmp_path / "x.fpr"), request=RouteRequest(down=("spine0",)))
    assert found.loaded.scenario.seed == 3
    assert np.array_equal(found.result.routes[0].link_gbps, expected.routes[0].link_gbps)


def test_a_result_is_told_from_a_scenario_by_its_content(tmp_path: Path) -> None:
    """Whatever its name."""
    loaded = load_scenario(QUICKSTART)
    save_result(tmp_path / "plain.yaml", Run(loaded, RouteRequest(), route(loaded)))
    assert is_archive(tmp_path / "plain.yaml")
    assert not is_archive(Path(QUICKSTART))
    assert open_any(str(tmp_path / "plain.yaml")).saved
    assert not open_any(QUICKSTART).saved


def test_the_command_line_saves_whole_files_and_refuses_to_write_over_them(tmp_path: Path) -> None:
    """`route --save`, twice."""
    path = tmp_path / "x.fpr"
    assert run(["route", QUICKSTART, "--save", str(path), "-o", str(tmp_path / "o.txt")]) == 0
    before = path.read_bytes()
    assert run(["route", QUICKSTART, "--save", str(path)]) == 2
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved quickstart."""
    path = tmp_path_factory.mktemp("saved") / "good.fpr"
    loaded = load_scenario(QUICKSTART)
    save_result(path, Run(loaded, RouteRequest(), route(loaded)))
    return path


def rewritten(good: Path, path: Path, **members: bytes | None) -> Path:
    """A copy with members replaced, added, or (None) left out; keys use ``__`` for ``/`` and ``_dot_`` for dots."""
    changes = {name.replace("__", "/").replace("_dot_", "."): data for name, data in members.items()}
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = changes.pop(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in changes.items():
            if data is not None:
                new.writestr(name, data)
    return path


def manifest_with(good: Path, **values: object) -> bytes:
    """The manifest with other values."""
    with zipfile.ZipFile(good) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    return json.dumps({**manifest, **values}).encode()


def test_a_newer_version_is_refused_with_both_numbers(good: Path, tmp_path: Path) -> None:
    """Version 2 on a reader of version 1."""
    path = rewritten(good, tmp_path / "x.fpr", manifest_dot_json=manifest_with(good, version=2))
    with pytest.raises(FabricError, match="saved in version 2 of the format, this program reads up to 1"):
        open_result(path)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"phase0__utilisation_dot_npy": None}, "missing"),
        ({"phase0__utilisation_dot_npy": b"x"}, "hash differs"),
        ({"manifest_dot_json": None}, "missing"),
        ({"manifest_dot_json": b"{"}, "not JSON"),
        ({"manifest_dot_json": b"[]"}, "says nothing"),
        ({"manifest_dot_json": b"{}"}, "not a saved result"),
    ],
)
def test_damage_is_refused_in_words(members: dict[str, bytes | None], words: str, good: Path, tmp_path: Path) -> None:
    """A missing, changed or foreign member."""
    with pytest.raises(FabricError, match=words):
        open_result(rewritten(good, tmp_path / "x.fpr", **members))


def forged(good: Path, path: Path, member: str, data: bytes) -> Path:
    """A copy with another member, and a manifest that says so."""
    with zipfile.ZipFile(good) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["members"][member] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    changes = {"manifest.json": json.dumps(manifest).encode(), member: data}
    return rewritten(good, path, **changes)


def npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("member", "data", "words"),
    [
        ("fabric0/nodes/nics.npy", lambda nodes: npy(np.array(["1"] * nodes)), "not whole numbers"),
        ("fabric0/nodes/nics.npy", lambda nodes: npy(np.zeros(nodes, dtype="M8[s]")), "not whole numbers"),
        ("fabric0/nodes/nics.npy", lambda nodes: npy(np.full(nodes, 2**40)), "beyond 32 bits"),
        ("fabric0/nodes/nics.npy", lambda nodes: npy(np.zeros(nodes - 1, dtype=np.int32)), "shape"),
        ("fabric0/nodes/role.npy", lambda nodes: npy(np.full(nodes, 99, dtype=np.int32)), "role has values"),
        ("fabric0/nodes/name.json", lambda nodes: b"[" * 5000, "nested more than"),
        ("assumptions.json", lambda nodes: b"[" * 5000, "nested more than"),
    ],
    ids=range(7),
)
def test_a_forged_column_is_refused_though_its_hash_is_right(
    member: str, data: Callable[[int], bytes], words: str, good: Path, tmp_path: Path
) -> None:
    """Every column has its type, and codes that exist."""
    nodes = len(open_result(good).result.routes[0].topology.nodes)
    with pytest.raises(FabricError, match=words):
        open_result(forged(good, tmp_path / "x.fpr", member, data(nodes)))


def test_a_bomb_is_refused_by_the_size_that_it_states(tmp_path: Path) -> None:
    """300 MiB of blanks as its manifest, in 0.3 MB: nothing is unpacked."""
    bomb = tmp_path / "bomb.fpr"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("manifest.json", "w") as member:
        for _ in range(300):
            member.write(b" " * (1 << 20))
    tracemalloc.start()
    with pytest.raises(FabricError, match="would unpack to 314,572,800"):
        open_result(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_a_result_without_its_scenario_is_refused(good: Path, tmp_path: Path) -> None:
    """The manifest keeps no text."""
    manifest = manifest_with(good, scenario={"path": "s.yaml", "sources": []})
    with pytest.raises(FabricError, match="does not keep the text of its scenario"):
        open_result(rewritten(good, tmp_path / "x.fpr", manifest_dot_json=manifest))


def test_a_truncated_file_is_refused_at_every_length(good: Path, tmp_path: Path) -> None:
    """Twenty lengths from nothing to one byte less."""
    data = good.read_bytes()
    path = tmp_path / "x.fpr"
    for length in [*range(0, len(data), len(data) // 20), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(FabricError):
            open_result(path)


def test_flipped_bytes_never_raise_anything_but_an_error_in_words(good: Path, tmp_path: Path) -> None:
    """Two hundred single bytes of the file, changed: refused, or harmless (in a header nobody reads)."""
    rng = random.Random(7)
    data = bytearray(good.read_bytes())
    path = tmp_path / "x.fpr"
    refused = 0
    for _ in range(200):
        at = rng.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        try:
            open_result(path)
        except FabricError:
            refused += 1
    assert refused > 150


@pytest.mark.parametrize("key", ["fabrics", "routes", "request", "scenario", "overrides", "warnings"])
@pytest.mark.parametrize("value", [None, 3, "x", [3], {"a": 1}])
def test_a_manifest_of_other_shape_is_refused_in_words(key: str, value: object, good: Path, tmp_path: Path) -> None:
    """Every part of it replaced by something else; a harmless one (words for warnings) may pass."""
    path = rewritten(good, tmp_path / "x.fpr", manifest_dot_json=manifest_with(good, **{key: value}))
    with contextlib.suppress(FabricError):
        open_result(path)
