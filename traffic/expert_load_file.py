"""How many tokens each expert got: a histogram read from a file, for all layers with experts or for each.

CSV has the columns ``expert,tokens`` or ``layer,expert,tokens``; ``share`` in place of ``tokens`` is a part of the
visits. JSON is a list of numbers, or a list of such lists, layer by layer; in a mapping under ``tokens`` or ``share``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import Field as Key

from topologies.columns import Floats, column
from topologies.reading.csv_input import CsvInput
from topologies.reading.fields import MODELLED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, read_json
from topologies.reading.text_input import Findings, number, shown
from topologies.registry import Spec
from topologies.units import Count
from traffic.expert_load import ExpertLoad
from traffic.transformer.shape import Experts, ModelShape

FIELDS = DeclaredFields(
    "model",
    "expert load",
    "docs/traffic.md",
    [
        Field("expert", MODELLED, "number of an expert, from 0, in the order in which experts lie over the ranks"),
        Field("layer", MODELLED, "number of a layer of the model, from 0; without it all layers are alike"),
        Field("tokens", MODELLED, "tokens that the expert got; a token counts once for each expert it visits"),
        Field("share", MODELLED, "part of all visits that went to the expert; those of a layer add up to 1"),
    ],
    unknown="refused",
)
_CODE = "FP6247"
_ROUNDED = 1e-4  # what printed shares may miss of 1
_EXPERTS = "experts are numbered from 0, a row for each; 0 tokens for one that got none"


class ExpertLoadFile(Spec):
    """Tokens that each expert got, counted in a run."""

    path: str = Key(description="CSV expert,tokens or layer,expert,tokens (or share), or JSON lists")
    tokens: Count | None = Key(
        default=None, description="Tokens that were counted: the counts of a layer then add up to top_k times as many"
    )


def read_expert_load(spec: ExpertLoadFile, directory: Path, shape: ModelShape, experts: Experts) -> ExpertLoad:
    """The histogram of a file, which must be one of this model.

    Raises
    ------
    FormatError
        With file and line: other experts or layers than the model's, counts or shares that do not add up, or an expert
        with more visits than there were tokens (FP6247); a header that is not understood (FP6220).
    """
    path = directory / spec.path
    findings = Findings(path)
    layers = [layer for layer in range(shape.layers) if shape.has_experts(layer)]
    from_json = path.suffix.lower() == ".json"
    kind, rows = (
        _json_rows(path, layers, experts, findings) if from_json else _csv_rows(path, layers, experts, findings)
    )
    findings.finish()
    for layer, row in rows.items():
        _check_row(findings, layer, row, kind, experts, spec.tokens)
    if kind == "tokens" and len({float(row.sum()) for row in rows.values()}) > 1:
        (one, few), (other, many) = ((at, rows[at].sum()) for at in _extremes(rows))
        findings.add(
            f"layer {one} has {few:,.0f} visits and layer {other} {many:,.0f}; every layer sees the same tokens",
            code=_CODE, hint="count all layers over the same tokens, or write share in place of tokens",
        )  # fmt: skip
    findings.finish()
    visited = np.array([rows[layer] for layer in (layers if None not in rows else [None])], dtype=np.float64)
    visited *= experts.top_k / visited.sum(axis=1, keepdims=True)
    return ExpertLoad(column(visited, np.float64), tuple(layers), experts.top_k)


def _extremes(rows: Mapping[int | None, Floats]) -> tuple[int | None, int | None]:
    order = sorted(rows, key=lambda layer: float(rows[layer].sum()))
    return order[0], order[-1]


def _check_row(
    findings: Findings, layer: int | None, row: Floats, kind: str, experts: Experts, tokens: int | None
) -> None:
    """A layer's histogram adds up, and no expert has more visits than there were tokens."""
    where, total, k = "" if layer is None else f"layer {layer}: ", float(row.sum()), experts.top_k
    if total <= 0:
        findings.add(f"{where}no expert got a token", code=_CODE, hint="leave expert_load out: all get as many")
        return
    if kind == "share" and abs(total - 1) > _ROUNDED:
        hint = "shares add up to 1, or 100 %; write tokens: counts need not"
        findings.add(f"{where}the shares add up to {total:.6g}, not to 1", code=_CODE, hint=hint)
    if kind == "tokens" and tokens is not None and abs(total - k * tokens) > 0.5:
        message = f"{where}{total:,.0f} visits are not top_k {k} x {tokens:,} tokens = {k * tokens:,}"
        findings.add(message, code=_CODE, hint="correct expert_load.tokens, or leave it out; or count without drops")
    elif kind == "tokens" and total == int(total) and total % k:
        message = f"{where}{total:,.0f} visits are not a multiple of top_k {k}: not every token visited {k} experts"
        findings.add(message, code=_CODE, hint="count before tokens are dropped, or write share in place of tokens")
    most = int(row.argmax())
    if row[most] > total / k * (1 + 1e-9):
        findings.add(
            f"{where}expert {most} has {row[most]:,.6g} of {total:,.6g} visits; a token visits it once, so that "
            f"1/{k} of them is the most",
            code=_CODE, hint=f"is top_k {k} the one of this run?",
        )  # fmt: skip


# ---- files -----------------------------------------------------------------------------------------------------------

