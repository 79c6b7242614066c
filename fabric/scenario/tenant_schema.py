"""Tenants in the scenario file: who shares the fabrics, and what may be reached by several."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from fabric.scenario.field_types import Name
from topologies.registry import Spec

EVERYBODY = "all"
RESERVED = (EVERYBODY, "unassigned")  # every other tenant, and hosts of none


def _as_list(value: object) -> object:
    """One selector, or a list of at least one."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("the list is empty; name at least one, or leave the key out")
    return [value] if isinstance(value, str) else value


_SELECTORS: Any = BeforeValidator(_as_list)


class TenantSpec(Spec):
    """Hosts that meet each other and, but for what is shared by design, no other hosts."""

    name: Name = Field(description="Name of the tenant, unique", examples=["hospital"])
    members: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], _SELECTORS] = Field(
        description="Hosts of the tenant: node groups, names of hosts, or ranges of them; one selector or a list",
        examples=[["gpu-a", "n[000-127]"]],
    )
    shared_with: Annotated[tuple[Name, ...], _SELECTORS] = Field(
        default=(),
        description="Tenants that may meet this one by design, such as those of a storage service; they still do not "
        "meet each other; all: every other tenant, hosts of none left out",
        examples=[["hospital", "bank"]],
    )
    key: Annotated[int, Field(ge=1, le=0x7FFE)] | None = Field(
        default=None,
        description="Partition key of InfiniBand, 15 bits; default: the place of the tenant in the list, from 1",
        examples=[257],
    )

    @field_validator("name")
    @classmethod
    def _of_its_own(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"{name!r} is the name of other hosts; call the tenant something else")
        return name
