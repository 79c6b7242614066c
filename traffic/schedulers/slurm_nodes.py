"""Nodes as Slurm prints them: ``scontrol show nodes``, its JSON, tables of ``sinfo``, or bare lists of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from topologies.errors import FormatError
from topologies.reading.json_value import JsonValue, parse_json
from traffic.hostlist import expand_hosts
from traffic.schedulers.slurm_fields import ALSO, COLUMNS, FIELDS, JSON_KEYS, STATES, SUFFIXES

WAYS = "write it by: scontrol show nodes, or scontrol show nodes --json"
_KEY = re.compile(r"(?:^|\s)([A-Za-z_]+)=")
_LAST_KEYS = (
    "Comment|Extra|InstanceId|InstanceType|ReservationName|TLSCertTokenSet|TLSCertLastRenewal|Topology|Parameters"
)
# Values that are free text, and what may follow them on a line.
_FREE_TEXT = re.compile(
    rf"\b(?:OS=.*?(?=\s+RealMemory=|$)|(?:Reason|Comment|Extra)=.*?(?=\s+(?:{_LAST_KEYS})=|$))"
)  # fmt: skip
_GRES = re.compile(r"([A-Za-z_]\w*)((?::[^:,()]*)*)(\([^)]*\))?")
_COUNT = re.compile(r"(\d{1,9})([KMGTP]?)")
_SLICE = re.compile(r"\d+g\.\d+gb|^mig\b", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9][\w.\-\[\],]*")
_UNSET = ("", "N/A", "n/a", "(null)", "None", "none")
_ALWAYS = ("State", "CPUTot", "CPUEfctv", "CPUAlloc", "RealMemory", "MemSpecLimit", "AllocMem")  # for resources too
_BUSY = ("MIXED", "ALLOCATED", "COMPLETING")


@dataclass(frozen=True, eq=False)
class SlurmNode:
    """A node: what was printed of it, by the names that scontrol has for it."""

    line: int | None
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """NodeName."""
        return self.values["NodeName"]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Other names it has, the better one first."""
        return tuple(self.values[key] for key in ("NodeHostName", "NodeAddr") if self.said(key))

    def said(self, key: str) -> bool:
        """Whether a value is there and says something."""
        return self.values.get(key, "") not in _UNSET

    def names(self, key: str) -> tuple[str, ...]:
        """Names in a list with commas; sinfo marks the default partition by an asterisk."""
        return tuple(name.rstrip("*") for name in self.values.get(key, "").split(",") if name not in _UNSET)

    @cached_property
    def state(self) -> tuple[str, ...]:
        """Words of the state, whole, by one name each; suffixes as the flags they stand for."""
        return tuple(dict.fromkeys(_state_words(self.values.get("State", ""))))

    def unusable(self, reservation: str | None) -> str:
        """Why no new job of ours gets it, in words; empty where one does."""
        ours = reservation is not None and self.values.get("ReservationName") == reservation
        words = [word for word in self.state if not (ours and word in ("RESERVED", "MAINT"))]
        if any(word not in STATES for word in words):
            return self.shown
        return self.shown if any(STATES[word] for word in words) else ""

    @property
    def shown(self) -> str:
        """The state as it was printed."""
        return self.values.get("State", "") or "no state"

    # ---- GPUs ----

    @cached_property
    def _gpus(self) -> dict[str, list[_Gres]]:
        """GPUs by type: those it has, in use, and drained."""
        every = {key: _gres(self.values.get(key, "")) for key in ("Gres", "GresUsed", "GresDrain")}
        return {key: [one for one in some if one.name == "gpu"] for key, some in every.items()}

    @property
    def sliced(self) -> bool:
        """Whether what it calls GPUs are slices of them."""
        return any(_SLICE.search(one.type) for one in self._gpus["Gres"])

    @property
    def gpus(self) -> int | None:
        """GPUs it has; None where that is not said, or they are slices."""
        if self._gpus["Gres"]:
            return None if self.sliced else sum(one.count for one in self._gpus["Gres"])
        return _tres_gpus(self.values.get("CfgTRES", ""))

    @property
    def gpu_types(self) -> tuple[str, ...]:
        """Types of its GPUs, as Gres names them."""
        return tuple(dict.fromkeys(one.type for one in self._gpus["Gres"] if one.type))

    # ---- processors and memory ----

    @property
    def cpus_free(self) -> int | None:
        """CPUs that jobs leave of those for jobs, as Slurm counts them; None where that is not said."""
        has = self._amount("CPUEfctv") if self.said("CPUEfctv") else self._amount("CPUTot")
        used = self._amount("CPUAlloc")
        return None if has is None or used is None else max(has - used, 0)

    @property
    def memory_free_bytes(self) -> int | None:
        """Memory that jobs leave of that for jobs; None where that is not said. Slurm counts in units of 2**20."""
        has, used = self._amount("RealMemory"), self._amount("AllocMem")
        if has is None or used is None:
            return None
        return max(has - (self._amount("MemSpecLimit") or 0) - used, 0) * 2**20

    def _amount(self, key: str) -> int | None:
        text = self.values.get(key, "")
        return int(text) if re.fullmatch(r"\d{1,15}", text) else None

    # ---- GPUs in use ----

    @property
    def busy(self) -> frozenset[int]:
        """Numbers of the GPUs that are in use or drained, where they are printed."""
        held = self._gpus["GresUsed"] + self._gpus["GresDrain"]
        return frozenset(number for one in held for number in one.numbers)

    @property
    def used(self) -> int | None:
        """GPUs that are in use or drained; None where that is not said."""
        drained = sum(one.count for one in self._gpus["GresDrain"])
        if self.said("GresUsed"):
            return sum(one.count for one in self._gpus["GresUsed"]) + drained
        allocated = _tres_gpus(self.values.get("AllocTRES", ""))
        if allocated is None:
            counted = _tres_gpus(self.values.get("CfgTRES", "")) is not None
            allocated = 0 if counted or not any(word in _BUSY for word in self.state) else None
        return None if allocated is None else allocated + drained

    def shares(self) -> list[str]:
        """Kinds of shares of GPUs that jobs hold."""
        held = {one.name for one in _gres(self.values.get("GresUsed", "")) if one.count}
        held |= set(re.findall(r"gres/(shard|mps)=[1-9]", self.values.get("AllocTRES", "")))
        return [kind for kind in ("shard", "mps") if kind in held]


