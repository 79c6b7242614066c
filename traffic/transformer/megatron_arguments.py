"""Arguments of a Megatron-LM run as they are given: names, values, and what is not known about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from topologies.errors import FormatError, Problem, TrafficError
from topologies.reading.fields import HARMLESS, REFUSED, REPORTED
from traffic.launch.run import LaunchedRun, find_run
from traffic.launch.text import MAX_CHARACTERS, Argument
from traffic.transformer.megatron_fields import FIELDS, IDLE

_MOST = 2**40  # of any whole number of a run
_NAMED = 6


@dataclass(frozen=True)
class Given:
    """One argument with its values."""

    name: str
    values: tuple[str, ...]
    line: int
    assumed: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    @property
    def value(self) -> str:
        """Its value where it has one."""
        return self.values[0] if self.values else ""

    @property
    def idle(self) -> bool:
        """Whether it says what holds without it."""
        return self.value in IDLE.get(self.name, ())


class Arguments:
    """All arguments of a run, by name; problems are collected and raised together."""

    def __init__(self, given: Mapping[str, Given], where: str) -> None:
        self.given, self.where = given, where
        self.problems: list[str] = []

    def has(self, *names: str) -> bool:
        """Whether one of the flags is given."""
        return any(name in self.given for name in names)

    def text(self, name: str, default: str = "") -> str:
        """The value of an argument."""
        if name not in self.given:
            return default
        if not self.given[name].values:
            self.problems.append(f"{name} has no value")
        return self.given[name].value

    def optional(self, name: str, *, least: int = 1) -> int | None:
        """A whole number, or None where the argument is not given."""
        if name not in self.given:
            return None
        value = self.text(name)
        if not re.fullmatch(r"\d{1,13}", value) or not least <= int(value) <= _MOST:
            if value or self.given[name].values:
                self.problems.append(f"{name} is {value[:60]!r}, no whole number from {least}")
            return least
        return int(value)

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number from 1; ``default`` None means that it is needed."""
        value = self.optional(name)
        if value is None and default is None:
            self.problems.append(f"{name} is missing")
        return value or default or 1

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of several words."""
        value = self.text(name, default)
        if value not in choices:
            self.problems.append(f"{name} is {value[:60]!r}, which is none of {', '.join(choices)}")
            return default
        return value

    def check(self, hint: str = "") -> None:
        """Raise what was collected.

        Raises
        ------
        TrafficError
            With every problem (FP4036).
        """
        if self.problems:
            raise TrafficError(
                "; ".join(dict.fromkeys(self.problems)),
                where=self.where,
                hint=hint or "take the script as it starts the run; further arguments go into model.args",
                code="FP4036",
            )


def read_arguments(
    args: str | None,
    path: str | None,
    directory: Path,
    *,
    variables: Mapping[str, str],
    ignore: Iterable[str],
) -> tuple[Arguments, LaunchedRun, list[str]]:
    """Read a script or a list of arguments, or both; what ``args`` says goes before what the file says.

    Returns
    -------
    tuple
        The arguments, the run as its script has it, and what is to be said.

    Raises
    ------
    TrafficError
        Neither given (FP4035), a file that cannot be read (FP4034), a script that does not parse (FP4035), or an
        argument whose value is not known (FP4037).
    FormatError
        Arguments that are refused (FP6251).
    """
    if args is None and path is None:
        raise TrafficError(
            "a Megatron-LM run is described by args, or by path, or by both",
            where="model",
            hint='args: "--num-layers 80 --hidden-size 8192 ...", or path: run.sh',
            code="FP4035",
        )
    run = LaunchedRun((), None, None, ())
    words: list[Argument] = []
    if path is not None:
        file = directory / path
        run = find_run(_read(file), file.parent, _matters, variables, where="model.path")
        words += run.words
    where = "model.path" if path is not None else "model.args"
    if args is not None:
        further = find_run(args, directory, _matters, variables, where="model.args")
        words += further.words
        run = run if path is not None else further
    given, stray = _given(words)
    dropped = {name if name.startswith("--") else f"--{name}" for name in ignore}
    used = dropped & set(given)
    given = {name: found for name, found in given.items() if name not in dropped}
    file_name = path or "model.args"
    _refuse(given, file_name)
    _check_known(given, where)
    notes = [*run.notes, *_said(given, file_name, stray)]
    if used:
        notes.append(f"{', '.join(sorted(used))}: left out, as model.ignore says")
    if dropped - used:
        notes.append(f"model.ignore names {', '.join(sorted(dropped - used))}, which the run does not have")
    return Arguments(given, where), run, notes


def _matters(name: str) -> bool:
    return FIELDS.of(name) is not None and FIELDS.treatment(name) != HARMLESS


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_CHARACTERS or not path.is_file():
            raise OSError(0, f"it is no file of at most {MAX_CHARACTERS:,} characters")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TrafficError(
            f"cannot read {path}: {reason}",
            where="model.path",
            hint="paths are relative to the scenario",
            code="FP4034",
        ) from error


def _given(words: Sequence[Argument]) -> tuple[dict[str, Given], list[Argument]]:
    """Arguments with the words that follow each, the last of a name; and words that belong to none."""
    given: dict[str, Given] = {}
    stray: list[Argument] = []
    groups: list[list[Argument]] = []
    for word in words:
        if word.text.startswith("--") and not (word.text == "--" and word.unknown):
            groups.append([word])
        elif groups:
            groups[-1].append(word)
        else:
            stray.append(word)
    for name, *values in groups:
        found, left = _finished(name, values)
        stray += left
        if not (found.unknown and FIELDS.treatment(found.name) == HARMLESS):
            given[found.name] = found
    return given, stray


def _finished(name: Argument, values: list[Argument]) -> tuple[Given, list[Argument]]:
    """An argument with its values, and the words behind it that are not its own."""
    bare, equals, value = name.text.partition("=")
    room = 0 if equals or bare in _FLAGS else 1
    if bare in _SEVERAL or FIELDS.treatment(bare) == HARMLESS or bare not in FIELDS:
        room = len(values)
    own = [word for word in values[:room] if word.text or not word.unknown or word is values[0]]
    left = [word for word in values if word not in own or any(text.startswith(("$@", "$*")) for text in word.unknown)]
    texts = [value] if equals else []
    parts = [name, *own]
    return (
        Given(
            bare,
            (*texts, *(word.text for word in own)),
            name.line,
            frozenset().union(*(part.assumed for part in parts)),
            frozenset().union(*(part.unknown for part in parts)),
        ),
        left,
    )


def _refuse(given: Mapping[str, Given], file: str) -> None:
    """Raise for what is declared refused, unless its value says nothing."""
    present = {
        found.name: found.line or None
        for found in given.values()
        if FIELDS.treatment(found.name) == REFUSED and not found.idle
    }
    problems: list[Problem] = FIELDS.refusals(present, file)
    if problems:
        raise FormatError(problems)


def _check_known(given: Mapping[str, Given], where: str) -> None:
    """Raise where an argument that matters has a value that is not known, or may not be given."""
    problems = []
    for found in given.values():
        if found.unknown and _matters(found.name) and FIELDS.treatment(found.name) != REPORTED:
            problems.append(f"{found.name} is not known: {'; '.join(sorted(found.unknown))}")
    if problems:
        raise TrafficError(
            "; ".join(problems),
            where=where,
            hint="say it in model.variables, such as variables: {TP: 8}, or the argument in model.args",
            code="FP4037",
        )


def _said(given: Mapping[str, Given], file: str, stray: Sequence[Argument]) -> list[str]:
    """What is to be said of the arguments that are left out, and of defaults that the rest was taken with."""
    present = [name for name, found in given.items() if FIELDS.treatment(name) != REFUSED and not found.idle]
    notes = [f"{file}: {note}" for note in FIELDS.notes(present)]
    assumed = sorted({text for name, found in given.items() if _matters(name) for text in found.assumed})
    if assumed:
        some = ", ".join(assumed[:_NAMED]) + (", ..." if len(assumed) > _NAMED else "")
        notes.append(f"{file}: taken with the defaults of the script, {some} (model.variables)")
    left = [word.text for word in stray if word.text and not word.text.endswith((".py", ".sh"))]
    if left:
        some = ", ".join(repr(text[:40]) for text in left[:_NAMED]) + (", ..." if len(left) > _NAMED else "")
        notes.append(f"{file}: belongs to no argument and is left out: {some}")
    reasons = {text for word in stray if not word.text for text in word.unknown}
    return [*notes, *(f"{file}: more arguments may be there: {reason}" for reason in sorted(reasons))]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FLAGS = _names(
    """--group-query-attention --no-pad-vocab-size --disable-pad-vocab-size --use-rotary-position-embeddings
    --no-position-embedding --swiglu --quick-geglu --untie-embeddings-and-output-weights --disable-bias-linear
    --add-qkv-bias --qk-layernorm --multi-latent-attention --moe-router-enable-expert-bias --use-tp-pp-dp-mapping
    --sequence-parallel --account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split
    --standalone-embedding-stage --bf16 --fp16 --accumulate-allreduce-grads-in-fp32 --grad-reduce-in-bf16
    --fp8-param-gather --reuse-grad-buf-for-mxfp8-param-ag --use-distributed-optimizer --use-torch-fsdp2
    --torch-fsdp2-no-reshard-after-forward --use-megatron-fsdp --use-custom-fsdp --deepspeed --overlap-grad-reduce
    --overlap-param-gather --tp-comm-overlap --no-overlap-p2p-communication --overlap-moe-expert-parallel-comm
    --moe-enable-deepep --recompute-activations --moe-layer-recompute --checkpoint-activations
    --deepspeed-activation-checkpointing"""
)
_SEVERAL = _names(
    "--recompute-modules --cp-comm-type --rampup-batch-size --step-batch-size-schedule --num-experts --spec "
    "--window-size"
)
