"""Commands, conditions and loops of a shell script, as a tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from traffic.launch.lexer import REDIRECTIONS, Lexer, Token
from traffic.launch.text import refuse

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]=]*\])?(\+?=)(.*)\Z", re.DOTALL)
_NESTED = 30
_SEPARATORS = (";", "\n", "&")


@dataclass(frozen=True)
class Assignment:
    """``NAME=value``, ``NAME+=value`` or ``NAME=( … )``."""

    name: str
    append: bool
    value: str
    elements: tuple[Token, ...] | None
    line: int


@dataclass(frozen=True)
class Simple:
    """Assignments and the words of a command."""

    assignments: tuple[Assignment, ...]
    words: tuple[Token, ...]
    heredocs: tuple[Token, ...]
    line: int


@dataclass(frozen=True)
class Chain:
    """Commands joined by ``&&``, ``||`` or ``|``."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    line: int


@dataclass(frozen=True)
class Branches:
    """``if``: conditions with what they lead to; the last condition is None where there is an ``else``."""

    branches: tuple[tuple[Block | None, Block], ...]
    line: int


@dataclass(frozen=True)
class Loop:
    """``for`` over words, or ``while`` and ``until`` with a condition."""

    kind: str
    name: str
    words: tuple[Token, ...] | None
    body: Block
    line: int


@dataclass(frozen=True)
class Case:
    """``case``: a word, and patterns with what they lead to."""

    word: Token
    branches: tuple[tuple[tuple[str, ...], Block], ...]
    line: int


@dataclass(frozen=True)
class Function:
    """A function that may be called further down."""

    name: str
    body: Block
    line: int


@dataclass(frozen=True)
class Block:
    """Commands one after another."""

    nodes: tuple[Node, ...]


Node = Simple | Chain | Branches | Loop | Case | Function | Block