@dataclass(frozen=True)
class _Gres:
    name: str
    type: str
    count: int
    numbers: frozenset[int]


@dataclass
class SlurmFile:
    """Nodes of a file, and whether it tells their states."""

    nodes: list[SlurmNode]
    stated: bool
    fields: dict[str, None] = field(default_factory=dict)  # names it has

    def notes(self, extra: Iterable[str] = ()) -> tuple[str, ...]:
        """What is to be said of its fields: unknown ones, and those reported that ``extra`` finds to say something."""
        reported = FIELDS.names("reported")
        present = [name for name in self.fields if name not in reported and name != "State"]
        words = dict.fromkeys(f"State={word}" for node in self.nodes for word in node.state)
        return (*FIELDS.notes([*present, *words, *extra]), *self._types())

    def _types(self) -> list[str]:
        """That nodes have GPUs of several types."""
        mixed = {
            node.name: ", ".join(node.gpu_types) for node in self.nodes if len(node.gpu_types) > 1 and not node.sliced
        }
        if mixed:
            name, types = next(iter(mixed.items()))
            more = f" (and {len(mixed) - 1:,} more nodes)" if len(mixed) > 1 else ""
            return [f"GPUs of several types count together: {types} of {name}{more}"]
        return []


def read_slurm_nodes(text: str, path: str) -> SlurmFile:
    """The nodes of a file, by its form.

    Raises
    ------
    FormatError
        When it is none of the forms (FP6210), or its JSON is wrong (FP6250).
    """
    lines = text.splitlines()
    stripped = text.lstrip()
    if stripped.startswith(("{", "[")):
        return _of_json(parse_json(text, path, hint=WAYS))
    if any(re.match(r"\s*NodeName=", line) for line in lines):
        return _of_scontrol(lines, path)
    used = [(number, line) for number, line in enumerate(lines, start=1) if line.split("#", 1)[0].strip()]
    table = next(((at, line.split()) for at, (_, line) in enumerate(used[:3]) if _is_header(line.split())), None)
    if table is not None and len(table[1]) > 1:
        return _of_table(table[1], used[table[0] + 1 :], path)
    if table is not None:
        used = used[table[0] + 1 :]
    names = [(number, line.split("#", 1)[0].strip()) for number, line in used]
    if names and all(_HOST.fullmatch(name) for _, name in names):
        return SlurmFile([node for number, name in names for node in _named(name, number, path, {})], stated=False)
    raise FormatError(
        f"no node is in it: {_what(lines)}", file=path, line=used[0][0] if used else 1, hint=WAYS, code="FP6210"
    )


