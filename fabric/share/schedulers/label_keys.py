"""Keys of node labels, by profile: which label says which level of a tree.

References
----------
NVIDIA topograph 1.1, reference "Node labels and annotations" (``topograph-1``), and 0.5 (``topograph-0``).
Kueue, "Topology Aware Scheduling", whose examples have the keys of ``kueue``.
Kubernetes, "Labels and Selectors": a key is a prefix (a DNS subdomain of 253 characters at most), ``/``, a name of 63.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from topologies.errors import FormatError, ScenarioError, nearest_hint
from topologies.reading.yaml_value import read_yaml_value

CUSTOM = "custom:"
OWN = "by-level"
PROFILES = (OWN, "topograph-1", "topograph-0", "kueue")
_PART = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_KEY = re.compile(rf"(?:(?P<prefix>{_PART}(?:\.{_PART})*)/)?(?P<name>[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)")
_FIELDS = ("{fabric}", "{level}", "{word}")


@dataclass(frozen=True)
class LabelKeys:
    """Keys of one profile.

    Attributes
    ----------
    levels : tuple of str
        Keys from the lowest level up; the last with ``{level}`` or ``{word}`` stands for all levels from there.
    domain : str or None
        Key of the scale-up domain.
    top : bool
        Whether a level of one group that holds all is labelled as well.
    """

    profile: str
    levels: tuple[str, ...]
    domain: str | None
    top: bool = True

    def keys(self, fabric: str, words: Sequence[str]) -> tuple[str, ...]:
        """Keys of the levels of a tree, lowest first.

        Parameters
        ----------
        words : sequence of str
            What groups of every level are called.

        Raises
        ------
        ScenarioError
            When the tree has more levels than the profile has keys (FP8071), or a key is none (FP8072).
        """
        open_ended = any(field in self.levels[-1] for field in ("{level}", "{word}"))
        if len(words) > len(self.levels) and not open_ended:
            raise ScenarioError(
                f"labels {self.profile} have keys for {len(self.levels)} levels, and the tree of {fabric} has "
                f"{len(words)}: {', '.join(words)}",
                hint=f"--labels topograph-1 and {OWN} take any depth; {CUSTOM}FILE takes keys of your own",
                code="FP8071",
            )
        forms = [self.levels[min(level, len(self.levels) - 1)] for level in range(len(words))]
        found = tuple(
            _filled(form, fabric, level, word) for level, (form, word) in enumerate(zip(forms, words, strict=True))
        )
        if len(set(found)) != len(found):
            raise ScenarioError(
                f"labels {self.profile} give two levels of {fabric} one key: {found[-1]}",
                hint="use {level} or {word} in the keys",
                code="FP8072",
            )
        return found

    def domain_key(self, fabric: str) -> str | None:
        """Key of the scale-up domain."""
        return None if self.domain is None else _filled(self.domain, fabric, 0, "domain")

    @property
    def by_fabric(self) -> bool:
        """Whether labels of two fabrics can stand beside each other."""
        return all("{fabric}" in key for key in self.levels)


_KNOWN = {
    OWN: LabelKeys(OWN, ("fabric-planner/{fabric}.{word}",), "fabric-planner/{fabric}.domain"),
    "topograph-1": LabelKeys("topograph-1", ("fabric.topograph.run/tier-{level}",), "accelerator.topograph.run/domain"),
    "topograph-0": LabelKeys(
        "topograph-0",
        tuple(f"network.topology.nvidia.com/{name}" for name in ("leaf", "spine", "core")),
        "network.topology.nvidia.com/accelerator",
    ),
    "kueue": LabelKeys(
        "kueue", ("cloud.provider.com/topology-rack", "cloud.provider.com/topology-block"), None, top=False
    ),
}


def label_keys(profile: str) -> LabelKeys:
    """Keys of a profile, or of ``custom:FILE``.

    Raises
    ------
    ScenarioError
        When there is no such profile (FP8072).
    FormatError
        When a file of keys is not one (FP8072), with its line.
    """
    if profile.startswith(CUSTOM):
        return _read(Path(profile.removeprefix(CUSTOM)))
    if profile not in _KNOWN:
        raise ScenarioError(
            f"--labels {profile!r} is not a profile of labels",
            hint=nearest_hint(profile, [*PROFILES, f"{CUSTOM}FILE"]),
            code="FP8072",
        )
    return _KNOWN[profile]


def _read(path: Path) -> LabelKeys:
    """Keys of a file: ``levels: [KEY, ...]`` from the lowest up, and ``domain: KEY`` where there is one."""
    document = read_yaml_value(path, syntax_code="FP8072")
    for key in document.keys:
        if key not in ("levels", "domain"):
            raise document.get(key).wrong(
                "is not a key of label keys", hint=nearest_hint(key, ["levels", "domain"]), code="FP8072"
            )
    levels = [entry.text() for entry in document.need("levels").each()]
    if not levels:
        raise document.get("levels").wrong("no key is given", hint="levels: [example.com/leaf]", code="FP8072")
    domain = None if document.get("domain").absent else document.get("domain").text()
    for key in [*levels, *([] if domain is None else [domain])]:
        try:
            _filled(key, "f", 0, "leaf")
        except ScenarioError as error:
            raise FormatError(
                error.problems[0].message, file=str(path), hint=error.problems[0].hint, code="FP8072"
            ) from None
    return LabelKeys(f"{CUSTOM}{path}", tuple(levels), domain)


def _filled(form: str, fabric: str, level: int, word: str) -> str:
    """A key with its fields filled in, checked."""
    key = form
    for field, value in zip(_FIELDS, (fabric, str(level), word), strict=True):
        key = key.replace(field, re.sub(r"[^A-Za-z0-9._-]", "-", value))
    match = _KEY.fullmatch(key)
    if match is None or len(match["name"]) > 63 or len(match["prefix"] or "") > 253:
        raise ScenarioError(
            f"{key!r} is not a key of a label",
            hint="a key is PREFIX/NAME or NAME: a DNS name, and at most 63 letters, digits, dots, dashes or _; "
            "{fabric}, {level} and {word} stand for the fabric's name, the number and the word of a level",
            code="FP8072",
        )
    return key
