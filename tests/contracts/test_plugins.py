"""What every entry of every registry promises: a valid example, a docstring, refusal of unknown keys."""

from __future__ import annotations

import inspect

import pytest
from pydantic import ValidationError

from fabric.routing import names
from fabric.routing.router import ROUTERS
from topologies.builder import TOPOLOGIES
from topologies.errors import ScenarioError
from traffic.collective import COLLECTIVES
from traffic.workload import DEMAND_FORMATS, PATTERNS, PLACEMENTS, WORKLOADS

REGISTRIES = (TOPOLOGIES, COLLECTIVES, PLACEMENTS, PATTERNS, WORKLOADS, DEMAND_FORMATS, ROUTERS)
ENTRIES = [(registry, entry) for registry in REGISTRIES for entry in registry]
EVERY = pytest.mark.parametrize(
    ("registry", "entry"), ENTRIES, ids=[f"{registry.package}:{entry.name}" for registry, entry in ENTRIES]
)


@EVERY
def test_the_example_validates(registry, entry):
    """What the docs show is accepted."""
    entry.model.model_validate({"kind": entry.name, **entry.example})


@EVERY
def test_unknown_keys_are_refused(registry, entry):
    """A typing mistake never falls back to a default."""
    with pytest.raises(ValidationError, match=r"(?i)extra inputs are not permitted"):
        entry.model.model_validate({"kind": entry.name, **entry.example, "no_such_key": 1})


@EVERY
def test_it_says_what_it_is_in_one_sentence(registry, entry):
    """The first line of the docstring is what lists and ``--help`` show."""
    assert entry.summary.strip().endswith(".")
    assert len(entry.summary) <= 120


@EVERY
def test_names_are_lower_case_words_joined_by_hyphens(registry, entry):
    """As people write them in a scenario."""
    assert entry.name == entry.name.lower()
    assert set(entry.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@EVERY
def test_an_alias_leads_to_its_entry(registry, entry):
    """And does not hide another entry."""
    for alias in entry.aliases:
        assert registry[alias] is entry
        assert alias not in registry.names()


@pytest.mark.parametrize("registry", REGISTRIES, ids=[registry.package for registry in REGISTRIES])
def test_a_name_with_a_slip_is_corrected(registry):
    """Unknown names are errors that name the nearest."""
    assert registry.names()
    name = registry.names()[-1]
    with pytest.raises(ScenarioError, match=rf"did you mean '{name}'"):
        registry[name + "x"]


@pytest.mark.parametrize("registry", REGISTRIES, ids=[registry.package for registry in REGISTRIES])
def test_every_module_of_a_package_registers_something(registry):
    """A plug-in file that registers nothing is a slip."""
    import importlib
    import pkgutil

    package = importlib.import_module(registry.package)
    files = {f"{registry.package}.{found.name}" for found in pkgutil.iter_modules(package.__path__)}
    assert {inspect.getmodule(entry.function).__name__ for entry in registry} == files


def test_the_names_shown_before_loading_are_those_of_the_registry():
    """``--router`` lists routers without loading compiled loops."""
    assert list(names.router_names()) == ROUTERS.names()


@pytest.mark.parametrize("entry", list(COLLECTIVES), ids=COLLECTIVES.names())
@pytest.mark.parametrize("size", [2, 3, 8])
def test_a_collective_stays_inside_its_group_and_states_its_busiest_rank(entry, size):
    """Ranks are 0..n-1, nobody sends to oneself, and the closed form is what the busiest rank sends."""
    if size == 3 and entry.name in ("halving-doubling-reduce-scatter", "halving-doubling-all-gather"):
        pytest.skip("among a power of two of ranks only")
    traffic = entry({**entry.example, "group_size": size, "payload_bytes": 1e6})
    assert ((traffic.src >= 0) & (traffic.src < size) & (traffic.dst >= 0) & (traffic.dst < size)).all()
    assert (traffic.src != traffic.dst).all()
    assert (traffic.sent_bytes >= 0).all()
    assert traffic.sent_by(size).max() == pytest.approx(traffic.sent_bytes_per_rank)
    assert (
        traffic.sent_by(size).sum()
        == pytest.approx(traffic.total_bytes)
        == pytest.approx(traffic.received_by(size).sum())
    )


@pytest.mark.parametrize("entry", list(COLLECTIVES), ids=COLLECTIVES.names())
def test_a_collective_of_one_rank_sends_nothing(entry):
    """A group of one has nobody to talk to."""
    traffic = entry({**entry.example, "group_size": 1, "payload_bytes": 1e6})
    assert traffic.total_bytes == 0
    assert traffic.sent_bytes_per_rank == 0
