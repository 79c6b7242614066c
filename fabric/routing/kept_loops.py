"""Where compiled loops are kept to be linked without numba, by the types of their arguments, and while they are valid.

A file is valid for the very source that it was compiled from: the loop's own file, the files of all loops that it
calls, constants and named tuples it uses; and for the same Python, numba, LLVM, NumPy and processor. A wheel may bring
loops along, compiled for any processor since 2013 to 2015 (``scripts/ship_loops.py``).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from fabric.routing.linked import LinkedLoop, is_possible, link, linkable
from fabric.routing.temporary_folder import temporary_folder

SHIPPED = Path(__file__).parent / "shipped_loops"
_LARGEST = 2**63
_C_ORDER, _FORTRAN = 0x1, 0x2
_FLAGS = _C_ORDER | _FORTRAN | 0x500  # aligned, can be written
_SCALARS = {float, bool, np.bool_, *(np.dtype(letter).type for letter in "bBhHiIlLqQfd")}
_SIMPLE = 13  # numbers of NumPy's types up to which they are truth values, whole numbers and floats
BASELINE = "x86-64-v3"  # what shipped loops are compiled for
ABILITIES = {"abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}  # of such a processor, beyond those of all
_SHIP_TO = "FABRIC_SHIP_LOOPS"  # names the folder that loops to be shipped are written to
_OWN = ("compiled.py", "kept_loops.py", "linked.py", "object_code.py")  # how loops are compiled and laid out
_SETTINGS = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_ENABLE_AVX")


def types_of(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What a loop is compiled for, which numba derives from the same; None where that is not known here."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            number = value.dtype.num
            if number > _SIMPLE or not value.dtype.isnative:
                return None
            flags = value.flags.num & _FLAGS
            found.append((number, value.ndim, flags & ~_FORTRAN if flags & _C_ORDER else flags))
        elif kind is int:
            if not -_LARGEST <= value < _LARGEST:
                return None
            found.append(int)
        elif kind is float or kind is bool or isinstance(value, np.number | np.bool_):
            if kind not in _SCALARS:
                return None
            found.append(kind)
        elif isinstance(value, tuple):
            inner = types_of(value)
            if inner is None:
                return None
            found.append((kind, inner))
        else:
            return None
    return tuple(found)


def _named(types: Any) -> str:
    """Types as text that another run writes alike."""
    if isinstance(types, tuple):
        return f"({','.join(_named(each) for each in types)})"
    if isinstance(types, type):
        return f"{types.__module__}.{types.__qualname__}{getattr(types, '_fields', '')}"
    return str(types)


class KeptLoops:
    """The linked forms of one function."""

    def __init__(self, function: Callable[..., Any], options: str) -> None:
        self._function = function
        self._options = options

    @staticmethod
    def can_keep(function: Callable[..., Any]) -> bool:
        """Whether loops are kept here, and this one can be: what a closure holds is not known to another run."""
        own = isinstance(function, FunctionType) and function.__closure__ is None and "<" not in function.__qualname__
        return own and is_possible() and processor() is not None

    def read(self, types: tuple[Any, ...]) -> Callable[..., Any] | None:
        """The loop for these types, put into memory; None where it is not kept, or is no longer valid."""
        name = self._name(types)
        for folder, target in self._folders():
            try:
                text = (folder / name).read_bytes()
                if text[:32] != self._tag(types, target) or text[32:48] != _sum(text[48:]):
                    continue
                loop = pickle.loads(text[48:])
                if isinstance(loop, LinkedLoop):
                    return link(loop, sys.modules[self._function.__module__])
            except Exception:  # not there, cut off, or written by something else: compiled as if there were none
                continue
        return None

    def write(self, types: tuple[Any, ...], kept: tuple[Any, ...], folder: str | None) -> None:
        """Keep what numba keeps of a loop, beside that; a folder that cannot be written keeps nothing."""
        text = linkable(self._function.__name__, kept)
        if text is None or folder is None:
            return
        _write(Path(folder) / self._name(types), self._tag(types, processor() or "") + _sum(text) + text)
        ship_to, settings = os.environ.get(_SHIP_TO), [os.environ.get(name) for name in _SETTINGS]
        if ship_to and settings == [BASELINE, "", None, None, None]:
            _write(Path(ship_to) / self._name(types), self._tag(types, BASELINE) + _sum(text) + text)

    def _name(self, types: tuple[Any, ...]) -> str:
        module = self._function.__module__
        number = hashlib.sha256(f"{module} {_named(types)}".encode()).hexdigest()[:16]
        return f"{module.rpartition('.')[2]}.{self._function.__qualname__}-{number}.linked"

    def _tag(self, types: tuple[Any, ...], target: str) -> bytes:
        """What a kept file has to begin with to be valid, 32 bytes; ``target``: the processor it is compiled for."""
        settings = [] if target == BASELINE else [f"{name}={os.environ.get(name)}" for name in _SETTINGS]
        parts = [_versions(), target, *settings, self._options, _named(types), source_of(self._function)]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def _folders(self) -> Iterator[tuple[Path, str]]:
        """Where numba may have kept the loop, in the order in which it tries, and where a wheel has it; for whom."""
        source = Path(self._function.__code__.co_filename)
        for folder in _numba_folders(source, os.environ.get("NUMBA_CACHE_DIR")):
            yield folder, processor() or ""
        if takes_shipped():
            yield SHIPPED, BASELINE


def _numba_folders(source: Path, chosen: str | None) -> Iterator[Path]:
    index = f"{source.parent.name}_{hashlib.sha1(str(source.parent).encode()).hexdigest()}"
    if chosen:
        yield Path(chosen) / index
        return
    yield source.parent / "__pycache__"
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    yield home / "numba" / index
    temporary = temporary_folder()
    if temporary is not None:
        yield temporary / index


def _write(path: Path, text: bytes) -> None:
    """Write a file at once; not at all where that cannot be."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)


