"""Shapes from the ``config.json`` of a Hugging Face repository; absent keys default as in ``transformers``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from topologies.errors import TrafficError
from topologies.reading.json_value import JsonValue, read_json
from traffic.transformer.hf.config import Config
from traffic.transformer.hf.decoder import shape_of
from traffic.transformer.hf.defaults import DEFAULTS
from traffic.transformer.hf.families import (
    FAMILIES,
    NOT_COUNTED,
    WRAPPERS,
    Family,
    decoder_family,
    known_families,
)
from traffic.transformer.hf.fields import FIELDS, IDLE, NESTED, TEXT_PARTS, is_neutral
from traffic.transformer.shape import ModelShape


@dataclass(frozen=True)
class HfModel:
    """What a ``config.json`` says."""

    shape: ModelShape
    recognised: dict[str, str]  # keys that were used, and their values
    notes: tuple[str, ...]  # what it says beyond the answer


def read_hf_config(path: Path) -> HfModel:
    """Read the shape from a Hugging Face ``config.json``.

    A model with pictures or sound is read as its decoder, from ``text_config`` or the like.

    Raises
    ------
    TrafficError
        When the file is missing (FP4034), its ``model_type`` is not known or not counted (FP4030), keys are missing
        (FP4031; all of them are listed), or a part is not counted (FP4032).
    FormatError
        When the file is not a JSON object, or a value has another type than its key needs (FP6250), or a key says what
        is not counted (FP6251).

    References
    ----------
    ``transformers``, the ``configuration_*.py`` of each family; huggingface.co/docs/transformers.
    """
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise TrafficError(
            f"cannot read {path}: {error.strerror}",
            where="model.path",
            hint="paths are relative to the scenario",
            code="FP4034",
        ) from error
    value = read_json(path)
    outer: list[JsonValue] = []
    name, inner = _decoder(value, "", outer)
    family = _family(name, path)
    config = Config(inner, decoder_family(name), DEFAULTS.get(decoder_family(name), {}), family.names)
    if outer and inner.get("tie_word_embeddings").absent:
        _inherit(outer, inner, config)
    shape = shape_of(config, family)
    notes = [note for part in outer for note in FIELDS.check(_said(part, path, set()), str(path))]
    notes += FIELDS.check(_said(inner, path, {*config.used, *family.idle}), str(path))
    notes += _unread(inner, config, family)
    notes += config.remarks
    notes += _defaults(config, path)
    return HfModel(shape, {"model_type": name, **config.used}, tuple(dict.fromkeys(notes)))


def _decoder(value: JsonValue, otherwise: str, outer: list[JsonValue]) -> tuple[str, JsonValue]:
    """Family and mapping of the decoder; the mappings around it go to ``outer``."""
    said = value.get("model_type")
    name = said.text(otherwise)
    part = next((part for part in TEXT_PARTS if not value.get(part).absent), None)
    if part is None:
        return name, value
    outer.append(value)
    return _decoder(value.get(part), WRAPPERS.get(name, ""), outer)


def _inherit(outer: list[JsonValue], inner: JsonValue, config: Config) -> None:
    """A wrapper may say whether the decoder's embedding is tied."""
    for part in outer:
        tied = part.get("tie_word_embeddings")
        if not tied.absent:
            config.inherit("tie_word_embeddings", tied.flag())


def _family(name: str, path: Path) -> Family:
    known = FAMILIES.get(decoder_family(name))
    if known is not None:
        return known
    keys = (
        "write the model's keys in the scenario: layers, hidden, ffn_hidden, heads, kv_heads, vocab, "
        "and experts, mixers, recurrent or extra where it has them"
    )
    if not name:
        raise TrafficError(
            f"{path.name} has no model_type",
            where="model.path",
            hint="take the config.json as published with the weights, or " + keys,
            code="FP4030",
        )
    if name in NOT_COUNTED:
        raise TrafficError(
            f"{path.name} is of the family {name!r}, which is not counted: it has {NOT_COUNTED[name]}",
            where="model.path",
            hint=keys,
            code="FP4030",
        )
    raise TrafficError(
        f"unknown model family {name!r} in {path.name}",
        where="model.path",
        hint=f"{keys}; known families: {', '.join(known_families())}",
        code="FP4030",
    )


def _keys(value: JsonValue) -> Iterator[str]:
    for key in value.keys:
        if key in NESTED and isinstance(value.get(key).value, dict):
            yield from (f"{key}.{inner}" for inner in value.get(key).keys)
        else:
            yield key


def _at(value: JsonValue, key: str) -> JsonValue:
    part, _, inner = key.partition(".")
    return value.get(part).get(inner) if inner and part in NESTED else value.get(key)


def _said(value: JsonValue, path: Path, read: set[str]) -> list[str]:
    """Keys that say something, but for those that were read or are modelled."""
    return [
        key
        for key in _keys(value)
        if key not in read and FIELDS.treatment(key) != "modelled" and not _says_nothing(key, _at(value, key).value)
    ]


def _says_nothing(key: str, value: object) -> bool:
    """Null is absent; what is off or empty says nothing, but a key that is not known is named whatever it says."""
    return value is None or (key in FIELDS and is_neutral(value))


def _unread(inner: JsonValue, config: Config, family: Family) -> list[str]:
    """Modelled keys that this family does not have, with something in them."""
    left = [
        key
        for key in _keys(inner)
        if FIELDS.treatment(key) == "modelled"
        and key not in config.used
        and key not in IDLE
        and key not in family.idle
        and key not in config.unread
        and key not in ("model_type", *TEXT_PARTS)
        and not is_neutral(_at(inner, key).value)
    ]
    return [f"{', '.join(left)}: not read in the family {config.family}, and left out"] if left else []


def _defaults(config: Config, path: Path) -> list[str]:
    if not config.defaulted:
        return []
    listed = ", ".join(f"{key} {str(value).lower()}" for key, value in config.defaulted.items())
    return [f"absent from {path.name}, so transformers' defaults of {config.family} hold: {listed}"]
