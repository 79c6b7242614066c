"""Parameters the pipeline supplies are not keys of a scenario."""

from __future__ import annotations

import pytest

from traffic.workload import DEMAND_FORMATS

EVERY = pytest.mark.parametrize("entry", list(DEMAND_FORMATS), ids=DEMAND_FORMATS.names())


@EVERY
def test_the_example_of_a_demand_format_validates(entry):
    """``path`` is written by the user; the topology whose nodes are meant comes from the pipeline."""
    entry.model.model_validate({"kind": entry.name, **entry.example})
    assert entry.injected == {"topology"}


@EVERY
def test_an_injected_parameter_is_refused_as_a_key(entry):
    """As any unknown key."""
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        entry.model.model_validate({"kind": entry.name, **entry.example, "topology": "main"})
