"""Named, validated plug-ins: a decorated function is one entry, its signature is its schema.

A parameter annotated ``Injected[...]`` is supplied by the caller at run time, not a key of the scenario. All other
parameters become fields of a pydantic model in which unknown keys are refused and ``kind`` is the entry's name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import BaseModel, ConfigDict, create_model

from topologies.errors import ScenarioError, nearest_hint
from topologies.plugin_names import PluginNames

R = TypeVar("R")
T = TypeVar("T")
Traits = typing_extensions.TypeVar("Traits", default=None)


class _Injected:
    """Marks a parameter the pipeline supplies."""


Injected = Annotated[T, _Injected]


class Spec(BaseModel):
    """Base of everything read from a scenario: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, arbitrary_types_allowed=True)


def _is_injected(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated and _Injected in get_args(annotation)[1:]


@dataclass(frozen=True)
class SharedKeys(Generic[R]):
    """Keys that every entry of a registry has, and what they do to the result."""

    fields: Mapping[str, tuple[Any, Any]]  # annotation and default by name
    finish: Callable[..., R]  # (result, spec, **fields) -> result
    check: Callable[[Entry[R, Any], BaseModel, Mapping[str, Any]], None]  # (entry, spec, injected), before it is called


@dataclass(frozen=True)
class Entry(Generic[R, Traits]):
    """One registered function, and what it says about itself where its kind of plug-in has traits."""

    name: str
    function: Callable[..., R]
    example: Mapping[str, Any]
    facts: Callable[..., Any] | None
    aliases: tuple[str, ...]
    traits: Traits
    shared: SharedKeys[R] | None = None

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def injected(self) -> frozenset[str]:
        """Names of the parameters that are supplied at run time."""
        return frozenset(name for name, hint in self._hints.items() if _is_injected(hint))

    @cached_property
    def model(self) -> type[Spec]:
        """Pydantic model of the parameters, with ``kind``."""
        fields: dict[str, Any] = {"kind": (Literal[(self.name, *self.aliases)], ...)}
        for name, parameter in inspect.signature(self.function).parameters.items():
            if name in self.injected:
                continue
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (self._hints[name], default)
        fields |= self.shared.fields if self.shared else {}
        title = "".join(part.title() for part in self.name.split("-"))
        return create_model(title, __base__=Spec, __doc__=self.summary, **fields)

    def __call__(self, spec: BaseModel | Mapping[str, Any], **injected: Any) -> R:
        """Validate ``spec`` if it is not yet, and call the function with it.

        Injected values the function does not take are left out, so callers may offer all they have.
        """
        values = spec if isinstance(spec, BaseModel) else self.model.model_validate({"kind": self.name, **spec})
        arguments = {name: getattr(values, name) for name in type(values).model_fields if name != "kind"}
        shared = {name: arguments.pop(name) for name in (self.shared.fields if self.shared else ())}
        wanted = {name: value for name, value in injected.items() if name in self.injected}
        if self.shared:
            self.shared.check(self, values, wanted)
        result = self.function(**arguments, **wanted)
        return self.shared.finish(result, values, **shared) if self.shared else result


class Registry(Generic[R, Traits]):
    """The entries of one kind of plug-in; modules of ``package`` are imported when they are looked up.

    An entry whose file has its name (``fat_tree.py`` registers ``fat-tree``) is found without importing the others.

    Parameters
    ----------
    traits : type, optional
        What every entry has to say about itself when it registers.
    announce : PluginNames, optional
        Names that are known without importing the package; registered ones are added.
    """

    def __init__(
        self,
        what: str,
        package: str,
        shared: SharedKeys[R] | None = None,
        *,
        traits: type[Traits] | None = None,
        announce: PluginNames | None = None,
    ) -> None:
        self.what = what
        self.shared = shared
        self.package = package
        self._traits, self._announce = traits, announce
        self._entries: dict[str, Entry[R, Traits]] = {}
        self._aliases: dict[str, str] = {}
        self._loaded = False

    def register(
        self,
        name: str,
        *,
        example: Mapping[str, Any],
        facts: Callable[..., Any] | None = None,
        aliases: tuple[str, ...] = (),
        traits: Traits | None = None,
    ) -> Callable[[Callable[..., R]], Callable[..., R]]:
        """Decorator: make the function available under ``name``."""
        if self._traits is not None and not isinstance(traits, self._traits):
            raise TypeError(f"{self.what} {name!r} does not say what it is: traits={self._traits.__name__}(...)")

        def add(function: Callable[..., R]) -> Callable[..., R]:
            if name in self._entries:
                raise ValueError(f"{self.what} {name!r} is registered twice")
            self._entries[name] = Entry(name, function, example, facts, aliases, cast(Traits, traits), self.shared)
            self._aliases.update(dict.fromkeys(aliases, name))
            if self._announce is not None:
                self._announce.add(name)
            return function

        return add

    def remove(self, name: str) -> None:
        """Take an entry out again, by its name; for tests that register their own."""
        for alias in self._entries.pop(name).aliases:
            del self._aliases[alias]
        if self._announce is not None:
            self._announce.remove(name)

    def _find(self, name: str) -> Entry[R, Traits] | None:
        """The entry called ``name``, by its own file where that has its name, else by importing all."""
        if name not in self._entries and name not in self._aliases:
            self._load_file_of(name)
        if name not in self._entries and name not in self._aliases:
            self._load()
        return self._entries.get(self._aliases.get(name, name))

    def _load_file_of(self, name: str) -> None:
        stem = name.replace("-", "_")
        if self._loaded or not stem.isidentifier() or stem.startswith("_"):
            return
        package = importlib.import_module(self.package)
        if any(Path(folder, f"{stem}.py").is_file() for folder in package.__path__):
            importlib.import_module(f"{self.package}.{stem}")

    def _load(self) -> None:
        if not self._loaded:
            package = importlib.import_module(self.package)
            for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
                importlib.import_module(f"{self.package}.{module.name}")
            self._loaded = True

    def names(self) -> list[str]:
        """All names, sorted; aliases left out."""
        self._load()
        return sorted(self._entries)

    def known(self, name: str) -> bool:
        """Whether ``name`` is an entry or an alias of one."""
        return self._find(name) is not None

    def __iter__(self) -> Iterator[Entry[R, Traits]]:
        return iter([self._entries[name] for name in self.names()])

    def __getitem__(self, name: str) -> Entry[R, Traits]:
        entry = self._find(name)
        if entry is None:
            hint = nearest_hint(name, [*self._entries, *self._aliases], otherwise=f"known: {', '.join(self.names())}")
            raise ScenarioError(f"unknown {self.what} {name!r}", where="kind", hint=hint, code="FP2104")
        return entry
