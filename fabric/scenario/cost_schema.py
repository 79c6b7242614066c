"""What a plan costs, in the scenario file: prices in place of the catalogue's, spares, and what carbon depends on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from topologies.catalogue import SECTIONS, Catalogue, CatalogueRow, catalogue_of
from topologies.errors import nearest_hint
from topologies.registry import Spec
from topologies.units import LengthM

SparedItem = Literal["switches", "nics", "optics", "cables"]
# Groups have no names: the languages of regular expressions that read a JSON Schema spell those in different ways.
_RULE = re.compile(r"^\s*(?:(\d+(?:\.\d+)?)\s*%|\d+(?:\s+per\s+model)?)\s*$")

# Ember, Global Electricity Review 2025: the world's electricity of 2024, 473 g of CO2 a kWh.
WORLD_GRID_KG = 0.473
WORLD_GRID_SOURCE = "the world's electricity of 2024, Ember, Global Electricity Review 2025"
# Uptime Institute, Global Data Center Survey 2024: the mean of what operators answered.
SURVEY_PUE = 1.56
SURVEY_PUE_SOURCE = "mean of the Uptime Institute's Global Data Center Survey 2024"
YEARS = 5.0
YEARS_SOURCE = "a usual time of depreciation"


def _rule(value: object) -> str:
    """``2%`` or ``1 per model``, written one way."""
    text = str(value)
    matched = _RULE.match(text)
    if isinstance(value, bool) or matched is None:
        raise ValueError(f"{value!r} is not a rule for spares; write a share such as 2%, or 1 per model")
    percent = matched[1]
    if percent is None:
        return f"{int(text.split()[0])} per model"
    if float(percent) > 1000:
        raise ValueError(f"{value!r} is more than ten spares for each part; write a share such as 2%")
    return f"{percent}%"


def spare_count(rule: str, count: int) -> int:
    """Spares that a rule asks for: of a share, rounded up for every model.

    >>> spare_count("2%", 101), spare_count("2%", 100), spare_count("1 per model", 300), spare_count("5%", 0)
    (3, 2, 1, 0)
    """
    if not count:
        return 0
    share, is_share, _ = rule.partition("%")
    return ceil(Fraction(share) / 100 * count) if is_share else int(rule.split()[0])


SpareRule = Annotated[
    str,
    BeforeValidator(_rule),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": _RULE.pattern},
            ],
            "examples": ["2%", "1 per model"],
        }
    ),
]


def priced(catalogue: Catalogue, prices: Mapping[str, float]) -> Catalogue:
    """A catalogue at the scenario's prices, which decide what links are made of, too."""
    for section in SECTIONS:
        rows: Mapping[str, CatalogueRow] = getattr(catalogue, section)
        changed = {name: row.model_copy(update={"usd": prices[name]}) for name, row in rows.items() if name in prices}
        catalogue = catalogue.with_rows(section, changed) if changed else catalogue
    return catalogue


class CostsSpec(Spec):
    """What the bill takes beside the catalogue: prices, spares, lengths, and what carbon depends on."""

    prices: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default={},
        description="Price of one of a model, US$, in place of the catalogue's",
        examples=[{"eth-64x400": 38000}],
    )
    spares: dict[SparedItem, SpareRule] = Field(
        default={},
        description="Spares by kind of part: a share, rounded up for every model, or so many per model; default: none",
        examples=[{"optics": "2%", "switches": "1 per model", "cables": "1%"}],
    )
    run_lengths: dict[str, LengthM] = Field(
        default={},
        description="Length of the cables of a tier, where neither the topology nor a floor plan gives one; default: "
        "2 m to hosts, 20 m between switches",
        examples=[{"host-leaf": "3 m", "leaf-spine": "30 m"}],
    )
    grid_kg_per_kwh: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Carbon of electricity, kg of CO2 equivalent a kWh; default: the world's mean",
        examples=[0.2],
    )
    pue: float | None = Field(
        default=None,
        ge=1,
        le=10,
        allow_inf_nan=False,
        description="Power of the building over that of the equipment; default: the mean of a survey",
        examples=[1.3],
    )
    years: float | None = Field(
        default=None,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="Years of operation that carbon is counted over; default: 5",
        examples=[4],
    )

    @field_validator("prices")
    @classmethod
    def _known_models(cls, prices: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        catalogue = catalogue_of(info.context)
        known = [name for section in SECTIONS for name in getattr(catalogue, section)]
        for model in prices:
            if model not in known:
                raise ValueError(f"no model is called {model!r}; {nearest_hint(model, known)}")
        return prices
