"""What several parts of the scenario's schema share: names, and the mark of what nothing computes with yet."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

# As json_schema_extra of a field that no command computes with yet; the second, of what matters only where traffic is
# routed and judged: commands that do not come so far say nothing of it.
LATER: dict[str, Any] = {"x-not-yet-modelled": True}
LATER_OF_ROUTES: dict[str, Any] = {"x-not-yet-modelled": True, "x-matters-to": "routes"}

_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"


def _check_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{name!r} is not a name; use up to 64 letters, digits, - and _")
    return name


Name = Annotated[str, AfterValidator(_check_name), Field(json_schema_extra={"pattern": _NAME})]
