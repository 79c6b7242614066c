"""Finds the run that a script starts: the arguments of the training program, and how many ranks the launcher makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from topologies.errors import TrafficError
from traffic.launch.follow import Command, Followed, follow, words_of_variables
from traffic.launch.text import Argument, Text, argument, plain, refuse, split_words

_PROGRAM = re.compile(r"(.*/)?[\w.-]+\.py")
_RANKS_OF_NODE = ("--nproc_per_node", "--nproc-per-node", "--num_gpus")
_NODES = ("--nnodes", "--num_nodes")


@dataclass(frozen=True)
class LaunchedRun:
    """The arguments of one run, and what its script says beside them."""

    words: tuple[Argument, ...]
    program: str | None  # such as pretrain_gpt.py
    ranks: int | None  # that the launcher starts, where it says so
    notes: tuple[str, ...]


def find_run(
    text: str, directory: Path, is_argument: Callable[[str], bool], pinned: Mapping[str, str], *, where: str
) -> LaunchedRun:
    """The run of a script, or of a bare list of arguments.

    Parameters
    ----------
    is_argument : callable
        Whether a name, such as ``--num-layers``, is one that a run is known by.
    pinned : mapping of str to str
        Variables of the script as they are when it runs.

    Raises
    ------
    TrafficError
        When the script does not parse, or starts several runs that differ (FP4035).
    """
    try:
        followed = follow(text, directory, pinned)
    except TrafficError as error:
        raise error if where == "model.path" else _at(error, where) from error
    runs = _runs(followed, is_argument)
    notes = list(dict.fromkeys(followed.notes))
    if not runs:
        names = [name for name in followed.order if any(is_argument(word) for word in _names(followed, name))]
        words = words_of_variables(followed, names)
        if names:
            notes.append(f"no command of the script starts a run: the arguments in {', '.join(names)} are taken")
        runs = [words] if words else [[word for command in followed.commands for word in command.words]]
    kinds = {_key(_of_program(words, is_argument)[1], is_argument): words for words in runs}
    if len(kinds) > 1:
        lines = sorted({words[0][0].line for words in runs if words and words[0]})
        raise refuse(
            f"the script starts {len(kinds)} runs that differ, on lines {', '.join(map(str, lines))}",
            None,
            hint="keep the one that is planned",
            where=where,
        )
    words = next(iter(kinds.values()))
    program, arguments, launcher = _of_program(words, is_argument)
    return LaunchedRun(tuple(_apart(arguments)), program, _ranks(launcher), tuple(notes))


def _key(words: list[Text], is_argument: Callable[[str], bool]) -> tuple[str, ...]:
    """Arguments that matter with what follows them: what tells two runs apart."""
    texts = [word.text for word in _apart(words)]
    pairs = zip(texts, [*texts[1:], "--"], strict=False)
    return tuple(
        f"{name} {'' if value.startswith('--') else value}"
        for name, value in pairs
        if name.startswith("--") and is_argument(name.partition("=")[0])
    )


def _at(error: TrafficError, where: str) -> TrafficError:
    message = error.problems[0].message.split(": ", 1)[-1] if error.problems else str(error)
    return TrafficError(message, where=where, hint=error.problems[0].hint if error.problems else "", code="FP4035")


def _names(followed: Followed, name: str) -> list[str]:
    return [plain(word) for text in followed.variables.values.get(name, []) for word in split_words(text)]


def _runs(followed: Followed, is_argument: Callable[[str], bool]) -> list[list[Text]]:
    """Commands with at least two of the arguments; lines that begin with an argument belong to the one before."""
    joined: list[list[Text]] = []
    for command in followed.commands:
        if joined and _continues(command):
            joined[-1] += command.words
        else:
            joined.append(list(command.words))
    found = []
    for words in joined:
        names = {word for text in words for word in plain(text).split()[:1]}
        if sum(is_argument(name.partition("=")[0]) for name in names) >= 2:
            found.append(words)
    return found


def _continues(command: Command) -> bool:
    return bool(command.words) and plain(command.words[0]).startswith("--")


def _of_program(words: list[Text], is_argument: Callable[[str], bool]) -> tuple[str | None, list[Text], list[Text]]:
    """The program, its arguments, and the words before it."""
    for number, word in enumerate(words):
        text = plain(word)
        name = re.split(r"[=\s]", text, maxsplit=1)[0]
        if is_argument(name) and name not in (*_RANKS_OF_NODE, *_NODES):
            break
        if _PROGRAM.fullmatch(text):
            return text.rsplit("/", 1)[-1], words[number + 1 :], words[:number]
    return None, words, words


def _apart(words: list[Text]) -> list[Argument]:
    """Words of their own where one holds an argument and its value, as quoted pairs of an array do."""
    found = []
    for word in words:
        pieces = split_words(word) if plain(word).lstrip().startswith("--") else [word]
        found += [argument(piece) for piece in pieces]
    return found


def _ranks(words: list[Text]) -> int | None:
    """Ranks that the launcher says: nodes x ranks of each."""
    texts = [piece for word in words for piece in re.split(r"[\s=]+", plain(word)) if piece]
    values = dict(pairwise(texts))
    nodes = next((values[name] for name in _NODES if name in values), "")
    each = next((values[name] for name in _RANKS_OF_NODE if name in values), "")
    if re.fullmatch(r"\d{1,6}", nodes) and re.fullmatch(r"\d{1,4}", each):
        return int(nodes) * int(each)
    return None
