"""Follows a shell script without running it: plain assignments, decided conditions, and the commands they lead to.

What cannot be decided is not guessed: the values that depend on it carry the reason.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from topologies.errors import FabricError
from traffic.launch.conditions import holds
from traffic.launch.expansion import Expander, Variables
from traffic.launch.lexer import Token
from traffic.launch.syntax import (
    Assignment,
    Block,
    Branches,
    Case,
    Chain,
    Function,
    Loop,
    Node,
    Simple,
    assignment_of,
    parse,
)
from traffic.launch.text import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    Chunk,
    Text,
    assumed_in,
    marked,
    plain,
    refuse,
    split_words,
    unknown_in,
)

_DECLARES = ("export", "declare", "local", "readonly", "typeset", "env", "exec", "nohup", "time", "sudo", "command")
_SHELLS = ("bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/usr/bin/bash", "sbatch", "srun", "ssh", "pdsh")
_SILENT = ("echo", "printf", "mkdir", "cd", "ls", "rm", "cp", "cat", "tee", "set", "sleep", "trap", "wait", "[", "[[")
_LOOPS = 64


@dataclass(frozen=True)
class Command:
    """A command that the script comes to, with its words expanded."""

    words: tuple[Text, ...]
    line: int


@dataclass
class Followed:
    """What a script comes to."""

    commands: list[Command]
    variables: Variables
    order: list[str]  # names in the order of their first assignment
    notes: list[str]  # what was not followed


class _ExitedError(Exception):
    """The script exits."""


@dataclass
class _Follower:
    variables: Variables
    directory: Path
    commands: list[Command] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    functions: dict[str, Block] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # scripts in words, followed once
    depth: int = 0

    # ---- blocks ------------------------------------------------------------------------------------------------------

    def block(self, block: Block) -> None:
        for node in block.nodes:
            self.node(node)

    def node(self, node: Node) -> bool | None:
        """Follow one command; whether it succeeds, None where that is not known."""
        self.variables.budget.step()
        if isinstance(node, Simple):
            return self._simple(node)
        if isinstance(node, Chain):
            return self._chain(node)
        if isinstance(node, Branches):
            self._branches(node.branches, node.line)
        elif isinstance(node, Loop):
            self._loop(node)
        elif isinstance(node, Case):
            self._case(node)
        elif isinstance(node, Function):
            self.functions[node.name] = node.body
        else:
            self.block(node)
        return None

    def _chain(self, node: Chain) -> bool | None:
        if node.rest and node.rest[0][0] == "!":
            inner = self.node(node.rest[0][1])
            return None if inner is None else not inner
        success = self.node(node.first)
        for sign, following in node.rest:
            if sign == "|":
                self.node(following)
                success = None
            elif success is None and not isinstance(node.first, Simple):
                self._undecided([Block((following,))], node.line, "what comes before it")
            elif success is None and _tests(node.first):
                self._undecided([Block((following,))], node.line, self._shown(node.first))
            elif success == (sign == "&&") or (success is None and sign == "&&"):
                # A command that is not run is taken to succeed: what follows && is followed, what follows || is not.
                success = self.node(following)
        return success

    def _shown(self, node: Node) -> str:
        if isinstance(node, Simple):
            text = " ".join(token.text for token in node.words)
            return text if len(text) <= 60 else f"{text[:57]}..."
        if isinstance(node, Chain):
            return f"{self._shown(node.first)} ..."
        return "a condition"

    def _branches(self, branches: Iterable[tuple[Block | None, Block]], line: int) -> None:
        """Follow the branch that is decided; where none is, all that are left are possible."""
        left = list(branches)
        start = before = self.variables.depends
        for number, (condition, body) in enumerate(left):
            rests: frozenset[str] = frozenset()
            decided: bool | None = True
            shown = "else"
            if condition is not None:
                decided, rests, shown = self._condition(condition)
            if decided is None:
                self._undecided([body for _, body in left[number:]], line, shown)
                return
            before = before | rests
            if decided:
                self.variables.depends = before
                try:
                    self.block(body)
                finally:
                    self.variables.depends = start
                return

    def _condition(self, condition: Block) -> tuple[bool | None, frozenset[str], str]:
        """Whether it holds, the defaults it rests on, and how it is shown."""
        rests: set[str] = set()
        if len(condition.nodes) != 1:
            return None, frozenset(), "a condition of several commands"
        decided = self._holds(condition.nodes[0], rests)
        return decided, frozenset(rests), self._shown(condition.nodes[0])

    def _holds(self, node: Node, rests: set[str]) -> bool | None:
        if isinstance(node, Chain):
            if node.rest and node.rest[0][0] == "!":
                inner = self._holds(node.rest[0][1], rests)
                return None if inner is None else not inner
            value = self._holds(node.first, rests)
            for sign, following in node.rest:
                other = self._holds(following, rests)
                value = _joined(sign, value, other)
            return value
        if not isinstance(node, Simple) or not node.words:
            return None
        expander = Expander(self.variables)
        first = node.words[0].text
        if first == "((":
            text = expander.number(" ".join(token.text for token in node.words[1:-2]), node.line)
            rests |= assumed_in(text)
            return None if unknown_in(text) else plain(text) not in ("0", "")
        if first in ("true", ":", "false"):
            return first != "false"
        if first not in ("[", "[[", "test"):
            return None
        return holds(
            [token for token in node.words if token.text not in ("[", "[[", "]", "]]", "test")], expander, rests
        )

    def _undecided(self, bodies: list[Block], line: int, shown: str) -> None:
        """Several ways are possible: what differs between them is marked with the reason."""
        loop = shown.split(" ")[0] in ("for", "while", "until", "select", "case")
        reason = f"whether `{shown}` holds on line {line} is not known"
        if loop:
            reason = f"what `{shown}` on line {line} comes to is not known"
        start, commands = self.variables, self.commands
        changed: dict[str, list[Text]] = {}
        for body in bodies:
            self.variables, self.commands = start.copy(), []
            try:
                self.block(body)
            except _ExitedError:
                pass
            finally:
                ways, came = self.variables, self.commands
                self.variables, self.commands = start, commands
            for name, value in ways.values.items():
                if value is not start.values.get(name):
                    before = changed.get(name, start.values.get(name, []))
                    changed[name] = _differing(start.values.get(name, []), before, value, reason)
            self.commands += came  # a run that may be started is the one that is meant, when there is no other
        start.values.update(changed)

    def _loop(self, loop: Loop) -> None:
        if loop.kind == "for" and loop.words is not None:
            words = [word for token in loop.words for word in Expander(self.variables).words(token)]
            if len(words) <= _LOOPS and not any(unknown_in(word) for word in words):
                for word in words:
                    self.variables.assign(loop.name, [word], append=False, array=False)
                    self.block(loop.body)
                return
        self._undecided([loop.body], loop.line, f"{loop.kind} {loop.name}".strip())

    def _case(self, case: Case) -> None:
        value = Expander(self.variables).text(case.word.text, case.word.line)
        bodies = []
        for patterns, body in case.branches:
            texts = [Expander(self.variables).text(pattern, case.line) for pattern in patterns]
            if unknown_in(value) or any(unknown_in(text) for text in texts):
                bodies.append(body)
            elif any(fnmatch.fnmatchcase(plain(value)[:200], plain(text)[:60]) for text in texts):
                before = self.variables.depends
                self.variables.depends = before | assumed_in(value)
                self.block(body)
                self.variables.depends = before
                return
        if bodies:
            self._undecided(bodies, case.line, f"case {case.word.text}")

    # ---- commands ----------------------------------------------------------------------------------------------------

    def _simple(self, node: Simple) -> bool | None:
        for assignment in node.assignments:
            self._assign(assignment)
        if not node.words:
            return True
        if node.words[0].text in ("[", "[[", "test", "((", "true", "false", ":"):
            return self._holds(node, set())
        expander = Expander(self.variables)
        if node.words[0].text in _DECLARES:
            return self._declares(node)
        words = [word for token in node.words for word in self._expanded(expander, token)]
        if not words:
            return None
        name = plain(words[0])
        if name == "exit":
            raise _ExitedError
        if name in self.functions:
            self._call(name, words[1:])
        elif name in ("source", "."):
            self._include(words[1:], node.line)
        elif name == "eval":
            self._nested(tuple(_joined_words(words[1:])), node.line)
        elif name == "shift" and self.variables.positional:
            self.variables.positional = self.variables.positional[1:]
        elif name in ("read", "mapfile", "readarray", "unset", "let"):
            for word in words[1:]:
                reason = f"{plain(word)} is read on line {node.line} when the script runs"
                self.variables.assign(
                    plain(word), [(Chunk("", node.line, unknown=frozenset((reason,))),)], append=False, array=False
                )
        elif name not in _SILENT:
            self.commands.append(Command(tuple(words), node.line))
            self._strings(words, node)
        return None

    def _expanded(self, expander: Expander, token: Token) -> list[Text]:
        if token.kind == "array":
            return [word for element in token.elements for word in expander.words(element)]
        return expander.words(token)

    def _declares(self, node: Simple) -> bool | None:
        """``export NAME=value``, and words that a command may begin with."""
        rest = list(node.words[1:])
        while rest and rest[0].kind == "word" and rest[0].text.startswith("-"):
            rest.pop(0)
        inner = parse_words(rest)
        if inner is None:
            return None
        assignments, words = inner
        if node.words[0].text in ("export", "declare", "local", "readonly", "typeset"):
            for token in rest:
                found = parse_words([token])
                if found is not None:
                    for assignment in found[0]:
                        self._assign(assignment)
            return True
        return self._simple(Simple(assignments, words, node.heredocs, node.line))

    def _assign(self, assignment: Assignment) -> None:
        expander = Expander(self.variables)
        if assignment.name not in self.order:
            self.order.append(assignment.name)
        if assignment.elements is None:
            value = [expander.text(assignment.value, assignment.line)]
        else:
            value = [word for token in assignment.elements for word in self._expanded(expander, token)]
        array = assignment.elements is not None
        self.variables.assign(assignment.name, value, append=assignment.append, array=array)

    def _call(self, name: str, words: list[Text]) -> None:
        self._deeper()
        before = self.variables.positional
        self.variables.positional = words
        try:
            self.block(self.functions[name])
        finally:
            self.variables.positional = before
            self.depth -= 1

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise refuse(f"scripts and functions call each other more than {MAX_DEPTH} deep", None)

    def _include(self, words: list[Text], line: int) -> None:
        """Another file of the script, beside it."""
        name = plain(words[0]) if words else ""
        reasons = unknown_in(words[0]) if words else frozenset()
        path = self.directory / (Path(name).name if reasons else name)
        if not name or not path.is_file():
            self.notes.append(f"line {line} reads {name or 'a file'}, which is not there: its variables are not known")
            return
        if path.stat().st_size > MAX_CHARACTERS:
            raise refuse(f"{name} has more than {MAX_CHARACTERS:,} characters", line)
        self._deeper()
        self.variables.budget.reads(path.stat().st_size)
        try:
            self.block(parse(path.read_text(encoding="utf-8", errors="replace")))
        except FabricError as error:
            raise refuse(f"{name}: {error}", line) from error
        finally:
            self.depth -= 1

    def _strings(self, words: list[Text], node: Simple) -> None:
        """Scripts within the words of a command, as ``bash -c "…"`` and ``sbatch <<EOF`` have them."""
        for heredoc in node.heredocs:
            body = (Chunk(heredoc.text, heredoc.line),)
            if not heredoc.quoted:
                body = Expander(self.variables).quoted(heredoc.text, heredoc.line)  # type: ignore[assignment]
            if any(plain(word) in _SHELLS for word in words):
                self._nested(tuple(body), heredoc.line)
        for word in words:
            text = plain(word)
            if not text.startswith("-") and " --" in text and ".py" in text and text not in self.seen:
                self.seen.add(text)
                self._nested(word, node.line)

    def _nested(self, text: Text, line: int) -> None:
        """Follow a text that is a script itself; what is known of its pieces stays with them."""
        self._deeper()
        marks: list[Chunk] = []
        parts = []
        rests: set[str] = set()
        for chunk in text:
            if chunk.unknown or (chunk.assumed and not re.search(r"[\s;|&<>()\"'$`\\]", chunk.text)):
                parts.append(f"${{__fabric_piece_{len(marks)}}}")
                marks.append(chunk)
            else:
                rests |= chunk.assumed
                parts.append(chunk.text)
        inner = _Follower(self.variables.copy(), self.directory, depth=self.depth)
        inner.functions, inner.seen = self.functions, self.seen
        for number, chunk in enumerate(marks):
            inner.variables.values[f"__fabric_piece_{number}"] = [(chunk,)]
        try:
            self.variables.budget.reads(sum(map(len, parts)))
            inner.block(parse("".join(parts), line=text[0].line if text else line))
        except _ExitedError:
            pass
        finally:
            self.depth -= 1
        self.commands += [
            Command(tuple(marked(word, assumed=rests) for word in command.words), command.line)
            for command in inner.commands
        ]
        self.notes += inner.notes


def parse_words(tokens: list[Token]) -> tuple[tuple[Assignment, ...], tuple[Token, ...]] | None:
    """Assignments in front, and the words behind them."""
    assignments: list[Assignment] = []
    for number, token in enumerate(tokens):
        found = assignment_of(token)
        if found is None:
            return tuple(assignments), tuple(tokens[number:])
        assignments.append(found)
    return tuple(assignments), ()


def _joined_words(words: list[Text]) -> list[Chunk]:
    chunks: list[Chunk] = []
    for number, word in enumerate(words):
        chunks += [Chunk(" ", word[0].line if word else 0), *word] if number else list(word)
    return chunks


def _tests(node: Node) -> bool:
    return isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("[", "[[", "test", "((")


def _joined(sign: str, one: bool | None, other: bool | None) -> bool | None:
    if sign == "&&":
        return False if False in (one, other) else None if None in (one, other) else True
    if sign == "||":
        return True if True in (one, other) else None if None in (one, other) else False
    return None


def _differing(start: list[Text], before: list[Text], value: list[Text], reason: str) -> list[Text]:
    """What a variable may be: what was certain stays, what a branch adds or changes carries the reason."""
    if value[: len(start)] == start and len(value) > len(start) and start:  # words added to an array
        return [*before, *(marked(text, unknown=[reason]) for text in value[len(start) :])]
    if len(value) == len(start) == 1 and start and value[0][: len(start[0])] == start[0] and start[0]:
        added = marked(value[0][len(start[0]) :], unknown=[reason])  # text added behind
        return [(*before[0], *added), *before[1:]]
    return [marked(text, unknown=[reason]) for text in value] or [(Chunk("", 0, unknown=frozenset((reason,))),)]


def follow(text: str, directory: Path, pinned: Mapping[str, str]) -> Followed:
    """Follow a script.

    Parameters
    ----------
    directory : Path
        Where it stands; files it includes are looked for there.
    pinned : mapping of str to str
        Values of variables and, by number, of the script's own arguments; they go before what it assigns.

    Raises
    ------
    TrafficError
        A script that does not parse, or grows beyond all reason (FP4035).
    """
    if len(text) > MAX_CHARACTERS:
        raise refuse(f"the script has more than {MAX_CHARACTERS:,} characters", None)
    follower = _Follower(Variables(pinned=pinned), directory)
    follower.variables.budget.reads(len(text))
    with suppress(_ExitedError):
        follower.block(parse(text))
    return Followed(follower.commands, follower.variables, follower.order, follower.notes)


def words_of_variables(followed: Followed, names: Iterable[str]) -> list[Text]:
    """Words of variables in their order, for files that set them and leave the command to others."""
    pieces = [text for name in names for text in followed.variables.values.get(name, [])]
    return [word for text in pieces for word in split_words(text)]
