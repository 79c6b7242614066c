"""Every cable profile writes all cables, the same every time, by the suffixes that it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.cables.profile import PROFILES, CableExport
from fabric.cables.schedule import cable_schedule
from fabric.cli.main import run
from fabric.pipeline.network import build_network
from fabric.scenario.load import load_scenario

SCENARIO = """\
version: 1
name: small
site: {rows: 1, racks_per_row: 4}
nodes: [{group: h, count: 4, per_rack: 2, nics: {main: {speed: 400G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down: 2, up: 1},
               spine: {model: eth-64x400, count: 1}}
"""
DEVICES = ("h0", "h1", "h2", "h3", "leaf0", "leaf1", "spine0")
EVERY = pytest.mark.parametrize("name", list(PROFILES))
WRITING = pytest.mark.parametrize("name", [name for name in PROFILES if PROFILES[name].write is not None])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Six cables in a room."""
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file


def written(path: Path, name: str, suffix: str) -> str:
    """What a profile writes."""
    loaded = load_scenario(path)
    network = build_network(loaded)
    schedule = cable_schedule(loaded, network.topologies)
    write = PROFILES[name].write
    assert write is not None
    return "".join(write(CableExport("small", schedule, network.topologies, suffix=suffix)))


@EVERY
def test_a_profile_says_what_it_is(name: str) -> None:
    """A summary, what reads it, and the endings of its files."""
    profile = PROFILES[name]
    assert PROFILES.summary(name)
    assert profile.read_by
    assert all(suffix.startswith(".") for suffix in profile.suffixes)


@WRITING
def test_every_device_is_in_every_form(name: str, path: Path) -> None:
    """By name."""
    for suffix in PROFILES[name].suffixes:
        text = written(path, name, suffix)
        assert [device for device in DEVICES if device not in text] == []


@WRITING
def test_the_same_input_gives_the_same_text(name: str, path: Path) -> None:
    """In every form."""
    for suffix in PROFILES[name].suffixes:
        assert written(path, name, suffix) == written(path, name, suffix)


@EVERY
def test_the_command_writes_it(name: str, path: Path, tmp_path: Path) -> None:
    """To a file of its own ending."""
    file = tmp_path / f"cables{PROFILES[name].suffixes[0]}"
    assert run(["export", "cables", str(path), "--profile", name, "-o", str(file), "-q"]) == 0
    assert "spine0" in file.read_text(encoding="utf-8")
