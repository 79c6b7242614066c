"""``workloads``: the keys of a workload's kind, which come from the registry, and those that every kind has."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field, PlainValidator, SerializeAsAny, ValidationInfo, WithJsonSchema, create_model

from fabric.scenario.field_types import Name
from fabric.scenario.registries import kind_of, registries_of
from topologies.registry import Spec
from topologies.units import TimeS


class SharingKeys(Spec):
    """Keys of every workload, whatever its kind: how it shares links with others."""

    weight: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Share of full links against other jobs, for fabric interference: twice the weight, twice the rate",
        examples=[2],
    )
    period: TimeS | None = Field(
        default=None,
        description="Measured time from one step to the next without other jobs, for fabric interference; default: the "
        "step time that is worked out",
        examples=["2 s"],
    )


class Workload(Spec):
    """One source of load: its name, the keys of its kind, and how it shares links with others."""

    id: str
    kind: str
    spec: SerializeAsAny[Spec]
    sharing: SharingKeys = SharingKeys()


@cache
def with_id(model: type[Spec]) -> type[Spec]:
    """A workload's model with the keys of every kind: the ``id`` that names it, and how it shares links with others."""
    described = Field(description="Name of the workload, unique", examples=["llama70b"])
    sharing: dict[str, Any] = {name: (field.annotation, field) for name, field in SharingKeys.model_fields.items()}
    return create_model(
        model.__name__, __base__=model, __doc__=model.__doc__, id=(Annotated[Name, described], ...), **sharing
    )


def _validate_workload(value: object, info: ValidationInfo) -> Workload:
    if isinstance(value, Workload):
        return value
    registry = registries_of(info).workloads
    kind = kind_of(value, registry.what, registry)
    entry = registry[kind]
    named: Any = with_id(entry.model).model_validate(value, context=info.context)
    fields = {name: getattr(named, name) for name in entry.model.model_fields}
    spec = entry.model.model_construct(_fields_set=named.model_fields_set & set(fields), **fields)
    given = {name: getattr(named, name) for name in SharingKeys.model_fields if name in named.model_fields_set}
    return Workload(id=named.id, kind=entry.name, spec=spec, sharing=SharingKeys.model_construct(set(given), **given))


WorkloadSpec = Annotated[Workload, PlainValidator(_validate_workload), WithJsonSchema({"x-one-of": "workloads"})]
