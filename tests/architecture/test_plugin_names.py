"""Only a router's own folder knows its name: everything else reads what the router says about itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric.routing.names import PATH_POLICIES, objective_names, router_names

ROOT = Path(__file__).resolve().parents[2]
OWN = ("fabric/routers", "fabric/optimise/objectives")
# A file format of its own, which shares nothing with the planner: it names ways to write a routing, and an objective.
OTHER_WORDS = ("fabric/certificate_check",)
# Path policies of optimal routing; one is called as the router that does the same without optimising.
POLICY_FILES = ("fabric/routing/names.py", "fabric/optimise")
# Reactions of a network to a failure; one is called as the router that does it.
REACTION_FILE = "fabric/failures/reaction.py"
FILES = sorted(
    path
    for folder in ("topologies", "traffic", "fabric", "tui")
    for path in (ROOT / folder).rglob("*.py")
    if not path.relative_to(ROOT).as_posix().startswith((*OWN, *OTHER_WORDS))
)


def texts(node: ast.AST | None) -> Iterator[ast.Constant]:
    """Constants that a node is, or that a collection it is has as elements."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from texts(element)


def decisive(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts that a file compares with, matches, looks up by, or lists."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                yield from texts(side)
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                yield from texts(key)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from texts(node)
        elif isinstance(node, ast.MatchValue):
            yield from texts(node.value)
        elif isinstance(node, ast.Subscript):
            yield from texts(node.slice)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("startswith", "endswith", "get"):
            for argument in node.args:
                yield from texts(argument)


def named(source: str, forbidden: set[str]) -> list[str]:
    """``LINE: NAME`` of every name that a file decides by."""
    return [f"{text.lineno}: {text.value}" for text in decisive(ast.parse(source)) if text.value in forbidden]


def test_a_name_that_decides_is_found():
    """In comparisons, collections, keys, match cases, look-ups and prefixes; not in calls and messages."""
    names = {"ecmp", "optimal"}
    assert named('router == "ecmp"', names) == ["1: ecmp"]
    assert named('router in ("a", "optimal")', names)
    assert named('RULES = {"ecmp": "equal"}', names)
    assert named('ORDER = ["optimal"]', names)
    assert named('match router:\n    case "ecmp":\n        pass', names) == ["2: ecmp"]
    assert named('ROUTERS["ecmp"]', names)
    assert named('text.startswith("optimal")', names)
    assert named('run("ecmp"); raise ValueError("router optimal")', names) == []


def test_no_file_outside_its_folder_decides_by_the_name_of_a_router_or_objective():
    """What differs from router to router is a trait that the router declares where it registers."""
    assert len(FILES) > 500
    found = {}
    for path in FILES:
        place = path.relative_to(ROOT).as_posix()
        forbidden = {*router_names(), *objective_names()}
        if place.startswith(POLICY_FILES):
            forbidden -= set(PATH_POLICIES)
        if place == REACTION_FILE:
            forbidden -= {"optimal"}
        if lines := named(path.read_text(encoding="utf-8"), forbidden):
            found[place] = lines
    assert found == {}


@pytest.mark.parametrize("folder", OWN)
def test_routers_and_objectives_do_not_import_each_other(folder):
    """What two of them need moves down."""
    package = folder.replace("/", ".")
    for path in (ROOT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [module for module in modules if (module or "").startswith(package)], path.name
