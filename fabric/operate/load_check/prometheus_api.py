"""Counters out of Prometheus' HTTP API: raw readings of one window, as they were scraped."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

import numpy as np

from fabric.operate.load_check.port_readings import PortReadings
from fabric.operate.monitoring.link_labels import PortEnd
from fabric.operate.monitoring.profiles import Profile
from topologies.errors import FormatError
from topologies.reading.json_value import JsonValue, parse_json
from topologies.units import format_seconds

TIMEOUT_S = 20.0


def read_prometheus(url: str, profile: Profile, window_s: float) -> PortReadings:
    """Readings of the last ``window_s`` seconds.

    Raises
    ------
    FormatError
        Nobody answers in time (FP9861), or it answers with an error or with something else (FP9862).
    """
    readings, timeout_s = PortReadings(url), TIMEOUT_S
    window = f"[{max(round(window_s), 1)}s]"
    for side, counter in (("sent", profile.sent), ("received", profile.received)):
        for labels, samples in _series(url, f"{counter}{window}", "matrix", timeout_s):
            port = _port(labels, profile)
            if port is not None:
                readings.samples[port, side] = samples
    for labels, samples in _series(url, profile.up, "vector", timeout_s):
        port = _port(labels, profile)
        if port is not None and samples[-1, 1] == 0:
            readings.down.add(port)
    return readings


def _port(labels: Mapping[str, str], profile: Profile) -> PortEnd | None:
    """The port that a series is of."""
    name = next((labels[key] for key in reversed(profile.ports) if labels.get(key)), None)
    instance = labels.get(profile.instance)
    if profile.instance == "source" and instance is not None:
        instance = instance.rpartition(":")[0] or instance
    return None if name is None or instance is None else PortEnd(instance, name)


def _series(url: str, query: str, kind: str, timeout_s: float) -> list[tuple[dict[str, str], np.ndarray]]:
    """Labels and readings of all series of a query."""
    answer = _ask(url, query, timeout_s)
    if answer.get("status").text("") != "success":
        raise FormatError(
            f"{query}: {answer.get('error').text('no success')}", file=url, code="FP9862",
            hint="the error is that of Prometheus",
        )  # fmt: skip
    data = answer.need("data")
    if data.get("resultType").text("") != kind:
        raise data.get("resultType").wrong(f"a {kind} was asked for", code="FP9862")
    found = []
    for entry in data.need("result").each():
        labels = {key: value.text() for key, value in entry.get("metric").items()}
        values = entry.get("values").value if kind == "matrix" else [entry.need("value").value]
        try:
            samples = np.array(values, dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError):
            raise entry.wrong('samples [time, "value"] are expected', code="FP9862") from None
        samples = samples[np.isfinite(samples).all(axis=1)]
        if len(samples):
            found.append((labels, samples))
    return found


def _ask(url: str, query: str, timeout_s: float) -> JsonValue:
    address = f"{url.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    if not address.startswith(("http://", "https://")):
        raise FormatError(
            f"{url} is no address of a Prometheus", file=url, code="FP9861", hint="for example http://localhost:9090"
        )
    try:
        with urllib.request.urlopen(address, timeout=timeout_s) as answer:
            text = answer.read().decode("utf-8", errors="replace")
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", errors="replace")
        if not text.lstrip().startswith("{"):
            raise FormatError(
                f"it answers {error.code} {error.reason}", file=url, code="FP9862", hint="is it a Prometheus?"
            ) from None
    except TimeoutError:
        raise _silent(url, f"it has not answered within {format_seconds(timeout_s)}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _silent(url, f"it has not answered within {format_seconds(timeout_s)}") from None
        raise _silent(url, f"nobody answers: {reason}") from None
    return parse_json(text, url, code="FP9862", hint="is it a Prometheus?")


def _silent(url: str, words: str) -> FormatError:
    return FormatError(words, file=url, code="FP9861", hint="address and port of Prometheus; a shorter --window?")
