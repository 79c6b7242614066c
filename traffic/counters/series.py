"""Time series as Prometheus gives them: the answer of its query API, and what ``promtool query range`` prints.

References
----------
prometheus.io/docs/prometheus/latest/querying/api; prometheus/common, ``model/value.go`` (the text of a matrix).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from topologies.reading.fields import DeclaredFields
from topologies.reading.json_value import JsonValue, parse_json
from topologies.reading.text_input import Findings, read_text, shown

NAME = "__name__"
_HEAD = re.compile(
    r'^\s*(?P<name>[a-zA-Z_:][\w:]*)?\s*(?:\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s*=>\s*(?P<rest>.*)$'
)
_LABEL = re.compile(
    r'\s*(?:(?P<bare>[a-zA-Z_]\w*)|"(?P<quoted>(?:[^"\\]|\\.)*)")\s*(?:=\s*"(?P<value>(?:[^"\\]|\\.)*)")?\s*(?:,|$)'
)
_SAMPLE = re.compile(r"^\s*(?P<value>\S+) @\[(?P<time>[\d.]+)\]\s*$")
_RANGE = "ask for a range: /api/v1/query_range?query=...&start=...&end=...&step=15, or promtool query range"


@dataclass(frozen=True)
class Series:
    """One time series; time in s."""

    labels: Mapping[str, str]
    samples: list[tuple[float, float]]
    place: str  # in the file

    @property
    def name(self) -> str:
        """The metric's name; empty where the query left none."""
        return self.labels.get(NAME, "")


@dataclass
class Answer:
    """What a file holds."""

    series: list[Series] = field(default_factory=list)
    present: dict[str, int | None] = field(default_factory=dict)  # fields to be checked
    details: dict[str, list[str]] = field(default_factory=dict)  # what a field of them says
    not_numbers: int = 0


def is_series(text: str) -> bool:
    """Whether a text is JSON or of promtool, and no table."""
    start = text.lstrip()
    return start[:1] in ("{", "[") or bool(_HEAD.match(start.partition("\n")[0]))


def read_series(path: Path, fields: DeclaredFields) -> Answer:
    """The series of a file.

    Raises
    ------
    FormatError
        When it is an error or another kind of answer (FP6251), or of another shape (FP6250, FP6220).
    """
    text = read_text(path)
    start = text.lstrip()
    answer = Answer()
    if start.startswith("[") or (re.match(r'\{\s*("|\})', start) and not _HEAD.match(start.partition("\n")[0])):
        _of_json(parse_json(text, str(path)), answer)
    else:
        _of_text(Findings(path), text, answer)
    fields.check({name: at for name, at in answer.present.items() if fields.treatment(name) == "refused"}, str(path))
    return answer


def _of_json(document: JsonValue, answer: Answer) -> None:
    result = document
    if isinstance(document.value, Mapping):
        data = document
        if "data" in document.keys or "status" in document.keys:
            answer.present |= dict.fromkeys(key for key in document.keys if key not in ("data", "status"))
            for key in ("warnings", "infos"):
                answer.details[key] = [entry.text() for entry in document.get(key).each()]
                if not answer.details[key]:
                    answer.present.pop(key, None)
            status = document.get("status").text("success")
            if status != "success":
                why = ": ".join(document.get(key).text("") for key in ("errorType", "error"))
                raise document.get("status").wrong(
                    f"the query failed, {why.strip(': ') or status}", hint="ask again", code="FP6251"
                )
            data = document.need("data")
        answer.present |= dict.fromkeys(key for key in data.keys if key not in ("resultType", "result"))
        kind = data.get("resultType").text("matrix")
        if kind != "matrix":
            raise data.get("resultType").wrong(f"{kind} has no values over time", hint=_RANGE, code="FP6251")
        result = data.need("result")
    for entry in result.each():
        for key in entry.keys:
            if key == "histograms":
                raise entry.get(key).wrong(
                    "histograms are no counters", hint="query the counters of bytes", code="FP6251"
                )
            if key == "value":
                raise entry.get(key).wrong("value is of one moment (vector)", hint=_RANGE, code="FP6251")
            if key not in ("metric", "values"):
                answer.present.setdefault(key, None)
        labels = {key: value.text() for key, value in entry.get("metric").items()}
        samples = []
        for at in entry.need("values").each():
            if not isinstance(at.value, list) or len(at.value) != 2:
                raise at.wrong(f'a sample [time, "value"] is expected, not {shown(at.value)}')
            samples.append((_json_number(at, 0), _json_number(at, 1)))
        _take(answer, labels, samples, entry.path or "result")


def _json_number(at: JsonValue, index: int) -> float:
    value: Any = at.value[index]
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise at.wrong(f"a number is expected, not {shown(value)}") from None


def _take(answer: Answer, labels: dict[str, str], samples: list[tuple[float, float]], place: str) -> None:
    sound = [(time, value) for time, value in samples if math.isfinite(value) and math.isfinite(time)]
    answer.not_numbers += len(samples) - len(sound)
    answer.series.append(Series(labels, sound, place))


def _of_text(findings: Findings, text: str, answer: Answer) -> None:
    labels: dict[str, str] | None = None
    samples: list[tuple[float, float]] = []
    place = ""
    for line, written in enumerate(text.splitlines(), start=1):
        sample = _SAMPLE.match(written)
        if sample and labels is not None:
            try:
                samples.append((float(sample["time"]), float(sample["value"])))
            except ValueError:
                findings.add(f"{shown(sample['value'])} is not a number", code="FP6223", line=line, column=1)
            continue
        if not written.strip():
            continue
        if labels is not None:
            _take(answer, labels, samples, place)
        labels, samples, place = None, [], f"line {line}"
        head = _HEAD.match(written)
        if not head:
            hint = "promtool prints a metric, =>, and below it lines like 626617170 @[1795837867]"
            findings.add(f"not understood: {shown(written.strip())}", code="FP6223", line=line, column=1, hint=hint)
            continue
        if head["rest"]:
            findings.add("vector has a value of one moment", code="FP6251", line=line, column=1, hint=_RANGE)
            findings.finish()
        labels = _labels(head["labels"] or "")
        if head["name"]:
            labels[NAME] = head["name"]
    if labels is not None:
        _take(answer, labels, samples, place)
    findings.finish()


def _labels(text: str) -> dict[str, str]:
    """Labels between braces; a quoted word alone is the metric's name.

    >>> _labels('device="eth0", instance="h0:9100"')
    {'device': 'eth0', 'instance': 'h0:9100'}
    """
    labels: dict[str, str] = {}
    for part in _LABEL.finditer(text):
        name, value = part["bare"] or _unquoted(part["quoted"] or ""), part["value"]
        if value is None and name:
            labels[NAME] = name
        elif value is not None:
            labels[name] = _unquoted(value)
    return labels


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda mark: {"n": "\n", "t": "\t"}.get(mark[1], mark[1]), text)
