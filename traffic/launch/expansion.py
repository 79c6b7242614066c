"""Expansion of the words of a script: quotes, parameters, arithmetic; what would have to be run is named instead."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from traffic.launch.arithmetic import ExpressionError, evaluate
from traffic.launch.lexer import Token, skip
from traffic.launch.text import (
    Budget,
    Chunk,
    Text,
    assumed_in,
    marked,
    plain,
    refuse,
    split_words,
    unknown_in,
)

_NAME = re.compile(r"[A-Za-z_]\w*|\d+|[@*#?$!-]")
_PARAMETER = re.compile(r"(#|!)?([A-Za-z_]\w*|\d+|[@*#?$!-])(\[[^\]]*\])?(.*)\Z", re.DOTALL)
_DEFAULTS = re.compile(r"(:?[-=+?])(.*)\Z", re.DOTALL)
_DEEP = 40


@dataclass
class Variables:
    """What is known of variables as a script goes on; ``pinned`` ones do not change."""

    values: dict[str, list[Text]] = field(default_factory=dict)  # a plain variable has one text
    pinned: Mapping[str, str] = field(default_factory=dict)
    positional: Sequence[Text] | None = None  # None: those of the script, which are not known
    budget: Budget = field(default_factory=Budget)
    depends: frozenset[str] = frozenset()  # defaults that decided the branch being followed

    def copy(self) -> Variables:
        """Another state that may go its own way."""
        return Variables(dict(self.values), self.pinned, self.positional, self.budget, self.depends)

    def assign(self, name: str, value: list[Text], *, append: bool, array: bool) -> None:
        """Set a variable, or add to it."""
        if name in self.pinned:
            return
        value = [marked(text, assumed=self.depends) for text in value] if self.depends else value
        if append and array:
            value = [*self.values.get(name, []), *value]
        elif append:
            before = self.values.get(name, [()])
            value = [(*before[0], *value[0]), *before[1:]] if before else value
        self.budget.expands(sum(len(chunk.text) + 1 for text in value for chunk in text))
        self.values[name] = value


def unset(name: str, line: int) -> str:
    """Why the value of a name is not known."""
    if name.isdigit() or name in "@*#":
        return f"${name} on line {line} is an argument of the script itself"
    return f"{name} on line {line} is not set in the script"


class Expander:
    """Expands the words of one script with the variables as they are."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self._deep = 0

    def words(self, token: Token) -> list[Text]:
        """The words that one becomes: none, or several where something unquoted has blanks."""
        fields: list[Text] = []
        current: list[Chunk] = []
        begun = False
        for text, quoted, apart in self._parts(token.text, token.line):
            if quoted:
                begun = True
                for number, piece in enumerate(apart if apart is not None else [text]):
                    if number:
                        fields.append(tuple(current))
                        current = []
                    current += piece
                if apart is not None and not apart and not current:
                    begun = False
                continue
            blank_before = bool(text) and text[0].text[:1].isspace()
            blank_after = bool(text) and text[-1].text[-1:].isspace()
            words = [word for piece in (apart if apart is not None else [text]) for word in split_words(piece)]
            if blank_before and (current or begun):
                fields.append(tuple(current))
                current, begun = [], False
            for number, word in enumerate(words):
                if number:
                    fields.append(tuple(current))
                    current = []
                current += word
                begun = True
            if words and blank_after:
                fields.append(tuple(current))
                current, begun = [], False
        if current or begun:
            fields.append(tuple(current) or (Chunk("", token.line),))
        return fields

    def text(self, raw: str, line: int) -> Text:
        """One text without splitting, as the right-hand side of an assignment is."""
        found: list[Chunk] = []
        for text, _, apart in self._parts(raw, line):
            pieces = apart if apart is not None else [text]
            for number, piece in enumerate(pieces):
                found += [Chunk(" ", line), *piece] if number else piece
        return tuple(found)

    def quoted(self, raw: str, line: int) -> Text:
        """A text as within double quotes, such as the lines of a here-document."""
        found: list[Chunk] = []
        for text, _, apart in self._inside(raw, line):
            pieces = apart if apart is not None else [text]
            for number, piece in enumerate(pieces):
                found += [Chunk(" ", line), *piece] if number else piece
        return tuple(found)

    def number(self, raw: str, line: int) -> Text:
        """The value of an arithmetic expression."""
        text = self.quoted(raw, line)
        reasons, rests = set(unknown_in(text)), set(assumed_in(text))

        def value_of(name: str) -> int:
            found = self._variable(name, line)
            if found is None:
                reasons.add(unset(name, line))
            value = found[0] if found else ()
            reasons.update(unknown_in(value))
            rests.update(assumed_in(value))
            digits = plain(value).strip() or "0"
            if not re.fullmatch(r"-?\d{1,19}", digits):
                raise ExpressionError(name)
            return int(digits)

        try:
            result = str(evaluate(plain(text) or "0", value_of))
        except ExpressionError:
            reasons.add(f"$(({raw.strip()[:60]})) on line {line} is not followed")
            result = ""
        if reasons:
            return (Chunk("", line, frozenset(rests), frozenset(reasons)),)
        return (Chunk(result, line, frozenset(rests)),)

    # ---- parts of a word: (text, quoted, elements where there may be several) ------------------------------------

    def _parts(self, raw: str, line: int) -> Iterator[tuple[Text, bool, list[Text] | None]]:
        at, plain_from = 0, 0
        while at < len(raw):
            character = raw[at]
            if character not in "\\'\"`$":
                at += 1
                continue
            if plain_from < at:
                yield _literal(raw[plain_from:at], line), True, None
            end = skip(raw, at, line)
            here = line + raw.count("\n", 0, at)
            if character == "\\":
                escaped = raw[at + 1 : end]
                if escaped != "\n":
                    yield (Chunk(escaped, here),), True, None
            elif character == "'":
                yield _literal(raw[at + 1 : end - 1], here), True, None
            elif character == '"':
                inside = list(self._inside(raw[at + 1 : end - 1], here))
                if not inside:
                    yield (Chunk("", here),), True, None
                for text, _, apart in inside:
                    yield text, True, apart
            elif character == "$" and raw[at + 1 : at + 2] in ("'", '"'):
                end = skip(raw, at + 1, line)
                yield _literal(raw[at + 2 : end - 1], here), True, None
            else:
                text, apart, end = self._expansion(raw, at, end, here, quoted=False)
                yield text, False, apart
            at = plain_from = end
        if plain_from < len(raw):
            yield _literal(raw[plain_from:], line + raw.count("\n", 0, plain_from)), True, None

    def _inside(self, raw: str, line: int) -> Iterator[tuple[Text, bool, list[Text] | None]]:
        """Parts of what stands within double quotes."""
        at, plain_from = 0, 0
        while at < len(raw):
            character = raw[at]
            if character not in "\\`$":
                at += 1
                continue
            if plain_from < at:
                yield _literal(raw[plain_from:at], line + raw.count("\n", 0, plain_from)), True, None
            here = line + raw.count("\n", 0, at)
            end = skip(raw, at, line)
            if character == "\\":
                escaped = raw[at + 1 : end]
                if escaped != "\n":
                    yield (Chunk(escaped if escaped in '"\\$`' else raw[at:end], here),), True, None
            else:
                text, apart, end = self._expansion(raw, at, end, here, quoted=True)
                yield text, True, apart
            at = plain_from = end
        if plain_from < len(raw):
            yield _literal(raw[plain_from:], line + raw.count("\n", 0, plain_from)), True, None

    def _expansion(
        self, raw: str, at: int, end: int, line: int, *, quoted: bool
    ) -> tuple[Text, list[Text] | None, int]:
        """What ``$…`` or a backquoted command at ``at`` stands for."""
        self._deep += 1
        if self._deep > _DEEP:
            raise refuse(f"expansions are nested more than {_DEEP} deep", line)
        try:
            body = raw[at:end]
            if body.startswith("$((") and body.endswith("))"):
                return self.number(body[3:-2], line), None, end
            if body[0] == "`" or body.startswith("$("):
                shown = body if len(body) <= 60 else f"{body[:57]}..."
                return (Chunk("", line, unknown=frozenset((f"{shown} on line {line} is not run",))),), None, end
            if body.startswith("${"):
                text, apart = self._parameter(body[2:-1], line, quoted=quoted)
                return text, apart, end
            name = _NAME.match(raw, at + 1)
            if name is None:
                return (Chunk("$", line),), None, at + 1
            text, apart = self._plain(name.group(), line, quoted=quoted, every=name.group() in "@*")
            return text, apart, name.end() if not name.group().isdigit() else at + 2
        finally:
            self._deep -= 1

    def _variable(self, name: str, line: int) -> list[Text] | None:
        """Values of a name; None where the script does not set it."""
        variables = self._variables
        if name in variables.pinned:
            return [(Chunk(variables.pinned[name], line),)]
        if name.isdigit() or name in "@*":
            if variables.positional is None:
                return None
            if name in "@*":
                return list(variables.positional)
            number = int(name) if len(name) < 6 else 10**6
            return [variables.positional[number - 1]] if 0 < number <= len(variables.positional) else []
        return variables.values.get(name)

    def _plain(self, name: str, line: int, *, quoted: bool, every: bool) -> tuple[Text, list[Text] | None]:
        found = self._variable(name, line)
        if found is None:
            return (Chunk("", line, unknown=frozenset((unset(name, line),))),), None
        self._variables.budget.expands(sum(len(chunk.text) + 1 for text in found for chunk in text))
        if every:
            return (), found
        return (found[0] if found else ()), None

    def _parameter(self, body: str, line: int, *, quoted: bool) -> tuple[Text, list[Text] | None]:
        matched = _PARAMETER.match(body)
        if matched is None:
            return self._not_followed(body, line), None
        sign, name, index, rest = matched.groups()
        if sign == "!":
            return self._not_followed(body, line), None
        every = name in "@*" or (index or "")[1:-1] in ("@", "*")
        found = self._variable(name, line)
        if sign == "#":
            if found is None:
                return (Chunk("", line, unknown=frozenset((unset(name, line),))),), None
            count = len(found) if every else len(plain(found[0])) if found else 0
            return (Chunk(str(count), line),), None
        if index and not every:
            found = self._element(found, index[1:-1], line)
        defaults = _DEFAULTS.match(rest)
        if defaults:
            return self._default(name, found, *defaults.groups(), line=line, every=every)
        if found is None:
            return (Chunk("", line, unknown=frozenset((unset(name, line),))),), None
        self._variables.budget.expands(sum(len(chunk.text) + 1 for text in found for chunk in text))
        if rest:
            found = [self._changed(text, rest, line, body) for text in found]
        if every:
            return (), found
        return (found[0] if found else ()), None

    def _element(self, found: list[Text] | None, index: str, line: int) -> list[Text] | None:
        if found is None:
            return None
        number = plain(self.number(index, line))
        if not re.fullmatch(r"-?\d{1,9}", number):
            return [self._not_followed(f"[{index}]", line)]
        at = int(number)
        return [found[at]] if -len(found) <= at < len(found) else []

    def _default(
        self, name: str, found: list[Text] | None, sign: str, word: str, *, line: int, every: bool
    ) -> tuple[Text, list[Text] | None]:
        empty = found is not None and sign.startswith(":") and not any(plain(text) for text in found)
        reasons = frozenset().union(*(unknown_in(text) for text in found or []))
        given = found is not None and not empty and not (reasons and not any(plain(text) for text in found))
        if sign.endswith("+"):
            if not given:
                why = {unset(name, line)} if found is None else reasons
                return ((Chunk("", line, unknown=frozenset(why)),) if why else ()), None
            return self.quoted(word, line), None
        if given and found is not None:
            return ((), found) if every else (found[0], None)
        if sign.endswith("?"):
            return (Chunk("", line, unknown=frozenset((unset(name, line),))),), None
        value = self.text(word, line)
        if found is None or reasons:
            called = f"${name}" if name.isdigit() else name
            rests = f"{called} is {plain(value)[:60] or 'empty'}"
            value = marked(value or (Chunk("", line),), assumed=[rests])
        if sign.endswith("="):
            self._variables.assign(name, [value], append=False, array=False)
        return value, None

    def _changed(self, text: Text, rest: str, line: int, body: str) -> Text:
        """Prefixes and suffixes cut off, parts replaced, letters made large or small, a part taken."""
        value, rests, reasons = plain(text), assumed_in(text), unknown_in(text)
        change = _change(value, rest)
        if reasons or change is None or len(value) > 10_000:
            return marked(self._not_followed(body, line), assumed=rests, unknown=reasons)
        return (Chunk(change, line, rests),)

    @staticmethod
    def _not_followed(body: str, line: int) -> Text:
        shown = body if len(body) <= 60 else f"{body[:57]}..."
        return (Chunk("", line, unknown=frozenset((f"${{{shown}}} on line {line} is not followed",))),)


