"""XML of others: one pass that expands nothing, with line numbers; declarations are refused, depth and size bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from xml.parsers import expat

from topologies.errors import FormatError
from topologies.reading.text_input import read_bytes

MAX_DEPTH = 100
MAX_BYTES = 512 * 2**20
MAX_ELEMENTS = 4_000_000  # of each some hundred bytes are kept

Place = tuple[int, int]  # line and column, from 1


class XmlHandler(Protocol):
    """What a reader does with elements, as they open and close; names are without their prefix."""

    def start(self, name: str, attributes: Mapping[str, str], place: Place) -> None:
        """An element opens."""

    def end(self, name: str, text: str, place: Place) -> None:
        """An element closes; ``text`` is its own, without that of its children."""


def local_name(tag: str) -> str:
    """The name of an element or attribute without its prefix.

    >>> local_name("y:NodeLabel")
    'NodeLabel'
    """
    return tag.rpartition(":")[2]


def parse_xml(data: bytes, file: str, handler: XmlHandler, *, code: str = "FP6003") -> None:
    """Hand the elements of an XML text to a handler.

    Parameters
    ----------
    data : bytes
    file : str
        Name in errors.
    handler : XmlHandler
    code : str
        Of what is not XML; declarations have FP6008.

    Raises
    ------
    FormatError
        With line and column: not XML, a document type or entity declaration, nested more than 100 deep, more than 512
        MiB, or more than 4,000,000 elements.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(f"{len(data):,} bytes are more than {MAX_BYTES:,}", file=file, code=code)
    parser = expat.ParserCreate()
    texts: list[list[str]] = []  # of the elements that are open
    elements = 0

    def place() -> Place:
        return parser.CurrentLineNumber, parser.CurrentColumnNumber + 1

    def refuse(*_: object) -> None:
        raise FormatError(
            "a document type or entity declaration is refused",
            file=file,
            line=place()[0],
            column=place()[1],
            hint="remove the DOCTYPE: it is not needed, and entities can hide gigabytes or other files",
            code="FP6008",
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > MAX_ELEMENTS:
            message, hint = f"more than {MAX_ELEMENTS:,} elements", "the format json holds larger networks"
            raise FormatError(message, file=file, line=place()[0], hint=hint, code=code)
        if len(texts) >= MAX_DEPTH:
            message, hint = f"nested more than {MAX_DEPTH} deep", "is an element unclosed?"
            raise FormatError(message, file=file, line=place()[0], column=place()[1], hint=hint, code=code)
        texts.append([])
        handler.start(local_name(tag), attributes, place())

    def end(tag: str) -> None:
        handler.end(local_name(tag), "".join(texts.pop()), place())

    def character(data: str) -> None:
        texts[-1].append(data)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = character
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        message = f"not XML: {expat.ErrorString(error.code)}"
        raise FormatError(message, file=file, line=error.lineno, column=error.offset + 1, code=code) from None
    except (LookupError, ValueError) as error:  # an encoding that is not known, or of several bytes
        if elements:
            raise
        hint = "save the file as UTF-8"
        raise FormatError(f"not XML that can be read: {error}", file=file, line=1, hint=hint, code=code) from None


def read_xml(path: Path, handler: XmlHandler, *, code: str = "FP6003") -> None:
    """Hand the elements of an XML file to a handler; see :func:`parse_xml`."""
    parse_xml(read_bytes(path), str(path), handler, code=code)


@dataclass
class XmlElement:
    """An element with what is in it; names are without their prefix."""

    name: str
    attributes: Mapping[str, str]
    line: int
    text: str = ""  # its own, without that of its children
    children: list[XmlElement] = field(default_factory=list)

    def every(self, name: str) -> Iterator[XmlElement]:
        """Elements of a name, itself and at any depth, in the order of the file."""
        if self.name == name:
            yield self
        for child in self.children:
            yield from child.every(name)


class _Tree:
    """Keeps all elements."""

    def __init__(self) -> None:
        self.root: XmlElement | None = None
        self._open: list[XmlElement] = []

    def start(self, name: str, attributes: Mapping[str, str], place: Place) -> None:
        element = XmlElement(name, attributes, place[0])
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str, text: str, place: Place) -> None:
        del name, place
        self._open.pop().text = text


def xml_tree(data: bytes | str, file: str, *, code: str = "FP6003") -> XmlElement:
    """The root of an XML text with all that is in it; see :func:`parse_xml`."""
    tree = _Tree()
    parse_xml(data.encode() if isinstance(data, str) else data, file, tree, code=code)
    if tree.root is None:
        raise FormatError("not XML: no element found", file=file, line=1, code=code)
    return tree.root