def _what(lines: list[str]) -> str:
    first = " ".join(lines[:3]).strip()
    if "NODELIST(REASON)" in first:
        return "this is squeue's table of jobs; squeue -h -j JOB -o %N prints the nodes of one"
    if "HOSTNAMES" in first or "NODELIST" in first:
        return "a table needs the columns NODELIST and STATE, and REASON last: sinfo -N"
    if "=" in first:
        return "there is no NodeName=... State=..."
    return "it is neither NodeName=... State=..., nor a table of sinfo, nor a list of names"


# ---- scontrol show nodes ----


def _of_scontrol(lines: list[str], path: str) -> SlurmFile:
    records: list[tuple[int, dict[str, str]]] = []
    free_text = False  # a Reason goes on over several lines
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            free_text = False
            continue
        starts = re.match(r"\s*NodeName=", line) is not None
        if free_text and not starts and not re.match(rf"\s*(?:{_LAST_KEYS})=", line):
            continue
        values = _values(line)
        if starts:
            records.append((number, values))
        elif records:
            for key, value in values.items():
                records[-1][1].setdefault(key, value)
        free_text = "Reason" in values or "Comment" in values
    nodes: list[SlurmNode] = []
    for number, values in records:
        if "[" in values["NodeName"] or "State" not in values:
            raise FormatError(
                f"NodeName={values['NodeName']} has no State or is a range: this is slurm.conf, not what is now",
                file=path,
                line=number,
                hint=WAYS,
                code="FP6210",
            )
        nodes.append(SlurmNode(number, values))
    lines_of: dict[str, int] = {}
    for number, values in records:
        first = lines_of.setdefault(values["NodeName"], number)
        if first != number:
            raise FormatError(
                f"node {values['NodeName']} is listed a second time; line {first} has it too", file=path, line=number,
                hint=WAYS, code="FP6210",
            )  # fmt: skip
    return SlurmFile(nodes, stated=True, fields=dict.fromkeys(key for _, values in records for key in values))


def _values(line: str) -> dict[str, str]:
    """Keys and values of a line; the first of a key counts."""
    values: dict[str, str] = {}

    def keep(found: re.Match[str]) -> str:
        key, _, value = found.group().partition("=")
        values.setdefault(key, value.strip())
        return " "

    rest = _FREE_TEXT.sub(keep, line)
    starts = list(_KEY.finditer(rest))
    ends = [*(start.start() for start in starts[1:]), len(rest)]
    for start, end in zip(starts, ends, strict=False):
        values.setdefault(start[1], rest[start.end() : end].strip())
    return values


# ---- JSON ----


def _of_json(document: JsonValue) -> SlurmFile:
    if not isinstance(document.value, dict):
        raise document.wrong("no nodes of Slurm", hint=WAYS, code="FP6210")
    if "nodes" not in document.keys:
        kinds = [key for key in ("sinfo", "jobs", "partitions", "reservations", "items") if key in document.keys]
        what = f"this has {kinds[0]!r}, not nodes" if kinds else "there is no 'nodes'"
        raise document.wrong(what, hint="write it by: scontrol show nodes --json", code="FP6210")
    listed = document.get("nodes")
    if isinstance(listed.value, dict):  # data_parser v0.0.39 has a list inside
        listed = listed.get("nodes")
    nodes, fields, paths = [], dict[str, None](), dict[str, str]()
    for entry in listed.each():
        values: dict[str, str] = {}
        for key, value in entry.items():
            name = JSON_KEYS.get(key, key)
            fields[name] = None
            treated = FIELDS.of(name)
            if name not in _ALWAYS and (treated is None or treated.treatment == "harmless"):
                continue
            text = _json_text(value, joined="+" if name == "State" else ",")
            values[name] = f"{values[name]}+{text}" if name == "State" and values.get(name) and text else (
                values.get(name) or text
            )  # fmt: skip
        name = entry.need("name").text()
        if name in paths:
            raise entry.wrong(f"node {name} is listed a second time; {paths[name]} is it too", hint=WAYS, code="FP6210")
        paths[name] = entry.path
        nodes.append(SlurmNode(None, values))
    return SlurmFile(nodes, stated=any("State" in node.values for node in nodes), fields=fields)


