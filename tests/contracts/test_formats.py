"""What every file format promises: what is written reads back the same, what is malformed is refused with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.errors import FormatError
from topologies.format_registry import (
    FORMATS,
    Imported,
    as_imported,
    find_format,
    format_suffixes,
    import_topology,
    read_topology,
    write_topology,
)
from topologies.topology import Topology
from traffic.workload import DEMAND_FORMATS

EVERY = pytest.mark.parametrize("name", FORMATS.names())
WRITTEN = pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].write is not None])
READ = pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].read is not None])
NONSENSE = {
    "text": b"what is this\n",
    "empty": b"",
    "binary": bytes(range(256)),
    "json": b'{"a": [1, 2',
    "xml": b"<a><b>",
}


def routers() -> Topology:
    """Three routers in a ring, endpoints themselves."""
    net = assemble("routers", "test")
    ids = net.nodes("router", ["a", "b", "c"], level=1, nics=1)
    net.cables(ids, np.roll(ids, 1), 100.0)
    return net.freeze()


def hosts() -> Topology:
    """Two leaves under a spine, two hosts each."""
    net = assemble("hosts", "test")
    leaves = net.switches("leaf", ["leaf0", "leaf1"], level=1, radix=4)
    spine = net.switches("spine", ["spine0"], level=2, radix=4)
    ends = net.nodes("host", [f"host{number}" for number in range(4)], level=0, nics=1, forwards=False)
    net.cables(ends, np.repeat(leaves, 2), 100.0)
    net.cables(leaves, np.repeat(spine, 2), 400.0)
    return net.freeze()


NETWORKS = {"routers": routers, "hosts": hosts}


def cables(topology: Topology) -> list[tuple[str, str]]:
    """Cables by the names of their ends, sorted."""
    names, links = topology.nodes.name, topology.links
    rows = np.flatnonzero(topology.is_cable).tolist()
    return sorted(tuple(sorted((names[links.src[row]], names[links.dst[row]]))) for row in rows)


def file_of(name: str, folder: Path) -> Path:
    """Where a file of a format goes."""
    return folder / f"net{next(iter(FORMATS[name].suffixes), '.txt')}"


def refused(name: str, topology: Topology, path: Path) -> FormatError | None:
    """Write a file; the error where the format cannot express the network."""
    try:
        write_topology(topology, path, name)
    except FormatError as error:
        return error
    return None


def taken(name: str, path: Path) -> Imported:
    """Read a file; links are 100G where the format has no speeds."""
    read = FORMATS[name].read
    assert read is not None
    speeds = not np.isnan(as_imported(read(path)).topology.links.capacity_gbps).any()
    return import_topology(path, name, strict=True, speed=None if speeds else 100.0)


def sound_or_refused(name: str, path: Path) -> Topology | FormatError:
    """What a file reads as, or why it does not."""
    try:
        return taken(name, path).topology
    except FormatError as error:
        return error


def written(name: str, folder: Path) -> tuple[Path, Topology]:
    """A file in a format, of the first network that it can express."""
    path = file_of(name, folder)
    for make in NETWORKS.values():
        topology = make()
        if refused(name, topology, path) is None:
            return path, topology
    raise AssertionError(f"{name} expresses none of {list(NETWORKS)}")


@WRITTEN
@pytest.mark.parametrize("case", NETWORKS)
def test_what_is_written_reads_back_the_same_or_is_refused_with_a_reason(name, case, tmp_path):
    """Names and cables are kept, and speeds unless the format has none; writing again gives the same bytes."""
    topology, path = NETWORKS[case](), file_of(name, tmp_path)
    refusal = refused(name, topology, path)
    if refusal is not None:
        assert [problem.code for problem in refusal.problems] == ["FP6010"]
        assert refusal.problems[0].hint
        assert not path.exists()
        return
    assert path.stat().st_size
    if FORMATS[name].read is None:
        assert FORMATS.summary(name).endswith("write only")
        return
    back = taken(name, path).topology
    assert sorted(back.nodes.name) == sorted(topology.nodes.name)
    assert cables(back) == cables(topology)
    if not np.isnan(as_imported(FORMATS[name].read(path)).topology.links.capacity_gbps).any():
        assert sorted(back.links.capacity_gbps.tolist()) == sorted(topology.links.capacity_gbps.tolist())
    again = path.with_name(f"again-{path.name}")
    write_topology(back, again, name)
    assert cables(taken(name, again).topology) == cables(back)


@WRITTEN
def test_two_files_of_one_network_are_the_same_bytes(name, tmp_path):
    """Nothing of the day or of memory is in a file."""
    path, topology = written(name, tmp_path)
    first = path.read_bytes()
    write_topology(topology, path, name)
    assert path.read_bytes() == first


@WRITTEN
def test_nothing_is_left_out_of_a_good_file(name, tmp_path):
    """Taking what is sound gives the whole network where nothing is wrong."""
    if FORMATS[name].read is None:
        assert FORMATS.summary(name).endswith("write only")
        return
    path, topology = written(name, tmp_path)
    found = import_topology(path, name, speed=100.0)
    assert found.problems == ()
    assert cables(found.topology) == cables(topology)


@READ
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_malformed_file_is_refused_with_its_name(name, nonsense, tmp_path):
    """Whatever the content: an error of ours that names the file and has a code, never a traceback or a network."""
    path = file_of(name, tmp_path)
    path.write_bytes(NONSENSE[nonsense])
    with pytest.raises(FormatError, match=path.name) as caught:
        read_topology(path, name)
    assert all(problem.code.startswith("FP6") for problem in caught.value.problems)


@READ
def test_a_file_cut_short_is_refused_or_is_not_the_whole_network(name, tmp_path):
    """Half of what the format writes: an error that names the file, or, where a line is an element, fewer cables."""
    if FORMATS[name].write is None:
        assert FORMATS.summary(name).endswith("read only")
        return
    path, topology = written(name, tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    outcome = sound_or_refused(name, path)
    if isinstance(outcome, FormatError):
        assert all(problem.file == str(path) for problem in outcome.problems)
    else:
        assert len(cables(outcome)) < len(cables(topology))


@READ
def test_a_file_that_is_not_there_is_refused(name, tmp_path):
    """With the reason of the system."""
    with pytest.raises(FormatError, match="nowhere") as caught:
        read_topology(tmp_path / "nowhere", name)
    assert caught.value.problems[0].code == "FP6001"


@EVERY
def test_a_format_reads_or_writes_under_the_name_of_its_file(name):
    """One way at least."""
    entry = FORMATS[name]
    assert entry.name == name
    assert entry.read is not None or entry.write is not None
    assert "\n" not in FORMATS.summary(name)


@EVERY
def test_its_suffixes_are_its_own(name, tmp_path):
    """Lower case with a dot, and claimed by one format alone."""
    for suffix in FORMATS[name].suffixes:
        assert suffix.startswith(".")
        assert suffix == suffix.lower()
        assert [other for other, entry in FORMATS.items() if suffix in entry.suffixes] == [name]
        if suffix.count(".") == 1:
            assert find_format(tmp_path / f"NET{suffix.upper()}").name == name


@pytest.mark.parametrize("entry", list(DEMAND_FORMATS), ids=DEMAND_FORMATS.names())
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_malformed_demand_file_is_refused_with_its_name(entry, nonsense, tmp_path):
    """As with topologies."""
    path = tmp_path / f"demands.{entry.name}"
    path.write_bytes(NONSENSE[nonsense])
    with pytest.raises(FormatError, match=path.name) as caught:
        entry.function(path=path, topology=routers(), unit=None)
    assert all(problem.code.startswith("FP6") for problem in caught.value.problems)


def test_suffixes_are_those_that_files_declare() -> None:
    """They are read from the text of the formats, so that telling a file's format imports none."""
    declared: dict[str, str] = {}
    for entry in FORMATS.values():
        for suffix in entry.suffixes:
            declared.setdefault(suffix, entry.name)
    assert format_suffixes() == declared