def _sum(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


@cache
def processor() -> str | None:
    """Model and abilities of the processor; None where the system does not tell."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            text = file.read(16_384).split("\n\n", 1)[0]
    except OSError:
        return None
    found = [line for line in text.splitlines() if line.startswith(("model name", "flags", "cpu family", "model\t"))]
    return "\n".join(found) if any(line.startswith("flags") for line in found) else None


@cache
def takes_shipped() -> bool:
    """Whether there are loops of a wheel that this processor runs, and nobody asks numba for others."""
    flags = next((line for line in (processor() or "").splitlines() if line.startswith("flags")), "")
    asked = any(os.environ.get(name) is not None for name in _SETTINGS)
    return SHIPPED.is_dir() and not asked and set(flags.split()) >= ABILITIES


@cache
def _versions() -> str:
    """Versions that code is made by and for, as text: of Python and NumPy the first two numbers."""
    parts = [f"{EXTENSION_SUFFIXES[0]} {sys.hexversion >> 16:x}", ".".join(np.__version__.split(".")[:2])]
    for package in ("numba", "llvmlite"):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            parts.append(_hash_of(str(Path(spec.origin).parent / "_version.py")))
    parts += [_hash_of(str(Path(__file__).with_name(name))) for name in _OWN]
    return "\n".join(parts)


@cache
def _hash_of(path: str) -> str:
    """Hash of a file; of one that cannot be read what no other run has, so that nothing is taken for valid."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return os.urandom(32).hex()


def source_of(function: Callable[..., Any]) -> str:
    """Sum of all that a loop is compiled from: its code as it is in memory, its file, and the same of what it uses."""
    return hashlib.sha256("\n".join(_used(function, set())).encode()).hexdigest()


def _code(code: CodeType) -> str:
    """Code as text that another run writes alike; its file may by now hold another."""
    consts = [_code(one) if isinstance(one, CodeType) else f"{type(one).__name__} {one!r}" for one in code.co_consts]
    names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
    return repr((code.co_code, code.co_firstlineno, code.co_flags, names, consts))


def _used(function: Callable[..., Any], seen: set[int]) -> Iterator[str]:
    """Source of a function, and of all that it names which another run could have otherwise."""
    if id(function) in seen or not isinstance(function, FunctionType):
        return
    seen.add(id(function))
    yield f"{function.__module__}.{function.__qualname__} {_code(function.__code__)}"
    yield _hash_of(function.__code__.co_filename)
    for value in (*(function.__defaults__ or ()), *(cell.cell_contents for cell in function.__closure__ or ())):
        yield from _value("", value, seen)
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield from _value(name, function.__globals__[name], seen)


def _value(name: str, value: Any, seen: set[int]) -> Iterator[str]:
    inner = vars(value).get("_function") if hasattr(value, "__dict__") else None
    if inner is not None:
        yield from _used(inner, seen)
    elif isinstance(value, FunctionType):
        yield from _used(value, seen)
    elif isinstance(value, ModuleType):
        if not value.__name__.startswith(("numpy", "math", "numba")) and value.__file__:
            yield _hash_of(value.__file__)
    elif isinstance(value, type):
        yield f"{name}={_named(value)}"
    elif isinstance(value, np.ndarray):
        yield f"{name}={value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    else:
        yield f"{name}={value!r}"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
