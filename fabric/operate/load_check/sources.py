"""Where counters come from: as the scenario says it, or a person who asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from fabric.operate.monitoring.names_file import GivenNames, read_names
from fabric.scenario.load import LoadedScenario

KINDS = ("prometheus", "csv", "perfquery")
WINDOW_S = 900.0


@dataclass(frozen=True)
class LoadSource:
    """Where counters come from: kind, and an address or files.

    Attributes
    ----------
    kind : str
        prometheus, csv or perfquery.
    place : str
        URL or file; of perfquery both files with a comma between them.
    """

    kind: str
    place: str
    profile: str = "snmp"
    window_s: float = WINDOW_S
    names: GivenNames = field(default_factory=GivenNames)

    @property
    def text(self) -> str:
        """As ``--measured`` takes it."""
        return f"{self.kind}:{self.place}"


def sources_of(loaded: LoadedScenario) -> tuple[LoadSource, ...]:
    """The sources of a scenario that counters come from, in its order; files beside the scenario.

    Raises
    ------
    FabricError
        When a file of names cannot be read.
    """
    base = loaded.directory
    found = []
    for spec in loaded.scenario.measured:
        if spec.kind in KINDS:
            place = spec.url or ",".join(str(base / part.strip()) for part in (spec.path or "").split(","))
            names = GivenNames() if spec.names is None else read_names(base / spec.names)
            found.append(LoadSource(spec.kind, place, spec.profile, spec.window, names))
    return tuple(found)


def source_of_text(
    text: str, *, profile: str | None = None, window_s: float | None = None, names: GivenNames | None = None
) -> LoadSource:
    """The source that ``csv:FILE``, ``prometheus:URL`` or ``perfquery:BEFORE,AFTER`` is.

    Raises
    ------
    ValueError
        Where it is none of them, or lacks what that kind needs.

    >>> source_of_text("csv:loads.csv").text
    'csv:loads.csv'
    """
    kind, colon, place = text.partition(":")
    if kind not in KINDS or not colon or not place:
        raise ValueError(f"{text}: write prometheus:URL, csv:FILE or perfquery:BEFORE,AFTER")
    if kind == "perfquery" and place.count(",") != 1:
        raise ValueError("perfquery: two outputs of perfquery -x, perfquery:BEFORE,AFTER")
    if kind == "perfquery" and window_s is None:
        raise ValueError("perfquery: --window says how long after BEFORE AFTER was read")
    return LoadSource(kind, place, profile or "snmp", WINDOW_S if window_s is None else window_s, names or GivenNames())