def parse(text: str, line: int = 1) -> Block:
    """The tree of a script.

    Raises
    ------
    TrafficError
        Quotes or brackets that do not close, or commands that do not end (FP4035).
    """
    parser = _Parser(Lexer(text, line).tokens())
    block = parser.block(())
    if parser.more():
        raise refuse(f"{parser.shown()} has no beginning", parser.line)
    return block


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._deep = tokens, 0, 0

    @property
    def line(self) -> int:
        """Line of the token that comes next."""
        return self._tokens[min(self._at, len(self._tokens) - 1)].line if self._tokens else 1

    def more(self) -> bool:
        """Whether there are tokens left."""
        return self._at < len(self._tokens)

    def shown(self) -> str:
        """The token that comes next, for messages."""
        return repr(self._tokens[self._at].text[:40])

    def _is(self, *texts: str, kind: str = "word") -> bool:
        if not self.more():
            return False
        token = self._tokens[self._at]
        return token.kind == kind and token.text in texts

    def _skip_separators(self) -> None:
        while self._is(*_SEPARATORS, kind="operator"):
            self._at += 1

    def block(self, ends: tuple[str, ...]) -> Block:
        """Commands up to one of the words that end them, which is left standing."""
        self._deep += 1
        if self._deep > _NESTED:
            raise refuse(f"commands are nested more than {_NESTED} deep", self.line)
        nodes: list[Node] = []
        self._skip_separators()
        while self.more() and not self._is(*ends) and not self._is(";;", ";&", ";;&", ")", kind="operator"):
            if self._is("fi", "done", "esac", "}", "then", "else", "elif", "do"):
                break
            nodes.append(self._chain())
            self._skip_separators()
        self._deep -= 1
        return Block(tuple(nodes))

    def _expect(self, text: str, kind: str = "word") -> None:
        self._skip_separators() if kind == "word" else None
        if not self._is(text, kind=kind):
            raise refuse(f"{text!r} is missing", self.line, hint="is a command cut off?")
        self._at += 1

    def _chain(self) -> Node:
        line, first = self.line, self._command()
        rest = []
        while self._is("&&", "||", "|", "|&", kind="operator"):
            sign = self._tokens[self._at].text
            self._at += 1
            while self._is("\n", kind="operator"):
                self._at += 1
            if not self.more():
                break
            rest.append((sign[0] if sign == "|&" else sign, self._command()))
        return Chain(first, tuple(rest), line) if rest else first

    def _command(self) -> Node:
        if self._is("!"):
            self._at += 1
            return Chain(Simple((), (), (), self.line), (("!", self._command()),), self.line)
        starts: dict[str, Callable[[], Node]] = {
            "if": self._if,
            "for": self._for,
            "select": self._for,
            "while": self._while,
            "until": self._while,
            "case": self._case,
            "function": self._function,
            "{": self._braces,
        }
        token = self._tokens[self._at]
        if token.kind == "word" and token.text in starts:
            node = starts[token.text]()
        elif self._is("(", kind="operator"):
            node = self._parentheses()
        elif self._names_function():
            node = self._function()
        else:
            return self._simple()
        self._redirections()
        return node

    def _names_function(self) -> bool:
        following = self._tokens[self._at + 1 : self._at + 3]
        return self._tokens[self._at].kind == "word" and [token.text for token in following] == ["(", ")"]

    def _redirections(self) -> list[Token]:
        heredocs: list[Token] = []
        while self.more():
            token = self._tokens[self._at]
            if token.kind == "heredoc":
                heredocs.append(token)
                self._at += 1
            elif token.kind == "operator" and token.text in REDIRECTIONS:
                self._at += 1
                if self.more() and self._tokens[self._at].kind == "word":
                    self._at += 1
            else:
                return heredocs
        return heredocs

    def _simple(self) -> Simple:
        line = self.line
        assignments: list[Assignment] = []
        words: list[Token] = []
        heredocs: list[Token] = []
        if self._is("[["):
            return Simple((), tuple(self._brackets()), (), line)
        while self.more():
            token = self._tokens[self._at]
            if token.kind == "heredoc" or (token.kind == "operator" and token.text in REDIRECTIONS):
                heredocs += self._redirections()
                continue
            if token.kind == "operator":
                break
            self._at += 1
            assignment = assignment_of(token) if not words else None
            if assignment is not None:
                assignments.append(assignment)
            else:
                words.append(token)
        # Lines of a here-document stand behind the end of the line that asks for it.
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "heredoc":
            heredocs += self._redirections()
        if not assignments and not words and not heredocs and self.more():
            self._at += 1  # a lone operator
        return Simple(tuple(assignments), tuple(words), tuple(heredocs), line)

    def _brackets(self) -> list[Token]:
        """``[[ … ]]``, in which && and < are words."""
        words: list[Token] = []
        while self.more():
            token = self._tokens[self._at]
            if token.text == "\n" and "]]" not in (word.text for word in words[-1:]):
                break
            words.append(Token("word", token.text, token.line) if token.kind == "operator" else token)
            self._at += 1
            if token.text == "]]":
                break
        return words

    def _if(self) -> Branches:
        line = self.line
        self._at += 1
        branches: list[tuple[Block | None, Block]] = []
        condition: Block | None = self.block(("then",))
        while True:
            self._expect("then") if condition is not None else None
            branches.append((condition, self.block(("elif", "else", "fi"))))
            if self._is("elif"):
                self._at += 1
                condition = self.block(("then",))
            elif self._is("else"):
                self._at += 1
                condition = None
            else:
                self._expect("fi")
                return Branches(tuple(branches), line)

    def _for(self) -> Loop:
        line = self.line
        self._at += 1
        words: list[Token] | None = None
        name = ""
        while self.more() and not self._is("do") and not self._is("{"):
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == "word" and not name:
                name = token.text
            elif token.kind == "word" and token.text == "in" and words is None:
                words = []
            elif token.kind == "word" and words is not None:
                words.append(token)
        self._expect("do")
        body = self.block(("done",))
        self._expect("done")
        return Loop("for", name, None if words is None else tuple(words), body, line)

    def _while(self) -> Loop:
        line = self.line
        kind = self._tokens[self._at].text
        self._at += 1
        self.block(("do",))
        self._expect("do")
        body = self.block(("done",))
        self._expect("done")
        return Loop(kind, "", None, body, line)

    def _case(self) -> Case:
        line = self.line
        self._at += 1
        if not self.more():
            raise refuse("'in' is missing", line)
        word = self._tokens[self._at]
        self._at += 1
        self._expect("in")
        branches = []
        self._skip_separators()
        while self.more() and not self._is("esac"):
            patterns = []
            while self.more() and not self._is(")", kind="operator"):
                if self._tokens[self._at].kind == "word":
                    patterns.append(self._tokens[self._at].text)
                self._at += 1
            self._at += 1
            body = self.block(("esac",))
            branches.append((tuple(patterns), body))
            while self._is(";;", ";&", ";;&", *_SEPARATORS, kind="operator"):
                self._at += 1
        self._expect("esac")
        return Case(word, tuple(branches), line)

    def _function(self) -> Function:
        line = self.line
        if self._is("function"):
            self._at += 1
        name = self._tokens[self._at].text if self.more() else ""
        self._at += 1
        while self._is("(", ")", kind="operator") or self._is("\n", kind="operator"):
            self._at += 1
        body = self._command() if self.more() else Block(())
        return Function(name, Block((body,)), line)

    def _braces(self) -> Block:
        self._at += 1
        body = self.block(("}",))
        self._expect("}")
        return body

    def _parentheses(self) -> Node:
        line = self.line
        self._at += 1
        if self._is("(", kind="operator"):  # (( arithmetic )): what it does to variables is not followed
            depth = 1
            words: list[Token] = [Token("word", "((", line)]
            while self.more() and depth >= 0:
                token = self._tokens[self._at]
                depth += 1 if token.text == "(" else -1 if token.text == ")" else 0
                words.append(Token("word", token.text, token.line) if token.kind == "operator" else token)
                self._at += 1
            return Simple((), tuple(words), (), line)
        body = self.block((")",))
        self._expect(")", kind="operator")
        return body


def assignment_of(token: Token) -> Assignment | None:
    if token.kind == "array":
        name = token.text.rstrip("+=")
        return Assignment(name, token.text.endswith("+="), "", token.elements, token.line)
    matched = _ASSIGNMENT.match(token.text)
    if matched is None or matched[2]:
        return None
    return Assignment(matched[1], matched[3] == "+=", matched[4], None, token.line)
