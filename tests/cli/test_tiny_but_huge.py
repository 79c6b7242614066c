"""A few hundred bytes that ask for more than any machine has are refused at once, with the counts and the way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.cli.main import run

FOLDER = Path(__file__).parents[1] / "data" / "tiny-but-huge"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
NO_MEMORY = {"layers-1e9.yaml", "megatron-list-1e12.yaml", "name-width-1e9.yaml"}  # refused by a limit of their own
PLACES = {
    "explicit-cable-count.yaml": "19:16", "fat-tree-radix-4096.yaml": "7:14", "nodes-1e9.yaml": "24:10",
    "nics-2e62.yaml": "28:14", "multi-plane-1e9.yaml": "7:15", "torus-1000.yaml": "8:9",
    "layers-1e9.yaml": "63:13", "name-width-1e9.yaml": "33:15", "jellyfish-near-complete.yaml": "7:17",
}  # fmt: skip

# All in one process, with 4 GB of address space, as each would have alone.
_EACH = """
import contextlib, io, json, resource, sys, time
from fabric.cli.main import run
import fabric.pipeline.prepared, topologies.builders
from topologies.builder import TOPOLOGIES
TOPOLOGIES.names()
resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
answers = {}
with contextlib.redirect_stdout(io.StringIO()):
    run(["traffic", "--collective", "all-reduce", "--size", "1GB", "--ranks", "2"])  # imports what it needs
for words in json.load(sys.stdin):
    said, start = io.StringIO(), time.process_time()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = run(words)
    answers[words[-1]] = [code, time.process_time() - start, said.getvalue()]
json.dump(answers, sys.stdout)
"""

BIG_TREE = """
version: 1
name: f
fabrics: {main: {topology: {kind: fat-tree, radix: 160, speed: 400G}}}
workloads: [{id: w, kind: all-to-all, fabric: main, size: 1 GiB}]
"""
DEVICES = """
version: 1
name: f
include: [/dev/zero]
fabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 400G}}}
"""
FROM_DEVICE = """
version: 1
name: f
fabrics: {main: {topology: {kind: file, format: csv, path: /dev/zero}}}
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Exit code, processor time and messages of every file and command."""
    folder = tmp_path_factory.mktemp("huge")
    for name, text in {"tree": BIG_TREE, "include": DEVICES, "topology": FROM_DEVICE}.items():
        (folder / f"{name}.yaml").write_text(text)
    commands = [["validate", str(FOLDER / name)] for name in FILES]
    commands += [["validate", str(folder / f"{name}.yaml")] for name in ("tree", "include", "topology")]
    commands += [["validate", "/dev/zero"]]
    commands += [["traffic", "--collective", "all-reduce", "--size", "1GB", "--ranks", "1000000000"]]
    done = subprocess.run(
        [sys.executable, "-c", _EACH],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={name: value for name, value in os.environ.items() if name != "FABRIC_MAX_MEMORY"},
    )
    return {Path(name).name: answer for name, answer in json.loads(done.stdout).items()}


def test_all_seventeen_are_here():
    """The test of no file would pass too."""
    assert len(FILES) == 17


@pytest.mark.parametrize("name", [*FILES, "tree.yaml", "include.yaml", "topology.yaml", "zero", "1000000000"])
def test_it_is_refused_in_under_a_second(answers, name):
    """Exit code 3, one problem, no traceback; a second of processor time."""
    code, seconds, text = answers[name]
    assert (code, "internal error" in text, "Traceback" in text) == (3, False, False), text
    assert seconds < 1
    assert "1 error in" in text


@pytest.mark.parametrize("name", sorted({*FILES, "tree.yaml", "1000000000"} - NO_MEMORY))
def test_it_says_what_would_be_built_the_limit_and_how_to_raise_it(answers, name):
    """Counts, bytes, whose limit, and the flag unless no machine could have so much."""
    text = answers[name][2]
    assert any(what in text for what in ("cables, about", "NIC ports, about", "pairs, about")), text
    assert "of memory; the limit is 4 GB (the address space, ulimit -v)" in text
    assert "--max-memory" in text or "PB of memory" in text


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_it_points_at_the_key_that_asks_for_it(answers, name, place):
    """Line and column of the value."""
    assert f"{name}:{place}\n" in answers[name][2]


def _scenario(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(BIG_TREE.replace("160", "16"))
    return str(path)


def test_max_memory_refuses_and_raises(tmp_path, capsys, monkeypatch):
    """1024 hosts, 320 switches and 3072 cables are 4 MB with their routes; the flag goes before the variable."""
    path = _scenario(tmp_path)
    assert run(["validate", path, "--max-memory", "3MB"]) == 3
    error = capsys.readouterr().err
    assert "320 switches, 1,024 host ports and 3,072 cables, about 4.05 MB of memory; the limit is 3 MB" in error
    monkeypatch.setenv("FABRIC_MAX_MEMORY", "3MB")
    assert run(["validate", path]) == 3
    assert run(["validate", path, "--max-memory", "5MB"]) == 0
    assert run(["validate", path, "--max-memory", "5"]) == 2
    assert "'5' has no unit" in capsys.readouterr().err


def test_memory_that_runs_out_all_the_same_is_no_bug(tmp_path, capsys, monkeypatch):
    """One line and exit code 3."""

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("fabric.pipeline.prepared.build_network", full)
    assert run(["route", _scenario(tmp_path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error[FP3050]: out of memory: this needs more than ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path, capsys, monkeypatch):
    """Three seconds, shortened here."""
    monkeypatch.setattr("topologies.reading.file_bytes._WAIT_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    assert run(["validate", str(tmp_path / "pipe")]) == 3
    assert "nothing was written to this pipe" in capsys.readouterr().err


def test_a_directory_and_a_file_larger_than_any_scenario_are_refused(tmp_path, capsys):
    """A sparse file takes no room and is not read."""
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(10**12)
    assert run(["validate", str(tmp_path / "large.yaml")]) == 3
    assert "it has 1 TB; at most 64 MB are read" in capsys.readouterr().err
    assert run(["build", str(tmp_path)]) == 3
    assert "it is a directory" in capsys.readouterr().err


def test_a_pipe_with_a_writer_is_read(tmp_path):
    """As ``<(command)`` and ``command | fabric … -`` are."""
    read, write = os.pipe()
    os.write(write, BIG_TREE.replace("160", "4").encode())
    os.close(write)
    try:
        assert run(["validate", f"/dev/fd/{read}"]) == 0
    finally:
        os.close(read)