def _literal(text: str, line: int) -> Text:
    """Text as it stands, a piece for every line."""
    if "\n" not in text:
        return (Chunk(text, line),)
    return tuple(Chunk(piece, line + number) for number, piece in enumerate(text.splitlines(keepends=True)))


def _change(value: str, rest: str) -> str | None:
    """The value after an operator that follows its name; None for operators that are not followed."""
    taken = re.fullmatch(r":(\d{1,6})(?::(\d{1,6}))?", rest)
    if taken:
        start = int(taken[1])
        return value[start : start + int(taken[2])] if taken[2] else value[start:]
    if rest in ("^^", ",,"):
        return value.upper() if rest == "^^" else value.lower()
    for sign in ("%%", "%", "##", "#"):
        if rest.startswith(sign):
            return _cut(value, sign, rest[len(sign) :])
    replaced = re.fullmatch(r"(//?)([^/*?\[$]+)/([^$]*)", rest)
    if replaced:
        return value.replace(replaced[2], replaced[3], -1 if replaced[1] == "//" else 1)
    return None


def _cut(value: str, sign: str, pattern: str) -> str | None:
    if len(value) > 500 or "$" in pattern or "`" in pattern or len(pattern) > 100 or pattern.count("*") > 2:
        return None
    matches: Callable[[str], bool] = re.compile(fnmatch.translate(re.sub(r"[\"'\\]", "", pattern))).match  # type: ignore[assignment]
    lengths = range(len(value) + 1) if len(sign) == 1 else range(len(value), -1, -1)
    for length in lengths:
        part = value[len(value) - length :] if sign[0] == "%" else value[:length]
        if matches(part):
            return value[: len(value) - length] if sign[0] == "%" else value[length:]
    return value
