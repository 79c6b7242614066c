"""``--set PATH=VALUE``: one value of the scenario, replaced before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabric.scenario.keys import Keys, near_key
from fabric.scenario.positions import read_yaml
from fabric.scenario.tree import Place, Tree
from topologies.errors import Problem, ScenarioError, Where


@dataclass(frozen=True)
class Override:
    """One ``--set``, as it was given."""

    path: str
    value: str

    @property
    def origin(self) -> str:
        """What an error in it is located at."""
        return f"--set {self.path}={self.value}"


def parse_override(text: str) -> Override:
    """Split ``PATH=VALUE``.

    >>> parse_override("nodes.gpu.count=128")
    Override(path='nodes.gpu.count', value='128')
    """
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise ScenarioError(
            f"{text!r} is not PATH=VALUE",
            code="FP1010",
            file=f"--set {text}",
            hint="for example --set fabrics.backend.routing.router=optimal",
        )
    return Override(path.strip(), value)


def apply_override(tree: Tree, override: Override, keys: Keys) -> Tree:
    """The tree with one value replaced or added.

    Raises
    ------
    ScenarioError
        FP1010 when the path leads nowhere, with the nearest name; else what is wrong with the value.
    """
    place = Place(override.origin)
    return _put(tree, tuple(override.path.split(".")), (), _value(override, place), keys)


def _value(override: Override, place: Place) -> Tree:
    if not override.value.strip():
        return Tree(None, place)
    try:
        return _moved(read_yaml(override.value, override.origin), place)
    except ScenarioError as error:
        raise ScenarioError(replace(problem, line=None, column=None) for problem in error.problems) from None


def _moved(tree: Tree, place: Place) -> Tree:
    """The same value, every part of it at ``place``."""
    if isinstance(tree.value, dict):
        return Tree({key: _moved(child, place) for key, child in tree.value.items()}, place, place)
    if tree.items:
        return Tree([_moved(child, place) for child in tree.items], place, place)
    return Tree(tree.value, place, place)


def _put(tree: Tree, path: Sequence[str], done: Where, value: Tree, keys: Keys) -> Tree:
    part, rest = path[0], path[1:]
    if isinstance(tree.value, dict):
        below = tree.value.get(part)
        if below is None and not (part in keys.at(done) or (keys.open(done) and not rest)):
            raise _unknown(part, done, [*tree.value, *keys.at(done)], value.place)
        key: str | int = part
    elif tree.items:
        index = tree.index(part)
        if index is None:
            names = [name for name in tree.item_names() if name]
            raise _unknown(part, done, names or [str(i) for i in range(len(tree.items))], value.place)
        key, below = index, tree.items[index]
    elif tree.value is None:
        return _put(replace(tree, value={}), path, done, value, keys)
    else:
        message = f"{'.'.join(map(str, done))} is a value; there is no {part!r} in it"
        raise ScenarioError([Problem(message, code="FP1010", file=value.place.file)])
    if not rest:
        kept = below.key if below is not None and below.key is not None else value.place
        return tree.with_child(key, replace(value, key=value.place if isinstance(key, str) else kept))
    empty = Tree({}, value.place, value.place)
    return tree.with_child(key, _put(empty if below is None else below, rest, (*done, key), value, keys))


def _unknown(part: str, done: Where, known: list[str], place: Place) -> ScenarioError:
    there = list(dict.fromkeys(known))
    close = near_key(part, there)
    hint = f"did you mean {close!r}?" if close else f"there is: {', '.join(there)}" if there else ""
    under = f" in {'.'.join(map(str, done))}" if done else ""
    problem = Problem(f"there is no {part!r}{under}", code="FP1010", file=place.file, hint=hint)
    return ScenarioError([problem])
