"""From a path to a checked scenario: read, include, override, validate; every problem at its line."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from fabric.scenario.catalogue_file import is_catalogue, with_file
from fabric.scenario.cost_schema import priced
from fabric.scenario.diagnostics import locate
from fabric.scenario.explain import explain
from fabric.scenario.json_schema import scenario_schema
from fabric.scenario.keys import Keys
from fabric.scenario.overrides import Override, apply_override, parse_override
from fabric.scenario.positions import MOST_BYTES, decode, read_yaml
from fabric.scenario.references import check_references
from fabric.scenario.registries import Registries
from fabric.scenario.schema import Scenario
from fabric.scenario.tree import Place, Tree, merge, with_nodes_listed
from topologies.catalogue import SECTIONS, Catalogue, builtin
from topologies.errors import FabricError, Problem, ScenarioError, nearest
from topologies.reading.file_bytes import file_bytes, stdin_bytes

if TYPE_CHECKING:
    from fabric.scenario.cluster_nodes import ReadGroup

STDIN = "<stdin>"
_MAX_INCLUDES = 50
_OTHER_NODES = re.compile(
    r"nodes\.[^.=]+(=|\.(from|path|context|kubeconfig|selector|pods|resource|live|partition|timeout|names|gpus|resources)\b)"
)

E = TypeVar("E", bound=FabricError)


class LoadError(ScenarioError):
    """A scenario that cannot be used; ``sources`` holds the text of the files read, for :func:`render`."""

    def __init__(self, problems: Iterable[Problem], sources: Mapping[str, str] | None = None) -> None:
        super().__init__(problems)
        self.sources = dict(sources or {})


@dataclass(frozen=True)
class InputFile:
    """A file the scenario was read from."""

    path: str
    sha256: str


@dataclass(frozen=True, eq=False)
class LoadedScenario:
    """A valid scenario, and what is needed to point into its text."""

    scenario: Scenario
    path: str
    directory: Path  # files named in the scenario are relative to it
    inputs: tuple[InputFile, ...]  # the scenario itself first
    sources: Mapping[str, str]  # text by file name
    overrides: tuple[Override, ...]
    catalogues: tuple[Path, ...]  # of the user's own
    tree: Tree = field(repr=False)
    strict: bool = False  # a file with anything wrong in it is refused
    dropped: list[Problem] = field(default_factory=list, repr=False, compare=False)  # wrong elements of files
    said: list[str] = field(default_factory=list, repr=False, compare=False)  # what files were taken for, or left out
    catalogue_said: tuple[str, ...] = ()  # of that, what device types were
    nodes_said: tuple[str, ...] = ()  # of that, where and when nodes of a cluster were read
    catalogue: Catalogue = field(default_factory=builtin, repr=False, compare=False)  # with the user's rows

    @property
    def sha256(self) -> str:
        """Hash of the scenario file itself."""
        return self.inputs[0].sha256

    def say(self, *texts: str) -> None:
        """Note what a file was taken for, or what of it is left out; commands print it once, on standard error."""
        self.said.extend(text for text in texts if text not in self.said)

    def locate(self, error: E) -> E:
        """The same error, its problems at file, line and column of the scenario key they name.

        It carries ``sources``, as a :class:`LoadError` does, so that the code that prints it can show the lines.
        """
        located = type(error)(locate(error.problems, self.tree))
        vars(located)["sources"] = dict(self.sources)
        return located


def load_scenario(
    path: str | Path, *, overrides: Sequence[str] = (), registries: Registries | None = None
) -> LoadedScenario:
    """Read a scenario file; ``-`` is standard input.

    Parameters
    ----------
    path
        The file.
    overrides
        ``PATH=VALUE`` texts, applied in order after includes.
    registries
        Kinds of topology and workload; default: all there are.

    Raises
    ------
    LoadError
        With every problem found, located.
    """
    return _loaded(SourceFiles(), path, overrides, registries)


def load_scenario_text(
    text: str, path: str | Path, *, overrides: Sequence[str] = (), registries: Registries | None = None
) -> LoadedScenario:
    """A scenario that is not in a file yet; files named in it are looked for as if it stood at ``path``.

    Raises
    ------
    LoadError
        As ``load_scenario``.
    """
    return _loaded(SourceFiles({str(path): text.encode()}), path, overrides, registries)


def with_overrides(loaded: LoadedScenario, texts: Sequence[str]) -> LoadedScenario:
    """The same scenario with more ``PATH=VALUE`` texts over its own; its files are not read again.

    Where it brings a catalogue of its own they are, as prices lie over that; nodes of a cluster are, where it is
    another's that is meant.

    Raises
    ------
    LoadError
        As ``load_scenario``.
    """
    if loaded.catalogues or (
        any(map(_OTHER_NODES.match, texts)) and any(node.source for node in loaded.scenario.nodes)
    ):
        before = [f"{override.path}={override.value}" for override in loaded.overrides]
        return load_scenario(loaded.path, overrides=[*before, *texts])
    registries = Registries()
    try:
        tree, given = _overridden(loaded.tree, texts, registries)
        scenario = validate(tree, registries)
    except ScenarioError as error:
        raise LoadError(error.problems, loaded.sources) from None
    return replace(
        loaded,
        scenario=scenario,
        overrides=(*loaded.overrides, *given),
        tree=tree,
        dropped=[],
        said=[*loaded.catalogue_said, *loaded.nodes_said],
        catalogue=priced(registries.catalogue, scenario.costs.prices),
    )


def _loaded(
    files: SourceFiles, path: str | Path, overrides: Sequence[str], registries: Registries | None
) -> LoadedScenario:
    try:
        tree = files.merged(str(path))
        chosen = registries or Registries()
        chosen = replace(chosen, catalogue=files.catalogue(chosen.catalogue))
        tree, given = _overridden(tree, overrides, chosen)
        directory = Path() if str(path) == "-" else Path(path).parent
        tree, read = _with_nodes_read(tree, directory)
        scenario = validate(tree, chosen)
    except ScenarioError as error:
        raise LoadError(error.problems, files.sources) from None
    files.inputs += [InputFile(group.label, group.sha256) for group in read]
    loaded = LoadedScenario(
        scenario, str(path), directory, tuple(files.inputs), files.sources, given, tuple(files.catalogues), tree
    )
    nodes_said = tuple(text for group in read for text in group.said)
    loaded.say(*chosen.catalogue.said, *nodes_said)
    catalogue = priced(chosen.catalogue, scenario.costs.prices)
    return replace(loaded, catalogue_said=chosen.catalogue.said, nodes_said=nodes_said, catalogue=catalogue)


def _with_nodes_read(tree: Tree, directory: Path) -> tuple[Tree, list[ReadGroup]]:
    """The tree with the nodes of clusters that it names; nothing of theirs is loaded where it names none."""
    if not isinstance(tree.value, Mapping) or all(item.text("from") is None for item in _nodes(tree)):
        return tree, []
    from fabric.scenario.cluster_nodes import with_cluster_nodes

    return with_cluster_nodes(tree, directory)


def _nodes(tree: Tree) -> Sequence[Tree]:
    nodes = tree.child("nodes")
    return () if nodes is None else nodes.items


def validate(tree: Tree, registries: Registries) -> Scenario:
    """Check a tree against the schema and its own names.

    Raises
    ------
    ScenarioError
        With every problem, located.
    """
    data = tree.plain()
    references = check_references(data)
    try:
        scenario = Scenario.model_validate(data, context=registries)
    except ValidationError as error:
        keys = Keys(lambda: _schema(registries), data)
        problems = explain(error.errors(include_url=False), data, keys)
        reported = {problem.where for problem in problems}
        problems += [problem for problem in references if problem.where not in reported]
        raise ScenarioError(locate(problems, tree)) from None
    if references:
        raise ScenarioError(locate(references, tree))
    return scenario


@cache
def _schema(registries: Registries) -> dict[str, Any]:
    """Made once: several overrides may ask for it."""
    return scenario_schema(registries)


def _overridden(tree: Tree, texts: Sequence[str], registries: Registries) -> tuple[Tree, tuple[Override, ...]]:
    given: list[Override] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            override = parse_override(text)
            tree = with_nodes_listed(apply_override(tree, override, Keys(lambda: _schema(registries), tree.plain())))
            given.append(override)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return tree, tuple(given)


class SourceFiles:
    """Reads a scenario and what it includes, each file once; ``texts`` are files that are not written yet."""

    def __init__(self, texts: Mapping[str, bytes] | None = None) -> None:
        self.texts = texts or {}
        self.sources: dict[str, str] = {}
        self.inputs: list[InputFile] = []
        self.catalogues: list[Path] = []
        self._trees: list[Tree] = []
        self._seen: set[Path] = set()

    def merged(self, name: str, *not_a_mapping: str) -> Tree:
        """The document laid over the files it includes; ``not_a_mapping``: what to say of one that is none."""
        own = self.read(name, Place(name))
        require_mapping(own, *not_a_mapping)
        return self._with_includes(own, name, [_identity(name)])

    def _with_includes(self, own: Tree, name: str, chain: list[Path]) -> Tree:
        own = with_nodes_listed(own)
        directory = Path() if name == "-" else Path(name).parent
        include = own.child("include")
        problems: list[Problem] = []
        base: Tree | None = None
        for item in include.items if include is not None else ():
            try:
                part = self._included(item, directory, chain)
            except ScenarioError as error:
                problems += error.problems
                continue
            if part is not None:
                base = part if base is None else merge(base, part)
        if problems:
            raise ScenarioError(problems)
        return own if base is None else merge(base.without("include"), own)

    def _included(self, item: Tree, directory: Path, chain: list[Path]) -> Tree | None:
        """What one entry of ``include`` brings; None for catalogues and for files read already."""
        catalogue = item.text("catalog")
        if catalogue is not None:
            if catalogue != "builtin":
                self._add_catalogue(directory / catalogue, item)
            return None
        if not isinstance(item.value, str):
            return None  # the schema says what is wrong with it
        path = directory / item.value
        identity = _identity(str(path))
        if identity in chain or len(chain) > _MAX_INCLUDES:
            raise ScenarioError([_cycle(item, [*chain, identity])])
        if identity in self._seen:
            return None
        self._seen.add(identity)
        own = self.read(str(path), item.place)
        if is_catalogue(own):
            self._trees.append(own)
            self.catalogues.append(path)
            return None
        require_mapping(own)
        return self._with_includes(own, str(path), [*chain, identity])

    def _add_catalogue(self, path: Path, item: Tree) -> None:
        own = self.read(str(path), item.place)
        require_mapping(own, "a catalogue is a mapping of sections", f"sections: {', '.join(SECTIONS)}")
        self._trees.append(own)
        self.catalogues.append(path)

    def catalogue(self, base: Catalogue) -> Catalogue:
        """``base`` with all catalogues that were included laid over it, in order."""
        for tree in self._trees:
            base = with_file(base, tree)
        return base

    def read(self, name: str, asked: Place) -> Tree:
        """One file, by itself."""
        content = self.texts[name] if name in self.texts else _content(name, asked)
        shown = STDIN if name == "-" else name
        self.sources[shown] = content.decode("utf-8-sig", errors="replace")
        self.inputs.append(InputFile(shown, hashlib.sha256(content).hexdigest()))
        return read_yaml(decode(content, shown), shown)


def require_mapping(
    tree: Tree, message: str = "a scenario is a mapping of keys", hint: str = "begin with version: 1"
) -> None:
    """Refuse a document that is not a mapping."""
    if not isinstance(tree.value, Mapping):
        raise ScenarioError(
            [
                Problem(
                    message,
                    code="FP1006",
                    file=tree.place.file,
                    line=tree.place.line,
                    column=tree.place.column,
                    length=max(tree.place.length, 1),
                    hint=hint,
                )
            ]
        )


def _identity(name: str) -> Path:
    try:
        return Path(name).resolve()
    except (OSError, RuntimeError, ValueError):
        return Path(name)


def _cycle(item: Tree, chain: list[Path]) -> Problem:
    names = " -> ".join(path.name for path in chain)
    place = item.place
    return Problem(
        "this file includes itself" if chain[-1] in chain[:-1] else f"more than {_MAX_INCLUDES} files deep",
        code="FP1009",
        file=place.file,
        line=place.line,
        column=place.column,
        length=place.length,
        notes=(names,),
        hint="remove one of these includes",
    )


_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file",
    errno.EISDIR: "it is a directory",
    errno.EACCES: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
}


def _content(name: str, asked: Place) -> bytes:
    """Bytes of a file; FP1000 at the place that asked for it."""
    try:
        return stdin_bytes(MOST_BYTES) if name == "-" else file_bytes(name, MOST_BYTES)
    except (OSError, ValueError) as error:
        code = error.errno if isinstance(error, OSError) else None
        said = error.strerror if isinstance(error, OSError) else None
        reason = _REASONS.get(code or 0, said or str(error).lower())
        problem = Problem(
            f"cannot read {name}: {reason}",
            code="FP1000",
            file=asked.file,
            line=asked.line,
            column=asked.column,
            length=max(asked.length, 1),
            hint=_other_file(Path(name), code),
        )
        raise ScenarioError([problem]) from None


def _other_file(path: Path, code: int | None) -> str:
    """A way out: the file of nearly that name, or how to make one."""
    try:
        directory = path if code == errno.EISDIR else path.parent
        there = sorted(entry.name for entry in directory.iterdir() if entry.suffix in (".yaml", ".yml"))
    except (OSError, ValueError):
        there = []
    if code == errno.EISDIR:
        return f"name the file: {path / there[0]}" if there else "name a scenario file"
    close = nearest(path.name, there) if code == errno.ENOENT else None
    if close:
        return f"did you mean {path.parent / close}?"
    return "fabric init writes a first scenario" if code == errno.ENOENT else ""
