"""What all tests share: long files first, no clock in random tests, and memory that stays is not searched again."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no fault of what is tested: what hypothesis measures by the clock does not count.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Begun first, so that no process is left alone with one of them at the end; doctests, the shortest files, come last.
LONG_FILES = (
    "tests/fuzz",
    "tests/docs",
    "tests/spread",
    "tests/real",
    "tests/routing/test_linked",
    "tests/hard_places",
    "tests/tui",
    "tests/contracts/test_screens",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where each file goes to one of several processes, files are handed out in this order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FILES))


def pytest_collection_finish() -> None:
    """Tests and the modules they are of live to the end: the collector leaves them out from here on."""
    gc.collect()
    gc.freeze()
