"""The object code of a compiled loop, as numba keeps it, laid out so that it can be put into memory and run.

Reads relocatable ELF files for x86-64 (System V ABI, AMD64 supplement 1.0, chapter 4), of which LLVM's code for the
host uses little: absolute addresses of 64 bits, and few relative ones. Whatever else a file asks for is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_ALLOCATED = 2  # SHF_ALLOC
_SYMBOLS, _RELOCATIONS, _NO_BITS = 2, 4, 8  # SHT_SYMTAB, SHT_RELA, SHT_NOBITS
_COMMON = (0xFFF2, 0xFF02)  # SHN_COMMON, SHN_X86_64_LCOMMON
_WORD, _RELATIVE = 1, {2: 4, 4: 4, 24: 8}  # R_X86_64_64; PC32, PLT32, PC64 and their bytes
PAGE = 4096


class UnknownCodeError(ValueError):
    """Object code that is not of the kind read here."""


@dataclass(frozen=True)
class CodeImage:
    """Code and constants of a loop, and what is to be written into them where they come to lie.

    Attributes
    ----------
    data : bytes
        Everything, from the first byte of the code to the last of the words that are written while it runs.
    writable : int
        Offset of those words, at the start of a page.
    inner : tuple of (int, int)
        Offset of a word, and the offset whose address it holds.
    outer : dict of str to tuple of (int, int)
        Name that the program around provides -> offsets of words, and what is added to the address.
    symbols : dict of str to int
        Offset of everything that has a name.
    """

    data: bytes
    writable: int
    inner: tuple[tuple[int, int], ...]
    outer: dict[str, tuple[tuple[int, int], ...]]
    symbols: dict[str, int]


@dataclass
class _File:
    """Sections of an ELF file."""

    text: bytes
    sections: list[tuple[int, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.text[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", self.text, 16) != (1, 62):
            raise UnknownCodeError("not a relocatable file for x86-64")
        (start,) = struct.unpack_from("<Q", self.text, 0x28)
        size, count = struct.unpack_from("<HH", self.text, 0x3A)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.text, start + size * at) for at in range(count)]

    def of_type(self, wanted: int) -> list[tuple[int, ...]]:
        return [section for section in self.sections if section[1] == wanted]

    def word(self, table: int, offset: int) -> str:
        """A name of a table of names."""
        start = self.sections[table][4] + offset
        return self.text[start : self.text.index(b"\0", start)].decode()


def read_object(text: bytes) -> CodeImage:
    """Lay out an object file.

    Raises
    ------
    UnknownCodeError
        When it holds what is not read here.
    """
    file = _File(text)
    (table,) = file.of_type(_SYMBOLS) or [()]
    if not table:
        raise UnknownCodeError("no symbols")
    data, place = _laid_out(file)
    names, values, writable = _symbols(file, table, data, place)
    inner: list[tuple[int, int]] = []
    outer: dict[str, list[tuple[int, int]]] = {}
    for section in file.of_type(_RELOCATIONS):
        if section[7] not in place:
            continue  # of what is left out, such as tables for unwinding the stack
        for at in range(section[5] // 24):
            offset, info, addend = struct.unpack_from("<QQq", text, section[4] + 24 * at)
            where, symbol, kind = place[section[7]] + offset, info >> 32, info & 0xFFFFFFFF
            target = values[symbol]
            if kind == _WORD and target is not None:
                inner.append((where, target + addend))
            elif kind == _WORD:
                outer.setdefault(names[symbol], []).append((where, addend))
            elif kind in _RELATIVE and target is not None:
                data[where : where + _RELATIVE[kind]] = (target + addend - where).to_bytes(
                    _RELATIVE[kind], "little", signed=True
                )
            else:
                raise UnknownCodeError(f"relocation {kind} of {names[symbol]}")
    symbols = {name: value for name, value in zip(names, values, strict=True) if name and value is not None}
    uses = {name: tuple(words) for name, words in outer.items()}
    return CodeImage(bytes(data), writable, tuple(inner), uses, symbols)


def _laid_out(file: _File) -> tuple[bytearray, dict[int, int]]:
    """Sections one after the other, and where each of them is; tables for unwinding the stack are left out."""
    data, place = bytearray(), {}
    header = struct.unpack_from("<H", file.text, 0x3E)[0]
    for number, (name, kind, flags, _, start, size, *_, align, _) in enumerate(file.sections):
        if not flags & _ALLOCATED or file.word(header, name) == ".eh_frame":
            continue
        if (kind == _NO_BITS and size) or flags & 1:
            raise UnknownCodeError("data that is written while the code runs")
        data += bytes(-len(data) % max(align, 1))
        place[number] = len(data)
        data += file.text[start : start + size]
    return data, place


def _symbols(
    file: _File, table: tuple[int, ...], data: bytearray, place: dict[int, int]
) -> tuple[list[str], list[int | None], int]:
    """Name and offset of every symbol, None for what is not in the file; and where the written words begin.

    Words that the file only asks room for (common symbols) are put on pages of their own at the end.
    """
    data += bytes(-len(data) % PAGE)
    writable = len(data)
    names: list[str] = []
    values: list[int | None] = []
    for at in range(table[5] // 24):
        name, _, _, section, value, size = struct.unpack_from("<IBBHQQ", file.text, table[4] + 24 * at)
        names.append(file.word(table[6], name))
        if section in _COMMON:
            data += bytes(-len(data) % max(value, 8))
            values.append(len(data))
            data += bytes(size)
        elif section in place:
            values.append(place[section] + value)
        else:  # of the program around, or of what is left out
            values.append(None)
    return names, values, writable
