"""Words and operators of a shell script, with quotes, expansions and lists of an array left as they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from traffic.launch.text import refuse

_OPERATORS = ("<<<", "<<-", "&>>", ";;&", "&&", "||", ";;", ";&", "<<", ">>", ">&", "<&", "&>", "|&", ">|", "<>")
_SINGLE = ";|&()<>\n"
_ARRAY = re.compile(r"[A-Za-z_]\w*\+?=\Z")
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>|&;\n\"'$]*>")
_NESTED = 40
MAX_WORDS = 30_000
REDIRECTIONS = frozenset((">", "<", ">>", ">&", "<&", "&>", "&>>", ">|", "<>", "<<<"))


@dataclass(frozen=True)
class Token:
    """A word or an operator, as it stands."""

    kind: str  # word, operator, array or heredoc
    text: str  # of an array the name with = or +=; of a heredoc its lines
    line: int
    elements: tuple[Token, ...] = field(default=())  # of an array
    quoted: bool = False  # heredoc: its delimiter was quoted


class Lexer:
    """Reads a script once from its beginning."""

    def __init__(self, text: str, line: int = 1) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at, self._line, self._open = 0, line, 0
        self._pending: list[tuple[str, bool, bool]] = []  # heredocs that begin after the line

    def tokens(self, *, closing: bool = False) -> list[Token]:
        """All tokens; with ``closing`` those up to the parenthesis that ends an array."""
        found: list[Token] = []
        self._open += closing
        if self._open > _NESTED:
            raise refuse(f"arrays are nested more than {_NESTED} deep", self._line)
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in " \t":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
                self._line += 1
            elif character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif closing and character == ")":
                self._at += 1
                self._open -= 1
                return found
            elif closing and character == "\n":
                self._at += 1
                self._line += 1
            elif character in _SINGLE and not self._word_begins(found, closing):
                found += self._operator()
            else:
                found.append(self._word())
            if len(found) > MAX_WORDS:
                raise refuse(f"the script has more than {MAX_WORDS:,} words", self._line)
        if closing:
            raise refuse("an array is not closed", self._line, hint="close every parenthesis")
        return found

    def _word_begins(self, found: list[Token], closing: bool) -> bool:
        """A list such as ([0]*3+[1]*58) or a placeholder such as <PATH>, both unquoted as people leave them."""
        if self._text[self._at] == "<":
            return _PLACEHOLDER.match(self._text, self._at) is not None
        if self._text[self._at] != "(":
            return False
        before = found[-1] if found else None
        return closing or (before is not None and before.kind == "word" and before.text.startswith("--"))

    def _operator(self) -> list[Token]:
        line = self._line
        text = next((sign for sign in _OPERATORS if self._text.startswith(sign, self._at)), self._text[self._at])
        self._at += len(text)
        if text in ("<<", "<<-"):
            self._heredoc_begins(text)
            return []
        if text == "\n":
            self._line += 1
            return [*self._heredocs(), Token("operator", "\n", line)]
        return [Token("operator", text, line)]

    def _heredoc_begins(self, sign: str) -> None:
        while self._text[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1
        word = self._word().text
        bare = re.sub(r"[\"'\\]", "", word)
        self._pending.append((bare, bare != word, sign == "<<-"))

    def _heredocs(self) -> list[Token]:
        found = []
        for delimiter, quoted, stripped in self._pending:
            lines, line = [], self._line
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                text = self._text[self._at : end]
                self._at, self._line = min(end + 1, len(self._text)), self._line + 1
                text = text.lstrip("\t") if stripped else text
                if text == delimiter:
                    break
                lines.append(text)
            found.append(Token("heredoc", "\n".join(lines) + "\n", line, quoted=quoted))
        self._pending = []
        return found

    def _word(self) -> Token:
        start, line = self._at, self._line
        placeholder = _PLACEHOLDER.match(self._text, self._at)
        if placeholder:
            self._at = placeholder.end()
            return Token("word", f"'{placeholder.group()}'", line)
        depth = 0
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "(" and depth == 0 and _ARRAY.match(self._text, start, self._at):
                name = self._text[start : self._at]
                self._at += 1
                return Token("array", name, line, tuple(self.tokens(closing=True)))
            if character in "()" and (depth or self._at == start):
                depth += 1 if character == "(" else -1
                self._at += 1
            elif depth == 0 and (character in " \t" or character in _SINGLE):
                break
            else:
                self._at = skip(self._text, self._at, self._line)
        raw = self._text[start : self._at]
        self._line += raw.count("\n")
        return Token("word", raw, line)


def skip(text: str, at: int, line: int = 0, depth: int = 0) -> int:
    """The place behind a character, or behind all that belongs to it: an escape, a quoted text, an expansion."""
    character = text[at]
    if depth > _NESTED:
        raise refuse(f"quotes and brackets are nested more than {_NESTED} deep", line)
    if character == "\\":
        return min(at + 2, len(text))
    if character == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise refuse("the arguments do not parse: No closing quotation", line, hint="close every quote")
        return end + 1
    if character in '"`':
        end = at + 1
        while end < len(text) and text[end] != character:
            inner = text[end] in "\\$`" and text[end] != character
            end = skip(text, end, line, depth + 1) if inner else end + 1
        if end >= len(text):
            raise refuse("the arguments do not parse: No closing quotation", line, hint="close every quote")
        return end + 1
    if character == "$" and text[at + 1 : at + 2] in ("(", "{"):
        return _balanced(text, at + 1, line, depth + 1)
    return at + 1


def _balanced(text: str, at: int, line: int, level: int) -> int:
    """Behind the bracket that closes the one at ``at``."""
    opening = text[at]
    closing = ")" if opening == "(" else "}"
    depth, end = 0, at
    while end < len(text):
        if text[end] == opening:
            depth += 1
            end += 1
        elif text[end] == closing:
            depth -= 1
            end += 1
            if depth == 0:
                return end
        else:
            end = skip(text, end, line, level + 1) if text[end] in "\\'\"`$" else end + 1
    raise refuse(f"${opening} is not closed", line, hint="close every bracket")
