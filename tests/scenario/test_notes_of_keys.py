"""What is set and changes nothing is said: once, for the command at hand, and never of a key that is used."""

from __future__ import annotations

import pytest

from fabric.cli.main import run
from fabric.pipeline.run import route
from fabric.pipeline.unused_options import options_read, unused_options
from fabric.request import RouteRequest
from fabric.routing.names import router_names
from fabric.scenario.load import LoadError, load_scenario

SMALL = """\
version: 1
name: notes
defaults: {units: {rate: Gb/s}}
nodes: [{group: h, count: 8, per_rack: 2, nics: {main: {speed: 100G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
    cables: {host-leaf: auto}
site: {rows: 2, racks_per_row: 2, name_format: 'r{row}'}
workloads: [{id: w, kind: uniform, size: 1 GB}]
limits: [{fabric: main, metric: unreachable_pairs, max: 0, when: any-spine}]
failures: [{name: any-spine}]
measured: [{kind: csv, path: loads.csv}]
"""
NETWORK = "note: accepted but not yet modelled: defaults.units"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.yaml").write_text(SMALL)
    return "notes.yaml"


def said(capsys, *words):
    """Lines on standard error of a command that ends well."""
    assert run([*words]) == 0
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["route"], NETWORK),
        (["route", "--router", "ecmp,wcmp"], NETWORK),
        (["traffic"], NETWORK),
        (["build"], NETWORK),
        (["show", "bisection"], NETWORK),
        (["draw", "rack", "-o", "racks.svg"], NETWORK),
        (["report", "-f", "md"], NETWORK),
        (["explain", "phase:uniform"], NETWORK),
        (["compare", "notes.yaml"], NETWORK),
    ],
)
def test_the_note_names_what_matters_here_once(path, words, line, capsys):
    """Racks are used: by pictures, and by failure domains of storage."""
    verb, *rest = words
    given = [verb, rest[0], path, *rest[1:]] if verb in ("show", "draw") else [verb, path, *rest]
    lines = said(capsys, *given)
    assert lines.count(line) == 1
    assert sum("not yet modelled" in one for one in lines) == 1


@pytest.mark.parametrize("router", router_names())
def test_keys_that_a_router_does_not_read_are_said(router, path):
    """All of them are set to what is no default; those that are read are not named."""
    keys = {"k_paths": 3, "spray_efficiency": 0.5, "target_utilisation": 0.5, "hash.function": "crc32"}
    sets = [f"fabrics.main.routing.{key}={value}" for key, value in keys.items()]
    sets.append(f"fabrics.main.routing.router={router}")
    loaded = load_scenario(path, overrides=sets)
    named = {
        text.split(" ")[0].rpartition("routing.")[2]
        for text, _ in unused_options(loaded.scenario.fabrics, RouteRequest())
    }
    read = options_read(router, "any", "min-max-utilisation")
    assert named == {key for key in keys if key.partition(".")[0] not in read}


def test_a_flag_that_changes_nothing_is_said(path, capsys):
    """``--objective`` is of router optimal, ``--replicas`` of those that hash."""
    lines = said(capsys, "route", path, "--objective", "min-cost", "--replicas", "5")
    assert "note: --objective changes nothing on main under router ecmp" in lines
    assert "note: --replicas changes nothing on main under router ecmp" in lines
    assert not any(
        "changes nothing" in line for line in said(capsys, "route", path, "--router", "ecmp-hash", "--replicas", "5")
    )


def test_unread_keys_are_among_the_assumptions(path):
    """With the key that would make them count."""
    loaded = load_scenario(path, overrides=["fabrics.main.routing.hash.function=crc32"])
    (entry,) = [one for one in route(loaded).assumptions if "changes nothing" in one.text]
    assert (entry.override, "hash.function" in entry.text) == ("fabrics.main.routing.router", True)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("fabric: main, metric: unreachable_pairs, max: 0, tier: leaf-spine", "not of single links; remove tier"),
        ("workload: w, metric: step_time, max: 1 s, tier: leaf-spine", "not of single links; remove tier"),
        ("fabric: main, metric: links_over_capacity, max: 0, stat: p99", "without a p99 of links; remove stat"),
        ("workload: w, metric: step_time, max: 1 s, stat: mean", "without a mean of links; remove stat"),
        ("fabric: main, metric: utilisation, max: 100", "100 is 10,000 % where it has no % sign; write 100% or 1.0"),
        ("fabric: main, metric: utilisation, max: 7:1", "'7:1' is not a ratio"),
        ("fabric: main, metric: links_over_capacity, max: 7:1", "'7:1' is not a count"),
        ("workload: w, metric: step_time, max: 7:10", "'7:10' is not a time"),
    ],
)
def test_keys_of_a_limit_that_would_say_nothing_are_refused(path, limit, message):
    """A statistic of one number, a tier of a job's time, and numbers that are not what they look like."""
    with pytest.raises(LoadError, match=message):
        load_scenario(path, overrides=[f"limits=[{{{limit}}}]"])
