"""Network fabrics of AI data centres: what is congested, why, and what it costs.

For notebooks and programs: ``fabric.load``, ``fabric.run`` and what they give. The names are looked up when they are
used, so that importing one room of the package loads no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.notebook import Answers, RoutedScenario, SweptFailures, expected, failure_sweep, load, run

__all__ = ["Answers", "RoutedScenario", "SweptFailures", "expected", "failure_sweep", "load", "run"]


def __getattr__(name: str) -> Any:
    """The public names, from the room that makes them."""
    if name not in __all__:
        raise AttributeError(f"module 'fabric' has no attribute {name!r}")
    from fabric import notebook

    return getattr(notebook, name)