_Rows = dict[int | None, Floats]


def _csv_rows(path: Path, layers: list[int], experts: Experts, findings: Findings) -> tuple[str, _Rows]:
    table = CsvInput(findings, path)
    kind = "share" if "share" in table.header else "tokens"
    table.need(("expert", kind), ("layer",))
    by_layer = "layer" in table.header
    rows: _Rows = {}
    for line, cells in table.rows():
        row = dict(zip(table.header, cells, strict=True))
        layer = _whole(row["layer"]) if by_layer else None
        expert = _whole(row["expert"])
        if by_layer and layer not in layers:
            findings.add(f"{shown(row['layer'])} is not a layer with experts", code=_CODE, line=line,
                         column=table.column(line, "layer"), hint=_layers(layers))  # fmt: skip
        elif expert is None or expert >= experts.count:
            message = f"{shown(row['expert'])} is not an expert of the model, which has {experts.count}"
            at = table.column(line, "expert")
            findings.add(message, code=_CODE, line=line, column=at, hint=_EXPERTS)
        else:
            own = rows.setdefault(layer, column_of_nothing(experts.count))
            amount = _amount(row[kind], kind)
            if amount is None:
                hint = "tokens are 0 or more" if kind == "tokens" else "0.0039 or 0.39%"
                findings.add(f"{shown(row[kind])} is not a number of {kind}", code=_CODE, line=line,
                             column=table.column(line, kind), hint=hint)  # fmt: skip
            elif not np.isnan(own[expert]):
                findings.add(f"expert {expert} appears twice", code=_CODE, line=line, column=1, hint=_EXPERTS)
            else:
                own[expert] = amount
    if not findings:
        _complete(rows, layers, experts, findings, by_layer=by_layer)
    return kind, rows


def column_of_nothing(count: int) -> Floats:
    """Amounts that are yet to be read."""
    return np.full(count, np.nan)


def _complete(rows: _Rows, layers: list[int], experts: Experts, findings: Findings, *, by_layer: bool) -> None:
    """Every layer is there, with every expert."""
    if not rows:
        findings.add("the file has no rows", code=_CODE, line=1, hint=_EXPERTS)
    missing = [layer for layer in layers if layer not in rows] if by_layer and rows else []
    if missing:
        message = (
            f"{len(missing):,} of {len(layers):,} layers with experts are missing, the first is layer {missing[0]}"
        )
        findings.add(message, code=_CODE, hint=f"{_layers(layers)}; without the column layer all are alike")
    for layer, row in rows.items():
        absent = np.flatnonzero(np.isnan(row))
        if len(absent):
            of = "" if layer is None else f"layer {layer}: "
            message = f"{of}{len(absent):,} of {experts.count:,} experts are missing, the first is {int(absent[0])}"
            findings.add(message, code=_CODE, hint=_EXPERTS)


def _json_rows(path: Path, layers: list[int], experts: Experts, findings: Findings) -> tuple[str, _Rows]:
    value = read_json(path)
    kind = "tokens"
    if isinstance(value.value, dict):
        FIELDS.check(value.keys, str(path))
        if not value.get("tokens").absent and not value.get("share").absent:
            raise value.wrong("tokens and share are both given", code=_CODE, hint="one of them")
        kind = "share" if value.get("tokens").absent else "tokens"
        value = value.need(kind)
    each = list(value.each())
    if not each or not isinstance(each[0].value, list):
        return kind, {None: _json_row(each, value, experts, kind)}
    if len(each) != len(layers):
        raise value.wrong(
            f"{len(each):,} lists for {len(layers):,} layers with experts", code=_CODE,
            hint=f"one list for each of them, in order, or a single list for all; {_layers(layers)}",
        )  # fmt: skip
    return kind, {
        layer: _json_row(list(row.each()), row, experts, kind) for layer, row in zip(layers, each, strict=True)
    }


def _json_row(each: list[JsonValue], whole: JsonValue, experts: Experts, kind: str) -> Floats:
    if len(each) != experts.count:
        raise whole.wrong(f"{len(each):,} numbers for {experts.count:,} experts", code=_CODE, hint=_EXPERTS)
    amounts = [_amount(one.value, "share") if isinstance(one.value, str) and kind == "share" else one.number(least=0.0)
               for one in each]  # fmt: skip
    bad = next((at for at, amount in enumerate(amounts) if amount is None), None)
    if bad is not None:
        raise each[bad].wrong(f"{shown(each[bad].value)} is not a share", code=_CODE, hint="0.0039 or 0.39%")
    return np.array(amounts, dtype=np.float64)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _amount(text: str, kind: str) -> float | None:
    """A count, or a share, which may be a percentage; None for anything else."""
    percentage = kind == "share" and text.endswith("%")
    value = number(text.removesuffix("%").strip() if percentage else text)
    if value is None or value < 0:
        return None
    return value / 100 if percentage else value


def _layers(layers: list[int]) -> str:
    if layers == list(range(layers[0], layers[-1] + 1)):
        return f"layers with experts are {layers[0]} to {layers[-1]}, counted from 0"
    return f"layers with experts are {', '.join(map(str, layers[:8]))}{', ...' if len(layers) > 8 else ''}, from 0"