def _json_text(value: JsonValue, *, joined: str) -> str:
    if value.absent:
        return ""
    if isinstance(value.value, list):
        return joined.join(part.text() for part in value.each())
    if isinstance(value.value, dict):  # a number that may be unset
        return value.get("number").text("") if value.get("set").flag(True) else ""
    return value.text()


# ---- tables and lists ----


def _is_header(words: list[str]) -> bool:
    columns = [word.upper() for word in words]
    known = all(word in COLUMNS for word in columns)
    last = "REASON" not in columns or columns[-1] == "REASON"
    whole = "STATE" in " ".join(columns) or len(columns) == 1
    return known and last and whole and "NODELIST" in columns


def _of_table(header: list[str], rows: list[tuple[int, str]], path: str) -> SlurmFile:
    columns = [COLUMNS[word.upper()] for word in header]
    nodes: dict[str, SlurmNode] = {}
    for number, line in rows:
        cells = line.split(None, len(columns) - 1)
        if len(cells) < len(columns) - ("Reason" in columns):
            raise FormatError(
                f"{len(columns)} columns are expected, not {len(cells)}", file=path, line=number, hint=WAYS,
                code="FP6210",
            )  # fmt: skip
        values = dict(zip(columns, cells, strict=False))
        for node in _named(values["NodeName"], number, path, values):
            seen = nodes.setdefault(node.name, node)
            if seen is not node:  # sinfo lists a node once for every partition
                both = dict(seen.values)
                both["Partitions"] = f"{seen.values.get('Partitions', '')},{values.get('Partitions', '')}"
                nodes[node.name] = SlurmNode(seen.line, both)
    return SlurmFile(list(nodes.values()), stated=True, fields=dict.fromkeys(columns))


def _named(ranges: str, number: int, path: str, values: Mapping[str, str]) -> Iterator[SlurmNode]:
    try:
        names = expand_hosts(ranges)
    except ValueError as error:
        raise FormatError(
            str(error), file=path, line=number, hint="Slurm writes ranges like n[001-032,040]", code="FP6210"
        ) from None
    for name in names:
        yield SlurmNode(number, {**values, "NodeName": name})


# ---- parts of a value ----


def _state_words(state: str) -> Iterator[str]:
    for part in re.split(r"\+(?!$)", state.strip().upper()):
        word = part
        while word and word[-1] in SUFFIXES:
            yield SUFFIXES[word[-1]]
            word = word[:-1]
        if word:
            yield ALSO.get(word, word)


def _gres(text: str) -> Iterator[_Gres]:
    if text in _UNSET:
        return
    for found in _GRES.finditer(text):
        words = [word for word in found[2].split(":")[1:] if word not in ("", "no_consume")]
        count = _COUNT.fullmatch(words[-1]) if words else None
        many = int(count[1]) * 1024 ** " KMGTP".index(count[2] or " ") if count else 1  # Slurm shortens by 1024
        yield _Gres(found[1], ":".join(words[:-1] if count else words), many, _numbers(found[3] or ""))


def _numbers(text: str) -> frozenset[int]:
    """Numbers of ``(IDX:0-2,5)``."""
    inside = re.search(r"IDX:([\d,-]+)", text)
    numbers: set[int] = set()
    for piece in inside[1].split(",") if inside else ():
        first, _, last = piece.partition("-")
        if first.isdigit() and (not last or last.isdigit()) and int(last or first) < int(first) + 4096:
            numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def _tres_gpus(text: str) -> int | None:
    """GPUs of ``cpu=8,gres/gpu=6``; those of types where only they are counted; None where none are."""
    whole = re.search(r"(?:^|,)gres/gpu=(\d{1,9})", text)
    if whole:
        return int(whole[1])
    types = re.findall(r"(?:^|,)gres/gpu:[^=,]+=(\d{1,9})", text)
    return sum(int(count) for count in types) if types else None
